//! NumPy's legacy shuffle, so that folds can be those that a Python script has made.

/// The Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), seeded as `numpy.random.RandomState`.
struct Mersenne {
    state: [u32; 624],
    at: usize,
}

impl Mersenne {
    fn new(seed: u32) -> Self {
        let mut state = [0; 624];
        let mut value = seed;
        for (i, word) in state.iter_mut().enumerate() {
            *word = value;
            value = 1_812_433_253u32
                .wrapping_mul(value ^ (value >> 30))
                .wrapping_add(i as u32 + 1);
        }
        Mersenne { state, at: 624 }
    }

    fn next(&mut self) -> u32 {
        if self.at == 624 {
            for i in 0..624 {
                let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % 624] & 0x7fff_ffff);
                let twist = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + 397) % 624] ^ (y >> 1) ^ twist;
            }
            self.at = 0;
        }
        let mut y = self.state[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// A number in `0..=most`, by masking and rejecting.
    fn up_to(&mut self, most: u32) -> u32 {
        let mask = match most {
            0 => return 0,
            most => u32::MAX >> most.leading_zeros(),
        };
        loop {
            let value = self.next() & mask;
            if value <= most {
                return value;
            }
        }
    }
}

/// `numpy.arange(n)` after `numpy.random.RandomState(seed).shuffle`.
pub(super) fn numpy_shuffled(n: usize, seed: u32) -> Vec<usize> {
    let mut rng = Mersenne::new(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, rng.up_to(i as u32) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shuffle_is_numpys() {
        // o = numpy.arange(n); numpy.random.RandomState(seed).shuffle(o); o[:8], o[-2:]
        let order = numpy_shuffled(10, 0);
        assert_eq!(order, [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]);
        let long = numpy_shuffled(16_724, 0);
        assert_eq!(long[..6], [1235, 1624, 12927, 14637, 14766, 9203]);
        assert_eq!(long[16_722..], [10799, 2732]);
        let seeded = numpy_shuffled(3_000, 7);
        assert_eq!(seeded[..6], [1306, 2037, 568, 1897, 2498, 1111]);
        assert_eq!(seeded[2_998..], [1220, 175]);
    }
}
