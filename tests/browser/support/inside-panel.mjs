/** User actions in "See inside", and what it shows. */

/** Opens the panel and waits until the start and end are painted. */
export async function openInside(page) {
  await page.evaluate(() => document.querySelector("#inside-toggle").click());
  await painted(page, "ends");
}

/** Waits until what was chosen is painted. */
export async function painted(page, mode) {
  await page.waitForFunction(
    (mode) => {
      const panel = document.querySelector("#inside");
      const busy = document.querySelector("#inside-words").getAttribute("aria-busy");
      return !panel.hidden && panel.dataset.mode === mode && busy === "false";
    },
    {},
    mode,
  );
}

/** Taps the first word of the answer, and waits for its attention. */
export async function tapAnswer(page) {
  await page.evaluate(() => document.querySelector("#inside-words .chosen").click());
  await painted(page, "attention");
}

/** Chooses a layer or a head, counted from 0, and waits for it. */
export async function choose(page, field, index) {
  await page.select(`#inside-${field}`, String(index));
  await painted(page, "attention");
}

/** The painted words and the lists as a user sees them. */
export function shownInside(page) {
  return page.evaluate(() => {
    const text = (element) => element.textContent;
    const step = (word, name) => Number(word.style.getPropertyValue(name));
    return {
      words: Array.from(document.querySelectorAll("#inside-words .word"), (word) => ({
        text: word.textContent,
        under: step(word, "--under"),
        over: step(word, "--over"),
        rank: Number(word.dataset.rank ?? 0),
        chosen: word.classList.contains("chosen"),
        selected: word.getAttribute("aria-selected") === "true",
        reachable: word.tabIndex === 0,
      })),
      line: text(document.querySelector("#inside-word")),
      titles: Array.from(document.querySelectorAll("#inside-lists h4"), text),
      rows: Array.from(document.querySelectorAll("#inside-lists li"), (row) =>
        Array.from(row.querySelectorAll("span"), text),
      ),
      timing: text(document.querySelector("#inside-timing")),
    };
  });
}
