//! The index read along the genome: factors of consecutive rows, as they lie in the file or copied.
//!
//! Rows of 250 bp and 5 kbp lie row by row, so they can be lent from the memory map. Rows of 25 bp lie
//! transposed in groups of a 250 bp bin, and are copied.

use std::ops::Range;

use rayon::prelude::*;

use super::{SearchError, Searcher};
use crate::genome::Resolution;

/// Bins that a thread copies at once: whole 5 kbp rows, mostly.
const BINS_AT_ONCE: usize = 20_000;

/// Where a row is copied to: its first column, and numbers from one row to the next.
#[derive(Clone, Copy)]
struct Target {
    first: usize,
    stride: usize,
}

impl Searcher {
    /// How many factors a position has at each of [`Resolution::ALL`].
    pub fn widths(&self) -> [usize; 3] {
        Resolution::ALL.map(|scale| self.tables.factors[scale.index()].cols())
    }

    /// Rows of a scale, `[rows, factors]` row-major, lent from the index; `None` at 25 bp, where they do
    /// not lie row by row. Rows count over the model's axis, as
    /// [`GenomeAxis::row`](crate::genome::GenomeAxis::row) does.
    ///
    /// # Errors
    /// When the rows are beyond the axis, or the index is damaged.
    pub fn stored_rows(
        &self,
        scale: Resolution,
        rows: Range<u64>,
    ) -> Result<Option<&[f32]>, SearchError> {
        self.check_rows(scale, &rows)?;
        match scale {
            Resolution::Bp25 => Ok(None),
            Resolution::Bp250 => self.tables.middle_rows.group(rows).map(Some),
            Resolution::Kbp5 => self.tables.coarse_rows.group(rows).map(Some),
        }
    }

    /// Copies rows of a scale to `out`, `[rows, factors]` row-major.
    ///
    /// # Errors
    /// As [`Searcher::stored_rows`], and when `out` has another length.
    pub fn copy_factors(
        &self,
        scale: Resolution,
        rows: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), SearchError> {
        let cols = self.widths()[scale.index()];
        check_length(&rows, cols, out)?;
        if let Some(values) = self.stored_rows(scale, rows.clone())? {
            out.copy_from_slice(values);
            return Ok(());
        }
        let target = Target {
            first: 0,
            stride: cols,
        };
        self.in_chunks(rows, cols, out, |bins, out| {
            self.copy_fine(bins, out, target)
        })
    }

    /// Copies the embeddings of bins to `out`, `[bins, factors]` row-major: the factors at 25 bp, 250 bp
    /// and 5 kbp side by side.
    ///
    /// # Errors
    /// As [`Searcher::copy_factors`].
    pub fn copy_embeddings(&self, bins: Range<u64>, out: &mut [f32]) -> Result<(), SearchError> {
        let [fine, middle, coarse] = self.widths();
        let stride = fine + middle + coarse;
        check_length(&bins, stride, out)?;
        self.check_rows(Resolution::Bp25, &bins)?;
        self.in_chunks(bins, stride, out, |bins, out| {
            self.copy_fine(bins.clone(), out, Target { first: 0, stride })?;
            for row in self.layout.rows_of(&bins) {
                let of = &self.layout.rows()[row];
                let shared = (self.tables.coarse_rows).group(row as u64..row as u64 + 1)?;
                let middles = self.tables.middle_rows.group(of.rows_250bp())?;
                for (i, values) in middles.chunks_exact(middle.max(1)).enumerate() {
                    for bin in overlap(&of.bins_of_250bp(i), &bins) {
                        let at = (bin - bins.start) as usize * stride + fine;
                        out[at..at + middle].copy_from_slice(values);
                        out[at + middle..at + middle + coarse].copy_from_slice(shared);
                    }
                }
            }
            Ok(())
        })
    }

    /// The mean embedding of some bins: the factors at 25 bp, 250 bp and 5 kbp side by side.
    ///
    /// # Errors
    /// When there is no bin, one is beyond the axis, or the index is damaged.
    pub fn mean_embedding(&self, bins: &[Range<u64>]) -> Result<Vec<f32>, SearchError> {
        for range in bins {
            self.check_rows(Resolution::Bp25, range)?;
        }
        if bins.iter().all(Range::is_empty) {
            return Err(SearchError::query("there are no bins to average over"));
        }
        Ok(self.mean(bins)?.parts.concat())
    }

    fn check_rows(&self, scale: Resolution, rows: &Range<u64>) -> Result<(), SearchError> {
        let n = self.axis().n_rows(scale);
        match rows.start <= rows.end && rows.end <= n {
            true => Ok(()),
            false => Err(SearchError::query(format!(
                "rows {}..{} of {scale} are beyond the axis of {n} rows",
                rows.start, rows.end
            ))),
        }
    }

    /// Calls `copy` with parts of some bins and of `out`, in parallel.
    fn in_chunks(
        &self,
        bins: Range<u64>,
        stride: usize,
        out: &mut [f32],
        copy: impl Fn(Range<u64>, &mut [f32]) -> Result<(), SearchError> + Sync,
    ) -> Result<(), SearchError> {
        let one = |(i, part): (usize, &mut [f32])| {
            let start = bins.start + (i * BINS_AT_ONCE) as u64;
            copy(start..bins.end.min(start + BINS_AT_ONCE as u64), part)
        };
        match out.len() <= BINS_AT_ONCE * stride {
            true if out.is_empty() => Ok(()),
            true => one((0, out)),
            false => (out.par_chunks_mut(BINS_AT_ONCE * stride).enumerate()).try_for_each(one),
        }
    }

    /// Copies the 25 bp factors of bins.
    fn copy_fine(
        &self,
        bins: Range<u64>,
        out: &mut [f32],
        target: Target,
    ) -> Result<(), SearchError> {
        for row in self.layout.rows_of(&bins) {
            let of = &self.layout.rows()[row];
            for i in 0..usize::from(of.n_250bp) {
                let group = of.bins_of_250bp(i);
                let wanted = overlap(&group, &bins);
                if wanted.is_empty() {
                    continue;
                }
                let n = (group.end - group.start) as usize;
                let values = self.tables.factors[0].group(group.clone())?;
                for bin in wanted {
                    let lane = (bin - group.start) as usize;
                    let at = (bin - bins.start) as usize * target.stride + target.first;
                    for (to, column) in out[at..].iter_mut().zip(values.chunks_exact(n)) {
                        *to = column[lane];
                    }
                }
            }
        }
        Ok(())
    }
}

fn overlap(a: &Range<u64>, b: &Range<u64>) -> Range<u64> {
    a.start.max(b.start)..a.end.min(b.end)
}

fn check_length(rows: &Range<u64>, cols: usize, out: &[f32]) -> Result<(), SearchError> {
    let n = rows.end.saturating_sub(rows.start) as usize * cols;
    match out.len() == n {
        true => Ok(()),
        false => Err(SearchError::query(format!(
            "the output holds {} numbers where the rows have {n}",
            out.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TrainedModel;
    use crate::search::{Metric, example_database};

    #[test]
    fn rows_read_along_the_genome_are_the_models_own() {
        let (_folder, database) = example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let searcher = Searcher::open(&database, &model, Metric::Euclidean).unwrap();
        let factors = model.genome_factors(&database).unwrap();
        for scale in Resolution::ALL {
            let cols = searcher.widths()[scale.index()];
            let n = model.axis().n_rows(scale);
            let expected = factors.scales[scale.index()].as_slice().unwrap();
            for rows in [0..n, 1..n - 1, n / 3..n / 2, n..n] {
                let mut out = vec![f32::NAN; (rows.end - rows.start) as usize * cols];
                searcher
                    .copy_factors(scale, rows.clone(), &mut out)
                    .unwrap();
                let part = &expected[rows.start as usize * cols..rows.end as usize * cols];
                assert_eq!(out, part, "{scale} {rows:?}");
                let stored = searcher.stored_rows(scale, rows.clone()).unwrap();
                assert_eq!(stored, (scale != Resolution::Bp25).then_some(part));
            }
            let mut one = vec![0.0; cols];
            assert!(searcher.copy_factors(scale, n..n + 1, &mut one).is_err());
            assert!(searcher.copy_factors(scale, 0..2, &mut one).is_err());
        }
    }

    #[test]
    fn embeddings_of_a_range_are_those_of_its_bins_one_by_one() {
        let (_folder, database) = example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let searcher = Searcher::open(&database, &model, Metric::Euclidean).unwrap();
        let width: usize = searcher.widths().iter().sum();
        let bins = 3..model.axis().n_bins() - 5;
        let mut out = vec![f32::NAN; (bins.end - bins.start) as usize * width];
        searcher.copy_embeddings(bins.clone(), &mut out).unwrap();
        for (bin, row) in bins.clone().zip(out.chunks_exact(width)) {
            assert_eq!(row, searcher.embedding(bin).unwrap(), "bin {bin}");
        }
        // The mean of bins 3 and 4, which are rows 0 and 1.
        let mean = searcher
            .mean_embedding(std::slice::from_ref(&(3..5)))
            .unwrap();
        for (i, m) in mean.iter().enumerate() {
            let expected = (f64::from(out[i]) + f64::from(out[width + i])) / 2.0;
            assert!((f64::from(*m) - expected).abs() < 1e-6);
        }
        assert!(searcher.mean_embedding(&[]).is_err());
        assert!(
            searcher
                .mean_embedding(std::slice::from_ref(&(bins.end..bins.end + 9)))
                .is_err()
        );
    }
}
