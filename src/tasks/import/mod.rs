//! Labels from files, checked and stored.
//!
//! Owns which columns mean what and what is refused: coordinates that the assembly does not have,
//! an example twice, text where a label should be. Examples that the database does not cover are
//! kept (a matrix may cover them), counted and named. Whether labels can be learned is decided by
//! a run.

mod builder;
mod columns;
mod genes;
mod pairs;
mod rows;
pub(super) mod table;
#[cfg(test)]
mod tests;
mod windows;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

pub use columns::LabelColumns;

use super::{TaskError, TaskKind};
use crate::files::{FileError, open_file};
use crate::genome::{Assembly, Chromosome, Interval, SequenceNames};
use crate::store::{Database, NewTask, Task};
use builder::Builder;

/// How label files are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// The task's name; the kind's when not given.
    pub name: Option<String>,
    /// The biosample that all labels are of.
    pub biosample: Option<String>,
    /// What the labels are of in the files, and in the database (`IMR90`, `E017`).
    pub rename: Vec<(String, String)>,
    /// The columns of labels; found by their names if empty.
    pub label_columns: Vec<String>,
    /// Other columns.
    pub columns: LabelColumns,
    /// The unit of the labels; taken from the columns' names if not given.
    pub unit: Option<String>,
    /// Whether `start` counts from 1.
    pub one_based: bool,
    /// Of a `.npy` file, as many rows; all when not given.
    pub rows: Option<usize>,
    /// Whether to replace a task of that name.
    pub replace: bool,
}

impl ImportOptions {
    fn renamed(&self, name: &str) -> String {
        let found = self.rename.iter().find(|(from, _)| from == name);
        found.map_or(name, |(_, to)| to).to_string()
    }
}

/// What was imported, and what was not.
#[derive(Debug, Clone, Serialize)]
pub struct ImportReport {
    /// The task's name.
    pub task: String,
    /// Its kind.
    pub kind: TaskKind,
    /// Examples stored.
    pub n_examples: usize,
    /// Biosample, unit, labels, and how many of them are above 0.
    pub labels: Vec<ImportedLabels>,
    /// How many of the examples lie wholly in the database's regions; `None` without places.
    pub n_covered: Option<usize>,
    /// The others' names.
    pub outside: Vec<String>,
    /// Genes that neither the annotation knows nor the file places.
    pub unknown_genes: Vec<String>,
    /// Genes whose start in the annotation is not the file's; the annotation's counts.
    pub n_moved: usize,
    /// Columns that were not used.
    pub ignored_columns: Vec<String>,
    /// What else the user should know.
    pub notes: Vec<String>,
}

/// The labels of one biosample, at a glance.
#[derive(Debug, Clone, Serialize)]
pub struct ImportedLabels {
    /// The biosample.
    pub biosample: String,
    /// What the numbers are.
    pub unit: String,
    /// How many examples have one.
    pub n: usize,
    /// How many are above 0.
    pub n_above_0: usize,
}

/// What an import has to tell.
#[derive(Default)]
struct Notes {
    unknown_genes: Vec<String>,
    moved: usize,
    ignored: Vec<String>,
    other: Vec<String>,
    biosamples: Vec<String>,
}

/// Reads labels of one task from one or more files and stores them.
///
/// # Errors
/// When a file cannot be read or is not as it should be (the line is named), nothing is labelled,
/// or there is a task of that name and it is not to be replaced.
pub fn import(
    database: &Database,
    kind: TaskKind,
    files: &[PathBuf],
    options: &ImportOptions,
) -> crate::Result<ImportReport> {
    let assembly = database.axis().assembly();
    let genes = match kind {
        TaskKind::Expression => database.genes()?,
        _ => Vec::new(),
    };
    let gene_names = genes::GeneNames::new(&genes);
    let mut notes = Notes {
        biosamples: database.biosamples()?.into_iter().map(|b| b.name).collect(),
        ..Notes::default()
    };
    let mut builder = Builder::default();
    let mut sources = Vec::new();
    for path in files {
        let is_array = path.extension().is_some_and(|e| e == "npy" || e == "npz");
        let checksum = if is_array {
            rows::read(path, options, &mut builder, &mut notes)?
        } else {
            let table = table::read(path, &options.columns)?;
            let header = table.header.as_slice();
            match kind {
                TaskKind::Expression => genes::read(
                    path,
                    &table,
                    options,
                    &gene_names,
                    assembly,
                    &mut builder,
                    &mut notes,
                )?,
                TaskKind::Interaction => {
                    pairs::read(path, &table, options, assembly, &mut builder, &mut notes)?
                }
                TaskKind::Custom if pairs::is_pairs(header, options) => {
                    pairs::read(path, &table, options, assembly, &mut builder, &mut notes)?
                }
                _ => windows::read(
                    path,
                    &table,
                    kind,
                    options,
                    assembly,
                    &mut builder,
                    &mut notes,
                )?,
            }
            table.checksum
        };
        sources.push(json!({
            "file": path.display().to_string(),
            "checksum": checksum,
            "one_based": options.one_based,
            "label_columns": options.label_columns,
        }));
    }
    let (examples, columns) = builder.finish();
    if columns.iter().all(|c| c.values.iter().all(|v| v.is_nan())) {
        return Err(TaskError::Labels(format!(
            "nothing is labelled: {} examples, {} of unknown genes",
            examples.len(),
            notes.unknown_genes.len()
        ))
        .into());
    }
    let name = options
        .name
        .clone()
        .unwrap_or_else(|| kind.name().to_string());
    let new = NewTask {
        name,
        kind: kind.name().to_string(),
        sources: json!(sources),
        examples,
        columns,
    };
    let task = database.save_task(&new, options.replace)?;
    Ok(report(database, kind, &task, new, notes))
}

fn report(
    database: &Database,
    kind: TaskKind,
    task: &Task,
    new: NewTask,
    mut notes: Notes,
) -> ImportReport {
    let axis = database.axis();
    let covered = |i: &Interval| {
        let bins = i.end.div_ceil(crate::genome::BIN_BP) - i.start / crate::genome::BIN_BP;
        let ranges = axis.bins_within(i);
        ranges.len() == 1 && ranges[0].end - ranges[0].start == bins
    };
    let placed = new.examples.iter().any(|e| e.place.is_some());
    let outside: Vec<String> = new
        .examples
        .iter()
        .filter(|e| {
            let span = super::windows::span(e);
            span.is_some_and(|s| !covered(&s))
        })
        .map(|e| e.name.clone())
        .collect();
    let labels: Vec<ImportedLabels> = new
        .columns
        .iter()
        .map(|c| ImportedLabels {
            biosample: c.biosample.clone(),
            unit: c.unit.clone(),
            n: c.values.iter().filter(|v| !v.is_nan()).count(),
            n_above_0: c.values.iter().filter(|v| **v > 0.0).count(),
        })
        .collect();
    for (what, is_all) in [
        ("0", (|l| l.n_above_0 == 0) as fn(&ImportedLabels) -> bool),
        ("above 0", |l| l.n_above_0 == l.n),
    ] {
        let of: Vec<&str> = (labels.iter())
            .filter(|l| kind != TaskKind::Replication && l.n > 0 && is_all(l))
            .map(|l| l.biosample.as_str())
            .collect();
        // One line, however many biosamples there are.
        if !of.is_empty() {
            notes.other.push(format!(
                "the labels of {} are all {what}: a run needs both classes",
                of.join(", ")
            ));
        }
    }
    let unknown: Vec<&str> = labels
        .iter()
        .map(|l| l.biosample.as_str())
        .filter(|b| placed && !notes.biosamples.iter().any(|known| known == b))
        .collect();
    if !unknown.is_empty() {
        notes.other.push(format!(
            "the database has no track of {}: feature sets of their own signal cannot be made",
            unknown.join(", ")
        ));
    }
    let mut ignored = std::mem::take(&mut notes.ignored);
    ignored.sort();
    ignored.dedup();
    ImportReport {
        task: task.name.clone(),
        kind,
        n_examples: new.examples.len(),
        labels,
        n_covered: placed.then(|| new.examples.len() - outside.len()),
        outside,
        unknown_genes: notes.unknown_genes,
        n_moved: notes.moved,
        ignored_columns: ignored,
        notes: notes.other,
    }
}

/// The checksum of a file as it lies on the disk: BLAKE3, in hexadecimal.
pub(crate) fn file_checksum(path: &Path) -> Result<String, TaskError> {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update_reader(open_file(path)?)
        .map_err(|e| FileError::read(path.display(), e))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Whether a column of that name is a coordinate, a name or a label, and thus no feature.
pub(crate) fn is_role(name: &str) -> bool {
    let name = name.to_lowercase();
    let of_window = ["window_start", "window_end", "window_chrom", "window_name"];
    of_window.contains(&name.as_str())
        || columns::ROLES
            .iter()
            .any(|(_, names)| names.contains(&name.as_str()))
}

/// The biosample that a file's name holds, as one of its words (`pilot_fire.E116.tsv`).
fn biosample_of_file(
    path: &Path,
    options: &ImportOptions,
    notes: &mut Notes,
) -> Result<String, TaskError> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    // A path without a name has no word in it, which is refused below.
    let name = name.unwrap_or_default();
    let is_edge = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    let found = name
        .split(is_edge)
        .map(|word| options.renamed(word))
        .find(|word| notes.biosamples.contains(word));
    match found {
        Some(biosample) => {
            notes
                .other
                .push(format!("biosample {biosample}, from the name of {name}"));
            Ok(biosample)
        }
        None => Err(TaskError::file(
            path,
            "it does not say of which biosample its labels are; give it (option `biosample`)",
        )),
    }
}

/// An interval of the assembly.
fn checked(
    assembly: &Assembly,
    chromosome: &Chromosome,
    start: u64,
    end: u64,
) -> Result<Interval, String> {
    let chrom = &chromosome.name;
    if start >= end {
        return Err(format!(
            "{chrom} {start} {end} is empty: end must be beyond start"
        ));
    }
    if end > chromosome.length {
        return Err(format!(
            "{chrom} {start} {end} ends beyond {chrom}'s {} bp of {}: are the labels of another \
             assembly?",
            chromosome.length,
            assembly.name()
        ));
    }
    Ok(Interval::new(chrom, start, end))
}

/// The sequences of a file of labels, at its end: those that were matched or passed over are noted.
fn finish_sequences(
    sequences: SequenceNames<'_>,
    path: &Path,
    notes: &mut Notes,
) -> Result<(), TaskError> {
    let file = path.display().to_string();
    let report = sequences
        .finish(&file)
        .map_err(|e| TaskError::Labels(e.to_string()))?;
    let named = |note: String| format!("{file}: {note}");
    notes.other.extend(report.notes.into_iter().map(named));
    Ok(())
}

/// An interval from text; `None` on a sequence that the assembly lacks.
fn interval(
    assembly: &Assembly,
    sequences: &mut SequenceNames<'_>,
    line: u64,
    [chrom, start, end]: [&str; 3],
    one_based: bool,
) -> Result<Option<Interval>, String> {
    let number = |text: &str| {
        text.parse::<u64>()
            .map_err(|_| format!("`{text}` is not a position (whole, from 0)"))
    };
    let (mut start, end) = (number(start)?, number(end)?);
    if one_based {
        start = start
            .checked_sub(1)
            .ok_or_else(|| "`0` is not a position: they count from 1 here".to_string())?;
    }
    let Some(rank) = sequences.find(chrom, line) else {
        return Ok(None);
    };
    checked(assembly, &assembly.chromosomes()[rank], start, end).map(Some)
}
