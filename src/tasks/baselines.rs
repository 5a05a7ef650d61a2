//! What stands in every table: what can be said without looking at signal or factors.

use std::sync::Arc;

use super::features::{
    Column, Computed, CpgIslands, Features, density, distance, promoter_frequency,
    promoters_to_count,
};
use super::learners::Parameters;
use super::rows::Rows;
use super::settings::FrequencyOf;
use super::{Learner, Target};
use crate::genome::Gene;

/// A baseline: a constant, or a few features and what learns from them.
pub(crate) struct Baseline {
    pub name: &'static str,
    /// `None`: a constant.
    pub features: Option<Computed>,
    pub learner: Option<Learner>,
    pub parameters: Option<Parameters>,
}

/// The baselines of a run: the prior or the mean; the mean label elsewhere; distance, and how many
/// pairs share the promoter; genes and CpG islands around.
pub(crate) fn baselines(
    rows: &Rows,
    genes: &[Gene],
    islands: Option<&CpgIslands>,
    learner: Learner,
    frequency_of: FrequencyOf,
) -> Vec<Baseline> {
    let mut all = vec![Baseline {
        name: match rows.target {
            Target::Classification => "prior",
            Target::Regression => "mean",
        },
        features: None,
        learner: None,
        parameters: None,
    }];
    if let Some(means) = &rows.elsewhere {
        let column = Column {
            name: "mean label elsewhere".into(),
            group: "mean label elsewhere".into(),
        };
        let features = Features {
            columns: vec![column],
            values: means.clone(),
            reduce_to: None,
            counted: None,
        };
        // One feature that rises with the label: a line or a logistic curve keeps its order.
        all.push(Baseline {
            name: "other biosamples",
            features: Some(computed(vec![features])),
            learner: Some(match rows.target {
                Target::Classification => Learner::Logistic,
                Target::Regression => Learner::Ridge,
            }),
            parameters: Some(Parameters::Penalised {
                penalty: 1e-4,
                l1_share: 0.0,
            }),
        });
    }
    let mut push = |name, parts: Option<Vec<Features>>| {
        if let Some(parts) = parts {
            let parts = parts
                .into_iter()
                .map(|p| by_row(&p, &rows.example))
                .collect();
            all.push(Baseline {
                name,
                features: Some(computed(parts)),
                learner: Some(learner),
                parameters: None,
            });
        }
    };
    let examples = &rows.examples;
    push("distance", distance(examples).map(|d| vec![d]));
    let frequency = match frequency_of {
        FrequencyOf::Training => promoters_to_count(examples),
        FrequencyOf::Task => promoter_frequency(examples, &rows.all, &rows.labelled),
    };
    let both = distance(examples).zip(frequency);
    push("distance+promoter frequency", both.map(|(d, f)| vec![d, f]));
    if !genes.is_empty() || islands.is_some() {
        let name = match islands {
            Some(_) => "CpG+genes",
            None => "genes",
        };
        push(name, density(examples, genes, islands).map(|d| vec![d]));
    }
    all
}

fn computed(parts: Vec<Features>) -> Computed {
    Computed {
        terms: parts.into_iter().map(Arc::new).collect(),
    }
}

/// Features of examples as features of rows.
pub(crate) fn by_row(features: &Features, example: &[usize]) -> Features {
    Features {
        columns: features.columns.clone(),
        values: example
            .iter()
            .flat_map(|e| features.row(*e))
            .copied()
            .collect(),
        reduce_to: features.reduce_to,
        counted: (features.counted.as_ref()).map(|keys| example.iter().map(|e| keys[*e]).collect()),
    }
}
