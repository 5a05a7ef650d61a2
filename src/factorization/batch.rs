//! The samples of one step, grouped by the rows of factors they share.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use super::{PassFactors, Sampling, Window};
use crate::genome::{GenomeAxis, Resolution};
use crate::random::{Purpose, below, generator, shuffle};

/// Samples that share a row: consecutive, since samples are sorted by bin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    /// The rows, ascending inside a segment, no two alike.
    pub rows: Vec<u32>,
    /// Where each row's samples start, and the number of samples as the last entry.
    pub starts: Vec<u32>,
}

/// Which tracks a bin may show.
pub enum Choice<'a> {
    /// Any of so many.
    All(usize),
    /// Those that go with its factors, in a pass.
    OfPass(&'a dyn PassFactors, u32),
}

impl Choice<'_> {
    fn draw(&self, window: &Window, bin: u32, rng: &mut ChaCha8Rng) -> u32 {
        match self {
            Choice::All(n) => below(rng, *n as u32),
            Choice::OfPass(of_pass, pass) => {
                let shown = of_pass.shown(window.axis_bin(bin), *pass);
                shown[below(rng, shown.len() as u32) as usize]
            }
        }
    }

    fn tracks(&self, window: &Window, bin: u32) -> Vec<u32> {
        match self {
            Choice::All(n) => (0..*n as u32).collect(),
            Choice::OfPass(of_pass, pass) => of_pass.shown(window.axis_bin(bin), *pass).to_vec(),
        }
    }
}

/// The samples of one step.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Which training track each sample shows.
    pub tracks: Vec<u32>,
    /// What it shows.
    pub values: Vec<f32>,
    /// Rows of genome factors at each of [`Resolution::ALL`].
    pub groups: [Groups; 3],
    /// The window's bin of each sample, ascending.
    pub bins: Vec<u32>,
}

impl Batch {
    /// How many samples.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Draws the tracks for bins of a window (ascending) and groups them. A track without data at a bin is
    /// never shown there; a bin at which no track has data is left out.
    pub fn new(
        axis: &GenomeAxis,
        window: &Window,
        bins: Vec<u32>,
        choice: &Choice<'_>,
        seed: u64,
        step: u64,
    ) -> Self {
        let mut rng = generator(seed, Purpose::Tracks, step);
        let mut tracks: Vec<u32> = bins
            .iter()
            .map(|bin| choice.draw(window, *bin, &mut rng))
            .collect();
        let mut values: Vec<f32> = bins
            .iter()
            .zip(&tracks)
            .map(|(bin, t)| window.value(*t as usize, *bin))
            .collect();
        let mut bins = bins;
        if values.iter().any(|v| v.is_nan()) {
            draw_again(
                window,
                &mut bins,
                &mut tracks,
                &mut values,
                choice,
                // A stream of its own: what other bins show does not depend on who has no data here.
                &mut generator(seed, Purpose::Tracks, step | 1 << 63),
            );
        }
        let groups = Resolution::ALL.map(|scale| group(axis, window, &bins, scale));
        Batch {
            tracks,
            values,
            groups,
            bins,
        }
    }
}

/// Draws that may meet tracks without data before the tracks that have data are counted.
const TRIES: u32 = 8;

/// Puts tracks that have data in the place of drawn ones that have none, each with the same chance, and
/// leaves out bins at which none has.
fn draw_again(
    window: &Window,
    bins: &mut Vec<u32>,
    tracks: &mut Vec<u32>,
    values: &mut Vec<f32>,
    choice: &Choice<'_>,
    rng: &mut ChaCha8Rng,
) {
    let has_data = |track: u32, bin: u32| !window.value(track as usize, bin).is_nan();
    let mut kept = 0;
    for i in 0..bins.len() {
        let (bin, mut track) = (bins[i], tracks[i]);
        if values[i].is_nan() {
            let drawn = (0..TRIES)
                .map(|_| choice.draw(window, bin, rng))
                .find(|t| has_data(*t, bin));
            let chosen = drawn.or_else(|| {
                let mut having = choice.tracks(window, bin);
                having.retain(|t| has_data(*t, bin));
                let n = u32::try_from(having.len()).ok().filter(|n| *n > 0)?;
                having.get(below(rng, n) as usize).copied()
            });
            match chosen {
                Some(chosen) => track = chosen,
                None => continue,
            }
        }
        bins[kept] = bin;
        tracks[kept] = track;
        values[kept] = window.value(track as usize, bin);
        kept += 1;
    }
    bins.truncate(kept);
    tracks.truncate(kept);
    values.truncate(kept);
}

fn group(axis: &GenomeAxis, window: &Window, bins: &[u32], scale: Resolution) -> Groups {
    let mut groups = Groups::default();
    let Some(first) = bins.first() else {
        groups.starts.push(0);
        return groups;
    };
    let mut segment = window.segment_of(*first);
    // Up to which bin of the window the current row reaches.
    let mut row_end = 0u32;
    for (i, bin) in bins.iter().enumerate() {
        if *bin < row_end {
            continue;
        }
        while window
            .segments
            .get(segment + 1)
            .is_some_and(|s| s.start <= *bin as usize)
        {
            segment += 1;
        }
        let (region, chrom_bin) = window.chrom_bin(axis, segment, *bin);
        let row = axis.row(scale, region, chrom_bin) as u32;
        let here = &window.segments[segment];
        let left = (scale.bins() - chrom_bin % scale.bins()) as u32;
        row_end = (bin + left).min((here.start + here.block.n_bins) as u32);
        // Two blocks that meet inside a coarse bin share its row.
        if groups.rows.last() != Some(&row) {
            groups.rows.push(row);
            groups.starts.push(i as u32);
        }
    }
    groups.starts.push(bins.len() as u32);
    groups
}

/// The steps of one window of a pass: for each, the bins it visits, ascending.
pub struct WindowSteps {
    order: Option<Vec<u32>>,
    sampling: Sampling,
    n_kept: usize,
    n_steps: usize,
    seed: u64,
}

impl WindowSteps {
    /// Plans a window's steps: as many as batches are needed for its bins, of even size.
    pub fn new(
        window: &Window,
        sampling: Sampling,
        batch_size: usize,
        seed: u64,
        pass: u32,
        place: usize,
    ) -> Self {
        let n_kept = window.kept.len();
        let order = (sampling == Sampling::Permuted).then(|| {
            let mut order = window.kept.clone();
            let index = (u64::from(pass) << 32) + 1 + place as u64;
            shuffle(&mut generator(seed, Purpose::Bins, index), &mut order);
            order
        });
        WindowSteps {
            order,
            sampling,
            n_kept,
            n_steps: n_kept.div_ceil(batch_size),
            seed,
        }
    }

    /// How many steps.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.n_steps
    }

    /// The bins of the `i`-th step of this window, which is step `step` of the training.
    pub fn bins(&self, window: &Window, i: usize, step: u64) -> Vec<u32> {
        let from = i * self.n_kept / self.n_steps;
        let to = (i + 1) * self.n_kept / self.n_steps;
        let mut bins = match (&self.order, self.sampling) {
            (Some(order), _) => order[from..to].to_vec(),
            (None, Sampling::Random) => {
                let mut rng = generator(self.seed, Purpose::Bins, u64::MAX - step);
                let n = window.kept.len() as u64;
                (from..to)
                    .map(|_| {
                        window.kept[(((u128::from(rng.next_u64())) * u128::from(n)) >> 64) as usize]
                    })
                    .collect()
            }
            (None, _) => window.kept[from..to].to_vec(),
        };
        if self.sampling != Sampling::Sequential {
            bins.sort_unstable();
        }
        bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factorization::{Blocks, FactorizationError, TrackSource};
    use crate::genome::{Assembly, Interval, Mask, Region};

    /// Track t at bin b shows 1000 t + b.
    struct Numbers;

    impl TrackSource for Numbers {
        fn read(
            &self,
            track: usize,
            bins: std::ops::Range<u64>,
            out: &mut [f32],
        ) -> Result<(), FactorizationError> {
            for (value, bin) in out.iter_mut().zip(bins) {
                *value = 100_000.0 * track as f32 + bin as f32;
            }
            Ok(())
        }
    }

    fn window() -> (GenomeAxis, Window) {
        let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 1_000_000)]).unwrap();
        let region = |first_bin, n_bins| Region {
            name: None,
            chrom: "chr1".into(),
            first_bin,
            n_bins,
        };
        let axis =
            GenomeAxis::new(assembly, vec![region(195, 20_000), region(30_005, 12)]).unwrap();
        let mask = Mask::new(&axis, &[Interval::new("chr1", 200 * 25, 203 * 25)]);
        let blocks = Blocks::new(&axis, &mask);
        let window = Window::load(&Numbers, &[0, 1, 2], blocks.all().to_vec(), &mask).unwrap();
        (axis, window)
    }

    #[test]
    fn every_sample_shows_its_track_at_its_bin_and_uses_the_rows_of_its_bin() {
        let (axis, window) = window();
        for sampling in [Sampling::Sequential, Sampling::Permuted, Sampling::Random] {
            let steps = WindowSteps::new(&window, sampling, 3_000, 9, 1, 0);
            let mut seen = 0;
            for i in 0..steps.len() {
                let batch = Batch::new(
                    &axis,
                    &window,
                    steps.bins(&window, i, i as u64),
                    &Choice::All(3),
                    9,
                    i as u64,
                );
                seen += batch.len();
                for scale in Resolution::ALL {
                    let groups = &batch.groups[scale.index()];
                    assert!(
                        groups.rows.windows(2).all(|w| w[0] < w[1]),
                        "{sampling:?} {scale}"
                    );
                    for (g, row) in groups.rows.iter().enumerate() {
                        for sample in groups.starts[g]..groups.starts[g + 1] {
                            let bin = u64::from(batch.bins[sample as usize]);
                            let at = axis.locate(bin);
                            assert_eq!(u64::from(*row), axis.row(scale, at.region, at.chrom_bin));
                        }
                    }
                }
                for ((bin, track), value) in batch.bins.iter().zip(&batch.tracks).zip(&batch.values)
                {
                    assert_eq!(*value, 100_000.0 * *track as f32 + *bin as f32);
                    assert!(!(5..8).contains(bin), "bin {bin} is masked");
                }
            }
            assert_eq!(seen, window.kept.len());
        }
    }

    /// As `Numbers`, but track 0 has no data at odd bins, track 1 none up to bin 9999, and no track any at
    /// bins 20 to 39.
    struct Gaps;

    impl TrackSource for Gaps {
        fn read(
            &self,
            track: usize,
            bins: std::ops::Range<u64>,
            out: &mut [f32],
        ) -> Result<(), FactorizationError> {
            Numbers.read(track, bins.clone(), out)?;
            for (value, bin) in out.iter_mut().zip(bins) {
                let lacks = [bin % 2 == 1, bin < 10_000, false][track];
                if lacks || (20..40).contains(&bin) {
                    *value = f32::NAN;
                }
            }
            Ok(())
        }
    }

    #[test]
    fn a_track_without_data_is_never_shown_and_the_others_share_its_chance() {
        let (axis, complete) = window();
        let mask = Mask::new(&axis, &[]);
        let blocks = Blocks::new(&axis, &mask);
        let gaps = Window::load(&Gaps, &[0, 1, 2], blocks.all().to_vec(), &mask).unwrap();
        let bins: Vec<u32> = (0..20_012).collect();
        let batch = Batch::new(&axis, &gaps, bins.clone(), &Choice::All(3), 9, 1);
        let expected: Vec<u32> = (0..20).chain(40..20_012).collect();
        assert_eq!(batch.bins, expected);
        let mut shown = [[0usize; 3]; 4];
        for ((bin, track), value) in batch.bins.iter().zip(&batch.tracks).zip(&batch.values) {
            assert_eq!(*value, 100_000.0 * *track as f32 + *bin as f32);
            let stratum = usize::from(*bin >= 10_000) * 2 + (*bin % 2) as usize;
            shown[stratum][*track as usize] += 1;
        }
        // Even bins below 10,000 show tracks 0 and 2, odd ones 2 alone; above, even ones all, odd ones 1 and
        // 2. About 5,000 bins each: four standard errors are 3 %.
        let near = |n: usize, share: f64| (n as f64 / 5_000.0 - share).abs() < 0.03;
        assert_eq!(
            (shown[0][1], shown[1][0], shown[1][1], shown[3][0]),
            (0, 0, 0, 0)
        );
        assert!(
            near(shown[0][0], 0.5) && near(shown[0][2], 0.5),
            "{shown:?}"
        );
        assert!(
            near(shown[2][0], 0.333) && near(shown[2][1], 0.333),
            "{shown:?}"
        );
        assert!(
            near(shown[3][1], 0.5) && near(shown[3][2], 0.5),
            "{shown:?}"
        );
        // Where all have data, what is shown does not depend on the gaps elsewhere.
        let whole = Batch::new(&axis, &complete, bins, &Choice::All(3), 9, 1);
        for (bin, track) in batch.bins.iter().zip(&batch.tracks) {
            if *bin >= 10_000 && *bin % 2 == 0 {
                assert_eq!(*track, whole.tracks[*bin as usize]);
            }
        }
    }

    #[test]
    fn permuted_visits_every_bin_once_in_another_order_each_pass() {
        let (_, window) = window();
        let visit = |pass| {
            let steps = WindowSteps::new(&window, Sampling::Permuted, 3_000, 9, pass, 0);
            (0..steps.len())
                .map(|i| steps.bins(&window, i, 0))
                .collect::<Vec<_>>()
        };
        let mut all = visit(1).concat();
        all.sort_unstable();
        assert_eq!(all, window.kept);
        assert_ne!(visit(1), visit(2));
        assert_eq!(visit(1), visit(1));
    }
}
