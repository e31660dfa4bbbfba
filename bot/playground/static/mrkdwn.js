// Slack's mrkdwn as nodes: code, links, mentions, bold, italic, strike, quotes, lists of lines. Whatever is not
// understood stays the text it was.
import { el, emoji, sign } from "./dom.js";

const plain = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const INLINE = /`([^`\n]+)`|<([^<>\n]+)>|(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])|(?<![\w~])~([^~\n]+)~(?![\w~])|:([a-z0-9_+-]+):/g;

export function safeLink(address, label) {
  let url;
  try { url = new URL(address); } catch { return document.createTextNode(label); }
  if (!["http:", "https:", "mailto:"].includes(url.protocol)) return document.createTextNode(label);
  const here = url.origin === location.origin;
  return el("a", { href: url.href, rel: "noopener noreferrer", target: here ? undefined : "_blank", class: "link" }, label);
}

function token(inside, world) {
  const [target, ...rest] = inside.split("|");
  const label = rest.length ? plain(rest.join("|")) : null;
  if (target.startsWith("@")) return el("span", { class: "mention" }, "@" + (world.person(target.slice(1))?.name || label || target.slice(1)));
  if (target.startsWith("#")) return world.channelLink(target.slice(1), label);
  if (target.startsWith("!date^")) return document.createTextNode(label || plain(target));
  if (target.startsWith("!")) return el("span", { class: "mention" }, "@" + (label || target.slice(1).split("^")[0]));
  return safeLink(plain(target), label || plain(target).replace(/^mailto:/, ""));
}

export function inline(text, world) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, code, inside, bold, italic, strike, name] = found;
    if (name && !emoji(name)) continue;
    if (found.index > at) nodes.push(plain(text.slice(at, found.index)));
    at = found.index + whole.length;
    if (code) nodes.push(el("code", {}, plain(code)));
    else if (inside) nodes.push(token(inside, world));
    else if (bold) nodes.push(el("strong", {}, inline(bold, world)));
    else if (italic) nodes.push(el("em", {}, inline(italic, world)));
    else if (strike) nodes.push(el("s", {}, inline(strike, world)));
    else nodes.push(sign(name, name.replaceAll("_", " ")));
  }
  if (at < text.length) nodes.push(plain(text.slice(at)));
  return nodes;
}

function lines(text, world) {
  const nodes = [];
  let quoted = null;
  text.split("\n").forEach((line, position) => {
    const quote = line.match(/^(?:&gt;|>) ?(.*)$/);
    if (quote) {
      if (!quoted) nodes.push((quoted = el("blockquote")));
      else quoted.append(el("br"));
      quoted.append(...inline(quote[1], world));
      return;
    }
    if (position && !quoted) nodes.push(el("br"));
    quoted = null;
    nodes.push(...inline(line, world));
  });
  return nodes;
}

export function mrkdwn(text, world) {
  const nodes = [];
  (text || "").split("```").forEach((part, position, parts) => {
    if (position % 2 && position < parts.length - 1) nodes.push(el("pre", { tabindex: "0" }, plain(part.replace(/^\n|\n$/g, ""))));
    else if (part) nodes.push(...lines(position % 2 ? "```" + part : part.replace(/^\n/, position ? "" : "\n"), world));
  });
  return nodes;
}

// The markdown block: headings, lists, code and links, in the part of CommonMark that answers use.
export function markdown(text, world) {
  const slack = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replace(/^#{1,6} +(.*)$/gm, "*$1*").replace(/\*\*([^*\n]+)\*\*/g, "*$1*").replace(/^[-*] +/gm, "• ")
    .replace(/\[([^\]\n]+)\]\((https?:[^)\s]+)\)/g, "<$2|$1>");
  return mrkdwn(slack, world);
}

function richPart(part, world) {
  const style = part.style || {};
  let node;
  if (part.type === "text") node = document.createTextNode(part.text);
  else if (part.type === "link") node = safeLink(part.url, part.text || part.url);
  else if (part.type === "user") node = el("span", { class: "mention" }, "@" + (world.person(part.user_id)?.name || part.user_id));
  else if (part.type === "channel") node = world.channelLink(part.channel_id);
  else if (part.type === "emoji") node = sign(part.name, part.name) || document.createTextNode(`:${part.name}:`);
  else node = document.createTextNode(part.range ? "@" + part.range : part.text || part.fallback || "");
  for (const [name, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"]]) if (style[name]) node = el(tag, {}, node);
  return node;
}

export function richText(block, world) {
  return (block.elements || []).map((element) => {
    const parts = (each) => (each.elements || []).map((part) => richPart(part, world));
    if (element.type === "rich_text_preformatted") return el("pre", { tabindex: "0" }, parts(element));
    if (element.type === "rich_text_quote") return el("blockquote", {}, parts(element));
    if (element.type === "rich_text_list") return el(element.style === "ordered" ? "ol" : "ul", {}, (element.elements || []).map((item) => el("li", {}, parts(item))));
    return el("div", { class: "rich" }, parts(element));
  });
}
