import { invalidInput } from "../errors.js";
import { shown } from "../options.js";

/** A slice of one dimension: all of it, one index, or a range whose end is exclusive. */
export type TensorSlice = null | undefined | number | readonly [start: number | null, end: number | null];

/**
 * A tensor with the fields and the indexing of the `Tensor` of transformers.js: `tensor[0]` and the tensors of a loop share
 * memory with it, `slice` copies.
 */
export interface PipelineTensor extends Iterable<PipelineTensor | number> {
  /** Always 32-bit floats. */
  readonly type: "float32";
  /** Shape: `[texts, hidden_size]`, or `[texts, tokens, hidden_size]` without pooling. */
  readonly dims: number[];
  /** All values, in row-major order. */
  readonly data: Float32Array;
  /** Number of values. */
  readonly size: number;
  /** The tensor at an index of the first dimension; negative indices count from the end. */
  readonly [index: number]: PipelineTensor;
  /** Converts the tensor to nested arrays. */
  tolist(): unknown[];
  /** Copies part of the tensor; negative indices count from the end. */
  slice(...slices: readonly TensorSlice[]): PipelineTensor;
  /** Returns the value of a tensor that has only one. */
  item(): number;
}

class Tensor {
  readonly type = "float32";

  constructor(
    readonly data: Float32Array,
    readonly dims: number[],
  ) {}

  get size(): number {
    return this.data.length;
  }

  tolist(): unknown[] {
    return nested(this.data, this.dims);
  }

  slice(...slices: readonly TensorSlice[]): PipelineTensor {
    const rank = this.dims.length;
    if (slices.length > rank) throw invalidInput("slices", `${slices.length} for ${rank} dimensions`);
    const ranges = this.dims.map((size, axis) => range(slices[axis], size, axis));
    const kept = ranges.filter((_, axis) => typeof slices[axis] !== "number");
    const data = new Float32Array(ranges.reduce((product, [start, end]) => product * (end - start), 1));
    let filled = 0;
    const copy = (axis: number, offset: number): void => {
      const [start, end] = ranges[axis] ?? [0, 1];
      const step = product(this.dims.slice(axis + 1));
      if (axis >= rank - 1) {
        data.set(this.data.subarray(offset + start, offset + end), filled);
        filled += end - start;
        return;
      }
      for (let i = start; i < end; i++) copy(axis + 1, offset + i * step);
    };
    copy(0, 0);
    return tensor(
      data,
      kept.map(([start, end]) => end - start),
    );
  }

  item(): number {
    if (this.size !== 1) throw invalidInput("tensor", `has ${this.size} values; \`item()\` needs exactly one`);
    return this.data[0] as number;
  }

  *[Symbol.iterator](): Generator<PipelineTensor | number> {
    const [count = 0, ...inner] = this.dims;
    if (inner.length === 0) yield* this.data;
    else for (let i = 0; i < count; i++) yield this.at(i);
  }

  /** The tensor at an index of the first dimension. */
  at(index: number): PipelineTensor {
    const [count = 0, ...inner] = this.dims;
    const [start] = range(index, count, 0);
    const step = product(inner);
    return tensor(this.data.subarray(start * step, (start + 1) * step), inner);
  }
}

/** Makes a tensor with the shape `dims`. */
export function tensor(data: Float32Array, dims: number[]): PipelineTensor {
  return new Proxy(new Tensor(data, dims), {
    get: (target, key) => {
      const isIndex = typeof key === "string" && /^-?\d+$/.test(key);
      return isIndex ? target.at(Number(key)) : Reflect.get(target, key, target);
    },
  }) as unknown as PipelineTensor;
}

/** Start and end of a slice of a dimension with this size. */
function range(slice: TensorSlice, size: number, axis: number): [number, number] {
  if (slice === null || slice === undefined) return [0, size];
  if (typeof slice === "number") {
    const index = slice < 0 ? slice + size : slice;
    if (Number.isInteger(index) && index >= 0 && index < size) return [index, index + 1];
    throw invalidInput("index", `${slice} is out of bounds for dimension ${axis} with size ${size}`);
  }
  // Infinity is the last element, as in slices of arrays.
  const isRange = Array.isArray(slice) && slice.length === 2 && slice.every((at) => Math.trunc(at ?? 0) === (at ?? 0));
  if (!isRange) throw invalidInput("slices", `${shown(slice)} is not null, an index or a range [start, end]`);
  const clamp = (at: number) => Math.min(size, Math.max(0, at < 0 ? at + size : at));
  const [start, end] = [clamp(slice[0] ?? 0), clamp(slice[1] ?? size)];
  if (start <= end) return [start, end];
  throw invalidInput("slices", `[${slice}] ends before it starts`);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

function nested(data: Float32Array, [count = 0, ...inner]: number[]): unknown[] {
  if (inner.length === 0) return Array.from(data);
  const step = product(inner);
  return Array.from({ length: count }, (_, i) => nested(data.subarray(i * step, (i + 1) * step), inner));
}
