import { findText, storeText } from "./cache.js";

/** An address that no model has. */
const CHOICES = "https://mobilebert.invalid/choices/";

/**
 * Returns the remembered choice of a device as it was stored; the wasm module checks it. Never fails: the device can always
 * be measured again.
 */
export function findChoice(key: string): Promise<string | undefined> {
  return findText(address(key)).catch(() => undefined);
}

/**
 * Remembers a choice with the cached models, replacing an earlier one under this key. If there is no room for it, the
 * device is measured again on the next visit.
 */
export function storeChoice(key: string, record: string): Promise<void> {
  return storeText(address(key), record).catch(() => {});
}

function address(key: string): string {
  return CHOICES + encodeURIComponent(key);
}
