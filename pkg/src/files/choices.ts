import { findText, storeText } from "./cache.js";

/** An address that no model has. */
const CHOICES = "https://mobilebert.invalid/choices/";

/**
 * Returns what was remembered of the choice of a device, as it was stored: the wasm module checks it. Fails never, because
 * the device can be measured again.
 */
export function findChoice(key: string): Promise<string | undefined> {
  return findText(address(key)).catch(() => undefined);
}

/**
 * Remembers a choice with the cached models, in place of an earlier one under this key. Without room, it is made again on
 * the next visit.
 */
export function storeChoice(key: string, record: string): Promise<void> {
  return storeText(address(key), record).catch(() => {});
}

function address(key: string): string {
  return CHOICES + encodeURIComponent(key);
}
