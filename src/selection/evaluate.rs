//! Is a choice any good? The rest is predicted from what was chosen, beside random choices of the same
//! size, and beside other ways to choose.
//!
//! The choice never sees what is scored: of expression one half of the genes is chosen by and the
//! other scored; of a compendium an assay is scored, and the choice is made by the others, at other
//! blocks of the genome, and by models that have not seen the assay.

mod choosers;
mod compendium;
mod moments;
mod summary;

use rayon::prelude::*;

pub use choosers::Chooser;
pub use compendium::evaluate_compendium;
pub use summary::{Evaluation, EvaluationRow, LeftOut, Repetition};

use super::request::KernelChoice;
use super::vectors::{Kernel, Vectors};
use super::{NamedProfiles, ObjectiveKind, SelectionError};
use crate::random::{Purpose, generator, shuffle};
use choosers::{Trial, choices};
use moments::{Moments, Weights, mean_error};
use persea_vocabulary::vocabulary;
use summary::summed;

vocabulary! {
    /// What items are compared by, by name.
    pub enum Compared {
        /// Factors of the model
        Factors = "factors",
        /// Imputed signal; with --for-assay of that assay only
        Imputed = "imputed",
        /// Measured tracks; with --for-assay without that assay
        Observed = "observed",
    }
}

/// How a choice is put to the proof.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationOptions {
    /// Sizes of choices.
    pub ks: Vec<usize>,
    /// What a good choice is.
    pub objective: ObjectiveKind,
    /// Of a compendium: what biosamples are compared by.
    pub compared: Vec<Compared>,
    /// How they are compared; each source's own way where there is none.
    pub kernels: Vec<KernelChoice>,
    /// Of a compendium: models, each for the assays of which it was trained on no track.
    pub models: Vec<String>,
    /// Of expression: how many times biosamples (two thirds) and genes (two halves) are drawn.
    pub replicates: usize,
    /// Random choices beside each.
    pub n_random: usize,
    /// Of a compendium: at how many bins.
    pub bins: u64,
    /// What chance derives from.
    pub seed: u64,
}

vocabulary! {
    /// How what was not chosen is predicted.
    pub enum Predictor {
        /// As its most similar chosen one
        Nearest = "nearest",
        /// As the mean of the chosen
        Mean = "mean",
        /// By ridge regression on the chosen
        Ridge = "ridge",
    }
}

/// How far an evaluation is: phase `phase` of `n_phases`, of which `done` of `total` steps are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluationProgress {
    /// What is being done.
    pub what: &'static str,
    /// From 1.
    pub phase: usize,
    /// See `phase`.
    pub n_phases: usize,
    /// Steps of the phase that are done.
    pub done: u64,
    /// Steps of the phase.
    pub total: u64,
}

/// Receives the progress, from any thread.
pub type Report<'a> = dyn Fn(EvaluationProgress) + Sync + 'a;

/// A kernel with its parameters as they are by default.
fn kernel(choice: KernelChoice) -> Kernel {
    match choice {
        KernelChoice::Cosine => Kernel::Cosine,
        KernelChoice::Rbf => Kernel::Rbf { gamma: None },
        KernelChoice::SquaredCorrelation => Kernel::SquaredCorrelation,
        KernelChoice::Correlation => Kernel::Correlation,
    }
}

/// Chooses biosamples by one half of the genes and predicts the others' other half.
///
/// # Errors
/// When there are too few biosamples or genes, or vectors that cannot be compared.
pub fn evaluate_expression(
    profiles: &NamedProfiles,
    options: &EvaluationOptions,
    report: &Report<'_>,
) -> Result<Evaluation, SelectionError> {
    let n = profiles.names.len();
    let n_drawn = 2 * n / 3;
    check(options, n_drawn)?;
    if profiles.width < 20 {
        return Err(SelectionError::question("20 genes at least are needed"));
    }
    let kernels = match options.kernels.as_slice() {
        [] => &[KernelChoice::SquaredCorrelation][..],
        given => given,
    };
    let of = |i: usize, genes: &[usize]| -> Vec<f32> {
        let row = &profiles.values[i * profiles.width..(i + 1) * profiles.width];
        genes.iter().map(|g| row[*g]).collect()
    };
    let total = options.replicates as u64;
    let done = std::sync::atomic::AtomicU64::new(0);
    let progress = |done: u64| {
        report(EvaluationProgress {
            what: "choosing and predicting",
            phase: 1,
            n_phases: 1,
            done,
            total,
        });
    };
    progress(0);
    let trials: Vec<Vec<Trial>> = (0..total)
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
            // What every prediction needs of the numbers is computed once.
            let everyone: Vec<usize> = (0..n_drawn).collect();
            let seen_moments = [Moments::new(n_drawn, &everyone, &seen)];
            let scored = Moments::new(n_drawn, &everyone, &scored);
            let mut trials = Vec::new();
            for choice in kernels {
                let similarity = Vectors::new(width, &seen, kernel(*choice), &name)?.matrix()?;
                let predict = |chosen: &[usize], predictor| {
                    mean_error(&scored, chosen, &|b| {
                        Weights::new(predictor, b, chosen, &similarity, &seen_moments)
                    })
                };
                let by = format!("expression, {choice}");
                let repetition = format!("draw {}", replicate + 1);
                let found = choices(&similarity, options, replicate, &predict)?;
                trials.extend(found.into_iter().map(|c| c.of(&by, &repetition)));
            }
            progress(1 + done.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            Ok(trials)
        })
        .collect::<Result<_, SelectionError>>()?;
    Ok(Evaluation {
        rows: summed(&trials.into_iter().flatten().collect::<Vec<_>>()),
        left_out: Vec::new(),
    })
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

#[cfg(test)]
mod tests;
