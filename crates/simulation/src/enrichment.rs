//! The enrichment of an assay along a chromosome of a biosample: the three layers added up.

use super::activity::{Activity, EnhancerState, PromoterState};
use super::assay::AssayModel;
use super::chromosome::ChromosomeTruth;
use super::random::{Draws, Field};
use super::shape::Site;
use super::state::{Domain, State};
use persea_genome::{BIN_BP, Strand};

/// One assay on one chromosome of one biosample.
pub(crate) struct Landscape<'a> {
    truth: &'a ChromosomeTruth,
    activity: &'a Activity,
    assay: &'a AssayModel,
    seed: u64,
    biosample: u64,
    /// How strongly this experiment shows each promoter, enhancer and insulator, in that order.
    weights: Vec<f32>,
}

/// A promoter, enhancer or insulator with its height.
struct Peak {
    site: Site,
    height: f32,
}

/// No element lies further from the bins that it marks, in bp; the widest promoter reaches
/// 3.5 × 1,500 + 300.
const REACH_BP: u64 = 5_550;

impl<'a> Landscape<'a> {
    pub(crate) fn new(
        truth: &'a ChromosomeTruth,
        activity: &'a Activity,
        assay: &'a AssayModel,
        seed: u64,
        biosample: usize,
    ) -> Self {
        let chrom = truth.number as u64;
        let of_assay = format!("elements in {}", assay.name);
        let mut of_assay = Draws::new(seed, &of_assay, &[chrom]);
        let of_experiment = format!("elements in experiment {}", assay.name);
        let mut of_experiment = Draws::new(seed, &of_experiment, &[chrom, biosample as u64]);
        let n = truth.genes.len() + truth.enhancers.len() + truth.insulators.len();
        let weights = (0..n)
            .map(|_| {
                let binds = of_assay.chance(f64::from(assay.occupancy));
                let taste = of_assay.log_normal(1.0, 0.3);
                let own = of_experiment.log_normal(1.0, 0.15);
                if binds { (taste * own) as f32 } else { 0.0 }
            })
            .collect();
        Landscape {
            truth,
            activity,
            assay,
            seed,
            biosample: biosample as u64,
            weights,
        }
    }

    /// Reads beyond the background, in multiples of it, at the bins of the chromosome from
    /// `first` on.
    pub(crate) fn fill(&self, first: u64, out: &mut [f32]) {
        out.fill(0.0);
        self.add_domains(first, out);
        self.add_bodies(first, out);
        self.texture(first, out);
        self.add_peaks(first, out);
    }

    fn add_domains(&self, first: u64, out: &mut [f32]) {
        let end = first + out.len() as u64;
        let from = self
            .truth
            .domains
            .partition_point(|d| d.end <= first * BIN_BP);
        let domains = self.truth.domains[from..]
            .iter()
            .zip(&self.activity.domains[from..]);
        for (run, kind) in domains.take_while(|(run, _)| run.start < end * BIN_BP) {
            let height = self.assay.enrichment_in(kind.state());
            let stop = run.end.div_ceil(BIN_BP).min(end) - first;
            let start = (run.start / BIN_BP).max(first) - first;
            out[start as usize..stop as usize].fill(height);
        }
    }

    fn add_bodies(&self, first: u64, out: &mut [f32]) {
        let top = self.assay.enrichment_in(State::Transcribed);
        let (start_bp, end_bp) = (first * BIN_BP, (first + out.len() as u64) * BIN_BP);
        let from = self
            .truth
            .genes
            .partition_point(|g| g.gene.interval.end <= start_bp);
        for (i, element) in self.truth.genes.iter().enumerate().skip(from) {
            let interval = &element.gene.interval;
            if interval.start >= end_bp {
                break;
            }
            let promoter = &self.activity.promoters[i];
            if promoter.state != PromoterState::Active {
                continue;
            }
            // Transcription keeps the silent marks of a domain out of its genes.
            let kept = match self.activity.domains[element.domain] {
                Domain::Active => 1.0,
                _ => 0.3,
            };
            let forward = element.gene.strand == Strand::Forward;
            let bins =
                interval.start.max(start_bp) / BIN_BP..interval.end.min(end_bp).div_ceil(BIN_BP);
            for bin in bins {
                let from_start = (bin * BIN_BP + BIN_BP / 2).saturating_sub(interval.start);
                let share = (from_start as f32 / interval.len() as f32).min(1.0);
                let share = if forward { share } else { 1.0 - share };
                let value = &mut out[(bin - first) as usize];
                let body = self.assay.body.height(share) * promoter.transcription;
                *value = *value * kept + top * body;
            }
        }
    }

    /// Broad marks are patchy: partly everywhere in the same places, partly not.
    fn texture(&self, first: u64, out: &mut [f32]) {
        let chrom = self.truth.number as u64;
        let purpose = format!("texture of {}", self.assay.name);
        let shared = Field {
            seed: self.seed,
            purpose: &purpose,
            ids: &[chrom],
            spacing: 40,
            sigma: 0.5,
        };
        shared.scale(first, out);
        let purpose = format!("own texture of {}", self.assay.name);
        let own = Field {
            seed: self.seed,
            purpose: &purpose,
            ids: &[chrom, self.biosample],
            spacing: 40,
            sigma: 0.4,
        };
        own.scale(first, out);
    }

    fn add_peaks(&self, first: u64, out: &mut [f32]) {
        let start_bp = (first * BIN_BP).saturating_sub(REACH_BP);
        let end_bp = (first + out.len() as u64) * BIN_BP + REACH_BP;
        let truth = self.truth;
        let (n_genes, n_enhancers) = (truth.genes.len(), truth.enhancers.len());
        let from = truth
            .genes
            .partition_point(|g| g.gene.interval.end <= start_bp);
        for i in from..n_genes {
            let element = &truth.genes[i];
            if element.gene.interval.start >= end_bp {
                break;
            }
            let promoter = &self.activity.promoters[i];
            let state = match promoter.state {
                PromoterState::Active => State::ActivePromoter,
                PromoterState::Bivalent => State::BivalentPromoter,
                PromoterState::Silent => continue,
            };
            let height = self.assay.enrichment_in(state) * promoter.level * self.weights[i];
            let site = element.site();
            self.add_peak(&Peak { site, height }, first, out);
        }
        let from = truth.enhancers.partition_point(|e| e.end <= start_bp);
        for i in from..n_enhancers {
            let element = &truth.enhancers[i];
            if element.start >= end_bp {
                break;
            }
            let (state, level) = self.activity.enhancers[i];
            let state = match state {
                EnhancerState::Active => State::ActiveEnhancer,
                EnhancerState::Poised => State::PoisedEnhancer,
                EnhancerState::Off => continue,
            };
            let height = self.assay.enrichment_in(state) * level * self.weights[n_genes + i];
            let site = element.site();
            self.add_peak(&Peak { site, height }, first, out);
        }
        let from = truth.insulators.partition_point(|s| s.centre < start_bp);
        for i in from..truth.insulators.len() {
            let element = &truth.insulators[i];
            if element.centre >= end_bp {
                break;
            }
            let weight = self.weights[n_genes + n_enhancers + i] * self.activity.insulators[i];
            let height = self.assay.enrichment_in(State::Insulator) * weight;
            let site = element.site();
            self.add_peak(&Peak { site, height }, first, out);
        }
    }

    fn add_peak(&self, peak: &Peak, first: u64, out: &mut [f32]) {
        if peak.height <= 0.0 {
            return;
        }
        let end = first + out.len() as u64;
        let reach = peak.site.reach();
        let low = (peak.site.centre.saturating_sub(reach) / BIN_BP).clamp(first, end);
        let high = ((peak.site.centre + reach) / BIN_BP + 1).clamp(first, end);
        for bin in low..high {
            let middle = (bin * BIN_BP) as f32 + BIN_BP as f32 / 2.0;
            out[(bin - first) as usize] +=
                peak.height * self.assay.shape.height(&peak.site, middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimulationConfig;

    struct Scene {
        config: SimulationConfig,
        truth: ChromosomeTruth,
        activity: Activity,
    }

    impl Scene {
        fn new() -> Self {
            let config = SimulationConfig {
                chromosome_bp: 4_000_000,
                ..Default::default()
            };
            let truth = ChromosomeTruth::draw(&config, 0);
            let activity = Activity::draw(&config, &truth, 0, 0);
            Scene {
                config,
                truth,
                activity,
            }
        }

        fn fill(&self, assay: &str, first: u64, n: usize) -> Vec<f32> {
            let assay = AssayModel::by_name(assay, self.config.seed).unwrap();
            let landscape =
                Landscape::new(&self.truth, &self.activity, &assay, self.config.seed, 0);
            let mut out = vec![f32::NAN; n];
            landscape.fill(first, &mut out);
            out
        }
    }

    #[test]
    fn a_stretch_is_the_same_alone_and_in_the_whole() {
        let scene = Scene::new();
        for assay in ["H3K4me1", "H3K36me3", "H3K27me3", "CTCF", "TF3"] {
            let n = scene.truth.n_bins() as usize;
            let whole = scene.fill(assay, 0, n);
            assert!(whole.iter().all(|v| v.is_finite() && *v >= 0.0));
            for first in [0, 777, 40_000, n - 900] {
                assert_eq!(
                    scene.fill(assay, first as u64, 900),
                    whole[first..first + 900]
                );
            }
        }
    }

    #[test]
    fn marks_stand_where_their_states_are() {
        let scene = Scene::new();
        let n = scene.truth.n_bins() as usize;
        let around = |values: &[f32], position: u64| {
            let bin = (position / BIN_BP) as usize;
            values[bin.saturating_sub(20)..(bin + 20).min(n)]
                .iter()
                .sum::<f32>()
                / 40.0
        };
        let k4me3 = scene.fill("H3K4me3", 0, n);
        let (mut active, mut silent) = (Vec::new(), Vec::new());
        for (gene, promoter) in scene.truth.genes.iter().zip(&scene.activity.promoters) {
            let mean = around(&k4me3, gene.gene.tss());
            match promoter.state {
                PromoterState::Active => active.push(mean),
                PromoterState::Silent => silent.push(mean),
                PromoterState::Bivalent => {}
            }
        }
        let mean = |list: &[f32]| list.iter().sum::<f32>() / list.len() as f32;
        assert!(
            mean(&active) > 10.0 * mean(&silent),
            "{} {}",
            mean(&active),
            mean(&silent)
        );
        let k27me3 = scene.fill("H3K27me3", 0, n);
        let in_domains = |kind: Domain| {
            let runs = scene.truth.domains.iter().zip(&scene.activity.domains);
            let values: Vec<f32> = runs
                .filter(|(_, k)| **k == kind)
                .map(|(run, _)| around(&k27me3, run.start.midpoint(run.end)))
                .collect();
            mean(&values)
        };
        assert!(in_domains(Domain::Polycomb) > 4.0 * in_domains(Domain::Active));
    }
}
