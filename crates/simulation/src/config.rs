//! What a simulation is asked for.

use serde::{Deserialize, Serialize};

use super::SimulationError;
use super::assay::{AssayModel, DEFAULT_ASSAYS, assay_names};

/// The size and the difficulty of a simulated compendium. The same settings give the same bytes.
///
/// ```
/// use persea_simulation::SimulationConfig;
/// let config = SimulationConfig { seed: 7, n_biosamples: 3, ..SimulationConfig::default() };
/// config.validate()?;
/// # Ok::<(), persea_simulation::SimulationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulationConfig {
    /// The seed of everything random.
    pub seed: u64,
    /// How many biosamples; they are named `S1`, `S2` ….
    pub n_biosamples: usize,
    /// How many groups (tissues) they fall into, in turn: biosample i belongs to group i modulo
    /// this number. Biosamples of a group share most of their enhancers.
    pub n_groups: usize,
    /// The assays, by name: those of [`assay_names`].
    pub assays: Vec<String>,
    /// How many chromosomes; they are named `chr1`, `chr2` ….
    pub n_chromosomes: usize,
    /// Length of each chromosome in bp. It need not be a multiple of 25.
    pub chromosome_bp: u64,
    /// The share of experiments to hold out, below 1. Every biosample and every assay keeps two
    /// tracks where it has that many experiments, so that the share reached may be smaller.
    pub missing: f64,
    /// The share of each measured track's bins in which it has no data, in stretches of 50 kb; at most 0.9.
    pub uncovered: f64,
    /// Mean distance between the genes of an active domain in bp; other domains have fewer.
    pub gene_spacing_bp: f64,
    /// Mean distance between the enhancers of an active domain in bp; other domains have fewer.
    pub enhancer_spacing_bp: f64,
    /// The probability that a domain differs from the reference in a group.
    pub group_switching: f64,
    /// The probability that a domain, and about the probability that an enhancer or a promoter,
    /// differs from its group in a biosample.
    pub biosample_switching: f64,
    /// Sequencing depth; 1 is about Roadmap's 30 million reads on hg19.
    pub depth: f64,
    /// Dispersion of the reads beyond Poisson; 0 leaves the counting noise alone, 1 is like
    /// Roadmap's tracks.
    pub noise: f64,
    /// Negative promoter–enhancer pairs for each positive one, where there are that many.
    pub negatives_per_positive: f64,
}

impl Default for SimulationConfig {
    /// Eight biosamples in three groups, eight assays, 28 % of the experiments held out, four
    /// chromosomes of 200,000 bins in all.
    fn default() -> Self {
        SimulationConfig {
            seed: 0,
            n_biosamples: 8,
            n_groups: 3,
            assays: assay_names(DEFAULT_ASSAYS),
            n_chromosomes: 4,
            // Four times 50,001 bins, of which the last is 10 bp wide.
            chromosome_bp: 1_250_010,
            missing: 0.28,
            uncovered: 0.0,
            gene_spacing_bp: 11_000.0,
            enhancer_spacing_bp: 6_000.0,
            group_switching: 0.2,
            biosample_switching: 0.06,
            depth: 1.0,
            noise: 1.0,
            negatives_per_positive: 5.0,
        }
    }
}

/// The shortest chromosome that has room for a gene and an enhancer apart from it.
const SHORTEST_CHROMOSOME: u64 = 50_000;

impl SimulationConfig {
    /// Whether such a compendium can be simulated.
    ///
    /// # Errors
    /// Names the first setting that makes no sense, with what would do.
    pub fn validate(&self) -> Result<(), SimulationError> {
        let refuse =
            |setting: String, message: &str| Err(SimulationError::setting(setting, message));
        if self.n_biosamples == 0 {
            return refuse("no biosample".into(), "a track needs one");
        }
        if self.n_groups == 0 || self.n_groups > self.n_biosamples {
            return refuse(
                format!("{} groups", self.n_groups),
                &format!("give 1 to {}, the number of biosamples", self.n_biosamples),
            );
        }
        if self.assays.is_empty() {
            return refuse("no assay".into(), "a track needs one");
        }
        for (i, name) in self.assays.iter().enumerate() {
            AssayModel::by_name(name, self.seed)?;
            if self.assays[..i].contains(name) {
                return refuse(format!("assay `{name}` twice"), "name each assay once");
            }
        }
        if self.n_chromosomes == 0 {
            return refuse("no chromosome".into(), "the genome needs one");
        }
        if !(SHORTEST_CHROMOSOME..=u64::from(u32::MAX)).contains(&self.chromosome_bp) {
            return refuse(
                format!("chromosomes of {} bp", self.chromosome_bp),
                &format!(
                    "give {SHORTEST_CHROMOSOME} (room for a gene and an enhancer) to {} (bigWig's limit)",
                    u32::MAX
                ),
            );
        }
        let within = |name: &str, value: f64, low: f64, high: f64| {
            if value.is_finite() && (low..=high).contains(&value) {
                return Ok(());
            }
            Err(SimulationError::setting(
                format!("{name} = {value}"),
                format!("give a number from {low} to {high}"),
            ))
        };
        within("missing", self.missing, 0.0, 0.99)?;
        within("uncovered", self.uncovered, 0.0, 0.9)?;
        within("gene_spacing_bp", self.gene_spacing_bp, 1_000.0, 1e9)?;
        within("enhancer_spacing_bp", self.enhancer_spacing_bp, 500.0, 1e9)?;
        within("group_switching", self.group_switching, 0.0, 1.0)?;
        within("biosample_switching", self.biosample_switching, 0.0, 1.0)?;
        within("depth", self.depth, 0.05, 20.0)?;
        within("noise", self.noise, 0.0, 10.0)?;
        within(
            "negatives_per_positive",
            self.negatives_per_positive,
            0.0,
            1_000.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_size_of_the_demo_and_valid() {
        let config = SimulationConfig::default();
        config.validate().unwrap();
        let bins = config.n_chromosomes as u64 * config.chromosome_bp.div_ceil(25);
        assert!((150_000..=210_000).contains(&bins), "{bins}");
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_with_what_would_do() {
        type Change = fn(&mut SimulationConfig);
        let cases: [(Change, &str); 13] = [
            (|c| c.n_biosamples = 0, "no biosample"),
            (|c| c.n_groups = 0, "0 groups: give 1 to 8"),
            (|c| c.n_groups = 9, "9 groups: give 1 to 8"),
            (|c| c.assays.clear(), "no assay"),
            (|c| c.assays.push("H3K4me3".into()), "`H3K4me3` twice"),
            (|c| c.assays.push("H3K4me5".into()), "assay `H3K4me5`"),
            (|c| c.n_chromosomes = 0, "no chromosome"),
            (|c| c.chromosome_bp = 1_000, "1000 bp: give 50000"),
            (|c| c.chromosome_bp = 1 << 33, "bigWig"),
            (|c| c.missing = 1.0, "missing = 1"),
            (
                |c| c.uncovered = 1.0,
                "uncovered = 1: give a number from 0 to 0.9",
            ),
            (|c| c.noise = f64::NAN, "noise = NaN"),
            (|c| c.depth = 0.0, "depth = 0: give a number from 0.05"),
        ];
        for (change, why) in cases {
            let mut config = SimulationConfig::default();
            change(&mut config);
            let message = config.validate().unwrap_err().to_string();
            assert!(message.contains(why), "{message}");
        }
    }
}
