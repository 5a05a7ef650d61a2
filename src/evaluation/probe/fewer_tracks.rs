//! An encoder's factors where it reads fewer tracks: how many neighbours stay, and whether the factors give
//! away which tracks were there.
//!
//! A track that is left out counts as one without data, as in training. The factors are computed block by
//! block and not stored.

use ndarray::{Array1, Array2, Axis};

use super::super::EvaluationError;
use super::blocks::{BLOCK_ROWS, Block, blocks};
use super::queries::Queries;
use super::source::{Embedding, Source};
use super::sums::FOLDS;
use crate::compendium::TracksOnAxis;
use crate::genome::{GenomeAxis, Resolution};
use crate::imputation::tracks_read;
use crate::linear::solve_columns;
use crate::model::{Encoder, Stretch, Surroundings, TrainedModel};
use crate::random::{Purpose, generator, shuffle};
use crate::store::{Database, Track, TrackRole};

/// The penalty of the regression that recognises a half, on standardised factors.
const RIDGE: f64 = 1e-3;

/// What an encoder reads.
pub(super) struct EncoderInput<'a> {
    axis: &'a GenomeAxis,
    encoder: &'a Encoder,
    tracks: Vec<Track>,
    values: TracksOnAxis,
}

impl<'a> EncoderInput<'a> {
    /// Opens the tracks of a model's encoder.
    ///
    /// # Errors
    /// When the model has no encoder, or one of its tracks is not stored as it was in training.
    pub fn open(database: &Database, model: &'a TrainedModel) -> crate::Result<Self> {
        let Some(encoder) = model.encoder() else {
            let model = model.record().name.clone();
            return Err(EvaluationError::NoEncoder { model }.into());
        };
        let is_read = |role| matches!(role, TrackRole::Train | TrackRole::Validate);
        let tracks = tracks_read(database, model, is_read)?;
        Ok(EncoderInput {
            axis: model.axis(),
            encoder,
            values: TracksOnAxis::open(database, model.axis(), &tracks)?,
            tracks,
        })
    }

    /// The biosamples with tracks, in the order of their names. Empty if there is one alone, since nothing
    /// would be left without it.
    pub fn biosamples(&self) -> Vec<String> {
        let mut names: Vec<String> = self.tracks.iter().map(|t| t.biosample.clone()).collect();
        names.sort_unstable();
        names.dedup();
        match names.len() {
            1 => Vec::new(),
            _ => names,
        }
    }

    /// The factors without a biosample's tracks.
    pub fn without(&'a self, biosample: &str) -> Embedding<'a> {
        let weight = |t: &Track| f32::from(u8::from(t.biosample != biosample));
        let mask: Vec<f32> = self.tracks.iter().map(weight).collect();
        Embedding {
            width: self.width(),
            read: Box::new(move |block, out| self.read(block, &mask, out)),
        }
    }

    fn width(&self) -> usize {
        Resolution::ALL
            .map(|r| self.encoder.factors(r))
            .iter()
            .sum()
    }

    /// A block's factors, `[bins, width]`, of the tracks whose weight is 1.
    fn read(&self, block: &Block, mask: &[f32], out: &mut [f32]) -> crate::Result<()> {
        let region = &self.axis.regions()[block.region];
        let stretch = Stretch {
            region: block.region,
            region_bins: region.first_bin..region.end_bin(),
            axis_start: self.axis.region_bins(block.region).start,
            bins: block.first_bin..block.first_bin + block.n_bins() as u64,
        };
        let read = |track: usize, bins, out: &mut [f32]| match mask[track] > 0.0 {
            true => self.values.read(track, bins, out),
            false => {
                out.fill(f32::NAN);
                Ok(())
            }
        };
        let tracks = self.encoder.read_tracks();
        let surroundings = Surroundings::describe(&stretch, &stretch.region_bins, tracks, read)?;
        let codes = self.encoder.encode(&surroundings);
        let width = self.width();
        let mut first = 0;
        for resolution in Resolution::ALL {
            let (codes, n) = (&codes[resolution.index()], self.encoder.factors(resolution));
            let rows = block.rows(resolution);
            for (row, bins) in rows.into_iter().enumerate() {
                for bin in bins {
                    let to = bin * width + first;
                    out[to..to + n].copy_from_slice(&codes[row * n..(row + 1) * n]);
                }
            }
            first += n;
        }
        Ok(())
    }

    /// How often a linear classifier tells from a bin's factors which half of the tracks was read: the share
    /// of right answers, .5 by chance. Halves are drawn from `seed`; bins are the random queries, each
    /// encoded from either half; the classifier (ridge regression on standardised factors) learns in four
    /// fifths of the regions and answers in the other. `None` if there are fewer than two tracks or regions.
    ///
    /// # Errors
    /// When signal cannot be read.
    pub fn halves_recognised(
        &self,
        source: &Source<'_>,
        n_queries: usize,
        seed: u64,
    ) -> crate::Result<Option<f64>> {
        let n_tracks = self.tracks.len();
        let mut order: Vec<usize> = (0..n_tracks).collect();
        shuffle(&mut generator(seed, Purpose::Probe, 2), &mut order);
        let mut halves = [vec![0f32; n_tracks], vec![0f32; n_tracks]];
        for (place, track) in order.into_iter().enumerate() {
            halves[place % 2][track] = 1.0;
        }
        let blocks = blocks(self.axis, BLOCK_ROWS);
        let queries = Queries::draw(&blocks, source.masked, None, n_queries, seed).bins;
        let width = self.width();
        // Two rows a query: read from the first half of the tracks, from the second.
        let mut rows = Array2::<f64>::zeros((2 * queries.len(), width));
        let mut folds = vec![0; queries.len()];
        let mut values = Vec::new();
        for block in &blocks {
            let here = queries.partition_point(|q| *q < block.bins.start)
                ..queries.partition_point(|q| *q < block.bins.end);
            if here.is_empty() {
                continue;
            }
            values.resize(block.n_bins() * width, 0.0);
            for (half, mask) in halves.iter().enumerate() {
                self.read(block, mask, &mut values)?;
                for query in here.clone() {
                    let bin = (queries[query] - block.bins.start) as usize;
                    folds[query] = block.region % FOLDS;
                    let vector = &values[bin * width..(bin + 1) * width];
                    let mut row = rows.row_mut(2 * query + half);
                    row.iter_mut()
                        .zip(vector)
                        .for_each(|(to, v)| *to = f64::from(*v));
                }
            }
        }
        match n_tracks {
            0 | 1 => Ok(None),
            _ => Ok(recognised(&rows, &folds)),
        }
    }
}

/// The share of rows whose place in their pair (even or odd) a ridge regression tells, each fold of pairs by
/// the others; `None` where there is one fold.
fn recognised(rows: &Array2<f64>, folds: &[usize]) -> Option<f64> {
    let (mut right, mut of) = (0.0, 0.0);
    for tested in 0..FOLDS {
        let chosen = |is_tested: bool| -> Vec<usize> {
            let pairs = folds.iter().enumerate();
            pairs
                .filter(|(_, fold)| (**fold == tested) == is_tested)
                .flat_map(|(pair, _)| [2 * pair, 2 * pair + 1])
                .collect()
        };
        let (train, test) = (chosen(false), chosen(true));
        if train.is_empty() || test.is_empty() {
            continue;
        }
        let known = rows.select(Axis(0), &train);
        let mean = known.mean_axis(Axis(0))?;
        let deviation = known.std_axis(Axis(0), 0.0).mapv(|d| d + 1e-6);
        let standardised = |rows: Array2<f64>| (rows - &mean) / &deviation;
        let known = standardised(known);
        let labels: Array1<f64> = train.iter().map(|row| sign(*row)).collect();
        let n = train.len() as f64;
        let mut matrix = known.t().dot(&known) / n;
        matrix.diag_mut().mapv_inplace(|v| v + RIDGE);
        let crossed = (known.t().dot(&labels) / n).insert_axis(Axis(1));
        let weights = solve_columns(matrix, crossed)?;
        let answers = standardised(rows.select(Axis(0), &test)).dot(&weights.column(0));
        for (row, answer) in test.iter().zip(answers) {
            of += 1.0;
            right += match answer * sign(*row) {
                agreement if agreement > 0.0 => 1.0,
                agreement if agreement < 0.0 => 0.0,
                _ => 0.5,
            };
        }
    }
    (of > 0.0).then(|| right / of)
}

/// 1 for a pair's first row, −1 for its second.
fn sign(row: usize) -> f64 {
    1.0 - 2.0 * (row % 2) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compendium::example_compendium;
    use crate::factorization::{
        EncoderOptions, RefinementOptions, RunOptions, TrainOptions, Validate, fit,
    };

    #[test]
    fn without_no_track_the_factors_are_the_stored_ones_and_without_one_they_are_others() {
        let (_folder, database) = example_compendium().unwrap();
        let options = TrainOptions {
            validate: Validate::Nothing,
            hold: vec![("S1".into(), "H3K4me3".into())],
            passes: 1,
            encoder: Some(EncoderOptions {
                nodes: 8,
                decoder: 8,
                passes: 1,
                ..EncoderOptions::default()
            }),
            refinement: Some(RefinementOptions {
                members: 1,
                nodes: 8,
                passes: 1,
                ..RefinementOptions::default()
            }),
            ..TrainOptions::default()
        };
        fit(&database, &options, RunOptions::default(), false, &mut ()).unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let input = EncoderInput::open(&database, &model).unwrap();
        let names = input.biosamples();
        assert_eq!(names, ["S1", "S2", "S3", "S4"]);
        let stored = super::super::embedding(&database, &model);
        let (all, without) = (input.without("nobody"), input.without("S2"));
        assert_eq!(all.width, stored.width);
        for block in blocks(model.axis(), BLOCK_ROWS) {
            let factors = |of: &Embedding<'_>| {
                let mut values = vec![0f32; block.n_bins() * of.width];
                (of.read)(&block, &mut values).unwrap();
                values
            };
            let bits = |values: Vec<f32>| -> Vec<u32> {
                let mut rows: Vec<u32> = values.iter().map(|v| v.to_bits()).collect();
                rows.sort_unstable();
                rows
            };
            assert_eq!(bits(factors(&all)), bits(factors(&stored)));
            assert_ne!(bits(factors(&without)), bits(factors(&stored)));
        }
    }

    #[test]
    fn halves_that_differ_in_one_factor_are_recognised_and_equal_ones_are_not() {
        let folds: Vec<usize> = (0..50).map(|pair| pair % FOLDS).collect();
        let value = |row: usize, column: usize| ((row / 2 * 7 + column * 5) % 11) as f64;
        let equal = Array2::from_shape_fn((100, 3), |(row, column)| value(row, column));
        assert_eq!(recognised(&equal, &folds), Some(0.5));
        let shifted = Array2::from_shape_fn((100, 3), |(row, column)| {
            let shift = 30.0 * sign(row) * f64::from(u8::from(column == 1));
            value(row, column) + shift
        });
        assert_eq!(recognised(&shifted, &folds), Some(1.0));
        assert_eq!(recognised(&shifted, &[0; 50]), None);
    }
}
