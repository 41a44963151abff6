/** Helpers to find and create elements. Texts become text nodes, so a passage is never parsed as HTML. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return element;
}

/**
 * @param {string} name
 * @param {{ className?: string, text?: string }} [options]
 * @param {(Node | string)[]} [children]
 */
export function make(name, { className, text } = {}, children = []) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

/** The header of a table's row. @param {string} text */
export function rowHeader(text) {
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = text;
  return head;
}

/**
 * Fills the group with this id with one button per text.
 * @param {string} id
 * @param {string[]} texts
 * @param {(index: number) => void} onPick
 */
export function buttons(id, texts, onPick) {
  const made = texts.map((text, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => onPick(index));
    return button;
  });
  const group = byId(id, HTMLFieldSetElement);
  group.hidden = texts.length === 0;
  group.querySelector(".buttons")?.replaceChildren(...made);
}
