import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { paste } from "./support/index-page.mjs";
import { serveSmallModels } from "./support/small-models.mjs";

const NOTE = "The key is kept by Ines, next to the door.";

const site = serveSmallModels();

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "mobilebert-files-"));
});
after(() => folder && rm(folder, { recursive: true }));

/** Waits until the passage is this text. */
const shows = (page, text) =>
  page.waitForFunction((text) => document.querySelector("#passage").value === text, {}, text);

/** Drags a file, or with `name` undefined a text, over an element and drops it; returns which events were canceled. */
function drop(page, selector, name, text) {
  return page.$eval(
    selector,
    (element, name, text) => {
      const dataTransfer = new DataTransfer();
      if (name) dataTransfer.items.add(new File([text], name));
      else dataTransfer.setData("text/plain", text);
      return ["dragover", "drop"].filter((type) => {
        const event = new DragEvent(type, { dataTransfer, cancelable: true, bubbles: true });
        element.dispatchEvent(event);
        return event.defaultPrevented;
      });
    },
    name,
    text,
  );
}

describeInEachBrowser("text files", (browser) => {
  let page;
  before(async () => {
    page = await site.open(browser());
  });

  test("the same file can be picked again", async () => {
    const path = join(folder, "note.md");
    await writeFile(path, NOTE);
    const picker = await page.$("#passage-file");
    await picker.uploadFile(path);
    await shows(page, NOTE);
    await paste(page, "#passage", "Another text.");
    // Browsers report no change if the field still has the file.
    assert.equal(await page.$eval("#passage-file", (field) => field.value), "");
    await picker.uploadFile(path);
    await shows(page, NOTE);
  });

  test("a file dropped anywhere on the page becomes the passage, and the browser stays on the page", async () => {
    for (const selector of ["#paper", "footer", "#mood", "body"]) {
      await paste(page, "#passage", "Another text.");
      assert.deepEqual(await drop(page, selector, "note.md", NOTE), ["dragover", "drop"], selector);
      await shows(page, NOTE);
      assert.equal(await page.$eval("#paper", (paper) => paper.dataset.drop), undefined);
    }
  });

  test("dragged text is left to the fields, and files to the field for model files", async () => {
    assert.deepEqual(await drop(page, "#passage", undefined, "dragged words"), []);
    assert.deepEqual(await drop(page, "#folder", "config.json", "{}"), []);
  });
});
