//! `persea demo`.

mod file_names;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use persea::compendium::{ColumnMap, Experiment, IngestOptions, Manifest, Replicates, ingest};
use persea::evaluation::{EvaluateOptions, ScoringScale, evaluate};
use persea::factorization::{Device, RunOptions, TrainOptions, fit};
use persea::formats::Format;
use persea::genome::{Assembly, GenomeAxis, Mask, read_bed, read_genes};
use persea::imputation::{Output, SignalScale, missing_experiments, spans, write_experiments};
use persea::model::TrainedModel;
use persea::simulation::{Simulation, SimulationConfig, WriteOptions};
use persea::store::{Database, NewDatabase};

use self::file_names::{named, refuse_colliding};
use super::output::{self, grouped};
use super::train::Shown;
use super::{Common, evaluate as scores, impute};

/// Simulate a compendium, train a model, impute the missing experiments and score them.
///
/// With --tracks, use a folder of real tracks instead: files named BIOSAMPLE.ASSAY.* (bigWig,
/// bedGraph, peaks, npz). Some of them are held out and scored.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea demo --output demo\n          persea demo --output mine --tracks tracks/ --assembly hg38 --chromosomes chr21"
)]
pub struct Arguments {
    /// Output folder
    #[arg(long, short, value_name = "DIR", default_value = "persea-demo")]
    output: PathBuf,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder of real tracks named BIOSAMPLE.ASSAY.*, used instead of simulated ones
    #[arg(long, value_name = "DIR", requires = "assembly")]
    tracks: Option<PathBuf>,
    /// Assembly of the tracks
    #[arg(long, requires = "tracks")]
    assembly: Option<String>,
    /// BED file of regions to use
    #[arg(
        long,
        value_name = "BED",
        requires = "tracks",
        conflicts_with = "chromosomes"
    )]
    regions: Option<PathBuf>,
    /// Chromosomes to use, as a whole
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        requires = "tracks"
    )]
    chromosomes: Vec<String>,
    /// Genes, for the measures over promoters and gene bodies
    #[arg(long, value_name = "FILE", requires = "tracks")]
    genes: Option<PathBuf>,
    /// Transform to apply to the tracks; none if their signal is already transformed
    #[arg(long, value_name = "TRANSFORM", default_value = "arcsinh", value_parser = ["arcsinh", "none"])]
    transform: String,
    /// Maximum number of passes
    #[arg(long, default_value_t = 20)]
    passes: u32,
}

/// The tracks to learn from and the tracks to score.
struct DemoInputs {
    new: NewDatabase,
    manifest: Manifest,
    /// Held-out tracks, in the database or not.
    hold: Vec<(String, String)>,
    truth: Option<Manifest>,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let say = |what: &str| eprintln!("[{:>5.1} s] {what}", began.elapsed().as_secs_f64());
    let folder = &arguments.output;
    if folder.exists()
        && folder
            .read_dir()
            .map(|mut d| d.next().is_some())
            .unwrap_or(true)
    {
        bail!(
            "{} already exists; remove it or choose another --output",
            folder.display()
        );
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let inputs = match &arguments.tracks {
        Some(tracks) => real(&arguments, tracks)?,
        None => {
            let written = simulate(&arguments)?;
            say(&format!(
                "simulated {} tracks of {} bins with known truth, and {} held-out tracks to score",
                written.0,
                grouped(written.1),
                written.2
            ));
            simulated(&folder.join("simulated"))?
        }
    };
    let db_path = folder.join("demo.persea");
    let database = Database::create(&db_path, &inputs.new)?;
    let options = IngestOptions {
        threads: common.threads.map_or(0, usize::from),
        replicates: Replicates::Mean,
        ..IngestOptions::default()
    };
    let report = ingest(&database, &inputs.manifest, &options)?;
    if let Some((experiment, error)) = report.failed.first() {
        bail!("{experiment}: {error}");
    }
    say(&format!(
        "ingested {} tracks of {} bins",
        report.ingested.len(),
        grouped(database.axis().n_bins())
    ));

    let train_options = train_options(&arguments, inputs.hold.clone());
    let run_options = RunOptions {
        device: Device::Cpu,
        checkpoint_every: Duration::from_secs(600),
        replace: false,
    };
    let mut shown = Shown::new(Arc::new(AtomicBool::new(false)));
    shown.tell = false;
    let trained = fit(&database, &train_options, run_options, false, &mut shown);
    shown.bar.finish_and_clear();
    let trained = trained?;
    say(&format!(
        "trained {} passes (chosen on validation tracks)",
        trained.record.training["passes"]
    ));

    let model = TrainedModel::open(&database, None)?;
    let wanted: Vec<Experiment> = match &inputs.truth {
        Some(_) => missing_experiments(&database, &model)?,
        None => inputs
            .hold
            .iter()
            .map(|(b, a)| Experiment::new(b, a))
            .collect(),
    };
    let imputed = folder.join("imputed");
    std::fs::create_dir_all(&imputed)?;
    let outputs: Vec<Output> = (wanted.iter())
        .map(|e| Output {
            experiment: e.clone(),
            path: imputed.join(impute::file_name(e, Format::BigWig)),
            uncertainty: None,
        })
        .collect();
    write_experiments(
        &database,
        &model,
        &outputs,
        Format::BigWig,
        &spans(model.axis(), &[])?,
        SignalScale::Signal,
        &mut |_| {},
    )?;
    say(&format!("imputed {} experiments to bigWig", outputs.len()));

    let options = EvaluateOptions {
        truth: inputs.truth,
        ..EvaluateOptions::default()
    };
    let evaluation = evaluate(
        &database,
        &model,
        ScoringScale::Arcsinh,
        &options,
        &mut |_, _| {},
    )?;
    say("scored them against the held-out tracks");
    output::print_line("")?;
    scores::print(&evaluation, common.format)?;
    eprintln!();
    for (what, path) in [("database", &db_path), ("imputed bigWigs", &imputed)] {
        eprintln!("{what}: {}", path.display());
    }
    let db = db_path.display();
    eprintln!("try next:\n  persea info --db {db}\n  persea model show --db {db}");
    if let Some(first) = wanted.first() {
        eprintln!(
            "  persea impute {}:{} --db {db} --region {} --output region.bedGraph",
            first.biosample,
            first.assay,
            example_region(&database)
        );
    }
    eprintln!(
        "  persea demo --tracks FOLDER --assembly hg38 --chromosomes chr21 --output mine    (your own tracks)"
    );
    Ok(ExitCode::SUCCESS)
}

fn example_region(database: &Database) -> String {
    let region = database.axis().region_interval(0);
    let end = region.end.min(region.start + 100_000);
    format!("{}:{}-{}", region.chrom, region.start + 1, end)
}

fn train_options(arguments: &Arguments, hold: Vec<(String, String)>) -> TrainOptions {
    TrainOptions {
        name: "demo".into(),
        passes: arguments.passes,
        patience: 8,
        hold,
        seed: arguments.seed,
        ..TrainOptions::default()
    }
}

fn simulate(arguments: &Arguments) -> anyhow::Result<(usize, u64, usize)> {
    let config = SimulationConfig {
        seed: arguments.seed,
        ..SimulationConfig::default()
    };
    let simulation = Simulation::new(config)?;
    let written = simulation.write(
        &arguments.output.join("simulated"),
        &WriteOptions {
            noise_free: false,
            ..WriteOptions::default()
        },
        &|_, _| {},
    )?;
    Ok((written.n_measured, written.n_bins, written.n_held_out))
}

/// A simulated compendium, read from its files as a user would.
fn simulated(folder: &Path) -> anyhow::Result<DemoInputs> {
    let assembly = Assembly::from_chrom_sizes("simulated", &folder.join("chrom.sizes"))?;
    let axis = GenomeAxis::from_bed(assembly.clone(), &folder.join("regions.bed"))?;
    let columns = ColumnMap::default();
    Ok(DemoInputs {
        new: NewDatabase {
            mask: Mask::read_intervals(&axis, &[folder.join("mask.bed")])?,
            genes: read_genes(&folder.join("genes.gtf.gz"), &assembly)?.genes,
            enhancers: read_bed(&folder.join("enhancers.bed"), &assembly)?
                .into_iter()
                .map(|(i, _)| i)
                .collect(),
            axis,
        },
        manifest: Manifest::read(&folder.join("manifest.tsv"), &columns)?,
        hold: Vec::new(),
        truth: Some(Manifest::read(&folder.join("truth.tsv"), &columns)?),
    })
}

/// A folder of real tracks. Every biosample and assay keeps two tracks in training.
fn real(arguments: &Arguments, tracks: &Path) -> anyhow::Result<DemoInputs> {
    // clap asks for an assembly with tracks; no name is none that is built in.
    let assembly = Assembly::by_name(arguments.assembly.as_deref().unwrap_or_default())?;
    let axis = match (&arguments.regions, arguments.chromosomes.is_empty()) {
        (Some(bed), _) => GenomeAxis::from_bed(assembly.clone(), bed)?,
        (None, false) => {
            let names: Vec<&str> = arguments.chromosomes.iter().map(String::as_str).collect();
            GenomeAxis::whole_chromosomes(assembly.clone(), &names)?
        }
        (None, true) => {
            bail!("no part of the genome is given; add --chromosomes NAME,… or --regions BED")
        }
    };
    let mut rows = Vec::new();
    let entries = tracks
        .read_dir()
        .with_context(|| format!("cannot read {}", tracks.display()))?;
    for entry in entries {
        let path = entry?.path();
        // An entry of a folder has a name.
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let known = Format::guess(&persea::formats::Location::Path(path.clone())).is_some();
        match named(&name) {
            Some(of_name) if known => {
                rows.push((of_name, std::path::absolute(&path)?));
            }
            _ => eprintln!(
                "{}: skipped; a track must be named BIOSAMPLE.ASSAY.*, with the extension of a known format",
                path.display()
            ),
        }
    }
    rows.sort_by(|(a, path_a), (b, path_b)| {
        (&a.biosample, &a.assay, path_a).cmp(&(&b.biosample, &b.assay, path_b))
    });
    refuse_colliding(&rows)?;
    if let Some((of_name, path)) = rows.iter().find(|(of_name, _)| of_name.has_more) {
        eprintln!(
            "{} is read as biosample {}, assay {}; the other files alike",
            path.file_name().unwrap_or_default().to_string_lossy(),
            of_name.biosample,
            of_name.assay
        );
    }
    let rows: Vec<(String, String, PathBuf)> = (rows.into_iter())
        .map(|(of_name, path)| (of_name.biosample, of_name.assay, path))
        .collect();
    if rows.is_empty() {
        bail!(
            "{} contains no file named BIOSAMPLE.ASSAY.* in a known format",
            tracks.display()
        );
    }
    let manifest = arguments.output.join("manifest.tsv");
    let mut text = String::from("biosample\tassay\tpath\ttransform\n");
    for (b, a, path) in &rows {
        text += &format!("{b}\t{a}\t{}\t{}\n", path.display(), arguments.transform);
    }
    persea::formats::write_text(&manifest, text.as_bytes())?;
    let genes = match &arguments.genes {
        Some(file) => read_genes(file, &assembly)?.genes,
        None => Vec::new(),
    };
    let mut pairs: Vec<(String, String)> = rows
        .iter()
        .map(|(b, a, _)| (b.clone(), a.clone()))
        .collect();
    pairs.dedup();
    let hold = persea::factorization::draw_held_out(&pairs, arguments.seed);
    if hold.is_empty() {
        bail!(
            "too few tracks to hold one out: at least two biosamples and two assays must have three tracks each"
        );
    }
    Ok(DemoInputs {
        new: NewDatabase {
            axis,
            mask: Vec::new(),
            genes,
            enhancers: Vec::new(),
        },
        manifest: Manifest::read(&manifest, &ColumnMap::default())?,
        hold,
        truth: None,
    })
}
