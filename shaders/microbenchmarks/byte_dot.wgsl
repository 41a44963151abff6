// byte_dot: eight chains of x = dot(x, factor) + addend per invocation over four bytes, each 512 long, in registers.
//
//   destination [1]       the sum of the eight results of the first invocation
//   source [2]            factor (four bytes), addend
//
// 32,768 integer operations per invocation: four multiplications and four additions in each of 4,096 dot products.

requires packed_4x8_integer_dot_product;

@group(0) @binding(0) var<storage, read_write> destination: array<i32>;
@group(0) @binding(1) var<storage, read> source: array<u32>;

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let factor = source[0];
    let addend = source[1];
    var x0 = invocation.x + vec4<u32>(0u, 1u, 2u, 3u);
    var x1 = x0 + 4u;
    for (var i = 0u; i < 128u; i++) {
        // Unrolled four times, so that the loop itself doesn't matter.
        x0 = multiply(x0, factor, addend); x1 = multiply(x1, factor, addend);
        x0 = multiply(x0, factor, addend); x1 = multiply(x1, factor, addend);
        x0 = multiply(x0, factor, addend); x1 = multiply(x1, factor, addend);
        x0 = multiply(x0, factor, addend); x1 = multiply(x1, factor, addend);
    }
    let sums = bitcast<vec4<i32>>(x0 + x1);
    let sum = sums.x + sums.y + sums.z + sums.w;
    // One invocation writes; the others must not be optimized away.
    if invocation.x == 0u || sum == -2147483647 {
        destination[0] = sum;
    }
}

fn multiply(x: vec4<u32>, factor: u32, addend: u32) -> vec4<u32> {
    let dots = vec4<i32>(
        dot4I8Packed(x.x, factor), dot4I8Packed(x.y, factor), dot4I8Packed(x.z, factor), dot4I8Packed(x.w, factor),
    );
    return bitcast<vec4<u32>>(dots) + addend;
}
