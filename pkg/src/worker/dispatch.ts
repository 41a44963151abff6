import type { EngineModel, EnginePartial } from "../engine/engine.js";
import { type MemoryView, SharedMemory } from "./memory.js";
import type { Call, CallName } from "./protocol.js";

/** A call's arguments are those of the module's method of this name, which may take a callback as well. */
export function dispatch(model: EngineModel, { name, args }: Call, partial: EnginePartial): Promise<unknown> | unknown {
  if (name === "takePart") return takePart(model, args as [unknown[], number, MemoryView]);
  const methods = model as unknown as Record<CallName, (...given: unknown[]) => unknown>;
  return methods[name](...args, partial);
}

function takePart(model: EngineModel, [inputs, batch, view]: [unknown[], number, MemoryView]): boolean {
  const memory = new SharedMemory(view);
  try {
    return model.takePart(inputs, batch, memory);
  } catch (error) {
    memory.fail();
    throw error;
  }
}
