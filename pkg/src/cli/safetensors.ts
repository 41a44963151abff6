import { MobileBertError } from "../errors.js";

/** Bytes of the header's length at the start of the file. */
const PREFIX = 8;
/** The limit of the format. */
const MAX_HEADER = 100_000_000;

/** Passes the chunks of a safetensors file on, and fails at the end if it doesn't have the size that its header states. */
export async function* complete(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let start = Buffer.alloc(0);
  let size: number | undefined;
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (size === undefined) {
      start = Buffer.concat([start, chunk]);
      size = statedSize(name, start);
    }
    yield chunk;
  }
  if (bytes === size) return;
  throw damaged(name, `${bytes} bytes, but its header states ${size ?? "more"}`);
}

/** The size of a file that begins like this; `undefined` if the header isn't complete yet. */
function statedSize(name: string, start: Buffer): number | undefined {
  if (start.length < PREFIX) return undefined;
  const header = Number(start.readBigUInt64LE());
  if (header > MAX_HEADER) throw damaged(name, "not a safetensors file");
  if (start.length < PREFIX + header) return undefined;
  return PREFIX + header + dataSize(name, start.toString("utf8", PREFIX, PREFIX + header));
}

/** The end of the last tensor. */
function dataSize(name: string, header: string): number {
  try {
    const { __metadata__: _, ...tensors } = JSON.parse(header) as Record<string, { data_offsets: [number, number] }>;
    return Object.values(tensors).reduce((end, { data_offsets: offsets }) => Math.max(end, offsets[1]), 0);
  } catch {
    throw damaged(name, "its header can't be read");
  }
}

function damaged(name: string, problem: string): MobileBertError {
  return new MobileBertError("corrupt", `${name}: ${problem}; copy or download it again`, { file: name });
}
