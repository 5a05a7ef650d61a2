//! Which gene each enhancer drives.

use super::elements::{EnhancerElement, GeneElement, InsulatorElement};
use super::random::Draws;

/// Gives most enhancers the gene that they drive: likelier the nearer, and seldom across the CTCF
/// site of a domain's border.
pub(crate) fn link_enhancers(
    draws: &mut Draws,
    enhancers: &mut [EnhancerElement],
    genes: &[GeneElement],
    insulators: &[InsulatorElement],
) {
    let borders: Vec<u64> = insulators
        .iter()
        .filter(|i| i.is_border)
        .map(|i| i.centre)
        .collect();
    let mut by_tss: Vec<(u64, usize)> = genes
        .iter()
        .enumerate()
        .map(|(i, g)| (g.gene.tss(), i))
        .collect();
    by_tss.sort_unstable();
    for enhancer in enhancers {
        let centre = enhancer.site().centre;
        let is_linked = draws.chance(0.85);
        let from = by_tss.partition_point(|(tss, _)| tss + LINK_BP.end < centre);
        let candidates: Vec<(usize, f64)> = by_tss[from..]
            .iter()
            .take_while(|(tss, _)| *tss < centre + LINK_BP.end)
            .filter(|(tss, _)| LINK_BP.contains(&tss.abs_diff(centre)))
            .map(|(tss, gene)| {
                let crossed = borders_between(&borders, centre, *tss);
                let near = (-(tss.abs_diff(centre) as f64) / 40_000.0).exp();
                (*gene, near * 0.03f64.powi(crossed.min(9) as i32))
            })
            .collect();
        // One draw whether or not there is a candidate, so that enhancers stay independent.
        let weights: Vec<f64> = candidates.iter().map(|(_, w)| *w).collect();
        let choice = draws.weighted(&weights);
        let strongest = weights.iter().copied().fold(0.0, f64::max);
        // What only borders separate from every gene stays without one.
        if is_linked && strongest > 1e-3 {
            enhancer.target = candidates.get(choice).map(|(gene, _)| *gene);
        }
    }
}

/// How far apart an enhancer and a TSS may be, in bp, to be a pair.
pub(crate) const LINK_BP: std::ops::Range<u64> = 5_000..200_000;

/// How many of the sorted positions lie between two others.
pub(crate) fn borders_between(sorted: &[u64], a: u64, b: u64) -> usize {
    let (low, high) = (a.min(b), a.max(b));
    sorted.partition_point(|p| *p < high) - sorted.partition_point(|p| *p < low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domains::draw_domains;
    use crate::elements::{draw_enhancers, draw_genes, draw_insulators};

    #[test]
    fn enhancers_are_linked_near_and_seldom_across_borders() {
        const LENGTH: u64 = 60_000_000;
        let mut draws = Draws::new(5, "test", &[]);
        let domains = draw_domains(&mut draws, LENGTH);
        let genes = draw_genes(&mut draws, "chr1", 0, LENGTH, &domains, 11_000.0);
        let mut enhancers = draw_enhancers(&mut draws, LENGTH, &domains, &genes, 6_000.0);
        let mut draws = Draws::new(6, "test", &[]);
        let insulators = draw_insulators(&mut draws, LENGTH, &domains);
        link_enhancers(&mut draws, &mut enhancers, &genes, &insulators);
        let borders: Vec<u64> = insulators
            .iter()
            .filter(|i| i.is_border)
            .map(|i| i.centre)
            .collect();
        let links: Vec<(u64, u64)> = enhancers
            .iter()
            .filter_map(|e| e.target.map(|t| (e.site().centre, genes[t].gene.tss())))
            .collect();
        assert!(links.len() * 2 > enhancers.len());
        assert!(links.iter().all(|(e, t)| LINK_BP.contains(&e.abs_diff(*t))));
        let across = links
            .iter()
            .filter(|(e, t)| borders_between(&borders, *e, *t) > 0)
            .count();
        assert!(across * 5 < links.len(), "{across} of {}", links.len());
    }
}
