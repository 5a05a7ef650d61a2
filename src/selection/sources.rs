//! Where similarities come from.

use std::path::Path;

use super::features::Features;
use super::pair_means::PairMeans;
use super::product::{Combination, Experiments};
use super::profiles::{Sample, filled};
use super::references::note;
use super::request::{KernelChoice, Request, Source, What};
use super::resamples::{Draws, Resampled, Similarities};
use super::similarity::{Similarity, SimilarityMatrix};
use super::tables::{read_expression, read_similarities};
use super::vectors::{Kernel, Vectors};
use super::{ObjectiveKind, SelectionError};
use crate::compendium::Experiment;
use crate::model::TrainedModel;
use crate::search::SampleAxis;
use crate::store::{Database, Track};

/// What resamples of signal draw.
const BLOCKS: &str = "blocks of the genome";

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
    /// The same of resamples, where something can be drawn again.
    pub(super) resampled: Option<Resampled>,
    /// What the user should know.
    pub(super) notes: Vec<String>,
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
                resampled: None,
                notes: Vec::new(),
            })
        }
        Source::Expression { path } => {
            if request.what != What::Biosamples {
                let why = "expression tells biosamples apart, not assays or experiments";
                return Err(SelectionError::question(why).into());
            }
            by_expression(Path::new(path), request, needs_features)
        }
    }
}

fn by_expression(path: &Path, request: &Request, features: bool) -> crate::Result<Compared> {
    let read = read_expression(path)?;
    let kernel = request.kernel(KernelChoice::SquaredCorrelation);
    let name = |i: usize| read.names[i].clone();
    let vectors = Vectors::new(read.width, &read.values, kernel, &name)?;
    let features = match features {
        true => {
            let values = read.values.iter().map(|v| f64::from(*v)).collect();
            Some(Features::new(read.width, values)?)
        }
        false => None,
    };
    let mut notes: Vec<String> = note(&read.left_out).into_iter().collect();
    let genes: Vec<usize> = (0..read.width).collect();
    let work = (read.names.len() * read.names.len() * read.width) as f64;
    let draws = Draws::new(
        &genes,
        "genes",
        (request.resamples, request.seed),
        work,
        &mut notes,
    );
    Ok(Compared {
        by: format!(
            "{} of log2(1 + x) in {}",
            in_words(kernel, Some(&vectors)),
            path.display()
        ),
        similarity: Box::new(vectors.matrix()?),
        names: read.names,
        features,
        model: None,
        checksum: Some(read.checksum),
        resampled: Some(draws.with(Similarities::Vectors {
            width: read.width,
            values: read.values,
            kernel,
        })),
        notes,
    })
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

/// How alike the biosamples or assays of a model are by their factors, and the kernel in words.
pub(super) fn factor_similarity(
    model: &TrainedModel,
    axis: SampleAxis,
    kernel: Kernel,
) -> Result<(SimilarityMatrix, String), SelectionError> {
    let (names, factors) = of_axis(model, axis);
    let values: Vec<f32> = factors.iter().copied().collect();
    let name = |i: usize| names[i].clone();
    let vectors = Vectors::new(factors.ncols(), &values, kernel, &name)?;
    Ok((vectors.matrix()?, in_words(kernel, Some(&vectors))))
}

fn by_factors(model: &TrainedModel, request: &Request, features: bool) -> crate::Result<Compared> {
    let record = model.record();
    let kernel = request.kernel(KernelChoice::Cosine);
    let compare = |axis: SampleAxis| factor_similarity(model, axis, kernel);
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
            resampled: None,
            notes: Vec::new(),
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
        resampled: None,
        notes: Vec::new(),
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
    let sample = Sample::new(database, model.axis(), bins, request.seed)?;
    let width = sample.width();
    let model_of = Some((record.name.clone(), model.stored().checksum.clone()));
    let by = |of: &str| {
        format!(
            "{} of imputed signal at {width} scattered bins{of}",
            in_words(kernel, None)
        )
    };
    let mut notes = Vec::new();
    let mut draws = |work: usize| {
        let asked = (request.resamples, request.seed);
        Draws::new(sample.blocks(), BLOCKS, asked, work as f64, &mut notes)
    };
    let Some(axis) = axis(request.what) else {
        let experiments: Vec<Experiment> = (record.biosamples.iter())
            .flat_map(|b| record.assays.iter().map(move |a| Experiment::new(b, a)))
            .collect();
        let values = sample.imputed(database, model, &experiments)?;
        let name = |i: usize| experiments[i].to_string();
        let draws = draws(experiments.len() * experiments.len() * width);
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
            resampled: Some(draws.with(Similarities::Vectors {
                width,
                values,
                kernel,
            })),
            notes,
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
    let draws = draws(names.len() * names.len() * width * others.len());
    let mut mean = PairMeans::new(names.len(), &draws.weights);
    let mut all = vec![Vec::new(); names.len()];
    let everyone: Vec<usize> = (0..names.len()).collect();
    for other in &others {
        let experiment = |name: &String| match axis {
            SampleAxis::Biosamples => Experiment::new(name, *other),
            SampleAxis::Assays => Experiment::new(*other, name),
        };
        let experiments: Vec<Experiment> = names.iter().map(experiment).collect();
        let values = sample.imputed(database, model, &experiments)?;
        let name = |i: usize| experiments[i].to_string();
        mean.add(&everyone, (width, &values), kernel, &name)?;
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
    let (similarity, resampled) = mean.matrices(names)?;
    Ok(Compared {
        names: names.clone(),
        similarity: Box::new(similarity),
        features: match features {
            true => Some(Features::new(width * others.len(), all.concat())?),
            false => None,
        },
        by: by(&of),
        model: model_of,
        checksum: None,
        resampled: Some(draws.with(Similarities::Matrices(resampled))),
        notes,
    })
}

/// Receives a group's number, the places of its items and their values.
type Each<'a> = dyn FnMut(usize, &[usize], &[f32]) + 'a;

/// Tracks of an axis by what they share of the other axis.
struct Grouped {
    /// The items of the axis, in the order in which tracks name them.
    names: Vec<String>,
    /// For each of the other axis, the places of the items that have it, and the tracks.
    by_other: Vec<(String, Vec<(usize, Track)>)>,
}

impl Grouped {
    /// All items; of the tracks those of another than `left_out`.
    fn new(tracks: &[Track], axis: SampleAxis, left_out: Option<&str>) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut by_other: Vec<(String, Vec<(usize, Track)>)> = Vec::new();
        for track in tracks {
            let (name, other) = match axis {
                SampleAxis::Biosamples => (&track.biosample, &track.assay),
                SampleAxis::Assays => (&track.assay, &track.biosample),
            };
            let place = names.iter().position(|n| n == name).unwrap_or_else(|| {
                names.push(name.clone());
                names.len() - 1
            });
            if left_out == Some(other) {
                continue; // What is still to be measured must not be what it is chosen by.
            }
            match by_other.iter_mut().find(|(o, _)| o == other) {
                Some((_, list)) => list.push((place, track.clone())),
                None => by_other.push((other.clone(), vec![(place, track.clone())])),
            }
        }
        Grouped { names, by_other }
    }

    /// Multiplications that comparing all of them takes.
    fn work(&self, width: usize) -> usize {
        let of = |(_, list): &(String, Vec<(usize, Track)>)| list.len() * list.len() * width;
        self.by_other.iter().map(of).sum()
    }

    /// The mean similarity of pairs over what both have. `each` receives each group's number, its places
    /// and its values.
    fn compare(
        &self,
        database: &Database,
        sample: &Sample,
        kernel: Kernel,
        weights: &[Vec<f32>],
        each: &mut Each<'_>,
    ) -> crate::Result<(SimilarityMatrix, Vec<Option<SimilarityMatrix>>)> {
        let mut mean = PairMeans::new(self.names.len(), weights);
        for (at, (other, list)) in self.by_other.iter().enumerate() {
            let stored: Vec<Track> = list.iter().map(|(_, t)| t.clone()).collect();
            let observed = sample.observed(database, &stored, &mut |_| ())?;
            let values = filled(&observed, sample.width(), &stored);
            let name = |i: usize| format!("{} {other}", self.names[list[i].0]);
            let places: Vec<usize> = list.iter().map(|(p, _)| *p).collect();
            mean.add(&places, (sample.width(), &values), kernel, &name)?;
            each(at, &places, &values);
        }
        Ok(mean.matrices(&self.names)?)
    }
}

fn by_observed(
    database: &Database,
    request: &Request,
    bins: u64,
    features: bool,
) -> crate::Result<Compared> {
    let tracks = database.tracks()?;
    let kernel = request.kernel(KernelChoice::SquaredCorrelation);
    let sample = Sample::new(database, database.axis(), bins, request.seed)?;
    let width = sample.width();
    let mut notes = Vec::new();
    let mut draws = |work: usize| {
        let asked = (request.resamples, request.seed);
        Draws::new(sample.blocks(), BLOCKS, asked, work as f64, &mut notes)
    };
    let by = format!(
        "{} of observed signal at {width} scattered bins, the mean over the tracks that two have in common",
        in_words(kernel, None)
    );
    let Some(axis) = axis(request.what) else {
        refuse_features(request.objective, "observed signal of experiments")?;
        let biosamples = Grouped::new(&tracks, SampleAxis::Biosamples, None);
        let assays = Grouped::new(&tracks, SampleAxis::Assays, None);
        let draws = draws(biosamples.work(width) + assays.work(width));
        let compare =
            |of: &Grouped| of.compare(database, &sample, kernel, &draws.weights, &mut |_, _, _| ());
        let (b, b_resampled) = compare(&biosamples)?;
        let (a, a_resampled) = compare(&assays)?;
        let how = match request.combination {
            Combination::Product => "product",
            Combination::Mean => "mean",
        };
        return Ok(Compared {
            names: (biosamples.names.iter())
                .flat_map(|b| assays.names.iter().map(move |a| experiment_name(b, a)))
                .collect(),
            similarity: Box::new(Experiments::new(b, a, request.combination)),
            features: None,
            by: format!("the {how} of biosamples' and assays' similarity, {by}"),
            model: None,
            checksum: None,
            resampled: Some(draws.with(Similarities::Products(
                b_resampled,
                a_resampled,
                request.combination,
            ))),
            notes,
        });
    };
    let grouped = Grouped::new(&tracks, axis, request.new_of.as_deref());
    let n_others = grouped.by_other.len();
    let draws = draws(grouped.work(width));
    let n = if features { width * n_others } else { 0 };
    let mut all = vec![vec![0f64; n]; grouped.names.len()];
    let (similarity, resampled) = grouped.compare(
        database,
        &sample,
        kernel,
        &draws.weights,
        &mut |at, places, values| {
            if !features {
                return;
            }
            for (place, values) in places.iter().zip(values.chunks_exact(width)) {
                for (to, from) in all[*place][at * width..].iter_mut().zip(clipped(values)) {
                    *to = from;
                }
            }
        },
    )?;
    Ok(Compared {
        similarity: Box::new(similarity),
        features: match features {
            true => Some(Features::new(width * n_others, all.concat())?),
            false => None,
        },
        by,
        names: grouped.names,
        model: None,
        checksum: None,
        resampled: Some(draws.with(Similarities::Matrices(resampled))),
        notes,
    })
}
