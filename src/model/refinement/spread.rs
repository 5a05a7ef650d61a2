//! How far what is observed lies from what is predicted.

/// The standard deviation of observed about predicted signal, by what was predicted, in units of
/// the track's own standard deviation; measured on experiments kept from a network's targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// (predicted, standard deviation), ascending in the first.
    pub points: Vec<(f32, f32)>,
}

impl Default for Spread {
    /// Nothing measured: as far as if nothing were known.
    fn default() -> Self {
        Spread {
            points: vec![(0.0, 1.0)],
        }
    }
}

impl Spread {
    /// Whether it was measured at all.
    pub fn is_measured(&self) -> bool {
        self.points.len() > 1
    }

    /// From predictions and squared residuals: their mean in `n` groups of equal size.
    pub fn measured(mut pairs: Vec<(f32, f32)>, n: usize) -> Self {
        if pairs.is_empty() {
            return Spread::default();
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let size = pairs.len().div_ceil(n.max(1));
        let mean = |group: &[(f32, f32)], of: fn(&(f32, f32)) -> f32| {
            group.iter().map(|p| f64::from(of(p))).sum::<f64>() / group.len() as f64
        };
        let points = pairs.chunks(size).map(|group| {
            (
                mean(group, |p| p.0) as f32,
                mean(group, |p| p.1).sqrt() as f32,
            )
        });
        Spread {
            points: points.collect(),
        }
    }

    /// At a predicted value: between the two nearest points, or the last one's beyond it.
    pub fn at(&self, predicted: f32) -> f32 {
        let next = self.points.partition_point(|p| p.0 <= predicted);
        match (
            next.checked_sub(1).map(|i| self.points[i]),
            self.points.get(next),
        ) {
            (Some(low), Some(high)) if high.0 > low.0 => {
                low.1 + (high.1 - low.1) * (predicted - low.0) / (high.0 - low.0)
            }
            (Some(only), _) => only.1,
            (None, Some(only)) => only.1,
            (None, None) => 1.0,
        }
    }
}
