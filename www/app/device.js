import { byId } from "./elements.js";
import { requestDevice, wantedDevice, withDevice } from "./parameters.js";

const badge = byId("device", HTMLDetailsElement);
const name = byId("device-name", HTMLElement);
const reason = byId("device-reason", HTMLElement);
const links = byId("device-switch", HTMLElement);

/** The device in use, without a reason. */
let used = "";
/** Loads the models again. */
let onSwitch = () => {};

/** Lets the user switch the device in place. The links also work in a new tab. @param {() => void} given loads the models again */
export function startDevices(given) {
  onSwitch = given;
  for (const link of links.querySelectorAll("a")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      switchTo(link.dataset.device ?? "auto");
    });
  }
  showWanted();
  links.hidden = false;
}

/** @param {string} device */
export function switchTo(device) {
  if (device === wantedDevice()) return;
  requestDevice(device);
  showWanted();
  onSwitch();
}

function showWanted() {
  for (const link of links.querySelectorAll("a")) {
    const device = link.dataset.device ?? "auto";
    link.href = withDevice(device);
    if (device === wantedDevice()) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

/**
 * Shows which device the model runs on, and why.
 * @param {import("../pkg/dist/index.js").Device} device
 */
export function showDevice(device) {
  const gpu = device.kind === "webgpu";
  badge.dataset.kind = device.kind;
  const adapter = device.adapter || (device.fallback ? "software" : "your GPU");
  used = gpu ? `WebGPU · ${adapter}` : "CPU · WebAssembly";
  name.textContent = gpu || "gpu" in navigator ? used : "CPU · this browser has no WebGPU";
  const software = gpu && device.fallback ? " This adapter is a software implementation that runs on the CPU." : "";
  reason.textContent = `${sentence(device.reason)}${software}`;
}

/** Names the device in use. */
export function usedDevice() {
  return used;
}

/** Called while the first model is loading. */
export function showLooking() {
  say("Looking for a device", "The model has not been loaded yet.");
}

/** Called when no model could be loaded. */
export function showNoDevice() {
  say("No device in use", "No model could be loaded, so no device is in use.");
}

/** @param {string} title @param {string} explanation */
function say(title, explanation) {
  delete badge.dataset.kind;
  name.textContent = title;
  reason.textContent = explanation;
}

/** @param {string} text */
function sentence(text) {
  if (text === "") return "";
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
