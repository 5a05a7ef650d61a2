//! A compendium: an assay at a time is predicted in the biosamples that were not chosen.

use std::collections::HashMap;

use super::choosers::{Trial, choices};
use super::moments::{Moments, Weights, mean_error};
use super::summary::{Evaluation, LeftOut, summed};
use super::{Compared, EvaluationOptions, EvaluationProgress, Report, kernel};
use crate::compendium::Experiment;
use crate::model::TrainedModel;
use crate::search::SampleAxis;
use crate::selection::SelectionError;
use crate::selection::pair_means::PairMeans;
use crate::selection::profiles::{Sample, filled};
use crate::selection::request::KernelChoice;
use crate::selection::similarity::SimilarityMatrix;
use crate::selection::sources::factor_similarity;
use crate::store::{Database, Track, TrackRole};

/// Phases of an evaluation.
const PHASES: usize = 3;

/// Of each assay in turn: chooses from the biosamples that have it, by what is known of them without it,
/// and predicts the others' tracks of it from those of the chosen.
///
/// Without models the choice is made by the tracks of the other assays. With models an assay is scored by
/// the first of them that was trained on no track of it, and choices and predictions see the tracks that
/// this model was trained on and nothing else: every similarity rests on the same tracks. Choices and
/// weights come from every other block of the genome, and the blocks between them are scored.
///
/// # Errors
/// When no assay can be scored, a model is unknown or covers other regions than the database, or tracks
/// cannot be read.
pub fn evaluate_compendium(
    database: &Database,
    options: &EvaluationOptions,
    report: &Report<'_>,
) -> crate::Result<Evaluation> {
    let ways = ways(options)?;
    let models: Vec<TrainedModel> = (options.models.iter())
        .map(|name| opened(database, name))
        .collect::<crate::Result<_>>()?;
    let compendium = Compendium::read(database, options, report)?;
    let known = compendium.known(database, &models, &ways, report)?;
    let least = options.ks.iter().min().copied().unwrap_or(1);
    let mut trials: Vec<Trial> = Vec::new();
    let mut left_out = Vec::new();
    let n_assays = compendium.assays.len() as u64;
    for (number, assay) in compendium.assays.iter().enumerate() {
        report(progress(
            3,
            "choosing and predicting",
            number as u64,
            n_assays,
        ));
        let scored = &compendium.scored[assay];
        let having = scored.items();
        let mut leave_out = |why: String| {
            left_out.push(LeftOut {
                what: assay.clone(),
                why,
            });
        };
        if having.len() < least + 1 {
            leave_out(format!(
                "measured in {} biosamples; {} are needed to choose {least} and predict another",
                having.len(),
                least + 1
            ));
            continue;
        }
        let Some(known) = known.iter().find(|k| k.may_score(assay)) else {
            leave_out(
                "every model was trained on tracks of it; train one that holds all of them out"
                    .into(),
            );
            continue;
        };
        let similarities: Result<Vec<(String, SimilarityMatrix)>, String> = (ways.iter())
            .map(|way| known.similarity(assay, *way, &having, &compendium.biosamples))
            .collect();
        let similarities = match similarities {
            Ok(similarities) => similarities,
            Err(why) => {
                leave_out(why);
                continue;
            }
        };
        let scored = scored.select(&having);
        let seen: Vec<Moments> = (known.seen.iter())
            .filter(|(other, _)| other != assay)
            .map(|(_, seen)| seen.moments.select(&having))
            .collect();
        let possible = EvaluationOptions {
            ks: (options.ks.iter().copied())
                .filter(|k| *k < having.len())
                .collect(),
            ..options.clone()
        };
        for (by, similarity) in &similarities {
            let predict = |chosen: &[usize], predictor| {
                mean_error(&scored, chosen, &|b| {
                    Weights::new(predictor, b, chosen, similarity, &seen)
                })
            };
            let found = choices(similarity, &possible, number as u64, &predict)?;
            trials.extend(found.into_iter().map(|c| c.of(by, assay)));
        }
    }
    report(progress(3, "choosing and predicting", n_assays, n_assays));
    if trials.is_empty() {
        let why = left_out.first().map_or(String::new(), |l: &LeftOut| {
            format!(" ({}: {})", l.what, l.why)
        });
        return Err(SelectionError::question(format!("no assay can be scored{why}")).into());
    }
    Ok(Evaluation {
        rows: summed(&trials),
        left_out,
    })
}

fn progress(phase: usize, what: &'static str, done: u64, total: u64) -> EvaluationProgress {
    EvaluationProgress {
        what,
        phase,
        n_phases: PHASES,
        done,
        total,
    }
}

/// What biosamples are compared by, and how.
type Way = (Compared, KernelChoice);

fn ways(options: &EvaluationOptions) -> Result<Vec<Way>, SelectionError> {
    let mut ways = Vec::new();
    for compared in &options.compared {
        if *compared != Compared::Observed && options.models.is_empty() {
            return Err(SelectionError::question(format!(
                "{compared} need a model that was trained on no track of the assay that is scored: train one for each assay \
                 (or for some at once) with their tracks held out, and name them all (option `models`)"
            )));
        }
        let own = match compared {
            Compared::Factors => [KernelChoice::Cosine],
            Compared::Imputed | Compared::Observed => [KernelChoice::SquaredCorrelation],
        };
        let kernels = match options.kernels.as_slice() {
            [] => &own[..],
            given => given,
        };
        ways.extend(kernels.iter().map(|kernel| (*compared, *kernel)));
    }
    match ways.is_empty() {
        true => Err(SelectionError::question("name something to compare by")),
        false => Ok(ways),
    }
}

fn opened(database: &Database, name: &str) -> crate::Result<TrainedModel> {
    let model = TrainedModel::open(database, Some(name))?;
    match model.axis() == database.axis() {
        true => Ok(model),
        false => Err(SelectionError::question(format!(
            "model {name} covers other regions than the database: only models of all regions are compared"
        ))
        .into()),
    }
}

/// The tracks' numbers: those that choices see, and those that are scored.
struct Compendium {
    biosamples: Vec<String>,
    assays: Vec<String>,
    tracks: Vec<Track>,
    /// Bins of the blocks that choices see.
    seen: Sample,
    /// `[tracks, bins]`.
    seen_values: Vec<f32>,
    scored: HashMap<String, Moments>,
}

impl Compendium {
    fn read(
        database: &Database,
        options: &EvaluationOptions,
        report: &Report<'_>,
    ) -> crate::Result<Self> {
        let tracks = database.tracks()?;
        let sample = Sample::new(database, database.axis(), options.bins, options.seed)?;
        let [seen, scored] = sample.halves();
        if seen.width() < 2 || scored.width() < 2 {
            let why = "the database covers too little of the genome to choose by one half and to score the other";
            return Err(SelectionError::question(why).into());
        }
        let total = 2 * tracks.len() as u64;
        let read = |sample: &Sample, before: usize| {
            sample.observed(database, &tracks, &mut |done| {
                report(progress(1, "reading tracks", (before + done) as u64, total));
            })
        };
        let seen_values = filled(&read(&seen, 0)?, seen.width(), &tracks);
        let scored_values = read(&scored, tracks.len())?;
        let mut compendium = Compendium {
            biosamples: distinct(tracks.iter().map(|t| &t.biosample)),
            assays: distinct(tracks.iter().map(|t| &t.assay)),
            tracks,
            seen,
            seen_values,
            scored: HashMap::new(),
        };
        compendium.scored = (compendium.assays.iter())
            .map(|assay| {
                let (places, values) =
                    compendium.of_assay(assay, &scored_values, scored.width(), &|_| true);
                let moments = Moments::new(compendium.biosamples.len(), &places, &values);
                (assay.clone(), moments)
            })
            .collect();
        Ok(compendium)
    }

    /// The biosamples that have an assay and are wanted, and their tracks' values.
    fn of_assay(
        &self,
        assay: &str,
        values: &[f32],
        width: usize,
        wanted: &dyn Fn(&Track) -> bool,
    ) -> (Vec<usize>, Vec<f32>) {
        let (mut places, mut of_assay) = (Vec::new(), Vec::new());
        for (track, values) in self.tracks.iter().zip(values.chunks_exact(width)) {
            let place = self.biosamples.iter().position(|b| *b == track.biosample);
            if let Some(place) = place.filter(|_| track.assay == assay && wanted(track)) {
                places.push(place);
                of_assay.extend(values);
            }
        }
        (places, of_assay)
    }

    /// What is known by each model, or by all tracks where there are no models.
    fn known(
        &self,
        database: &Database,
        models: &[TrainedModel],
        ways: &[Way],
        report: &Report<'_>,
    ) -> crate::Result<Vec<Known>> {
        // An assay of a model is a step.
        let steps = |model: &TrainedModel| model.record().assays.len();
        let total: usize = models.iter().map(steps).sum::<usize>().max(1);
        let at = |done: usize| {
            report(progress(
                2,
                "comparing biosamples",
                done as u64,
                total as u64,
            ));
        };
        at(0);
        if models.is_empty() {
            return Ok(vec![self.known_of(database, None, ways, &at)?]);
        }
        let mut all = Vec::new();
        let mut before = 0;
        for model in models {
            let step = |done: usize| at(before + done);
            all.push(self.known_of(database, Some(model), ways, &step)?);
            before += steps(model);
            at(before);
        }
        Ok(all)
    }

    fn known_of(
        &self,
        database: &Database,
        model: Option<&TrainedModel>,
        ways: &[Way],
        step: &dyn Fn(usize),
    ) -> crate::Result<Known> {
        let sees = |track: &Track| match model {
            None => true,
            Some(model) => (model.record().tracks.iter()).any(|t| {
                t.role != TrackRole::Hold
                    && t.biosample == track.biosample
                    && t.assay == track.assay
            }),
        };
        let width = self.seen.width();
        let mut seen = Vec::new();
        for assay in &self.assays {
            let (places, values) = self.of_assay(assay, &self.seen_values, width, &sees);
            if places.is_empty() {
                continue;
            }
            let name = |i: usize| format!("{} {assay}", self.biosamples[places[i]]);
            let mut similarities = HashMap::new();
            for (_, choice) in ways.iter().filter(|(c, _)| *c == Compared::Observed) {
                let mut of_assay = PairMeans::new(places.len(), &[]);
                let everyone: Vec<usize> = (0..places.len()).collect();
                of_assay.add(&everyone, (width, &values), kernel(*choice), &name)?;
                let names: Vec<String> = everyone.iter().map(|i| name(*i)).collect();
                similarities.insert(choice.name(), of_assay.matrices(&names)?.0);
            }
            let of_assay = Seen {
                moments: Moments::new(self.biosamples.len(), &places, &values),
                places,
                similarities,
            };
            seen.push((assay.clone(), of_assay));
        }
        let mut known = Known {
            by_model: model.is_some(),
            seen,
            names: model
                .map(|m| m.record().biosamples.clone())
                .unwrap_or_default(),
            of_model: HashMap::new(),
        };
        let Some(model) = model else {
            return Ok(known);
        };
        let of = |compared: Compared| -> Vec<KernelChoice> {
            let own = ways.iter().filter(|(c, _)| *c == compared);
            own.map(|(_, choice)| *choice).collect()
        };
        for choice in of(Compared::Factors) {
            let (matrix, _) = factor_similarity(model, SampleAxis::Biosamples, kernel(choice))?;
            let key = (Compared::Factors.name(), choice.name());
            known.of_model.insert(key, matrix);
        }
        let choices = of(Compared::Imputed);
        for (choice, matrix) in choices
            .iter()
            .zip(self.imputed(database, model, &choices, step)?)
        {
            let key = (Compared::Imputed.name(), choice.name());
            known.of_model.insert(key, matrix);
        }
        Ok(known)
    }

    /// The mean similarity of a model's biosamples over what it imputes of its assays, by each kernel.
    /// `step` is called before each assay.
    fn imputed(
        &self,
        database: &Database,
        model: &TrainedModel,
        choices: &[KernelChoice],
        step: &dyn Fn(usize),
    ) -> crate::Result<Vec<SimilarityMatrix>> {
        let names = &model.record().biosamples;
        let everyone: Vec<usize> = (0..names.len()).collect();
        let mut means: Vec<PairMeans<'_>> = (choices.iter())
            .map(|_| PairMeans::new(names.len(), &[]))
            .collect();
        if choices.is_empty() {
            return Ok(Vec::new());
        }
        for (number, assay) in model.record().assays.iter().enumerate() {
            step(number);
            let experiments: Vec<Experiment> =
                names.iter().map(|b| Experiment::new(b, assay)).collect();
            let values = self.seen.imputed(database, model, &experiments)?;
            let name = |i: usize| experiments[i].to_string();
            for (mean, choice) in means.iter_mut().zip(choices) {
                mean.add(
                    &everyone,
                    (self.seen.width(), &values),
                    kernel(*choice),
                    &name,
                )?;
            }
        }
        let matrices = means.iter().map(|mean| Ok(mean.matrices(names)?.0));
        matrices.collect()
    }
}

/// Names, each once, in the order in which they come.
fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

/// One assay's tracks, at the bins that choices see.
struct Seen {
    /// The biosamples that have it.
    places: Vec<usize>,
    moments: Moments,
    /// Their similarity, by kernel.
    similarities: HashMap<&'static str, SimilarityMatrix>,
}

/// What may be known when an assay is scored: the tracks of a model and the model, or all tracks.
struct Known {
    by_model: bool,
    seen: Vec<(String, Seen)>,
    /// The model's biosamples.
    names: Vec<String>,
    /// Their similarity, by source and kernel.
    of_model: HashMap<(&'static str, &'static str), SimilarityMatrix>,
}

impl Known {
    /// Whether an assay may be scored: the model has seen no track of it.
    fn may_score(&self, assay: &str) -> bool {
        !self.by_model || self.seen.iter().all(|(seen, _)| seen != assay)
    }

    /// How alike some biosamples are without an assay, and in words by what; or why that is not known.
    fn similarity(
        &self,
        assay: &str,
        (compared, choice): Way,
        having: &[usize],
        biosamples: &[String],
    ) -> Result<(String, SimilarityMatrix), String> {
        let n = having.len();
        let mut values = vec![0f32; n * n];
        let name = |i: usize| biosamples[having[i]].clone();
        if compared == Compared::Observed {
            let others: Vec<&Seen> = (self.seen.iter())
                .filter(|(other, _)| other != assay)
                .map(|(_, seen)| seen)
                .collect();
            for (i, a) in having.iter().enumerate() {
                for (j, b) in having.iter().enumerate() {
                    let pairs = others.iter().filter_map(|seen| {
                        let at = |item: &usize| seen.places.iter().position(|p| p == item);
                        let matrix = seen.similarities.get(choice.name())?;
                        Some(f64::from(matrix.get(at(a)?, at(b)?)))
                    });
                    let (sum, count) = pairs.fold((0.0, 0), |(s, c), v| (s + v, c + 1));
                    if count == 0 {
                        return Err(format!(
                            "{} and {} have no other track in common to be compared by",
                            name(i),
                            name(j)
                        ));
                    }
                    values[i * n + j] = (sum / f64::from(count)) as f32;
                }
            }
        } else {
            let Some(matrix) = self.of_model.get(&(compared.name(), choice.name())) else {
                return Err(format!("there is no model to compare {compared} by"));
            };
            let places: Vec<usize> = (0..n)
                .map(|i| {
                    let place = self.names.iter().position(|known| *known == name(i));
                    place.ok_or_else(|| format!("the model does not know {}", name(i)))
                })
                .collect::<Result<_, _>>()?;
            for (i, a) in places.iter().enumerate() {
                for (j, b) in places.iter().enumerate() {
                    values[i * n + j] = matrix.get(*a, *b);
                }
            }
        }
        let matrix = SimilarityMatrix::new(n, values, &name).map_err(|e| e.to_string())?;
        Ok((format!("{compared}, {choice}"), matrix))
    }
}
