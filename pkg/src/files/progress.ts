import type { Progress } from "../types.js";

/** Sums up the progress over several files; neither the total nor the bytes read ever decrease. */
export class ProgressTotal {
  private readonly expected = new Map<string, number | undefined>();
  private readonly read = new Map<string, number>();
  private loaded = 0;
  private total = 0;
  private readonly report: (progress: Progress) => void;

  constructor(report: (progress: Progress) => void) {
    this.report = report;
  }

  /** Announces a file that will be read, with its size if known. */
  expect(file: string, bytes: number | undefined): void {
    this.expected.set(file, bytes ?? this.expected.get(file));
  }

  /** Starts reading a file from the beginning; bytes read again aren't counted twice. */
  restart(file: string): void {
    this.read.set(file, 0);
  }

  /** Reports that more bytes of a file have been read. */
  advance(phase: Progress["phase"], file: string, bytes: number): void {
    this.read.set(file, (this.read.get(file) ?? 0) + bytes);
    this.send(phase, file);
  }

  /** Notes that a file was read to its end, and reports it if its size wasn't known before. */
  finish(phase: Progress["phase"], file: string): void {
    const read = this.read.get(file);
    if (this.expected.get(file) === read) return;
    this.expected.set(file, read);
    this.send(phase, file);
  }

  /** Reports a phase that reads no files. */
  enter(phase: Progress["phase"], file = ""): void {
    this.send(phase, file);
  }

  private send(phase: Progress["phase"], file: string): void {
    let loaded = 0;
    let total = 0;
    for (const name of new Set([...this.expected.keys(), ...this.read.keys()])) {
      const read = this.read.get(name) ?? 0;
      loaded += read;
      total += Math.max(read, this.expected.get(name) ?? 0);
    }
    this.loaded = Math.max(this.loaded, loaded);
    this.total = Math.max(this.total, total, this.loaded);
    const fileLoaded = this.read.get(file) ?? 0;
    const fileTotal = this.expected.get(file) ?? 0;
    const totalKnown = ![...this.expected.values()].includes(undefined);
    this.report({ phase, file, loaded: this.loaded, total: this.total, totalKnown, fileLoaded, fileTotal });
  }
}
