/**
 * The states of the two pages. `enter(page, where)` brings a new page into the state and resolves when it is visible. Used
 * for the screenshots and, each state in one of the files, for tests of accessibility and that no request leaves the machine.
 *
 * `gpu`: needs a browser with WebGPU on a software adapter. `chosen`: URL of the chosen model, if not on this site.
 * `passing`: the page leaves the state by itself. `bench`: a state of the latency page, where measuring takes a while.
 * `shows`: what its screenshots show.
 */
import { answering } from "./states/answering.mjs";
import { bench } from "./states/bench.mjs";
import { code } from "./states/code.mjs";
import { devices } from "./states/devices.mjs";
import { inside } from "./states/inside.mjs";
import { loading } from "./states/loading.mjs";
import { models } from "./states/models.mjs";
import { problems } from "./states/problems.mjs";
import { sharing } from "./states/sharing.mjs";

const { "bench-setup": setup, "bench-no-webgpu": refused, ...measurements } = bench;

/** In accessibility.test.mjs. */
export const answers = { ...loading, ...answering, ...inside, ...devices };
/** In axe-states.test.mjs: states with panels, dialogs and fields of their own. */
export const panels = { ...sharing, ...models, ...code, ...measurements };
/** In privacy.test.mjs. */
export const others = { ...problems, "bench-setup": setup, "bench-no-webgpu": refused };

export const states = { ...answers, ...panels, ...others };
