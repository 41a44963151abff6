/**
 * The states of the two pages, each with how a fresh page is brought into it: `enter(page, where)`. It ends when the
 * state can be seen. The pictures are taken from this table, and the test that nothing leaves the machine goes through
 * it; a state that stands here is in both.
 *
 * `gpu`: in a browser with WebGPU, on a software adapter. `chosen`: the address of the model that is chosen there, where
 * it is not the page's own. `passing`: moves on by itself. `bench`: of the latency page; measuring takes its time.
 */
import { answering } from "./states/answering.mjs";
import { bench } from "./states/bench.mjs";
import { devices } from "./states/devices.mjs";
import { loading } from "./states/loading.mjs";
import { problems } from "./states/problems.mjs";

export const states = { ...loading, ...answering, ...devices, ...problems, ...bench };
