//! `persea select positions`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use persea::formats::write_text;
use persea::plot::{DEFAULT_DPI, position_selection_figure, selection_curve, write_figure};
use persea::selection::{PositionAnswer, PositionRequest, select_positions, store_positions};
use serde_json::json;

use super::super::Common;
use super::super::output::{Format, Table, grouped, print_json};
use super::print;

/// Options of a choice of positions.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Number of probes
    #[arg(short, long)]
    k: usize,
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Width of a probe (rounded up to a multiple of 25 bp)
    #[arg(long, value_name = "BP", default_value_t = 50)]
    probe_width: u64,
    /// Smallest gap between two probes
    #[arg(long, value_name = "BP", default_value_t = 0)]
    spacing: u64,
    /// Distance between the starts of candidates
    #[arg(long, value_name = "BP", default_value_t = 25)]
    step: u64,
    /// Number of positions on which coverage is measured
    #[arg(long = "ground", default_value_t = 10_000)]
    ground_set: usize,
    /// γ of exp(−γ d²) [default: 1 / median of d²]
    #[arg(long, allow_negative_numbers = true)]
    gamma: Option<f64>,
    /// BED file of intervals in which probes must lie
    #[arg(long, value_name = "BED", num_args = 1..)]
    inside: Vec<PathBuf>,
    /// BED file of intervals that probes must not overlap, for example unmappable regions; the mask
    /// is always left out
    #[arg(long, value_name = "BED", num_args = 1..)]
    outside: Vec<PathBuf>,
    /// BED file of existing probes: they count towards coverage, and the gap to them is kept
    #[arg(long, value_name = "BED")]
    given: Option<PathBuf>,
    /// Number of random choices to compare with
    #[arg(long, default_value_t = 20)]
    random: usize,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Also write the probes to a BED file, in the order chosen
    #[arg(long, value_name = "FILE")]
    bed: Option<PathBuf>,
    /// Plot coverage against the number chosen (.svg, .png or .pdf)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Do not store the result
    #[arg(long)]
    no_store: bool,
}

/// Runs the command.
pub fn run(options: Options, common: &Common) -> anyhow::Result<ExitCode> {
    if let Some(path) = &options.plot {
        print::check_figure(path)?;
    }
    let text = |path: &PathBuf| path.display().to_string();
    let request = PositionRequest {
        k: options.k,
        model: options.model.clone(),
        width: options.probe_width,
        spacing: options.spacing,
        step: options.step,
        ground_set: options.ground_set,
        gamma: options.gamma,
        inside: options.inside.iter().map(text).collect(),
        outside: options.outside.iter().map(text).collect(),
        given: options.given.as_ref().map(text),
        n_random: options.random,
        seed: options.seed,
    };
    let database = common.open()?;
    let answer = select_positions(&database, &request)?;
    let id = match options.no_store || database.is_read_only() {
        true => None,
        false => Some(store_positions(&database, &request, &answer)?),
    };
    if let Some(path) = &options.bed {
        let mut lines = String::new();
        for p in &answer.chosen {
            writeln!(
                lines,
                "{}\t{}\t{}\t{}\t{:.6}",
                p.chrom, p.start, p.end, p.rank, p.gain
            )?;
        }
        write_text(path, lines.as_bytes())?;
    }
    if let Some(path) = &options.plot {
        draw(&answer, path)?;
    }
    self::answer(&answer, id, common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// Plots coverage against the number chosen.
pub fn draw(answer: &PositionAnswer, path: &Path) -> anyhow::Result<()> {
    let figure = position_selection_figure(answer);
    Ok(write_figure(&selection_curve(&figure), path, DEFAULT_DPI)?)
}

/// Prints a result; `id` is its number in the database.
pub fn answer(answer: &PositionAnswer, id: Option<i64>, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        let mut value = json!(answer);
        value["selection"] = json!(id);
        print_json(&value)?;
        return Ok(());
    }
    let mut table = Table::new(&[
        "rank",
        "chrom",
        "start",
        "end",
        "gain",
        "coverage",
        "represents",
    ]);
    for p in &answer.chosen {
        table.row(vec![
            json!(p.rank),
            json!(p.chrom),
            json!(p.start),
            json!(p.end),
            json!(p.gain),
            json!(p.coverage),
            json!(p.represents),
        ]);
    }
    table.print(format)?;
    if format != Format::Table {
        return Ok(());
    }
    let coverage = answer.chosen.last().map_or(answer.before, |p| p.coverage);
    eprintln!(
        "{} of {} candidates; coverage is the mean similarity, exp(−{:.4} d²), of {} sampled positions to the nearest probe",
        grouped(answer.chosen.len() as u64),
        grouped(answer.n_candidates as u64),
        answer.gamma,
        grouped(answer.n_ground as u64),
    );
    if answer.before > 0.0 {
        eprintln!("the existing probes alone cover {:.4}", answer.before);
    }
    let last = answer.curve.last();
    if let (Some(mean), Some([low, high])) = (
        last.and_then(|p| p.random_mean),
        last.and_then(|p| p.random_band),
    ) {
        eprintln!("coverage {coverage:.4}; random choices: {mean:.4} ({low:.4} to {high:.4})");
    }
    eprintln!(
        "coverage of a second sample, which took no part in the choice: {:.4}",
        answer.coverage_elsewhere
    );
    eprintln!(
        "no choice of this size exceeds {:.4}; this one has at least {:.1} % of the best coverage",
        answer.bound,
        100.0 * coverage / answer.bound.max(f64::MIN_POSITIVE),
    );
    eprintln!("guarantee: {}", answer.guarantee);
    eprintln!(
        "bounds computed for {} rows of 250 bp; {} of them searched",
        grouped(answer.rows[0]),
        grouped(answer.rows[1])
    );
    if let Some(id) = id {
        eprintln!("stored as selection {id}; `persea select repeat {id}` repeats it");
    }
    Ok(())
}
