//! Is a choice any good? The rest is predicted from what was chosen, beside random choices of the same size.
//!
//! The choice never sees what is scored: of expression one half of the genes is chosen by and the
//! other scored, of a compendium an assay is scored and the choice made by the others, at other bins.

use ndarray::{Array2, ArrayView1, Axis};
use rayon::prelude::*;

use super::choose::Problem;
use super::greedy::{Limits, Method};
use super::profiles::{Sample, filled};
use super::similarity::SimilarityMatrix;
use super::vectors::{Kernel, Vectors};
use super::{NamedProfiles, ObjectiveKind, SelectionError};
use crate::Bug;
use crate::linear::solve_positive_definite;
use crate::random::{Purpose, generator, shuffle};
use crate::store::{Database, Track};

/// How a choice is put to the proof.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationOptions {
    /// Sizes of choices.
    pub ks: Vec<usize>,
    /// What a good choice is.
    pub objective: ObjectiveKind,
    /// How items are compared.
    pub kernel: Kernel,
    /// Of expression: how many times biosamples (two thirds) and genes (two halves) are drawn.
    pub replicates: usize,
    /// Random choices beside each.
    pub n_random: usize,
    /// Of a compendium: at how many bins.
    pub bins: u64,
    /// What chance derives from.
    pub seed: u64,
}

/// How what was not chosen is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Predictor {
    /// As its nearest of the chosen.
    Nearest,
    /// By ridge regression on the chosen.
    Ridge,
}

/// One size and predictor.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct EvaluationRow {
    /// How many were chosen.
    pub k: usize,
    /// How the rest was predicted.
    pub predictor: Predictor,
    /// Over how many repetitions (draws of expression, assays of a compendium) the means are.
    pub n: usize,
    /// Mean squared error with the choice.
    pub chosen: f64,
    /// The mean with random choices.
    pub random: f64,
    /// The difference, chosen less random, and its standard error over the repetitions.
    pub difference: f64,
    /// See `difference`.
    pub standard_error: Option<f64>,
    /// The share of random choices that did better.
    pub random_better: f64,
}

/// What one repetition came to: the error of the choice, and of each random one.
struct Trial {
    k: usize,
    predictor: Predictor,
    chosen: f64,
    random: Vec<f64>,
}

/// Chooses biosamples by one half of the genes and predicts the others' other half.
///
/// # Errors
/// When there are too few biosamples or genes, or vectors that cannot be compared.
pub fn evaluate_expression(
    profiles: &NamedProfiles,
    options: &EvaluationOptions,
) -> Result<Vec<EvaluationRow>, SelectionError> {
    let n = profiles.names.len();
    let n_drawn = 2 * n / 3;
    check(options, n_drawn)?;
    if profiles.width < 20 {
        return Err(SelectionError::question("20 genes at least are needed"));
    }
    let of = |i: usize, genes: &[usize]| -> Vec<f32> {
        let row = &profiles.values[i * profiles.width..(i + 1) * profiles.width];
        genes.iter().map(|g| row[*g]).collect()
    };
    let trials: Vec<Vec<Trial>> = (0..options.replicates as u64)
        .into_par_iter()
        .map(|replicate| {
            let mut rng = generator(options.seed, Purpose::RandomChoice, (2 << 32) + replicate);
            let mut biosamples: Vec<usize> = (0..n).collect();
            shuffle(&mut rng, &mut biosamples);
            biosamples.truncate(n_drawn);
            let mut genes: Vec<usize> = (0..profiles.width).collect();
            shuffle(&mut rng, &mut genes);
            let (seen, scored) = genes.split_at(genes.len() / 2);
            let seen: Vec<f32> = biosamples.iter().flat_map(|b| of(*b, seen)).collect();
            let scored: Vec<f32> = biosamples.iter().flat_map(|b| of(*b, scored)).collect();
            let name = |i: usize| profiles.names[biosamples[i]].clone();
            let width = seen.len() / n_drawn;
            let similarity = Vectors::new(width, &seen, options.kernel, &name)?.matrix()?;
            let (seen, scored) = (shaped(n_drawn, seen)?, shaped(n_drawn, scored)?);
            let predict = |chosen: &[usize], predictor| {
                let mut errors = Vec::new();
                for b in (0..n_drawn).filter(|b| !chosen.contains(b)) {
                    let weights = weights(&seen, b, chosen, predictor, &similarity);
                    errors.extend(error(&scored, scored.row(b), chosen, &weights));
                }
                Ok(mean(&errors))
            };
            trials(&similarity, options, replicate, &predict)
        })
        .collect::<Result<_, _>>()?;
    Ok(summed(
        options,
        &trials.into_iter().flatten().collect::<Vec<_>>(),
    ))
}

/// Of each assay in turn: chooses from the biosamples that have it, by their other tracks, and predicts
/// the others' tracks of it from those of the chosen. Assays are left out whose biosamples have too few other tracks in
/// common to be compared.
///
/// # Errors
/// When no assay has two biosamples more than are to be chosen, or tracks cannot be read.
pub fn evaluate_compendium(
    database: &Database,
    options: &EvaluationOptions,
) -> crate::Result<Vec<EvaluationRow>> {
    let tracks = database.tracks()?;
    let sample = Sample::new(database, database.axis(), options.bins)?;
    let width = sample.width();
    let observed = sample.observed(database, &tracks)?;
    let values = shaped(tracks.len(), filled(&observed, width, &tracks))?;
    let observed = shaped(tracks.len(), observed)?;
    // The first half of the bins is chosen by, the second scored.
    let half = width / 2;
    let (seen, scored) = values.view().split_at(Axis(1), half);
    let (seen, scored) = (seen.to_owned(), scored.to_owned());
    let mut assays: Vec<&str> = tracks.iter().map(|t| t.assay.as_str()).collect();
    assays.sort_unstable();
    assays.dedup();
    let least = options.ks.iter().min().copied().unwrap_or(1);
    let mut all = Vec::new();
    for (number, assay) in assays.iter().enumerate() {
        let having: Vec<&Track> = tracks.iter().filter(|t| t.assay == *assay).collect();
        let names: Vec<&str> = having.iter().map(|t| t.biosample.as_str()).collect();
        if names.len() < least + 1 {
            continue;
        }
        let others: Vec<&str> = assays.iter().copied().filter(|a| a != assay).collect();
        let place = |biosample: &str, assay: &str| {
            (tracks.iter()).position(|t| t.biosample == biosample && t.assay == assay)
        };
        // Biosamples that have nothing else in common cannot be compared without the assay itself.
        let compared = shared_similarity(&seen, &names, &others, &place, options.kernel)?;
        let Some(similarity) = compared else { continue };
        let target: Vec<usize> = names.iter().filter_map(|n| place(n, assay)).collect();
        let scored = scored.select(Axis(0), &target);
        let observed = observed
            .slice(ndarray::s![.., half..])
            .select(Axis(0), &target);
        let predict = |chosen: &[usize], predictor| {
            let mut errors = Vec::new();
            for b in (0..names.len()).filter(|b| !chosen.contains(b)) {
                // By the tracks that all of them have.
                let group: Vec<usize> = chosen.iter().copied().chain([b]).collect();
                let shared: Vec<&str> = (others.iter().copied())
                    .filter(|a| group.iter().all(|i| place(names[*i], a).is_some()))
                    .collect();
                let stacked = |i: &usize| -> Vec<f32> {
                    let of = shared.iter().filter_map(|a| place(names[*i], a));
                    of.flat_map(|t| seen.row(t).to_vec()).collect()
                };
                let rows: Vec<f32> = group.iter().flat_map(stacked).collect();
                let rows = shaped(group.len(), rows)?;
                let own: Vec<usize> = (0..chosen.len()).collect();
                let near: Vec<f32> = chosen.iter().map(|c| similarity.get(b, *c)).collect();
                let weights = match predictor {
                    Predictor::Nearest => nearest(&near),
                    Predictor::Ridge => ridge(&rows, chosen.len(), &own),
                };
                errors.extend(error(&scored, observed.row(b), chosen, &weights));
            }
            Ok(mean(&errors))
        };
        let possible = EvaluationOptions {
            ks: (options.ks.iter().copied())
                .filter(|k| *k < names.len())
                .collect(),
            ..options.clone()
        };
        all.extend(trials(&similarity, &possible, number as u64, &predict)?);
    }
    if all.is_empty() {
        let why = format!(
            "no assay has been measured in {} biosamples or more that other tracks compare",
            least + 1
        );
        return Err(SelectionError::question(why).into());
    }
    Ok(summed(options, &all))
}

fn check(options: &EvaluationOptions, n: usize) -> Result<(), SelectionError> {
    let most = options.ks.iter().max().copied().unwrap_or(0);
    if most == 0 || options.ks.contains(&0) || most >= n {
        return Err(SelectionError::question(format!(
            "choices must be of 1 to {} of the {n} biosamples that are drawn, so that some are left to predict",
            n.saturating_sub(1)
        )));
    }
    Ok(())
}

fn shaped(rows: usize, values: Vec<f32>) -> Result<Array2<f32>, SelectionError> {
    let n = values.len();
    Array2::from_shape_vec((rows, n / rows.max(1)), values)
        .map_err(|_| Bug::new(format!("{n} values are no {rows} rows of equal length")).into())
}

/// The mean similarity over the other assays that two biosamples have in common; `None` where two
/// have none.
fn shared_similarity(
    seen: &Array2<f32>,
    names: &[&str],
    others: &[&str],
    place: &dyn Fn(&str, &str) -> Option<usize>,
    kernel: Kernel,
) -> Result<Option<SimilarityMatrix>, SelectionError> {
    let n = names.len();
    let mut sums = vec![0f64; n * n];
    let mut counts = vec![0u32; n * n];
    for assay in others {
        let having: Vec<(usize, usize)> = (names.iter().enumerate())
            .filter_map(|(i, name)| Some((i, place(name, assay)?)))
            .collect();
        let values: Vec<f32> = having
            .iter()
            .flat_map(|(_, t)| seen.row(*t).to_vec())
            .collect();
        let name = |i: usize| format!("{} {assay}", names[having[i].0]);
        let matrix = Vectors::new(seen.ncols(), &values, kernel, &name)?.matrix()?;
        for (i, (a, _)) in having.iter().enumerate() {
            for (j, (b, _)) in having.iter().enumerate() {
                sums[a * n + b] += f64::from(matrix.get(i, j));
                counts[a * n + b] += 1;
            }
        }
    }
    let mut values = Vec::with_capacity(n * n);
    for (sum, count) in sums.iter().zip(&counts) {
        if *count == 0 {
            return Ok(None);
        }
        values.push((sum / f64::from(*count)) as f32);
    }
    SimilarityMatrix::new(n, values, &|i| names[i].to_string()).map(Some)
}

/// The mean error of what was not chosen, predicted from what was.
type Predict<'a> = dyn Fn(&[usize], Predictor) -> Result<f64, SelectionError> + 'a;

/// The choice and random ones, of each size and by each predictor.
fn trials(
    similarity: &SimilarityMatrix,
    options: &EvaluationOptions,
    number: u64,
    predict: &Predict<'_>,
) -> Result<Vec<Trial>, SelectionError> {
    let n = similarity.n();
    let mut trials = Vec::new();
    for k in &options.ks {
        let problem = Problem {
            similarity,
            features: None,
            objective: options.objective,
            given: &[],
            required: &[],
            excluded: &[],
            limits: Limits {
                k: *k,
                budget: None,
            },
            method: Method::Lazy,
            n_random: 0,
            seed: options.seed,
        };
        let chosen: Vec<usize> = problem.solve()?.steps.iter().map(|s| s.candidate).collect();
        let drawn: Vec<Vec<usize>> = (0..options.n_random as u64)
            .map(|i| {
                let index = (3 << 32) + (number << 16) + i;
                let mut order: Vec<usize> = (0..n).collect();
                shuffle(
                    &mut generator(options.seed, Purpose::RandomChoice, index),
                    &mut order,
                );
                order.truncate(*k);
                order
            })
            .collect();
        for predictor in [Predictor::Nearest, Predictor::Ridge] {
            trials.push(Trial {
                k: *k,
                predictor,
                chosen: predict(&chosen, predictor)?,
                random: (drawn.iter().map(|d| predict(d, predictor))).collect::<Result<_, _>>()?,
            });
        }
    }
    Ok(trials)
}

/// A weight for each of the chosen, and a constant.
type Weights = (Vec<f64>, f64);

fn weights(
    seen: &Array2<f32>,
    b: usize,
    chosen: &[usize],
    predictor: Predictor,
    similarity: &SimilarityMatrix,
) -> Weights {
    match predictor {
        Predictor::Nearest => {
            let near: Vec<f32> = chosen.iter().map(|c| similarity.get(b, *c)).collect();
            nearest(&near)
        }
        Predictor::Ridge => ridge(seen, b, chosen),
    }
}

fn nearest(similarities: &[f32]) -> Weights {
    let mut best = 0;
    for (i, s) in similarities.iter().enumerate() {
        if *s > similarities[best] {
            best = i;
        }
    }
    let one = |i: usize| f64::from(u8::from(i == best));
    ((0..similarities.len()).map(one).collect(), 0.0)
}

/// Ridge regression of a row on others, with a constant that is not shrunk; the penalty is a
/// hundredth of the predictors' mean variance. Where there is nothing to learn from: their mean.
fn ridge(rows: &Array2<f32>, target: usize, predictors: &[usize]) -> Weights {
    let n = rows.ncols();
    let k = predictors.len();
    if n == 0 {
        return (vec![1.0 / k as f64; k], 0.0);
    }
    let mean = |r: usize| rows.row(r).iter().map(|v| f64::from(*v)).sum::<f64>() / n as f64;
    let means: Vec<f64> = predictors.iter().map(|p| mean(*p)).collect();
    let own = mean(target);
    let covariance = |a: usize, mean_a: f64, b: usize, mean_b: f64| -> f64 {
        let pairs = rows.row(a).into_iter().zip(rows.row(b));
        pairs
            .map(|(x, y)| (f64::from(*x) - mean_a) * (f64::from(*y) - mean_b))
            .sum()
    };
    let mut matrix = Array2::<f64>::zeros((k, k));
    let mut weights = vec![0.0; k];
    let known = || predictors.iter().zip(&means).enumerate();
    for (i, (a, mean_a)) in known() {
        weights[i] = covariance(*a, *mean_a, target, own);
        for (j, (b, mean_b)) in known().take(i + 1) {
            matrix[[i, j]] = covariance(*a, *mean_a, *b, *mean_b);
            matrix[[j, i]] = matrix[[i, j]];
        }
    }
    let penalty = 0.01 * (matrix.diag().sum() / k as f64).max(1e-9);
    for i in 0..k {
        matrix[[i, i]] += penalty;
    }
    let mut matrix = matrix.into_raw_vec_and_offset().0;
    solve_positive_definite(&mut matrix, &mut weights);
    let constant = own - weights.iter().zip(&means).map(|(w, m)| w * m).sum::<f64>();
    (weights, constant)
}

/// The mean squared error of a row predicted from others.
fn error(
    scored: &Array2<f32>,
    observed: ArrayView1<'_, f32>,
    chosen: &[usize],
    (weights, constant): &Weights,
) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0u32);
    for (column, observed) in observed.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
        let parts = chosen.iter().zip(weights);
        let predicted: f64 = parts
            .map(|(c, w)| w * f64::from(scored[[*c, column]]))
            .sum();
        sum += (f64::from(*observed) - predicted - constant).powi(2);
        n += 1;
    }
    (n > 0).then(|| sum / f64::from(n))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Means and standard errors over trials.
fn summed(options: &EvaluationOptions, trials: &[Trial]) -> Vec<EvaluationRow> {
    let mut rows = Vec::new();
    for k in &options.ks {
        for predictor in [Predictor::Nearest, Predictor::Ridge] {
            let of: Vec<&Trial> = (trials
                .iter()
                .filter(|t| t.k == *k && t.predictor == predictor))
            .collect();
            if of.is_empty() {
                continue;
            }
            let differences: Vec<f64> = of.iter().map(|t| t.chosen - mean(&t.random)).collect();
            let difference = mean(&differences);
            let n = of.len();
            let squares = differences
                .iter()
                .map(|d| (d - difference).powi(2))
                .sum::<f64>();
            let better = |t: &&Trial| t.random.iter().filter(|r| **r < t.chosen).count();
            rows.push(EvaluationRow {
                k: *k,
                predictor,
                n,
                chosen: mean(&of.iter().map(|t| t.chosen).collect::<Vec<_>>()),
                random: mean(&of.iter().map(|t| mean(&t.random)).collect::<Vec<_>>()),
                difference,
                standard_error: (n > 1).then(|| (squares / (n * (n - 1)) as f64).sqrt()),
                random_better: of.iter().map(better).sum::<usize>() as f64
                    / (n * options.n_random.max(1)) as f64,
            });
        }
    }
    rows
}

#[cfg(test)]
mod tests;
