import type { EngineModel } from "../engine/engine.js";
import { headTask, type Task } from "../engine/request.js";
import { untilTrap } from "../engine/trap.js";
import type { ProgressTotal } from "../files/progress.js";

/** A first inference per task. Fill-mask has none, because only the module knows the mask token. */
const WARM_UP: Partial<Record<Task, (model: EngineModel) => Promise<unknown>>> = {
  "question-answering": (model) => model.ask("Ready?", "Ready.", {}),
  "text-classification": (model) => model.classify(["Ready."], {}),
  "zero-shot-classification": (model) => model.zeroShot("Ready.", ["ready"], {}),
  "text-ranking": (model) => model.rank("Ready?", ["Ready."], {}),
  "token-classification": (model) => model.labelTokens("Ready.", {}),
  // Ignores the directory's settings: if they aren't supported, only the calls that use them should fail.
  "feature-extraction": (model) => model.encode(["Ready."], { pooling: "mean" }),
};

/**
 * Compiles pipelines, allocates memory and lets the browser optimize code before the first real call. Fails for a model
 * whose head fits but whose labels don't.
 */
export async function warmUp(model: EngineModel, task: Task, progress: ProgressTotal): Promise<void> {
  const run = WARM_UP[task];
  if (!run || model.task() !== headTask(task)) return;
  progress.enter("warmup");
  await untilTrap(() => run(model));
}
