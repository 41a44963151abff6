/** Loads models, each in place of the one before it for the same use, and says how that goes. */
import { showDevice, showLooking } from "./device.js";
import { showProgress, showReady } from "./loading.js";
import { loadOptions } from "./parameters.js";

/**
 * @typedef {import("../pkg/dist/index.js").Device} Device
 * @typedef {import("../pkg/dist/index.js").LoadedModel} LoadedModel
 * @typedef {import("../pkg/dist/index.js").LoadOptions} LoadOptions
 * @typedef {import("../pkg/dist/index.js").ModelSource} ModelSource
 * @typedef {import("./main.js").Use} Use
 * @typedef {import("./models.js").Choice} Choice
 */

/** A load of which nothing was heard for so many milliseconds is not waited for. */
const STALLED = 5000;

/** The models that stand. @type {Map<Use, LoadedModel>} */
const models = new Map();
/** Where each model was seen to run. @type {Map<Use, Device>} */
const devices = new Map();
/** The load that was begun last, and when it was last heard of. @type {Map<Use, { stop: AbortController, heard: number }>} */
const loads = new Map();

/** Whether any model stands. */
export function anyStands() {
  return models.size > 0;
}

/**
 * Loads a model; the memory of the one before is freed first. Gives nothing where it was stopped, or another one was
 * asked for meanwhile.
 * @template {LoadedModel} T
 * @param {{ load(source: ModelSource, options: LoadOptions): Promise<T> }} type
 * @param {Use} use
 * @param {Choice} choice
 * @returns {Promise<T | undefined>}
 */
export async function load(type, use, { label, source }) {
  stopLoad(use);
  const { stop } = begin(use);
  const before = models.get(use);
  models.delete(use);
  await before?.dispose();
  if (!anyStands()) showLooking();
  // Pages without a secure connection have no cache.
  const fetched = typeof caches === "undefined" ? "passing" : "fetched";
  /** @type {import("./loading.js").Way} */
  let how = "kept";
  try {
    const model = await type.load(source, {
      ...loadOptions(),
      signal: stop.signal,
      onProgress(progress) {
        const current = loads.get(use);
        if (current?.stop === stop) current.heard = performance.now();
        if (progress.phase === "download") how = typeof source === "string" ? fetched : "picked";
        showProgress(use, label, progress);
      },
      onWarning(warning) {
        if (warning.code === "quota") how = "unkept";
      },
    });
    models.set(use, model);
    devices.set(use, model.device);
    showDevice(model.device);
    showReady(use, how);
    return model;
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    throw error;
  } finally {
    if (loads.get(use)?.stop === stop) loads.delete(use);
  }
}

/** @param {Use} use */
function begin(use) {
  const begun = { stop: new AbortController(), heard: performance.now() };
  loads.set(use, begun);
  return begun;
}

/** @param {Use} use */
export function stopLoad(use) {
  loads.get(use)?.stop.abort();
  loads.delete(use);
}

/** Waits until no load is under way for this use, or nothing is heard of it. @param {Use} use @returns {Promise<void>} */
export function endedOrStalled(use) {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const begun = loads.get(use);
      if (begun && performance.now() - begun.heard < STALLED) return;
      clearInterval(timer);
      resolve();
    }, 250);
  });
}

/** A call was answered: another device than before means that the GPU was lost. @param {Use} use @param {Device} device */
export function noteDevice(use, device) {
  if (devices.get(use) === device) return;
  devices.set(use, device);
  showDevice(device);
  showReady(use, "again");
}
