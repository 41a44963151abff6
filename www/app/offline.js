/** Makes the pages work without a network, and offers newer versions of them. */
import { byId } from "./elements.js";

const notice = byId("update", HTMLElement);
const text = byId("update-text", HTMLElement);
const button = byId("update-act", HTMLButtonElement);

/**
 * Stores the pages for visits without a network. Returns whether they are stored, which isn't possible everywhere.
 */
export async function startOffline() {
  if (!("serviceWorker" in navigator)) return false;
  try {
    const registration = await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
    watch(registration);
    return await isStored(registration);
  } catch {
    // Without permission to store anything, the page works as before, with a network.
    return false;
  }
}

/** @param {ServiceWorkerRegistration} registration */
function watch(registration) {
  const offerWaiting = () => {
    // Without a controller, this is the first visit, with the newest version.
    if (registration.waiting && navigator.serviceWorker.controller) offer(registration.waiting);
  };
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", offerWaiting);
  });
  offerWaiting();
}

/** @param {ServiceWorker} waiting */
function offer(waiting) {
  text.textContent = "A new version of this page is ready.";
  notice.hidden = false;
  button.onclick = () => waiting.postMessage("activate");
  navigator.serviceWorker.onmessage = ({ data: { tabs } }) => {
    text.textContent = `A new version is ready. Close the other ${tabs === 1 ? "tab" : `${tabs} tabs`} with this page first.`;
  };
  navigator.serviceWorker.oncontrollerchange = () => location.reload();
}

/**
 * Returns whether a version is stored, once it is known.
 * @param {ServiceWorkerRegistration} registration
 * @returns {Promise<boolean>}
 */
function isStored({ active, installing, waiting }) {
  const coming = installing ?? waiting;
  if (active || !coming) return Promise.resolve(active !== null);
  return new Promise((resolve) => {
    coming.addEventListener("statechange", () => {
      if (coming.state === "activated") resolve(true);
      if (coming.state === "redundant") resolve(false);
    });
  });
}
