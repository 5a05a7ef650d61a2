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

/// How positions are chosen.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many
    #[arg(short, long)]
    k: usize,
    /// The model; the default one when not given
    #[arg(long)]
    model: Option<String>,
    /// How wide a probe is (rounded up to 25 bp)
    #[arg(long, value_name = "BP", default_value_t = 50)]
    probe_width: u64,
    /// The least gap between two probes
    #[arg(long, value_name = "BP", default_value_t = 0)]
    spacing: u64,
    /// A candidate begins every so many bp
    #[arg(long, value_name = "BP", default_value_t = 25)]
    step: u64,
    /// On how many positions coverage is measured
    #[arg(long, default_value_t = 10_000)]
    ground: usize,
    /// Of exp(−γ d²) [default: 1 / the median of d²]
    #[arg(long, allow_negative_numbers = true)]
    gamma: Option<f64>,
    /// Probes lie inside these intervals
    #[arg(long, value_name = "BED", num_args = 1..)]
    inside: Vec<PathBuf>,
    /// Probes touch none of these: what cannot be mapped, say. The database's mask is kept out as well
    #[arg(long, value_name = "BED", num_args = 1..)]
    outside: Vec<PathBuf>,
    /// Probes that exist: they cover, and keep others at a distance
    #[arg(long, value_name = "BED")]
    given: Option<PathBuf>,
    /// How many random choices stand beside it
    #[arg(long, default_value_t = 20)]
    random: usize,
    /// What chance derives from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Also write the probes as BED, in the order of the choice
    #[arg(long, value_name = "FILE")]
    bed: Option<PathBuf>,
    /// Draw coverage against number (.svg, .png or .pdf)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Do not store it
    #[arg(long)]
    no_store: bool,
}

/// Runs it.
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
        ground: options.ground,
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

/// Draws coverage against number.
pub fn draw(answer: &PositionAnswer, path: &Path) -> anyhow::Result<()> {
    let figure = position_selection_figure(answer);
    Ok(write_figure(&selection_curve(&figure)?, path, DEFAULT_DPI)?)
}

/// Prints an answer; `id` is its number in the database.
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
        "{} of {} candidates; coverage is the mean similarity, exp(−{:.4} d²), of {} positions drawn evenly to the nearest probe",
        grouped(answer.chosen.len() as u64),
        grouped(answer.n_candidates as u64),
        answer.gamma,
        grouped(answer.n_ground as u64),
    );
    if answer.before > 0.0 {
        eprintln!("what was given covers {:.4} by itself", answer.before);
    }
    let last = answer.curve.last();
    if let (Some(mean), Some([low, high])) = (
        last.and_then(|p| p.random_mean),
        last.and_then(|p| p.random_band),
    ) {
        eprintln!("coverage {coverage:.4}; random choices: {mean:.4} ({low:.4} to {high:.4})");
    }
    eprintln!(
        "on as many other positions, that had no part in the choice: {:.4}",
        answer.coverage_elsewhere
    );
    eprintln!(
        "no choice of as many passes {:.4}: this one has at least {:.1} % of the best coverage",
        answer.bound,
        100.0 * coverage / answer.bound.max(f64::MIN_POSITIVE),
    );
    eprintln!("guarantee: {}", answer.guarantee);
    eprintln!(
        "250 bp rows bounded {} times, looked into {} times",
        grouped(answer.rows[0]),
        grouped(answer.rows[1])
    );
    if let Some(id) = id {
        eprintln!("stored as selection {id}; `persea select repeat {id}` chooses again");
    }
    Ok(())
}
