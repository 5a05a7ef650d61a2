//! Mean, variance and maximum of a track over its bins with data, in one pass and in pieces.

/// Statistics of some values; those of two pieces can be put together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Statistics {
    pub(crate) n: u64,
    pub(crate) mean: f64,
    /// Sum of the squared deviations from the mean.
    squares: f64,
    pub(crate) maximum: f64,
    pub(crate) n_negative: u64,
}

impl Default for Statistics {
    fn default() -> Self {
        Statistics {
            n: 0,
            mean: 0.0,
            squares: 0.0,
            maximum: f64::NEG_INFINITY,
            n_negative: 0,
        }
    }
}

impl Statistics {
    /// Of the values of one piece that are not NaN, in blocks that stay in the processor's cache for their two passes.
    pub(crate) fn of(values: &[f32]) -> Self {
        let blocks = values.chunks(4_096).map(Self::of_block);
        blocks.fold(Self::default(), Self::and)
    }

    fn of_block(values: &[f32]) -> Self {
        if values.iter().any(|v| v.is_nan()) {
            let known: Vec<f32> = values.iter().copied().filter(|v| !v.is_nan()).collect();
            return match known.is_empty() {
                true => Self::default(),
                false => Self::of_block(&known),
            };
        }
        let n = values.len() as u64;
        let mean = sum_of(values, f64::from) / n as f64;
        let squares = sum_of(values, |v| (f64::from(v) - mean) * (f64::from(v) - mean));
        let maximum = values
            .iter()
            .fold(f32::NEG_INFINITY, |m, v| if *v > m { *v } else { m });
        Statistics {
            n,
            mean,
            squares,
            maximum: f64::from(maximum),
            n_negative: values.iter().map(|v| u64::from(*v < 0.0)).sum(),
        }
    }

    /// Of two pieces together (Chan, Golub & LeVeque 1979).
    pub(crate) fn and(self, other: Self) -> Self {
        let n = self.n + other.n;
        if n == 0 {
            return self;
        }
        let difference = other.mean - self.mean;
        let share = other.n as f64 / n as f64;
        Statistics {
            n,
            mean: self.mean + difference * share,
            squares: self.squares + other.squares + difference * difference * self.n as f64 * share,
            maximum: self.maximum.max(other.maximum),
            n_negative: self.n_negative + other.n_negative,
        }
    }

    /// The mean squared deviation from the mean.
    pub(crate) fn variance(&self) -> f64 {
        self.squares / self.n.max(1) as f64
    }
}

/// The sum of a function of each value, in eight lanes: one sum would wait for itself.
fn sum_of(values: &[f32], f: impl Fn(f32) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for (lane, value) in lanes.iter_mut().zip(eight) {
            *lane += f(*value);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|v| f(*v)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_data_do_not_count() {
        let nan = f32::NAN;
        // Of 1, 2, 4, −3, 6, as below.
        let values = [nan, 1.0, 2.0, nan, 4.0, -3.0, nan, 6.0, nan];
        for cut in 0..=values.len() {
            let both = Statistics::of(&values[..cut]).and(Statistics::of(&values[cut..]));
            assert_eq!((both.n, both.n_negative, both.maximum), (5, 1, 6.0));
            assert!((both.mean - 2.0).abs() < 1e-15, "{both:?}");
            assert!((both.variance() - 9.2).abs() < 1e-14, "{both:?}");
        }
        assert_eq!(Statistics::of(&[nan; 3]).n, 0);
    }

    #[test]
    fn statistics_of_pieces_are_those_of_the_whole() {
        // Of 1, 2, 4, −3, 6: mean 2, squared deviations 1 + 0 + 4 + 25 + 16 = 46.
        let values = [1.0, 2.0, 4.0, -3.0, 6.0];
        for cut in 0..=5 {
            let both = Statistics::of(&values[..cut]).and(Statistics::of(&values[cut..]));
            assert_eq!(both.n, 5);
            assert!((both.mean - 2.0).abs() < 1e-15, "{both:?}");
            assert!((both.variance() - 9.2).abs() < 1e-14, "{both:?}");
            assert_eq!((both.maximum, both.n_negative), (6.0, 1));
        }
        // 0, 1, …, 9999: mean 4999.5, variance (10⁸ − 1) / 12.
        let many: Vec<f32> = (0..10_000).map(|i| i as f32).collect();
        let of = Statistics::of(&many);
        assert!((of.mean - 4_999.5).abs() < 1e-9, "{of:?}");
        assert!((of.variance() - 99_999_999.0 / 12.0).abs() < 1e-4, "{of:?}");
    }
}
