//! `persea impute`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use persea::compendium::{Experiment, Shard};
use persea::formats::{Format, Location, TableFormat, TableSource, write_table};
use persea::imputation::{
    ImputedTable, Output, SignalScale, UncertaintyFiles, missing_experiments, on_reference_scale,
    read_experiments, write_experiments, write_shard,
};
use persea::model::{QUANTILES, TrainedModel};
use persea::store::Database;

use serde_json::json;

use super::names::Known;
use super::output::{grouped, print_line};
use super::regions::Regions;
use super::{Common, Misuse, dry_run, progress};

/// Impute experiments and write them as bigWig, bedGraph, npz, npy, Parquet, Zarr or TSV.
///
/// Several experiments become one file if --output ends in .npz, .parquet, .zarr or .tsv: a row per 25 bp bin with
/// its coordinates, a column per experiment with a name that R accepts, and names and units in the file.
/// Otherwise --output is a folder with one file per experiment.
///
/// With --shard, several jobs share the work: each imputes every n-th of the experiments, and a job that is repeated
/// imputes only what is missing, has changed or was made by another model or other options.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea impute E003:H3K36me3 --model fold0 --output E003.H3K36me3.bw\n          persea impute --all-missing --output imputed/ --as bigwig\n          persea impute E003:H3K36me3 E003:H3K4me3 --region VPS72 --output VPS72.parquet\n          persea impute --all-missing --shard 2/8 --output imputed/"
)]
pub struct Arguments {
    /// Experiments to impute, as BIOSAMPLE:ASSAY
    #[arg(value_name = "BIOSAMPLE:ASSAY")]
    experiments: Vec<String>,
    /// TSV or CSV file of experiments (columns biosample and assay)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["experiments", "all_missing"])]
    list: Option<PathBuf>,
    /// Impute every experiment of the model that was not measured
    #[arg(long, conflicts_with = "experiments")]
    all_missing: bool,
    /// Part of the experiments to impute, as I/N: 1/4 to 4/4 for four jobs
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Output file for one experiment or (.npz, .parquet, .zarr, .tsv) for several, or a folder
    #[arg(long, short, value_name = "PATH")]
    output: PathBuf,
    /// Output format: bigwig, bedgraph, npz, npy, parquet, zarr or tsv; otherwise taken from --output, bigwig for a
    /// folder
    // Its own id: every subcommand has `--format` as well, which says how results are printed.
    #[arg(id = "as", long = "as", value_name = "FORMAT", value_parser = ["bigwig", "bedgraph", "npz", "npy", "parquet", "zarr", "tsv"])]
    format: Option<String>,
    #[command(flatten)]
    regions: Regions,
    /// Estimate time and disk, then exit; a part of the genome is imputed into a temporary folder to measure them
    #[arg(long)]
    dry_run: bool,
    /// Write arcsinh values, the scale on which models are trained
    #[arg(long)]
    arcsinh: bool,
    /// Write how far observed signal lies from imputed signal at every bin: its standard deviation as
    /// NAME.sd.EXTENSION, and the quantiles of the observed signal as NAME.q05, q25, q75 and
    /// q95.EXTENSION, the ends of the 90 % and the 50 % interval; as columns in a file of several experiments
    #[arg(long)]
    uncertainty: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let model = TrainedModel::open(&database, arguments.model.as_deref())?;
    let mut experiments: Vec<Experiment> = match (&arguments.list, arguments.all_missing) {
        (Some(list), _) => read_experiments(list, &model)?,
        (None, true) => missing_experiments(&database, &model)?,
        (None, false) if arguments.experiments.is_empty() => {
            return Err(Misuse("which experiments? Name some as BIOSAMPLE:ASSAY, or give --list FILE or --all-missing".into()).into());
        }
        (None, false) => {
            let experiments = Known::of(&database)?.experiments(&arguments.experiments)?;
            for experiment in &experiments {
                model.biosample(&experiment.biosample)?;
                model.assay(&experiment.assay)?;
            }
            experiments
        }
    };
    let mut seen = HashSet::new();
    experiments.retain(|e| seen.insert(e.clone()));
    if experiments.is_empty() {
        eprintln!("nothing to impute: every experiment of the model was measured");
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(shard) = arguments.shard {
        experiments = shard.of(experiments);
        if experiments.is_empty() {
            eprintln!("nothing to impute: shard {shard} has no experiment");
            return Ok(ExitCode::SUCCESS);
        }
    }
    if arguments.dry_run {
        return dry_run(&arguments, &database, &model, &experiments, common);
    }
    if !arguments.arcsinh {
        say_reference_scale(&database, &model, &experiments)?;
    }
    if let Some(format) = table_format(&arguments, &experiments) {
        if arguments.shard.is_some() {
            let name = arguments.output.display();
            return Err(Misuse(format!(
                "{name} is one file of all experiments, which shards cannot share; name a folder"
            ))
            .into());
        }
        return write_one_table(&arguments, format, &database, &model, &experiments);
    }
    let one = arguments.shard.is_none()
        && arguments.list.is_none()
        && !arguments.all_missing
        && experiments.len() == 1
        && !arguments.output.is_dir();
    let format = format(&arguments, one)?;
    let beside = |path: PathBuf| arguments.uncertainty.then(|| uncertainty_beside(&path));
    let outputs: Vec<Output> = match one {
        true => vec![Output {
            experiment: experiments[0].clone(),
            path: arguments.output.clone(),
            uncertainty: beside(arguments.output.clone()),
        }],
        false => {
            std::fs::create_dir_all(&arguments.output)
                .with_context(|| format!("cannot make {}", arguments.output.display()))?;
            let path = |e: &Experiment| arguments.output.join(file_name(e, format));
            experiments
                .iter()
                .map(|e| Output {
                    experiment: e.clone(),
                    path: path(e),
                    uncertainty: beside(path(e)),
                })
                .collect()
        }
    };
    let mut paths = HashSet::new();
    let mut all = outputs.iter().flat_map(|o| {
        let beside = o.uncertainty.iter();
        let beside = beside.flat_map(|u| std::iter::once(&u.deviation).chain(&u.quantiles));
        std::iter::once(&o.path).chain(beside)
    });
    if let Some(twice) = all.find(|path| !paths.insert(*path)) {
        bail!(
            "{} would be written twice, for a track and for the uncertainty of another; impute them \
             into two folders",
            twice.display()
        );
    }
    let spans = arguments.regions.spans(&database, model.axis())?;
    let scale = arguments.scale();
    let n_bins: u64 = spans.iter().map(|s| s.end - s.start).sum();
    let bar = progress::bar(
        n_bins * outputs.len() as u64,
        "imputing {wide_bar} {percent}% {elapsed} left {eta}",
    );
    let progress = &mut |done| bar.set_position(done);
    match arguments.shard {
        Some(shard) => {
            let place = (shard, arguments.output.as_path());
            let report = write_shard(
                &database, &model, place, &outputs, format, &spans, scale, progress,
            )?;
            bar.finish_and_clear();
            eprintln!(
                "shard {shard}: {} experiments imputed, {} had been imputed before",
                report.n_written, report.n_unchanged
            );
        }
        None => write_experiments(&database, &model, &outputs, format, &spans, scale, progress)?,
    }
    bar.finish_and_clear();
    for output in &outputs {
        print_line(output.path.display())?;
        if let Some(files) = &output.uncertainty {
            print_line(files.deviation.display())?;
            for path in &files.quantiles {
                print_line(path.display())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints which experiments have signal on the scale of their assay's reference.
fn say_reference_scale(
    database: &Database,
    model: &TrainedModel,
    experiments: &[Experiment],
) -> anyhow::Result<()> {
    let found = on_reference_scale(database, model, experiments)?;
    let others = match found.len() {
        0 => return Ok(()),
        1 => String::new(),
        n => format!(" and {} others", n - 1),
    };
    eprintln!(
        "{}{others}: signal on the scale of the assay's reference, because no normalised track of its own is stored",
        found[0]
    );
    Ok(())
}

/// Prints what imputing would take.
fn dry_run(
    arguments: &Arguments,
    database: &Database,
    model: &TrainedModel,
    experiments: &[Experiment],
    common: &Common,
) -> anyhow::Result<ExitCode> {
    let spans = arguments.regions.spans(database, model.axis())?;
    let scale = arguments.scale();
    let some = &experiments[..experiments.len().min(dry_run::TRIAL_EXPERIMENTS)];
    let table = table_format(arguments, experiments);
    let is_one = experiments.len() == 1 && arguments.list.is_none() && !arguments.all_missing;
    let format = match table {
        Some(_) => Format::BigWig,
        None => format(arguments, is_one && !arguments.output.is_dir())?,
    };
    let (seconds, bytes) = dry_run::over_all(&spans, &mut |part| {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        if let Some(kind) = table {
            let path = folder.path().join("trial");
            let uncertainty = arguments.uncertainty;
            let rows = ImputedTable::new(database, model, some, part, scale, uncertainty)?;
            write_table(&path, kind, &rows, &mut |_| {})?;
        } else {
            let output = |e: &Experiment| {
                let path = folder.path().join(file_name(e, format));
                Output {
                    experiment: e.clone(),
                    uncertainty: arguments.uncertainty.then(|| uncertainty_beside(&path)),
                    path,
                }
            };
            let outputs: Vec<Output> = some.iter().map(output).collect();
            write_experiments(database, model, &outputs, format, part, scale, &mut |_| {})?;
        }
        Ok(dry_run::bytes_of(folder.path())?)
    })?;
    let times = experiments.len() as f64 / some.len() as f64;
    let mut needed = dry_run::Needed::default();
    needed.line("experiments", json!(experiments.len()), "");
    let n_bins: u64 = spans.iter().map(|s| s.end - s.start).sum();
    needed.line("bins of an experiment", json!(n_bins), "25 bp");
    let disk = times * bytes as f64 / 1e9;
    needed.sum(times * seconds / 60.0, None, Some(disk));
    eprintln!("an estimate, from imputing a part of the genome on this machine");
    needed.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    fn scale(&self) -> SignalScale {
        match self.arcsinh {
            true => SignalScale::Transformed,
            false => SignalScale::Signal,
        }
    }
}

/// The format of one table with all experiments, if that is what is asked for. An npz of one experiment is an
/// array as before, with its coordinates beside it.
fn table_format(arguments: &Arguments, experiments: &[Experiment]) -> Option<TableFormat> {
    let named = arguments.format.as_deref();
    let by_name = TableFormat::guess(&arguments.output);
    match named.or(by_name.map(TableFormat::name)) {
        Some("parquet") => Some(TableFormat::Parquet),
        Some("zarr") => Some(TableFormat::Zarr),
        Some("tsv") => Some(TableFormat::Tsv),
        Some("npz") if by_name == Some(TableFormat::Npz) && experiments.len() > 1 => {
            (!arguments.output.is_dir()).then_some(TableFormat::Npz)
        }
        _ => None,
    }
}

fn write_one_table(
    arguments: &Arguments,
    format: TableFormat,
    database: &Database,
    model: &TrainedModel,
    experiments: &[Experiment],
) -> anyhow::Result<ExitCode> {
    let spans = arguments.regions.spans(database, model.axis())?;
    let uncertainty = arguments.uncertainty;
    let scale = arguments.scale();
    let table = ImputedTable::new(database, model, experiments, &spans, scale, uncertainty)?;
    let shape = table.shape();
    let bar = progress::bar(
        shape.n_rows,
        "imputing {wide_bar} {percent}% {elapsed} left {eta}",
    );
    write_table(&arguments.output, format, &table, &mut |n| {
        bar.set_position(n)
    })?;
    bar.finish_and_clear();
    eprintln!(
        "{} bins, {} columns",
        grouped(shape.n_rows),
        shape.numbers.len()
    );
    print_line(arguments.output.display())?;
    Ok(ExitCode::SUCCESS)
}

fn format(arguments: &Arguments, one: bool) -> anyhow::Result<Format> {
    if let Some(name) = &arguments.format {
        return Format::from_name(name).with_context(|| format!("`{name}` is not a format"));
    }
    if !one {
        return Ok(Format::BigWig);
    }
    match Format::guess(&Location::Path(arguments.output.clone())) {
        Some(format @ (Format::BigWig | Format::BedGraph | Format::Npz | Format::Npy)) => {
            Ok(format)
        }
        _ => Err(Misuse(format!(
            "{}: unknown format; end the name in .bw, .bedGraph, .npz, .npy, .parquet, .zarr or .tsv, or give --as",
            arguments.output.display()
        ))
        .into()),
    }
}

/// `NAME.sd.bw`, `NAME.q05.bw` and so on for `NAME.bw`.
fn uncertainty_beside(path: &Path) -> UncertaintyFiles {
    // Outputs have names: their endings have been looked at.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // `bedGraph.gz` is one extension.
    let cut = match name.rsplit_once('.') {
        Some((rest, end)) if ["gz", "bgz"].contains(&end.to_ascii_lowercase().as_str()) => {
            rest.rfind('.')
        }
        _ => name.rfind('.'),
    };
    let (stem, extension) = name.split_at(cut.unwrap_or(name.len()));
    let beside = |what: &str| path.with_file_name(format!("{stem}.{what}{extension}"));
    UncertaintyFiles {
        deviation: beside("sd"),
        quantiles: QUANTILES.map(|q| beside(&format!("q{:02.0}", 100.0 * q))),
    }
}

/// The longest name in bytes before the format's ending. File systems take 255.
const LONGEST_STEM: usize = 200;

/// A file name for an experiment: BIOSAMPLE.ASSAY and the format's ending. Two experiments never have
/// the same: what has a meaning in a path, and a dot in the biosample's name, is written as `%2F`, and a
/// name that is too long ends with a digest.
pub fn file_name(experiment: &Experiment, format: Format) -> PathBuf {
    let extension = match format {
        Format::BedGraph => "bedGraph",
        Format::Npz => "npz",
        Format::Npy => "npy",
        _ => "bw",
    };
    let mut stem = escaped(&experiment.biosample, true);
    stem.push('.');
    stem += &escaped(&experiment.assay, false);
    if stem.len() > LONGEST_STEM {
        let digest = blake3::hash(stem.as_bytes()).to_hex();
        let cut = (0..=LONGEST_STEM - 17).rfind(|i| stem.is_char_boundary(*i));
        stem.truncate(cut.unwrap_or(0));
        stem = format!("{stem}~{}", &digest[..16]);
    }
    PathBuf::from(format!("{stem}.{extension}"))
}

/// A name with escapes for what would be read as something else.
fn escaped(name: &str, with_dots: bool) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if matches!(c, '/' | '\\' | '%') || c.is_control() || (with_dots && c == '.') {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                text += &format!("%{byte:02X}");
            }
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(biosample: &str, assay: &str) -> String {
        let experiment = Experiment::new(biosample, assay);
        file_name(&experiment, Format::BigWig).display().to_string()
    }

    #[test]
    fn experiments_have_file_names_of_their_own() {
        assert_eq!(name("E003", "H3K4me3"), "E003.H3K4me3.bw");
        assert_eq!(name("T cell, CD4", "a.b"), "T cell, CD4.a.b.bw");
        assert_eq!(name("x.y", "H3K4me3"), "x%2Ey.H3K4me3.bw");
        assert_eq!(name("x", "y.H3K4me3"), "x.y.H3K4me3.bw");
        assert_eq!(name("a/b", "c"), "a%2Fb.c.bw");
        assert_eq!(name("a_b", "c"), "a_b.c.bw");
        assert_eq!(name("a%2Fb", "c"), "a%252Fb.c.bw");
        let long = |end: &str| name(&format!("{}{end}", "é".repeat(150)), "x");
        assert!(
            long("1").len() < 220 && long("1") != long("2"),
            "{}",
            long("1")
        );
    }

    #[test]
    fn uncertainty_lies_beside_its_track() {
        for (name, beside) in [
            ("o.bw", "o.sd.bw"),
            ("o.bedGraph.gz", "o.sd.bedGraph.gz"),
            ("o.bedGraph.BGZ", "o.sd.bedGraph.BGZ"),
        ] {
            assert_eq!(
                uncertainty_beside(Path::new(name)).deviation,
                Path::new(beside)
            );
        }
    }
}
