//! The states of a biosample along a chromosome.

use super::activity::{Activity, EnhancerState, PromoterState};
use super::chromosome::ChromosomeTruth;
use super::state::{State, StateSegment};
use super::{Simulation, SimulationError};
use persea_genome::{BIN_BP, Interval};

impl Simulation {
    /// The states of a biosample on a chromosome (its place in the assembly): they cover it, in
    /// order.
    ///
    /// # Errors
    /// When the simulation has no such biosample or chromosome.
    pub fn states(
        &self,
        biosample: usize,
        chromosome: usize,
    ) -> Result<Vec<StateSegment>, SimulationError> {
        self.check_biosample(biosample)?;
        let truth = self.chromosome(chromosome)?;
        let painted = paint(truth, &self.activity(truth, biosample));
        let mut segments: Vec<StateSegment> = Vec::new();
        for (bin, state) in painted.into_iter().enumerate() {
            let end = ((bin as u64 + 1) * BIN_BP).min(truth.length);
            match segments.last_mut() {
                Some(last) if last.state == state => last.interval.end = end,
                _ => segments.push(StateSegment {
                    interval: Interval::new(&truth.name, bin as u64 * BIN_BP, end),
                    state,
                }),
            }
        }
        Ok(segments)
    }
}

/// One state a bin: domains first, then what lies in them, the most telling last.
fn paint(truth: &ChromosomeTruth, activity: &Activity) -> Vec<State> {
    let mut bins = vec![State::Quiescent; truth.n_bins() as usize];
    let mut fill = |start: u64, end: u64, state: State| {
        let last = bins.len();
        let end = (end.div_ceil(BIN_BP) as usize).min(last);
        let start = ((start / BIN_BP) as usize).min(end);
        bins[start..end].fill(state);
    };
    for (run, kind) in truth.domains.iter().zip(&activity.domains) {
        fill(run.start, run.end, kind.state());
    }
    for (element, promoter) in truth.genes.iter().zip(&activity.promoters) {
        if promoter.state == PromoterState::Active {
            let interval = &element.gene.interval;
            fill(interval.start, interval.end, State::Transcribed);
        }
    }
    for (site, level) in truth.insulators.iter().zip(&activity.insulators) {
        if *level > 0.0 {
            fill(
                site.centre.saturating_sub(100),
                site.centre + 100,
                State::Insulator,
            );
        }
    }
    for wanted in [EnhancerState::Poised, EnhancerState::Active] {
        let state = match wanted {
            EnhancerState::Active => State::ActiveEnhancer,
            _ => State::PoisedEnhancer,
        };
        for (element, (found, _)) in truth.enhancers.iter().zip(&activity.enhancers) {
            if *found == wanted {
                fill(element.start, element.end, state);
            }
        }
    }
    for (element, promoter) in truth.genes.iter().zip(&activity.promoters) {
        let state = match promoter.state {
            PromoterState::Active => State::ActivePromoter,
            PromoterState::Bivalent => State::BivalentPromoter,
            PromoterState::Silent => continue,
        };
        let (tss, half) = (element.gene.tss(), element.half_width as u64);
        fill(tss.saturating_sub(half), tss + half, state);
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimulationConfig;

    fn small() -> SimulationConfig {
        SimulationConfig {
            n_chromosomes: 2,
            chromosome_bp: 2_000_010,
            ..SimulationConfig::default()
        }
    }

    #[test]
    fn states_cover_the_chromosome_and_switch_with_the_biosample() {
        let simulation = Simulation::new(small()).unwrap();
        let of = |b: usize| simulation.states(b, 1).unwrap();
        let (one, same_group, other) = (of(0), of(3), of(1));
        assert_eq!(one[0].interval.start, 0);
        assert_eq!(one[one.len() - 1].interval.end, 2_000_010);
        assert!(
            one.windows(2)
                .all(|p| p[0].interval.end == p[1].interval.start)
        );
        assert!(one.windows(2).all(|p| p[0].state != p[1].state));
        let bins = |segments: &[StateSegment]| -> Vec<State> {
            let lengths = segments
                .iter()
                .map(|s| (s.state, s.interval.len().div_ceil(25)));
            lengths
                .flat_map(|(s, n)| std::iter::repeat_n(s, n as usize))
                .collect()
        };
        let agreement = |a: &[StateSegment], b: &[StateSegment]| {
            let (a, b) = (bins(a), bins(b));
            a.iter().zip(&b).filter(|(x, y)| x == y).count() as f64 / a.len() as f64
        };
        let (within, across) = (agreement(&one, &same_group), agreement(&one, &other));
        assert!(within > across && within < 1.0, "{within} {across}");
    }
}
