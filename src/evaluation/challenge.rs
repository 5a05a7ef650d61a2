//! The measures of the top bins as the ENCODE Imputation Challenge's scorer defines them.
//!
//! Its top 1 % is every bin at or above the ⌊0.01 n⌋-th highest value, ties included, whatever the
//! value; its top 5 % every bin at or above the value of rank 5 ⌊0.01 n⌋. Overlaps are counts of bins
//! (`match1`, `catch1obs`, `catch1imp`), not shares. Source: the scorer's published code,
//! ENCODE-DCC/imputation_challenge, `score.py` and `score_metrics.py`.

use crate::measures::{Ranks, TopBins, auroc_of_ranks, mse};

/// The Challenge's measures of the top bins; `None` where undefined.
pub(super) struct TopMeasures {
    pub mse1obs: Option<f64>,
    pub mse1imp: Option<f64>,
    pub match1: Option<f64>,
    pub catch1obs: Option<f64>,
    pub catch1imp: Option<f64>,
    pub aucobs1: Option<f64>,
    pub aucimp1: Option<f64>,
}

/// The measures of one imputation. `ranks` are those of the observed and of the imputed series.
pub(super) fn top_measures(
    observed: &[f32],
    imputed: &[f32],
    ranks: Option<(&Ranks, &Ranks)>,
) -> TopMeasures {
    // As Python's int(n * 0.01).
    let k = (observed.len() as f64 * 0.01) as usize;
    let top = |values: &[f32], k: usize| TopBins::new(values, k);
    let (obs1, imp1) = (top(observed, k), top(imputed, k));
    let (obs5, imp5) = (top(observed, 5 * k), top(imputed, 5 * k));
    let error = |ranked: &[f32], top: TopBins| {
        let reached: Vec<usize> = (0..ranked.len())
            .filter(|i| top.reaches(ranked[*i]))
            .collect();
        let of = |values: &[f32]| reached.iter().map(|i| values[*i]).collect::<Vec<f32>>();
        mse(&of(observed), &of(imputed))
    };
    let common = |obs: Option<TopBins>, imp: Option<TopBins>| {
        let (obs, imp) = obs.zip(imp)?;
        let both = |i: &usize| obs.reaches(observed[*i]) && imp.reaches(imputed[*i]);
        Some((0..observed.len()).filter(both).count() as f64)
    };
    TopMeasures {
        mse1obs: obs1.and_then(|top| error(observed, top)),
        mse1imp: imp1.and_then(|top| error(imputed, top)),
        match1: common(obs1, imp1),
        catch1obs: common(obs1, imp5),
        catch1imp: common(obs5, imp1),
        aucobs1: obs1.zip(ranks).and_then(|(top, (_, of_imputed))| {
            auroc_of_ranks(of_imputed, |bin| top.reaches(observed[bin]))
        }),
        aucimp1: imp1.zip(ranks).and_then(|(top, (of_observed, _))| {
            auroc_of_ranks(of_observed, |bin| top.reaches(imputed[bin]))
        }),
    }
}
