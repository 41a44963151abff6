/** A key for what this copy of the pages stores: others on the same origin have the same storage. @param {string} name */
export function storageKey(name) {
  return `${name}:${new URL(".", location.href).pathname}`;
}
