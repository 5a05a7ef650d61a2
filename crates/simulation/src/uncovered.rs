//! Stretches in which a measured track has no data.

use std::ops::Range;

use super::random::Draws;
use super::{SignalKind, SimulatedTrack, Simulation};

/// Bins of a stretch (50 kb); neighbours may make a longer one.
const STRETCH_BINS: u64 = 2_000;

impl Simulation {
    /// The bins of the axis in which a track has no data, as ascending ranges that do not meet: about the
    /// share `uncovered` of a measured track's bins, none of another's. They depend on the seed and the
    /// track alone, and no signal depends on them.
    pub fn uncovered(&self, track: &SimulatedTrack) -> Vec<Range<u64>> {
        let share = self.config().uncovered;
        let mut stretches: Vec<Range<u64>> = Vec::new();
        if share == 0.0 || !track.is_measured {
            return stretches;
        }
        let ids = [track.biosample as u64, track.assay as u64];
        let mut draws = Draws::new(self.config().seed, "uncovered", &ids);
        for region in 0..self.axis().regions().len() {
            let bins = self.axis().region_bins(region);
            for first in bins.clone().step_by(STRETCH_BINS as usize) {
                if !draws.chance(share) {
                    continue;
                }
                let end = bins.end.min(first + STRETCH_BINS);
                match stretches.last_mut() {
                    Some(last) if last.end == first => last.end = end,
                    _ => stretches.push(first..end),
                }
            }
        }
        stretches
    }

    /// Removes what a track does not show from its bins that begin at `first`.
    pub(crate) fn cover_up(
        stretches: &[Range<u64>],
        kind: SignalKind,
        first: u64,
        values: &mut [f32],
    ) {
        if kind != SignalKind::Observed {
            return;
        }
        let end = first + values.len() as u64;
        for stretch in stretches {
            let (from, to) = (stretch.start.max(first), stretch.end.min(end));
            if from < to {
                values[(from - first) as usize..(to - first) as usize].fill(f32::NAN);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimulationConfig;

    #[test]
    fn measured_tracks_lack_the_share_asked_for_and_show_the_same_elsewhere() {
        let config = SimulationConfig {
            n_chromosomes: 2,
            uncovered: 0.3,
            ..SimulationConfig::default()
        };
        let complete = Simulation::new(SimulationConfig {
            uncovered: 0.0,
            ..config.clone()
        })
        .unwrap();
        let simulation = Simulation::new(config).unwrap();
        let n = simulation.axis().n_bins();
        let measured: Vec<_> = simulation
            .tracks()
            .iter()
            .filter(|t| t.is_measured)
            .collect();
        let lacking = |t: &SimulatedTrack| -> u64 {
            simulation
                .uncovered(t)
                .iter()
                .map(|r| r.end - r.start)
                .sum()
        };
        let total: u64 = measured.iter().map(|t| lacking(t)).sum();
        let share = total as f64 / (n * measured.len() as u64) as f64;
        // 46 tracks of 52 stretches: two standard errors are 0.02.
        assert!((share - 0.3).abs() < 0.03, "{share}");
        assert_ne!(
            simulation.uncovered(measured[0]),
            simulation.uncovered(measured[1])
        );
        let track = measured[0];
        let stretches = simulation.uncovered(track);
        let bins = 0..20_000;
        let shown = simulation
            .signal(track, SignalKind::Observed, bins.clone())
            .unwrap();
        let whole = complete
            .signal(track, SignalKind::Observed, bins.clone())
            .unwrap();
        for (bin, (shown, whole)) in bins.clone().zip(shown.iter().zip(&whole)) {
            match stretches.iter().any(|s| s.contains(&bin)) {
                true => assert!(shown.is_nan(), "{bin}"),
                false => assert_eq!(shown, whole, "{bin}"),
            }
        }
        let truth = simulation
            .signal(track, SignalKind::NoiseFree, bins)
            .unwrap();
        assert!(truth.iter().all(|v| v.is_finite()));
        let held_out = simulation.tracks().iter().find(|t| !t.is_measured).unwrap();
        assert!(simulation.uncovered(held_out).is_empty());
    }
}
