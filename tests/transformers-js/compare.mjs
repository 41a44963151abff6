import assert from "node:assert/strict";

/** Tolerance for runtimes that sum in different orders. */
const TOLERANCE = 1e-4;

/** Keys that only this package returns. */
const ADDED = ["start", "end"];

/** Asserts that `own` equals `peer` in types, keys, lengths and texts, and in numbers within the tolerance. */
export function assertSame(own, peer, where) {
  if (typeof peer === "number") {
    assert.equal(typeof own, "number", where);
    assert.ok(Math.abs(own - peer) <= TOLERANCE * Math.max(1, Math.abs(peer)), `${where}: ${own}, not ${peer}`);
  } else if (Array.isArray(peer)) {
    assert.ok(Array.isArray(own), `${where}: not an array`);
    assert.equal(own.length, peer.length, `${where}: length`);
    for (const [i, value] of peer.entries()) assertSame(own[i], value, `${where}[${i}]`);
  } else if (typeof peer === "object" && peer !== null) {
    const keys = Object.keys(own).filter((key) => key in peer || !ADDED.includes(key));
    assert.deepEqual(keys.sort(), Object.keys(peer).sort(), `${where}: keys`);
    for (const [key, value] of Object.entries(peer)) assertSame(own[key], value, `${where}.${key}`);
  } else {
    assert.equal(own, peer, where);
  }
}
