//! The kernels: one module each, holding the table entry that both executors go by, the parameter block, and the CPU
//! twin of the shader of the same name (`shaders/NAME.wgsl`).
//!
//! The table is the one truth for bindings and parameters: a test parses every shader and compares.

pub mod activate;
pub mod add;
pub mod attention;
pub mod attention_context;
pub mod attention_probabilities;
pub mod embedding;
mod functions;
mod heads;
pub mod layer_norm;
pub mod linear;
mod packed;
mod panels;
pub mod position;
mod product;
mod simd;
mod softmax;
mod table;
mod workers;

pub use heads::Scratch;
pub use packed::PackedMatrix;
pub use simd::Simd;
pub use table::Table;
pub use workers::Workers;

/// Entry point of every shader.
pub const ENTRY_POINT: &str = "main";

/// A kernel as the GPU executor and the tests see it.
#[derive(Debug)]
pub struct Kernel {
    /// Name of the module, the shader file and the label prefix.
    pub name: &'static str,
    /// The shader's source.
    pub wgsl: &'static str,
    /// Binding 0 of group 0 is the uniform parameter block: its size in bytes and its members with their byte offsets.
    pub parameters: ParameterBlock,
    /// Bindings 1.. of group 0 in order.
    pub bindings: &'static [Binding],
}

/// The uniform block of a kernel.
#[derive(Debug)]
pub struct ParameterBlock {
    /// Size of the Rust struct in bytes.
    pub size: usize,
    /// Member names with byte offsets, in order.
    pub members: &'static [(&'static str, usize)],
}

/// One storage buffer of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The variable's name in the shader.
    pub name: &'static str,
    /// Whether the kernel writes it.
    pub access: Access,
}

/// How a kernel uses a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `var<storage, read>`
    Read,
    /// `var<storage, read_write>`
    Write,
}

const fn read(name: &'static str) -> Binding {
    Binding { name, access: Access::Read }
}

const fn write(name: &'static str) -> Binding {
    Binding { name, access: Access::Write }
}

/// Declares a parameter block that Rust and WGSL share, with the table entry made from its own offsets.
macro_rules! parameter_block {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $ty:ty,)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        pub struct $name { $($(#[$field_meta])* pub $field: $ty,)* }

        impl $name {
            /// Size and members, as the shader must declare them.
            pub const BLOCK: $crate::kernels::ParameterBlock = $crate::kernels::ParameterBlock {
                size: std::mem::size_of::<$name>(),
                members: &[$((stringify!($field), std::mem::offset_of!($name, $field)),)*],
            };
        }
    };
}
use parameter_block;

/// Every kernel.
pub const KERNELS: [&Kernel; 12] = [
    &activate::KERNEL,
    &add::KERNEL,
    &attention::KERNEL,
    &attention_context::KERNEL,
    &attention_probabilities::KERNEL,
    &embedding::KERNEL,
    &layer_norm::KERNEL,
    &linear::KERNEL,
    &linear::KERNEL_SHORT,
    &linear::KERNEL_Q8,
    &linear::KERNEL_SHORT_Q8,
    &position::KERNEL,
];
