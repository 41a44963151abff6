//! Shared by the attention kernels: packs keys and values per head, and computes scores for a few rows at a
//! time.

use crate::packed::AlignedFloats;
use crate::panels::{self, Panels, StridedRows};
use crate::product::Product;
use crate::simd::Simd;
use crate::softmax::Softmax;
use crate::workers::Workers;

/// Scratch memory of the attention kernels, reused between calls. It grows as needed and never shrinks.
#[derive(Debug, Default)]
pub struct Scratch {
    keys: AlignedFloats,
    values: AlignedFloats,
    scores: AlignedFloats,
}

/// Number of query rows whose scores are in memory at a time.
/// A multiple of most sets' tile heights.
const SCORE_ROWS: usize = 24;

/// Sizes of an attention operation.
#[derive(Clone, Copy, Debug)]
pub struct AttentionShape {
    /// Sequences.
    pub batch: usize,
    /// Tokens per sequence.
    pub sequence: usize,
    /// Attention heads.
    pub heads: usize,
    /// Width of a head.
    pub head_size: usize,
}

/// Queries, keys or values: the rows of all tokens, in which the heads are adjacent.
#[derive(Clone, Copy, Debug)]
pub struct HeadRows<'a>(StridedRows<'a>);

impl<'a> HeadRows<'a> {
    /// Rows that are `stride` floats apart, with the heads from column `first` on.
    pub fn new(values: &'a [f32], stride: u32, first: u32) -> Self {
        HeadRows(StridedRows::new(values, stride, first))
    }
}

/// Packed keys or values of one head, for the first `tokens` tokens.
struct HeadPanels<'a> {
    data: &'a [f32],
    tokens: usize,
}

impl AttentionShape {
    /// Length of the output's rows.
    pub fn width(&self) -> usize {
        self.heads * self.head_size
    }

    /// The rows of one head, starting at a token.
    fn rows<'a>(&self, rows: HeadRows<'a>, batch: usize, token: usize, head: usize) -> StridedRows<'a> {
        rows.0.from(batch * self.sequence + token, head * self.head_size)
    }

    /// Packs every head of every sequence; `pack(batch, head, panels)` packs one.
    fn pack(
        &self,
        panels: &mut [f32],
        len: usize,
        workers: &Workers,
        pack: impl Fn(usize, usize, &mut [f32]) + Sync,
    ) {
        let count = self.batch * self.heads;
        let part = count.div_ceil(workers.threads());
        // All heads, even if only some rows of the result are computed.
        workers.for_each_block(&mut panels[..count * len], len, part, &mut [], 0, |first, panels, _| {
            for (index, panels) in panels.chunks_exact_mut(len).enumerate() {
                pack((first + index) / self.heads, (first + index) % self.heads, panels);
            }
        });
    }

    fn key_len(&self, simd: Simd) -> usize {
        panels::panels_len(self.head_size, self.sequence, simd.lanes())
    }

    fn value_len(&self, simd: Simd) -> usize {
        panels::panels_len(self.sequence, self.head_size, simd.lanes())
    }

    /// Number of tokens up to the last attended one; nothing is computed for the keys after it.
    fn tokens(&self, mask: &[u32], batch: usize) -> usize {
        self.mask(mask, batch).iter().rposition(|&mask| mask != 0).map_or(0, |last| last + 1)
    }

    fn mask<'a>(&self, mask: &'a [u32], batch: usize) -> &'a [u32] {
        &mask[batch * self.sequence..][..self.sequence]
    }

    fn pack_keys(&self, keys: &mut AlignedFloats, mask: &[u32], key: HeadRows<'_>, workers: &Workers) {
        let (lanes, len) = (workers.simd().lanes(), self.key_len(workers.simd()));
        let panels = keys.at_least(self.batch * self.heads * len);
        self.pack(panels, len, workers, |batch, head, panels| {
            let tokens = self.tokens(mask, batch);
            let panels = &mut panels[..panels::panels_len(self.head_size, tokens, lanes)];
            panels::pack_rows(self.rows(key, batch, 0, head), self.head_size, tokens, lanes, panels);
        });
    }

    fn pack_values(
        &self,
        values: &mut AlignedFloats,
        tokens: impl Fn(usize) -> usize + Sync,
        value: HeadRows<'_>,
        workers: &Workers,
    ) {
        let (lanes, len) = (workers.simd().lanes(), self.value_len(workers.simd()));
        let panels = values.at_least(self.batch * self.heads * len);
        self.pack(panels, len, workers, |batch, head, panels| {
            let tokens = tokens(batch);
            if tokens > 0 {
                let panels = &mut panels[..panels::panels_len(tokens, self.head_size, lanes)];
                panels::pack_columns(self.rows(value, batch, 0, head), tokens, self.head_size, lanes, panels);
            }
        });
    }

    fn keys<'a>(
        &self,
        keys: &'a AlignedFloats,
        simd: Simd,
        batch: usize,
        head: usize,
        tokens: usize,
    ) -> HeadPanels<'a> {
        let start = (batch * self.heads + head) * self.key_len(simd);
        let len = panels::panels_len(self.head_size, tokens, simd.lanes());
        HeadPanels { data: &keys.as_slice()[start..start + len], tokens }
    }

    fn values<'a>(
        &self,
        values: &'a AlignedFloats,
        simd: Simd,
        batch: usize,
        head: usize,
        tokens: usize,
    ) -> HeadPanels<'a> {
        let start = (batch * self.heads + head) * self.value_len(simd);
        let len = panels::panels_len(tokens, self.head_size, simd.lanes());
        HeadPanels { data: &values.as_slice()[start..start + len], tokens }
    }

    /// `softmax(q kᵀ + mask)` into `[batch, heads, sequence, sequence]`.
    pub fn probabilities(
        &self,
        mask: &[u32],
        [query, key]: [HeadRows<'_>; 2],
        output: &mut [f32],
        scratch: &mut Scratch,
        workers: &Workers,
    ) {
        self.pack_keys(&mut scratch.keys, mask, key, workers);
        let (simd, keys) = (workers.simd(), &scratch.keys);
        let output = &mut output[..self.batch * self.heads * self.sequence * self.sequence];
        workers.for_each_rows(output, self.sequence, |first_row, mut part| {
            let mut row = first_row;
            while !part.is_empty() {
                let (token, head_index) = (row % self.sequence, row / self.sequence);
                let (batch, head) = (head_index / self.heads, head_index % self.heads);
                let count = SCORE_ROWS.min(self.sequence - token).min(part.len() / self.sequence);
                let (block, rest) = part.split_at_mut(count * self.sequence);
                let tokens = self.tokens(mask, batch);
                let keys = self.keys(keys, simd, batch, head, tokens);
                self.scores(self.rows(query, batch, token, head), count, &keys, block, self.sequence, simd);
                let mask = &self.mask(mask, batch)[..tokens];
                simd.run(Softmax { scores: block, stride: self.sequence, mask, sums: None });
                part = rest;
                row += count;
            }
        });
    }

    /// `probabilities · v` into `[batch · sequence, width]`.
    pub fn context(
        &self,
        probabilities: &[f32],
        value: HeadRows<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
        workers: &Workers,
    ) {
        self.pack_values(&mut scratch.values, |_| self.sequence, value, workers);
        let (simd, values) = (workers.simd(), &scratch.values);
        let output = &mut output[..self.batch * self.sequence * self.width()];
        workers.for_each_rows(output, self.width(), |first_row, part| {
            self.blocks(first_row, part, |batch, token, count, block| {
                for head in 0..self.heads {
                    let values = self.values(values, simd, batch, head, self.sequence);
                    let start = ((batch * self.heads + head) * self.sequence + token) * self.sequence;
                    let weights = StridedRows { data: &probabilities[start..], stride: self.sequence };
                    self.weighted_sums(weights, count, &values, &mut block[head * self.head_size..], simd);
                }
            });
        });
    }

    /// Both operations fused, for [`SCORE_ROWS`] rows at a time.
    pub fn attention(
        &self,
        mask: &[u32],
        [query, key, value]: [HeadRows<'_>; 3],
        output: &mut [f32],
        scratch: &mut Scratch,
        workers: &Workers,
    ) {
        self.pack_keys(&mut scratch.keys, mask, key, workers);
        self.pack_values(&mut scratch.values, |batch| self.tokens(mask, batch), value, workers);
        let (simd, keys, values) = (workers.simd(), &scratch.keys, &scratch.values);
        let rows = self.batch * self.sequence;
        let output = &mut output[..rows * self.width()];
        let part_rows = workers.part_rows(rows);
        let stride = self.sequence.next_multiple_of(16);
        let scratch_len = SCORE_ROWS * stride;
        let scores = scratch.scores.at_least(rows.div_ceil(part_rows) * scratch_len);
        workers.for_each_part(
            output,
            self.width(),
            part_rows,
            scores,
            scratch_len,
            |first_row, part, scores| {
                self.blocks(first_row, part, |batch, token, count, block| {
                    let tokens = self.tokens(mask, batch);
                    if tokens == 0 {
                        block.fill(0.0);
                        return;
                    }
                    let mask = &self.mask(mask, batch)[..tokens];
                    let scores = &mut scores[..count * stride];
                    for head in 0..self.heads {
                        let keys = self.keys(keys, simd, batch, head, tokens);
                        let values = self.values(values, simd, batch, head, tokens);
                        let mut sums = [0.0; SCORE_ROWS];
                        self.scores(self.rows(query, batch, token, head), count, &keys, scores, stride, simd);
                        simd.run(Softmax { scores, stride, mask, sums: Some(&mut sums[..count]) });
                        let block = &mut block[head * self.head_size..];
                        self.weighted_sums(StridedRows { data: scores, stride }, count, &values, block, simd);
                        for (row, sum) in block.chunks_mut(self.width()).zip(sums) {
                            row[..self.head_size].iter_mut().for_each(|value| *value /= sum);
                        }
                    }
                });
            },
        );
    }

    /// Splits rows into blocks of at most [`SCORE_ROWS`] rows of one sequence and calls `work(batch, token, count, rows)`.
    fn blocks(
        &self,
        first_row: usize,
        mut part: &mut [f32],
        mut work: impl FnMut(usize, usize, usize, &mut [f32]),
    ) {
        let mut row = first_row;
        while !part.is_empty() {
            let token = row % self.sequence;
            let count = SCORE_ROWS.min(self.sequence - token).min(part.len() / self.width());
            let (block, rest) = part.split_at_mut(count * self.width());
            work(row / self.sequence, token, count, block);
            part = rest;
            row += count;
        }
    }

    fn scores(
        &self,
        query: StridedRows<'_>,
        rows: usize,
        keys: &HeadPanels<'_>,
        scores: &mut [f32],
        stride: usize,
        simd: Simd,
    ) {
        simd.multiply(Product {
            input: query,
            rows,
            panels: Panels::F32(keys.data),
            depth: self.head_size,
            columns: keys.tokens,
            output: scores,
            output_stride: stride,
            epilogue: None,
        });
    }

    fn weighted_sums(
        &self,
        weights: StridedRows<'_>,
        rows: usize,
        values: &HeadPanels<'_>,
        output: &mut [f32],
        simd: Simd,
    ) {
        simd.multiply(Product {
            input: weights,
            rows,
            panels: Panels::F32(values.data),
            depth: values.tokens,
            columns: self.head_size,
            output,
            output_stride: self.width(),
            epilogue: None,
        });
    }
}
