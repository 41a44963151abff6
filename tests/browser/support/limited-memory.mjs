/** The wasm module with a memory that can grow by this many megabytes only. Runs in pages, too, and so uses nothing else. */
export function withMemory(wasm, megabytes) {
  // Sizes are LEB128 numbers.
  const number = (at) => {
    const length = wasm.subarray(at).findIndex((byte) => byte < 0x80) + 1;
    const value = wasm.subarray(at, at + length).reduceRight((value, byte) => (value << 7) | (byte & 0x7f), 0);
    return { value, next: at + length };
  };
  const encoded = (value) => [(value & 0x7f) | 0x80, ((value >> 7) & 0x7f) | 0x80, value >> 14];
  for (let at = 8; at < wasm.length; ) {
    const size = number(at + 1);
    const end = size.next + size.value;
    if (wasm[at] === 5) {
      const pages = number(number(size.next).next + 1).value;
      const limits = [1, 1, ...encoded(pages), ...encoded(pages + 16 * megabytes)];
      const parts = [wasm.subarray(0, at), [5, limits.length, ...limits], wasm.subarray(end)];
      const limited = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let length = 0;
      for (const part of parts) {
        limited.set(part, length);
        length += part.length;
      }
      return limited;
    }
    at = end;
  }
  throw new Error("the module doesn't define its memory");
}
