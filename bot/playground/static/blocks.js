// Blocks as nodes. `act(element, block, chosen)` is called when somebody presses or chooses.
import { el, byId, emoji, drawn } from "./dom.js";
import { markdown, mrkdwn, richText, safeLink } from "./mrkdwn.js";

export function textOf(object, world) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, world);
  return object.text.split("\n").flatMap((line, position) => [position ? el("br") : null, inlineEmoji(line)]);
}
const inlineEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => emoji(name) || whole);
const label = (object) => inlineEmoji(object?.text || "");

function picture(block) {
  const source = block.image_url || block.slack_file?.url || "";
  let url = null;
  try { url = new URL(source, location.href); } catch { /* shown as text below */ }
  if (url && url.origin === location.origin) return el("a", { href: url.href, target: "_blank", class: "picture" }, el("img", { src: url.href, alt: block.alt_text || "", loading: "lazy" }));
  return el("span", { class: "hint" }, `[image: ${block.alt_text || source}]`);
}

const TASK = { pending: ["○", "waiting"], in_progress: ["◐", "in progress"], complete: ["●", "done"], error: ["✕", "failed"] };
function task(block, world) {
  const [mark, said] = TASK[block.status || "pending"] || TASK.pending;
  const more = ["details", "output"].filter((name) => block[name]).map((name) => el("div", { class: "more" }, richText(block[name], world)));
  const sources = (block.sources || []).map((each) => el("span", {}, " ", safeLink(each.url, each.text || each.url)));
  return el("li", { class: `task ${block.status || "pending"}` }, el("span", { class: "mark", role: "img", "aria-label": said }, mark), el("div", {}, block.title, sources, more));
}

function cell(each, world) {
  if (each.type === "rich_text") return richText(each, world);
  return each.text ?? each.value ?? "";
}
function table(block, world) {
  const [head, ...rows] = block.rows;
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" }, el("table", {},
    el("thead", {}, el("tr", {}, head.map((each) => el("th", { scope: "col" }, cell(each, world))))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((each) => el("td", {}, cell(each, world))))))));
}

const KINDS = {
  section: (block, world, act) => el("div", { class: "section" },
    el("div", { class: "words" }, block.text ? el("div", { class: "text" }, textOf(block.text, world)) : null,
      block.fields ? el("div", { class: "fields" }, block.fields.map((each) => el("div", {}, textOf(each, world)))) : null),
    block.accessory ? el("div", { class: "accessory" }, element(block.accessory, block, world, act)) : null),
  header: (block) => el("div", { class: "header", role: "heading", "aria-level": "3" }, label(block.text)),
  context: (block, world) => el("div", { class: "context" }, block.elements.map((each) => each.type === "image" ? picture(each) : el("span", {}, textOf(each, world)))),
  divider: () => el("hr"),
  actions: (block, world, act) => el("div", { class: "actions" }, block.elements.map((each) => element(each, block, world, act))),
  context_actions: (block, world, act) => el("div", { class: "actions quiet" }, block.elements.map((each) => element(each, block, world, act))),
  image: (block) => el("figure", {}, block.title ? el("figcaption", {}, label(block.title)) : null, picture(block)),
  rich_text: (block, world) => el("div", { class: "text" }, richText(block, world)),
  markdown: (block, world) => el("div", { class: "text" }, markdown(block.text, world)),
  table,
  task_card: (block, world) => el("ul", { class: "tasks" }, task(block, world)),
  plan: (block, world) => el("div", { class: "plan" }, el("div", { class: "header", role: "heading", "aria-level": "3" }, block.title), el("ul", { class: "tasks" }, (block.tasks || []).map((each) => task(each, world)))),
  container: (block, world, act) => {
    const inside = blocks(block.child_blocks, world, act);
    const title = block.title ? textOf(block.title, world) : block.rich_text_title ? richText(block.rich_text_title, world) : ["Details"];
    if (!block.is_collapsible) return el("div", { class: "container" }, el("div", { class: "text" }, el("strong", {}, title)), inside);
    return el("details", { class: "container", open: !block.default_collapsed }, el("summary", {}, title), inside);
  },
  input: (block, world, act) => {
    const id = `in-${block.block_id}`, hint = block.hint ? `${id}-hint` : null;
    const grouped = ["radio_buttons", "checkboxes"].includes(block.element.type);
    const words = [label(block.label), block.optional ? el("span", { class: "hint" }, " (optional)") : null];
    const input = element(block.element, block, world, act, { id, hint });
    const error = el("p", { class: "error", id: `${id}-error`, hidden: true });
    const note = hint ? el("p", { class: "hint", id: hint }, label(block.hint)) : null;
    return grouped ? el("fieldset", { class: "input" }, el("legend", {}, words), input, note, error)
      : el("div", { class: "input" }, el("label", { for: id }, words), input, note, error);
  },
};

export function blocks(list, world, act) {
  return (list || []).map((block) => {
    const make = KINDS[block.type];
    const node = make ? make(block, world, act) : el("p", { class: "hint" }, `[${block.type}]`);
    if (block.block_id) node.dataset.block = block.block_id;
    return node;
  });
}

function confirmFirst(element, done) {
  const asked = element.confirm;
  if (!asked) return done();
  const dialog = byId("confirm");
  const finish = (yes) => { dialog.close(); if (yes) done(); };
  dialog.replaceChildren(el("h2", { id: "confirm-title" }, label(asked.title)), el("p", {}, label(asked.text)),
    el("div", { class: "buttons" }, el("button", { type: "button", onclick: () => finish(false) }, label(asked.deny) || "Cancel"),
      el("button", { type: "button", class: asked.style === "danger" ? "danger" : "primary", onclick: () => finish(true) }, label(asked.confirm) || "Yes")));
  dialog.showModal();
}

// What is seen is said first, so that a button can be called by the words on it.
function spoken(element) {
  const seen = label(element.text), said = element.accessibility_label;
  return said && !said.toLowerCase().includes(seen.toLowerCase()) ? `${seen}: ${said}` : said;
}

function button(element, block, world, act) {
  const name = { class: `button ${element.style || ""}`, type: "button", "aria-label": spoken(element), "data-action": element.action_id };
  const press = (event) => { const node = event.currentTarget; confirmFirst(element, () => { node.classList.add("pressed"); act(element, block); }); };
  if (element.url) {
    const link = safeLink(element.url, label(element.text));
    if (link.nodeType === Node.ELEMENT_NODE) { link.className = name.class; link.addEventListener("click", () => act(element, block)); return link; }
  }
  return el("button", { ...name, onclick: press }, label(element.text));
}

function feedback(element, block, world, act) {
  return el("span", { class: "feedback" }, ["positive_button", "negative_button"].map((name, position) => element[name] && el("button", {
    type: "button", class: "button", "aria-label": element[name].accessibility_label || label(element[name].text), title: label(element[name].text),
    "data-action": element.action_id, onclick: () => act(element, block, { value: element[name].value, text: element[name].text }),
  }, drawn(position ? "-1" : "+1"))));
}

const asOption = (text, value) => ({ text: { type: "plain_text", text }, value });
function choices(element, world) {
  if (/users_select$/.test(element.type)) return Object.entries(world.people()).map(([id, each]) => asOption(each.name, id));
  if (/(conversations|channels)_select$/.test(element.type)) return world.channels().filter((each) => each.kind !== "im").map((each) => asOption("#" + each.name, each.id));
  return element.option_groups ? element.option_groups.flatMap((group) => group.options) : element.options || [];
}
function select(element, block, world, act, named) {
  const many = element.type.startsWith("multi_"), options = choices(element, world);
  const first = element.initial_option?.value ?? element.initial_conversation ?? element.initial_channel ?? element.initial_user
    ?? (element.default_to_current_conversation ? world.here() : undefined);
  const chosen = (element.initial_options || []).map((each) => each.value).concat(element.initial_conversations || element.initial_channels || element.initial_users || []);
  const menu = el("select", { id: named?.id, multiple: many, "aria-describedby": named?.hint, "aria-label": named ? undefined : label(element.placeholder) || "Choose", "data-action": element.action_id },
    many ? null : el("option", { value: "" }, label(element.placeholder) || "Choose …"),
    options.map((each, position) => el("option", { value: String(position), selected: each.value === first || chosen.includes(each.value) }, label(each.text))));
  menu.read = () => {
    const picked = [...menu.selectedOptions].filter((each) => each.value !== "").map((each) => options[Number(each.value)]);
    const kind = element.type.replace("multi_", "").replace("_select", "");
    if (kind === "static" || kind === "overflow") return many ? { selected_options: picked } : { selected_option: picked[0] || null };
    const noun = { users: "user", conversations: "conversation", channels: "channel" }[kind];
    return many ? { [`selected_${noun}s`]: picked.map((each) => each.value) } : { [`selected_${noun}`]: picked[0]?.value || null };
  };
  menu.addEventListener("change", () => { if (!named) act(element, block, menu.read()); });
  return menu;
}

function group(element, block, world, act, named) {
  const one = element.type === "radio_buttons", initial = [element.initial_option, ...(element.initial_options || [])].filter(Boolean).map((each) => each.value);
  const inputs = element.options.map((each) => el("input", { type: one ? "radio" : "checkbox", name: `${block.block_id}-${element.action_id}`, checked: initial.includes(each.value) }));
  const box = el("div", { class: "group", "data-action": element.action_id }, element.options.map((each, position) => el("label", {}, inputs[position], " ", textOf(each.text, world))));
  box.read = () => { const picked = element.options.filter((_, position) => inputs[position].checked); return one ? { selected_option: picked[0] || null } : { selected_options: picked }; };
  box.addEventListener("change", () => { if (!named) act(element, block, box.read()); });
  return box;
}

const FIELD = { datepicker: ["date", "selected_date", "initial_date"], timepicker: ["time", "selected_time", "initial_time"], number_input: ["number", "value", "initial_value"],
  email_text_input: ["email", "value", "initial_value"], url_text_input: ["url", "value", "initial_value"], plain_text_input: ["text", "value", "initial_value"], datetimepicker: ["datetime-local", "selected_date_time", "initial_date_time"] };
function field(element, block, world, act, named) {
  const [type, value, initial] = FIELD[element.type] || FIELD.plain_text_input;
  const shared = { id: named?.id, placeholder: label(element.placeholder), maxlength: element.max_length, "aria-describedby": named?.hint, "aria-label": named ? undefined : label(element.placeholder) || element.action_id, "data-action": element.action_id };
  const input = element.multiline ? el("textarea", { ...shared, rows: 4 }, element.initial_value || "") : el("input", { ...shared, type, value: element[initial] });
  input.read = () => ({ [value]: type === "datetime-local" ? Math.floor(new Date(input.value) / 1000) || null : input.value || null });
  if (!named) input.addEventListener("change", () => act(element, block, input.read()));
  return input;
}

export function element(each, block, world, act, named) {
  if (each.type === "button" || each.type === "workflow_button") return button(each, block, world, act);
  if (each.type === "icon_button") return el("button", { type: "button", class: "button", "data-action": each.action_id, onclick: () => confirmFirst(each, () => act(each, block)) }, label(each.text) || each.icon);
  if (each.type === "feedback_buttons") return feedback(each, block, world, act);
  if (each.type === "image") return picture(each);
  if (/select$/.test(each.type) || each.type === "overflow") return select(each, block, world, act, named);
  if (["radio_buttons", "checkboxes"].includes(each.type)) return group(each, block, world, act, named);
  return field(each, block, world, act, named);
}
