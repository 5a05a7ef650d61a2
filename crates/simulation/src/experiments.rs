//! Biosamples, their libraries' quality, and which experiments are missing.

use serde::Serialize;

use super::SimulationConfig;
use super::assay::AssayModel;
use super::random::Draws;
use persea_genome::BIN_BP;

/// A biosample and what all its libraries have in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulatedBiosample {
    /// Its name: `S1`, `S2` ….
    pub name: String,
    /// The group (tissue) it belongs to, from 0.
    pub group: usize,
    /// Whether its tracks are quiet throughout, as E065's are among the real ones.
    pub is_quiet: bool,
    /// Typical depth: fragments over a base of background.
    pub depth: f64,
    /// Typical efficiency: 1 gives the enrichments of the assays' table.
    pub efficiency: f64,
    /// Reads of its control in a kb.
    pub control_reads_per_kb: f64,
    /// Length of its fragments relative to the assays' own.
    pub fragment_length: f64,
}

/// An experiment (one assay in one biosample) and its library.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulatedTrack {
    /// The biosample's place in [`super::Simulation::biosamples`].
    pub biosample: usize,
    /// The assay's place in [`super::Simulation::assays`].
    pub assay: usize,
    /// Whether the compendium has it; the others are held out as truth.
    pub is_measured: bool,
    /// λ, the fragments over a base that the background alone would give.
    pub depth: f64,
    /// What the enrichments of the assay's table are multiplied by.
    pub efficiency: f64,
    /// The share of λ that background reads reach outside peaks.
    pub background: f64,
    /// Ratio of variance to mean of the fragments over a base; 1 is Poisson.
    pub fano: f64,
    /// Length of a fragment in bins.
    pub fragment_bins: u64,
}

/// The biosamples. Each depends on the seed and on its own number alone.
pub(crate) fn draw_biosamples(config: &SimulationConfig) -> Vec<SimulatedBiosample> {
    (0..config.n_biosamples)
        .map(|i| {
            let mut draws = Draws::new(config.seed, "biosample", &[i as u64]);
            // One in eight, beginning with the sixth.
            let is_quiet = i % 8 == 5;
            let (depth, efficiency) = if is_quiet { (0.75, 0.35) } else { (1.25, 0.8) };
            SimulatedBiosample {
                name: format!("S{}", i + 1),
                group: i % config.n_groups,
                is_quiet,
                depth: config.depth * draws.log_normal(depth, if is_quiet { 0.05 } else { 0.3 }),
                efficiency: draws.log_normal(efficiency, if is_quiet { 0.1 } else { 0.25 }),
                control_reads_per_kb: config.depth * draws.log_normal(4.0, 0.5),
                fragment_length: draws.log_normal(1.0, 0.1),
            }
        })
        .collect()
}

/// All experiments, biosample by biosample, with the missing ones chosen.
pub(crate) fn draw_tracks(
    config: &SimulationConfig,
    biosamples: &[SimulatedBiosample],
    assays: &[AssayModel],
) -> Vec<SimulatedTrack> {
    let missing = choose_missing(config);
    let mut tracks = Vec::with_capacity(missing.len());
    for (b, biosample) in biosamples.iter().enumerate() {
        for (a, assay) in assays.iter().enumerate() {
            let purpose = format!("library {}", assay.name);
            let mut draws = Draws::new(config.seed, &purpose, &[b as u64]);
            let excess = config.noise * draws.log_normal(0.5, 0.3);
            let fragment_bp = f64::from(assay.fragment_bp)
                * biosample.fragment_length
                * draws.log_normal(1.0, 0.06);
            tracks.push(SimulatedTrack {
                biosample: b,
                assay: a,
                is_measured: !missing[tracks.len()],
                depth: biosample.depth * draws.log_normal(1.0, 0.12),
                efficiency: biosample.efficiency * draws.log_normal(1.0, 0.3),
                background: f64::from(assay.background) * draws.between(0.4, 0.65),
                fano: 1.0 + excess,
                fragment_bins: ((fragment_bp / BIN_BP as f64).round() as u64).clamp(2, 40),
            });
        }
    }
    tracks
}

/// Which experiments are held out: as many as asked for in random order, except where a biosample
/// or an assay would be left with fewer than two tracks.
fn choose_missing(config: &SimulationConfig) -> Vec<bool> {
    let (n_biosamples, n_assays) = (config.n_biosamples, config.assays.len());
    let n = n_biosamples * n_assays;
    let wanted = (config.missing * n as f64).round() as usize;
    let mut order: Vec<usize> = (0..n).collect();
    Draws::new(config.seed, "missing", &[]).shuffle(&mut order);
    let mut of_biosample = vec![n_assays; n_biosamples];
    let mut of_assay = vec![n_biosamples; n_assays];
    let mut missing = vec![false; n];
    let mut n_missing = 0;
    for i in order {
        let (b, a) = (i / n_assays, i % n_assays);
        let can_spare = of_biosample[b] > 2.min(n_assays) && of_assay[a] > 2.min(n_biosamples);
        if n_missing < wanted && can_spare {
            missing[i] = true;
            n_missing += 1;
            of_biosample[b] -= 1;
            of_assay[a] -= 1;
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assay::assay_names;

    fn config(n_biosamples: usize, n_assays: usize, missing: f64) -> SimulationConfig {
        SimulationConfig {
            n_biosamples,
            n_groups: 1,
            assays: assay_names(n_assays),
            missing,
            ..SimulationConfig::default()
        }
    }

    #[test]
    fn the_share_asked_for_is_missing_and_everyone_keeps_two() {
        for (b, a, missing, expected) in [
            (8, 8, 0.28, 18),
            (8, 8, 0.0, 0),
            // Two in each row and column: no more than 64 − 16 can go.
            (1, 5, 0.5, 0),
            (1, 1, 0.9, 0),
            (10, 3, 0.2, 6),
        ] {
            let list = choose_missing(&config(b, a, missing));
            assert_eq!(list.iter().filter(|m| **m).count(), expected, "{b} × {a}");
        }
        let list = choose_missing(&config(8, 8, 0.9));
        for i in 0..8 {
            let kept = |cells: &mut dyn Iterator<Item = usize>| cells.filter(|c| !list[*c]).count();
            assert!(kept(&mut (0..8).map(|j| i * 8 + j)) >= 2);
            assert!(kept(&mut (0..8).map(|j| j * 8 + i)) >= 2);
        }
    }

    #[test]
    fn one_biosample_more_changes_none_of_the_others() {
        let biosamples = |n| draw_biosamples(&config(n, 4, 0.0));
        assert_eq!(biosamples(6), biosamples(7)[..6]);
        assert!(biosamples(6)[5].is_quiet && biosamples(6)[5].efficiency < 0.6);
    }
}
