// The app's modals: one dialog that shows the newest open view of this person, collects its inputs and says its errors.
import { el, byId } from "./dom.js";
import { blocks, textOf } from "./blocks.js";

export function modals(world) {
  const dialog = byId("modal"), views = new Map();
  let shown = null, opener = null;

  function values() {
    const state = {};
    const read = (block, element) => {
      const node = dialog.querySelector(`[data-block="${CSS.escape(block.block_id)}"] [data-action="${CSS.escape(element.action_id || "")}"]`);
      if (node?.read) (state[block.block_id] ||= {})[element.action_id] = { type: element.type, ...node.read() };
    };
    for (const block of shown.blocks) for (const element of [block.element, block.accessory, ...(block.elements || [])]) if (element?.type && element.action_id) read(block, element);
    return state;
  }

  const empty = (value) => value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
  function missing(state) {
    const errors = {};
    for (const block of shown.blocks) {
      if (block.type !== "input" || block.optional) continue;
      const { type, ...rest } = state[block.block_id]?.[block.element.action_id] || {};
      if (!type || Object.values(rest).every(empty)) errors[block.block_id] = "Please fill this in.";
    }
    return errors;
  }

  function complain(errors) {
    let first = null;
    for (const node of dialog.querySelectorAll("p.error")) {
      const holder = node.closest("[data-block]"), said = holder ? errors[holder.dataset.block] : errors[""];
      node.textContent = said || ""; node.hidden = !said;
      const input = holder?.querySelector("input, textarea, select");
      if (input) { if (said) { input.setAttribute("aria-invalid", "true"); first ||= input; } else input.removeAttribute("aria-invalid"); }
    }
    busy(false); first?.focus();
  }

  const busy = (yes) => { dialog.setAttribute("aria-busy", String(yes)); const submit = dialog.querySelector(".primary.submit"); if (submit) submit.disabled = yes; };
  async function submit(event) {
    event.preventDefault();
    const state = values(), errors = missing(state);
    complain(errors);
    if (Object.keys(errors).length) return;
    busy(true);
    await world.act({ act: "submit", view_id: shown.id, values: state });
  }

  function draw(view) {
    const same = shown?.id === view.id && shown.callback_id === view.callback_id, top = same ? dialog.querySelector(".inside")?.scrollTop : 0;
    const focused = dialog.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    shown = view;
    const act = (element, block, chosen) => world.act({ act: "press", view_id: view.id, action_id: element.action_id, chosen, values: values() });
    const foot = el("div", { class: "buttons" }, el("button", { type: "button", onclick: close }, view.close?.text || "Close"), view.submit ? el("button", { type: "submit", class: "primary submit" }, view.submit.text) : null);
    dialog.replaceChildren(el("form", { method: "dialog", onsubmit: submit, novalidate: true },
      el("header", {}, el("h2", { id: "modal-title", tabindex: "-1" }, textOf(view.title, world)), el("button", { type: "button", class: "plain", "aria-label": "Close", onclick: close }, el("span", { "aria-hidden": "true" }, "✕"))),
      el("div", { class: "inside", tabindex: "0", role: "region", "aria-label": "Content" }, el("p", { class: "error", role: "alert", hidden: true }), blocks(view.blocks, world, act)), foot));
    busy(false);
    if (!dialog.open) { opener = document.activeElement; dialog.showModal(); }
    const target = focused && dialog.querySelector(`[data-action="${CSS.escape(focused)}"]`);
    (target || dialog.querySelector(".input input, .input textarea, .input select") || dialog.querySelector("h2")).focus();
    if (same && focused) dialog.querySelector(".inside").scrollTop = Math.min(top, 0);
  }

  function refresh() {
    const view = [...views.values()].at(-1);
    if (view) draw(view);
    else if (dialog.open) { dialog.close(); shown = null; if (opener?.isConnected) opener.focus(); }
  }
  function close() { if (shown) world.act({ act: "close", view_id: shown.id }); }
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(); });

  return {
    set(list) { views.clear(); for (const each of list) views.set(each.id, each); refresh(); },
    put(view) { const fresh = !views.has(view.id); if (fresh) views.delete(view.id); views.set(view.id, view); refresh(); },
    drop(id) { views.delete(id); refresh(); },
    complain,
  };
}
