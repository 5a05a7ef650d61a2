//! `persea impute`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use persea::compendium::Experiment;
use persea::formats::{Format, Location};
use persea::genome::Interval;
use persea::imputation::{
    Output, SignalScale, missing_experiments, parse_experiment, read_experiments, spans,
    write_experiments,
};
use persea::model::TrainedModel;

use super::output::print_line;
use super::{Common, Misuse, progress};

/// Impute experiments and write them as bigWig, bedGraph, npz or npy.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea impute E003:H3K36me3 --model fold0 --output E003.H3K36me3.bw\n          persea impute --all-missing --output imputed/ --as bigwig"
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
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Output file for one experiment, or folder for several
    #[arg(long, short, value_name = "PATH")]
    output: PathBuf,
    /// Output format: bigwig, bedgraph, npz or npy; for one experiment taken from --output
    // Its own id: every subcommand has `--format` as well, which says how results are printed.
    #[arg(id = "as", long = "as", value_name = "FORMAT", value_parser = ["bigwig", "bedgraph", "npz", "npy"])]
    format: Option<String>,
    /// Regions to write: chr1:1,000,000-2,000,000 (1-based, inclusive) or a chromosome name
    #[arg(long, value_name = "REGION", num_args = 1)]
    region: Vec<String>,
    /// Write arcsinh values, the scale on which models are trained
    #[arg(long)]
    arcsinh: bool,
    /// Write a second file NAME.sd.EXTENSION with the standard deviation of the observed signal
    /// around the imputed signal, at every bin
    #[arg(long)]
    uncertainty: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let model = TrainedModel::open(&database, arguments.model.as_deref())?;
    let experiments: Vec<Experiment> = match (&arguments.list, arguments.all_missing) {
        (Some(list), _) => read_experiments(list, &model)?,
        (None, true) => missing_experiments(&database, &model)?,
        (None, false) if arguments.experiments.is_empty() => {
            return Err(Misuse("which experiments? Name some as BIOSAMPLE:ASSAY, or give --list FILE or --all-missing".into()).into());
        }
        (None, false) => {
            let texts = arguments.experiments.iter().flat_map(|t| t.split(','));
            texts
                .map(|text| parse_experiment(text, &model))
                .collect::<Result<_, _>>()?
        }
    };
    if experiments.is_empty() {
        eprintln!("nothing to impute: every experiment of the model was measured");
        return Ok(ExitCode::SUCCESS);
    }
    let one = arguments.list.is_none()
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
    let intervals: Vec<Interval> = arguments
        .region
        .iter()
        .map(|r| Interval::parse_browser(r))
        .collect::<Result<_, _>>()?;
    let spans = spans(model.axis(), &intervals)?;
    let scale = if arguments.arcsinh {
        SignalScale::Transformed
    } else {
        SignalScale::Signal
    };
    let n_bins: u64 = spans.iter().map(|s| s.end - s.start).sum();
    let bar = progress::bar(
        n_bins * outputs.len() as u64,
        "imputing {wide_bar} {percent}% {elapsed} left {eta}",
    );
    write_experiments(
        &database,
        &model,
        &outputs,
        format,
        &spans,
        scale,
        &mut |done| bar.set_position(done),
    )?;
    bar.finish_and_clear();
    for output in &outputs {
        print_line(output.path.display())?;
        if let Some(path) = &output.uncertainty {
            print_line(path.display())?;
        }
    }
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
            "{}: unknown format; end the name in .bw, .bedGraph, .npz or .npy, or give --as",
            arguments.output.display()
        ))
        .into()),
    }
}

/// `NAME.sd.bw` for `NAME.bw`.
fn uncertainty_beside(path: &Path) -> PathBuf {
    // Outputs have names: their endings have been looked at.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // `bedGraph.gz` is one extension.
    let cut = match name.strip_suffix(".gz") {
        Some(rest) => rest.rfind('.'),
        None => name.rfind('.'),
    };
    let (stem, extension) = name.split_at(cut.unwrap_or(name.len()));
    path.with_file_name(format!("{stem}.sd{extension}"))
}

/// A safe file name for an experiment, whatever characters its names contain.
pub fn file_name(experiment: &Experiment, format: Format) -> PathBuf {
    let safe = |name: &str| name.replace(['/', '\\', '\0'], "_");
    let extension = match format {
        Format::BedGraph => "bedGraph",
        Format::Npz => "npz",
        Format::Npy => "npy",
        _ => "bw",
    };
    Path::new(&format!(
        "{}.{}.{extension}",
        safe(&experiment.biosample),
        safe(&experiment.assay)
    ))
    .to_path_buf()
}
