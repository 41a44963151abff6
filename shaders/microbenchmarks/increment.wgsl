// increment: the smallest dispatch that leaves a trace, so that what a dispatch costs by itself can be timed.
//
//   counter [1]

@group(0) @binding(0) var<storage, read_write> counter: array<u32>;

@compute @workgroup_size(1, 1, 1)
fn main() {
    counter[0] += 1u;
}
