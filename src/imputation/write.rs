//! Imputed experiments as files.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;

use super::Stream;
use crate::compendium::Experiment;
use crate::formats::{Format, SignalWriter, create_signal};
use crate::model::TrainedModel;
use crate::store::{Database, StoreError, Transform};

/// Files that are open at once; more experiments mean more walks along the genome.
const OPEN_FILES: usize = 16;

/// On which scale files hold the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As it was before the assay's transform (−log10 p for Roadmap's tracks).
    Signal,
    /// As it is stored and trained on.
    Transformed,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What to impute.
    pub experiment: Experiment,
    /// Where to.
    pub path: PathBuf,
}

/// Imputes experiments over spans of the model's axis and writes each to its file, whole or not at
/// all; `progress` hears how many bins are done in all.
///
/// # Errors
/// When the model does not know an experiment, a blob is damaged, or a file cannot be written.
pub fn write_experiments(
    database: &Database,
    model: &TrainedModel,
    outputs: &[Output],
    format: Format,
    spans: &[Range<u64>],
    scale: Scale,
    progress: &mut dyn FnMut(u64),
) -> crate::Result<()> {
    let transforms = transforms(database)?;
    let stream = Stream::new(database, model);
    let mut done = 0;
    for group in outputs.chunks(OPEN_FILES) {
        let mut writers: Vec<Box<dyn SignalWriter>> = Vec::with_capacity(group.len());
        for output in group {
            writers.push(create_signal(&output.path, format, model.axis())?);
        }
        let experiments: Vec<Experiment> = group.iter().map(|o| o.experiment.clone()).collect();
        let mut signal = Vec::new();
        stream.run::<crate::Error>(&experiments, spans, &mut |i, first, values| {
            signal.clear();
            signal.extend_from_slice(values);
            if scale == Scale::Signal {
                // An assay without tracks here (of an imported model) was trained on arcsinh.
                let transform = transforms.get(&experiments[i].assay).copied();
                let transform = transform.unwrap_or(Transform::Arcsinh);
                for value in &mut signal {
                    *value = transform.invert(*value);
                }
            }
            writers[i].write(first, &signal)?;
            done += values.len() as u64;
            progress(done);
            Ok(())
        })?;
        for writer in writers {
            writer.finish()?;
        }
    }
    Ok(())
}

/// The transform of each assay's tracks; ingest sees to it that an assay has one.
pub(super) fn transforms(database: &Database) -> Result<HashMap<String, Transform>, StoreError> {
    Ok(database
        .tracks()?
        .into_iter()
        .map(|t| (t.assay, t.transform))
        .collect())
}
