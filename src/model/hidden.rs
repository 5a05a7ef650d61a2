//! The network's activations for a biosample: features that, unlike the genome factors, differ
//! between biosamples.

use ndarray::{Array1, Array2, Axis};

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
        let genome = self.forward().genome_part(&block);
        let network = self.network();
        let sizes = &self.config().sizes;
        let (n_biosample, n_assay) = (sizes.biosample_factors, sizes.assay_factors);
        let first = &network.hidden[0];
        let rows = |from: usize, n: usize| first.weight.slice(ndarray::s![from..from + n, ..]);
        let own: Array1<f32> =
            network.biosamples.row(biosample).dot(&rows(0, n_biosample)) + &first.bias;
        let assays = network.assays.dot(&rows(n_biosample, n_assay));
        let mut sum: Array2<f32> = Array2::zeros((n_bins, self.n_hidden()));
        for assay in assays.axis_iter(Axis(0)) {
            let mut now = &genome + &(&own + &assay);
            now.mapv_inplace(|v| v.max(0.0));
            for layer in &network.hidden[1..] {
                now = now.dot(&layer.weight) + &layer.bias;
                now.mapv_inplace(|v| v.max(0.0));
            }
            sum += &now;
        }
        let n_assays = assays.nrows().max(1) as f32;
        sum.mapv_inplace(|v| v / n_assays);
        Ok(sum)
    }
}
