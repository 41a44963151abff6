import type { PipelineTensor } from "./pipeline-types.js";

/** Rows of numbers with the shape `dims`. */
export function tensor(data: Float32Array, dims: number[]): PipelineTensor {
  return { type: "float32", dims, data, size: data.length, tolist: () => nested(data, dims) };
}

function nested(data: Float32Array, [count = 0, ...inner]: number[]): unknown[] {
  if (inner.length === 0) return Array.from(data);
  const step = inner.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, i) => nested(data.subarray(i * step, (i + 1) * step), inner));
}
