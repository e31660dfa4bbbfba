// The page: state, the stream of news, where one is, and who draws what.
import { ask, byId, drawn, el } from "./dom.js";
import { composer } from "./composer.js";
import { authorOf, sync } from "./messages.js";
import { blocks } from "./blocks.js";
import { modals } from "./modal.js";

const NARROW = matchMedia("(max-width: 760px)");
const state = { people: {}, channels: [], app: { commands: [], shortcuts: [] }, suggestions: {}, messages: new Map(), home: null };
const here = { channel: null, thread: null, tab: "messages" };
const statuses = new Map(), unread = new Set(), mine = new Set();
let viewer = sessionStorage.getItem("viewer") || "", stream = null, asked = 0, heard = 0;

const world = {
  me: () => state.me, person: (id) => state.people[id], people: () => state.people, channels: () => state.channels, here: () => here.channel,
  shortcuts: (kind) => state.app.shortcuts.filter((each) => each.kind === kind),
  channelLink(id, label) {
    const channel = state.channels.find((each) => each.id === id);
    if (!channel) return document.createTextNode("#" + (label || id));
    return el("a", { href: `/archives/${id}/p0`, class: "mention", onclick: (event) => { event.preventDefault(); go(id); } }, "#" + channel.name);
  },
  openThread, dismiss,
  act: (body) => { asked = Date.now(); return ask("/page/act", viewer, body).catch((failure) => toast(`That did not work: ${failure.message}`)); },
};
const modal = modals(world);
const main = composer(byId("say-form"), { label: "Message", complete, send: (text) => post(text, null), chips: () => suggestions("channel"), extras: shortcutMenu() });
const reply = composer(byId("reply-form"), { label: "Reply in the thread", complete, send: (text) => post(text, here.thread), chips: () => suggestions("thread") });

let toasted = 0;
function toast(text) { const node = byId("toast"); node.textContent = text; node.hidden = false; clearTimeout(toasted); toasted = setTimeout(() => { node.hidden = true; }, 6000); }
const say = (text) => { byId("news").textContent = text; };
const channelOf = (id) => state.channels.find((each) => each.id === id);
const all = () => [...state.messages.values()].sort((one, other) => Number(one.ts) - Number(other.ts));
const top = (message) => !message.thread_ts || message.thread_ts === message.ts || message.subtype === "thread_broadcast" || (message.is_ephemeral && !state.messages.has(message.thread_ts));
const threadOf = (ts) => all().filter((message) => message.ts === ts || message.thread_ts === ts);

async function post(text, thread_ts) {
  asked = Date.now();
  await ask("/page/act", viewer, { act: "post", channel: here.channel, text, thread_ts });
  toEnd(byId(thread_ts ? "replies" : "messages"));
}
function dismiss(message) { state.messages.delete(message.ts); draw(); world.act({ act: "dismiss", channel: message.channel, ts: message.ts }); main.box.focus(); }

function complete(typed) {
  const start = typed.slice(1).toLowerCase();
  const offer = (insert, about) => ({ insert, about });
  let found = [];
  if (typed[0] === "@") found = Object.values(state.people).filter((each) => each.name.toLowerCase().startsWith(start) || each.real_name.toLowerCase().includes(start)).sort((one, other) => (other.kind === "app") - (one.kind === "app")).map((each) => offer("@" + each.name, each.real_name));
  if (typed[0] === "#") found = state.channels.filter((each) => each.kind === "channel" && each.name.startsWith(start)).map((each) => offer("#" + each.name, each.topic || "channel"));
  if (typed[0] === "/") found = state.app.commands.filter((each) => each.startsWith(typed)).map((each) => offer(each, "command of " + state.app.name));
  return found.slice(0, 6);
}
function suggestions(where) {
  const channel = channelOf(here.channel);
  if (!channel?.has_bot || channel.archived) return [];
  if (where === "thread" && !threadOf(here.thread).some((message) => message.user === state.app.user)) return [];
  if (where === "channel" && channel.kind === "im") return [];
  return state.suggestions[where] || [];
}
function shortcutMenu() {
  const menu = el("select", { "aria-label": "Shortcuts of apps", class: "shortcuts", onchange: () => { if (menu.value) world.act({ act: "shortcut", callback_id: menu.value }); menu.value = ""; } });
  world.fillShortcuts = () => menu.replaceChildren(el("option", { value: "" }, "+"), ...world.shortcuts("global").map((each) => el("option", { value: each.id }, each.name)));
  return menu;
}

function drawSide() {
  byId("team").textContent = state.team;
  byId("channels").replaceChildren(...state.channels.map((channel) => {
    const mark = { channel: "#", group: drawn("lock"), im: "●" }[channel.kind] || "#";
    const note = [channel.archived && "archived", channel.shared && "shared", !channel.has_bot && "no bot"].filter(Boolean).join(", ");
    return el("li", {}, el("button", { type: "button", "data-channel": channel.id, class: unread.has(channel.id) ? "unread" : "", "aria-current": channel.id === here.channel ? "page" : null, onclick: () => go(channel.id) },
      el("span", { class: "mark", "aria-hidden": "true" }, mark), el("span", { class: "name" }, channel.name), note ? el("small", {}, note) : null));
  }));
  const menu = byId("viewer");
  menu.replaceChildren(...Object.entries(state.people).filter(([, each]) => each.kind !== "app").map(([id, each]) => el("option", { value: id, selected: id === state.me }, each.kind === "person" ? each.name : `${each.name} (${each.kind})`)));
}

function drawChannel() {
  const channel = channelOf(here.channel), direct = channel?.kind === "im";
  byId("title").textContent = channel ? (direct ? channel.name : "#" + channel.name) : "…";
  byId("topic").textContent = channel?.topic || (channel && !direct ? `${channel.members} members` : "");
  document.title = `${byId("title").textContent} · ${state.team}`;
  byId("tabs").hidden = !direct;
  for (const each of byId("tabs").children) each.setAttribute("aria-pressed", String(each.dataset.tab === here.tab));
  const home = direct && here.tab === "home";
  byId("messages").hidden = home; byId("home").hidden = !home; byId("say-form").hidden = home;
  if (home) {
    const view = state.home, act = (element, block, chosen) => world.act({ act: "press", view_id: view.id, action_id: element.action_id, chosen });
    byId("home").replaceChildren(...(view ? blocks(view.blocks, world, act) : [el("p", { class: "hint empty" }, "Nothing here yet.")]));
  }
  main.lock(channel?.archived ? "This channel is archived" : "");
}

// A list that is read at its end stays there while it grows: by new messages, loading pictures or a narrower column.
// A long answer is shown from its beginning instead, and stays so until its reader moves or writes.
const atEnd = (list) => list.scrollHeight - list.scrollTop - list.clientHeight < 60;
const stuck = new Map(), pinned = new Map();
function settle(list) {
  const node = pinned.has(list) && [...list.children].find((each) => each.dataset.key === pinned.get(list));
  if (node) list.scrollTop = node.offsetTop - list.offsetTop - 8;
  else if (stuck.get(list)) list.scrollTop = list.scrollHeight;
}
function toEnd(list) { pinned.delete(list); stuck.set(list, true); list.scrollTop = list.scrollHeight; }
function follow(id, draw) { const list = byId(id); draw(list); settle(list); }
for (const list of [byId("messages"), byId("replies")]) {
  stuck.set(list, true);
  let before = 0; // only going up lets go: a list also moves when its column narrows
  list.addEventListener("scroll", () => { if (list.scrollTop < before - 1) stuck.set(list, atEnd(list)); else if (atEnd(list)) stuck.set(list, true); before = list.scrollTop; }, { passive: true });
  for (const moved of ["wheel", "touchmove", "keydown", "pointerdown"]) list.addEventListener(moved, () => { if (pinned.delete(list)) stuck.set(list, atEnd(list)); }, { passive: true });
  list.addEventListener("load", () => settle(list), true);
  new ResizeObserver(() => settle(list)).observe(list);
}
function showStart(list, message) {
  const node = [...list.children].find((each) => each.dataset.key === message.ts);
  if (!node || message.files || node.offsetHeight < list.clientHeight * 0.35 || !(stuck.get(list) || pinned.has(list))) return;
  pinned.set(list, message.ts);
  settle(list);
}

function draw() {
  drawChannel();
  follow("messages", (list) => {
    const shown = all().filter(top);
    if (shown.length) list.querySelector(".empty")?.remove();
    sync(list, shown, world, { inThread: false });
    if (!shown.length) list.replaceChildren(el("p", { class: "hint empty" }, "No messages yet."));
  });
  const thread = here.thread ? threadOf(here.thread) : [];
  byId("thread").hidden = !thread.length;
  document.body.classList.toggle("threaded", Boolean(thread.length));
  if (thread.length) {
    byId("thread-in").textContent = byId("title").textContent;
    follow("replies", (list) => sync(list, thread, world, { inThread: true }));
    const status = statuses.get(here.thread);
    byId("status").textContent = status ? `${state.app.name} ${status}` : "";
  }
  for (const each of document.querySelectorAll("[data-thread]")) each.setAttribute("aria-expanded", String(each.dataset.thread === here.thread));
  main.refresh(); reply.refresh();
}

function openThread(ts, focus) {
  here.thread = ts;
  draw();
  toEnd(byId("replies"));
  history.replaceState(null, "", `#${here.channel}/${ts}`);
  if (focus) reply.box.focus();
}
function closeThread() {
  const was = here.thread;
  here.thread = null;
  draw();
  history.replaceState(null, "", `#${here.channel}`);
  (document.querySelector(`[data-thread="${CSS.escape(was || "")}"]`) || main.box).focus();
}

// What is read while news comes in may be older than the news: then it is read again.
async function load(id) {
  for (let tries = 0; ; tries++) {
    const before = heard, loaded = await ask(`/page/channel/${id}`, viewer).catch(() => null);
    if (!loaded || heard === before || tries === 9) return loaded && { ...loaded, messages: new Map(loaded.messages.map((each) => [each.ts, { ...each, channel: id }])) };
  }
}

async function go(id, thread = null, ts = null) {
  const loaded = await load(id);
  if (!loaded) return;
  Object.assign(here, { channel: id, thread, tab: "messages" });
  state.home = loaded.home;
  state.messages = loaded.messages;
  unread.delete(id);
  byId("messages").replaceChildren(); byId("replies").replaceChildren();
  menuOpen(false); drawSide(); draw();
  toEnd(byId("messages"));
  toEnd(byId("replies"));
  history.replaceState(null, "", thread ? `#${id}/${thread}` : `#${id}`);
  const node = ts && [...document.querySelectorAll(".message")].find((each) => each.dataset.key === ts);
  if (node) { node.scrollIntoView({ block: "center" }); node.classList.add("found"); }
}

// What the bot says in a thread that this person's own act began is shown beside the channel, where there is room.
function beside(message) {
  const root = message.thread_ts, fresh = Date.now() - asked < 30000;
  if (!root || root === message.ts || message.user !== state.app.user || here.thread || !fresh || NARROW.matches || mine.has(root)) return;
  mine.add(root);
  openThread(root, false);
}

function take(news) {
  heard++;
  if (news.kind === "view") return modal.put(news.view);
  if (news.kind === "view_closed") return modal.drop(news.view_id);
  if (news.kind === "view_errors") return modal.complain(news.errors);
  if (news.kind === "unheard") return toast(`${state.app.name} did not answer in time.`);
  if (news.kind === "home") { state.home = news.view; return drawChannel(); }
  if (news.kind === "status") { news.status ? statuses.set(news.thread_ts, news.status) : statuses.delete(news.thread_ts); return news.channel === here.channel && draw(); }
  if (news.kind === "joined") return refresh();
  if (news.channel !== here.channel) { if (news.kind === "message" && news.messages[0]) { unread.add(news.channel); channelOf(news.channel) ? drawSide() : refresh(); } return; }
  for (const ts of news.gone || []) state.messages.delete(ts);
  for (const each of news.messages || []) state.messages.set(each.ts, { ...each, channel: news.channel });
  draw();
  const [message] = news.messages || [];
  if (message && ["message", "ephemeral"].includes(news.kind)) {
    if (message.user !== state.me) say(`${authorOf(message, world).name}: ${(message.text || "new message").slice(0, 160)}`);
    beside(message);
    if (message.thread_ts === here.thread && message.user !== state.me) showStart(byId("replies"), message);
  }
}

async function refresh(withViews = false) {
  Object.assign(state, await ask("/page/state", viewer));
  world.fillShortcuts(); drawSide();
  if (withViews) modal.set(state.views);
}

// After a gap in the news, what is shown is read anew; where one was reading stays.
let lost = false;
async function reload() {
  const loaded = await load(here.channel);
  if (!loaded || loaded.channel.id !== here.channel) return;
  state.home = loaded.home;
  state.messages = loaded.messages;
  draw();
}

function listen() {
  stream?.close();
  stream = new EventSource(`/page/events?as=${encodeURIComponent(viewer)}`);
  stream.onopen = async () => { byId("link").textContent = "live"; byId("link").className = "live"; if (lost) await refresh(true); lost = false; await reload(); };
  stream.onerror = () => { lost = true; byId("link").textContent = "not connected, trying again …"; byId("link").className = ""; };
  stream.onmessage = (event) => take(JSON.parse(event.data));
}

function menuOpen(open) { document.body.classList.toggle("menu", open); byId("menu").setAttribute("aria-expanded", String(open)); }
byId("menu").addEventListener("click", () => { menuOpen(!document.body.classList.contains("menu")); if (document.body.classList.contains("menu")) byId("channels").querySelector("button")?.focus(); });
byId("thread-close").addEventListener("click", closeThread);
byId("viewer").addEventListener("change", async (event) => { viewer = event.target.value; sessionStorage.setItem("viewer", viewer); here.thread = null; await start(); });
byId("tabs").addEventListener("click", (event) => { const tab = event.target.dataset.tab; if (!tab) return; here.tab = tab; world.act({ act: "home", tab }); drawChannel(); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (document.body.classList.contains("menu")) { menuOpen(false); byId("menu").focus(); } else if (here.thread) closeThread();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.link");
  const found = link && new URL(link.href).origin === location.origin && new URL(link.href).pathname.match(/^\/archives\/(\w+)\/p(\d+)(\d{6})$/);
  if (found) { event.preventDefault(); const thread = new URL(link.href).searchParams.get("thread_ts"); go(found[1], thread, `${found[2]}.${found[3]}`); }
  if (document.body.classList.contains("menu") && event.target.id === "frame") menuOpen(false);
});

async function start() {
  await refresh(true);
  const deep = location.pathname.match(/^\/archives\/(\w+)\/p(\d+)(\d{6})$/), [, channel, thread] = location.hash.match(/^#(\w+)(?:\/([\d.]+))?$/) || [];
  const first = state.channels.find((each) => each.id === (deep?.[1] || channel)) || state.channels[0];
  await go(first.id, new URLSearchParams(location.search).get("thread_ts") || thread || null, deep ? `${deep[2]}.${deep[3]}` : null);
  listen();
}
start();
