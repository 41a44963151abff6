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

/** Drags a file (or several, or with `name` undefined a text), over an element and drops it; returns which events were canceled. */
function drop(page, selector, name, text) {
  return page.$eval(
    selector,
    (element, name, text) => {
      const dataTransfer = new DataTransfer();
      const content = typeof text === "string" ? text : new Uint8Array(text);
      for (const one of [name].flat()) if (one) dataTransfer.items.add(new File([content], one));
      if (!name) dataTransfer.setData("text/plain", text);
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

  const hint = (words) =>
    page.waitForFunction(
      (source) => new RegExp(source).test(document.querySelector("#passage-hint").textContent),
      {},
      words.source,
    );

  test("text in UTF-16 and with a byte order mark is read", async () => {
    await drop(page, "body", "utf-8.txt", [...Buffer.from(`\ufeff${NOTE}`)]);
    await shows(page, NOTE);
    const little = Buffer.from(`\ufeff${NOTE} Größe 5 €.`, "utf16le");
    await drop(page, "body", "little.txt", [...little]);
    await shows(page, `${NOTE} Größe 5 €.`);
    await paste(page, "#passage", "");
    await drop(page, "body", "big.txt", [...little.swap16()]);
    await shows(page, `${NOTE} Größe 5 €.`);
  });

  test("text in an older encoding is read as Western European, and the page says so", async () => {
    await drop(page, "body", "old.txt", [...Buffer.from("Größe: schön, ab 5 ", "latin1"), 0x80]);
    await shows(page, "Größe: schön, ab 5 €");
    await hint(/^Opened old\.txt\. It isn't in Unicode/);
    await drop(page, "body", "damaged.txt", [...Buffer.from("Größe: schön"), 0xff]);
    await shows(page, "Größe: schön\ufffd");
    await hint(/^Opened damaged\.txt\. Your text was replaced\.$/);
  });

  test("of a web page, the text is read, and nothing in it runs or loads", async () => {
    const html = `<!DOCTYPE html><title>T</title><style>p { color: red }</style><nav>Menu</nav>
      <h1>Keys &amp; doors</h1><p>The key is kept
      by <b>Ines</b>.</p><ul><li>Door one<li>Door two</ul><script>globalThis.attacked = 1</script>
      <img src="https://elsewhere.example/x.png" onerror="globalThis.attacked = 2">`;
    await drop(page, "body", "page.html", html);
    await shows(page, "Keys & doors\nThe key is kept by Ines.\nDoor one\nDoor two");
    await hint(/text of the web page page\.html/);
    assert.equal(await page.evaluate(() => globalThis.attacked), undefined);
  });

  test("files without a text are refused in words, and the passage stays", async () => {
    await paste(page, "#passage", NOTE);
    await drop(page, "body", "paper.pdf", "%PDF-1.7 ...");
    await hint(/paper\.pdf is a PDF.*paste/);
    await drop(page, "body", "picture.png", [0x89, 0x50, 0, 0, 1]);
    await hint(/picture\.png isn't a text file/);
    await drop(page, "body", "large.txt", "x".repeat(5_000_001));
    await hint(/large\.txt is too large: it has 5\.0 MB/);
    await shows(page, NOTE);
  });

  test("of several files, the first is opened, and the page says so", async () => {
    const names = Array.from({ length: 10 }, (_, index) => `note-${index}.txt`);
    await drop(page, "body", names, NOTE.repeat(2));
    await shows(page, NOTE.repeat(2));
    await hint(/^Opened note-0\.txt\. Only the first of 10 files was opened/);
  });

  test("dragged text is left to the fields, and files to the field for model files", async () => {
    assert.deepEqual(await drop(page, "#passage", undefined, "dragged words"), []);
    assert.deepEqual(await drop(page, "#folder", "config.json", "{}"), []);
  });

  test("model files dropped anywhere are loaded as a model, as is anything dropped where models are chosen", async () => {
    await paste(page, "#passage", NOTE);
    const says = (words) =>
      page.waitForFunction((words) => document.querySelector("#choose-text").textContent.includes(words), {}, words);
    const loads = async (selector, names) => {
      assert.deepEqual(await drop(page, selector, names, "{}"), ["dragover", "drop"]);
      await says("instead of your files");
      await page.evaluate(() => document.querySelector("#choose-act").click());
      await says("Currently");
    };
    await loads("body", ["vocab.txt", "config.json"]);
    await loads("#choose-text", ["vocab.txt"]);
    await shows(page, NOTE);
  });
});
