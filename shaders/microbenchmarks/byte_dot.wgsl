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
    var x0 = invocation.x;
    var x1 = x0 + 1u;
    var x2 = x0 + 2u;
    var x3 = x0 + 3u;
    var x4 = x0 + 4u;
    var x5 = x0 + 5u;
    var x6 = x0 + 6u;
    var x7 = x0 + 7u;
    for (var i = 0u; i < 128u; i++) {
        // Four times in a row: the loop itself should not count.
        x0 = multiply(x0, factor, addend); x1 = multiply(x1, factor, addend); x2 = multiply(x2, factor, addend);
        x3 = multiply(x3, factor, addend); x4 = multiply(x4, factor, addend); x5 = multiply(x5, factor, addend);
        x6 = multiply(x6, factor, addend); x7 = multiply(x7, factor, addend);
        x0 = multiply(x0, factor, addend); x1 = multiply(x1, factor, addend); x2 = multiply(x2, factor, addend);
        x3 = multiply(x3, factor, addend); x4 = multiply(x4, factor, addend); x5 = multiply(x5, factor, addend);
        x6 = multiply(x6, factor, addend); x7 = multiply(x7, factor, addend);
        x0 = multiply(x0, factor, addend); x1 = multiply(x1, factor, addend); x2 = multiply(x2, factor, addend);
        x3 = multiply(x3, factor, addend); x4 = multiply(x4, factor, addend); x5 = multiply(x5, factor, addend);
        x6 = multiply(x6, factor, addend); x7 = multiply(x7, factor, addend);
        x0 = multiply(x0, factor, addend); x1 = multiply(x1, factor, addend); x2 = multiply(x2, factor, addend);
        x3 = multiply(x3, factor, addend); x4 = multiply(x4, factor, addend); x5 = multiply(x5, factor, addend);
        x6 = multiply(x6, factor, addend); x7 = multiply(x7, factor, addend);
    }
    let sum = bitcast<i32>(((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7)));
    // One invocation writes; the others must not be optimized away.
    if invocation.x == 0u || sum == -2147483647 {
        destination[0] = sum;
    }
}

fn multiply(x: u32, factor: u32, addend: u32) -> u32 {
    return bitcast<u32>(dot4I8Packed(x, factor)) + addend;
}
