//! What a refinement's inputs are standardised by.

/// Inputs beyond so many standard deviations are clipped: nothing was learnt there.
const MOST: f32 = 6.0;

/// What the inputs are standardised by before the first layer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standardisation {
    /// The mean of each input.
    pub mean: Vec<f32>,
    /// The standard deviation of each input, or 0.1 where it is less.
    pub deviation: Vec<f32>,
}

impl Standardisation {
    /// Of some rows of inputs.
    pub fn of(rows: &[f32], width: usize) -> Self {
        let n = (rows.len() / width.max(1)).max(1) as f64;
        let (mut sum, mut squares) = (vec![0f64; width], vec![0f64; width]);
        for row in rows.chunks_exact(width.max(1)) {
            for (i, value) in row.iter().enumerate() {
                sum[i] += f64::from(*value);
                squares[i] += f64::from(*value) * f64::from(*value);
            }
        }
        let mean: Vec<f64> = sum.iter().map(|s| s / n).collect();
        let deviation = (squares.iter().zip(&mean))
            .map(|(s, m)| ((s / n - m * m).max(0.0).sqrt() as f32).max(0.1));
        Standardisation {
            deviation: deviation.collect(),
            mean: mean.iter().map(|m| *m as f32).collect(),
        }
    }

    /// Standardises rows in place and clips them.
    pub fn apply(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(self.mean.len().max(1)) {
            for ((value, mean), deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *value = ((*value - mean) / deviation).clamp(-MOST, MOST);
            }
        }
    }
}
