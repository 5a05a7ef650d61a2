//! Permutation importance by group: what a measure loses when one group of features (a scale, an
//! assay) is shuffled among the examples of the fold that is predicted.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::features::{Computed, Features};
use crate::random::{Purpose, generator, shuffle};

/// Shufflings of each group.
const REPEATS: u64 = 5;

/// The importance of one group of features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The group: `embedding 5kbp`, `signal H3K4me3`.
    pub group: String,
    /// How many features it has.
    pub n_features: usize,
    /// The measure without the shuffling less that with it, the mean of five shufflings.
    pub drop: Option<f64>,
    /// Their standard deviation.
    pub deviation: Option<f64>,
}

/// The groups of a feature set, with the number of columns of each, in the columns' order.
pub(crate) fn groups(features: &Computed) -> Vec<(String, usize)> {
    let mut groups: Vec<(String, usize)> = Vec::new();
    for column in features.terms.iter().flat_map(|t| &t.columns) {
        match groups.iter_mut().find(|(name, _)| *name == column.group) {
            Some((_, n)) => *n += 1,
            None => groups.push((column.group.clone(), 1)),
        }
    }
    groups
}

/// For each group, the features with the group's columns moved together from row to row.
pub(crate) fn permuted(
    features: &Computed,
    seed: u64,
    fold: usize,
) -> impl Iterator<Item = (String, Vec<Computed>)> + '_ {
    groups(features)
        .into_iter()
        .enumerate()
        .map(move |(g, (group, _))| {
            let variants = (0..REPEATS).map(|repeat| {
                let index = ((fold as u64) << 32) + ((g as u64) << 8) + repeat;
                let mut rng = generator(seed, Purpose::Permutation, index);
                let mut order: Vec<usize> = (0..features.n_rows()).collect();
                shuffle(&mut rng, &mut order);
                let of = |term: &Arc<Features>| moved(term, &group, &order);
                Computed {
                    terms: features.terms.iter().map(of).collect(),
                }
            });
            let variants = variants.collect();
            (group, variants)
        })
}

fn moved(term: &Arc<Features>, group: &str, order: &[usize]) -> Arc<Features> {
    let places: Vec<usize> = (0..term.columns.len())
        .filter(|c| term.columns[*c].group == group)
        .collect();
    if places.is_empty() {
        return Arc::clone(term);
    }
    let mut values = term.values.clone();
    for (row, from) in order.iter().enumerate() {
        for c in &places {
            values[row * term.columns.len() + c] = term.row(*from)[*c];
        }
    }
    Arc::new(Features {
        columns: term.columns.clone(),
        values,
        reduce_to: term.reduce_to,
        counted: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::features::Column;

    #[test]
    fn a_group_moves_together_and_the_rest_stays() {
        let column = |group: &str| Column {
            name: String::new(),
            group: group.into(),
        };
        let rows = 0..50u16;
        let values = rows.flat_map(|i| {
            let i = f32::from(i);
            [i, i + 100.0, i + 200.0]
        });
        let features = Computed {
            terms: vec![Arc::new(Features {
                columns: vec![column("a"), column("b"), column("a")],
                values: values.collect(),
                reduce_to: None,
                counted: None,
            })],
        };
        assert_eq!(
            groups(&features),
            [("a".to_string(), 2), ("b".to_string(), 1)]
        );
        let all: Vec<_> = permuted(&features, 1, 0).collect();
        assert_eq!((all[0].0.as_str(), all[0].1.len()), ("a", 5));
        let variant = &all[0].1[0].terms[0];
        let moved = (0..50).filter(|i| variant.row(*i)[0] != *i as f32).count();
        assert!(moved > 40);
        for i in 0..50 {
            let row = variant.row(i);
            assert_eq!(row[2], row[0] + 200.0);
            assert_eq!(row[1], i as f32 + 100.0);
        }
    }
}
