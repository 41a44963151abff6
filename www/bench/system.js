/** Information from the browser about the system; it isn't sent anywhere. */

/** @typedef {import("./result.js").System} System */

/**
 * APIs that not all browsers have and TypeScript's library lacks.
 * @typedef {{ brands: { brand: string, version: string }[], platform: string,
 *   getHighEntropyValues(hints: string[]): Promise<{ model?: string, platformVersion?: string }> }} AgentData
 * @typedef {Navigator & { userAgentData?: AgentData,
 *   getBattery?: () => Promise<import("./result.js").Battery> }} KnownNavigator
 */

/** @returns {Promise<System>} */
export async function describeSystem() {
  const known = /** @type {KnownNavigator} */ (navigator);
  const data = known.userAgentData;
  const more = await data?.getHighEntropyValues(["model", "platformVersion"]).catch(() => undefined);
  const battery = await known.getBattery?.().catch(() => undefined);
  const platform = data
    ? [data.platform, more?.platformVersion].filter(Boolean).join(" ")
    : platformOf(known.userAgent);
  return {
    browser: data ? brandOf(data) : browserOf(known.userAgent),
    platform,
    device_model: more?.model || null,
    cores: navigator.hardwareConcurrency || null,
    battery: battery ? { charging: battery.charging, level: battery.level } : null,
  };
}

/** The most specific brand; browsers always add a made-up one. @param {AgentData} data */
function brandOf({ brands }) {
  const real = brands.filter(({ brand }) => !/not.?a.?brand/i.test(brand.replace(/[^a-z]/gi, "")));
  const best = real.find(({ brand }) => brand !== "Chromium") ?? real[0];
  return best ? `${best.brand} ${best.version}` : null;
}

/** @param {string} agent */
function browserOf(agent) {
  const found =
    /(Firefox|FxiOS|CriOS|EdgiOS|Chrome)\/([\d.]+)/.exec(agent) ?? /(Version)\/([\d.]+).*Safari/.exec(agent);
  if (!found) return null;
  const name = { Version: "Safari", FxiOS: "Firefox", CriOS: "Chrome", EdgiOS: "Edge" }[found[1] ?? ""] ?? found[1];
  return `${name} ${found[2]}`;
}

/** @param {string} agent */
function platformOf(agent) {
  return /\(([^)]*)\)/.exec(agent)?.[1]?.split(";").slice(0, 2).join(";").trim() ?? "unknown";
}
