//! The command line: one file per subcommand.
//!
//! Owns arguments, tables and progress; every subcommand is a library call. Results go to stdout,
//! all else to stderr. Exits with 0, 1 (failed) or 2 (misused).

/// As the standard one, with control characters in names shown and not obeyed by the terminal.
macro_rules! eprintln {
    () => {
        std::eprintln!()
    };
    ($($part:tt)*) => {
        std::eprintln!("{}", $crate::cli::output::printable(&format!($($part)*)))
    };
}

mod annotate;
mod backup;
mod bed;
mod check;
mod create;
mod demo;
mod diff;
mod dry_run;
mod evaluate;
mod export;
mod extend;
mod figure;
mod folds;
mod guard;
mod hints;
#[allow(
    dead_code,
    reason = "the program itself has no host; the Python package has"
)]
pub mod host;
mod import;
mod impute;
mod index;
mod info;
mod ingest;
mod locus;
mod manual;
mod measures;
mod merge;
mod model;
mod names;
mod one_of;
mod output;
mod plot;
mod process;
mod progress;
mod project;
mod qc;
mod reference;
mod regions;
mod repair;
mod report;
mod select;
mod serve;
mod similar;
mod simulate;
mod task;
mod track;
mod train;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use persea::instructions::Instructions;
use persea::store::Database;

use output::Format;

/// An embedded database of the epigenome's learned representation.
///
/// Learns a compendium of signal tracks (biosample × assay × 25 bp of the genome) by deep tensor
/// factorisation, imputes experiments that were not measured, and scores itself on held-out tracks.
#[derive(Debug, Parser)]
#[command(
    name = "persea",
    version,
    max_term_width = 100,
    after_help = "Example: persea demo --output demo    (simulates, trains, imputes and scores)"
)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

impl Arguments {
    /// The number of threads asked for.
    pub fn threads(&self) -> Option<u16> {
        self.common.threads
    }
}

/// Options of every subcommand.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Common {
    /// Database directory (NAME.persea)
    #[arg(long, global = true, env = "PERSEA_DB", value_name = "DIR")]
    db: Option<PathBuf>,
    /// Output format of results
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Number of threads; all cores by default
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Log more to stderr; repeat for more detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

impl Common {
    /// Path of the database.
    fn path(&self) -> anyhow::Result<&Path> {
        match &self.db {
            Some(path) => Ok(path),
            None => {
                Err(Misuse("which database? Give --db NAME.persea, or set PERSEA_DB".into()).into())
            }
        }
    }

    /// Opens the database.
    fn open(&self) -> anyhow::Result<Database> {
        Ok(Database::open(self.path()?)?)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Simulate(simulate::Arguments),
    Create(create::Arguments),
    Ingest(ingest::Arguments),
    Merge(merge::Arguments),
    Track(track::Arguments),
    Train(train::Arguments),
    Extend(extend::Arguments),
    Impute(impute::Arguments),
    Evaluate(evaluate::Arguments),
    Task(task::Arguments),
    Model(model::Arguments),
    Index(index::Arguments),
    Project(project::Arguments),
    Plot(plot::Arguments),
    Report(report::Arguments),
    Similar(Box<similar::Arguments>),
    Select(select::Arguments),
    Locus(Box<locus::Arguments>),
    Diff(diff::Arguments),
    Annotate(annotate::Arguments),
    Qc(qc::Arguments),
    Serve(serve::Arguments),
    Info(info::Arguments),
    Check(check::Arguments),
    Repair(repair::Arguments),
    Backup(backup::Arguments),
    Import(import::Arguments),
    Export(export::Arguments),
    Completions(manual::CompletionsArguments),
    Man(manual::ManArguments),
    #[command(hide = true)]
    Reference(manual::ReferenceArguments),
}

/// Arguments that parse but make no sense: exit status 2.
#[derive(Debug)]
pub struct Misuse(pub String);

impl std::fmt::Display for Misuse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// Runs the program for these arguments, its own name first, and returns its exit status. It owns the
/// process: it sets up logging, threads and memory, and wrong usage ends the process.
pub fn run_process(line: Vec<OsString>) -> u8 {
    let arguments = Arguments::parse_from(&line);
    set_up_logging(arguments.common.verbose);
    process::silence_caught_panics();
    process::share_memory_under_a_ceiling();
    if let Err(error) = set_up_threads(arguments.threads()) {
        eprintln!("persea: {error:#}");
        return 1;
    }
    if matches!(
        arguments.command,
        Command::Demo(_) | Command::Train(_) | Command::Extend(_) | Command::Evaluate(_)
    ) {
        process::return_large_arrays();
    }
    match dispatch(arguments, &line) {
        Ok(code) => u8::from(code != ExitCode::SUCCESS),
        // A reader that stops early (`| head`) is not a failure.
        Err(error) if is_broken_pipe(&error) => 0,
        Err(error) => {
            let message = with_flags(&with_causes(&error));
            eprintln!("persea: {message}");
            match error.is::<Misuse>() {
                true => 2,
                false => 1,
            }
        }
    }
}

/// Pins the instructions that the environment names.
fn pin_instructions() -> anyhow::Result<()> {
    let Some(name) = std::env::var_os(INSTRUCTIONS).filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let pinned = Instructions::from_name(&name.to_string_lossy()).ok_or_else(|| {
        let known = Instructions::ALL.map(Instructions::name).join(", ");
        Misuse(format!("{INSTRUCTIONS} is {}: use {known}", name.display()))
    })?;
    pinned
        .pin()
        .map_err(|e| Misuse(format!("{INSTRUCTIONS}: {e}")).into())
}

/// The variable that pins the vector instructions.
const INSTRUCTIONS: &str = "PERSEA_INSTRUCTIONS";

/// Runs the subcommand that a line was parsed into.
pub fn dispatch(arguments: Arguments, line: &[OsString]) -> anyhow::Result<ExitCode> {
    pin_instructions()?;
    let common = arguments.common;
    let words = line.iter().map(|w| w.to_string_lossy().into_owned());
    let _protected = guard::protect_inputs(common.db.clone(), words.collect());
    match arguments.command {
        Command::Demo(a) => demo::run(a, &common),
        Command::Simulate(a) => simulate::run(a, &common),
        Command::Create(a) => create::run(a, &common),
        Command::Ingest(a) => ingest::run(a, &common),
        Command::Merge(a) => merge::run(a, &common),
        Command::Track(a) => track::run(a, &common),
        Command::Train(a) => train::run(a, &common),
        Command::Extend(a) => extend::run(a, &common),
        Command::Impute(a) => impute::run(a, &common),
        Command::Evaluate(a) => evaluate::run(a, &common),
        Command::Task(a) => task::run(a, &common),
        Command::Model(a) => model::run(a, &common),
        Command::Index(a) => index::run(a, &common),
        Command::Project(a) => project::run(a, &common),
        Command::Plot(a) => plot::run(a, &common),
        Command::Report(a) => report::run(a, &common),
        Command::Similar(a) => similar::run(*a, &common),
        Command::Select(a) => select::run(a, &common),
        Command::Locus(a) => locus::run(*a, &common),
        Command::Diff(a) => diff::run(a, &common),
        Command::Annotate(a) => annotate::run(a, &common),
        Command::Qc(a) => qc::run(a, &common),
        Command::Serve(a) => serve::run(a, &common),
        Command::Info(a) => info::run(a, &common),
        Command::Check(a) => check::run(a, &common),
        Command::Repair(a) => repair::run(a, &common),
        Command::Backup(a) => backup::run(a, &common),
        Command::Import(a) => import::run(a, &common),
        Command::Export(a) => export::run(a, &common),
        Command::Completions(a) => manual::completions(&a),
        Command::Man(a) => manual::man(&a),
        Command::Reference(a) => manual::reference(&a),
    }
}

/// Whether stdout has been closed. A broken connection while a file or server is read is wrapped in
/// another error, and counts as a failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

/// An error and its causes, without causes that the message already contains.
pub fn with_causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// A message of the library with its options as this program spells them: option `name` is --name.
fn with_flags(message: &str) -> String {
    let mut text = String::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once("option `") {
        text.push_str(before);
        match after.split_once('`') {
            Some((name, later)) => {
                text.push_str("--");
                text.push_str(name);
                rest = later;
            }
            None => {
                text.push_str("option `");
                rest = after;
            }
        }
    }
    text + rest
}

fn set_up_logging(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("PERSEA_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(format!("persea={level}")));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .without_time()
        .init();
}

fn set_up_threads(threads: Option<u16>) -> anyhow::Result<()> {
    let Some(threads) = threads else {
        return Ok(());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(usize::from(threads))
        .build_global()
        .context("cannot set the number of threads")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Arguments;

    #[test]
    fn options_in_messages_become_flags() {
        for (message, shown) in [
            (
                "choose another name (option `name`)",
                "choose another name (--name)",
            ),
            (
                "give option `k` 5 or fewer, or option `method` pca",
                "give --k 5 or fewer, or --method pca",
            ),
            ("`x` is not an option `", "`x` is not an option `"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(super::with_flags(message), shown);
        }
    }

    #[test]
    fn arguments_are_sound() {
        Arguments::command().debug_assert();
    }

    /// Clap detects two arguments of one name and different types only when they are read.
    #[test]
    fn every_subcommand_reads_its_arguments() {
        let lines = [
            "simulate --output simulated --biosamples 8 --assays 8 --seed 1",
            "create --assembly hg19 --regions r.bed --mask a.bed b.bed",
            "ingest manifest.tsv --columns biosample=cell,path=file --replicates mean",
            "ingest manifest.tsv --shard 2/4",
            "merge all.persea 1.persea 2.persea",
            "diff databases a.persea b.persea",
            "impute --all-missing --shard 1/8 --output imputed/",
            "evaluate --shard 1/2 --format json",
            "evaluate --merge 1.json,2.json",
            "track list",
            "track rename biosample HUVEC E122",
            "impute E003:H3K36me3 --model fold0 --output E003.H3K36me3.bw",
            "impute --all-missing --output imputed/ --as bigwig --format json",
            "impute E003:H3K36me3 E003:H3K4me3 --output two.parquet --region VPS72 --region peaks.bed",
            "evaluate --model fold0 --format json",
            "evaluate --probe --against a,b --queries 500 --seed 3 --no-signal --tracks E003:H3K4me3",
            "task import expression labels.tsv --label-column E003_RPKM --replace",
            "task run expression --biosample E003 --features embedding,embedding+signal --learner gbm",
            "task suite pilot --data pilot/ --format json",
            "task report 1 2 --output report.html",
            "model show fold0",
            "index --metric all",
            "similar position chr1:151,200,000 -k 20 --exclude none --spread 250bp",
            "similar region chr1:1-2000 --align --class promoter,enhancer --format json",
            "similar gene VPS72 --part body --inside a.bed --not-class masked",
            "similar position --batch queries.bed --signal --metric network",
            "similar biosample E003 --profiles imputed -k 3",
            "select biosamples -k 3 --for-assay H3K36me3",
            "select biosamples --cost c.tsv --budget 10 --for-assay H3K27ac --objective graph-cut --lambda 3",
            "select assays -k 2 --for-biosample E003 --given measured --similarity observed --plot c.svg",
            "select experiments -k 10 --combine mean --method stochastic --epsilon 0.2 --format tsv",
            "select positions -k 1000 --probe-width 50 --spacing 1000 --outside a.bed --bed probes.bed",
            "select repeat 1",
            "project genome --method umap --output genome.svg",
            "project genome --around chr1:151,200,000 --resolution 250bp --sample all --theme dark",
            "project genome --class promoter,enhancer --balance --format json",
            "project biosamples --method tsne --perplexity 1 --colour anatomy --dpi 150",
            "project list",
            "report --output report.html --no-evaluate",
            "plot tracks VPS72 --assay H3K4me3 --rows observed,imputed --output a.png",
            "plot tracks chr1:1-2000 --tracks E003:H3K36me3 --output a.svg --theme dark",
            "plot factors chr1:1-2000 --output f.pdf",
            "plot projection genome-umap --colour annotation --output p.svg",
            "plot similarity assays --output s.svg",
            "plot coverage --output c.svg --dpi 100",
            "plot loss --model fold0 --output l.svg",
            "plot selection 1 --output c.svg",
            "plot gallery --output figures --as png --format json",
            "locus VPS72 --assay H3K4me3 --part body --flank 5000 --plot v.svg",
            "locus chr1:1-2000 --assay H3K4me3 --values v.tsv --measured-only --format json",
            "locus scan loci.bed --assay H3K4me3 -k 5 --each",
            "locus scan --promoters --assay H3K4me3 --any-tss --matched 100",
            "diff E003 E017 --assay H3K4me3 --window 500 --bed d.bed",
            "annotate v.vcf --assay H3K4me3,H3K27ac --reach 100 --embedding e.npz --hidden h.tsv",
            "annotate p.bed --enrichment --match width,activity --replicates 100 --format json",
            "qc --models fold0,fold1 --limit 4 --windows 20,000",
            "serve --port 0 --token abcdefgh",
            "serve --listen 0.0.0.0:80 --allow-host a.example,b.example",
            "info",
            "check",
            "backup copy.persea --format json",
            "import avocado chr1=models/chr1 chr2=models/chr2 --assembly hg19",
            "export avocado --model base --output base --format json",
            "export genome --resolution 250bp --region chr1:1-2000 --output f.parquet",
            "export embedding --output f.npz --as npz",
            "export biosamples --output b.h5ad",
            "export assays --output a.tsv --format json",
            "export completed --region chr1 --output c.zarr --arcsinh",
            "export hub h E003:H3K4me3 --tracks both --bigbed a.bb --url https://example.org/h",
            "demo --output mine --tracks tracks/ --assembly hg38 --chromosomes chr21",
            "train --name fold0 --preset small --hold E003:H3K36me3,E017:H3K27me3",
            "train --model avocado --backend torch --arithmetic bf16",
            "extend --model base --biosamples E017 --tracks E017:H3K4me3 --backend native",
            "completions bash",
            "man pages/",
        ];
        for line in lines {
            let words = ["persea", "--db", "x.persea"].into_iter();
            let parsed = Arguments::try_parse_from(words.chain(line.split(' ')));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }
}
