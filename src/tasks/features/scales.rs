//! Signal at the embedding's scales: means over the rows that a bin lies in.
//!
//! A window's embedding is pooled from the 250 bp and 5 kbp rows that its bins lie in, and those
//! rows have seen signal on either side of the window. Signal gets the same reach here, so that a
//! comparison of the two is one of representations and not of windows.

use std::ops::Range;

use crate::genome::{GenomeAxis, Resolution};

/// Bins of a region widened to whole 5 kbp rows, as far as the region reaches.
pub(super) struct Widened {
    /// The widened bins, on the axis.
    pub bins: Range<u64>,
    /// The chromosome bin of the first.
    first_on_chrom: u64,
    /// How many bins were put before those asked for.
    before: usize,
}

impl Widened {
    /// Bins of one region, widened.
    pub(super) fn new(axis: &GenomeAxis, bins: Range<u64>) -> Self {
        let at = axis.locate(bins.start);
        let region = axis.region_bins(at.region);
        let row = Resolution::Kbp5.bins();
        let before = (at.chrom_bin % row).min(bins.start - region.start);
        let last = at.chrom_bin + (bins.end - bins.start);
        let after = (last.div_ceil(row) * row - last).min(region.end - bins.end);
        Widened {
            bins: bins.start - before..bins.end + after,
            first_on_chrom: at.chrom_bin - before,
            before: before as usize,
        }
    }

    pub(super) fn n_bins(&self) -> usize {
        (self.bins.end - self.bins.start) as usize
    }

    /// Fills `out`, one number for each bin asked for, with the mean of the row of a scale that the
    /// bin lies in. Bins without data do not count; a row without any is NaN.
    pub(super) fn row_means(&self, scale: Resolution, values: &[f32], out: &mut [f32]) {
        let row = scale.bins();
        let asked = self.before..self.before + out.len();
        let mut first = 0;
        while first < values.len() {
            let on_chrom = self.first_on_chrom + first as u64;
            let end = first + (row - on_chrom % row) as usize;
            let end = end.min(values.len());
            let (from, to) = (first.max(asked.start), end.min(asked.end));
            if from < to {
                let known = values[first..end].iter().filter(|v| !v.is_nan());
                let (sum, n) = known.fold((0.0, 0.0), |(s, n), v| (s + f64::from(*v), n + 1.0));
                out[from - self.before..to - self.before].fill((sum / n) as f32);
            }
            first = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Region};

    #[test]
    fn rows_are_the_models_and_end_where_a_region_does() {
        let region = |first_bin, n_bins| Region {
            name: None,
            chrom: "chr21".into(),
            first_bin,
            n_bins,
        };
        let assembly = Assembly::by_name("hg19").unwrap();
        // Chromosome bins 195 to 494 are the axis' 0 to 299.
        let axis = GenomeAxis::new(assembly, vec![region(195, 300), region(900, 50)]).unwrap();
        let value = |bin: u64| (bin * bin % 97) as f32;
        let bins = 8..210;
        let widened = Widened::new(&axis, bins.clone());
        // The 5 kbp rows from chromosome bins 200 and 400, the second cut by the region's end.
        assert_eq!(widened.bins, 5..300);
        let values: Vec<f32> = widened.bins.clone().map(value).collect();
        for scale in Resolution::ALL {
            let mut out = vec![0f32; 202];
            widened.row_means(scale, &values, &mut out);
            for (bin, got) in bins.clone().zip(&out) {
                let of = |b: &u64| axis.row(scale, 0, b + 195);
                let row: Vec<f32> = (0..300).filter(|b| of(b) == of(&bin)).map(value).collect();
                let mean = row.iter().map(|v| f64::from(*v)).sum::<f64>() / row.len() as f64;
                assert!((f64::from(*got) - mean).abs() < 1e-4, "{scale} {bin}");
            }
        }
        // The region's own beginning is within a row too.
        assert_eq!(Widened::new(&axis, 0..3).bins, 0..5);
        assert_eq!(Widened::new(&axis, 320..330).bins, 300..350);
    }

    #[test]
    fn bins_without_data_do_not_count() {
        let region = Region {
            name: None,
            chrom: "chr21".into(),
            first_bin: 0,
            n_bins: 400,
        };
        let axis = GenomeAxis::new(Assembly::by_name("hg19").unwrap(), vec![region]).unwrap();
        let widened = Widened::new(&axis, 0..20);
        let mut values = vec![1.0f32; widened.n_bins()];
        values[0] = f32::NAN;
        values[1] = 10.0;
        values[10..20].fill(f32::NAN);
        let mut out = vec![0f32; 20];
        widened.row_means(Resolution::Bp250, &values, &mut out);
        assert!((out[0] - 2.0).abs() < 1e-6 && out[10].is_nan());
    }
}
