// increment: the smallest dispatch with a visible effect, for timing the cost of a dispatch by itself.
//
//   counter [1]

@group(0) @binding(0) var<storage, read_write> counter: array<u32>;

@compute @workgroup_size(1, 1, 1)
fn main() {
    counter[0] += 1u;
}
