/** The progress of a whole measurement: from 0 to 1 over all networks and lengths, and never decreasing. */

/** Share of a network's progress that its start takes; the rest are its rows. */
const START = 0.2;

/** @typedef {{ subjects: unknown[], sequences: number[] }} Extent */

export class TotalProgress {
  #highest = 0;

  /** @param {Extent} plan */
  constructor({ subjects, sequences }) {
    this.subjects = subjects;
    this.sequences = sequences;
  }

  /** A network is being prepared. @param {unknown} subject @param {number | null} share of its weights; null if unknown */
  starting(subject, share) {
    return this.#at(subject, START * (share ?? 0));
  }

  /** A length is being measured. @param {unknown} subject @param {number} sequence @param {number} share of its runs */
  running(subject, sequence, share) {
    // Longer sequences take longer.
    const before = this.sequences.slice(0, Math.max(0, this.sequences.indexOf(sequence)));
    const done = sum(before) + sequence * Math.min(1, share);
    return this.#at(subject, START + (1 - START) * (done / sum(this.sequences)));
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
