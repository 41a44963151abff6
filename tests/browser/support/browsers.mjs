import puppeteer from "puppeteer-core";

const chromiumFlags = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-default-apps",
  "--disable-dev-shm-usage",
];

/** Firefox only runs WebGPU on a software adapter with these preferences. */
const firefoxPreferences = {
  "dom.webgpu.enabled": true,
  "gfx.webgpu.ignore-blocklist": true,
  "dom.webgpu.allow-fallback-adapter": true,
  "dom.webgpu.workers.enabled": true,
};

/** Debian's Chromium; `webgpu` enables SwiftShader, otherwise there is no GPU. `extension` is the folder of one. */
export function chromium({ webgpu = false, flags = [], extension } = {}) {
  // Puppeteer itself passes `--disable-extensions` unless it is asked for extensions.
  const extensions = extension ? { enableExtensions: [extension], pipe: true } : {};
  return puppeteer.launch({
    browser: "chrome",
    executablePath: program("CHROMIUM"),
    headless: true,
    protocolTimeout: 240_000,
    ...extensions,
    args: [...chromiumFlags, ...(webgpu ? ["--enable-unsafe-webgpu"] : []), ...flags],
  });
}

/** Debian's Firefox. */
export function firefox() {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: program("FIREFOX"),
    headless: true,
    protocolTimeout: 240_000,
    extraPrefsFirefox: firefoxPreferences,
  });
}

function program(variable) {
  const path = process.env[variable];
  if (!path) throw new Error(`${variable} is not set: run these tests with \`cargo xtask test --only browsers\``);
  return path;
}

/** Timeout and polling interval in milliseconds, generous enough for a slow and busy machine. */
const WAIT = { timeout: 180_000, polling: 30 };

/** Opens a page and records its errors. */
export async function newPage(browser, { width = 1280, height = 900, theme = "light" } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(WAIT.timeout);
  // Poll at an interval rather than, by default, per frame: a hidden page has no frames.
  const waitForFunction = page.waitForFunction.bind(page);
  page.waitForFunction = (condition, options, ...values) =>
    waitForFunction(condition, { ...WAIT, ...options }, ...values);
  await page.setViewport({ width, height });
  if (theme !== "light") await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
  const faults = [];
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  return { page, faults };
}
