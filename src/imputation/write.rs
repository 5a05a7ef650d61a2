//! Imputed experiments as files.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;

use rayon::prelude::*;

use super::inversions::{Inversions, SignalScale};
use super::writers::{Stop, write_files};
use super::{Stream, Uncertainty};
use crate::compendium::Experiment;
use crate::formats::{Format, SignalWriter, create_labelled_signal};
use crate::model::TrainedModel;
use crate::store::{Database, Inversion, StoreError, Transform};

/// Files that are open at once; more experiments mean more walks along the genome.
const OPEN_FILES: usize = 16;

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What to impute.
    pub experiment: Experiment,
    /// Where to.
    pub path: PathBuf,
    /// Where the distribution of what would be observed goes, if that is wanted.
    pub uncertainty: Option<UncertaintyFiles>,
}

/// Files of how far what would be observed lies from what is imputed, at every bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncertaintyFiles {
    /// The standard deviation about what is imputed.
    pub deviation: PathBuf,
    /// The [`QUANTILES`](crate::model::QUANTILES) of what would be observed.
    pub quantiles: [PathBuf; 4],
}

/// Imputes experiments over spans of the model's axis and writes each to its file, whole or not at
/// all; `progress` receives how many bins are done in all.
///
/// ```
/// use persea::compendium::Experiment;
/// use persea::formats::Format;
/// use persea::genome::Interval;
/// use persea::imputation::{Output, SignalScale, spans, write_experiments};
/// use persea::model::TrainedModel;
///
/// # let (folder, database) = persea::search::example_database()?;
/// let model = TrainedModel::open(&database, None)?;
/// let region = Interval::parse_browser("chr1:25,001-26,000")?;
/// let output = Output {
///     experiment: Experiment::new("S1", "A2"),
///     path: folder.path().join("S1.A2.npy"),
///     uncertainty: None,
/// };
/// write_experiments(
///     &database,
///     &model,
///     std::slice::from_ref(&output),
///     Format::Npy,
///     &spans(model.axis(), &[region])?,
///     SignalScale::Transformed,
///     &mut |_| {},
/// )?;
/// // A header of 128 bytes, and a float32 for each of 40 bins.
/// assert_eq!(std::fs::metadata(&output.path)?.len(), 128 + 160);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the model does not know an experiment, a blob is damaged, or a file cannot be written.
pub fn write_experiments(
    database: &Database,
    model: &TrainedModel,
    outputs: &[Output],
    format: Format,
    spans: &[Range<u64>],
    scale: SignalScale,
    progress: &mut dyn FnMut(u64),
) -> crate::Result<()> {
    let inversions = Inversions::new(database, Some(model), scale)?;
    let units = units(database)?;
    let stream = Stream::new(database, model);
    let mut done = 0;
    for group in outputs.chunks(group_size(outputs)) {
        let create = |path: &PathBuf, experiment: &Experiment, statistic: &str| {
            let unit = unit(&units, inversions.transforms(), &experiment.assay, scale);
            let labels = labels(model, experiment, &unit, statistic);
            create_labelled_signal(path, format, model.axis(), &labels)
        };
        let mut files: Vec<Box<dyn SignalWriter>> = Vec::with_capacity(group.len());
        // Each experiment's first file and, where it is wanted, how uncertain it is: five files more.
        let mut places: Vec<(usize, Option<Uncertainty<'_>>)> = Vec::with_capacity(group.len());
        for output in group {
            let uncertainty = match &output.uncertainty {
                Some(_) => Some(Uncertainty::of(model, &output.experiment)?),
                None => None,
            };
            places.push((files.len(), uncertainty));
            let experiment = &output.experiment;
            files.push(create(&output.path, experiment, "imputed")?);
            if let Some(paths) = &output.uncertainty {
                files.push(create(&paths.deviation, experiment, "sd")?);
                for (path, statistic) in paths.quantiles.iter().zip(QUANTILE_NAMES) {
                    files.push(create(path, experiment, statistic)?);
                }
            }
        }
        let experiments: Vec<Experiment> = group.iter().map(|o| o.experiment.clone()).collect();
        let inversion: Vec<Inversion> = experiments.iter().map(|e| inversions.of(e)).collect();
        write_files(files, |writers| {
            stream.run::<Stop>(&experiments, spans, &mut |i, first, values| {
                let (inversion, (file, uncertainty)) = (inversion[i], places[i]);
                let inverted = values.par_iter().map(|v| inversion.apply(*v));
                writers.write(file, first, inverted.collect())?;
                if let Some(uncertainty) = uncertainty {
                    let apart = values
                        .par_iter()
                        .map(|v| deviation_of_signal(inversion, *v, uncertainty.deviation(*v)));
                    writers.write(file + 1, first, apart.collect())?;
                    for quantile in 0..4 {
                        // An inversion ascends, so that a quantile's signal is the signal's quantile.
                        let ends = values
                            .par_iter()
                            .map(|v| inversion.apply(uncertainty.interval_ends(*v)[quantile]));
                        writers.write(file + 2 + quantile, first, ends.collect())?;
                    }
                }
                done += values.len() as u64;
                progress(done);
                Ok(())
            })
        })?;
    }
    Ok(())
}

/// How many experiments are written at a time.
pub(super) fn group_size(outputs: &[Output]) -> usize {
    match outputs.iter().any(|o| o.uncertainty.is_some()) {
        true => (OPEN_FILES / 6).max(1),
        false => OPEN_FILES,
    }
}

/// What the files of the [`QUANTILES`](crate::model::QUANTILES) are called.
pub(super) const QUANTILE_NAMES: [&str; 4] = ["q05", "q25", "q75", "q95"];

/// What an npz says of its array.
fn labels(
    model: &TrainedModel,
    experiment: &Experiment,
    unit: &str,
    statistic: &str,
) -> Vec<(String, String)> {
    let labels = [
        ("biosample", experiment.biosample.as_str()),
        ("assay", &experiment.assay),
        ("unit", unit),
        ("statistic", statistic),
        ("assembly", model.axis().assembly().name()),
        ("model", &model.record().name),
    ];
    labels
        .map(|(name, text)| (name.to_string(), text.to_string()))
        .to_vec()
}

/// The unit of each assay's signal, where a manifest gave one.
pub(super) fn units(database: &Database) -> Result<HashMap<String, String>, StoreError> {
    Ok(database
        .tracks()?
        .into_iter()
        .filter_map(|t| Some((t.assay, t.unit?)))
        .collect())
}

/// The unit of an assay's numbers as they are written; empty where nothing is known.
pub(super) fn unit(
    units: &HashMap<String, String>,
    transforms: &HashMap<String, Transform>,
    assay: &str,
    scale: SignalScale,
) -> String {
    let unit = units.get(assay).map_or("", String::as_str);
    let is_transformed = transforms.get(assay) != Some(&Transform::None);
    match (scale, is_transformed) {
        (SignalScale::Transformed, true) if unit.is_empty() => "arcsinh".to_string(),
        (SignalScale::Transformed, true) => format!("arcsinh({unit})"),
        _ => unit.to_string(),
    }
}

/// Half of how far the signal one standard deviation above lies from that one below.
pub(crate) fn deviation_of_signal(inversion: Inversion, value: f32, deviation: f32) -> f32 {
    0.5 * (inversion.apply(value + deviation) - inversion.apply(value - deviation))
}

/// The transform of each assay's tracks; ingest sees to it that an assay has one.
pub(super) fn transforms(database: &Database) -> Result<HashMap<String, Transform>, StoreError> {
    Ok(database
        .tracks()?
        .into_iter()
        .map(|t| (t.assay, t.transform))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_manifest_on_the_scale_that_is_written() {
        let text = |of: &[(&str, &str)]| -> HashMap<String, String> {
            of.iter()
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .collect()
        };
        let units = text(&[("a", "-log10 p"), ("b", "count")]);
        let transforms = HashMap::from([
            ("a".to_string(), Transform::Arcsinh),
            ("b".to_string(), Transform::None),
        ]);
        let of = |assay: &str, scale| unit(&units, &transforms, assay, scale);
        assert_eq!(of("a", SignalScale::Signal), "-log10 p");
        assert_eq!(of("a", SignalScale::Transformed), "arcsinh(-log10 p)");
        assert_eq!(of("b", SignalScale::Transformed), "count");
        assert_eq!(of("c", SignalScale::Signal), "");
        assert_eq!(of("c", SignalScale::Transformed), "arcsinh");
    }
}
