//! The parameters that executors load, each computed from the checkpoint's tensors by a recipe.

pub use crate::kernels::ParameterId;

/// A constant array that steps read: a (folded) weight matrix, bias, table, or norm vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name of the main tensor it is computed from; used in errors, dumps, and GPU labels.
    pub name: String,
    /// Shape of the result of the recipe.
    pub shape: Vec<usize>,
    /// How steps read it.
    pub role: Role,
    /// How it is computed from the checkpoint's tensors.
    pub recipe: Recipe,
    /// The parameters that share its buffer on a GPU; `None` if it has its own.
    pub group: Option<Group>,
}

impl Parameter {
    /// Adds rows to a matrix, or values to a vector.
    pub(super) fn append(&mut self, rows: usize, recipe: Recipe) {
        self.shape[0] += rows;
        match &mut self.recipe {
            Recipe::Rows(parts) => parts.push(recipe),
            first => *first = Recipe::Rows(vec![first.clone(), recipe]),
        }
    }
}

/// Parameters that a step of the schedule `chain` reads from one buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Index among the network's groups.
    pub index: usize,
    /// Number of parameters in it.
    pub members: usize,
}

/// How steps read a parameter. Executors choose its memory layout accordingly (packed matrix, plain vector).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `[out_features, in_features]`, read by `linear`.
    Matrix,
    /// `[features]`: bias, norm weight, norm bias, or residual scale.
    Vector,
    /// `[rows, features]`, gathered by row: word, position, or token type vectors.
    Table,
}

/// How a parameter is computed from checkpoint tensors. For example, to fold a NoNorm `γ∘x + β` into the
/// linear before it, the weight's rows and the bias are scaled by γ, and β is added to the bias.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipe {
    /// `factor · (scale ∘ tensor + shift)`.
    Fold {
        /// The tensor to fold into.
        tensor: Source,
        /// Vector to multiply along `axis`.
        scale: Option<Source>,
        /// Axis of `tensor` that `scale` and `shift` run along (0: rows of a matrix, 1: columns of a table).
        axis: usize,
        /// Vector to add along `axis`, after scaling.
        shift: Option<Source>,
        /// 1/√head_size for the query, 1 otherwise.
        factor: f32,
    },
    /// Concatenation along columns, with flagged sources transposed: MobileBERT's split decoder `[W_word |
    /// W_denseᵀ]`.
    Columns(Vec<(Source, bool)>),
    /// Matrices stacked vertically, or vectors concatenated: the weights or biases of modules that read the
    /// same input.
    Rows(Vec<Recipe>),
    /// `left · right + added`: two consecutive linears merged into one. `right` and `added` are matrices or
    /// vectors.
    Product {
        /// Matrix of the second linear.
        left: Box<Recipe>,
        /// Matrix or bias of the first.
        right: Box<Recipe>,
        /// Bias of the second.
        added: Option<Box<Recipe>>,
    },
    /// Zeros: a bias that the checkpoint doesn't have.
    Zeros,
    /// The identity matrix: a pooler that returns the first token's hidden state.
    Identity,
}

impl Recipe {
    /// The tensor of the checkpoint, unchanged.
    pub fn plain(tensor: Source) -> Self {
        Recipe::Fold { tensor, scale: None, axis: 0, shift: None, factor: 1.0 }
    }

    /// The tensor whose rows it scales, if that is all it does, so values in a packed format can stay packed.
    /// Of several stacked ones, the first.
    pub fn row_scaled(&self) -> Option<&Source> {
        match self {
            Recipe::Fold { tensor, scale, axis, shift: None, .. } if scale.is_none() || *axis == 0 => {
                (tensor.shape.len() == 2).then_some(tensor)
            }
            Recipe::Rows(parts) if parts.iter().all(|part| part.row_scaled().is_some()) => {
                parts.first().and_then(Recipe::row_scaled)
            }
            _ => None,
        }
    }

    /// The checkpoint tensors that it reads.
    pub fn sources(&self) -> Vec<&Source> {
        match self {
            Recipe::Fold { tensor, scale, shift, .. } => {
                std::iter::once(tensor).chain(scale).chain(shift).collect()
            }
            Recipe::Columns(columns) => columns.iter().map(|(source, _)| source).collect(),
            Recipe::Rows(parts) => parts.iter().flat_map(Recipe::sources).collect(),
            Recipe::Product { left, right, added } => {
                let recipes = [Some(left), Some(right), added.as_ref()];
                recipes.into_iter().flatten().flat_map(|recipe| recipe.sources()).collect()
            }
            Recipe::Zeros | Recipe::Identity => Vec::new(),
        }
    }
}

/// A tensor of the checkpoint, with its possible names and its required shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Names in order of preference; errors use the first. In a [`super::Network`], only the name used by the
    /// checkpoint.
    pub names: Vec<String>,
    /// The shape according to the configuration.
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

    /// Returns whether the tensor has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
