//! The genome factors of a stretch of bins.

use ndarray::Array2;

use super::ModelError;
use crate::genome::Resolution;
use crate::nn::frozen::NestedRows;

/// The genome factors of consecutive bins of one region.
#[derive(Debug, Clone, PartialEq)]
pub struct GenomeBlock {
    /// The chromosome bin of the first bin.
    pub first_bin: u64,
    /// How many bins.
    pub n_bins: usize,
    /// Factors at each scale, from the row that holds `first_bin` to the one that holds the last.
    pub scales: [Array2<f32>; 3],
}

impl GenomeBlock {
    /// The row of a scale's table that the `i`-th bin of the block uses.
    fn row(&self, scale: Resolution, i: usize) -> usize {
        let bins = scale.bins();
        ((self.first_bin + i as u64) / bins - self.first_bin / bins) as usize
    }

    /// The factors of the `i`-th bin at all scales side by side, finest first.
    pub fn embedding(&self, i: usize, out: &mut [f32]) {
        let factors = Resolution::ALL.into_iter().flat_map(|scale| {
            self.scales[scale.index()]
                .row(self.row(scale, i))
                .into_iter()
        });
        for (to, from) in out.iter_mut().zip(factors) {
            *to = *from;
        }
    }

    /// How many rows the block needs at a scale.
    pub fn n_rows(scale: Resolution, first_bin: u64, n_bins: usize) -> usize {
        if n_bins == 0 {
            return 0;
        }
        ((first_bin + n_bins as u64 - 1) / scale.bins() - first_bin / scale.bins() + 1) as usize
    }

    /// The same as rows of nested tables.
    ///
    /// # Errors
    /// When a table's rows do not stand one after another in memory.
    pub(super) fn rows(&self) -> Result<NestedRows<'_>, ModelError> {
        let mut tables = [&[] as &[f32]; 3];
        for (scale, table) in tables.iter_mut().zip(&self.scales) {
            *scale = table.as_slice().ok_or(ModelError::Strided)?;
        }
        Ok(NestedRows {
            first: self.first_bin,
            n: self.n_bins,
            shared_by: Resolution::ALL.map(Resolution::bins),
            tables,
        })
    }
}
