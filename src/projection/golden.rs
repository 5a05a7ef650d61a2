//! Against scikit-learn and umap-learn: `scripts/golden_projection.py` says how.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::Deserialize;

use super::{Neighbours, fuzzy_graph, pca, quality};

#[derive(Deserialize)]
struct Golden {
    points: Vec<Vec<f32>>,
    picture: Vec<Vec<f32>>,
    trustworthiness: BTreeMap<usize, f64>,
    preserved: BTreeMap<usize, f64>,
    explained: Vec<f64>,
    scores: Vec<f64>,
    n_neighbours: usize,
    graph: Vec<(u32, u32, f64)>,
}

fn golden() -> Golden {
    let text = include_str!("../../fixtures/projection/points.json");
    serde_json::from_str(text).unwrap()
}

fn matrix(rows: &[Vec<f32>]) -> Array2<f32> {
    let flat = rows.iter().flatten().copied().collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), flat).unwrap()
}

#[test]
fn trustworthiness_is_that_of_scikit_learn() {
    let golden = golden();
    let (points, picture) = (matrix(&golden.points), matrix(&golden.picture));
    assert_eq!(golden.trustworthiness.len(), 4);
    for (k, expected) in &golden.trustworthiness {
        let found = quality(points.view(), picture.view(), *k);
        assert_eq!((found.k, found.n_scored), (*k, 60));
        assert!(
            (found.trustworthiness.unwrap() - expected).abs() < 1e-12,
            "{k}: {found:?}"
        );
        let preserved = golden.preserved[k];
        assert!(
            (found.preserved.unwrap() - preserved).abs() < 1e-12,
            "{k}: {found:?}"
        );
    }
    let perfect = quality(points.view(), points.view(), 10);
    assert_eq!(
        (perfect.trustworthiness, perfect.preserved),
        (Some(1.0), Some(1.0))
    );
    // Not above half of the points.
    assert_eq!(quality(points.view(), picture.view(), 50).k, 29);
}

#[test]
fn components_are_those_of_scikit_learn() {
    let golden = golden();
    let found = pca(matrix(&golden.points).view(), 2);
    for (share, expected) in found.explained.iter().zip(&golden.explained) {
        assert!((share - expected).abs() < 1e-9);
    }
    // Up to the sign, which is ours.
    let sign = (found.scores[[0, 0]] / golden.scores[0]).signum();
    for (score, expected) in found.scores.column(0).iter().zip(&golden.scores) {
        assert!((score - sign * expected).abs() < 1e-6);
    }
}

#[test]
fn the_fuzzy_graph_is_that_of_umap_learn() {
    let golden = golden();
    let points = matrix(&golden.points);
    let edges = fuzzy_graph(&Neighbours::of(points.view(), golden.n_neighbours - 1));
    assert_eq!(edges.len(), golden.graph.len());
    for ((i, j, w), (gi, gj, expected)) in edges.iter().zip(&golden.graph) {
        assert_eq!((i, j), (gi, gj));
        assert!(
            (f64::from(*w) - expected).abs() < 2e-4,
            "{i} {j}: {w}, {expected}"
        );
    }
}
