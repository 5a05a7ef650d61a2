//! What the network sees of an experiment in a block in which some track lacks data.
//!
//! A track counts at a bin and in a neighbourhood where it has data, and nowhere else: averages, spreads and
//! comparisons are over those that have. Where none has, an input is 0: the mean, in standardised signal. Bins at
//! which every track has data get the same numbers, to the bit, as in a block without gaps.

use super::features::{Features, Rows, weigh};
use super::{Plan, SignalBlock};

/// Tracks of a block over one neighbourhood.
struct Tracks<'a>(Vec<&'a [f32]>);

impl<'a> Tracks<'a> {
    fn new(block: &'a SignalBlock, which: impl Iterator<Item = usize>, reach: usize) -> Self {
        Tracks(which.map(|t| block.track(t, reach)).collect())
    }

    /// Those that have data at a bin, by their place, with their values.
    fn at(&self, bin: usize) -> impl Iterator<Item = (usize, f32)> + Clone + '_ {
        let values = self.0.iter().map(move |t| t[bin]).enumerate();
        values.filter(|(_, v)| !v.is_nan())
    }

    fn average(&self, bin: usize) -> f32 {
        let share = 1.0 / self.at(bin).count().max(1) as f32;
        self.at(bin).fold(0.0, |sum, (_, v)| sum + share * v)
    }
}

impl Features<'_> {
    /// As [`Features::averages`].
    pub(super) fn averages_with_gaps(&self, plan: &Plan, bins: &[u32]) -> Vec<Vec<f32>> {
        let over = |reach: usize| {
            let others = Tracks::new(self.block, plan.others.iter().copied(), reach);
            bins.iter()
                .map(|bin| others.average(*bin as usize))
                .collect()
        };
        (0..self.config.reaches.len()).map(over).collect()
    }

    /// As [`Features::by_assay`]; a track is seen at the bins where it has data.
    pub(super) fn by_assay_with_gaps(
        &self,
        plan: &Plan,
        bins: &[u32],
        plain: &[Vec<f32>],
        rows: &mut Rows<'_>,
    ) {
        let find = |of: &[(usize, usize)], assay: usize| {
            of.iter().find(|(a, _)| *a == assay).map(|(_, t)| *t)
        };
        for assay in 0..self.config.assays {
            let (own, left_out) = (find(&plan.own, assay), find(&plan.left_out, assay));
            for (reach, plain) in plain.iter().enumerate() {
                if assay == plan.target.1 as usize {
                    rows.put(|i| plain[i]);
                    rows.put(|_| 0.0);
                    continue;
                }
                let sums = self.block.sum(assay, reach);
                let taken = left_out.map(|t| self.block.track(t, reach));
                let average = |i: usize| {
                    let bin = bins[i] as usize;
                    let taken = taken.map(|t| t[bin]).filter(|v| !v.is_nan());
                    let n = self.block.count_at(assay, reach, bin) - usize::from(taken.is_some());
                    let share = if n > 0 { 1.0 / n as f32 } else { 0.0 };
                    share * (sums[bin] - taken.unwrap_or(0.0))
                };
                let averages: Vec<f32> = (0..bins.len()).map(average).collect();
                rows.put(|i| averages[i]);
                match own.map(|t| self.block.track(t, reach)) {
                    Some(track) => rows.put(|i| match track[bins[i] as usize] {
                        value if value.is_nan() => 0.0,
                        value => value - averages[i],
                    }),
                    None => rows.put(|_| 0.0),
                }
            }
            let own = own.map(|t| self.block.track(t, 0));
            rows.put(|i| f32::from(own.is_some_and(|t| !t[bins[i] as usize].is_nan())));
        }
    }

    /// As [`Features::of_the_assay`].
    pub(super) fn of_the_assay_with_gaps(
        &self,
        plan: &Plan,
        bins: &[u32],
        averages: &[Vec<f32>],
        rows: &mut Rows<'_>,
    ) {
        let others = |reach: usize| Tracks::new(self.block, plan.others.iter().copied(), reach);
        let deviation = |place: usize| self.deviation(plan.others[place]);
        for (reach, plain) in averages.iter().enumerate() {
            let others = others(reach);
            rows.put(|i| plain[i]);
            rows.put(|i| {
                let bin = bins[i] as usize;
                let total: f32 = others.at(bin).map(|(place, _)| deviation(place)).sum();
                let weighted =
                    |sum: f32, (place, v): (usize, f32)| sum + deviation(place) / total * v;
                others.at(bin).fold(0.0, weighted)
            });
        }
        for (reach, plain) in averages.iter().enumerate().take(self.config.fine()) {
            let others = others(reach);
            rows.put(|i| {
                let at = others.at(bins[i] as usize);
                let share = 1.0 / at.clone().count().max(1) as f32;
                let square =
                    |sum: f32, (_, v): (usize, f32)| sum + share * (v - plain[i]) * (v - plain[i]);
                at.fold(0.0, square).sqrt()
            });
            let extreme = |i: usize, of: fn(f32, f32) -> f32| {
                let values = others.at(bins[i] as usize).map(|(_, v)| v);
                values.reduce(of).unwrap_or(0.0)
            };
            rows.put(|i| extreme(i, f32::max));
            rows.put(|i| extreme(i, f32::min));
        }
        self.of_alike_with_gaps(plan, bins, rows, averages);
    }

    /// As [`Features::of_alike`]: biosamples are compared by the pairs of tracks that both have data, and
    /// weighted among those whose track has.
    fn of_alike_with_gaps(
        &self,
        plan: &Plan,
        bins: &[u32],
        rows: &mut Rows<'_>,
        average: &[Vec<f32>],
    ) {
        let n = bins.len();
        let alike = &plan.alike;
        let mut distances = vec![0f32; alike.len() * n];
        let mut mean = vec![0f32; n];
        for reach in 1..self.config.reaches.len() {
            let mut comparable = vec![0u32; n];
            let mut is_compared = vec![false; alike.len() * n];
            for (place, (_, pairs)) in alike.iter().enumerate() {
                let own = Tracks::new(self.block, pairs.iter().map(|p| p.0), reach);
                let theirs = Tracks::new(self.block, pairs.iter().map(|p| p.1), reach);
                for (i, bin) in bins.iter().enumerate() {
                    let bin = *bin as usize;
                    let apart = own.0.iter().zip(&theirs.0).map(|(a, b)| a[bin] - b[bin]);
                    let apart = apart.filter(|v| !v.is_nan());
                    let n_pairs = apart.clone().count();
                    let share = 1.0 / n_pairs.max(1) as f32;
                    distances[place * n + i] = apart.fold(0.0, |d, a| d + share * a * a);
                    is_compared[place * n + i] = n_pairs > 0;
                    comparable[i] += u32::from(n_pairs > 0);
                }
            }
            mean.fill(0.0);
            for (compared, distances) in is_compared.chunks(n).zip(distances.chunks(n)) {
                for i in (0..n).filter(|i| compared[*i]) {
                    mean[i] += 1.0 / comparable[i] as f32 * distances[i];
                }
            }
            for (compared, distances) in is_compared.chunks(n).zip(distances.chunks_mut(n)) {
                for i in (0..n).filter(|i| !compared[*i]) {
                    distances[i] = mean[i];
                }
            }
            weigh(&mut distances, &mean, n);
            for (fine, average) in average.iter().enumerate().take(self.config.fine()) {
                let which = alike.iter().map(|(place, _)| plan.others[*place]);
                let tracks = Tracks::new(self.block, which, fine);
                rows.put(|i| {
                    let at = tracks.at(bins[i] as usize);
                    let weight = |place: usize| distances[place * n + i];
                    let apart =
                        |sum: f32, (place, v): (usize, f32)| sum + weight(place) * (v - average[i]);
                    let nearby = at.clone().fold(0.0, apart);
                    let all = at.clone().count() == alike.len();
                    let total: f32 = at.map(|(place, _)| weight(place)).sum();
                    // Weights of all sum to 1 already.
                    match all || total <= 0.0 {
                        true => nearby,
                        false => nearby / total,
                    }
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{InputTrack, Inputs, RefinementConfig, TrackScale};
    use super::*;
    use crate::random::{Purpose, fill_uniform, generator};

    const N: usize = 60;

    fn config() -> RefinementConfig {
        RefinementConfig {
            reaches: vec![0, 1, 3],
            nodes: 8,
            ..RefinementConfig::new(3, 3)
        }
    }

    /// Three biosamples and three assays; biosample 2 lacks assay 2. All but the track of biosample b and
    /// assay a.
    fn inputs(without: Option<(u32, u32)>) -> (Inputs, Vec<Vec<f32>>) {
        let (mut tracks, mut values) = (Vec::new(), Vec::new());
        for (b, a) in (0..3).flat_map(|b| (0..3).map(move |a| (b, a))) {
            if (b, a) == (2, 2) || without == Some((b, a)) {
                continue;
            }
            tracks.push(InputTrack {
                biosample: b,
                assay: a,
                scale: TrackScale {
                    mean: 0.0,
                    deviation: 1.0 + b as f32,
                },
                added: false,
            });
            let mut track = vec![0f32; N];
            let stream = u64::from(b * 3 + a);
            fill_uniform(&mut generator(4, Purpose::Initial, stream), 2.0, &mut track);
            values.push(track);
        }
        (Inputs { tracks }, values)
    }

    fn rows(inputs: &Inputs, values: &[Vec<f32>], target: (u32, u32)) -> Vec<Vec<f32>> {
        let config = config();
        let read = |track: usize, out: &mut [f32]| {
            out.copy_from_slice(&values[track]);
            Ok::<_, ()>(())
        };
        let block = SignalBlock::load(&config, inputs, N, 0, N, read).unwrap();
        let plan = inputs.plan(target.0, target.1, config.assays);
        let bins: Vec<u32> = (0..N as u32).collect();
        let (mut rows, mut average) = (vec![f32::NAN; N * config.inputs()], vec![f32::NAN; N]);
        Features::new(&config, inputs, &block).fill(&plan, &bins, &mut rows, &mut average);
        assert!(rows.iter().chain(&average).all(|v| v.is_finite()));
        let rows = rows.chunks(config.inputs()).zip(average);
        rows.map(|(row, average)| [row, &[average]].concat())
            .collect()
    }

    fn bits(row: &[f32]) -> Vec<u32> {
        row.iter().map(|v| v.to_bits()).collect()
    }

    #[test]
    fn bins_at_which_all_have_data_get_the_same_numbers_to_the_bit() {
        let (inputs, mut values) = inputs(None);
        let complete = rows(&inputs, &values, (0, 1));
        // Track 4 (biosample 1, assay 1) has no data from bin 40 on.
        values[4][40..].fill(f32::NAN);
        let with_gaps = rows(&inputs, &values, (0, 1));
        for bin in 0..37 {
            assert_eq!(bits(&with_gaps[bin]), bits(&complete[bin]), "bin {bin}");
        }
        assert_ne!(bits(&with_gaps[50]), bits(&complete[50]));
    }

    #[test]
    fn where_a_track_has_no_data_the_inputs_are_those_of_a_compendium_without_it() {
        // Of the experiment's assay in another biosample; of another assay in the experiment's own; in
        // another's. Bins that no neighbourhood joins to data of the track.
        for gone in [(1, 1), (0, 0), (1, 0)] {
            let (inputs_of_all, mut values) = inputs(None);
            let track = (inputs_of_all.tracks.iter()).position(|t| (t.biosample, t.assay) == gone);
            values[track.unwrap()][20..].fill(f32::NAN);
            let with_gap = rows(&inputs_of_all, &values, (0, 1));
            let (fewer, values) = inputs(Some(gone));
            let without = rows(&fewer, &values, (0, 1));
            // How many biosamples have the assay is a matter of the plan.
            let few = config().inputs() - 1;
            for bin in 23..N {
                for (i, (a, b)) in with_gap[bin].iter().zip(&without[bin]).enumerate() {
                    if i != few {
                        assert!(
                            (a - b).abs() < 1e-5,
                            "{gone:?} bin {bin} input {i}: {a} {b}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn where_no_track_has_data_every_signal_is_the_mean() {
        let (inputs, mut values) = inputs(None);
        values.iter_mut().for_each(|v| v[20..].fill(f32::NAN));
        let rows = rows(&inputs, &values, (0, 1));
        let (few, named) = (
            config().inputs() - 1,
            config().inputs() - 4..config().inputs() - 1,
        );
        for (i, value) in rows[30].iter().enumerate() {
            if i != few && !named.contains(&i) {
                assert_eq!(*value, 0.0, "input {i}");
            }
        }
    }

    #[test]
    fn a_neighbourhood_is_the_mean_of_its_bins_with_data() {
        let (inputs, mut values) = inputs(None);
        values[0] = (0..N).map(|i| i as f32).collect();
        values[0][10..14].fill(f32::NAN);
        let config = config();
        let read = |track: usize, out: &mut [f32]| {
            out.copy_from_slice(&values[track]);
            Ok::<_, ()>(())
        };
        let block = SignalBlock::load(&config, &inputs, N, 0, N, read).unwrap();
        // Bins 9 to 11 of which 9 has data; 8 to 14 of which 8, 9 and 14 have; 10 to 12 of which none has.
        assert_eq!(block.track(0, 1)[10], 9.0);
        assert_eq!(block.track(0, 2)[11], 31.0 / 3.0);
        assert!(block.track(0, 1)[11].is_nan() && block.track(0, 0)[10].is_nan());
        assert_eq!(block.count_at(0, 0, 10), 2);
        assert_eq!(block.count_at(0, 0, 9), 3);
    }
}
