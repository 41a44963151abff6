/** Loads models, replacing the previous one for the same use, and shows the progress. */
import { showDevice, showLooking } from "../device.js";
import { loadOptions } from "../parameters.js";
import { showProgress, showReady } from "./loading.js";

/**
 * @typedef {import("../../pkg/dist/index.js").Device} Device
 * @typedef {import("../../pkg/dist/index.js").LoadedModel} LoadedModel
 * @typedef {import("../../pkg/dist/index.js").LoadOptions} LoadOptions
 * @typedef {import("../../pkg/dist/index.js").ModelSource} ModelSource
 * @typedef {import("./models.js").Use} Use
 * @typedef {import("./models.js").Choice} Choice
 */

/** A load without progress for this many milliseconds counts as stalled. */
const STALLED = 5000;

/** The loaded models. @type {Map<Use, LoadedModel>} */
const models = new Map();
/** The device of each model, as last shown. @type {Map<Use, Device>} */
const devices = new Map();
/** The current loads, and the time of their last progress. @type {Map<Use, { stop: AbortController, progressAt: number }>} */
const loads = new Map();

/** Returns whether any model is loaded. */
export function anyLoaded() {
  return models.size > 0;
}

/**
 * Loads a model after disposing of the previous one. Returns undefined if the load was stopped, or replaced by another.
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
  if (!anyLoaded()) showLooking();
  const fetched = hasCache() ? "fetched" : "passing";
  /** @type {import("./loading.js").ModelOrigin} */
  let origin = "kept";
  try {
    const model = await type.load(source, {
      ...loadOptions(),
      signal: stop.signal,
      onProgress(progress) {
        const current = loads.get(use);
        if (current?.stop === stop) current.progressAt = performance.now();
        if (progress.phase === "download") origin = typeof source === "string" ? fetched : "picked";
        showProgress(use, label, progress);
      },
      onWarning(warning) {
        if (warning.code === "quota") origin = "unkept";
      },
    });
    models.set(use, model);
    devices.set(use, model.device);
    showDevice(model.device);
    showReady(use, origin);
    return model;
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    throw error;
  } finally {
    if (loads.get(use)?.stop === stop) loads.delete(use);
  }
}

/** There is no cache without a secure connection, and a sandboxed frame may not even ask. */
function hasCache() {
  try {
    return typeof caches !== "undefined";
  } catch {
    return false;
  }
}

/** @param {Use} use */
function begin(use) {
  const begun = { stop: new AbortController(), progressAt: performance.now() };
  loads.set(use, begun);
  return begun;
}

/** @param {Use} use */
export function stopLoad(use) {
  loads.get(use)?.stop.abort();
  loads.delete(use);
}

/** Returns the times of loading a model. @param {Use} use */
export function loadTimes(use) {
  return models.get(use)?.loadTimes;
}

/** Waits until the load for this use has ended or stalled. @param {Use} use @returns {Promise<void>} */
export function endedOrStalled(use) {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const begun = loads.get(use);
      if (begun && performance.now() - begun.progressAt < STALLED) return;
      clearInterval(timer);
      resolve();
    }, 250);
  });
}

/** Called after each call. A GPU that was replaced was lost; a CPU may only have fewer workers. @param {Use} use @param {Device} device */
export function noteDevice(use, device) {
  const before = devices.get(use);
  if (before === device) return;
  devices.set(use, device);
  showDevice(device);
  if (before?.kind === "webgpu") showReady(use, "again");
}
