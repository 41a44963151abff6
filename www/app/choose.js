import { byId } from "./elements.js";

const section = byId("choose", HTMLElement);
const text = byId("choose-text", HTMLElement);
const form = byId("choose-hub", HTMLFormElement);
const id = byId("hub-id", HTMLInputElement);
const folder = byId("folder", HTMLInputElement);

/**
 * Lets people bring a model: a Hub id, an address, or files of their own.
 * @param {(label: string, source: import("../pkg/dist/index.js").ModelSource) => void} onChoose
 */
export function startChoosing(onChoose) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = id.value.trim();
    if (given !== "") onChoose(given, given);
  });
  folder.addEventListener("change", () => {
    const files = [...(folder.files ?? [])];
    if (files.length > 0) onChoose("your files", files);
  });
  return {
    /** @param {string} why what is said above the ways to bring one */
    show(why) {
      text.textContent = why;
      section.hidden = false;
    },
    hide() {
      section.hidden = true;
    },
  };
}
