import { MobileBertError, messageOf } from "../errors.js";
import { Sha256 } from "./sha256.js";

/** The files of a model, as listed by its `files.json` or by the Hub, with their sizes and hashes if they are known. */
export interface Manifest {
  /** The list that the files are from, for error messages. */
  source: string;
  /** The text of `files.json` or the Hub's commit, to detect changes. */
  text: string;
  files: Map<string, { bytes?: number; sha256?: string }>;
}

/** The file with sizes and hashes. */
export const MANIFEST = "files.json";

/** Parses `files.json`: a list of `{name, bytes, sha256}`, or an object with the list as `files`. */
export function parseManifest(text: string): Manifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw damaged(`not valid JSON (${messageOf(error)})`);
  }
  const list = Array.isArray(parsed) ? parsed : (parsed as { files?: unknown } | null)?.files;
  if (!Array.isArray(list)) throw damaged("neither a list of files nor an object with `files`");
  const files: Manifest["files"] = new Map();
  for (const entry of list as Partial<{ name: string; bytes: number; sha256: string }>[]) {
    const { name, bytes, sha256 } = entry ?? {};
    const valid = typeof name === "string" && Number.isSafeInteger(bytes) && /^[0-9a-f]{64}$/i.test(sha256 ?? "");
    if (!valid) throw damaged(`an entry is not {name, bytes, sha256}: ${JSON.stringify(entry)}`);
    files.set(name, { bytes: bytes as number, sha256: (sha256 as string).toLowerCase() });
  }
  return { source: MANIFEST, text, files };
}

/**
 * Passes chunks on and fails at the end if they don't match the manifest. Files without an entry aren't checked.
 * `onCheck` is called when all bytes have arrived.
 */
export async function* verified(
  manifest: Manifest | undefined,
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  onCheck: () => void = () => {},
): AsyncGenerator<Uint8Array> {
  const { bytes: size, sha256 } = manifest?.files.get(name) ?? {};
  const source = manifest?.source;
  const hash = sha256 === undefined ? undefined : new Sha256();
  let bytes = 0;
  for await (const chunk of chunks) {
    hash?.update(chunk);
    bytes += chunk.length;
    if (bytes > (size ?? bytes)) throw mismatch(name, `more than the ${size} bytes listed by ${source}`);
    yield chunk;
  }
  if (size !== undefined || hash) onCheck();
  if (bytes !== (size ?? bytes)) throw mismatch(name, `${bytes} bytes, but ${source} lists ${size}`);
  const found = hash?.hex();
  if (found !== sha256) throw mismatch(name, `sha256 is ${found}, but ${source} lists ${sha256}`);
}

function mismatch(name: string, problem: string): MobileBertError {
  return new MobileBertError("integrity", `${name}: ${problem}; download the file again`, { file: name });
}

function damaged(problem: string): MobileBertError {
  return new MobileBertError("corrupt", `${MANIFEST}: ${problem}`, { file: MANIFEST });
}
