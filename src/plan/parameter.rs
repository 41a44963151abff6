//! What an executor is given at load: parameters, each made from the checkpoint's tensors by a recipe.

pub use crate::kernels::ParameterId;

/// One constant array that steps read: a (folded) weight matrix, bias, table or norm vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The checkpoint's own name of the tensor it mainly comes from; used in errors, dumps and GPU labels.
    pub name: String,
    /// Shape after the recipe.
    pub shape: Vec<usize>,
    /// How executors read it.
    pub role: Role,
    /// How it is made.
    pub recipe: Recipe,
}

/// How a step reads a parameter, so that an executor can choose its layout (packed matrices, plain vectors).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `[out_features, in_features]`, read by `linear`.
    Matrix,
    /// `[features]`: bias, norm weight or bias, residual scale.
    Vector,
    /// `[rows, features]`, gathered by row: word, position and type vectors.
    Table,
}

/// A parameter as a function of checkpoint tensors. Folding a NoNorm `γ∘x+β` that follows a linear:
/// the weight's rows and the bias are scaled by γ, β is added to the bias.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipe {
    /// `factor · (scale ∘ tensor + shift)`.
    Fold {
        /// Name of the tensor.
        tensor: Source,
        /// Vector multiplied along `axis`.
        scale: Option<Source>,
        /// Axis of `tensor` that `scale` and `shift` run along (0: rows of a matrix, 1: columns of a table).
        axis: usize,
        /// Vector added along `axis`, after scaling.
        shift: Option<Source>,
        /// 1/√head_size of the query, 1 otherwise.
        factor: f32,
    },
    /// Columns side by side, each source transposed where said: MobileBERT's split decoder `[W_word | W_denseᵀ]`.
    Columns(Vec<(Source, bool)>),
    /// Zeros: a bias that the checkpoint does not have.
    Zeros,
    /// Ones on the diagonal, zeros elsewhere: a pooler that passes the first token on.
    Identity,
}

impl Recipe {
    /// The tensor as it stands in the checkpoint.
    pub fn plain(tensor: Source) -> Self {
        Recipe::Fold { tensor, scale: None, axis: 0, shift: None, factor: 1.0 }
    }

    /// The checkpoint's tensors that it is made from.
    pub fn sources(&self) -> Vec<&Source> {
        match self {
            Recipe::Fold { tensor, scale, shift, .. } => {
                std::iter::once(tensor).chain(scale).chain(shift).collect()
            }
            Recipe::Columns(columns) => columns.iter().map(|(source, _)| source).collect(),
            Recipe::Zeros | Recipe::Identity => Vec::new(),
        }
    }
}

/// A tensor of the checkpoint: its name, other names it is also found under, and the shape it must have.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Names in order of preference; the first is used in errors. In a [`super::Network`] the one name that the
    /// checkpoint has.
    pub names: Vec<String>,
    /// The shape the configuration asks for.
    pub shape: Vec<usize>,
}

impl Source {
    /// The name to look for.
    pub fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
