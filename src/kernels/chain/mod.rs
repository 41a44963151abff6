//! A layer in one kernel: attention, or loaded rows, followed by a chain of linears over the same rows.
//! Inputs of later linears stay in workgroup memory; the next layer's inputs are columns of the result.
//!
//! A workgroup computes [`ROWS`] rows. Its memory has [`MEMORY`] places of one vector each, with one value
//! for each of these rows, so a row of `n` features takes `n` places. [`crate::plan`] assigns the places.

mod cpu;
mod gpu;

pub use gpu::{KERNEL, ROWS};

use std::ops::Range;

use super::cost::Cost;
use super::operator::Operator;
use super::{BufferId, Kernel, Matrix, ParameterId, Shapes, parameter_block};
use crate::config::Activation;
use crate::error::Result;

/// Places in workgroup memory: 16 KiB, which every WebGPU device has.
pub const MEMORY: usize = 1024;
/// Maximum width of an attention: one invocation per feature.
pub const MAX_WIDTH: usize = 256;
/// Minimum number of keys per head whose scores must fit in workgroup memory.
pub const SCORES: usize = 16;
/// Maximum number of linears in a chain.
pub const MAX_LINEARS: usize = 16;
/// Rows read by linears consist of whole units in every format, see [`super::WeightFormat::unit`].
pub const FEATURE_MULTIPLE: usize = 32;

/// Attention and linears over the rows of a workgroup.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// `[rows, input_width]`: columns written by earlier steps.
    pub input: BufferId,
    /// Length of an input row; of a whole sequence if only first tokens are read.
    pub input_width: usize,
    /// The rows read by the first linears.
    pub source: ChainSource,
    /// Its place in workgroup memory.
    pub source_place: usize,
    /// Its column in the result, if the next step needs it.
    pub source_column: Option<usize>,
    /// In order of execution.
    pub linears: Vec<ChainLinear>,
    /// First place that never holds a value between two linears.
    pub scratch: usize,
    /// Length of a row of the result.
    pub width: usize,
}

/// The start of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainSource {
    /// `softmax(q kᵀ + mask) v` of columns of the input; the query is already scaled by 1/√head_size.
    Attention {
        /// First column of the query, the key, and the value.
        columns: [usize; 3],
        /// Number of heads.
        heads: usize,
        /// Width of a head.
        head_size: usize,
    },
    /// Columns of the input.
    Rows {
        /// The first.
        column: usize,
        /// Their number.
        features: usize,
    },
}

/// `activation(rows · weightᵀ + bias) + scale ∘ residual`.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainLinear {
    /// Place of the rows.
    pub input: usize,
    /// `[out_features, in_features]`.
    pub weight: ParameterId,
    /// `[out_features]`.
    pub bias: ParameterId,
    /// The rows of the weight to multiply with.
    pub outputs: Range<usize>,
    /// Applied before the residual is added.
    pub activation: Activation,
    /// Added after the activation.
    pub residual: Option<ChainResidual>,
    /// Place of the result, if a later linear reads it.
    pub place: Option<usize>,
    /// Column of the result in the chain's output, if a later step reads it.
    pub column: Option<usize>,
}

/// Rows to add to a linear's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainResidual {
    /// Their place.
    pub from: ChainOperand,
    /// `[outputs]`; 1 where absent.
    pub scale: Option<ParameterId>,
}

/// Rows of this workgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainOperand {
    /// In workgroup memory, starting at this place.
    Place(usize),
    /// Columns of the input, starting with this one.
    Column(usize),
}

/// An absent column, place or scale in a block.
const NONE: u32 = u32::MAX;

/// One linear, as the shader reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct LinearBlock {
    /// Place of the input.
    pub input: u32,
    /// Its length.
    pub in_features: u32,
    /// Length of the result.
    pub out_features: u32,
    /// Code of [`super::WeightFormat`].
    pub format: u32,
    /// Offsets of the first column in the weight buffer: of the matrix in vectors, of the rest in words.
    pub weight: u32,
    /// One scale per column of the product, for packed formats.
    pub scales: u32,
    /// Scales of groups, for q4, in half words.
    pub groups: u32,
    /// The bias.
    pub bias: u32,
    /// Code of [`Activation`].
    pub activation: u32,
    /// Place of the residual, or none.
    pub residual_place: u32,
    /// Column of the residual, or none.
    pub residual_column: u32,
    /// Offset of the residual's scale in words, or none.
    pub residual_scale: u32,
    /// Place of the result, or none.
    pub place: u32,
    /// Column of the result, or none.
    pub column: u32,
    /// Invocations that share the sums of two columns.
    pub splits: u32,
    /// Number of the weight's rows.
    pub weight_rows: u32,
}

parameter_block! {
    /// Parameters of `chain`.
    pub struct ChainParameters {
        /// Tokens per sequence.
        pub sequence: u32,
        /// Length of an input row.
        pub input_width: u32,
        /// Length of an output row.
        pub output_width: u32,
        /// Attention heads; 0 if rows are loaded.
        pub heads: u32,
        /// Width of a head; the number of features if rows are loaded.
        pub head_size: u32,
        /// Column of the query, or of the rows.
        pub query: u32,
        /// Column of the key.
        pub key: u32,
        /// Column of the value.
        pub value: u32,
        /// Place of the source.
        pub place: u32,
        /// Column of the result where the source is stored, or none.
        pub column: u32,
        /// First unused place.
        pub scratch: u32,
        /// Number of linears.
        pub count: u32,
        /// The linears.
        pub linears: [LinearBlock; MAX_LINEARS],
    }
}

impl ChainSource {
    /// Number of features.
    pub fn features(&self) -> usize {
        match self {
            ChainSource::Attention { heads, head_size, .. } => heads * head_size,
            ChainSource::Rows { features, .. } => *features,
        }
    }
}

impl Chain {
    /// Number of rows: one per token, unless only first tokens are loaded.
    fn rows(&self, shapes: &Shapes<'_>) -> Result<usize> {
        let len = shapes.len(self.input)?;
        if self.input_width == 0 || !len.is_multiple_of(self.input_width) {
            return Err(shapes.error(format!("{len} floats in rows of {}", self.input_width)));
        }
        if let ChainSource::Attention { .. } = self.source {
            shapes.buffer(self.input, shapes.rows() * self.input_width)?;
        }
        Ok(len / self.input_width)
    }

    /// Number of input columns up to the last one that is read.
    fn read_width(&self) -> usize {
        let features = self.source.features();
        let mut end = match self.source {
            ChainSource::Attention { columns, .. } => columns.iter().max().map_or(0, |last| last + features),
            ChainSource::Rows { column, .. } => column + features,
        };
        for linear in &self.linears {
            if let Some(ChainResidual { from: ChainOperand::Column(column), .. }) = linear.residual {
                end = end.max(column + linear.outputs.len());
            }
        }
        end
    }

    fn check_source(&self, shapes: &Shapes<'_>) -> Result<()> {
        let features = self.source.features();
        let columns = match self.source {
            ChainSource::Attention { columns, .. } => columns.to_vec(),
            ChainSource::Rows { column, .. } => vec![column],
        };
        let inside = columns.iter().all(|column| column + features <= self.input_width);
        let aligned = columns.iter().all(|column| column.is_multiple_of(4));
        let stored = self.source_column.is_none_or(|column| column + features <= self.width);
        if features == 0 || !inside || !aligned || !stored || self.source_place + features > self.scratch {
            return Err(shapes.error(format!("source {:?} does not fit", self.source)));
        }
        Ok(())
    }

    /// Checks that a linear reads and writes within its buffers.
    fn check_linear(&self, shapes: &Shapes<'_>, linear: &ChainLinear) -> Result<()> {
        let Matrix { rows, columns: ins, .. } = shapes.matrix(linear.weight)?;
        let outs = linear.outputs.len();
        shapes.vector(linear.bias, rows)?;
        let mut places = vec![(linear.input, ins)];
        places.extend(linear.place.map(|place| (place, outs)));
        let mut fits = ins.is_multiple_of(FEATURE_MULTIPLE) && outs > 0 && linear.outputs.end <= rows;
        if let Some(ChainResidual { from, scale }) = linear.residual {
            match from {
                ChainOperand::Place(place) => places.push((place, outs)),
                ChainOperand::Column(column) => fits &= column + outs <= self.input_width,
            }
            scale.map_or(Ok(()), |scale| shapes.vector(scale, outs))?;
        }
        fits &= linear.column.is_none_or(|column| column + outs <= self.width);
        fits &= places.iter().all(|(place, features)| place + features <= self.scratch);
        fits &= linear.place.is_none_or(|place| place + outs <= linear.input || linear.input + ins <= place);
        if fits { Ok(()) } else { Err(shapes.error(format!("{linear:?} of {outs} × {ins} does not fit"))) }
    }
}

impl Operator for Chain {
    type Block = ChainParameters;

    const KERNELS: &'static [&'static Kernel] = &[&KERNEL];

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        vec![&mut self.input]
    }

    fn parameters(&self) -> Vec<ParameterId> {
        let of = |linear: &ChainLinear| {
            [Some(linear.weight), Some(linear.bias), linear.residual.and_then(|residual| residual.scale)]
        };
        let mut parameters: Vec<ParameterId> = Vec::new();
        for id in self.linears.iter().flat_map(of).flatten() {
            // Linears of the same input share their parameters.
            if !parameters.contains(&id) {
                parameters.push(id);
            }
        }
        parameters
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        let rows = self.rows(shapes)?;
        shapes.result(rows * self.width)?;
        if self.scratch > MEMORY || self.linears.len() > MAX_LINEARS || !self.input_width.is_multiple_of(4) {
            let problem = format!("{} linears in {} places", self.linears.len(), self.scratch);
            return Err(shapes.error(problem));
        }
        self.check_source(shapes)?;
        for linear in &self.linears {
            self.check_linear(shapes, linear)?;
        }
        gpu::block(self, shapes, rows)
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![self.rows(shapes)?, self.width])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        let rows = self.rows(shapes)?;
        let (mut count, mut ids) = (0, 0);
        if let ChainSource::Attention { .. } = self.source {
            count += 2 * rows * shapes.sequence * self.source.features();
            ids = rows;
        }
        for linear in &self.linears {
            count += rows * linear.outputs.len() * shapes.matrix(linear.weight)?.columns;
        }
        let Cost { bytes, .. } = Cost::of(self, shapes, stored, ids)?;
        let unread = 4 * (rows * (self.input_width - self.read_width())) as u64;
        Ok(Cost { flops: 0, bytes: bytes - unread }.with_multiply_adds(count))
    }
}
