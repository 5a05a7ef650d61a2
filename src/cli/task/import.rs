//! `persea task import`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use persea::tasks::{ImportOptions, ImportReport, LabelColumns, TaskKind, import};
use serde_json::json;

use crate::cli::names::Known;
use crate::cli::output::{Format, Table, grouped, print_json};
use crate::cli::{Common, Misuse};

/// Read labels, check them against the assembly and the genes, and store them
///
/// Columns are recognised by their usual names (gene_id; chrom, start, end, label; enhancer_name,
/// promoter_name, label; …); --columns gives other names. Positions are 0-based and half-open, as in
/// BED. Files may be CSV, TSV or BED, plain or gzipped; labels without positions may be a .npy file.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea task import expression labels/pilot_expression.tsv\n          persea task import replication H1.tsv --biosample E003\n          persea task import interaction */predictions-gbm.csv.gz --rename IMR90=E017"
)]
pub struct Arguments {
    /// Kind of task
    #[arg(value_enum)]
    kind: Kind,
    /// Files of labels; several files form one task
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Name of the task [default: the kind]
    #[arg(long)]
    name: Option<String>,
    /// Biosample of all labels
    #[arg(long)]
    biosample: Option<String>,
    /// Names in the files and their names in the database: IMR90=E017,…
    #[arg(long, value_name = "FROM=TO,…", value_delimiter = ',')]
    rename: Vec<String>,
    /// Column or columns of labels
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    label_column: Vec<String>,
    /// Column of biosamples
    #[arg(long, value_name = "COLUMN")]
    biosample_column: Option<String>,
    /// Column of folds, for --folds column
    #[arg(long, value_name = "COLUMN")]
    fold_column: Option<String>,
    /// Names of other columns: gene=ENSG,start=hg19_start,…
    #[arg(long, value_name = "ROLE=COLUMN,…")]
    columns: Option<String>,
    /// Unit of the labels, such as rpkm; labels of different units are never pooled
    #[arg(long)]
    unit: Option<String>,
    /// Start positions count from 1
    #[arg(long)]
    one_based: bool,
    /// Number of rows of a matrix without positions
    #[arg(long, value_name = "N")]
    rows: Option<usize>,
    /// Replace an existing task of this name
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Gene expression: genes × biosamples, as RPKM
    Expression,
    /// Promoter–enhancer pairs
    Interaction,
    /// Replication timing of windows
    Replication,
    /// Frequently interacting regions (FIREs)
    Fire,
    /// Any intervals, pairs or rows of a matrix
    Custom,
}

/// FROM=TO pairs whose names may hold commas: a part without `=` belongs to the one before.
fn with_their_commas(parts: &[String]) -> Vec<String> {
    let mut pairs: Vec<String> = Vec::new();
    for part in parts {
        match pairs.last_mut() {
            Some(last) if !part.contains('=') => {
                last.push(',');
                last.push_str(part);
            }
            _ => pairs.push(part.clone()),
        }
    }
    pairs
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let kind = match arguments.kind {
        Kind::Expression => TaskKind::Expression,
        Kind::Interaction => TaskKind::Interaction,
        Kind::Replication => TaskKind::Replication,
        Kind::Fire => TaskKind::Fire,
        Kind::Custom => TaskKind::Custom,
    };
    let misuse = |e: persea::tasks::TaskError| Misuse(e.to_string());
    let mut columns =
        LabelColumns::parse(arguments.columns.as_deref().unwrap_or("")).map_err(misuse)?;
    for (role, name) in [
        ("biosample", &arguments.biosample_column),
        ("fold", &arguments.fold_column),
    ] {
        if let Some(name) = name {
            columns.set(role, name).map_err(misuse)?;
        }
    }
    let pairs = with_their_commas(&arguments.rename);
    let rename = pairs.iter().map(|pair| {
        let (from, to) = pair.split_once('=').ok_or_else(|| {
            Misuse(format!(
                "`{pair}` is not a renaming; write it as IMR90=E017"
            ))
        })?;
        Ok((from.to_string(), to.to_string()))
    });
    let database = common.open()?;
    let known = Known::of(&database)?;
    let biosample = arguments
        .biosample
        .map(|b| known.biosample(&b))
        .transpose()?;
    let options = ImportOptions {
        name: arguments.name,
        biosample,
        rename: rename.collect::<Result<_, Misuse>>()?,
        label_columns: arguments.label_column,
        columns,
        unit: arguments.unit,
        one_based: arguments.one_based,
        rows: arguments.rows,
        replace: arguments.replace,
    };
    let report = import(&database, kind, &arguments.files, &options)?;
    say(&report);
    if common.format == Format::Json {
        print_json(&report)?;
    } else {
        let mut table = Table::new(&["task", "biosample", "unit", "labels", "above_0"]);
        for l in &report.labels {
            table.row(vec![
                json!(report.task),
                json!(l.biosample),
                json!(l.unit),
                json!(l.n),
                json!(l.n_above_0),
            ]);
        }
        table.print(common.format)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reports what was left out, and why, on stderr.
pub(super) fn say(report: &ImportReport) {
    let some = |names: &[String]| {
        let shown: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
        match names.len() {
            0..=5 => shown.join(", "),
            n => format!("{} and {} more", shown.join(", "), grouped(n as u64 - 5)),
        }
    };
    let n = grouped(report.n_examples as u64);
    match report.n_covered {
        Some(covered) => eprintln!(
            "{}: {n} examples, {} of them in the database's regions",
            report.task,
            grouped(covered as u64)
        ),
        None => eprintln!("{}: {n} examples without positions", report.task),
    }
    if !report.outside.is_empty() {
        eprintln!("not covered: {}", some(&report.outside));
    }
    if !report.unknown_genes.is_empty() {
        eprintln!(
            "left out, because the database does not contain these genes: {}",
            some(&report.unknown_genes)
        );
    }
    if report.n_moved > 0 {
        eprintln!(
            "{} genes have another start in the database's annotation, which is used",
            grouped(report.n_moved as u64)
        );
    }
    if !report.ignored_columns.is_empty() {
        eprintln!("columns not used: {}", report.ignored_columns.join(", "));
    }
    for note in &report.notes {
        eprintln!("{note}");
    }
}
