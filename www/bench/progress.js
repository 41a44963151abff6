/** The progress of a whole measurement: from 0 to 1 over all networks and lengths, and never decreasing. */

/** Share of a network's progress that its start takes; the rest are its rows. */
const START = 0.2;

/** @typedef {{ subjects: unknown[], sequences: number[], minutes: number | null }} Extent */

export class TotalProgress {
  #highest = 0;

  /** @param {Extent} plan */
  constructor({ subjects, sequences, minutes }) {
    this.subjects = subjects;
    this.sequences = sequences;
    this.isSustained = minutes !== null;
  }

  /** A network is being prepared. @param {unknown} subject @param {number | null} share of its weights; null if unknown */
  starting(subject, share) {
    return this.#at(subject, START * (share ?? 0));
  }

  /** A length is being measured. @param {unknown} subject @param {number} sequence @param {number} share of its runs */
  running(subject, sequence, share) {
    const all = this.isSustained ? [sequence] : this.sequences;
    // Longer sequences take longer.
    const before = all.slice(0, Math.max(0, all.indexOf(sequence)));
    const done = sum(before) + sequence * Math.min(1, share);
    return this.#at(subject, START + (1 - START) * (done / sum(all)));
  }

  /** @param {unknown} subject @param {number} share */
  #at(subject, share) {
    const index = Math.max(0, this.subjects.indexOf(subject));
    this.#highest = Math.max(this.#highest, Math.min(1, (index + share) / this.subjects.length));
    return this.#highest;
  }
}

/** @param {number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
