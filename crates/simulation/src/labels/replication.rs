//! Replication timing: early where chromatin is open over hundreds of kb.

use super::windows;
use crate::chromosome::ChromosomeTruth;
use crate::domains::domain_at;
use crate::random::Draws;
use crate::state::Domain;
use crate::{Simulation, SimulationError};
use persea_genome::{Interval, Resolution};

/// The replication timing of a 40 kb window in a biosample.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicationLabel {
    /// The window.
    pub interval: Interval,
    /// Timing as a z-score over the biosample's windows: positive is early.
    pub mean_z: f64,
    /// How many kb of the window were measured: those outside the mask.
    pub n: u64,
}

/// How much earlier each kind of domain ([`Domain::ALL`]) makes its surroundings.
const EARLINESS: [f64; 4] = [1.0, 0.1, -1.2, -0.6];
/// Standard deviation of the Gaussian over which domains are averaged, in bp.
const REACH_BP: f64 = 100_000.0;
/// Standard deviation of the measurement, on the scale of [`EARLINESS`].
const MEASUREMENT_SIGMA: f64 = 0.12;

impl Simulation {
    /// Replication timing of a biosample: the Gaussian average of the domains around each window,
    /// measured with noise.
    ///
    /// # Errors
    /// When the simulation has no such biosample.
    pub fn replication(&self, biosample: usize) -> Result<Vec<ReplicationLabel>, SimulationError> {
        self.check_biosample(biosample)?;
        let mut labels = Vec::new();
        for truth in &self.chromosomes {
            let ids = [truth.number as u64, biosample as u64];
            let mut draws = Draws::new(self.config().seed, "replication", &ids);
            let activity = self.activity(truth, biosample);
            let steps = earliness(truth, &activity.domains);
            for interval in windows(&truth.name, truth.length) {
                let middle = interval.start.midpoint(interval.end);
                let timing = averaged(&steps, middle) + MEASUREMENT_SIGMA * draws.normal();
                let masked: u64 = truth.blacklist.iter().map(|b| overlap(b, &interval)).sum();
                labels.push(ReplicationLabel {
                    n: (interval.len() - masked) / 1_000,
                    interval,
                    mean_z: timing,
                });
            }
        }
        let n = labels.len().max(1) as f64;
        let mean = labels.iter().map(|l| l.mean_z).sum::<f64>() / n;
        let variance = labels
            .iter()
            .map(|l| (l.mean_z - mean).powi(2))
            .sum::<f64>()
            / n;
        // A single window has no spread: its z-score is 0.
        let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        for label in &mut labels {
            label.mean_z = (label.mean_z - mean) / scale;
        }
        Ok(labels)
    }
}

/// The earliness of each 5 kbp step of the chromosome.
fn earliness(truth: &ChromosomeTruth, kinds: &[Domain]) -> Vec<f64> {
    let step = Resolution::Kbp5.bp();
    (0..truth.length.div_ceil(step))
        .map(|i| {
            let middle = (i * step + step / 2).min(truth.length - 1);
            EARLINESS[kinds[domain_at(&truth.domains, middle)].index()]
        })
        .collect()
}

/// The Gaussian average around a base, over what there is of the chromosome.
fn averaged(steps: &[f64], middle: u64) -> f64 {
    let step = Resolution::Kbp5.bp() as f64;
    let centre = middle as f64 / step - 0.5;
    let reach = 4.0 * REACH_BP / step;
    let first = (centre - reach).max(0.0).ceil() as usize;
    let end = ((centre + reach) as usize + 1).min(steps.len());
    let (mut sum, mut total) = (0.0, 0.0);
    for (i, value) in steps.iter().enumerate().take(end).skip(first) {
        let x = (i as f64 - centre) * step / REACH_BP;
        let weight = (-0.5 * x * x).exp();
        sum += weight * value;
        total += weight;
    }
    if total > 0.0 { sum / total } else { 0.0 }
}

fn overlap(a: &Interval, b: &Interval) -> u64 {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimulationConfig;

    #[test]
    fn the_average_of_a_constant_is_the_constant_even_at_the_ends() {
        for middle in [0, 20_000, 500_000] {
            assert!((averaged(&[0.7; 100], middle) - 0.7).abs() < 1e-12);
        }
        // Half of the surroundings at 1, half at −1.
        let steps: Vec<f64> = (0..200).map(|i| if i < 100 { 1.0 } else { -1.0 }).collect();
        assert!(averaged(&steps, 500_000).abs() < 1e-9);
        assert!(averaged(&steps, 300_000) > 0.9);
    }

    #[test]
    fn windows_in_open_chromatin_replicate_early() {
        let config = SimulationConfig {
            n_chromosomes: 1,
            chromosome_bp: 20_000_000,
            ..Default::default()
        };
        let simulation = Simulation::new(config).unwrap();
        let labels = simulation.replication(0).unwrap();
        assert_eq!(labels.len(), 500);
        let mean: f64 = labels.iter().map(|l| l.mean_z).sum::<f64>() / 500.0;
        let square: f64 = labels.iter().map(|l| l.mean_z.powi(2)).sum::<f64>() / 500.0;
        assert!(mean.abs() < 1e-9 && (square - 1.0).abs() < 1e-9);
        assert!(labels.iter().all(|l| l.n <= 40) && labels.iter().any(|l| l.n < 40));
        let truth = &simulation.chromosomes[0];
        let activity = simulation.activity(truth, 0);
        let of = |kind: Domain| {
            let timings: Vec<f64> = labels
                .iter()
                .filter(|l| {
                    let middle = l.interval.start.midpoint(l.interval.end);
                    activity.domains[domain_at(&truth.domains, middle)] == kind
                })
                .map(|l| l.mean_z)
                .collect();
            timings.iter().sum::<f64>() / timings.len() as f64
        };
        assert!(of(Domain::Active) > of(Domain::Quiescent) + 0.7);
    }
}
