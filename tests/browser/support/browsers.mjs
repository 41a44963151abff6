import puppeteer from "puppeteer-core";

const chromiumFlags = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-default-apps",
  "--disable-extensions",
  "--disable-dev-shm-usage",
];

/** Firefox runs WebGPU on a software adapter only when told to. */
const firefoxPreferences = {
  "dom.webgpu.enabled": true,
  "gfx.webgpu.ignore-blocklist": true,
  "dom.webgpu.allow-fallback-adapter": true,
  "dom.webgpu.workers.enabled": true,
};

/** Debian's Chromium; with `webgpu` on SwiftShader, without it as on a machine that has no GPU. */
export function chromium({ webgpu = false, flags = [] } = {}) {
  return puppeteer.launch({
    browser: "chrome",
    executablePath: program("CHROMIUM"),
    headless: true,
    protocolTimeout: 240_000,
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
  if (!path) throw new Error(`${variable} is not set: run these tests by \`cargo xtask test --only browsers\``);
  return path;
}

/** How long anything in a page is waited for, on a slow and busy machine, and how often it is looked at, in milliseconds. */
const PATIENCE = { timeout: 180_000, polling: 30 };

/** A page that keeps what went wrong in it. */
export async function newPage(browser, { width = 1280, height = 900, theme = "light" } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  // By the clock, which is not puppeteer's default: a page that is not drawn has no frames to wait for.
  const waitForFunction = page.waitForFunction.bind(page);
  page.waitForFunction = (condition, options, ...values) =>
    waitForFunction(condition, { ...PATIENCE, ...options }, ...values);
  await page.setViewport({ width, height });
  if (theme !== "light") await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
  const faults = [];
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  return { page, faults };
}
