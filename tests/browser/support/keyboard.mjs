import assert from "node:assert/strict";

/** Maximum number of Tab presses to reach something; the page has fewer stops. */
const MOST_STOPS = 90;

/** Describes the focused element, and what is wrong with its focus, if anything. */
export function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return { name: "body", problem: "the focus is on the body" };
    const name = element.id || `${element.localName} ${element.textContent.trim().slice(0, 30)}`;
    // These two show the focus around a field that is transparent.
    const ring = element.closest(".paper, .file-button") ?? element;
    const { outlineStyle, outlineWidth } = getComputedStyle(ring);
    if (outlineStyle === "none" || Number.parseFloat(outlineWidth) < 2) return { name, problem: "no focus ring" };
    const { left, right, top, bottom } = ring.getBoundingClientRect();
    const [from, to] = [Math.max(left, 0), Math.min(right, innerWidth)];
    const [above, below] = [Math.max(top, 0), Math.min(bottom, innerHeight)];
    if (to - from < 2 || below - above < 2) return { name, problem: "outside the screen" };
    const hit = document.elementFromPoint((from + to) / 2, (above + below) / 2);
    const isSeen = hit !== null && (ring.contains(hit) || hit.contains(ring));
    return { name, problem: isSeen ? undefined : `covered by ${hit?.id || hit?.localName}` };
  });
}

/** Waits until the page has stopped scrolling. */
export async function still(page) {
  await page.evaluate(async () => {
    for (let last = Number.NaN, same = 0; same < 3; same = scrollY === last ? same + 1 : 0) {
      last = scrollY;
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  });
}

/** Fails unless the focus can be seen. */
export async function assertVisibleFocus(page, after) {
  await still(page);
  const { name, problem } = await focused(page);
  assert.equal(problem, undefined, `after ${after}, on ${name}`);
}

/** Presses Tab, or Shift and Tab, until an element that matches the selector has the focus; checks every stop. */
export async function tabTo(page, selector, { back = false } = {}) {
  const stops = [];
  for (let i = 0; i < MOST_STOPS; i++) {
    if (back) await page.keyboard.down("Shift");
    await page.keyboard.press("Tab");
    if (back) await page.keyboard.up("Shift");
    await assertVisibleFocus(page, `${back ? "Shift+" : ""}Tab towards ${selector}, past ${stops.slice(-3)}`);
    stops.push((await focused(page)).name);
    if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return stops;
  }
  throw new Error(`Tab doesn't reach ${selector}; it stops at ${stops}`);
}

/** Presses a key and checks that the focus is still visible. */
export async function press(page, key) {
  await page.keyboard.press(key);
  await assertVisibleFocus(page, key);
}
