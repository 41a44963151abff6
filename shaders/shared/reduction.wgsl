// Reductions over a workgroup of 64 invocations, used by layer_norm.wgsl and attention_probabilities.wgsl. Every
// invocation must call them (uniform control flow). The kernel table prepends this file.

const INVOCATIONS: u32 = 64u;

var<workgroup> partial: array<f32, 64>;

// The maximum over all invocations.
fn workgroup_max(local: u32, value: f32) -> f32 {
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

// The sum over all invocations, always added in the same order.
fn workgroup_sum(local: u32, value: f32) -> f32 {
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

