//! The two kinds of numbers that measures are made of, and their order as integers.

/// A kind of value that can be measured: `f32` (signal) or `f64`.
pub trait Value: Copy + Send + Sync + Into<f64> + sealed::Ordered {}

impl Value for f32 {}
impl Value for f64 {}

pub(super) mod sealed {
    /// Finite floats as integers in the same order, with −0 equal to 0.
    pub trait Ordered: Copy {
        /// How many low bits of a key are in use.
        const KEY_BITS: u32;
        /// The value 0.
        const ZERO: Self;
        /// A key and a position in one integer, ordered by the key, then the position.
        type Packed: Ord + Copy + Send + Sync;

        fn is_a_number(self) -> bool;
        fn key(self) -> u64;
        fn pack(self, position: u32) -> Self::Packed;
        fn position(packed: Self::Packed) -> u32;
        fn same_key(a: Self::Packed, b: Self::Packed) -> bool;
    }

    impl Ordered for f32 {
        const KEY_BITS: u32 = 32;
        const ZERO: Self = 0.0;
        type Packed = u64;

        fn is_a_number(self) -> bool {
            self.is_finite()
        }

        fn key(self) -> u64 {
            // Adding 0 turns −0 into 0. Negative floats grow downwards: all their bits are turned.
            let bits = (self + 0.0).to_bits();
            let sign = bits >> 31;
            u64::from(if sign == 1 { !bits } else { bits | 1 << 31 })
        }

        fn pack(self, position: u32) -> u64 {
            self.key() << 32 | u64::from(position)
        }

        fn position(packed: u64) -> u32 {
            packed as u32
        }

        fn same_key(a: u64, b: u64) -> bool {
            a >> 32 == b >> 32
        }
    }

    impl Ordered for f64 {
        const KEY_BITS: u32 = 64;
        const ZERO: Self = 0.0;
        type Packed = u128;

        fn is_a_number(self) -> bool {
            self.is_finite()
        }

        fn key(self) -> u64 {
            let bits = (self + 0.0).to_bits();
            let sign = bits >> 63;
            if sign == 1 { !bits } else { bits | 1 << 63 }
        }

        fn pack(self, position: u32) -> u128 {
            u128::from(self.key()) << 32 | u128::from(position)
        }

        fn position(packed: u128) -> u32 {
            packed as u32
        }

        fn same_key(a: u128, b: u128) -> bool {
            a >> 32 == b >> 32
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sealed::Ordered;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_ordered_as_their_floats(a in proptest::num::f32::NORMAL | proptest::num::f32::ZERO | proptest::num::f32::SUBNORMAL,
                                            b in proptest::num::f32::NORMAL | proptest::num::f32::ZERO) {
            prop_assert_eq!(Some(a.key().cmp(&b.key())), a.partial_cmp(&b));
            let (a, b) = (f64::from(a) * 1e-9, f64::from(b) * 1e-9);
            prop_assert_eq!(Some(a.key().cmp(&b.key())), a.partial_cmp(&b));
        }
    }

    #[test]
    fn minus_zero_and_zero_are_one_value() {
        assert_eq!((-0.0f32).key(), 0.0f32.key());
        assert!(f64::same_key((-0.0f64).pack(1), 0.0f64.pack(2)));
        assert!((-0.0f64).pack(1) < 0.0f64.pack(2));
    }
}
