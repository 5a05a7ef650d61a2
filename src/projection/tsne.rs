//! t-SNE by bhtsne (FFT interpolation, Linderman et al. 2019), from exact neighbours.
//!
//! The library sums over threads and draws its first places from the system's randomness. Here it runs on
//! one thread and begins at the principal components, so that the same points give the same picture.

use bhtsne::{Neighbor, tSNE};
use ndarray::{Array2, ArrayView2};

use super::{Neighbours, ProjectionError};

/// What t-SNE depends on beside the points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TsneOptions {
    /// How many neighbours a point has, about.
    pub perplexity: f64,
    /// Steps.
    pub n_epochs: usize,
}

/// Lays points out in the plane, from `first` (`[n_points, 2]`, shrunk to a speck as scikit-learn
/// does) on. `neighbours` are some three times the perplexity.
///
/// # Errors
/// When there are too few points, or the library fails.
pub fn tsne(
    neighbours: &Neighbours,
    first: ArrayView2<'_, f32>,
    options: &TsneOptions,
) -> Result<Array2<f32>, ProjectionError> {
    let failed = |why: String| ProjectionError::Method {
        method: "t-SNE",
        why,
    };
    let n = first.nrows();
    // What the library would end the process over.
    if neighbours.k() == 0
        || options.perplexity < 1.0
        || (n as f64) < 3.0 * options.perplexity + 1.0
    {
        return Err(failed(format!(
            "{n} points are too few for a perplexity of {}",
            options.perplexity
        )));
    }
    let rows: Vec<Vec<Neighbor<f32>>> = (0..n)
        .map(|i| {
            (neighbours.indices(i).iter())
                .zip(neighbours.distances(i))
                .map(|(j, d)| Neighbor {
                    index: *j as usize,
                    distance: *d,
                })
                .collect()
        })
        .collect();
    let mean = first.column(0).iter().map(|v| f64::from(*v)).sum::<f64>() / n.max(1) as f64;
    let square = |v: &f32| (f64::from(*v) - mean).powi(2);
    let deviation = (first.column(0).iter().map(square).sum::<f64>() / n.max(1) as f64).sqrt();
    let scale = if deviation > 0.0 {
        1e-4 / deviation
    } else {
        0.0
    };
    let begin: Vec<f32> = first
        .iter()
        .map(|v| (f64::from(*v) * scale) as f32)
        .collect();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .map_err(|e| failed(e.to_string()))?;
    let flat = pool.install(|| {
        let places: Vec<usize> = (0..n).collect();
        let mut fit = tSNE::<f32, usize, 2>::new(&places);
        fit.perplexity(options.perplexity as f32)
            .epochs(options.n_epochs)
            .initial_embedding(begin)
            .fit_sne_with_neighbors(&rows);
        fit.embedding()
    });
    if flat.iter().any(|v| !v.is_finite()) {
        return Err(failed("places that are no numbers came out".into()));
    }
    Array2::from_shape_vec((n, 2), flat).map_err(|e| failed(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, fill_uniform, generator};

    #[test]
    fn clouds_stay_apart_and_the_picture_is_the_same_each_time() {
        let mut values = vec![0f32; 150 * 4];
        fill_uniform(&mut generator(3, Purpose::Projection, 9), 1.0, &mut values);
        for value in values.iter_mut().skip(75 * 4) {
            *value += 8.0;
        }
        let points = Array2::from_shape_vec((150, 4), values).unwrap();
        let first = super::super::pca(points.view(), 2)
            .scores
            .mapv(|v| v as f32);
        let options = TsneOptions {
            perplexity: 10.0,
            n_epochs: 300,
        };
        let neighbours = Neighbours::of(points.view(), 30);
        let places = tsne(&neighbours, first.view(), &options).unwrap();
        assert_eq!(tsne(&neighbours, first.view(), &options).unwrap(), places);
        let found = Neighbours::of(places.view(), 5);
        let strangers = (0..150)
            .flat_map(|i| found.indices(i).iter().map(move |j| (i, *j as usize)))
            .filter(|(i, j)| (*i < 75) != (*j < 75));
        assert_eq!(strangers.count(), 0);
    }
}
