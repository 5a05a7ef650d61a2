//! The coarsest layer of the truth: domains, a Markov chain over 5 kbp steps.

use super::random::Draws;
use super::state::Domain;
use persea_genome::{BIN_BP, Resolution};

/// A domain of the reference genome; biosamples may give it another kind, never another extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DomainRun {
    /// The first base, at a bin's start.
    pub start: u64,
    /// One past the last base.
    pub end: u64,
    /// Its kind where a biosample does not differ.
    pub kind: Domain,
}

/// Mean length of a run of each kind of domain in bp: sub-megabase, as contact domains (median
/// 185 kb, Rao et al. 2014) and the H3K27me3 and H3K9me3 domains inside them are.
pub const MEAN_DOMAIN_BP: [f64; 4] = [90_000.0, 40_000.0, 50_000.0, 80_000.0];

/// What follows a domain that ends: probabilities from each kind (row) to each other.
pub const NEXT_DOMAIN: [[f64; 4]; 4] = [
    [0.0, 0.35, 0.10, 0.55],
    [0.60, 0.0, 0.05, 0.35],
    [0.25, 0.05, 0.0, 0.70],
    [0.60, 0.20, 0.20, 0.0],
];

/// The domains of a chromosome: they cover it, in order.
///
/// The chain steps over 5 kbp; then each border moves by up to half a step, for real borders
/// respect no grid.
pub(crate) fn draw_domains(draws: &mut Draws, chromosome_bp: u64) -> Vec<DomainRun> {
    let step = Resolution::Kbp5.bp();
    let mut runs = Vec::new();
    let mut kind = Domain::ALL[draws.weighted(&[0.45, 0.12, 0.08, 0.35])];
    let (mut start, mut at_step) = (0, 0);
    while start < chromosome_bp {
        at_step += draws.run_length(MEAN_DOMAIN_BP[kind.index()] / step as f64);
        let shift = draws.below(Resolution::Kbp5.bins() as usize) as u64 * BIN_BP;
        let end = (at_step * step + shift).saturating_sub(step / 2);
        let end = if end >= chromosome_bp {
            chromosome_bp
        } else {
            end
        };
        runs.push(DomainRun { start, end, kind });
        kind = Domain::ALL[draws.weighted(&NEXT_DOMAIN[kind.index()])];
        start = end;
    }
    runs
}

/// The domain that holds a base; the list covers its chromosome.
pub(crate) fn domain_at(domains: &[DomainRun], position: u64) -> usize {
    domains
        .partition_point(|d| d.end <= position)
        .min(domains.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_cover_the_chromosome_without_gaps_and_at_bins() {
        let length = 1_000_010;
        let runs = draw_domains(&mut Draws::new(1, "domains", &[0]), length);
        assert_eq!((runs[0].start, runs[runs.len() - 1].end), (0, length));
        for pair in runs.windows(2) {
            assert_eq!(pair[0].end, pair[1].start);
            assert!(pair[0].end % BIN_BP == 0 && pair[0].start < pair[0].end);
            assert_ne!(pair[0].kind, pair[1].kind);
        }
        for position in [0, 31_415, length - 1] {
            let run = runs[domain_at(&runs, position)];
            assert!(run.start <= position && position < run.end);
        }
    }

    #[test]
    fn runs_of_every_kind_are_geometric_with_the_mean_stated() {
        let runs = draw_domains(&mut Draws::new(2, "domains", &[0]), 2_000_000_000);
        for kind in Domain::ALL {
            let lengths: Vec<f64> = runs
                .iter()
                .filter(|r| r.kind == kind)
                .map(|r| (r.end - r.start) as f64)
                .collect();
            let n = lengths.len() as f64;
            let mean = lengths.iter().sum::<f64>() / n;
            let sd = (lengths.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / n).sqrt();
            let expected = MEAN_DOMAIN_BP[kind.index()];
            assert!((mean / expected - 1.0).abs() < 0.06, "{kind:?}: {mean}");
            // A geometric run has a standard deviation near its mean.
            assert!((sd / mean - 1.0).abs() < 0.1, "{kind:?}: {sd} of {mean}");
        }
    }
}
