//! The folder `index/`: writing it, finding out whether it is fresh and whole, sweeping it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::SearchError;
use super::graph::{self, GraphVectors};
use super::layout::Layout;
use super::parts::{Part, Shape, model_of};
use super::random_pairs::PairsFile;
use super::tables::Tables;
use super::view::{Metric, View};
use crate::model::TrainedModel;
use crate::store::{Database, Finding, Severity, StoreError};

/// A file of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Where it is.
    pub path: PathBuf,
    /// How large it is.
    pub bytes: u64,
}

/// Writes the flat files of a model for a metric, without its random pairs.
///
/// # Errors
/// As [`write_index`](super::write_index) with them.
pub(super) fn write_index(
    database: &Database,
    model: &TrainedModel,
    metric: Metric,
) -> crate::Result<Vec<IndexFile>> {
    let layout = Layout::new(model.axis());
    let view = View::new(model, metric);
    let shape = Shape::new(database, model, metric);
    write(database, model, &layout, &view, &shape)?;
    shape.paths().into_iter().map(IndexFile::of).collect()
}

impl IndexFile {
    pub(super) fn of(path: PathBuf) -> crate::Result<Self> {
        match std::fs::metadata(&path) {
            Ok(metadata) => Ok(IndexFile {
                path,
                bytes: metadata.len(),
            }),
            Err(source) => Err(SearchError::Io { path, source }.into()),
        }
    }
}

fn write(
    database: &Database,
    model: &TrainedModel,
    layout: &Layout,
    view: &View,
    shape: &Shape,
) -> crate::Result<()> {
    let _lock = database.lock_index(&model.record().name)?;
    sweep(database, model.stored().id)?;
    Tables::write(database, model, layout, view, shape)
}

/// Opens the files of a model; where they are missing, stale or damaged, writes them first.
pub(super) fn open_or_write(
    database: &Database,
    model: &TrainedModel,
    layout: &Layout,
    view: &View,
    shape: &Shape,
) -> crate::Result<Tables> {
    let why = match Tables::open(shape) {
        Ok(tables) => return Ok(tables),
        Err(e) if e.is_rebuildable() => e,
        Err(e) => return Err(e.into()),
    };
    let name = &model.record().name;
    match &why {
        SearchError::Io { .. } => {
            tracing::info!("model {name} has no search index yet: writing it");
        }
        // Its own advice would have the reader do what is being done.
        SearchError::Damaged { path, why } | SearchError::Stale { path, why } => {
            tracing::warn!("{}: {why}; the index is written anew", path.display());
        }
        other => tracing::warn!("{other}"),
    }
    if database.is_read_only() {
        tracing::warn!(
            "the database can only be read: the index of model {name} is made in memory, \
             each time"
        );
        return Tables::in_memory(database, model, layout, view, shape);
    }
    match write(database, model, layout, view, shape) {
        Ok(()) => Ok(Tables::open(shape)?),
        Err(e) if cannot_be_written(&e) => {
            tracing::warn!("{e}; the index of model {name} is made in memory instead");
            Tables::in_memory(database, model, layout, view, shape)
        }
        Err(e) => Err(e),
    }
}

/// Whether the disk is what hinders a derived file from being written.
pub(super) fn cannot_be_written(error: &crate::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error {
        crate::Error::Store(StoreError::DiskFull { .. } | StoreError::ReadOnly { .. }) => true,
        crate::Error::Search(SearchError::Io { source, .. }) => {
            matches!(
                source.kind(),
                StorageFull | QuotaExceeded | ReadOnlyFilesystem
            )
        }
        _ => false,
    }
}

/// Removes files of models that are no more, and what interrupted writers left of the model whose index
/// the caller has locked.
fn sweep(database: &Database, model: i64) -> Result<(), StoreError> {
    let unfinished = files(&database.index_folder()).into_iter().filter(|path| {
        path.extension().is_some_and(|e| e == "new") && model_of(path) == Some(model)
    });
    for path in leftovers(database)?.into_iter().chain(unfinished) {
        tracing::info!("removing {}", path.display());
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        if let Err(e) = removed {
            tracing::warn!("{}: {e}", path.display());
        }
    }
    Ok(())
}

/// What in `index/` belongs to no model. Names that are not of the index are the user's.
fn leftovers(database: &Database) -> Result<Vec<PathBuf>, StoreError> {
    let models: HashSet<i64> = database.list_models()?.iter().map(|m| m.id).collect();
    let gone = |path: &PathBuf| model_of(path).is_some_and(|id| !models.contains(&id));
    let mut found: Vec<PathBuf> = files(&database.index_folder())
        .into_iter()
        .filter(gone)
        .collect();
    found.sort();
    Ok(found)
}

/// What is in a folder; nothing if it does not exist.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}

/// Is the index fresh and whole? Damage is what is not as it was written; an index that is stale
/// or lacks files is a note, since the next search puts it right. What was never indexed is no
/// finding.
///
/// # Errors
/// When SQLite fails.
pub fn check_index(database: &Database) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let finding = |severity, path: &Path, message: &str| Finding {
        severity,
        what: match path.file_name() {
            Some(name) => format!("index/{}", name.to_string_lossy()),
            None => "index".into(),
        },
        message: message.into(),
        consequence: "searches write the index anew; everything else works".into(),
    };
    for path in leftovers(database)? {
        let message = "its model is no more; the next `persea index` removes it";
        findings.push(finding(Severity::Note, &path, message));
    }
    for stored in database.list_models()? {
        // A model that cannot be opened is a finding of the store's own check.
        let Ok(model) = TrainedModel::open_embedding(database, Some(&stored.record.name)) else {
            continue;
        };
        for of in [
            GraphVectors::Bp250,
            GraphVectors::Kbp5,
            GraphVectors::Biosamples,
            GraphVectors::Assays,
        ] {
            if !graph::exists(database, &stored, of) {
                continue;
            }
            let path = PathBuf::from(format!("model{}.graph.{}", stored.id, of.name()));
            match graph::verify(database, &stored, of) {
                Ok(_) => {}
                Err(crate::Error::Search(SearchError::Stale { why, .. })) => {
                    let message = format!("stale: {why}; the next search builds it anew");
                    findings.push(finding(Severity::Note, &path, &message));
                }
                Err(e) => findings.push(finding(Severity::Damage, &path, &e.to_string())),
            }
        }
        for metric in Metric::ALL {
            let Ok(pairs) = PairsFile::new(database, &model, metric) else {
                continue;
            };
            // An index that was written before there were pairs lacks nothing.
            match pairs.open() {
                Err(SearchError::Stale { why, .. }) => {
                    let message = format!("stale: {why}; the next search draws it anew");
                    findings.push(finding(Severity::Note, &pairs.path, &message));
                }
                Err(e) if pairs.path.exists() => {
                    let why = match &e {
                        SearchError::Damaged { why, .. } => why.clone(),
                        other => other.to_string(),
                    };
                    let message = format!("{why}; the next search draws it anew");
                    findings.push(finding(Severity::Damage, &pairs.path, &message));
                }
                Ok(_) | Err(_) => {}
            }
        }
        for metric in [Metric::Euclidean, Metric::Network] {
            let shape = Shape::new(database, &model, metric);
            let paths = shape.paths();
            if !paths.iter().any(|p| p.exists()) {
                continue;
            }
            for (part, path) in Part::ALL.into_iter().zip(&paths) {
                let opened = shape.open_part(part).and_then(|flat| flat.verify_all());
                match opened {
                    Ok(()) => {}
                    Err(SearchError::Damaged { why, .. }) => {
                        let message = format!("{why}; the next `persea index` writes it anew");
                        findings.push(finding(Severity::Damage, path, &message));
                    }
                    Err(SearchError::Stale { why, .. }) => {
                        let message = format!("stale: {why}; the next search writes it anew");
                        findings.push(finding(Severity::Note, path, &message));
                    }
                    Err(SearchError::Io { source, .. })
                        if source.kind() == std::io::ErrorKind::NotFound =>
                    {
                        let message = "missing; the next search writes it anew";
                        findings.push(finding(Severity::Note, path, message));
                    }
                    Err(e) => findings.push(finding(Severity::Damage, path, &e.to_string())),
                }
            }
        }
    }
    Ok(findings)
}
