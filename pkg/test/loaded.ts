import type { DeviceChoice, LoadTimes } from "../src/types.ts";

/** Of a model that took no time to load. */
export const loadTimes: LoadTimes = { module: 0, fetch: 0, verify: 0, compile: 0, upload: 0, warmup: 0, total: 0 };

/** The choice of the only device. */
export const chosen: DeviceChoice = { by: "rule", lengths: [], ruledOut: [] };
