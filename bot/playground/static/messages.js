// One message as a node, and a list of them that changes in place: what did not change keeps its node, focus and scroll.
import { el, day, drawn, sign, timeNode, clock } from "./dom.js";
import { blocks } from "./blocks.js";
import { mrkdwn, safeLink } from "./mrkdwn.js";

const REACTIONS = ["+1", "eyes", "white_check_mark"];
const GROUP_S = 300;

export const authorOf = (message, world) => {
  const person = world.person(message.user);
  if (message.username) return { name: message.username, kind: "app", key: message.bot_id || message.username };
  return { name: person?.name || message.user || "somebody", kind: person?.kind || "person", key: message.user };
};

function portrait(author) {
  let hue = 0;
  for (const letter of author.key || "") hue = (hue * 31 + letter.codePointAt(0)) % 12;
  return el("span", { class: `portrait ${author.kind === "app" ? "app" : ""} hue-${hue}`, "aria-hidden": "true" }, (author.name[0] || "?").toUpperCase());
}

function attachment(each, world, act) {
  const title = each.title ? el("div", { class: "title" }, each.title_link ? safeLink(each.title_link, each.title) : mrkdwn(each.title, world)) : null;
  const fields = (each.fields || []).map((field) => el("div", {}, el("strong", {}, field.title), " ", mrkdwn(field.value, world)));
  const color = { danger: "bad", good: "fine", warning: "mind" }[each.color] || "";
  return el("div", { class: `attachment ${color}` }, each.pretext ? el("div", {}, mrkdwn(each.pretext, world)) : null, title,
    each.text ? el("div", { class: "text" }, mrkdwn(each.text, world)) : each.title ? null : each.fallback || null, fields, blocks(each.blocks, world, act));
}

function file(each) {
  const url = new URL(each.url_private || "/", location.href);
  const local = location.origin + url.pathname;
  const size = each.size > 1e6 ? `${(each.size / 1e6).toFixed(1)} MB` : each.size > 1e3 ? `${Math.round(each.size / 1e3)} kB` : `${each.size} B`;
  if (/^image\/(png|jpeg|gif|webp)$/.test(each.mimetype || "")) {
    return el("figure", {}, el("figcaption", {}, each.title || each.name), el("a", { href: local, target: "_blank", class: "picture" }, el("img", { src: local, alt: each.alt_txt || each.title || each.name, loading: "lazy" })));
  }
  return el("a", { class: "file", href: local, target: "_blank" }, el("span", { "aria-hidden": "true" }, "▤ "), each.title || each.name, el("small", {}, ` ${each.filetype || ""} ${size}`));
}

function body(message, world, act) {
  if (message.subtype === "tombstone") return [el("p", { class: "hint" }, "This message was deleted.")];
  // what a person typed is drawn from its text: its rich text says no more
  const shown = message.blocks?.length && !message.client_msg_id ? blocks(message.blocks, world, act) : [message.text ? el("div", { class: "text" }, mrkdwn(message.text, world)) : null];
  const edited = message.edited && !message.bot_id ? el("span", { class: "hint" }, " (edited)") : null;
  return [...shown, edited, (message.attachments || []).map((each) => attachment(each, world, act)), (message.files || []).map(file)];
}

function reactions(message, world) {
  const list = message.reactions || [];
  if (!list.length) return null;
  return el("div", { class: "reactions" }, list.map((each) => {
    const names = each.users.map((user) => world.person(user)?.name || user).join(", ");
    const mine = each.users.includes(world.me());
    return el("button", { type: "button", class: mine ? "mine" : "", "aria-pressed": String(mine), title: `${names} reacted with :${each.name}:`, "aria-label": `${each.name.replaceAll("_", " ")}: ${each.count}, ${names}`,
      onclick: () => world.act({ act: "react", channel: message.channel, ts: message.ts, name: each.name }) }, sign(each.name) || `:${each.name}:`, ` ${each.count}`);
  }));
}

function tools(message, world, inThread) {
  if (message.is_ephemeral || message.subtype === "tombstone") return null;
  const buttons = REACTIONS.map((name) => el("button", { type: "button", title: `React with :${name}:`, "aria-label": `React with ${name.replaceAll("_", " ")}`, onclick: () => world.act({ act: "react", channel: message.channel, ts: message.ts, name }) }, sign(name)));
  if (!inThread) buttons.push(el("button", { type: "button", title: "Reply in thread", "aria-label": "Reply in thread", onclick: () => world.openThread(message.thread_ts || message.ts, true) }, drawn("reply")));
  for (const each of world.shortcuts("message")) buttons.push(el("button", { type: "button", class: "worded", onclick: () => world.act({ act: "shortcut", channel: message.channel, ts: message.ts, callback_id: each.id }) }, each.name));
  return el("div", { class: "tools", role: "group", "aria-label": "Message actions" }, buttons);
}

function joined(message, world) {
  return el("p", { class: "joined" }, authorOf(message, world).name, { channel_join: " joined", channel_leave: " left" }[message.subtype], " · ", timeNode(message.ts));
}

export function messageNode(message, world, { inThread = false, grouped = false } = {}) {
  if (["channel_join", "channel_leave"].includes(message.subtype)) return el("div", { class: "message quiet" }, joined(message, world));
  const author = authorOf(message, world);
  const act = (element, block, chosen) => world.act({ act: "press", channel: message.channel, ts: message.ts, action_id: element.action_id, chosen });
  const badge = author.kind === "person" ? null : el("span", { class: "badge" }, author.kind);
  const head = grouped ? null : el("div", { class: "head" }, el("span", { class: "author" }, author.name), badge, timeNode(message.ts));
  const only = message.is_ephemeral ? el("p", { class: "only" }, "Only visible to you · ", el("button", { type: "button", class: "plain", onclick: () => world.dismiss(message) }, "Dismiss")) : null;
  const replies = !inThread && message.reply_count ? el("button", { type: "button", class: "replies", "data-thread": message.ts, onclick: () => world.openThread(message.ts, true) },
    `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`, el("span", { class: "hint" }, ` last at ${clock(message.latest_reply)}`)) : null;
  return el("article", { class: `message ${grouped ? "grouped" : ""} ${message.is_ephemeral ? "ephemeral" : ""}`, "aria-label": `${author.name}, ${clock(message.ts)}` },
    grouped ? el("span", { class: "portrait gone" }, timeNode(message.ts)) : portrait(author),
    el("div", { class: "body" }, head, only, body(message, world, act), reactions(message, world), replies), tools(message, world, inThread));
}

// Bring a list's nodes in line with its messages. Nodes are remade only where the message or its grouping changed.
export function sync(list, messages, world, options) {
  const kept = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const wanted = [];
  let before = null, shownDay = null;
  for (const message of messages) {
    const today = day(message.ts);
    if (today !== shownDay && !options.inThread) {
      const key = `day ${today}`;
      wanted.push(kept.get(key) || Object.assign(el("div", { class: "day", "data-key": key }, el("span", {}, today)), { print: key }));
      before = null;
    }
    shownDay = today;
    const grouped = Boolean(before && !before.subtype?.startsWith("channel_") && authorOf(before, world).key === authorOf(message, world).key && !message.is_ephemeral && !before.is_ephemeral
      && !before.reply_count && Number(message.ts) - Number(before.ts) < GROUP_S);
    const key = message.ts, print = JSON.stringify([message, grouped]);
    let node = kept.get(key);
    if (!node || node.print !== print) {
      const old = node;
      node = messageNode(message, world, { ...options, grouped });
      node.dataset.key = key;
      node.print = print;
      if (old) carryOver(old, node);
    }
    wanted.push(node);
    before = message;
  }
  wanted.forEach((node, position) => { if (list.children[position] !== node) list.insertBefore(node, list.children[position] || null); });
  while (list.children.length > wanted.length) list.lastChild.remove();
}

// A message that was edited keeps which of its parts were open, and the focus.
function carryOver(old, node) {
  for (const each of old.querySelectorAll("details[open]")) {
    const same = [...node.querySelectorAll("details")].find((one) => one.firstChild.textContent === each.firstChild.textContent);
    if (same) same.open = true;
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  if (focused) queueMicrotask(() => node.querySelector(`[data-action="${CSS.escape(focused)}"]`)?.focus());
}
