//! UMAP (McInnes, Healy and Melville 2018), the same for a seed on any number of threads.
//!
//! The graph is umap-learn's, from exact neighbours. The layout is its stochastic gradient descent on
//! one thread, begun at the principal components. The crate umap-rs (0.4) was not used: it draws
//! from the system's randomness and lets threads race, so that no seed repeats a picture, and its gradients
//! have d^(2b+2) where the method has d^(2b).

use ndarray::{Array2, ArrayView2};

use super::Neighbours;
use crate::random::{Purpose, below, generator};

/// What a layout depends on beside the graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UmapOptions {
    /// How near points may come to each other in the picture.
    pub min_dist: f64,
    /// Epochs; 500 (200 above 10,000 points) when not given.
    pub n_epochs: Option<usize>,
    /// What chance derives from.
    pub seed: u64,
}

/// Pairs that repel for each that attracts.
const NEGATIVE_SAMPLES: f64 = 5.0;
/// No step is longer.
const CLIP: f32 = 4.0;

/// An edge of the graph: from, to, weight in (0, 1].
pub type Edge = (u32, u32, f32);

/// The fuzzy union of all neighbourhoods: both directions of every edge, by point and neighbour.
/// As in umap-learn, a point counts as the first of its own `k + 1` neighbours.
pub fn fuzzy_graph(neighbours: &Neighbours) -> Vec<Edge> {
    let n = neighbours.n_points();
    let all: f64 = (0..n)
        .flat_map(|i| neighbours.distances(i))
        .map(|d| f64::from(*d))
        .sum();
    let mean_of_all = all / (n * (neighbours.k() + 1)).max(1) as f64;
    let mut memberships: Vec<Vec<(u32, f64)>> = Vec::with_capacity(n);
    for i in 0..n {
        let distances = neighbours.distances(i);
        let (rho, sigma) = smooth_distance(distances, mean_of_all);
        let member = |d: f32| {
            let beyond = f64::from(d) - rho;
            if beyond <= 0.0 || sigma == 0.0 {
                1.0
            } else {
                (-beyond / sigma).exp()
            }
        };
        let mut row: Vec<(u32, f64)> = (neighbours.indices(i).iter())
            .zip(distances)
            .map(|(j, d)| (*j, member(*d)))
            .collect();
        row.sort_unstable_by_key(|(j, _)| *j);
        memberships.push(row);
    }
    let of = |i: u32, j: u32| {
        let row = &memberships[i as usize];
        let found = row.binary_search_by_key(&j, |(other, _)| *other);
        found.map_or(0.0, |place| row[place].1)
    };
    let mut edges = Vec::new();
    for (i, row) in memberships.iter().enumerate() {
        let i = i as u32;
        for (j, a) in row {
            let b = of(*j, i);
            let weight = (a + b - a * b) as f32;
            edges.push((i, *j, weight));
            // The other direction, which its own row would not give.
            if b == 0.0 {
                edges.push((*j, i, weight));
            }
        }
    }
    edges.retain(|(_, _, w)| *w > 0.0);
    edges.sort_unstable_by_key(|(i, j, _)| (*i, *j));
    edges.dedup_by_key(|(i, j, _)| (*i, *j));
    edges
}

/// The distance to the nearest point that is not the same, and the width by which memberships sum to
/// log2(k + 1).
fn smooth_distance(distances: &[f32], mean_of_all: f64) -> (f64, f64) {
    let target = ((distances.len() + 1) as f64).log2();
    let rho = distances.iter().copied().find(|d| *d > 0.0);
    let rho = rho.map_or(0.0, f64::from);
    let (mut low, mut high, mut sigma) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..64 {
        let sum: f64 = distances
            .iter()
            .map(|d| f64::from(*d) - rho)
            .map(|d| if d > 0.0 { (-d / sigma).exp() } else { 1.0 })
            .sum();
        if (sum - target).abs() < 1e-5 {
            break;
        }
        if sum > target {
            high = sigma;
            sigma = (low + high) / 2.0;
        } else {
            low = sigma;
            sigma = if high.is_infinite() {
                2.0 * sigma
            } else {
                (low + high) / 2.0
            };
        }
    }
    let own: f64 = distances.iter().map(|d| f64::from(*d)).sum();
    let mean = match rho > 0.0 {
        true => own / (distances.len() + 1) as f64,
        false => mean_of_all,
    };
    (rho, sigma.max(1e-3 * mean))
}

/// `a` and `b` of 1 / (1 + a d^2b), the least-squares fit to 1 below `min_dist` and
/// exp(−(d − min_dist)) beyond, at 300 distances up to 3 (Gauss–Newton).
fn curve(min_dist: f64) -> (f64, f64) {
    let points: Vec<(f64, f64)> = (0..300)
        .map(|i| {
            let d = 3.0 * f64::from(i) / 299.0;
            (
                d,
                if d < min_dist {
                    1.0
                } else {
                    (min_dist - d).exp()
                },
            )
        })
        .collect();
    let error = |a: f64, b: f64| -> f64 {
        let miss = |(d, y): &(f64, f64)| 1.0 / (1.0 + a * d.powf(2.0 * b)) - y;
        points.iter().map(|p| miss(p).powi(2)).sum()
    };
    let (mut a, mut b) = (1.0, 1.0);
    let mut damping = 1e-3;
    for _ in 0..200 {
        let (mut aa, mut ab, mut bb, mut ga, mut gb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (d, y) in points.iter().skip(1) {
            let power = d.powf(2.0 * b);
            let value = 1.0 / (1.0 + a * power);
            let by_a = -power * value * value;
            let by_b = -2.0 * a * power * d.ln() * value * value;
            aa += by_a * by_a;
            ab += by_a * by_b;
            bb += by_b * by_b;
            ga += by_a * (value - y);
            gb += by_b * (value - y);
        }
        let (da, db) = (aa * (1.0 + damping), bb * (1.0 + damping));
        let determinant = da * db - ab * ab;
        let step_a = (db * ga - ab * gb) / determinant;
        let step_b = (da * gb - ab * ga) / determinant;
        let next = ((a - step_a).max(1e-3), (b - step_b).max(1e-3));
        if error(next.0, next.1) <= error(a, b) {
            let moved = (next.0 - a).abs() + (next.1 - b).abs();
            (a, b) = next;
            damping = (damping / 10.0).max(1e-12);
            if moved < 1e-12 {
                break;
            }
        } else {
            damping *= 10.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    (a, b)
}

/// Lays a graph out in the plane, from `first` (`[n_points, 2]`) on.
pub fn layout(edges: &[Edge], first: ArrayView2<'_, f32>, options: &UmapOptions) -> Array2<f32> {
    let n = first.nrows();
    let n_epochs = options
        .n_epochs
        .unwrap_or(if n <= 10_000 { 500 } else { 200 })
        .max(1);
    let (a, b) = curve(options.min_dist);
    let (a, b) = (a as f32, b as f32);
    let mut places = spread_out(first, options.seed);
    let strongest = edges.iter().map(|e| e.2).fold(0f32, f32::max);
    // An edge that would be drawn less than once is not drawn at all.
    let drawn: Vec<Edge> = (edges.iter().copied())
        .filter(|e| e.2 >= strongest / n_epochs as f32)
        .collect();
    let every: Vec<f64> = drawn.iter().map(|e| f64::from(strongest / e.2)).collect();
    let mut next = every.clone();
    let mut next_negative: Vec<f64> = every.iter().map(|e| e / NEGATIVE_SAMPLES).collect();
    for epoch in 0..n_epochs {
        let now = epoch as f64;
        let alpha = 1.0 - epoch as f32 / n_epochs as f32;
        let mut rng = generator(options.seed, Purpose::Projection, 1 + epoch as u64);
        for (e, (i, j, _)) in drawn.iter().enumerate() {
            if next[e] > now {
                continue;
            }
            let (i, j) = (*i as usize, *j as usize);
            let (d, square) = difference(&places, i, j);
            if square > 0.0 {
                let power = square.powf(b);
                let pull = -2.0 * a * b * power / square / (1.0 + a * power);
                for (axis, d) in d.into_iter().enumerate() {
                    let step = alpha * (pull * d).clamp(-CLIP, CLIP);
                    places[i][axis] += step;
                    places[j][axis] -= step;
                }
            }
            next[e] += every[e];
            let every_negative = every[e] / NEGATIVE_SAMPLES;
            let n_negative = ((now - next_negative[e]) / every_negative).max(0.0) as usize;
            for _ in 0..n_negative {
                let other = below(&mut rng, n as u32) as usize;
                let (d, square) = difference(&places, i, other);
                if other == i || square <= 0.0 {
                    continue;
                }
                let push = 2.0 * b / ((0.001 + square) * (1.0 + a * square.powf(b)));
                for (axis, d) in d.into_iter().enumerate() {
                    places[i][axis] += alpha * (push * d).clamp(-CLIP, CLIP);
                }
            }
            next_negative[e] += n_negative as f64 * every_negative;
        }
    }
    let flat = places.into_iter().flatten().collect();
    Array2::from_shape_vec((n, 2), flat).unwrap_or_else(|_| first.to_owned())
}

fn difference(places: &[[f32; 2]], i: usize, j: usize) -> ([f32; 2], f32) {
    let d = [places[i][0] - places[j][0], places[i][1] - places[j][1]];
    (d, d[0] * d[0] + d[1] * d[1])
}

/// The first places, each axis brought to 0 to 10, with a little noise that parts equal points.
fn spread_out(first: ArrayView2<'_, f32>, seed: u64) -> Vec<[f32; 2]> {
    let mut noise = vec![0f32; 2 * first.nrows()];
    let mut rng = generator(seed, Purpose::Projection, 0);
    crate::random::fill_uniform(&mut rng, 1e-3, &mut noise);
    let scaled = |axis: usize| {
        let column = first.column(axis);
        let low = column.iter().copied().fold(f32::INFINITY, f32::min);
        let high = column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let scale = if high > low { 10.0 / (high - low) } else { 0.0 };
        move |value: f32| (value - low) * scale
    };
    let (x, y) = (scaled(0), scaled(1));
    (first.rows().into_iter())
        .zip(noise.chunks_exact(2))
        .map(|(row, noise)| [x(row[0]) + noise[0], y(row[1]) + noise[1]])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// umap-learn's `find_ab_params(1.0, 0.1)` and `(1.0, 0.5)`.
    #[test]
    fn the_curve_is_that_of_umap_learn() {
        for (min_dist, a, b) in [(0.1, 1.576_943, 0.895_061), (0.5, 0.583_030, 1.334_167)] {
            let found = curve(min_dist);
            assert!(
                (found.0 - a).abs() < 1e-4 && (found.1 - b).abs() < 1e-4,
                "{found:?}"
            );
        }
    }

    /// Two clouds of points that have nothing to do with each other stay apart, whatever the number of
    /// threads.
    #[test]
    fn clouds_stay_apart_and_a_seed_gives_one_picture() {
        let mut values = vec![0f32; 120 * 4];
        crate::random::fill_uniform(&mut generator(3, Purpose::Projection, 9), 1.0, &mut values);
        for value in values.iter_mut().skip(60 * 4) {
            *value += 8.0;
        }
        let points = Array2::from_shape_vec((120, 4), values).unwrap();
        let edges = fuzzy_graph(&Neighbours::of(points.view(), 9));
        assert!(
            edges
                .iter()
                .all(|(i, j, w)| (*i < 60) == (*j < 60) && *w <= 1.0)
        );
        // Both directions of every edge, with one weight.
        for (i, j, w) in &edges {
            assert!(edges.contains(&(*j, *i, *w)));
        }
        let first = super::super::pca(points.view(), 2)
            .scores
            .mapv(|v| v as f32);
        let options = UmapOptions {
            min_dist: 0.1,
            n_epochs: Some(100),
            seed: 5,
        };
        let places = layout(&edges, first.view(), &options);
        assert_eq!(layout(&edges, first.view(), &options), places);
        let other = UmapOptions { seed: 6, ..options };
        assert_ne!(layout(&edges, first.view(), &other), places);
        let found = Neighbours::of(places.view(), 5);
        let strangers = (0..120)
            .flat_map(|i| found.indices(i).iter().map(move |j| (i, *j as usize)))
            .filter(|(i, j)| (*i < 60) != (*j < 60));
        assert_eq!(strangers.count(), 0);
    }

    #[test]
    fn equal_points_neither_vanish_nor_become_infinite() {
        let points = Array2::from_elem((12, 3), 1.0f32);
        let edges = fuzzy_graph(&Neighbours::of(points.view(), 4));
        let first = Array2::zeros((12, 2));
        let options = UmapOptions {
            min_dist: 0.1,
            n_epochs: Some(20),
            seed: 0,
        };
        let places = layout(&edges, first.view(), &options);
        assert!(places.iter().all(|v| v.is_finite()));
    }
}
