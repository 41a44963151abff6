//! Unpacks single values stored in fewer bits than a float, in plain code that the compiler vectorizes.

/// 2¹¹²: the difference between the exponent biases.
pub const REBIAS: f32 = f32::from_bits((112 + 127) << 23);

/// Converts a finite 16-bit float, given by its bits, via a 32-bit float with a smaller exponent.
#[inline(always)]
pub fn half(bits: u16) -> f32 {
    // Sign-extended, so that one shift puts the sign and the rest in place, with copies of the sign bit
    // between them.
    let shifted = i32::from(bits as i16) << 13;
    f32::from_bits(shifted as u32 & !(0x7 << 28)) * REBIAS
}

/// The two 4-bit integers of a byte, low nibble first.
#[inline(always)]
pub fn nibbles(byte: u8) -> [f32; 2] {
    [f32::from((byte << 4) as i8 >> 4), f32::from(byte as i8 >> 4)]
}

#[cfg(test)]
mod tests {
    use half::f16;

    use crate::simd::{Lanes, Simd, Task};

    struct FromHalves<'a>(&'a [u16]);

    impl Task for FromHalves<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) -> Self::Output {
            let mut values = vec![0.0; self.0.len()];
            for (to, from) in values.as_chunks_mut::<L>().0.iter_mut().zip(self.0.as_chunks().0) {
                V::from_halves(from).store(to);
            }
            values
        }
    }

    #[test]
    fn every_finite_16_bit_float_is_converted_by_every_instruction_set() {
        let halves: Vec<u16> = (0..=u16::MAX).collect();
        for set in Simd::available() {
            for (bits, value) in halves.iter().zip(set.run(FromHalves(&halves))) {
                let expected = f16::from_bits(*bits);
                if expected.is_finite() {
                    assert_eq!(value.to_bits(), expected.to_f32().to_bits(), "{}: {bits:#x}", set.name());
                }
            }
        }
    }

    struct FromNibbles;

    impl Task for FromNibbles {
        type Output = Vec<[f32; 2]>;

        #[inline(always)]
        fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) -> Self::Output {
            let bytes: Vec<u8> = (0..=u8::MAX).collect();
            let mut values = Vec::new();
            for bytes in bytes.as_chunks::<L>().0 {
                let mut parts = [[0.0; L]; 2];
                for (part, to) in V::from_nibbles(bytes).into_iter().zip(&mut parts) {
                    part.store(to);
                }
                values.extend((0..L).map(|lane| [parts[0][lane], parts[1][lane]]));
            }
            values
        }
    }

    #[test]
    fn every_pair_of_nibbles_is_converted_by_every_instruction_set() {
        let signed = |nibble: u8| if nibble < 8 { f32::from(nibble) } else { f32::from(nibble) - 16.0 };
        let expected: Vec<[f32; 2]> =
            (0..=u8::MAX).map(|byte| [signed(byte % 16), signed(byte / 16)]).collect();
        for set in Simd::available() {
            assert_eq!(set.run(FromNibbles), expected, "{}", set.name());
        }
    }
}
