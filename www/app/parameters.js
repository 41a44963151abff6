/** Parameters in the page's URL: `?device=`, `?model=` (may be repeated), `?dtype=`, `?schedule=`. */
const query = new URLSearchParams(location.search);

/** Names, URLs or Hugging Face ids of models. */
export const models = query.getAll("model").filter((name) => name !== "");

/** Options for `load`. The package rejects unknown values. */
export function loadOptions() {
  const device = query.get("device");
  const dtype = query.get("dtype");
  const schedule = query.get("schedule");
  return {
    ...(device && { device: /** @type {import("../pkg/dist/index.js").DeviceKind} */ (device) }),
    ...(dtype && { dtype: /** @type {import("../pkg/dist/index.js").Dtype} */ (dtype) }),
    ...(schedule && { schedule }),
  };
}

/** Returns the page's URL with this device. @param {string} device */
export function withDevice(device) {
  const changed = new URLSearchParams(query);
  changed.set("device", device);
  return `?${changed}${location.hash}`;
}

/** The requested device. */
export function wantedDevice() {
  return query.get("device") ?? "auto";
}

/** Requests another device, for this visit and in the page's URL. @param {string} device */
export function requestDevice(device) {
  query.set("device", device);
  history.replaceState(null, "", withDevice(device));
}
