/** Brings results into view, unless the user scrolls during the measurement. */
import { byId } from "../app/elements.js";
import { scrolling } from "../app/scrolling.js";

const results = byId("results", HTMLElement);
const controls = byId("run", HTMLElement);

/** Events by which a user scrolls; of the keys, only those that scroll. */
const SCROLLS = ["wheel", "touchmove", "keydown"];
const KEYS = /^(Arrow|Page|Home|End)/;

/** Follows one measurement. */
export class Following {
  #wanted = true;
  /** @param {Event} event */
  #leave = (event) => {
    this.#wanted &&= event instanceof KeyboardEvent && !KEYS.test(event.key);
  };

  constructor() {
    for (const name of SCROLLS) addEventListener(name, this.#leave, { passive: true });
  }

  /** A row was added: shows it with Stop and the progress above. */
  grown() {
    if (this.#wanted && isBelow()) controls.scrollIntoView({ block: "start", behavior: scrolling() });
  }

  /** The measurement has ended. @param {import("./result.js").Result} result */
  end({ models }) {
    for (const name of SCROLLS) removeEventListener(name, this.#leave);
    if (this.#wanted && models.length > 0) results.scrollIntoView({ block: "start", behavior: scrolling() });
  }
}

/** Returns whether the results begin in the lower half of the screen, or below it. */
function isBelow() {
  return results.getBoundingClientRect().top > innerHeight / 2;
}
