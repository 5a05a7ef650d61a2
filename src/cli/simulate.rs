//! `persea simulate`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::simulation::{Simulation, SimulationConfig, WriteOptions, assay_names};

use super::output::{grouped, print_line};
use super::{Common, progress};

/// Simulate a compendium with known truth, with labels, and write it as files.
///
/// Chromatin states determine the tracks of every assay, gene expression, promoter–enhancer pairs,
/// replication timing and FIREs. Biosamples form groups, tracks differ in scale and noise, and some
/// experiments are missing. The chapter "The simulation" of the book describes the method.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: persea simulate --output simulated --biosamples 8 --assays 8 --seed 1"
)]
pub struct Arguments {
    /// Output folder; it must be new or empty
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    size: Size,
    /// Also write the noise-free signal of every experiment
    #[arg(long)]
    noise_free: bool,
}

/// Size of the simulated compendium.
#[derive(Debug, clap::Args)]
pub struct Size {
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Number of biosamples
    #[arg(long, value_name = "N", default_value_t = SimulationConfig::default().n_biosamples)]
    pub biosamples: usize,
    /// Number of groups of similar biosamples
    #[arg(long, value_name = "N", default_value_t = SimulationConfig::default().n_groups)]
    pub groups: usize,
    /// Number of assays
    #[arg(long, value_name = "N", default_value_t = SimulationConfig::default().assays.len())]
    pub assays: usize,
    /// Number of chromosomes
    #[arg(long, value_name = "N", default_value_t = SimulationConfig::default().n_chromosomes)]
    pub chromosomes: usize,
    /// Length of each chromosome in bp
    #[arg(long, value_name = "BP", default_value_t = SimulationConfig::default().chromosome_bp)]
    pub chromosome_bp: u64,
    /// Share of experiments that are missing
    #[arg(long, value_name = "SHARE", default_value_t = SimulationConfig::default().missing)]
    pub missing: f64,
    /// Share of each measured track's bins in which it has no data
    #[arg(long, value_name = "SHARE", default_value_t = SimulationConfig::default().uncovered)]
    pub uncovered: f64,
    /// Dispersion of the reads beyond counting noise; 1 resembles Roadmap's tracks
    #[arg(long, default_value_t = SimulationConfig::default().noise)]
    pub noise: f64,
}

impl Size {
    /// The configuration.
    pub fn config(&self) -> SimulationConfig {
        SimulationConfig {
            seed: self.seed,
            n_biosamples: self.biosamples,
            n_groups: self.groups,
            assays: assay_names(self.assays),
            n_chromosomes: self.chromosomes,
            chromosome_bp: self.chromosome_bp,
            missing: self.missing,
            uncovered: self.uncovered,
            noise: self.noise,
            ..SimulationConfig::default()
        }
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, _: &Common) -> anyhow::Result<ExitCode> {
    let simulation = Simulation::new(arguments.size.config())?;
    let bar = progress::bar(0, "writing {wide_bar} {pos}/{len} tracks, left {eta}");
    let options = WriteOptions {
        noise_free: arguments.noise_free,
        ..WriteOptions::default()
    };
    let written = simulation.write(&arguments.output, &options, &|done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    eprintln!(
        "{}: {} tracks measured, {} held out, {} bins, {} genes, {} enhancers",
        written.directory.display(),
        written.n_measured,
        written.n_held_out,
        grouped(written.n_bins),
        written.n_genes,
        written.n_enhancers
    );
    print_line(written.directory.join("manifest.tsv").display())?;
    Ok(ExitCode::SUCCESS)
}
