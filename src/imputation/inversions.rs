//! How imputed values become the numbers of files.
//!
//! A model imputes what its tracks are stored as. The signal of a normalised assay is that of the experiment's own
//! track, where it has one: its power law is undone. An experiment without one has the signal of the assay's
//! reference, for nobody knows its own background and peaks.

use std::collections::{HashMap, HashSet};

use crate::compendium::Experiment;
use crate::measures::PowerLaw;
use crate::model::TrainedModel;
use crate::store::{Database, Inversion, StoreError, Transform};

/// On which scale files hold the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalScale {
    /// As it was before the assay's transform (−log10 p for Roadmap's tracks).
    Signal,
    /// As it is stored and trained on.
    Transformed,
}

/// The inversions of experiments on the way to files.
#[derive(Debug)]
pub(crate) struct Inversions {
    scale: SignalScale,
    /// Of each assay's tracks; ingest sees to it that an assay has one.
    transforms: HashMap<String, Transform>,
    /// Of normalised tracks.
    laws: HashMap<Experiment, PowerLaw>,
    /// Assays whose tracks were normalised when the model was trained on them.
    normalised: HashSet<String>,
}

impl Inversions {
    /// Of what a model imputes; without a model, nothing is normalised.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn new(
        database: &Database,
        model: Option<&TrainedModel>,
        scale: SignalScale,
    ) -> Result<Self, StoreError> {
        let mut inversions = Inversions {
            scale,
            transforms: HashMap::new(),
            laws: HashMap::new(),
            normalised: HashSet::new(),
        };
        let known = model.map_or(&[][..], |m| &m.record().tracks);
        let known: HashMap<(&str, &str), &str> = (known.iter())
            .map(|t| {
                (
                    (t.biosample.as_str(), t.assay.as_str()),
                    t.checksum.as_str(),
                )
            })
            .collect();
        for track in database.tracks()? {
            if let Some(law) = track.normalisation {
                let as_trained = known.get(&(track.biosample.as_str(), track.assay.as_str()));
                if as_trained == Some(&track.checksum.as_str()) {
                    inversions.normalised.insert(track.assay.clone());
                }
                let experiment = Experiment::new(&track.biosample, &track.assay);
                inversions.laws.insert(experiment, law);
            }
            inversions.transforms.insert(track.assay, track.transform);
        }
        Ok(inversions)
    }

    /// The transform of each assay's tracks.
    pub fn transforms(&self) -> &HashMap<String, Transform> {
        &self.transforms
    }

    /// That of an experiment.
    pub fn of(&self, experiment: &Experiment) -> Inversion {
        match self.scale {
            SignalScale::Transformed => Inversion::NONE,
            SignalScale::Signal => Inversion {
                // An assay without tracks here (of an imported model) was trained on arcsinh.
                transform: (self.transforms.get(&experiment.assay).copied())
                    .unwrap_or(Transform::Arcsinh),
                normalisation: (self.laws.get(experiment).copied())
                    .filter(|_| self.normalised.contains(&experiment.assay)),
            },
        }
    }
}

/// Which of some experiments a model imputes on the scale of their assay's reference, having no normalised track of
/// their own.
///
/// # Errors
/// When the database cannot be read.
pub fn on_reference_scale<'e>(
    database: &Database,
    model: &TrainedModel,
    experiments: &'e [Experiment],
) -> Result<Vec<&'e Experiment>, StoreError> {
    let inversions = Inversions::new(database, Some(model), SignalScale::Signal)?;
    let is_normalised = |e: &&Experiment| inversions.normalised.contains(&e.assay);
    Ok((experiments.iter())
        .filter(is_normalised)
        .filter(|e| !inversions.laws.contains_key(*e))
        .collect())
}
