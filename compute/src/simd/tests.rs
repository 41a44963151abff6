//! Compares every available instruction set with plain arithmetic.

use super::*;

struct LaneCount;

impl Task for LaneCount {
    type Output = (usize, [f32; 2]);

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) -> Self::Output {
        let mut out = [0.0; L];
        V::load(&[2.0; L]).add_scaled(3.0, V::load(&[0.5; L])).store(&mut out);
        (L, [out[0], out[L - 1]])
    }
}

#[test]
fn every_available_instruction_set_uses_its_own_lane_count() {
    let sets = Simd::available();
    assert_eq!(sets.last(), Some(&Simd::best()));
    for set in sets {
        assert_eq!(set.run(LaneCount), (set.lanes(), [3.5, 3.5]), "{}", set.name());
    }
}

struct ReluOfFirstLanes;

impl Task for ReluOfFirstLanes {
    type Output = [f32; 4];

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) -> Self::Output {
        let mut values = [5.0; L];
        values[..4].copy_from_slice(&[-2.0, 3.0, f32::NAN, -0.5]);
        let mut out = [0.0; L];
        V::load(&values).multiply(V::load(&[2.0; L])).add(V::load(&[1.0; L])).relu().store(&mut out);
        [out[0], out[1], out[2], out[L - 1]]
    }
}

#[test]
fn relu_keeps_nan() {
    for set in Simd::available() {
        let [negative, positive, nan, last] = set.run(ReluOfFirstLanes);
        assert_eq!((negative, positive, last), (0.0, 7.0, 11.0), "{}", set.name());
        assert!(nan.is_nan(), "{}", set.name());
    }
}

struct IntegerProducts;

impl Task for IntegerProducts {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) -> Self::Output {
        let right = std::array::from_fn(|lane| [lane as i16 * 100, i16::MIN]);
        let sum = V::Ints::zero().add_products([-3, i16::MAX], V::Ints::load(&right));
        let sum = sum.add_products([i16::MIN, 2], V::Ints::load(&right));
        let mut out = [0.0; L];
        V::from_ints(sum).store(&mut out);
        out.to_vec()
    }
}

#[test]
fn integer_products_keep_their_signs_and_lanes() {
    for set in Simd::available() {
        let lane = |lane| {
            let (lane, lowest, highest) = (lane as i32 * 100, i32::from(i16::MIN), i32::from(i16::MAX));
            ((-3 * lane + highest * lowest) + (lowest * lane + 2 * lowest)) as f32
        };
        let expected: Vec<f32> = (0..set.lanes()).map(lane).collect();
        assert_eq!(set.run(IntegerProducts), expected, "{}", set.name());
    }
}

struct ByteProducts;

impl Task for ByteProducts {
    type Output = (i32, Vec<f32>);

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) -> Self::Output {
        let right = std::array::from_fn(|lane| [lane as i8, i8::MIN, i8::MAX, -(lane as i8)]);
        let sum = V::Ints::zero().add_byte_products([3, 0, i8::MAX, 5], &right).shift_high_plane();
        let mut out = [0.0; L];
        V::from_ints(sum.add_byte_products([1, i8::MAX, 0, 0], &right)).store(&mut out);
        (1 << V::Ints::PLANES.bits(), out.to_vec())
    }
}

#[test]
fn byte_products_keep_their_signs_and_lanes() {
    for set in Simd::available() {
        let (factor, sums) = set.run(ByteProducts);
        let lane = |lane| (factor * (3 * lane + 127 * 127 - 5 * lane) + lane - 128 * 127) as f32;
        let expected: Vec<f32> = (0..set.lanes() as i32).map(lane).collect();
        assert_eq!(sums, expected, "{}", set.name());
    }
}
