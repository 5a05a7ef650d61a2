//! A model's genome factors along a region.

use super::clipped;
use crate::genome::{BIN_BP, Interval, Resolution};
use crate::imputation::spans;
use crate::model::TrainedModel;
use crate::plot::{FactorFigure, FactorRows};
use crate::store::Database;
use persea_drawing::{grouped, spoken_region};

/// Largest number of columns that can be distinguished.
const MOST_COLUMNS: usize = 380;
/// Bins that are in memory at once.
const BLOCK_BINS: u64 = 4_000;

/// Genome factors along a region, at all three scales; of longer regions the means over columns.
///
/// # Errors
/// When the model does not cover the region, or factors are damaged.
pub fn factor_figure(
    database: &Database,
    model: &TrainedModel,
    region: &Interval,
) -> crate::Result<FactorFigure> {
    let axis = model.axis();
    let region = clipped(axis, region)?;
    let spans = spans(axis, std::slice::from_ref(&region))?;
    let first_bin = region.start / BIN_BP;
    let n_bins = (region.end.div_ceil(BIN_BP) - first_bin) as usize;
    let n_columns = n_bins.min(MOST_COLUMNS);
    let widths = model.genome_widths();
    let width: usize = widths.iter().sum();
    let mut sums = vec![0f64; n_columns * width];
    let mut counts = vec![0u32; n_columns];
    for span in spans {
        let region_of = axis.locate(span.start).region;
        let mut bin = axis.locate(span.start).chrom_bin;
        let end = bin + (span.end - span.start);
        while bin < end {
            let n = BLOCK_BINS.min(end - bin) as usize;
            let block = model.block(database, region_of, bin, n)?;
            let mut row = vec![0f32; width];
            for i in 0..n {
                block.embedding(i, &mut row);
                let column = ((bin - first_bin) as usize + i) * n_columns / n_bins;
                counts[column] += 1;
                let sums = &mut sums[column * width..(column + 1) * width];
                for (sum, value) in sums.iter_mut().zip(&row) {
                    *sum += f64::from(*value);
                }
            }
            bin += n as u64;
        }
    }
    let mut first = 0;
    let mut scales = Vec::new();
    for (scale, width_of) in Resolution::ALL.into_iter().zip(widths) {
        let rows = (first..first + width_of)
            .map(|factor| {
                let value = |column: usize| match counts[column] {
                    0 => f64::NAN,
                    n => sums[column * width + factor] / f64::from(n),
                };
                (0..n_columns).map(value).collect()
            })
            .collect();
        scales.push(FactorRows {
            scale: spaced(scale),
            rows,
        });
        first += width_of;
    }
    let mut notes = vec![format!("Model {}.", model.record().name)];
    if n_bins > n_columns {
        let bp = n_bins as f64 / n_columns as f64 * BIN_BP as f64;
        notes.push(format!(
            "A column is the mean over {} bp.",
            grouped(&format!("{bp:.0}"))
        ));
    }
    Ok(FactorFigure {
        title: format!("Genome factors, {}", spoken_region(&region)),
        assembly: axis.assembly().name().to_string(),
        genes: database.genes()?,
        scales,
        notes,
        region,
    })
}

/// As text is set: 25 bp.
fn spaced(scale: Resolution) -> String {
    match scale {
        Resolution::Bp25 => "25 bp".into(),
        Resolution::Bp250 => "250 bp".into(),
        Resolution::Kbp5 => "5 kbp".into(),
    }
}
