//! How far what would be observed lies from what is imputed.
//!
//! A model of architecture `persea` measures it in training, on validation tracks that a network does not
//! have as targets: the root mean square and quantiles of observed − imputed, by what is imputed, in units
//! of the expected standard deviation of the track. An experiment's own are these on the scale that is
//! expected of it. Observed signal is mostly near and seldom far from imputed, so that no multiple of the
//! standard deviation holds both half and nine tenths of it; quantiles do.

use super::ImputationError;
use crate::compendium::Experiment;
use crate::model::{Spread, TrackScale, TrainedModel};

/// The distribution of what would be observed of one experiment about what is imputed.
#[derive(Debug, Clone, Copy)]
pub struct Uncertainty<'a> {
    spread: &'a Spread,
    scale: TrackScale,
}

impl<'a> Uncertainty<'a> {
    /// Of an experiment.
    ///
    /// # Errors
    /// When the model does not know the experiment, or has measured no uncertainty.
    pub fn of(model: &'a TrainedModel, experiment: &Experiment) -> crate::Result<Self> {
        let measured = model.refinement().filter(|r| r.spread.is_measured());
        let Some(refinement) = measured else {
            let model = model.record().name.clone();
            return Err(ImputationError::NoUncertainty { model }.into());
        };
        let biosample = model.biosample(&experiment.biosample)? as u32;
        let assay = model.assay(&experiment.assay)? as u32;
        Ok(Uncertainty {
            spread: &refinement.spread,
            scale: refinement.expected_scale(biosample, assay),
        })
    }

    fn predicted(&self, imputed: f32) -> f32 {
        (imputed - self.scale.mean) / self.scale.deviation
    }

    /// The root mean squared distance of what would be observed from what is imputed (arcsinh).
    pub fn deviation(&self, imputed: f32) -> f32 {
        self.scale.deviation * self.spread.at(self.predicted(imputed))
    }

    /// The 5 %, 25 %, 75 % and 95 % quantiles of what would be observed where this is imputed, on the scale
    /// that tracks are stored on: the ends of the central 90 % and 50 %.
    pub fn interval_ends(&self, imputed: f32) -> [f32; 4] {
        let ends = self.spread.ends_at(self.predicted(imputed));
        ends.map(|end| imputed + self.scale.deviation * end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use rand_chacha::rand_core::RngCore;

    /// Prediction and observation, both standardised, where the truth is known: what is observed lies about
    /// a prediction that is its mean, seven times in ten a little below it and else farther above, by the
    /// square of an exponential variable; its standard deviation is 0.4 to 1.6, more where more is predicted.
    fn planted(n: usize, seed: u64) -> Vec<(f32, f32)> {
        let mut random = generator(seed, Purpose::Bins, 7);
        let mut unit = || (f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0;
        (0..n)
            .map(|_| {
                let predicted = -0.7 * unit().ln();
                let width = 0.4 + 0.4 * predicted.min(3.0);
                // The mean of the square is 2 and that of its own square 24.
                let square = unit().ln().powi(2);
                let side = if unit() < 0.7 { -1.0 } else { 7.0 / 3.0 };
                let observed = predicted + width * side * square / 56f64.sqrt();
                (predicted as f32, observed as f32)
            })
            .collect()
    }

    fn covered(ends: impl Fn(f32) -> [f32; 4], pairs: &[(f32, f32)]) -> [f64; 2] {
        [(1, 2), (0, 3)].map(|(low, high)| {
            let inside = |p: &&(f32, f32)| {
                let ends = ends(p.0);
                ends[low] <= p.1 && p.1 <= ends[high]
            };
            pairs.iter().filter(inside).count() as f64 / pairs.len() as f64
        })
    }

    #[test]
    fn half_of_a_planted_truth_lies_in_the_half_interval_wherever_it_is_imputed() {
        let residuals = planted(800_000, 1).into_iter().map(|(p, o)| (p, o - p));
        let spread = Spread::measured(residuals.collect(), 32);
        assert_eq!(spread.points.len(), 35);
        let scale = TrackScale {
            mean: 0.3,
            deviation: 0.5,
        };
        let uncertainty = Uncertainty {
            spread: &spread,
            scale,
        };
        // Another track, of another scale, that nothing was measured on.
        let stored = |v: f32| scale.mean + scale.deviation * v;
        let mut other: Vec<(f32, f32)> = planted(200_000, 2)
            .into_iter()
            .map(|(p, o)| (stored(p), stored(o)))
            .collect();
        other.sort_by(|a, b| a.0.total_cmp(&b.0));
        let ends = |imputed: f32| uncertainty.interval_ends(imputed);
        for (first, last, slack) in [
            (0, 200_000, 0.01),
            (0, 180_000, 0.01),
            (180_000, 198_000, 0.015),
            (198_000, 200_000, 0.045),
        ] {
            let [half, nine] = covered(ends, &other[first..last]);
            assert!((half - 0.5).abs() < slack, "{first}..{last}: {half}");
            assert!((nine - 0.9).abs() < slack, "{first}..{last}: {nine}");
        }
        // A normal distribution of the same standard deviation holds far more than half.
        let without = Spread {
            quantiles: Vec::new(),
            ..spread.clone()
        };
        let normal = Uncertainty {
            spread: &without,
            scale,
        };
        let [half, _] = covered(|imputed| normal.interval_ends(imputed), &other);
        assert!(half > 0.8, "{half}");
        let z = normal.interval_ends(1.0)[3] - 1.0;
        assert!((z / normal.deviation(1.0) - 1.644_854).abs() < 1e-4);
    }
}
