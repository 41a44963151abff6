// multiply_add: eight chains of x = x · factor + addend per invocation, each 512 long and four wide, in registers.
//
//   destination [1] vector      the sum of the eight results, the same from every invocation
//   source [2] vectors          factor, addend
//
// 32,768 floating-point operations per invocation.

@group(0) @binding(0) var<storage, read_write> destination: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let factor = source[0];
    let addend = source[1];
    var x0 = vec4<f32>(f32(invocation.x & 255u));
    var x1 = x0 + 1.0;
    var x2 = x0 + 2.0;
    var x3 = x0 + 3.0;
    var x4 = x0 + 4.0;
    var x5 = x0 + 5.0;
    var x6 = x0 + 6.0;
    var x7 = x0 + 7.0;
    for (var i = 0u; i < 128u; i++) {
        // Unrolled four times, so that the loop itself doesn't matter.
        x0 = x0 * factor + addend; x1 = x1 * factor + addend; x2 = x2 * factor + addend; x3 = x3 * factor + addend;
        x4 = x4 * factor + addend; x5 = x5 * factor + addend; x6 = x6 * factor + addend; x7 = x7 * factor + addend;
        x0 = x0 * factor + addend; x1 = x1 * factor + addend; x2 = x2 * factor + addend; x3 = x3 * factor + addend;
        x4 = x4 * factor + addend; x5 = x5 * factor + addend; x6 = x6 * factor + addend; x7 = x7 * factor + addend;
        x0 = x0 * factor + addend; x1 = x1 * factor + addend; x2 = x2 * factor + addend; x3 = x3 * factor + addend;
        x4 = x4 * factor + addend; x5 = x5 * factor + addend; x6 = x6 * factor + addend; x7 = x7 * factor + addend;
        x0 = x0 * factor + addend; x1 = x1 * factor + addend; x2 = x2 * factor + addend; x3 = x3 * factor + addend;
        x4 = x4 * factor + addend; x5 = x5 * factor + addend; x6 = x6 * factor + addend; x7 = x7 * factor + addend;
    }
    let sum = ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7));
    // One invocation writes; the others must not be optimized away, and no sum is negative.
    if invocation.x == 0u || sum.x < 0.0 {
        destination[0] = sum;
    }
}
