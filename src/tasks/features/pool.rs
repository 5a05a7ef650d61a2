//! Pooling channels over windows, each block of the genome read once.
//!
//! Memory: one block of all channels, and a few numbers for each window and channel. Nothing grows
//! with the genome, and a window may be as long as it likes. Bins without data (NaN) do not count; a statistic of a
//! window that has no others is NaN.

use persea_vocabulary::vocabulary;
use std::ops::Range;

use rayon::prelude::*;

use crate::genome::GenomeAxis;
use crate::tasks::TaskError;

vocabulary! {
    /// How the bins of a window become features.
    pub enum Pooling {
        /// The mean
        Mean = "mean",
        /// The maximum
        Max = "max",
        /// The quantiles 0.1, 0.5 and 0.9
        Quantiles = "quantiles",
        /// Every bin separately
        PerBin = "per-bin",
    }
}

/// Bins of a window that quantiles look at.
const SAMPLES: u64 = 128;
/// The chunks that tracks are stored in: blocks end where they do.
const CHUNK_BINS: u64 = 16_384;
/// Numbers of a block in memory.
const BLOCK_NUMBERS: usize = 16 << 20;
/// Bins whose maximum is taken once for all windows.
const MAX_BINS: usize = 64;

/// Fills `[n_channels, n_bins]`, channel by channel, with consecutive bins of one region.
pub(super) type ReadBlock<'a> = dyn FnMut(Range<u64>, &mut [f32]) -> crate::Result<()> + 'a;

/// One number a window, channel and statistic: `[n_windows, n_channels, n_statistics]`; NaN without data.
pub(super) struct Pooled {
    pub statistics: Vec<String>,
    pub values: Vec<f32>,
}

/// What has been gathered of one channel.
struct Channel {
    sums: Vec<f64>,
    /// Bins of each window that the sums lack.
    n_missing: Vec<u64>,
    maxima: Vec<f32>,
    samples: Vec<Vec<f32>>,
    quantiles: Vec<[f32; 3]>,
    bins: Vec<f32>,
}

/// Pools channels over windows (ranges of the axis within a region, none empty).
pub(super) fn pool(
    axis: &GenomeAxis,
    windows: &[Range<u64>],
    reversed: &[bool],
    n_channels: usize,
    poolings: &[Pooling],
    read: &mut ReadBlock<'_>,
) -> crate::Result<Pooled> {
    let has = |p: Pooling| poolings.contains(&p);
    let per_bin = match has(Pooling::PerBin) {
        true => same_length(windows)?,
        false => 0,
    };
    let n = windows.len();
    let size = |wanted: bool| if wanted { n } else { 0 };
    let mut channels: Vec<Channel> = (0..n_channels)
        .map(|_| Channel {
            sums: vec![0.0; size(has(Pooling::Mean))],
            n_missing: vec![0; size(has(Pooling::Mean))],
            maxima: vec![f32::NEG_INFINITY; size(has(Pooling::Max))],
            samples: vec![Vec::new(); size(has(Pooling::Quantiles))],
            quantiles: vec![[0.0; 3]; size(has(Pooling::Quantiles))],
            bins: vec![0.0; n * per_bin],
        })
        .collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|w| (windows[*w].start, windows[*w].end));
    let block_bins = (BLOCK_NUMBERS / n_channels.max(1)) as u64;
    let block_bins = if block_bins >= CHUNK_BINS {
        CHUNK_BINS
    } else {
        block_bins.max(256)
    };
    let mut next = 0;
    let mut active: Vec<usize> = Vec::new();
    let mut values = Vec::new();
    let mut at = 0;
    while next < n || !active.is_empty() {
        if active.is_empty() {
            // On to the next window; its chunk begins before it, though not in another region.
            let first = windows[order[next]].start;
            let region = axis.region_bins(axis.locate(first).region);
            at = (first / block_bins * block_bins).max(region.start);
        }
        let region = axis.region_bins(axis.locate(at).region);
        let block = at..((at / block_bins + 1) * block_bins).min(region.end);
        while next < n && windows[order[next]].start < block.end {
            active.push(order[next]);
            next += 1;
        }
        let n_bins = (block.end - block.start) as usize;
        values.resize(n_channels * n_bins, 0f32);
        read(block.clone(), &mut values)?;
        channels
            .par_iter_mut()
            .zip(values.par_chunks(n_bins))
            .for_each(|(channel, values)| {
                channel.gather(&block, values, windows, reversed, &active, per_bin);
            });
        active.retain(|w| windows[*w].end > block.end);
        at = block.end;
    }
    Ok(assemble(&channels, windows, poolings, per_bin))
}

fn same_length(windows: &[Range<u64>]) -> Result<usize, TaskError> {
    let length = |w: &Range<u64>| w.end - w.start;
    let first = windows.first().map_or(0, length);
    match windows.iter().find(|w| length(w) != first) {
        None if first <= 4_096 => Ok(first as usize),
        None => Err(TaskError::Settings(format!(
            "pooling per-bin of windows of {first} bins would be {first} features a channel; \
             choose mean, max or quantiles"
        ))),
        Some(other) => Err(TaskError::Settings(format!(
            "pooling per-bin needs windows of one length; here are {first} and {} bins",
            length(other)
        ))),
    }
}

impl Channel {
    fn gather(
        &mut self,
        block: &Range<u64>,
        values: &[f32],
        windows: &[Range<u64>],
        reversed: &[bool],
        active: &[usize],
        per_bin: usize,
    ) {
        let mut prefix = Vec::new();
        // How many bins without data come before each, where there are any.
        let mut missing_before = Vec::new();
        if !self.sums.is_empty() {
            prefix.reserve(values.len() + 1);
            let mut sum = 0.0;
            prefix.push(sum);
            for v in values {
                sum += if v.is_nan() { 0.0 } else { f64::from(*v) };
                prefix.push(sum);
            }
            if values.iter().any(|v| v.is_nan()) {
                let mut n = 0u64;
                missing_before.push(n);
                missing_before.extend(values.iter().map(|v| {
                    n += u64::from(v.is_nan());
                    n
                }));
            }
        }
        let largest = |values: &[f32]| values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let maxima: Vec<f32> = match self.maxima.is_empty() {
            true => Vec::new(),
            false => values.chunks(MAX_BINS).map(largest).collect(),
        };
        for w in active {
            let window = &windows[*w];
            let (start, end) = (window.start.max(block.start), window.end.min(block.end));
            if start >= end {
                continue;
            }
            let (a, b) = ((start - block.start) as usize, (end - block.start) as usize);
            if let Some(sum) = self.sums.get_mut(*w) {
                *sum += prefix[b] - prefix[a];
            }
            if let (Some(n), false) = (self.n_missing.get_mut(*w), missing_before.is_empty()) {
                *n += missing_before[b] - missing_before[a];
            }
            if let Some(max) = self.maxima.get_mut(*w) {
                let (whole_a, whole_b) = (a.div_ceil(MAX_BINS), b / MAX_BINS);
                *max = if whole_a < whole_b {
                    max.max(largest(&values[a..whole_a * MAX_BINS]))
                        .max(largest(&maxima[whole_a..whole_b]))
                        .max(largest(&values[whole_b * MAX_BINS..b]))
                } else {
                    max.max(largest(&values[a..b]))
                };
            }
            if per_bin > 0 {
                for bin in start..end {
                    let i = (bin - window.start) as usize;
                    let i = if reversed[*w] { per_bin - 1 - i } else { i };
                    self.bins[w * per_bin + i] = values[(bin - block.start) as usize];
                }
            }
            if let Some(samples) = self.samples.get_mut(*w) {
                let length = window.end - window.start;
                if length <= SAMPLES {
                    samples.extend_from_slice(&values[a..b]);
                } else {
                    let bins =
                        (0..SAMPLES).map(|i| window.start + (2 * i + 1) * length / (2 * SAMPLES));
                    let inside = bins.filter(|bin| (start..end).contains(bin));
                    samples.extend(inside.map(|bin| values[(bin - block.start) as usize]));
                }
                if window.end <= block.end {
                    let mut sorted = std::mem::take(samples);
                    sorted.retain(|v| !v.is_nan());
                    sorted.sort_by(f32::total_cmp);
                    self.quantiles[*w] = [0.1, 0.5, 0.9].map(|q| quantile(&sorted, q));
                }
            }
        }
    }
}

/// Linear between the two nearest ranks, as NumPy has it.
fn quantile(sorted: &[f32], q: f64) -> f32 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f32::NAN;
    };
    let at = q * last as f64;
    let (low, share) = (at.floor() as usize, at.fract());
    let high = (low + 1).min(last);
    (f64::from(sorted[low]) * (1.0 - share) + f64::from(sorted[high]) * share) as f32
}

fn assemble(
    channels: &[Channel],
    windows: &[Range<u64>],
    poolings: &[Pooling],
    per_bin: usize,
) -> Pooled {
    let mut statistics = Vec::new();
    for pooling in poolings {
        match pooling {
            Pooling::Mean => statistics.push("mean".to_string()),
            Pooling::Max => statistics.push("max".to_string()),
            Pooling::Quantiles => {
                statistics.extend(["q10", "q50", "q90"].map(str::to_string));
            }
            Pooling::PerBin => statistics.extend((0..per_bin).map(|i| format!("bin {i}"))),
        }
    }
    let mut values = Vec::with_capacity(windows.len() * channels.len() * statistics.len());
    for (w, window) in windows.iter().enumerate() {
        let length = window.end - window.start;
        for channel in channels {
            for pooling in poolings {
                match pooling {
                    // 0 / 0, of a window without data, is NaN.
                    Pooling::Mean => {
                        let n = length - channel.n_missing[w];
                        values.push((channel.sums[w] / n as f64) as f32);
                    }
                    // Of signal, which is finite, only a window without data has none.
                    Pooling::Max => values.push(match channel.maxima[w] {
                        f32::NEG_INFINITY => f32::NAN,
                        max => max,
                    }),
                    Pooling::Quantiles => values.extend(channel.quantiles[w]),
                    Pooling::PerBin => {
                        values.extend(&channel.bins[w * per_bin..(w + 1) * per_bin]);
                    }
                }
            }
        }
    }
    Pooled { statistics, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Region};
    use proptest::prelude::*;

    fn axis(sizes: &[u64]) -> GenomeAxis {
        let mut first_bin = 10;
        let regions = sizes.iter().map(|n| {
            let region = Region {
                name: None,
                chrom: "chr21".into(),
                first_bin,
                n_bins: *n,
            };
            first_bin += n + 7;
            region
        });
        let regions = regions.collect();
        GenomeAxis::new(Assembly::by_name("hg19").unwrap(), regions).unwrap()
    }

    fn value(channel: usize, bin: u64) -> f32 {
        ((bin * 2_654_435_761 + channel as u64 * 97) % 1_009) as f32 / 100.0
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn pooling_block_by_block_equals_pooling_at_once(
            spans in prop::collection::vec((0u64..60_000, 1u64..40_000), 1..30),
            n_channels in 1usize..4,
        ) {
            let axis = axis(&[20_000, 300, 40_000]);
            let windows: Vec<Range<u64>> = spans.iter().map(|(start, n)| {
                let region = axis.region_bins(axis.locate(*start).region);
                *start..(start + n).min(region.end)
            }).collect();
            let mut read_bins = std::collections::HashSet::new();
            let all = [Pooling::Mean, Pooling::Max, Pooling::Quantiles];
            let pooled = pool(&axis, &windows, &vec![false; windows.len()], n_channels, &all,
                &mut |bins, out| {
                    assert_eq!(axis.locate(bins.start).region, axis.locate(bins.end - 1).region);
                    for bin in bins.clone() {
                        assert!(read_bins.insert(bin), "bin {bin} is read twice");
                    }
                    let n = (bins.end - bins.start) as usize;
                    for (c, row) in out.chunks_mut(n).enumerate() {
                        for (v, bin) in row.iter_mut().zip(bins.clone()) {
                            *v = value(c, bin);
                        }
                    }
                    Ok(())
                }).unwrap();
            prop_assert_eq!(&pooled.statistics, &["mean", "max", "q10", "q50", "q90"]);
            for (w, window) in windows.iter().enumerate() {
                for c in 0..n_channels {
                    let got = &pooled.values[(w * n_channels + c) * 5..][..5];
                    let values: Vec<f32> = window.clone().map(|b| value(c, b)).collect();
                    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
                    prop_assert!((f64::from(got[0]) - mean).abs() < 1e-5);
                    let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    prop_assert_eq!(got[1], max);
                    if values.len() <= 128 {
                        let mut sorted = values;
                        sorted.sort_by(f32::total_cmp);
                        prop_assert_eq!(got[3], quantile(&sorted, 0.5));
                    } else {
                        prop_assert!(got[2] <= got[3] && got[3] <= got[4] && got[4] <= max);
                    }
                }
            }
        }
    }

    #[test]
    fn bins_without_data_do_not_count_and_windows_without_any_are_missing() {
        let axis = axis(&[400]);
        // Bins 10 to 19 have no data; the others their number.
        let mut read = |bins: Range<u64>, out: &mut [f32]| {
            for (v, bin) in out.iter_mut().zip(bins) {
                *v = if (10..20).contains(&bin) {
                    f32::NAN
                } else {
                    bin as f32
                };
            }
            Ok(())
        };
        let windows = [8..22, 11..15, 0..10, 5..300];
        let all = [Pooling::Mean, Pooling::Max, Pooling::Quantiles];
        let pooled = pool(&axis, &windows, &[false; 4], 1, &all, &mut read).unwrap();
        let rows: Vec<&[f32]> = pooled.values.chunks(5).collect();
        // 8, 9, 20 and 21.
        assert_eq!(rows[0][..2], [14.5, 21.0]);
        assert_eq!(rows[0][3], 14.5);
        assert!(rows[1].iter().all(|v| v.is_nan()), "{rows:?}");
        assert_eq!(rows[2][..2], [4.5, 9.0]);
        // 5 to 9 and 20 to 299: (35 + 44660) / 285.
        assert!((rows[3][0] - 44_695.0 / 285.0).abs() < 1e-4);
        let bins = pool(
            &axis,
            &windows[1..2],
            &[false],
            1,
            &[Pooling::PerBin],
            &mut read,
        )
        .unwrap();
        assert!(bins.values.iter().all(|v| v.is_nan()));
    }

    #[test]
    fn bins_by_themselves_are_turned_round_on_the_other_strand() {
        let axis = axis(&[100]);
        let windows = [10..13, 50..53];
        let mut read = |bins: Range<u64>, out: &mut [f32]| {
            for (v, bin) in out.iter_mut().zip(bins) {
                *v = bin as f32;
            }
            Ok(())
        };
        let pooled = pool(
            &axis,
            &windows,
            &[false, true],
            1,
            &[Pooling::PerBin],
            &mut read,
        );
        assert_eq!(pooled.unwrap().values, [10.0, 11.0, 12.0, 52.0, 51.0, 50.0]);
        let unequal = [10..13, 50..54];
        let refused = pool(
            &axis,
            &unequal,
            &[false; 2],
            1,
            &[Pooling::PerBin],
            &mut read,
        );
        assert!(refused.err().unwrap().to_string().contains("one length"));
    }

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([1, 2, 4, 8], [.1, .5, .9])
        let sorted = [1.0, 2.0, 4.0, 8.0];
        let got = [0.1, 0.5, 0.9].map(|q| quantile(&sorted, q));
        for (g, e) in got.iter().zip([1.3, 3.0, 6.8]) {
            assert!((g - e).abs() < 1e-6, "{got:?}");
        }
    }
}
