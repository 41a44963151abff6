/** A body of a table that has several. */
import { make } from "../app/elements.js";

/** @param {string} title @param {string} about @param {HTMLElement[]} rows @param {number} columns */
export function tableBody(title, about, rows, columns) {
  const head = document.createElement("th");
  head.className = "of";
  head.colSpan = columns;
  head.scope = "rowgroup";
  head.append(make("b", { text: title }), make("span", { text: about }));
  return make("tbody", {}, [make("tr", {}, [head]), ...rows]);
}
