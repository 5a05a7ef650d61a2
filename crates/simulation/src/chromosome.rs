//! A simulated chromosome: what all biosamples share.

use super::SimulationConfig;
use super::domains::{DomainRun, draw_domains};
use super::elements::{
    EnhancerElement, GeneElement, InsulatorElement, draw_enhancers, draw_genes, draw_insulators,
};
use super::links::link_enhancers;
use super::random::{Draws, Field};
use persea_genome::{BIN_BP, Interval};

/// A chromosome's truth. Its size is that of its elements, not of its bins.
#[derive(Debug, Clone)]
pub(crate) struct ChromosomeTruth {
    pub(crate) name: String,
    pub(crate) length: u64,
    /// Its place among the chromosomes.
    pub(crate) number: usize,
    pub(crate) domains: Vec<DomainRun>,
    pub(crate) genes: Vec<GeneElement>,
    pub(crate) enhancers: Vec<EnhancerElement>,
    pub(crate) insulators: Vec<InsulatorElement>,
    /// Stretches where reads hardly map: first bin, end bin, the share of reads that does.
    unmappable: Vec<(u64, u64, f32)>,
    /// Stretches of artefact signal, for the mask.
    pub(crate) blacklist: Vec<Interval>,
}

/// How many times the background reads pile up in artefact regions.
const ARTEFACT: f32 = 10.0;

impl ChromosomeTruth {
    pub(crate) fn draw(config: &SimulationConfig, number: usize) -> Self {
        let name = format!("chr{}", number + 1);
        let length = config.chromosome_bp;
        let draws = |purpose: &str| Draws::new(config.seed, purpose, &[number as u64]);
        let domains = draw_domains(&mut draws("domains"), length);
        let genes = draw_genes(
            &mut draws("genes"),
            &name,
            number,
            length,
            &domains,
            config.gene_spacing_bp,
        );
        let mut enhancers = draw_enhancers(
            &mut draws("enhancers"),
            length,
            &domains,
            &genes,
            config.enhancer_spacing_bp,
        );
        let insulators = draw_insulators(&mut draws("insulators"), length, &domains);
        link_enhancers(&mut draws("links"), &mut enhancers, &genes, &insulators);
        let unmappable = draw_unmappable(&mut draws("mappability"), length);
        let blacklist = draw_blacklist(&mut draws("blacklist"), &name, length, &genes);
        ChromosomeTruth {
            name,
            length,
            number,
            domains,
            genes,
            enhancers,
            insulators,
            unmappable,
            blacklist,
        }
    }

    pub(crate) fn n_bins(&self) -> u64 {
        self.length.div_ceil(BIN_BP)
    }

    /// How easily reads come from each of the bins from `first` on, whatever is marked there:
    /// mappability, base composition, artefacts. 1 is typical.
    pub(crate) fn readability(&self, seed: u64, first: u64, out: &mut [f32]) {
        out.fill(1.0);
        let field = Field {
            seed,
            purpose: "composition",
            ids: &[self.number as u64],
            spacing: 80,
            sigma: 0.25,
        };
        field.scale(first, out);
        let end = first + out.len() as u64;
        let from = self.unmappable.partition_point(|(_, e, _)| *e <= first);
        for (start, stop, share) in self.unmappable[from..].iter().take_while(|r| r.0 < end) {
            let bins = start.max(&first) - first..stop.min(&end) - first;
            out[bins.start as usize..bins.end as usize]
                .iter_mut()
                .for_each(|v| *v *= share);
        }
        for interval in &self.blacklist {
            let (start, stop) = (interval.start / BIN_BP, interval.end.div_ceil(BIN_BP));
            let (start, stop) = (start.clamp(first, end), stop.clamp(first, end));
            out[(start - first) as usize..(stop - first) as usize]
                .iter_mut()
                .for_each(|v| *v *= ARTEFACT);
        }
    }
}

/// Repeats: runs of about 500 bp, an eighth of the chromosome.
fn draw_unmappable(draws: &mut Draws, length: u64) -> Vec<(u64, u64, f32)> {
    let n_bins = length.div_ceil(BIN_BP);
    let mut runs = Vec::new();
    let mut bin = draws.run_length(140.0);
    while bin < n_bins {
        let end = (bin + draws.run_length(20.0)).min(n_bins);
        runs.push((bin, end, draws.between(0.0, 0.4) as f32));
        bin = end + draws.run_length(140.0);
    }
    runs
}

/// A few kb in every megabase, away from the starts of genes so that no label depends on them.
fn draw_blacklist(
    draws: &mut Draws,
    chrom: &str,
    length: u64,
    genes: &[GeneElement],
) -> Vec<Interval> {
    let mut list: Vec<Interval> = Vec::new();
    let mut position = 0;
    loop {
        position += 20_000 + draws.run_length(400_000.0 / BIN_BP as f64) * BIN_BP;
        let end = position + draws.between(40.0, 160.0) as u64 * BIN_BP;
        if end >= length {
            return list;
        }
        let near = |g: &GeneElement| (position..end + 6_000).contains(&(g.gene.tss() + 3_000));
        if !genes.iter().any(near) {
            list.push(Interval::new(chrom, position, end));
        }
        position = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readability_is_low_in_repeats_and_high_in_artefacts_in_any_stretch() {
        let config = SimulationConfig {
            chromosome_bp: 3_000_000,
            ..Default::default()
        };
        let truth = ChromosomeTruth::draw(&config, 0);
        let mut whole = vec![0.0; truth.n_bins() as usize];
        truth.readability(0, 0, &mut whole);
        let mut part = vec![0.0; 5_000];
        truth.readability(0, 30_123, &mut part);
        assert_eq!(part, whole[30_123..35_123]);
        let low = whole.iter().filter(|v| **v < 0.45).count() as f64 / whole.len() as f64;
        assert!((0.08..0.2).contains(&low), "{low}");
        let artefact = &truth.blacklist[0];
        let bins = &whole[(artefact.start / 25) as usize..(artefact.end / 25) as usize];
        let mean = bins.iter().sum::<f32>() / bins.len() as f32;
        assert!(mean > 2.5, "{mean}");
    }

    #[test]
    fn chromosomes_differ_from_each_other() {
        let config = SimulationConfig::default();
        let [one, two] = [0, 1].map(|n| ChromosomeTruth::draw(&config, n));
        assert_ne!(one.domains, two.domains);
    }
}
