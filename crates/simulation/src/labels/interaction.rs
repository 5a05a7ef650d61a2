//! Promoter–enhancer pairs: which enhancers drive which genes.

use crate::activity::{Activity, EnhancerState, PromoterState};
use crate::chromosome::ChromosomeTruth;
use crate::links::LINK_BP;
use crate::random::Draws;
use crate::{Simulation, SimulationError};
use persea_genome::Interval;

/// A promoter–enhancer pair of a biosample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InteractionLabel {
    /// The enhancer.
    pub enhancer: Interval,
    /// The promoter: 500 bp on either side of the TSS.
    pub promoter: Interval,
    /// Whether they interact.
    pub is_interacting: bool,
}

/// Half the width of a promoter in the labels, in bp.
const PROMOTER_BP: u64 = 500;
/// Negatives are matched to positives in that many classes of distance.
const DISTANCE_CLASSES: usize = 5;

/// An active enhancer and an active promoter within reach of each other.
struct Pair {
    enhancer: usize,
    gene: usize,
    distance: u64,
}

impl Simulation {
    /// Pairs of active enhancers and active promoters 5 to 200 kb apart: those where the enhancer
    /// drives the gene, and others with the same distribution of distances (as TargetFinder's
    /// are, Whalen et al. 2016), so that distance alone tells nothing. Enhancers seldom reach
    /// across the CTCF site of a domain's border: what lies between tells a part.
    ///
    /// # Errors
    /// When the simulation has no such biosample.
    pub fn interactions(&self, biosample: usize) -> Result<Vec<InteractionLabel>, SimulationError> {
        self.check_biosample(biosample)?;
        let mut labels = Vec::new();
        for truth in &self.chromosomes {
            let ids = [truth.number as u64, biosample as u64];
            let mut draws = Draws::new(self.config().seed, "interactions", &ids);
            let activity = self.activity(truth, biosample);
            let (mut positive, mut negative) = pairs(truth, &activity);
            draws.shuffle(&mut negative);
            let ratio = self.config().negatives_per_positive;
            let negative = matched(&mut positive, negative, ratio);
            let mut both: Vec<(Pair, bool)> = positive.into_iter().map(|p| (p, true)).collect();
            both.extend(negative.into_iter().map(|p| (p, false)));
            both.sort_unstable_by_key(|(pair, _)| (pair.enhancer, pair.gene));
            labels.extend(both.into_iter().map(|(pair, is_interacting)| {
                let enhancer = &truth.enhancers[pair.enhancer];
                let tss = truth.genes[pair.gene].gene.tss();
                InteractionLabel {
                    enhancer: Interval::new(&truth.name, enhancer.start, enhancer.end),
                    promoter: Interval::new(
                        &truth.name,
                        tss.saturating_sub(PROMOTER_BP),
                        (tss + PROMOTER_BP).min(truth.length),
                    ),
                    is_interacting,
                }
            }));
        }
        Ok(labels)
    }
}

/// The pairs that interact and those that do not.
fn pairs(truth: &ChromosomeTruth, activity: &Activity) -> (Vec<Pair>, Vec<Pair>) {
    let mut genes: Vec<(u64, usize)> = activity
        .promoters
        .iter()
        .enumerate()
        .filter(|(_, p)| p.state == PromoterState::Active)
        .map(|(i, _)| (truth.genes[i].gene.tss(), i))
        .collect();
    genes.sort_unstable();
    let (mut positive, mut negative) = (Vec::new(), Vec::new());
    for (i, element) in truth.enhancers.iter().enumerate() {
        if activity.enhancers[i].0 != EnhancerState::Active {
            continue;
        }
        let centre = element.site().centre;
        let from = genes.partition_point(|(tss, _)| tss + LINK_BP.end <= centre);
        for (tss, gene) in genes[from..]
            .iter()
            .take_while(|(t, _)| *t < centre + LINK_BP.end)
        {
            let pair = Pair {
                enhancer: i,
                gene: *gene,
                distance: tss.abs_diff(centre),
            };
            if !LINK_BP.contains(&pair.distance) {
                continue;
            }
            if element.target == Some(*gene) {
                positive.push(pair);
            } else {
                negative.push(pair);
            }
        }
    }
    (positive, negative)
}

/// Of the (shuffled) negatives, `ratio` for each positive within each class of distance, where
/// there are that many; the classes hold equally many positives.
fn matched(positive: &mut [Pair], negative: Vec<Pair>, ratio: f64) -> Vec<Pair> {
    positive.sort_unstable_by_key(|p| p.distance);
    let n_classes = DISTANCE_CLASSES.min(positive.len());
    if n_classes == 0 {
        return Vec::new();
    }
    let first_of = |class: usize| class * positive.len() / n_classes;
    // A class reaches up to the first distance of the next one.
    let ends: Vec<u64> = (1..n_classes)
        .map(|class| positive[first_of(class)].distance)
        .chain([LINK_BP.end])
        .collect();
    let mut remaining: Vec<usize> = (0..n_classes)
        .map(|class| {
            let n = first_of(class + 1) - first_of(class);
            (n as f64 * ratio).round() as usize
        })
        .collect();
    let mut taken = Vec::new();
    for pair in negative {
        let class = ends.partition_point(|end| *end <= pair.distance);
        if let Some(left) = remaining.get_mut(class).filter(|left| **left > 0) {
            *left -= 1;
            taken.push(pair);
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimulationConfig;
    use crate::links::borders_between;

    #[test]
    fn pairs_are_active_and_negatives_match_positives_in_distance() {
        let config = SimulationConfig {
            n_chromosomes: 1,
            chromosome_bp: 40_000_000,
            ..Default::default()
        };
        let simulation = Simulation::new(config).unwrap();
        let labels = simulation.interactions(1).unwrap();
        let distance = |l: &InteractionLabel| {
            l.enhancer
                .start
                .midpoint(l.enhancer.end)
                .abs_diff(l.promoter.start + PROMOTER_BP)
        };
        let medians = [true, false].map(|wanted| {
            let mut list: Vec<u64> = labels
                .iter()
                .filter(|l| l.is_interacting == wanted)
                .map(distance)
                .collect();
            list.sort_unstable();
            (list.len(), list[list.len() / 2] as f64)
        });
        let [(n_positive, of_positive), (n_negative, of_negative)] = medians;
        assert!(n_positive > 300, "{n_positive}");
        assert!(n_negative > 3 * n_positive && n_negative <= 5 * n_positive + 5);
        assert!(
            (of_positive / of_negative - 1.0).abs() < 0.25,
            "{of_positive} {of_negative}"
        );
        assert!(labels.iter().all(|l| LINK_BP.contains(&distance(l))));
    }

    #[test]
    fn borders_lie_between_negatives_more_often_than_between_positives() {
        let config = SimulationConfig {
            n_chromosomes: 1,
            chromosome_bp: 40_000_000,
            ..Default::default()
        };
        let simulation = Simulation::new(config).unwrap();
        let insulators = &simulation.chromosomes[0].insulators;
        let borders: Vec<u64> = insulators
            .iter()
            .filter(|i| i.is_border)
            .map(|i| i.centre)
            .collect();
        let mut shares = [(0, 0); 2];
        for label in simulation.interactions(0).unwrap() {
            let crossed = borders_between(&borders, label.enhancer.start, label.promoter.start) > 0;
            let share = &mut shares[usize::from(label.is_interacting)];
            *share = (share.0 + u32::from(crossed), share.1 + 1);
        }
        let [negative, positive] = shares.map(|(n, of)| f64::from(n) / f64::from(of));
        assert!(negative > 2.0 * positive, "{negative} {positive}");
    }

    #[test]
    fn without_positives_there_are_no_negatives() {
        let pair = |distance| Pair {
            enhancer: 0,
            gene: 0,
            distance,
        };
        assert!(matched(&mut [], vec![pair(10_000)], 5.0).is_empty());
        let negative = vec![pair(6_000), pair(7_000), pair(50_000), pair(8_000)];
        let taken = matched(&mut [pair(5_500), pair(40_000)], negative, 1.0);
        let distances: Vec<u64> = taken.iter().map(|p| p.distance).collect();
        // Classes are up to 40 kb and beyond: one negative in each.
        assert_eq!(distances, [6_000, 50_000]);
    }
}
