import { answer, ask, openReady, paste } from "../index-page.mjs";
import { holdAt } from "../worker-messages.mjs";

/** Scrolls the answer to the bottom of the screen, with the question above it. */
const showAnswer = (page) => page.evaluate(() => document.querySelector("#answer").scrollIntoView({ block: "end" }));
const sample = (page, index) =>
  page.evaluate((index) => document.querySelectorAll("#samples button")[index].click(), index);
const submit = (page) => page.evaluate(() => document.querySelector("#ask").requestSubmit());
const hint = (page) => page.waitForFunction(() => document.querySelector("#passage-hint").textContent !== "");

/** Asks on a ready page and checks the state of the answer. */
async function asked(page, question, ...expected) {
  const { state, line } = await ask(page, question);
  if (!expected.includes(state)) throw new Error(`the answer is ${state}: ${line}`);
  await showAnswer(page);
}

/** States of questions, passages and sentences. */
export const answering = {
  waiting: {
    async enter(page, { address }) {
      await holdAt(page, "download");
      await page.goto(address, { waitUntil: "domcontentloaded" });
      await page.waitForSelector("#samples button");
      await paste(page, "#question", "How tall is the tower?");
      await submit(page);
      await page.waitForFunction(() => document.querySelector("#answer").dataset.state === "waiting");
    },
  },
  answer: {
    async enter(page, { address }) {
      await openReady(page, address);
      await asked(page, "When was the lighthouse first lit?", "found", "none");
      await paste(page, "#mood", "I would watch it again tomorrow.");
      await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
      await showAnswer(page);
    },
  },
  alternative: {
    async enter(page, { address }) {
      await openReady(page, address);
      await sample(page, 2);
      await asked(page, "When does the first boat leave?", "found", "none");
      await page.evaluate(() => document.querySelectorAll("#alternatives button")[1].click());
    },
  },
  answering: {
    passing: true,
    async enter(page, { address }) {
      await openReady(page, address);
      await sample(page, 3);
      await paste(page, "#question", "With what did Olsen mend the boat?");
      // Observe from before it starts: on a busy machine it may be over before the next command arrives.
      await page.evaluate(() => {
        const count = document.querySelector("#reading-count");
        globalThis.reading = new Promise((resolve) => {
          const look = () => /^\d+ of/.test(count.textContent) && resolve();
          new MutationObserver(look).observe(count, { childList: true, characterData: true, subtree: true });
        });
      });
      await submit(page);
      await page.evaluate(() => globalThis.reading);
      await showAnswer(page);
    },
  },
  "long-text": {
    async enter(page, { address }) {
      await openReady(page, address);
      await sample(page, 3);
      await asked(page, "With what did Olsen mend the boat?", "found", "none");
    },
  },
  "no-answer": {
    async enter(page, { address }) {
      // This model never finds an answer.
      await openReady(page, address, "?model=state-silent");
      await asked(page, "What does a ticket cost?", "none");
    },
  },
  "no-question": {
    async enter(page, { address }) {
      await openReady(page, address);
      await asked(page, "", "stopped");
    },
  },
  "no-passage": {
    async enter(page, { address }) {
      await openReady(page, address);
      await paste(page, "#passage", " \n ");
      await asked(page, "How tall is the tower?", "stopped");
    },
  },
  "too-long": {
    async enter(page, { address }) {
      await openReady(page, address);
      await asked(page, `How tall is the tower, ${"and how wide is it ".repeat(40)}?`, "found", "none");
      await page.waitForFunction(() => !document.querySelector("#answer-cut").hidden);
    },
  },
  "other-sample": {
    async enter(page, { address }) {
      await openReady(page, address);
      await sample(page, 2);
      await page.click("#chips button");
      await answer(page);
      await showAnswer(page);
    },
  },
  "file-picked": {
    async enter(page, { address, note }) {
      await openReady(page, address);
      await (await page.$("#passage-file")).uploadFile(note);
      await hint(page);
      await asked(page, "Who keeps the key?", "found", "none");
    },
  },
  "file-dropped": {
    async enter(page, { address }) {
      await openReady(page, address);
      await drop(page, "note.md", "The key is kept by Ines, next to the door.");
      await asked(page, "Who keeps the key?", "found", "none");
    },
  },
  "file-refused": {
    async enter(page, { address }) {
      await openReady(page, address);
      await drop(page, "picture.txt", "\0\0\0");
    },
  },
  sentiment: {
    async enter(page, { address }) {
      await openReady(page, address);
      await page.type("#mood", "Not bad at all.");
      await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
      await page.evaluate(() => document.querySelector("#mood-timing").scrollIntoView({ block: "end" }));
    },
  },
  offline: {
    async enter(page, { address }) {
      await openReady(page, address);
      await page.setOfflineMode(true);
      await page.waitForFunction(() => /^You are offline/.test(document.querySelector("#loading-text").textContent));
      const { state } = await ask(page, "How tall is the tower?");
      if (state === "stopped") throw new Error("there was no answer offline");
    },
  },
};

async function drop(page, name, text) {
  await page.evaluate(
    (name, text) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text], name));
      const dropped = new DragEvent("drop", { dataTransfer, cancelable: true, bubbles: true });
      document.querySelector("#paper").dispatchEvent(dropped);
    },
    name,
    text,
  );
  await hint(page);
}
