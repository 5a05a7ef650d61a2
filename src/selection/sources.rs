//! Where similarities come from.

use std::collections::HashMap;
use std::path::Path;

use super::features::Features;
use super::product::{Combination, Experiments};
use super::profiles::{Sample, filled};
use super::request::{KernelChoice, Request, Source, What};
use super::similarity::{Similarity, SimilarityMatrix};
use super::tables::{read_expression, read_similarities};
use super::vectors::{Kernel, Vectors};
use super::{ObjectiveKind, SelectionError};
use crate::compendium::Experiment;
use crate::model::TrainedModel;
use crate::search::SampleAxis;
use crate::store::{Database, Track};

/// The items, how alike they are, and what they were compared by.
pub(super) struct Compared {
    pub(super) names: Vec<String>,
    pub(super) similarity: Box<dyn Similarity>,
    pub(super) features: Option<Features>,
    /// In words.
    pub(super) by: String,
    /// The model and its checksum, where one was asked.
    pub(super) model: Option<(String, String)>,
    /// The file's checksum, where there was one.
    pub(super) checksum: Option<String>,
}

/// The name of an experiment as an item.
pub(super) fn experiment_name(biosample: &str, assay: &str) -> String {
    format!("{biosample}:{assay}")
}

fn axis(what: What) -> Option<SampleAxis> {
    match what {
        What::Biosamples => Some(SampleAxis::Biosamples),
        What::Assays => Some(SampleAxis::Assays),
        What::Experiments => None,
    }
}

/// Compares the items that a request is about.
pub(super) fn compare(database: Option<&Database>, request: &Request) -> crate::Result<Compared> {
    let needs_features = request.objective.needs_features();
    let open = || -> crate::Result<(&Database, TrainedModel)> {
        let database = need(database)?;
        let model = TrainedModel::open(database, request.model.as_deref())?;
        Ok((database, model))
    };
    match &request.source {
        Source::Factors => {
            let (_, model) = open()?;
            by_factors(&model, request, needs_features)
        }
        Source::Imputed { bins } => {
            let (database, model) = open()?;
            by_imputed(database, &model, request, *bins, needs_features)
        }
        Source::Observed { bins } => by_observed(need(database)?, request, *bins, needs_features),
        Source::Matrix { path } => {
            refuse_features(request.objective, "a matrix of similarities")?;
            let items = match (database, axis(request.what)) {
                (Some(database), Some(SampleAxis::Biosamples)) => {
                    database.biosamples()?.into_iter().map(|b| b.name).collect()
                }
                (Some(database), Some(SampleAxis::Assays)) => {
                    database.assays()?.into_iter().map(|a| a.name).collect()
                }
                _ => Vec::new(),
            };
            let read = read_similarities(Path::new(path), &items)?;
            Ok(Compared {
                names: read.names,
                similarity: Box::new(read.matrix),
                features: None,
                by: format!("the matrix {path}"),
                model: None,
                checksum: Some(read.checksum),
            })
        }
        Source::Expression { path } => {
            if request.what != What::Biosamples {
                let why = "expression tells biosamples apart, not assays or experiments";
                return Err(SelectionError::question(why).into());
            }
            let read = read_expression(Path::new(path))?;
            let kernel = request.kernel(KernelChoice::SquaredCorrelation);
            let name = |i: usize| read.names[i].clone();
            let vectors = Vectors::new(read.width, &read.values, kernel, &name)?;
            let features = match needs_features {
                true => {
                    let values = read.values.iter().map(|v| f64::from(*v)).collect();
                    Some(Features::new(read.width, values)?)
                }
                false => None,
            };
            Ok(Compared {
                by: format!(
                    "{} of log2(1 + x) in {path}",
                    in_words(kernel, Some(&vectors))
                ),
                similarity: Box::new(vectors.matrix()?),
                names: read.names,
                features,
                model: None,
                checksum: Some(read.checksum),
            })
        }
    }
}

fn need(database: Option<&Database>) -> Result<&Database, SelectionError> {
    database.ok_or_else(|| {
        SelectionError::question("without a database there is nothing to compare but files")
    })
}

fn refuse_features(objective: ObjectiveKind, what: &str) -> Result<(), SelectionError> {
    match objective.needs_features() {
        true => Err(SelectionError::question(format!(
            "{objective} needs features, and {what} has none; compare factors, imputed or observed signal, or expression"
        ))),
        false => Ok(()),
    }
}

fn in_words(kernel: Kernel, vectors: Option<&Vectors>) -> String {
    match kernel {
        Kernel::Cosine => "the cosine".into(),
        Kernel::Rbf { gamma } => match vectors.map(Vectors::gamma).or(gamma) {
            Some(gamma) => format!("exp(−{gamma:.4} d²)"),
            None => "exp(−d²/median d²)".into(),
        },
        Kernel::SquaredCorrelation => "the squared correlation".into(),
        Kernel::Correlation => "the correlation".into(),
    }
}

fn by_factors(model: &TrainedModel, request: &Request, features: bool) -> crate::Result<Compared> {
    let record = model.record();
    let kernel = request.kernel(KernelChoice::Cosine);
    let compare = |axis: SampleAxis| -> Result<(SimilarityMatrix, String), SelectionError> {
        let (names, factors) = of_axis(model, axis);
        let values: Vec<f32> = factors.iter().copied().collect();
        let name = |i: usize| names[i].clone();
        let vectors = Vectors::new(factors.ncols(), &values, kernel, &name)?;
        Ok((vectors.matrix()?, in_words(kernel, Some(&vectors))))
    };
    let model_of = Some((record.name.clone(), model.stored().checksum.clone()));
    let Some(axis) = axis(request.what) else {
        let (biosamples, of_biosamples) = compare(SampleAxis::Biosamples)?;
        let (assays, _) = compare(SampleAxis::Assays)?;
        let names = (record.biosamples.iter())
            .flat_map(|b| record.assays.iter().map(move |a| experiment_name(b, a)));
        let how = match request.combination {
            Combination::Product => "product",
            Combination::Mean => "mean",
        };
        let features = match features {
            true => {
                let (b, a) = (&model.network().biosamples, &model.network().assays);
                let rows = b.outer_iter().flat_map(|b| {
                    a.outer_iter()
                        .flat_map(move |a| b.iter().chain(a.iter()).copied().collect::<Vec<f32>>())
                });
                let values: Vec<f32> = rows.collect();
                Some(Features::above_and_below(b.ncols() + a.ncols(), &values)?)
            }
            false => None,
        };
        return Ok(Compared {
            names: names.collect(),
            by: format!(
                "the {how} of biosamples' and assays' similarity, {of_biosamples} of factors each"
            ),
            similarity: Box::new(Experiments::new(biosamples, assays, request.combination)),
            features,
            model: model_of,
            checksum: None,
        });
    };
    let (matrix, by) = compare(axis)?;
    let (names, factors) = of_axis(model, axis);
    let features = match features {
        true => {
            let values: Vec<f32> = factors.iter().copied().collect();
            Some(Features::above_and_below(factors.ncols(), &values)?)
        }
        false => None,
    };
    Ok(Compared {
        names: names.to_vec(),
        similarity: Box::new(matrix),
        features,
        by: format!("{by} of their factors"),
        model: model_of,
        checksum: None,
    })
}

fn of_axis(model: &TrainedModel, axis: SampleAxis) -> (&[String], &ndarray::Array2<f32>) {
    match axis {
        SampleAxis::Biosamples => (&model.record().biosamples, &model.network().biosamples),
        SampleAxis::Assays => (&model.record().assays, &model.network().assays),
    }
}

fn clipped(values: &[f32]) -> impl Iterator<Item = f64> + '_ {
    values.iter().map(|v| f64::from(v.max(0.0)))
}

fn by_imputed(
    database: &Database,
    model: &TrainedModel,
    request: &Request,
    bins: u64,
    features: bool,
) -> crate::Result<Compared> {
    let record = model.record();
    let kernel = request.kernel(KernelChoice::SquaredCorrelation);
    let sample = Sample::new(database, model.axis(), bins)?;
    let width = sample.width();
    let model_of = Some((record.name.clone(), model.stored().checksum.clone()));
    let by = |of: &str| {
        format!(
            "{} of imputed signal at {width} bins{of}",
            in_words(kernel, None)
        )
    };
    let Some(axis) = axis(request.what) else {
        let experiments: Vec<Experiment> = (record.biosamples.iter())
            .flat_map(|b| record.assays.iter().map(move |a| Experiment::new(b, a)))
            .collect();
        let values = sample.imputed(database, model, &experiments)?;
        let name = |i: usize| experiments[i].to_string();
        return Ok(Compared {
            similarity: Box::new(Vectors::new(width, &values, kernel, &name)?),
            features: match features {
                true => Some(Features::new(width, clipped(&values).collect())?),
                false => None,
            },
            names: (experiments.iter())
                .map(|e| experiment_name(&e.biosample, &e.assay))
                .collect(),
            by: by(""),
            model: model_of,
            checksum: None,
        });
    };
    let (names, others) = match axis {
        SampleAxis::Biosamples => (&record.biosamples, &record.assays),
        SampleAxis::Assays => (&record.assays, &record.biosamples),
    };
    // For a new assay that assay alone; otherwise the mean over all of the other axis.
    let others: Vec<&String> = match &request.new_of {
        Some(one) => {
            match axis {
                SampleAxis::Biosamples => model.assay(one)?,
                SampleAxis::Assays => model.biosample(one)?,
            };
            vec![one]
        }
        None => others.iter().collect(),
    };
    let mut mean = PairMean::new(names.len());
    let mut all = vec![Vec::new(); names.len()];
    for other in &others {
        let experiment = |name: &String| match axis {
            SampleAxis::Biosamples => Experiment::new(name, *other),
            SampleAxis::Assays => Experiment::new(*other, name),
        };
        let experiments: Vec<Experiment> = names.iter().map(experiment).collect();
        let values = sample.imputed(database, model, &experiments)?;
        let name = |i: usize| experiments[i].to_string();
        let matrix = Vectors::new(width, &values, kernel, &name)?.matrix()?;
        let everyone: Vec<usize> = (0..names.len()).collect();
        mean.add(&everyone, &matrix);
        if features {
            for (all, values) in all.iter_mut().zip(values.chunks_exact(width)) {
                all.extend(clipped(values));
            }
        }
    }
    let of = match others.as_slice() {
        [one] => format!(" of {one}"),
        _ => format!(", the mean over {} tracks of each", others.len()),
    };
    Ok(Compared {
        names: names.clone(),
        similarity: Box::new(mean.matrix(names)?),
        features: match features {
            true => Some(Features::new(width * others.len(), all.concat())?),
            false => None,
        },
        by: by(&of),
        model: model_of,
        checksum: None,
    })
}

fn by_observed(
    database: &Database,
    request: &Request,
    bins: u64,
    features: bool,
) -> crate::Result<Compared> {
    let Some(axis) = axis(request.what) else {
        let why = "experiments that nobody has run have no observed signal; compare factors or imputed signal";
        return Err(SelectionError::question(why).into());
    };
    let of = |t: &Track| match axis {
        SampleAxis::Biosamples => (t.biosample.clone(), t.assay.clone()),
        SampleAxis::Assays => (t.assay.clone(), t.biosample.clone()),
    };
    let tracks = database.tracks()?;
    let mut names: Vec<String> = Vec::new();
    let mut by_other: Vec<(String, Vec<(usize, Track)>)> = Vec::new();
    for track in &tracks {
        let (name, other) = of(track);
        let place = names.iter().position(|n| *n == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        if request.new_of.as_ref() == Some(&other) {
            continue; // What is still to be measured must not be what it is chosen by.
        }
        match by_other.iter_mut().find(|(o, _)| *o == other) {
            Some((_, list)) => list.push((place, track.clone())),
            None => by_other.push((other, vec![(place, track.clone())])),
        }
    }
    let kernel = request.kernel(KernelChoice::SquaredCorrelation);
    let sample = Sample::new(database, database.axis(), bins)?;
    let width = sample.width();
    let mut mean = PairMean::new(names.len());
    let mut all = vec![vec![0f64; if features { width * by_other.len() } else { 0 }]; names.len()];
    for (at, (other, list)) in by_other.iter().enumerate() {
        let stored: Vec<Track> = list.iter().map(|(_, t)| t.clone()).collect();
        let values = filled(&sample.observed(database, &stored)?, width, &stored);
        let name = |i: usize| format!("{} {other}", names[list[i].0]);
        let matrix = Vectors::new(width, &values, kernel, &name)?.matrix()?;
        let places: Vec<usize> = list.iter().map(|(p, _)| *p).collect();
        mean.add(&places, &matrix);
        if features {
            for (place, values) in places.iter().zip(values.chunks_exact(width)) {
                for (to, from) in all[*place][at * width..].iter_mut().zip(clipped(values)) {
                    *to = from;
                }
            }
        }
    }
    Ok(Compared {
        similarity: Box::new(mean.matrix(&names)?),
        features: match features {
            true => Some(Features::new(width * by_other.len(), all.concat())?),
            false => None,
        },
        by: format!(
            "{} of observed signal at {width} bins, the mean over the tracks that two have in common",
            in_words(kernel, None)
        ),
        names,
        model: None,
        checksum: None,
    })
}

/// The mean similarity of pairs, over whatever each pair has in common.
struct PairMean {
    n: usize,
    sums: Vec<f64>,
    counts: HashMap<(usize, usize), u32>,
}

impl PairMean {
    fn new(n: usize) -> Self {
        PairMean {
            n,
            sums: vec![0.0; n * n],
            counts: HashMap::new(),
        }
    }

    fn add(&mut self, places: &[usize], matrix: &SimilarityMatrix) {
        for (i, a) in places.iter().enumerate() {
            for (j, b) in places.iter().enumerate() {
                self.sums[a * self.n + b] += f64::from(matrix.get(i, j));
                *self.counts.entry((*a, *b)).or_default() += 1;
            }
        }
    }

    fn matrix(&self, names: &[String]) -> Result<SimilarityMatrix, SelectionError> {
        let mut values = Vec::with_capacity(self.n * self.n);
        for a in 0..self.n {
            for b in 0..self.n {
                let value = match self.counts.get(&(a, b)) {
                    Some(count) => self.sums[a * self.n + b] / f64::from(*count),
                    None if a == b => 1.0,
                    None => {
                        return Err(SelectionError::question(format!(
                            "{} and {} have no track in common to be compared by; compare factors or imputed signal",
                            names[a], names[b]
                        )));
                    }
                };
                values.push(value as f32);
            }
        }
        SimilarityMatrix::new(self.n, values, &|i| names[i].clone())
    }
}
