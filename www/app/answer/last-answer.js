/** The latest answer, for the panels below it. */

/**
 * @typedef {{ question: string, context: string, milliseconds?: number }} Answered Without a time, reading was stopped.
 */

/** @type {Answered | undefined} */
let latest;
/** @type {(() => void)[]} */
const listeners = [];

/** @param {Answered} answered */
export function noteAnswer(answered) {
  latest = answered;
  for (const listener of listeners) listener();
}

export function lastAnswer() {
  return latest;
}

/** @param {() => void} listener called for every answer that is shown */
export function onAnswer(listener) {
  listeners.push(listener);
}
