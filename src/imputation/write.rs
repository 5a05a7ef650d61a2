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
    /// Where the standard deviation of what would be observed goes, if that is wanted.
    pub uncertainty: Option<PathBuf>,
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
        let create = |path: &PathBuf| create_signal(path, format, model.axis());
        let mut writers: Vec<Box<dyn SignalWriter>> = Vec::with_capacity(group.len());
        let mut uncertain: Vec<Option<Box<dyn SignalWriter>>> = Vec::with_capacity(group.len());
        for output in group {
            writers.push(create(&output.path)?);
            uncertain.push(output.uncertainty.as_ref().map(create).transpose()?);
        }
        let experiments: Vec<Experiment> = group.iter().map(|o| o.experiment.clone()).collect();
        let transform = |i: usize| match scale {
            // An assay without tracks here (of an imported model) was trained on arcsinh.
            Scale::Signal => {
                (transforms.get(&experiments[i].assay).copied()).unwrap_or(Transform::Arcsinh)
            }
            Scale::Transformed => Transform::None,
        };
        let mut signal = Vec::new();
        let mut write = |i: usize, first: u64, values: &[f32], deviations: &[f32]| {
            let transform = transform(i);
            signal.clear();
            signal.extend(values.iter().map(|v| transform.invert(*v)));
            writers[i].write(first, &signal)?;
            if let Some(writer) = &mut uncertain[i] {
                signal.clear();
                let pairs = values.iter().zip(deviations);
                signal.extend(pairs.map(|(v, d)| deviation_of_signal(transform, *v, *d)));
                writer.write(first, &signal)?;
            }
            done += values.len() as u64;
            progress(done);
            Ok(())
        };
        if group.iter().any(|o| o.uncertainty.is_some()) {
            stream.run_with_deviation::<crate::Error>(&experiments, spans, &mut write)?;
        } else {
            stream.run::<crate::Error>(&experiments, spans, &mut |i, first, values| {
                write(i, first, values, &[])
            })?;
        }
        for writer in writers.into_iter().chain(uncertain.into_iter().flatten()) {
            writer.finish()?;
        }
    }
    Ok(())
}

/// Half of how far the signal one standard deviation above lies from that one below.
fn deviation_of_signal(transform: Transform, value: f32, deviation: f32) -> f32 {
    0.5 * (transform.invert(value + deviation) - transform.invert(value - deviation))
}

/// The transform of each assay's tracks; ingest sees to it that an assay has one.
pub(super) fn transforms(database: &Database) -> Result<HashMap<String, Transform>, StoreError> {
    Ok(database
        .tracks()?
        .into_iter()
        .map(|t| (t.assay, t.transform))
        .collect())
}
