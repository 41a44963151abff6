// What layer_norm.wgsl and attention_probabilities.wgsl share: reductions over a workgroup of 64 invocations, all of
// which must call them. The kernel table puts this before them.

const INVOCATIONS: u32 = 64u;

var<workgroup> partial: array<f32, 64>;

// The largest of every invocation's value.
fn maximum_of_group(local: u32, value: f32) -> f32 {
    partial[local] = value;
    workgroupBarrier();
    for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
        if local < half {
            partial[local] = max(partial[local], partial[local + half]);
        }
        workgroupBarrier();
    }
    let maximum = partial[0];
    workgroupBarrier();
    return maximum;
}

// The sum of every invocation's value, in the same order each time.
fn sum_of_group(local: u32, value: f32) -> f32 {
    partial[local] = value;
    workgroupBarrier();
    for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
        if local < half {
            partial[local] += partial[local + half];
        }
        workgroupBarrier();
    }
    let sum = partial[0];
    workgroupBarrier();
    return sum;
}

