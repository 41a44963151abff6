/**
 * The service worker: stores one complete version of the pages and of the package, and serves all of it or none of it,
 * so that the pages work without a network and a visit never mixes two versions. Models aren't its business: the package
 * caches them. The build puts `VERSION` and `FILES` in front of this file.
 */

/** @type {ServiceWorkerGlobalScope} */
const worker = /** @type {any} */ (self);

const { scope } = worker.registration;
/** All versions' caches begin with this. Other copies of the pages may be on the same origin. */
const PREFIX = `mobilebert-page:${new URL(scope).pathname}:`;
const NAME = PREFIX + VERSION;

/** The list of models on this site, which changes without a new version of the pages. */
const MODELS = "models/models.json";

/** Milliseconds until the stored list is used instead. */
const PATIENCE = 4000;

/** Headers that isolate the pages, which threads and precise clocks need; hosts needn't send them. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

worker.addEventListener("install", (event) => event.waitUntil(store()));
worker.addEventListener("activate", (event) => event.waitUntil(removeOthers()));
worker.addEventListener("message", (event) => {
  if (event.data === "activate") event.waitUntil(activate(event.source));
});
worker.addEventListener("fetch", (event) => {
  const path = ownPath(event.request);
  if (path === MODELS) event.respondWith(fromNetworkFirst(event.request));
  else if (path !== undefined && path in FILES) event.respondWith(fromCache(path, event.request));
});

/** As large as everything else together, for few visitors: stored when it is first asked for. */
const STORED_LATER = /^pkg\/wasm\/benchmark\//;

/** Stores all files. One that isn't of this version, or is missing, fails the installation: the old version stays. */
async function store() {
  const cache = await caches.open(NAME);
  const files = Object.entries(FILES).filter(([path]) => !STORED_LATER.test(path));
  try {
    await Promise.all(files.map(([path, hash]) => storeFile(cache, path, hash)));
    // The first visit has fetched it before this worker could see it. A site may have none.
    await cache.add(MODELS).catch(() => {});
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
}

/** @param {Cache} cache @param {string} path @param {string} hash */
async function storeFile(cache, path, hash) {
  // Asks the server even if the browser has a copy: it may be of another version.
  const response = await fetch(path, { cache: "no-cache", integrity: `sha256-${hash}` });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) if (!headers.has(name)) headers.set(name, value);
  // A copy, because browsers refuse a redirected response for a page.
  await cache.put(path, new Response(await response.blob(), { headers }));
}

/** Removes the caches of other versions; no page uses them once a version is activated. */
async function removeOthers() {
  for (const name of await caches.keys()) if (name !== NAME && (await isOwn(name))) await caches.delete(name);
}

/** @param {string} name */
async function isOwn(name) {
  // Earlier versions' names don't say where the pages are.
  if (/^mobilebert-page:[^:]+$/.test(name)) return Boolean(await caches.match("index.html", { cacheName: name }));
  return name.startsWith(PREFIX);
}

/**
 * Replaces the old version, unless other tabs show it: they would load parts of the new one.
 * @param {ExtendableMessageEvent["source"]} asking
 */
async function activate(asking) {
  const all = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tabs = all.filter(({ url }) => url.startsWith(scope));
  if (tabs.length <= 1) await worker.skipWaiting();
  else asking?.postMessage({ tabs: tabs.length - 1 });
}

/** The path of a file of this site, relative to it; undefined for all other requests. @param {Request} request */
function ownPath({ method, url }) {
  const { origin, pathname } = new URL(url);
  const whole = origin + pathname;
  if (method !== "GET" || !whole.startsWith(scope)) return undefined;
  const path = whole.slice(scope.length);
  if (path === "" || path.endsWith("/")) return `${path}index.html`;
  // Some hosts leave out the extension of pages.
  return `${path}.html` in FILES ? `${path}.html` : path;
}

/** @param {string} path @param {Request} request */
async function fromCache(path, request) {
  const cache = await caches.open(NAME);
  const stored = await cache.match(path);
  const hash = FILES[path];
  // The browser may have evicted the cache.
  if (stored || !hash || !STORED_LATER.test(path)) return stored ?? fetch(request);
  await storeFile(cache, path, hash).catch(() => {});
  // The browser may refuse to store more; a file of another version is never served.
  return (await cache.match(path)) ?? fetch(path, { integrity: `sha256-${hash}` });
}

/** @param {Request} request */
async function fromNetworkFirst(request) {
  const cache = await caches.open(NAME);
  const fetched = fetch(request).then((response) => {
    // Without room for it, it can still be shown.
    if (response.ok) cache.put(MODELS, response.clone()).catch(() => {});
    return response;
  });
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const response = await Promise.race([fetched, late]).catch(() => {});
  if (response?.ok) return response;
  return (await cache.match(MODELS)) ?? fetched;
}
