//! The network's activations for a biosample: features that, unlike the genome factors, differ
//! between biosamples.

use ndarray::Array2;

use super::TrainedModel;
use crate::store::Database;

impl TrainedModel {
    /// How many activations a position has: the units of the last hidden layer.
    pub fn n_hidden(&self) -> usize {
        self.config().sizes.nodes
    }

    /// The activations of the last hidden layer at consecutive bins of one region, for a biosample
    /// (its place in the model): the mean over all of the model's assays, `[n_bins, n_hidden]`.
    ///
    /// # Errors
    /// When a blob is damaged.
    pub fn hidden(
        &self,
        database: &Database,
        region: usize,
        first_bin: u64,
        n_bins: usize,
        biosample: usize,
    ) -> crate::Result<Array2<f32>> {
        let block = self.block(database, region, first_bin, n_bins)?;
        let mut sum: Array2<f32> = Array2::zeros((n_bins, self.n_hidden()));
        let n_assays = self.network().assays.nrows();
        if let Some(sum) = sum.as_slice_mut() {
            for assay in 0..n_assays {
                let forward = self.forward();
                (forward.add_hidden(&block, (biosample, assay), sum))
                    .map_err(crate::Error::from)?;
            }
        }
        sum.mapv_inplace(|v| v / n_assays.max(1) as f32);
        Ok(sum)
    }
}
