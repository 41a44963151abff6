/**
 * The states of the two pages. `enter(page, where)` brings a new page into the state and resolves when it is visible. Used
 * for the screenshots and for the test that no request leaves the machine.
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

export const states = {
  ...loading,
  ...answering,
  ...inside,
  ...devices,
  ...problems,
  ...bench,
  ...sharing,
  ...models,
  ...code,
};
