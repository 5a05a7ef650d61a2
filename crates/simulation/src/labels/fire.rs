//! Frequently interacting regions: where active enhancers crowd.

use super::windows;
use crate::activity::{Activity, EnhancerState};
use crate::chromosome::ChromosomeTruth;
use crate::random::Draws;
use crate::{Simulation, SimulationError};
use persea_genome::Interval;

/// Whether a 40 kb window is a frequently interacting region in a biosample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FireLabel {
    /// The window.
    pub interval: Interval,
    /// Whether it is one.
    pub is_fire: bool,
}

/// The share of windows that are; 7.6 % of the pilot regions' windows are in GM12878.
const SHARE: f64 = 0.075;
/// Contacts reach beyond the window by that much, with half the weight, in bp.
const SURROUNDINGS_BP: u64 = 20_000;
/// Standard deviation of the logarithm of the measured contacts.
const MEASUREMENT_SIGMA: f64 = 0.15;

impl Simulation {
    /// The FIREs of a biosample: the windows with the most active enhancer (Schmitt et al. 2016
    /// find FIREs at super-enhancers), promoters counting half, measured with noise.
    ///
    /// # Errors
    /// When the simulation has no such biosample.
    pub fn fire(&self, biosample: usize) -> Result<Vec<FireLabel>, SimulationError> {
        self.check_biosample(biosample)?;
        let mut scored = Vec::new();
        for truth in &self.chromosomes {
            let ids = [truth.number as u64, biosample as u64];
            let mut draws = Draws::new(self.config().seed, "fire", &ids);
            let activity = self.activity(truth, biosample);
            for interval in windows(&truth.name, truth.length) {
                let noise = draws.log_normal(1.0, MEASUREMENT_SIGMA);
                scored.push((contacts(truth, &activity, &interval) * noise, interval));
            }
        }
        let mut sorted: Vec<f64> = scored.iter().map(|(score, _)| *score).collect();
        sorted.sort_unstable_by(|a, b| b.total_cmp(a));
        let n = (SHARE * sorted.len() as f64).ceil() as usize;
        let threshold = n.checked_sub(1).map_or(f64::INFINITY, |last| sorted[last]);
        let label = |(score, interval)| FireLabel {
            interval,
            is_fire: score >= threshold && score > 0.0,
        };
        Ok(scored.into_iter().map(label).collect())
    }
}

/// The levels of the active enhancers and promoters in and around a window.
fn contacts(truth: &ChromosomeTruth, activity: &Activity, window: &Interval) -> f64 {
    let weight = |position: u64| {
        if (window.start..window.end).contains(&position) {
            1.0
        } else if position + SURROUNDINGS_BP >= window.start
            && position < window.end + SURROUNDINGS_BP
        {
            0.5
        } else {
            0.0
        }
    };
    let from = truth
        .enhancers
        .partition_point(|e| e.end + SURROUNDINGS_BP < window.start);
    let enhancers: f64 = truth.enhancers[from..]
        .iter()
        .zip(&activity.enhancers[from..])
        .take_while(|(e, _)| e.start < window.end + SURROUNDINGS_BP)
        .filter(|(_, (state, _))| *state == EnhancerState::Active)
        .map(|(e, (_, level))| f64::from(*level) * weight(e.site().centre))
        .sum();
    let from = truth
        .genes
        .partition_point(|g| g.gene.interval.end + SURROUNDINGS_BP < window.start);
    let promoters: f64 = truth.genes[from..]
        .iter()
        .zip(&activity.promoters[from..])
        .take_while(|(g, _)| g.gene.interval.start < window.end + SURROUNDINGS_BP)
        .map(|(g, p)| f64::from(p.transcription) * weight(g.gene.tss()))
        .sum();
    enhancers + 0.5 * promoters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimulationConfig;

    #[test]
    fn fires_are_the_stated_share_and_hold_more_active_enhancers() {
        let config = SimulationConfig {
            n_chromosomes: 2,
            chromosome_bp: 8_000_000,
            ..Default::default()
        };
        let simulation = Simulation::new(config).unwrap();
        let labels = simulation.fire(2).unwrap();
        assert_eq!(labels.len(), 400);
        assert_eq!(labels.iter().filter(|l| l.is_fire).count(), 30);
        let mut sums = [(0.0, 0); 2];
        for label in &labels {
            let number = usize::from(label.interval.chrom == "chr2");
            let truth = &simulation.chromosomes[number];
            let activity = simulation.activity(truth, 2);
            let n_active = truth
                .enhancers
                .iter()
                .zip(&activity.enhancers)
                .filter(|(e, (s, _))| {
                    *s == EnhancerState::Active
                        && (label.interval.start..label.interval.end).contains(&e.start)
                })
                .count();
            let sum = &mut sums[usize::from(label.is_fire)];
            *sum = (sum.0 + n_active as f64, sum.1 + 1);
        }
        let [others, fires] = sums.map(|(total, n)| total / f64::from(n));
        assert!(fires > 2.0 * others, "{fires} {others}");
    }
}
