//! The middle layer of the truth: genes, enhancers and insulators along a chromosome.
//!
//! Over steps of 250 bp a chain leaves the gap between elements with a probability that depends on
//! the domain, and stays in an element for a log-normal time (a semi-Markov chain: the widths of
//! real genes and enhancers are log-normal rather than geometric). All biosamples share these
//! elements; `activity` says which of them are at work where.

use super::domains::{DomainRun, domain_at};
use super::random::Draws;
use super::shape::Site;
use super::state::Domain;
use persea_genome::{BIN_BP, Gene, Interval, Resolution, Strand};

/// In which biosamples an element works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Programme {
    /// In all of them.
    Constitutive,
    /// In some groups: the probability for each.
    ByGroup(f64),
    /// In some biosamples whatever their group: the probability for each.
    Private(f64),
}

/// A gene and its promoter.
#[derive(Debug, Clone)]
pub(crate) struct GeneElement {
    pub(crate) gene: Gene,
    pub(crate) programme: Programme,
    /// Promoters with a CpG island become bivalent where Polycomb silences them.
    pub(crate) has_cpg_island: bool,
    /// Half the width of the active promoter's nucleosomes in bp.
    pub(crate) half_width: f32,
    /// Height of its signals, 1 being typical.
    pub(crate) strength: f32,
    /// log2 RPKM where it is transcribed and no enhancer helps.
    pub(crate) base_log2: f32,
    /// The domain of its TSS.
    pub(crate) domain: usize,
}

impl GeneElement {
    pub(crate) fn site(&self) -> Site {
        Site {
            centre: self.gene.tss(),
            half_width: self.half_width,
            forward: self.gene.strand == Strand::Forward,
            is_promoter: true,
        }
    }
}

/// An enhancer.
#[derive(Debug, Clone)]
pub(crate) struct EnhancerElement {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) forward: bool,
    pub(crate) programme: Programme,
    pub(crate) strength: f32,
    pub(crate) domain: usize,
    /// The gene (of this chromosome) that it drives, if any.
    pub(crate) target: Option<usize>,
}

impl EnhancerElement {
    pub(crate) fn site(&self) -> Site {
        Site {
            centre: self.start.midpoint(self.end),
            half_width: (self.end - self.start) as f32 / 2.0,
            forward: self.forward,
            is_promoter: false,
        }
    }
}

/// A CTCF site.
#[derive(Debug, Clone)]
pub(crate) struct InsulatorElement {
    pub(crate) centre: u64,
    pub(crate) strength: f32,
    /// Whether it stands at a border between domains, where loops end.
    pub(crate) is_border: bool,
    pub(crate) programme: Programme,
}

impl InsulatorElement {
    pub(crate) fn site(&self) -> Site {
        Site {
            centre: self.centre,
            half_width: 150.0,
            forward: true,
            is_promoter: false,
        }
    }
}

/// How much wider the gaps between genes are than in active domains, by kind of domain.
const GENE_GAPS: [f64; 4] = [1.0, 2.5, 15.0, 5.0];
/// The same for enhancers.
const ENHANCER_GAPS: [f64; 4] = [1.0, 4.0, 15.0, 5.0];
/// Mean distance between CTCF sites inside domains, in bp.
const INSULATOR_SPACING_BP: f64 = 20_000.0;
/// No enhancer lies nearer to a TSS than this: it would be part of the promoter.
const PROMOTER_EXCLUSION_BP: u64 = 2_000;
const STEP: u64 = Resolution::Bp250.bp();

/// Whether the chain leaves the gap in this 250 bp step.
fn leaves_gap(draws: &mut Draws, domain: Domain, spacing_bp: f64, gaps: &[f64; 4]) -> bool {
    draws.chance((STEP as f64 / (spacing_bp * gaps[domain.index()])).min(1.0))
}

/// A base at a bin's start inside the 250 bp step that holds `position`.
fn jittered(draws: &mut Draws, position: u64) -> u64 {
    position + draws.below(Resolution::Bp250.bins() as usize) as u64 * BIN_BP
}

/// The genes of a chromosome, by start; none overlaps another.
pub(crate) fn draw_genes(
    draws: &mut Draws,
    chrom: &str,
    number: usize,
    length: u64,
    domains: &[DomainRun],
    spacing_bp: f64,
) -> Vec<GeneElement> {
    let mut spans = Vec::new();
    let mut position = STEP;
    while position + STEP < length {
        let kind = domains[domain_at(domains, position)].kind;
        if !leaves_gap(draws, kind, spacing_bp, &GENE_GAPS) {
            position += STEP;
            continue;
        }
        let start = jittered(draws, position);
        // Median 8 kb: human genes are longer (24 kb) and the genome around them emptier.
        let width = draws.log_normal(8_000.0, 0.9).clamp(800.0, 100_000.0) as u64;
        let end = (start + width).min(length.saturating_sub(STEP));
        if end < start + 800 {
            break;
        }
        spans.push((start, end));
        position = (end / STEP + 1) * STEP;
    }
    if spans.is_empty() {
        spans.push((length / 2, length / 2 + 8_000));
    }
    spans
        .into_iter()
        .enumerate()
        .map(|(i, (start, end))| {
            let strand = if draws.chance(0.5) {
                Strand::Forward
            } else {
                Strand::Reverse
            };
            let gene = Gene {
                id: format!("SIMG{:02}{:05}", number + 1, i + 1),
                name: format!("GENE{}-{}", number + 1, i + 1),
                interval: Interval::new(chrom, start, end),
                strand,
                transcript_starts: Vec::new(),
            };
            let domain = domain_at(domains, gene.tss());
            // Housekeeping genes, regulated genes, and those that hardly any tissue uses.
            let mix = match domains[domain].kind {
                Domain::Active => [0.6, 0.3, 0.1],
                Domain::Polycomb => [0.05, 0.55, 0.4],
                Domain::Heterochromatin => [0.0, 0.2, 0.8],
                Domain::Quiescent => [0.15, 0.35, 0.5],
            };
            let class = draws.weighted(&mix);
            GeneElement {
                gene,
                programme: [
                    Programme::Constitutive,
                    Programme::ByGroup(0.45),
                    Programme::ByGroup(0.08),
                ][class],
                has_cpg_island: draws.chance([0.95, 0.6, 0.35][class]),
                half_width: draws.log_normal(750.0, 0.4).clamp(250.0, 1_500.0) as f32,
                strength: draws.log_normal(1.0, 0.55).min(2.5) as f32,
                base_log2: (if class == 0 { 3.0 } else { 2.0 } + 1.3 * draws.normal()) as f32,
                domain,
            }
        })
        .collect()
}

/// The enhancers of a chromosome, by start; none overlaps another nor a promoter.
pub(crate) fn draw_enhancers(
    draws: &mut Draws,
    length: u64,
    domains: &[DomainRun],
    genes: &[GeneElement],
    spacing_bp: f64,
) -> Vec<EnhancerElement> {
    let mut starts: Vec<u64> = genes.iter().map(|g| g.gene.tss()).collect();
    starts.sort_unstable();
    let is_clear = |start: u64, end: u64| {
        let from = starts.partition_point(|tss| tss + PROMOTER_EXCLUSION_BP < start);
        starts
            .get(from)
            .is_none_or(|tss| *tss >= end + PROMOTER_EXCLUSION_BP)
    };
    let mut enhancers = Vec::new();
    let mut add = |draws: &mut Draws, start: u64, end: u64| {
        let programme = match draws.weighted(&[0.15, 0.7, 0.15]) {
            0 => Programme::Constitutive,
            // Some enhancers belong to one tissue, others to most.
            1 => Programme::ByGroup(draws.between(0.1, 0.6)),
            _ => Programme::Private(0.2),
        };
        enhancers.push(EnhancerElement {
            start,
            end,
            forward: draws.chance(0.5),
            programme,
            strength: draws.log_normal(1.0, 0.5) as f32,
            domain: domain_at(domains, start.midpoint(end)),
            target: None,
        });
    };
    let mut position = STEP;
    let mut n = 0;
    while position + STEP < length {
        let kind = domains[domain_at(domains, position)].kind;
        let mut next = position + STEP;
        if leaves_gap(draws, kind, spacing_bp, &ENHANCER_GAPS) {
            let start = jittered(draws, position);
            let width = draws.log_normal(700.0, 0.45).clamp(200.0, 3_000.0) as u64;
            let end = start + width / BIN_BP * BIN_BP;
            if end + STEP < length && is_clear(start, end) {
                add(draws, start, end);
                n += 1;
                next = (end / STEP + 1) * STEP;
            }
        }
        position = next;
    }
    // A chromosome without one would leave its labels without a positive: give it one.
    let candidates = [length / 5, length / 3, 2 * length / 3].map(|p| p / BIN_BP * BIN_BP);
    if let (0, Some(start)) = (n, candidates.into_iter().find(|s| is_clear(*s, s + 700))) {
        add(draws, start, start + 700);
    }
    enhancers
}

/// The CTCF sites of a chromosome, by position: at most borders between domains, and within.
pub(crate) fn draw_insulators(
    draws: &mut Draws,
    length: u64,
    domains: &[DomainRun],
) -> Vec<InsulatorElement> {
    let mut sites: Vec<(u64, bool)> = Vec::new();
    for border in domains.iter().skip(1).map(|d| d.start) {
        if draws.chance(0.8) {
            sites.push((border, true));
        }
    }
    let mut position = STEP;
    while position + STEP < length {
        if draws.chance(STEP as f64 / INSULATOR_SPACING_BP) {
            sites.push((jittered(draws, position) + 12, false));
        }
        position += STEP;
    }
    sites.sort_unstable();
    sites
        .into_iter()
        .map(|(centre, is_border)| InsulatorElement {
            centre,
            // Sites at borders are the strong ones that every tissue has.
            strength: draws.log_normal(if is_border { 1.2 } else { 0.7 }, 0.5) as f32,
            is_border,
            programme: if is_border || draws.chance(0.7) {
                Programme::Constitutive
            } else {
                Programme::ByGroup(0.4)
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domains::draw_domains;

    const LENGTH: u64 = 60_000_000;

    fn chromosome() -> (Vec<DomainRun>, Vec<GeneElement>, Vec<EnhancerElement>) {
        let mut draws = Draws::new(5, "test", &[]);
        let domains = draw_domains(&mut draws, LENGTH);
        let genes = draw_genes(&mut draws, "chr1", 0, LENGTH, &domains, 11_000.0);
        let enhancers = draw_enhancers(&mut draws, LENGTH, &domains, &genes, 6_000.0);
        (domains, genes, enhancers)
    }

    #[test]
    fn elements_are_sorted_apart_and_inside_the_chromosome() {
        let (_, genes, enhancers) = chromosome();
        for pair in genes.windows(2) {
            assert!(pair[0].gene.interval.end <= pair[1].gene.interval.start);
        }
        for pair in enhancers.windows(2) {
            assert!(pair[0].end < pair[1].start);
        }
        assert!(genes.iter().all(|g| g.gene.interval.end < LENGTH));
        for enhancer in &enhancers {
            let centre = enhancer.site().centre;
            let nearest = genes.iter().map(|g| g.gene.tss().abs_diff(centre)).min();
            assert!(nearest.unwrap() >= PROMOTER_EXCLUSION_BP);
        }
    }

    #[test]
    fn gaps_between_enhancers_of_an_active_domain_are_geometric_with_the_spacing() {
        let (domains, _, enhancers) = chromosome();
        let gaps: Vec<f64> = enhancers
            .windows(2)
            .filter(|p| p[0].domain == p[1].domain && domains[p[0].domain].kind == Domain::Active)
            .map(|p| (p[1].start - p[0].end) as f64)
            .collect();
        assert!(gaps.len() > 2_000);
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        // Gaps that reach over a domain's end are left out, which shortens the mean a little, and
        // promoters push enhancers apart, which lengthens it.
        assert!((4_500.0..8_000.0).contains(&mean), "{mean}");
        let above = gaps.iter().filter(|g| **g > mean).count() as f64 / gaps.len() as f64;
        // e⁻¹ of an exponential's values exceed its mean.
        assert!((above - 0.368).abs() < 0.04, "{above}");
    }

    #[test]
    fn widths_of_enhancers_and_genes_have_the_medians_stated() {
        let (_, genes, enhancers) = chromosome();
        let median = |mut list: Vec<u64>| {
            list.sort_unstable();
            list[list.len() / 2] as f64
        };
        let enhancer = median(enhancers.iter().map(|e| e.end - e.start).collect());
        let gene = median(genes.iter().map(|g| g.gene.interval.len()).collect());
        assert!((650.0..750.0).contains(&enhancer), "{enhancer}");
        assert!((7_000.0..9_000.0).contains(&gene), "{gene}");
    }

    #[test]
    fn the_smallest_chromosome_still_has_a_gene_and_an_enhancer() {
        for seed in 0..200 {
            let mut draws = Draws::new(seed, "tiny", &[]);
            let domains = draw_domains(&mut draws, 50_000);
            let genes = draw_genes(&mut draws, "chr1", 0, 50_000, &domains, 1e9);
            let enhancers = draw_enhancers(&mut draws, 50_000, &domains, &genes, 1e9);
            assert!(!genes.is_empty() && !enhancers.is_empty(), "seed {seed}");
            assert!(genes.iter().all(|g| g.gene.interval.end <= 50_000));
        }
    }
}
