//! Integers split into two planes of bytes, for instructions that multiply four bytes at a time.

/// How an integer is split into two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only WebAssembly and tests use seven bits")
)]
pub enum Planes {
    /// `256 · high + low`, both signed.
    Eight,
    /// `128 · (high − 64) + low`, both from 0 to 127. With 7-bit bytes, WebAssembly's relaxed dot products
    /// have the same results on every processor.
    Seven,
}

impl Planes {
    /// The largest magnitude of an integer that can be split.
    pub const fn largest(self) -> i16 {
        match self {
            Planes::Eight => 127 * 256 + 127,
            Planes::Seven => 63 * 128 + 127,
        }
    }

    /// Bits of the low plane.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "other sets shift by a constant"))]
    pub const fn bits(self) -> u32 {
        match self {
            Planes::Eight => 8,
            Planes::Seven => 7,
        }
    }

    /// Offset to subtract from a byte of the high plane.
    pub const fn offset(self) -> i8 {
        match self {
            Planes::Eight => 0,
            Planes::Seven => 64,
        }
    }

    /// The bytes of an integer, the high one first.
    #[inline(always)]
    pub const fn split(self, value: i16) -> [i8; 2] {
        match self {
            Planes::Eight => {
                let low = value as i8;
                [((value - low as i16) >> 8) as i8, low]
            }
            Planes::Seven => [((value >> 7) + 64) as i8, (value & 127) as i8],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_integer_is_the_sum_of_its_planes() {
        for planes in [Planes::Eight, Planes::Seven] {
            for value in -planes.largest()..=planes.largest() {
                let [high, low] = planes.split(value).map(i32::from);
                let sum = (high - i32::from(planes.offset())) * (1 << planes.bits()) + low;
                assert_eq!(sum, i32::from(value), "{planes:?}");
            }
        }
    }

    #[test]
    fn bytes_of_seven_bits_are_never_negative() {
        for value in -Planes::Seven.largest()..=Planes::Seven.largest() {
            let [high, low] = Planes::Seven.split(value);
            assert!(high >= 0 && low >= 0, "{value}: {high}, {low}");
        }
    }
}
