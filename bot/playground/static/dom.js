// Building the page out of nodes. Text from elsewhere only ever becomes text nodes: nothing here parses HTML.

export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

const EMOJI = {
  eyes: "👀", white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", hourglass: "⌛",
  hourglass_flowing_sand: "⏳", mag: "🔍", rotating_light: "🚨", "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎",
  fire: "🔥", tada: "🎉", thinking_face: "🤔", bulb: "💡", link: "🔗", chart_with_upwards_trend: "📈", no_entry: "⛔",
  octagonal_sign: "🛑", bar_chart: "📊", wave: "👋", pray: "🙏", heart: "❤️", arrow_right: "➡️", clock1: "🕐", lock: "🔒",
  large_green_circle: "🟢", large_yellow_circle: "🟡", red_circle: "🔴", white_circle: "⚪", point_right: "👉", memo: "📝",
  question: "❓", exclamation: "❗", information_source: "ℹ️", zap: "⚡", repeat: "🔁", wastebasket: "🗑️", robot_face: "🤖",
};
export const emoji = (name) => EMOJI[name] || null;

// Signs the page itself leans on are drawn, so that they show where no emoji font is installed.
const DRAWN = {
  lock: "M5 9V6.500a3 3 0 0 1 6 0V9M4 9h8v5H4z", plus: "M8 3v10M3 8h10", cross: "M4 4l8 8M12 4l-8 8", reply: "M7 4 3 8l4 4M3 8h6a4 4 0 0 1 4 4",
  eyes: "M1.500 8C3 5.300 5.300 4 8 4s5 1.300 6.500 4C13 10.700 10.700 12 8 12S3 10.700 1.500 8zM8 6.300a1.700 1.700 0 1 0 .01 0z",
  white_check_mark: "M3 8.500 6.500 12 13 4.500", "+1": "M3 7.500h2.500v6H3zM5.500 8 8 2.500c1.300 0 1.800.9 1.500 2.200L9 7h3.200c1 0 1.500.7 1.200 1.600l-1.200 3.900c-.2.6-.6 1-1.300 1H5.500",
  "-1": "M3 8.500h2.500v-6H3zM5.500 8 8 13.500c1.300 0 1.800-.9 1.500-2.200L9 9h3.200c1 0 1.500-.7 1.200-1.600L12.200 3.500c-.2-.6-.6-1-1.300-1H5.500",
  x: "M4 4l8 8M12 4l-8 8", warning: "M8 2.500 14.500 13.500h-13zM8 6.500v3.500M8 11.800v.1",
  hourglass_flowing_sand: "M4 2.500h8M4 13.500h8M5 2.500c0 3 3 4 3 5.500s-3 2.500-3 5.500M11 2.500c0 3-3 4-3 5.500s3 2.500 3 5.500",
};
Object.assign(DRAWN, { thumbsup: DRAWN["+1"], thumbsdown: DRAWN["-1"], hourglass: DRAWN.hourglass_flowing_sand, heavy_check_mark: DRAWN.white_check_mark });
export function drawn(name, said) {
  if (!DRAWN[name]) return null;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `sign sign-${name === "+1" ? "up" : name === "-1" ? "down" : name}`);
  if (said) { svg.setAttribute("role", "img"); svg.setAttribute("aria-label", said); } else svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", DRAWN[name]);
  svg.append(path);
  return svg;
}
export const sign = (name, said) => drawn(name, said) || (EMOJI[name] ? el("span", { role: said ? "img" : undefined, "aria-label": said, "aria-hidden": said ? undefined : "true", class: "emoji" }, EMOJI[name]) : null);

const moment = (ts) => new Date(Number(ts) * 1000);
const two = (number) => String(number).padStart(2, "0");
export const clock = (ts) => { const at = moment(ts); return `${two(at.getHours())}:${two(at.getMinutes())}`; };
export const full = (ts) => moment(ts).toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
export function day(ts) {
  const at = moment(ts), now = new Date();
  if (at.toDateString() === now.toDateString()) return "Today";
  return at.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: at.getFullYear() === now.getFullYear() ? undefined : "numeric" });
}
export function timeNode(ts) {
  return el("time", { datetime: moment(ts).toISOString(), title: full(ts) }, clock(ts));
}

export async function ask(path, viewer, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  const response = await fetch(`${path}?as=${encodeURIComponent(viewer)}`, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error || response.statusText);
  return answer;
}
