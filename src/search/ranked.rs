//! Hits ranked among random pairs of positions, and the index with its pairs.

use rayon::prelude::*;

use super::SearchError;
use super::index::{self, IndexFile};
use super::random_pairs::{CLOSE_PERCENTILE, PairsFile, RANDOM_PAIRS, RandomPairs, drawn_pairs};
use super::searcher::{Answer, Searcher};
use super::view::Metric;
use super::weights::{Weighting, Weights};
use crate::annotation::BinBits;
use crate::genome::Resolution;
use crate::model::TrainedModel;
use crate::store::Database;

/// Writes the flat files of a model for a metric and its random pairs, whatever there is; files of models
/// that are no more are removed. Searching writes them by itself where they are missing: this is for doing
/// so beforehand.
///
/// # Errors
/// When the model's factors are damaged, the database can only be read, another process is
/// writing the same, or the disk is full; what was there is then as it was.
pub fn write_index(
    database: &Database,
    model: &TrainedModel,
    metric: Metric,
) -> crate::Result<Vec<IndexFile>> {
    let mut files = index::write_index(database, model, metric)?;
    let file = PairsFile::new(database, model, metric)?;
    let pairs = Searcher::open(database, model, metric)?.draw_pairs(&file.masked, None)?;
    let _lock = database.lock_index(&model.record().name)?;
    file.write(&pairs)?;
    database.sync_index()?;
    files.push(IndexFile::of(file.path)?);
    Ok(files)
}

impl Searcher {
    /// The random pairs of the searcher's metric: as they were kept, or drawn now and kept where the database can be
    /// written.
    ///
    /// # Errors
    /// When the index is damaged.
    pub fn random_pairs(
        &self,
        database: &Database,
        model: &TrainedModel,
    ) -> crate::Result<&RandomPairs> {
        if let Some(pairs) = self.pairs.get() {
            return Ok(pairs);
        }
        let pairs = self.open_or_draw(database, model)?;
        Ok(self.pairs.get_or_init(|| pairs))
    }

    fn open_or_draw(
        &self,
        database: &Database,
        model: &TrainedModel,
    ) -> crate::Result<RandomPairs> {
        let file = PairsFile::new(database, model, self.metric())?;
        match file.open() {
            Ok(pairs) => return Ok(pairs),
            Err(SearchError::Damaged { path, why } | SearchError::Stale { path, why }) => {
                tracing::warn!("{}: {why}; the random pairs are drawn anew", path.display());
            }
            Err(e) if e.is_rebuildable() => {
                tracing::info!("drawing {RANDOM_PAIRS} random pairs of positions");
            }
            Err(e) => return Err(e.into()),
        }
        if database.is_read_only() {
            return Ok(self.draw_pairs(&file.masked, None)?);
        }
        match database.lock_index(&model.record().name) {
            Ok(_lock) => {
                let pairs = self.draw_pairs(&file.masked, None)?;
                let write = || -> crate::Result<()> {
                    file.write(&pairs)?;
                    Ok(database.sync_index()?)
                };
                match write() {
                    Err(e) if index::cannot_be_written(&e) => {
                        tracing::warn!("{e}; the random pairs are not kept");
                    }
                    written => written?,
                }
                Ok(pairs)
            }
            // Another process writes the index: these are drawn for this one alone.
            Err(e) => {
                tracing::debug!("the random pairs are not kept: {e}");
                Ok(self.draw_pairs(&file.masked, None)?)
            }
        }
    }

    /// Gives each hit of some answers its percentile, by the weights that they were asked with; with weights, the
    /// pairs are compared anew each time. Aligned windows have none: their distance is a sum
    /// over bins.
    ///
    /// # Errors
    /// As [`Searcher::random_pairs`].
    pub fn rank_among_random_pairs(
        &self,
        database: &Database,
        model: &TrainedModel,
        weights: &Weights,
        answers: &mut [Answer],
    ) -> crate::Result<()> {
        let weighted = match self.weighting(weights)? {
            Some(weighting) => {
                let file = PairsFile::new(database, model, self.metric())?;
                Some(self.draw_pairs(&file.masked, Some(&weighting))?)
            }
            None => None,
        };
        let pairs = match &weighted {
            Some(pairs) => pairs,
            None => self.random_pairs(database, model)?,
        };
        for answer in answers {
            for hit in &mut answer.hits {
                if hit.strand.is_none() {
                    hit.percentile = Some(pairs.percentile(hit.distance, answer.resolution));
                }
            }
        }
        Ok(())
    }

    /// The distances of the random pairs.
    fn draw_pairs(
        &self,
        masked: &BinBits,
        weighting: Option<&Weighting>,
    ) -> Result<RandomPairs, SearchError> {
        let pairs = drawn_pairs(self.axis(), masked);
        let mut distances: [Vec<f32>; 3] = Default::default();
        for resolution in Resolution::ALL {
            let between = |[a, b]: &[u64; 2]| {
                let (mut from, mut to) = (Vec::new(), Vec::new());
                self.row_embedding(resolution, *a, &mut from)?;
                self.row_embedding(resolution, *b, &mut to)?;
                Ok(self.between(&from, &to, weighting) as f32)
            };
            let found: Result<Vec<f32>, SearchError> = pairs.par_iter().map(between).collect();
            distances[resolution.index()] = found?;
        }
        Ok(RandomPairs::of(distances))
    }
}

impl Answer {
    /// Whether the best hit is nearer than 1 % of random pairs; `None` where there is no hit, or none has a
    /// percentile.
    pub fn has_close_match(&self) -> Option<bool> {
        let percentile = self.hits.first()?.percentile?;
        Some(percentile < CLOSE_PERCENTILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::example_database;

    #[test]
    fn distances_of_pairs_are_those_of_the_search() {
        let (_folder, database) = example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        for metric in Metric::ALL {
            let searcher = Searcher::open(&database, &model, metric).unwrap();
            for resolution in Resolution::ALL {
                let options = crate::search::SearchOptions {
                    k: 20,
                    exclude: None,
                    spread: None,
                    resolution: Some(resolution),
                    ..crate::search::SearchOptions::default()
                };
                let query = crate::search::Query::position("chr1", 40_000);
                let answer = searcher.search(&query, &options, None, &[]).unwrap();
                let own = searcher.embedding(answer.query_bins[0].start).unwrap();
                for hit in &answer.hits {
                    let mut row = Vec::new();
                    let first = hit.bins.start;
                    searcher.row_embedding(resolution, first, &mut row).unwrap();
                    let distance = searcher.between(&own, &row, None);
                    assert!(
                        (distance - hit.distance).abs() < 1e-6,
                        "{metric} {resolution}"
                    );
                    // Any bin of a row stands for it.
                    let mut again = Vec::new();
                    let last = hit.bins.end - 1;
                    searcher
                        .row_embedding(resolution, last, &mut again)
                        .unwrap();
                    assert_eq!(row, again);
                }
            }
        }
    }

    #[test]
    fn pairs_are_kept_and_the_same_from_the_file_and_drawn_anew() {
        let (_folder, database) = example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let open = || Searcher::open(&database, &model, Metric::Euclidean).unwrap();
        let first = open();
        let drawn = first.random_pairs(&database, &model).unwrap();
        let file = PairsFile::new(&database, &model, Metric::Euclidean).unwrap();
        assert_eq!(&file.open().unwrap(), drawn);
        std::fs::write(&file.path, "damaged").unwrap();
        assert_eq!(open().random_pairs(&database, &model).unwrap(), drawn);
        assert_eq!(&file.open().unwrap(), drawn);
        for resolution in Resolution::ALL {
            assert_eq!(drawn.percentile(0.0, resolution), 0.0);
            assert_eq!(drawn.percentile(1e9, resolution), 100.0);
        }
    }
}
