//! Distances in which resolutions or assays count more, or less, than others.
//!
//! Weights are not negative. A weighted squared distance is still a sum over the resolutions of parts that are
//! not negative, so what the coarse parts add up to is a bound for everything below, and the search is
//! exact. An assay's weight multiplies the parts of its tracks. For a difference of factors Δ at a
//! resolution with the axes V these are the squares (VΔ)², so that their weighted sum is |LᵀΔ|², where
//! L Lᵀ = Vᵀ W V. The index does not change; L is applied to the differences from the query. Sketches bound
//! distances without weights and are not used.

use ndarray::Array2;

use super::SearchError;
use super::measure::{Embedding, Measure};
use super::terms::squared;
use super::track_axes::TrackAxes;
use super::view::{Metric, cholesky};
use crate::genome::Resolution;

/// How much resolutions and assays count in a squared distance. What is not named counts 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// Of resolutions.
    pub resolutions: Vec<(Resolution, f64)>,
    /// Of assays, by name.
    pub assays: Vec<(String, f64)>,
}

impl Weights {
    /// From pairs of a name and a weight: `5kbp`, `250bp` and `25bp` are resolutions, all others assays.
    ///
    /// # Errors
    /// When a weight is negative or not finite, or a name is given twice.
    pub fn new(pairs: &[(String, f64)]) -> Result<Self, SearchError> {
        let mut weights = Weights::default();
        for (i, (name, weight)) in pairs.iter().enumerate() {
            if !(*weight >= 0.0 && *weight <= 1e6) {
                return Err(SearchError::query(format!(
                    "the weight of {name} is {weight}; it must be between 0 and a million"
                )));
            }
            if pairs[..i].iter().any(|(other, _)| other == name) {
                return Err(SearchError::query(format!("{name} has two weights")));
            }
            match Resolution::from_name(name) {
                Some(resolution) => weights.resolutions.push((resolution, *weight)),
                None => weights.assays.push((name.clone(), *weight)),
            }
        }
        Ok(weights)
    }

    /// The pairs for [`Weights::new`] of words such as `5kbp=0.5` or `DNase-seq=2`.
    ///
    /// # Errors
    /// When a word is not a name, `=` and a number.
    pub fn pairs<T: AsRef<str>>(words: &[T]) -> Result<Vec<(String, f64)>, SearchError> {
        let pair = |word: &T| {
            let word = word.as_ref();
            let parsed = (word.rsplit_once('='))
                .and_then(|(name, weight)| Some((name.to_string(), weight.parse().ok()?)));
            parsed.ok_or_else(|| {
                SearchError::query(format!(
                    "`{word}` is no weight: write it as NAME=WEIGHT, such as 5kbp=2"
                ))
            })
        };
        words.iter().map(pair).collect()
    }

    /// Whether all count 1.
    pub fn is_empty(&self) -> bool {
        *self == Weights::default()
    }

    /// What a resolution counts.
    pub fn of_resolution(&self, resolution: Resolution) -> f64 {
        let found = self.resolutions.iter().find(|(r, _)| *r == resolution);
        found.map_or(1.0, |(_, weight)| *weight)
    }

    /// What an assay counts.
    pub fn of_assay(&self, assay: &str) -> f64 {
        let found = self.assays.iter().find(|(name, _)| name == assay);
        found.map_or(1.0, |(_, weight)| *weight)
    }
}

/// Weights as the search applies them, at each of [`Resolution::ALL`].
#[derive(Debug)]
pub(super) struct Weighting {
    resolutions: [Applied; 3],
}

#[derive(Debug)]
enum Applied {
    /// Multiplies the squared distance.
    Factor(f32),
    /// L by columns, `[factors, factors]`: the differences' products with its columns are squared.
    Columns(Vec<f32>),
}

impl Weighting {
    /// For a metric and the axes of factors, or why they have none; `None` where all count 1.
    ///
    /// # Errors
    /// When weights are not defined for the metric, an assay is unknown or the factors have no axes, or
    /// nothing counts.
    pub fn new(
        weights: &Weights,
        metric: Metric,
        axes: Result<&TrackAxes, SearchError>,
    ) -> Result<Option<Self>, SearchError> {
        if weights.is_empty() {
            return Ok(None);
        }
        if metric == Metric::Cosine {
            return Err(SearchError::query(
                "a cosine has no parts that could be weighted: use the metric euclidean",
            ));
        }
        let of_resolutions = Resolution::ALL.map(|r| weights.of_resolution(r));
        if of_resolutions.iter().all(|w| *w == 0.0) {
            return Err(SearchError::query("every resolution has the weight 0"));
        }
        if weights.assays.is_empty() {
            return Ok(Some(Weighting {
                resolutions: of_resolutions.map(|w| Applied::Factor(w as f32)),
            }));
        }
        if metric != Metric::Euclidean {
            return Err(SearchError::query(
                "assays have weights in the metric euclidean alone",
            ));
        }
        let axes = axes?;
        for (name, _) in &weights.assays {
            if !axes.tracks.iter().any(|t| t.assay == *name) {
                let mut known: Vec<&str> = axes.tracks.iter().map(|t| t.assay.as_str()).collect();
                known.sort_unstable();
                known.dedup();
                return Err(SearchError::query(format!(
                    "`{name}` is neither a resolution nor an assay of the model; those are 5kbp, 250bp, 25bp, {}",
                    known.join(", ")
                )));
            }
        }
        // Tracks that are read as one are of one assay.
        let assays = axes.members.iter().flat_map(|members| members.first());
        let of_inputs: Vec<f64> = assays
            .map(|track| weights.of_assay(&axes.tracks[*track].assay))
            .collect();
        if of_inputs.iter().all(|w| *w == 0.0) {
            return Err(SearchError::query("every assay has the weight 0"));
        }
        let resolutions = Resolution::ALL.map(|resolution| {
            let axes = axes.axes(resolution);
            let n = axes.len() / (2 * of_inputs.len()).max(1);
            let of_resolution = of_resolutions[resolution.index()];
            let weighted = Array2::from_shape_fn((n, 2 * of_inputs.len()), |(factor, i)| {
                let weight = of_resolution * of_inputs[i % of_inputs.len()];
                (f64::from(axes[i * n + factor]) * weight.sqrt()) as f32
            });
            let lower = cholesky(weighted.view());
            Applied::Columns(lower.t().iter().map(|v| *v as f32).collect())
        });
        Ok(Some(Weighting { resolutions }))
    }

    /// The distance between two embeddings, finest resolution first.
    pub fn between(&self, arch: pulp::Arch, query: &Embedding, place: &[f32]) -> f64 {
        let measure = Weighted {
            arch,
            query,
            weighting: self,
        };
        let mut left = place;
        let [fine, middle, coarse] = Resolution::ALL.map(|resolution| {
            let (part, rest) = left.split_at(query.parts[resolution.index()].len());
            left = rest;
            let mut sum = [0f32];
            measure.terms(resolution, part, &mut sum);
            sum[0]
        });
        f64::from((coarse + middle) + fine).sqrt()
    }
}

/// The weighted squared Euclidean distance.
pub(super) struct Weighted<'a> {
    pub arch: pulp::Arch,
    pub query: &'a Embedding,
    pub weighting: &'a Weighting,
}

impl Measure for Weighted<'_> {
    type Term = f32;

    fn terms(&self, scale: Resolution, values: &[f32], out: &mut [f32]) {
        let query = &self.query.parts[scale.index()];
        match &self.weighting.resolutions[scale.index()] {
            Applied::Factor(weight) => {
                squared(self.arch, values, query, out);
                out.iter_mut().for_each(|sum| *sum *= weight);
            }
            Applied::Columns(columns) => along_columns(values, query, columns, out),
        }
    }

    fn coarse_bound(&self, _: usize, sum: f32) -> f32 {
        sum
    }

    fn middle_bound(&self, _: u64, sum: f32) -> f32 {
        sum
    }

    fn distance(&self, sum: f32) -> f32 {
        sum
    }
}

/// Σⱼ (Σᵢ (qᵢ − xᵢ) Lᵢⱼ)² of each row of a transposed group; L is lower triangular.
fn along_columns(values: &[f32], query: &[f32], columns: &[f32], out: &mut [f32]) {
    let rows = out.len().max(1);
    let mut differences = values.to_vec();
    for (column, q) in differences.chunks_exact_mut(rows).zip(query) {
        column.iter_mut().for_each(|x| *x = q - *x);
    }
    out.fill(0.0);
    let mut along = vec![0f32; rows];
    for (j, column) in columns.chunks_exact(query.len().max(1)).enumerate() {
        along.fill(0.0);
        let below = column.iter().zip(differences.chunks_exact(rows)).skip(j);
        for (l, differences) in below {
            for (sum, difference) in along.iter_mut().zip(differences) {
                *sum += difference * l;
            }
        }
        for (sum, along) in out.iter_mut().zip(&along) {
            *sum += along * along;
        }
    }
}
