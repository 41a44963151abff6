//! Seeded random numbers for tests, identical on every machine and in every run.

/// Characters that tokenizers treat specially: white space, controls, combining marks, case mappings, surrogates.
#[rustfmt::skip]
const EDGE_CASES: &[char] = &[
    ' ', ' ', '\n', '\t', '\r', '\u{a0}', '\u{202f}', '\u{2028}', '\u{85}', '\u{b}', '\u{0}', '\u{7}',
    '\u{200b}', '\u{200d}', '\u{feff}', '\u{fffd}', '\u{301}', '\u{323}', '\u{308}', '\u{fe0f}', '\u{1f3fd}',
    '👍', '👨', 'é', 'İ', 'ẞ', 'ﬁ', 'Ǆ', 'ﬃ', 'Σ', 'ς', '각', '가', '東', '京', '𠀀', 'ש', 'ל', 'م', 'ﷺ', 'ि', 'क',
    '\u{1d15e}', '\u{344}', '\u{10ffff}', '\u{e000}', '\u{f900}', '.', ',', '[', ']', '-', '#', '\'', 'ǭ',
    'Ö', '½', '€', '\u{e0041}',
];

/// A SplitMix64 generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator whose sequence depends only on `seed`.
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A random integer in `0..bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "the bound must be positive");
        (self.bits() % bound as u64) as usize
    }

    /// A random integer in `low..=high`.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// Uniform in [−1, 1).
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// `len` numbers, uniform in [−size, size).
    pub fn values(&mut self, len: usize, size: f32) -> Vec<f32> {
        (0..len).map(|_| self.unit() * size).collect()
    }

    /// `len` numbers with magnitudes from about `size`/1000 to `size`, as in trained networks.
    pub fn mixed_magnitudes(&mut self, len: usize, size: f32) -> Vec<f32> {
        (0..len).map(|_| self.unit() * size * 10f32.powi(-(self.below(4) as i32))).collect()
    }

    /// A mask `[batch, sequence]`. Each sequence is unmasked, has a masked tail or random masked tokens, or, if
    /// `may_be_empty`, is fully masked.
    pub fn mask(&mut self, batch: usize, sequence: usize, may_be_empty: bool) -> Vec<u32> {
        let mut mask = Vec::with_capacity(batch * sequence);
        for _ in 0..batch {
            let start = mask.len();
            match self.below(if may_be_empty { 4 } else { 3 }) {
                0 => mask.extend((0..sequence).map(|_| 1)),
                1 => {
                    let length = self.between(1, sequence);
                    mask.extend((0..sequence).map(|token| u32::from(token < length)));
                }
                2 => {
                    mask.extend((0..sequence).map(|_| u32::from(self.below(3) > 0)));
                    let attended = self.below(sequence);
                    mask[start + attended] = 1;
                }
                _ => mask.extend((0..sequence).map(|_| 0)),
            }
        }
        mask
    }

    /// A random element of `choices`.
    pub fn choose<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// A text of up to `max_length` characters from all over Unicode.
    pub fn text(&mut self, max_length: usize) -> String {
        let length = self.below(max_length + 1);
        let mut text = String::new();
        for _ in 0..length {
            let character = match self.below(10) {
                0..=3 => (b'a' + self.below(26) as u8) as char,
                4 => (b'A' + self.below(26) as u8) as char,
                5..=7 => *self.choose(EDGE_CASES),
                8 => char::from_u32(self.below(0x3000) as u32).unwrap_or('x'),
                _ => char::from_u32(self.below(0x11_0000) as u32).unwrap_or('y'),
            };
            text.push(character);
        }
        text
    }
}
