import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { edit, findModels, writeManifest } from "./models.mjs";
import { startServer } from "./server.mjs";
import { makeModels } from "./tiny-model.mjs";

const NAMES = ["config.json", "vocab.txt", "model.safetensors"];
const WEIGHTS = NAMES[2];

/** Additional models for the states, besides the page's two default models; named by their property or fault. */
const sizes = {
  "state-listed": {},
  "state-silent": { silent: true },
  "state-page": {},
  "state-damaged": {},
  "state-changed": {},
  "state-emotions": { task: "text-classification", labels: ["happy", "sad", "angry", "others"] },
  "state-inference": { task: "text-classification", labels: ["contradiction", "neutral", "entailment"] },
};

/**
 * Serves the page for the states. With `tiny`, its default models are two small ones with random weights, otherwise those
 * found by `findModels`. Returns `where`, which is passed to each state.
 */
export async function startStates({ tiny, networks }) {
  const usual = tiny ? { "tiny-answers": {}, "tiny-sentiment": { task: "text-classification" } } : {};
  const made = await makeModels({ ...usual, ...sizes });
  const { folders } = made;
  await writeManifest(folders["state-listed"]);
  await writeFile(join(folders["state-page"], WEIGHTS), "<!doctype html><title>Not found</title>");
  await edit(join(folders["state-damaged"], WEIGHTS), (bytes) => bytes.subarray(0, bytes.length >> 1));
  await writeManifest(folders["state-changed"]);
  await edit(join(folders["state-changed"], WEIGHTS), (bytes) => bytes.fill(0, bytes.length - 8));
  const note = join(folders["state-listed"], "note.md");
  await writeFile(note, "# The key\n\nThe key is kept by Ines, next to the door.\n");
  const atHand = tiny ? [] : Object.values(await findModels()).map(({ folder }) => folder);
  const server = await startServer([...atHand, ...Object.values(folders)]);
  const files = NAMES.map((name) => join(folders["state-listed"], name));
  return {
    where: { address: server.address, networks, note, files },
    async stop() {
      await server.stop();
      await made.remove();
    },
  };
}
