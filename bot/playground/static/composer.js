// The box people write in: Enter sends, @ # and / complete, chips suggest what to ask first.
import { el } from "./dom.js";

export function composer(form, { label, send, complete, chips, extras }) {
  const id = form.id.replace("-form", "");
  const box = el("textarea", { id, rows: "1", "aria-label": label, placeholder: label, role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-haspopup": "listbox" });
  const list = el("ul", { id: `${id}-list`, role: "listbox", "aria-label": "Suggestions", class: "completions", hidden: true });
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const row = el("div", { class: "chips", role: "group", "aria-label": "Suggested questions" });
  let found = [], active = -1;

  const close = () => { list.hidden = true; found = []; active = -1; box.setAttribute("aria-expanded", "false"); box.removeAttribute("aria-activedescendant"); };
  const word = () => { const before = box.value.slice(0, box.selectionStart); const match = before.match(/(^|\s)([@#/][\w.-]*)$/); return match && (match[2][0] !== "/" || before === match[2]) ? match[2] : null; };
  const mark = (position) => {
    active = position;
    [...list.children].forEach((each, at) => each.setAttribute("aria-selected", String(at === active)));
    box.setAttribute("aria-activedescendant", `${id}-option-${active}`);
    list.children[active]?.scrollIntoView({ block: "nearest" });
  };
  const take = (position) => {
    const typed = word(), before = box.value.slice(0, box.selectionStart - typed.length), after = box.value.slice(box.selectionStart);
    const put = before + found[position].insert + " ";
    box.value = put + after.trimStart();
    box.setSelectionRange(put.length, put.length);
    close(); grow(); box.focus();
  };
  const offer = () => {
    const typed = word();
    found = typed ? complete(typed) : [];
    if (!found.length) return close();
    list.replaceChildren(...found.map((each, at) => el("li", { id: `${id}-option-${at}`, role: "option", "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); take(at); } }, el("strong", {}, each.insert), " ", el("span", { class: "hint" }, each.about))));
    list.hidden = false; box.setAttribute("aria-expanded", "true"); mark(0);
  };
  const grow = () => { box.style.height = "auto"; box.style.height = `${Math.min(box.scrollHeight, 160)}px`; };
  const submit = async (text) => {
    if (!text.trim()) return;
    try { await send(text.trim()); error.hidden = true; if (text === box.value) box.value = ""; grow(); close(); }
    catch (failure) { error.textContent = SAID[failure.message] || `That did not work: ${failure.message}`; error.hidden = false; }
  };
  box.addEventListener("input", () => { grow(); offer(); });
  box.addEventListener("blur", close);
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (found.length && ["ArrowDown", "ArrowUp"].includes(event.key)) { event.preventDefault(); mark((active + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length); }
    else if (found.length && (event.key === "Tab" || event.key === "Enter") && found[active].insert !== word()) { event.preventDefault(); take(active); }
    else if (found.length && event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(); }
    else if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); submit(box.value); }
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(box.value); });
  form.replaceChildren(row, el("div", { class: "box" }, list, box, extras || null, el("button", { type: "submit", class: "send", "aria-label": "Send" }, el("span", { "aria-hidden": "true" }, "➤"))), error);
  return {
    box,
    refresh() { const texts = chips(); row.replaceChildren(el("span", { class: "hint" }, "Try"), ...texts.map((text) => el("button", { type: "button", class: "chip", onclick: () => submit(text) }, text))); row.hidden = !texts.length; },
    lock(reason) { box.disabled = Boolean(reason); box.placeholder = reason || label; form.querySelector(".send").disabled = Boolean(reason); },
    fill(text) { box.value = text; box.focus(); grow(); },
  };
}

const SAID = {
  command_in_thread: "Slash commands cannot be used in threads. Mention the bot here, or use the command in the channel.",
  unknown_command: "No app here knows this command. Try /rootcause help.",
  is_archived: "This channel is archived.",
};
