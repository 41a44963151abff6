import { MobileBertError } from "./errors.js";
import { Sha256 } from "./sha256.js";

/** `files.json`: what the files of a model should be. */
export interface Manifest {
  /** The text itself, to see whether it changed. */
  text: string;
  files: Map<string, { bytes: number; sha256: string }>;
}

/** Reads `files.json`: a list of `{name, bytes, sha256}`, alone or as `files` beside a format version and the dtype. */
export function parseManifest(text: string): Manifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw damaged(`no JSON (${error instanceof Error ? error.message : error})`);
  }
  const list = Array.isArray(parsed) ? parsed : (parsed as { files?: unknown } | null)?.files;
  if (!Array.isArray(list)) throw damaged("neither a list of files nor an object with `files`");
  const files = new Map<string, { bytes: number; sha256: string }>();
  for (const entry of list as Partial<{ name: string; bytes: number; sha256: string }>[]) {
    const { name, bytes, sha256 } = entry ?? {};
    const valid = typeof name === "string" && Number.isSafeInteger(bytes) && /^[0-9a-f]{64}$/i.test(sha256 ?? "");
    if (!valid) throw damaged(`an entry is not {name, bytes, sha256}: ${JSON.stringify(entry)}`);
    files.set(name, { bytes: bytes as number, sha256: (sha256 as string).toLowerCase() });
  }
  return { text, files };
}

/**
 * Hands chunks on and fails at the end where they are not what the manifest states; without an entry it checks nothing.
 * `onCheck` is called when all bytes are there.
 */
export async function* verified(
  manifest: Manifest | undefined,
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  onCheck: () => void = () => {},
): AsyncGenerator<Uint8Array> {
  const stated = manifest?.files.get(name);
  if (!stated) {
    yield* chunks;
    return;
  }
  const hash = new Sha256();
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes > stated.bytes) throw differs(name, `more than the ${stated.bytes} bytes that files.json states`);
    yield chunk;
  }
  onCheck();
  if (bytes !== stated.bytes) throw differs(name, `${bytes} bytes where files.json states ${stated.bytes}`);
  const found = hash.hex();
  if (found !== stated.sha256) throw differs(name, `sha256 ${found} where files.json states ${stated.sha256}`);
}

function differs(name: string, problem: string): MobileBertError {
  return new MobileBertError("integrity", `${name}: ${problem}; fetch the file again`, { file: name });
}

function damaged(problem: string): MobileBertError {
  return new MobileBertError("corrupt", `files.json: ${problem}`, { file: "files.json" });
}
