//! Activation functions.

/// Activation functions of these model families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Activation {
    /// `x`
    Identity = 0,
    /// `max(x, 0)`
    Relu = 1,
    /// `x/2 · (1 + erf(x/√2))`
    Gelu = 2,
    /// `x/2 · (1 + tanh(√(2/π)(x + 0.044715 x³)))`, `gelu_new` in configurations
    GeluTanh = 3,
    /// `tanh(x)`
    Tanh = 4,
    /// `x / (1 + e⁻ˣ)`, `silu` or `swish`
    Silu = 5,
}

impl Activation {
    /// All of them.
    pub const ALL: [Activation; 6] = [
        Activation::Identity,
        Activation::Relu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Tanh,
        Activation::Silu,
    ];
}
