//! Settings of trained baselines, chosen on training tracks.
//!
//! Some training tracks are imputed from the others, each with every setting, and the setting with the
//! least mean squared error is taken: one for all targets. These tracks are drawn by the rule by which
//! training draws its validation tracks. The tracks that are scored are not among the training tracks, and
//! no other is read. Regressions are learnt at some bins and compared at others.

use rayon::prelude::*;
use serde::Serialize;

use super::design::Design;
use super::regression::Regression;
use super::{LearnedBaseline, LearnedSettings, Learning, Sample, keep_known};
use crate::evaluation::EvaluationError;
use crate::factorization::draw_held_out;

/// Training tracks that settings are compared on at most.
const MOST: usize = 8;

/// Settings and the error that they had on the tracks that they were compared on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriedSettings {
    /// The settings.
    pub settings: LearnedSettings,
    /// Mean over tracks of the mean squared error (arcsinh); missing where nothing was compared.
    pub mse: Option<f64>,
}

/// Which settings a trained baseline was given, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LearnedChoice {
    /// The baseline.
    pub baseline: &'static str,
    /// The settings; none where a baseline has none to choose.
    pub chosen: Option<TriedSettings>,
    /// All that were compared.
    pub tried: Vec<TriedSettings>,
    /// Training tracks that they were compared on, as `BIOSAMPLE:ASSAY`.
    pub compared_on: Vec<String>,
}

/// Chooses a baseline's settings.
///
/// # Errors
/// When signal cannot be read or a learner fails.
pub(in crate::evaluation) fn choose(
    which: LearnedBaseline,
    learning: &Learning<'_>,
) -> crate::Result<LearnedChoice> {
    let settings = which.settings();
    let mut choice = LearnedChoice {
        baseline: which.name(),
        chosen: None,
        tried: Vec::new(),
        compared_on: Vec::new(),
    };
    let Some(usual) = which.usual_settings() else {
        return Ok(choice);
    };
    let pairs: Vec<(String, String)> = (learning.training.iter())
        .map(|e| (e.biosample.clone(), e.assay.clone()))
        .collect();
    let mut sums = vec![0.0; settings.len()];
    for (biosample, assay) in draw_held_out(&pairs, 0).into_iter().take(MOST) {
        let found =
            (learning.training.iter()).position(|e| e.biosample == biosample && e.assay == assay);
        let Some(track) = found else { continue };
        if let Some(errors) = errors(track, &settings, learning)? {
            sums.iter_mut().zip(errors).for_each(|(s, e)| *s += e);
            choice.compared_on.push(format!("{biosample}:{assay}"));
        }
    }
    let n = choice.compared_on.len();
    if n == 0 {
        let settings = usual;
        choice.chosen = Some(TriedSettings {
            settings,
            mse: None,
        });
        return Ok(choice);
    }
    let tried = settings.iter().zip(&sums).map(|(s, sum)| TriedSettings {
        settings: *s,
        mse: Some(sum / n as f64),
    });
    choice.tried = tried.collect();
    let by_error = |a: &&TriedSettings, b: &&TriedSettings| match (a.mse, b.mse) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => std::cmp::Ordering::Equal,
    };
    choice.chosen = choice.tried.iter().min_by(by_error).cloned();
    Ok(choice)
}

/// The mean squared error of a training track, imputed from the others with each of some settings; `None`
/// where it cannot be.
fn errors(
    track: usize,
    settings: &[LearnedSettings],
    learning: &Learning<'_>,
) -> crate::Result<Option<Vec<f64>>> {
    let target = &learning.training[track];
    let Some(design) = learning.design(target)? else {
        return Ok(None);
    };
    let learnt_at = learning.sampled(Sample::Learn);
    let patches = learning.patches(&design.learnt_from(), &learnt_at)?;
    let fitted = (design.references.par_iter().enumerate())
        .map(|(i, reference)| {
            let mut inputs = patches.columns(&reference.learnt_from)?;
            let mut wanted = patches.at_bin(reference.track)?;
            keep_known(&mut inputs, &mut wanted);
            Regression::fit(settings, &inputs, &wanted, i as u64)
        })
        .collect::<Result<Vec<_>, EvaluationError>>()?;
    // Other bins than those that were learnt at.
    let asked_at = learning.sampled(Sample::Compare);
    let mut tracks = design.asked_of();
    tracks.insert(track);
    let patches = learning.patches(&tracks, &asked_at)?;
    let own = learning.scales[track];
    let observed = patches.at_bin(track)?;
    let n_known = observed.iter().filter(|o| !o.is_nan()).count();
    let expected = learning.expected(target);
    let columns = inputs_of(&design, &patches)?;
    let errors = (0..settings.len())
        .into_par_iter()
        .map(|setting| {
            let mut sums = vec![0.0; asked_at.len()];
            for (regressions, inputs) in fitted.iter().zip(&columns) {
                let predicted = regressions[setting].predict(inputs, asked_at.len());
                sums.iter_mut().zip(predicted).for_each(|(s, p)| *s += p);
            }
            let known = sums.iter().zip(&observed).filter(|(_, o)| !o.is_nan());
            let squares = known.map(|(sum, observed)| {
                let predicted = sum / fitted.len() as f64;
                let imputed = f64::from(expected.mean) + f64::from(expected.deviation) * predicted;
                let observed = f64::from(own.mean) + f64::from(own.deviation) * observed;
                (imputed - observed).powi(2)
            });
            squares.sum::<f64>() / n_known.max(1) as f64
        })
        .collect();
    Ok(Some(errors))
}

/// What each reference's regression is asked with.
fn inputs_of(
    design: &Design,
    patches: &super::design::Patches,
) -> Result<Vec<Vec<f64>>, crate::Bug> {
    let references = design.references.iter();
    references.map(|r| patches.columns(&r.asked_with)).collect()
}
