//! Seeded random values for tests, identical on every machine and in every run.

#![allow(dead_code, reason = "each test binary uses only part of this module")]

/// A SplitMix64 generator.
pub struct Random(pub u64);

impl Random {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A random integer below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.bits() % bound.max(1) as u64) as usize
    }

    /// A random number in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A random element of `choices`.
    pub fn choose<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// A text of up to `max_length` characters from all over Unicode.
    pub fn text(&mut self, max_length: usize) -> String {
        const EDGE_CASES: &[char] = &[
            ' ',
            ' ',
            '\n',
            '\t',
            '\r',
            '\u{a0}',
            '\u{202f}',
            '\u{2028}',
            '\u{85}',
            '\u{b}',
            '\u{0}',
            '\u{7}',
            '\u{200b}',
            '\u{200d}',
            '\u{feff}',
            '\u{fffd}',
            '\u{301}',
            '\u{323}',
            '\u{308}',
            '\u{fe0f}',
            '\u{1f3fd}',
            '👍',
            '👨',
            'é',
            'İ',
            'ẞ',
            'ﬁ',
            'Ǆ',
            'ﬃ',
            'Σ',
            'ς',
            '각',
            '가',
            '東',
            '京',
            '𠀀',
            'ש',
            'ל',
            'م',
            'ﷺ',
            'ि',
            'क',
            '\u{1d15e}',
            '\u{344}',
            '\u{10ffff}',
            '\u{e000}',
            '\u{f900}',
            '.',
            ',',
            '[',
            ']',
            '-',
            '#',
            '\'',
            'ǭ',
            'Ö',
            '½',
            '€',
            '\u{e0041}',
        ];
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
