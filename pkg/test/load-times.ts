import type { LoadTimes } from "../src/types.ts";

/** Of a model that took no time to load. */
export const loadTimes: LoadTimes = { module: 0, fetch: 0, verify: 0, compile: 0, upload: 0, warmup: 0, total: 0 };
