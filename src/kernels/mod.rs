//! The kernels: one folder per operation, with its definition (`mod.rs`: operands and the check of their
//! sizes, the parameter block, the cost), its CPU twin (`cpu.rs`) and its dispatches (`gpu.rs`); the shader
//! of the same name is `shaders/NAME.wgsl`. The twins' arithmetic is in the crate `mobilebert-compute`.
//!
//! Bindings and parameter blocks are declared here; a test parses every shader and compares them.

pub mod activate;
pub mod add;
pub mod attention;
pub mod attention_context;
pub mod attention_probabilities;
pub mod chain;
mod cost;
pub mod embedding;
pub mod embedding_position;
mod format;
mod host;
mod ids;
mod inputs;
mod launch;
pub mod layer_norm;
pub mod linear;
mod operator;
pub mod position;
mod shapes;
pub(crate) mod wgsl;

pub(crate) use mobilebert_compute::Q4_GROUP;
#[cfg(target_arch = "wasm32")]
pub(crate) use mobilebert_compute::relaxed;
pub use mobilebert_compute::{COLUMN_MULTIPLE, PackedMatrix, Scratch, Simd, Table, Workers};

pub use chain::{ChainLinear, ChainOperand, ChainResidual, ChainSource};
pub use cost::Cost;
pub use format::WeightFormat;
pub use host::{Host, HostParameter};
pub use ids::{BufferId, Columns, ParameterId, Residual};
pub use inputs::{Inputs, PAD_ID};
pub(crate) use launch::MAX_WORKGROUPS;
pub use launch::{Launch, Operand, Variant};
pub use operator::{AnyOperator, Dispatch, Operator, RunInput, Twin};
pub use shapes::{Matrix, ParameterShape, Shapes};

/// Entry point of every shader.
pub const ENTRY_POINT: &str = "main";

/// A shader and its interface.
#[derive(Debug)]
pub struct Kernel {
    /// Name of the shader's file, and of the operation's folder here.
    pub name: &'static str,
    /// The parts of the shader's source: those of `shaders/shared/` that it uses, then its own file.
    pub wgsl: &'static [&'static str],
    /// Binding 0 of group 0 is the uniform parameter block: its size in bytes and its members with their byte offsets.
    pub parameters: ParameterBlock,
    /// Bindings 1.. of group 0 in order.
    pub bindings: &'static [Binding],
}

impl Kernel {
    /// The shader's whole source.
    pub fn source(&self) -> String {
        self.wgsl.concat()
    }
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
    /// Read, or written.
    pub access: Access,
}

/// A kernel's use of a buffer.
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

/// Declares a parameter block shared by Rust and WGSL, and its table entry with the members' offsets.
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

/// Lists the operations, each with its variant and module.
macro_rules! operations {
    ($($(#[$meta:meta])* $variant:ident in $module:ident,)*) => {
        $(pub use $module::$variant;)*

        /// A step's operation with its operands.
        ///
        /// Activations are row-major f32 `[rows, features]` with `rows = batch · sequence`. Inputs of a run
        /// (`input_ids`, `token_type_ids`, `attention_mask`, each u32 `[batch, sequence]`) are read
        /// implicitly by operations that need them.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Operation {
            $($(#[$meta])* $variant($variant),)*
        }

        impl Operation {
            /// The names of the operations' folders.
            pub const NAMES: &[&str] = &[$(stringify!($module),)*];

            /// The operation behind its common interface.
            pub fn operator(&self) -> &dyn AnyOperator {
                match self {
                    $(Operation::$variant(operator) => operator,)*
                }
            }

            fn operator_mut(&mut self) -> &mut dyn AnyOperator {
                match self {
                    $(Operation::$variant(operator) => operator,)*
                }
            }
        }

        $(impl From<$variant> for Operation {
            fn from(operator: $variant) -> Self {
                Operation::$variant(operator)
            }
        })*

        /// The kernels of every operation, all variants.
        pub fn kernels() -> impl Iterator<Item = &'static Kernel> {
            const KERNELS: &[&[&Kernel]] = &[$(<$variant as Operator>::KERNELS,)*];
            KERNELS.iter().copied().flatten().copied()
        }
    };
}

operations! {
    /// Word vectors by id.
    Embedding in embedding,
    /// Adds position and type vectors.
    Position in position,
    /// Both kinds of vectors side by side.
    EmbeddingPosition in embedding_position,
    /// A matrix product with its epilogue.
    Linear in linear,
    /// An activation, element-wise.
    Activate in activate,
    /// Adds a residual.
    Add in add,
    /// Normalizes rows.
    LayerNorm in layer_norm,
    /// The first half of attention.
    AttentionProbabilities in attention_probabilities,
    /// The second half of attention.
    AttentionContext in attention_context,
    /// Both halves in one kernel.
    Attention in attention,
    /// A layer in one kernel.
    Chain in chain,
}

impl Operation {
    /// The activation buffers it reads, in the order of the kernel's bindings.
    pub fn reads(&self) -> Vec<BufferId> {
        self.clone().reads_mut().into_iter().map(|buffer| *buffer).collect()
    }

    pub(crate) fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        self.operator_mut().reads_mut()
    }

    pub(crate) fn columns_mut(&mut self) -> Vec<&mut Columns> {
        self.operator_mut().columns_mut()
    }

    /// The parameters it reads, in the order of the kernel's bindings.
    pub fn parameters(&self) -> Vec<ParameterId> {
        self.operator().parameters()
    }

    /// Name of the kernel that computes it, or of the first of several variants.
    pub fn kernel(&self) -> &'static str {
        self.operator().kernel().name
    }
}
