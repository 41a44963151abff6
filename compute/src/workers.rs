//! The CPU kernels' instruction set and threads. Rows are split evenly between the threads. Each row is
//! computed the same way in any split, so results don't depend on the number of threads.

use std::ops::Range;

use crate::simd::Simd;

/// An instruction set and, except in wasm, a thread pool that is shared by clones.
#[derive(Clone, Debug)]
pub struct Workers {
    simd: Simd,
    threads: usize,
    /// The tokens whose rows are computed, and the total number of tokens; `None` for all rows.
    tokens: Option<(Range<usize>, usize)>,
    #[cfg(not(target_arch = "wasm32"))]
    pool: Option<std::sync::Arc<rayon::ThreadPool>>,
}

/// The reason why threads couldn't be started.
#[derive(Debug)]
pub struct ThreadsError(String);

impl std::fmt::Display for ThreadsError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ThreadsError {}

/// Parts have a multiple of this many rows: few enough that 128 tokens can be split between 16 threads.
const PART_ROWS: usize = 8;

/// More threads don't help, and starting thousands takes minutes.
#[cfg(not(target_arch = "wasm32"))]
const MAX_THREADS: usize = 256;

impl Workers {
    /// Starts `threads` threads, or one per core if 0. Always a single thread in wasm.
    ///
    /// # Errors
    /// More threads than are useful, or than the system can start.
    pub fn new(threads: usize, simd: Simd) -> Result<Self, ThreadsError> {
        #[cfg(target_arch = "wasm32")]
        {
            let _ = threads;
            Ok(Workers { simd, threads: 1, tokens: None })
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            let threads = if threads == 0 {
                std::thread::available_parallelism().map_or(1, Into::into).min(MAX_THREADS)
            } else {
                threads
            };
            if threads > MAX_THREADS {
                return Err(ThreadsError(format!("{threads}; at most {MAX_THREADS} are started")));
            }
            let pool = if threads == 1 { None } else { Some(build_pool(threads)?.into()) };
            Ok(Workers { simd, threads, tokens: None, pool })
        }
    }

    /// The instruction set.
    pub fn simd(&self) -> Simd {
        self.simd
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Calls `work` on one of the threads, so that the others are already awake whenever it splits rows.
    pub fn gather<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(pool) = &self.pool {
            return pool.install(work);
        }
        work()
    }

    /// Restricts computation to the rows of these tokens, given with the total number of tokens, until called
    /// with `None`. Meanwhile, every output must have the same number of rows for each token.
    pub fn restrict(&mut self, tokens: Option<(Range<usize>, usize)>) {
        self.tokens = tokens;
    }

    /// Splits the rows of `output`, each `row_len` long, between the threads and calls `work(first_row, rows)` for each
    /// part.
    pub fn for_each_rows(&self, output: &mut [f32], row_len: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
        self.for_each_part(
            output,
            row_len,
            self.part_rows(output.len() / row_len),
            &mut [],
            0,
            |row, rows, _| {
                work(row, rows);
            },
        );
    }

    /// Number of rows per part when `rows` are split between the threads.
    pub(crate) fn part_rows(&self, rows: usize) -> usize {
        if self.threads == 1 { rows.max(1) } else { rows.div_ceil(self.threads).next_multiple_of(PART_ROWS) }
    }

    /// Like [`Workers::for_each_block`], but leaves out the rows of tokens that aren't computed.
    pub(crate) fn for_each_part(
        &self,
        output: &mut [f32],
        row_len: usize,
        part_rows: usize,
        scratch: &mut [f32],
        scratch_len: usize,
        work: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
    ) {
        let rows = match &self.tokens {
            Some((tokens, count)) => {
                let each = output.len() / row_len / count;
                tokens.start * each..tokens.end * each
            }
            None => 0..output.len() / row_len,
        };
        let output = &mut output[rows.start * row_len..rows.end * row_len];
        self.for_each_block(output, row_len, part_rows, scratch, scratch_len, |row, part, scratch| {
            work(rows.start + row, part, scratch);
        });
    }

    /// Splits `output` into parts of `part_rows` rows and calls `work(first_row, rows, scratch)` for each. Each part gets
    /// `scratch_len` floats of `scratch`.
    pub(crate) fn for_each_block(
        &self,
        output: &mut [f32],
        row_len: usize,
        part_rows: usize,
        scratch: &mut [f32],
        scratch_len: usize,
        work: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
    ) {
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(pool) = &self.pool
            && output.len() > part_rows * row_len
        {
            pool.install(|| split(output, row_len, part_rows, 0, scratch, scratch_len, &work));
            return;
        }
        for (index, part) in output.chunks_mut(part_rows * row_len).enumerate() {
            let scratch = &mut scratch[index * scratch_len..][..scratch_len];
            work(index * part_rows, part, scratch);
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn build_pool(threads: usize) -> Result<rayon::ThreadPool, ThreadsError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("mobilebert-{index}"))
        .build()
        .map_err(|problem| ThreadsError(format!("{threads} threads cannot be started: {problem}")))
}

/// Recursively halves `output` down to single parts.
#[cfg(not(target_arch = "wasm32"))]
fn split(
    output: &mut [f32],
    row_len: usize,
    part_rows: usize,
    first_row: usize,
    scratch: &mut [f32],
    scratch_len: usize,
    work: &(impl Fn(usize, &mut [f32], &mut [f32]) + Sync),
) {
    let parts = output.len().div_ceil(part_rows * row_len);
    if parts <= 1 {
        if !output.is_empty() {
            work(first_row, output, &mut scratch[..scratch_len]);
        }
        return;
    }
    let left = parts / 2;
    let (output_left, output_right) = output.split_at_mut(left * part_rows * row_len);
    let (scratch_left, scratch_right) = scratch.split_at_mut(left * scratch_len);
    rayon::join(
        || split(output_left, row_len, part_rows, first_row, scratch_left, scratch_len, work),
        || {
            let first_row = first_row + left * part_rows;
            split(output_right, row_len, part_rows, first_row, scratch_right, scratch_len, work)
        },
    );
}
