import { join } from "node:path";
import { newPage } from "../../browser/support/browsers.mjs";
import { makeModels } from "../../browser/support/tiny-model.mjs";
import { startHost } from "./host.mjs";
import { install, temporaryFolder } from "./install.mjs";

/** Installs the package and makes two small models; returns the folders that a page needs, by path on the host. */
export async function installedSite() {
  const temporary = await temporaryFolder();
  await install(temporary.folder);
  const models = await makeModels({ answers: {}, classes: { task: "text-classification" } });
  return {
    folders: {
      "/": join(import.meta.dirname, "../pages"),
      "/node_modules/": join(temporary.folder, "node_modules"),
      "/models/answers/": models.folders.answers,
      "/models/classes/": models.folders.classes,
    },
    folder: temporary.folder,
    package: join(temporary.folder, "node_modules/mobilebert"),
    remove: () => Promise.all([temporary.remove(), models.remove()]),
  };
}

/** Opens the empty page of a new host; returns it with its errors, and a function that closes both. */
export async function openSite(browser, folders, policy, options) {
  const host = await startHost(folders, policy, options);
  const { page, faults } = await newPage(browser);
  await page.goto(host.address);
  return { page, faults, host, close: () => page.close().finally(host.stop) };
}

/** Runs in a page: loads the model, asks once; returns the number of answers, or the error. */
export async function loadAndAsk(options = {}, entry = "/node_modules/mobilebert/dist/index.js") {
  const { QuestionAnswering } = await import(entry);
  try {
    const qa = await QuestionAnswering.load("/models/answers/", { device: "wasm", cache: false, ...options });
    const { answers } = await qa.ask("who?", "the cat and the dog");
    await qa.dispose();
    return { answers: answers.length };
  } catch ({ code, message, detail }) {
    return { code, message, detail };
  }
}
