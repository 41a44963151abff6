/** How the networks of a result were measured, if that differs: schedules and thread counts. */

/** @typedef {Pick<import("./result.js").ModelResult, "schedule" | "threads">} Measured */

/** @param {number[]} counts at least one */
export function threadsText(counts) {
  return `${counts.join(" or ")} ${counts.at(-1) === 1 ? "thread" : "threads"}`;
}

/**
 * Returns a function that describes how a network was measured: by what differs among `models`, and by what the plan
 * compares.
 * @param {Measured[]} models
 * @param {import("./measure.js").Plan} [plan]
 * @returns {(model: Measured) => string} empty if all were measured alike
 */
export function configurationOf(models, plan) {
  const differs = (/** @type {(model: Measured) => unknown} */ value) => new Set(models.map(value)).size > 1;
  const bySchedule = plan?.allSchedules === true || differs(({ schedule }) => schedule);
  const byThreads = (plan?.threads.length ?? 0) > 1 || differs(({ threads }) => threads);
  return ({ schedule, threads }) =>
    [bySchedule ? `schedule ${schedule}` : "", byThreads && threads !== null ? threadsText([threads]) : ""]
      .filter(Boolean)
      .join(", ");
}

/** @param {import("./result.js").ModelResult} model @param {(model: Measured) => string} configuration */
export function titleWith(model, configuration) {
  return [model.title, configuration(model)].filter(Boolean).join(", ");
}
