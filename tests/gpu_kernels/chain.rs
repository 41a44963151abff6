//! `chain` with all of its features at once: attention or rows, residuals from both places, weights in every
//! format.

use mobilebert::kernels::COLUMN_MULTIPLE;
use mobilebert::kernels::chain::{Chain, ChainLinear, ChainOperand, ChainResidual, ChainSource};
use mobilebert::plan::{Activation, Group, ParameterId, Role};

use crate::support::compare::{Tolerance, assert_close};
use crate::support::gpu::{Builder, shared_executor};
use crate::support::interpreter;
use crate::support::matrix::{Matrix, PRECISIONS, Precision};
use crate::support::random::Random;
use crate::support::reference::ACTIVATIONS;

/// Random linears, each reading the previous one; places alternate between two halves of the memory.
struct Linears<'a> {
    random: &'a mut Random,
    builder: &'a mut Builder,
    precision: Option<Precision>,
    linears: Vec<ChainLinear>,
    /// Features and place of the previous linear.
    last: (usize, usize),
    width: usize,
}

const HALF: usize = 480;

impl Linears<'_> {
    fn add(&mut self, features: usize, input_width: usize, activation: Activation) {
        let (depth, input) = self.last;
        let precision = self.precision.unwrap_or_else(|| *self.random.choose(&PRECISIONS));
        // Sometimes only a part of a matrix.
        let first = COLUMN_MULTIPLE * self.random.below(3);
        let rows = first + features + COLUMN_MULTIPLE * self.random.below(2);
        let weight = Matrix::new(self.random, precision, rows, depth);
        let weight = self.builder.add(weight.values(), Role::Matrix);
        let bias = self.builder.parameter(&[rows], &self.random.values(rows, 0.5));
        let scale = self.random.values(features, 1.0);
        let scale = (self.random.below(2) == 1).then(|| self.builder.parameter(&[features], &scale));
        let place = if input == 0 { HALF } else { 0 };
        let from = match self.random.below(3) {
            0 if input_width >= features => {
                Some(ChainOperand::Column(self.random.between(0, input_width - features)))
            }
            // Overwrites the result of the linear before the last one.
            1 if self.linears.len() > 1 => {
                let before = &self.linears[self.linears.len() - 2];
                let wide = before.outputs.len() >= features;
                wide.then_some(ChainOperand::Place(place))
            }
            _ => None,
        };
        self.linears.push(ChainLinear {
            input,
            weight,
            bias,
            outputs: first..first + features,
            activation,
            residual: from.map(|from| ChainResidual { from, scale }),
            place: Some(place),
            column: Some(self.width),
        });
        self.width += features;
        self.last = (features, place);
    }
}

/// Compares a random chain with its formula.
fn check(random: &mut Random, batch: usize, sequence: usize, precision: Option<Precision>, heads: usize) {
    let Some(mut executor) = shared_executor("chain") else { return };
    let size = 32 * random.between(1, 4);
    let input_width = 3 * size + 4 * random.below(9);
    let mut builder = Builder::new(batch, sequence);
    builder.inputs.attention_mask = random.mask(batch, sequence, true);
    let input = builder.activation(&random.values(batch * sequence * input_width, 1.0));
    let source = match heads {
        0 => ChainSource::Rows { column: 4, features: size },
        _ => ChainSource::Attention { columns: [size, 0, 2 * size], heads, head_size: size / heads },
    };
    let stored = random.below(2) == 1;
    let mut linears = Linears {
        random,
        builder: &mut builder,
        precision,
        linears: Vec::new(),
        last: (size, 0),
        width: if stored { size } else { 0 },
    };
    for _ in 0..linears.random.between(1, 4) {
        let features = 32 * linears.random.between(1, 15);
        let activation = *linears.random.choose(&ACTIVATIONS);
        linears.add(features, input_width, activation);
    }
    // A head: any small number of columns.
    let features = linears.random.between(1, 9);
    linears.add(features, input_width, Activation::Identity);
    let Linears { linears, width, .. } = linears;
    let group = Group { index: 0, members: builder.parameters.len() };
    let of_chain: Vec<ParameterId> = linears
        .iter()
        .flat_map(|linear| {
            [Some(linear.weight), Some(linear.bias), linear.residual.and_then(|residual| residual.scale)]
        })
        .flatten()
        .collect();
    for id in &of_chain {
        builder.parameters[id.0].0.group = Some(Group { members: of_chain.len(), ..group });
    }
    let chain = Chain {
        input,
        input_width,
        source,
        source_place: 0,
        source_column: stored.then_some(0),
        linears,
        scratch: 2 * HALF,
        width,
    };
    builder.step(chain, batch * sequence * width);
    let values: interpreter::Parameters = builder
        .parameters
        .iter()
        .map(|(parameter, values)| {
            let floats = values.clone().into_f32(&parameter.name).unwrap();
            floats.data.into_iter().map(f64::from).collect()
        })
        .collect();
    let parameters: Vec<_> = builder.parameters.iter().map(|(parameter, _)| parameter.clone()).collect();
    let results = interpreter::run(&parameters, &builder.plan, &values, &builder.inputs);
    let expected = &results["result"];
    let rms = (expected.iter().map(|x| x * x).sum::<f64>() / expected.len() as f64).sqrt();
    // Five linears without a norm in between amplify the first one's rounding; a wrong index is off by the
    // rms.
    let tolerance = Tolerance::new(2e-4 * rms + 1e-6, 2e-5);
    let what = format!("{batch} × {sequence}, {heads} heads, {precision:?}, {:?}", builder.plan.steps.last());
    assert_close(&what, expected, &builder.run(&mut executor), tolerance);
}

#[test]
fn chain_matches_its_formula_for_random_shapes() {
    let mut random = Random::new(90);
    for round in 0..60 {
        let (batch, sequence) = (random.between(1, 3), random.between(1, 40));
        let precision = Some(PRECISIONS[round % PRECISIONS.len()]).filter(|_| round % 3 > 0);
        let heads = [0, 1, 2, 4, 8][random.below(5)];
        check(&mut random, batch, sequence, precision, heads);
    }
}

#[test]
fn chain_matches_its_formula_over_several_tiles_of_keys() {
    let mut random = Random::new(91);
    for (batch, sequence, heads) in [(1, 128, 4), (1, 129, 4), (2, 260, 2), (1, 512, 8), (1, 384, 1)] {
        check(&mut random, batch, sequence, None, heads);
    }
}
