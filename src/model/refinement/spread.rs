//! How far what is observed lies from what is predicted.

/// How observed signal lies about predicted, by what was predicted, in units of the track's own standard
/// deviation; measured on experiments kept from a network's targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// (predicted, root mean squared residual), ascending in the first.
    pub points: Vec<(f32, f32)>,
    /// Of each point the `QUANTILES` of observed − predicted; empty of models that kept none.
    pub quantiles: Vec<[f32; 4]>,
}

/// The quantiles that are kept: the ends of the central 50 % and 90 %.
pub const QUANTILES: [f64; 4] = [0.05, 0.25, 0.75, 0.95];
/// The same of a normal distribution, in standard deviations.
const NORMAL: [f32; 4] = [-1.644_854, -0.674_49, 0.674_49, 1.644_854];
/// How often the group of the highest predictions is halved: signal has its peaks there.
const HALVINGS: usize = 3;
/// Residuals of such a half at least.
const FEWEST: usize = 500;

impl Default for Spread {
    /// Nothing measured: as far as if nothing were known.
    fn default() -> Self {
        Spread {
            points: vec![(0.0, 1.0)],
            quantiles: Vec::new(),
        }
    }
}

impl Spread {
    /// Whether it was measured at all.
    pub fn is_measured(&self) -> bool {
        self.points.len() > 1
    }

    /// From predictions and residuals (observed − predicted): their root mean square and quantiles in
    /// `n` groups of equal size, the last of them in halves, quarters and eighths where it is large.
    pub fn measured(mut pairs: Vec<(f32, f32)>, n: usize) -> Self {
        if pairs.is_empty() {
            return Spread::default();
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let size = pairs.len().div_ceil(n.max(1));
        let mut sizes: Vec<usize> = pairs.chunks(size).map(<[_]>::len).collect();
        for _ in 0..HALVINGS {
            let last = sizes.pop().unwrap_or(0);
            if last < 2 * FEWEST {
                sizes.push(last);
                break;
            }
            sizes.extend([last / 2, last - last / 2]);
        }
        let (mut points, mut quantiles) = (Vec::new(), Vec::new());
        let mut rest = &mut pairs[..];
        for size in sizes {
            let (group, after) = rest.split_at_mut(size);
            rest = after;
            let mean =
                |of: fn(&(f32, f32)) -> f64| group.iter().map(of).sum::<f64>() / group.len() as f64;
            points.push((
                mean(|p| f64::from(p.0)) as f32,
                mean(|p| f64::from(p.1) * f64::from(p.1)).sqrt() as f32,
            ));
            group.sort_by(|a, b| a.1.total_cmp(&b.1));
            quantiles.push(QUANTILES.map(|q| {
                let place = (q * (group.len() - 1) as f64).round() as usize;
                group[place].1
            }));
        }
        Spread { points, quantiles }
    }

    /// The quantiles of observed − predicted at a predicted value, as [`Spread::at`] finds them; `None`
    /// where none were kept.
    pub fn quantiles_at(&self, predicted: f32) -> Option<[f32; 4]> {
        if self.quantiles.is_empty() || self.quantiles.len() != self.points.len() {
            return None;
        }
        let next = self.points.partition_point(|p| p.0 <= predicted);
        let (low, high) = (next.saturating_sub(1), next.min(self.points.len() - 1));
        let apart = self.points[high].0 - self.points[low].0;
        let share = match apart > 0.0 {
            true => (predicted - self.points[low].0) / apart,
            false => 0.0,
        };
        let (low, high) = (self.quantiles[low], self.quantiles[high]);
        Some(std::array::from_fn(|i| low[i] + (high[i] - low[i]) * share))
    }

    /// The same, or what a normal distribution of the root mean square has where none were kept.
    pub fn ends_at(&self, predicted: f32) -> [f32; 4] {
        self.quantiles_at(predicted)
            .unwrap_or_else(|| NORMAL.map(|half| half * self.at(predicted)))
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
