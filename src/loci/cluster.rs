//! Biosamples clustered by their profiles at a locus.

use kodama::{Method, linkage};

use super::LociError;

/// Fewer than this much silhouette in the mean, and no clusters stand out (Kaufman and Rousseeuw
/// 1990 call what is below it no substantial structure).
const LEAST_SILHOUETTE: f64 = 0.25;
/// Largest number of clusters to try.
const MOST_CLUSTERS: usize = 8;

/// Two branches that join.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Join {
    /// The branches: below n an item, from n on the join of that number less n.
    pub branches: [usize; 2],
    /// The mean distance between their items.
    pub height: f64,
}

/// A hierarchical clustering (average linkage) of n items.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// n − 1 joins, from near to far.
    pub joins: Vec<Join>,
    /// The items in the order in which the tree is drawn without crossings.
    pub order: Vec<usize>,
    /// Each item's cluster, numbered from 0 in the order of drawing.
    pub clusters: Vec<usize>,
    /// The mean silhouette of the clusters; `None` where there is one.
    pub silhouette: Option<f64>,
}

/// Clusters items by distances (`[n, n]`, symmetric); where two branches may be drawn either way, that
/// of the higher mean weight comes first. The tree is cut into as many clusters (2 to 8) as have the
/// highest mean silhouette, or into `wanted`.
pub(super) fn cluster(
    distances: &[f64],
    weights: &[f64],
    wanted: Option<usize>,
) -> Result<Tree, LociError> {
    let n = weights.len();
    if distances.iter().any(|d| !d.is_finite()) {
        return Err(LociError::Clustering(
            "a distance between two of them is not finite".into(),
        ));
    }
    if let Some(k) = wanted.filter(|k| *k == 0 || *k > n) {
        return Err(LociError::options(format!(
            "{k} clusters of {n} biosamples cannot be; ask for 1 to {n}"
        )));
    }
    let mut condensed: Vec<f64> = (0..n)
        .flat_map(|i| (i + 1..n).map(move |j| distances[i * n + j]))
        .collect();
    let joins: Vec<Join> = match n {
        0 | 1 => Vec::new(),
        _ => (linkage(&mut condensed, n, Method::Average).steps().iter())
            .map(|step| Join {
                branches: [step.cluster1, step.cluster2],
                height: step.dissimilarity,
            })
            .collect(),
    };
    let order = order(&joins, weights);
    let (clusters, silhouette) = match wanted {
        Some(k) => {
            let clusters = cut(&joins, &order, k);
            let silhouette = silhouette(distances, &clusters);
            (clusters, silhouette)
        }
        None => best_cut(distances, &joins, &order),
    };
    Ok(Tree {
        joins,
        order,
        clusters,
        silhouette,
    })
}

fn order(joins: &[Join], weights: &[f64]) -> Vec<usize> {
    let mut leaves: Vec<Vec<usize>> = (0..weights.len()).map(|i| vec![i]).collect();
    let mean = |of: &[usize]| of.iter().map(|i| weights[*i]).sum::<f64>() / of.len() as f64;
    for Join { branches, .. } in joins {
        let [a, b] = branches.map(|branch| std::mem::take(&mut leaves[branch]));
        let (mut first, second) = match mean(&a) >= mean(&b) {
            true => (a, b),
            false => (b, a),
        };
        first.extend(second);
        leaves.push(first);
    }
    // Without items there is no leaf, and no order.
    leaves.pop().unwrap_or_default()
}

/// The clusters that are left when the last k − 1 joins are undone.
fn cut(joins: &[Join], order: &[usize], k: usize) -> Vec<usize> {
    let n = order.len();
    let mut of: Vec<usize> = (0..n + joins.len()).collect();
    for (j, join) in joins.iter().enumerate().take(n.saturating_sub(k)) {
        for branch in join.branches {
            of[branch] = n + j;
        }
    }
    let root = |mut i: usize| {
        while of[i] != i {
            i = of[i];
        }
        i
    };
    let mut seen: Vec<usize> = Vec::new();
    let mut clusters = vec![0; n];
    for item in order {
        let root = root(*item);
        clusters[*item] = match seen.iter().position(|s| *s == root) {
            Some(place) => place,
            None => {
                seen.push(root);
                seen.len() - 1
            }
        };
    }
    clusters
}

fn best_cut(distances: &[f64], joins: &[Join], order: &[usize]) -> (Vec<usize>, Option<f64>) {
    let n = order.len();
    let mut best = (vec![0; n], None);
    for k in 2..=MOST_CLUSTERS.min(n.saturating_sub(1)) {
        let clusters = cut(joins, order, k);
        let silhouette = silhouette(distances, &clusters);
        let is_better = silhouette.is_some_and(|s| s >= LEAST_SILHOUETTE && Some(s) > best.1);
        if is_better {
            best = (clusters, silhouette);
        }
    }
    best
}

/// The mean silhouette (Rousseeuw 1987): of an item alone in its cluster it is 0. `None` for one
/// cluster, and where all distances are 0.
fn silhouette(distances: &[f64], clusters: &[usize]) -> Option<f64> {
    let n = clusters.len();
    let k = clusters.iter().max().map_or(0, |m| m + 1);
    if k < 2 || distances.iter().all(|d| *d == 0.0) {
        return None;
    }
    let mut total = 0.0;
    for i in 0..n {
        let mut sums = vec![(0.0, 0usize); k];
        for j in (0..n).filter(|j| *j != i) {
            sums[clusters[j]].0 += distances[i * n + j];
            sums[clusters[j]].1 += 1;
        }
        let (own, n_own) = sums[clusters[i]];
        if n_own == 0 {
            continue;
        }
        let own = own / n_own as f64;
        let others = sums.iter().enumerate().filter(|(c, _)| *c != clusters[i]);
        let nearest = others
            .map(|(_, (sum, n))| sum / *n as f64)
            .fold(f64::INFINITY, f64::min);
        let larger = own.max(nearest);
        if larger > 0.0 {
            total += (nearest - own) / larger;
        }
    }
    Some(total / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distances(points: &[f64]) -> Vec<f64> {
        let row = |a: &f64| points.iter().map(|b| (a - b).abs()).collect::<Vec<f64>>();
        points.iter().flat_map(row).collect()
    }

    #[test]
    fn two_groups_are_found_and_drawn_apart() {
        let points = [0.0, 5.0, 0.2, 5.3, 0.1];
        let tree = cluster(&distances(&points), &points, None).unwrap();
        assert_eq!(tree.clusters, [1, 0, 1, 0, 1]);
        assert_eq!(tree.order, [3, 1, 2, 4, 0]);
        assert!(tree.silhouette.unwrap() > 0.9);
        assert_eq!(tree.joins.len(), 4);
        // scipy.cluster.hierarchy.linkage(points, "average")[-1, 2]
        assert!((tree.joins[3].height - 5.05).abs() < 1e-12);
    }

    #[test]
    fn items_that_are_all_alike_are_one_cluster() {
        let tree = cluster(&[0.0; 16], &[1.0; 4], None).unwrap();
        assert_eq!((tree.clusters, tree.silhouette), (vec![0; 4], None));
        let one = cluster(&[0.0], &[1.0], None).unwrap();
        assert_eq!((one.order, one.joins.len()), (vec![0], 0));
    }

    #[test]
    fn as_many_clusters_as_are_asked_for() {
        let points = [0.0, 1.0, 3.0];
        let of = |k| {
            cluster(&distances(&points), &points, Some(k))
                .unwrap()
                .clusters
        };
        assert_eq!((of(1), of(2)), (vec![0, 0, 0], vec![1, 1, 0]));
        assert_eq!(of(3), [2, 1, 0]);
        let refusal = cluster(&distances(&points), &points, Some(4)).unwrap_err();
        assert!(refusal.to_string().contains("ask for 1 to 3"));
    }
}
