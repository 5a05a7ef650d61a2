//! What the network sees of an experiment in a block in which some track lacks data.
//!
//! A track counts at a bin and in a neighbourhood where it has data, and nowhere else: averages, spreads and
//! comparisons are over those that have. Where none has, an input is 0: the mean, in standardised signal. Bins at
//! which every track has data get the same numbers, to the bit, as in a block without gaps.

use super::Plan;
use super::features::{Features, Rows, weigh};

/// Adds to something at each bin at which a track has data.
fn at_known<T>(track: &[f32], bins: &[u32], into: &mut [T], add: impl Fn(&mut T, usize, f32)) {
    for (i, (to, bin)) in into.iter_mut().zip(bins).enumerate() {
        let value = track[*bin as usize];
        if !value.is_nan() {
            add(to, i, value);
        }
    }
}

/// 1 over how many of some tracks have data at each bin; 1 where none has.
fn shares<'a>(tracks: impl Iterator<Item = &'a [f32]>, bins: &[u32]) -> Vec<f32> {
    let mut counts = vec![0f32; bins.len()];
    tracks.for_each(|track| at_known(track, bins, &mut counts, |n, _, _| *n += 1.0));
    counts.iter().map(|n| 1.0 / n.max(1.0)).collect()
}

impl Features<'_> {
    /// As [`Features::averages`].
    pub(super) fn averages_with_gaps(&self, plan: &Plan, bins: &[u32]) -> Vec<Vec<f32>> {
        let over = |reach: usize| {
            let others = || plan.others.iter().map(|t| self.block.track(*t, reach));
            let shares = shares(others(), bins);
            let mut average = vec![0f32; bins.len()];
            for track in others() {
                at_known(track, bins, &mut average, |a, i, v| *a += shares[i] * v);
            }
            average
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
        let mut averages = vec![0f32; bins.len()];
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
                for (average, bin) in averages.iter_mut().zip(bins) {
                    let bin = *bin as usize;
                    let taken = taken.map(|t| t[bin]).filter(|v| !v.is_nan());
                    let n = self.block.count_at(assay, reach, bin) - usize::from(taken.is_some());
                    let share = if n > 0 { 1.0 / n as f32 } else { 0.0 };
                    *average = share * (sums[bin] - taken.unwrap_or(0.0));
                }
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
        let n = bins.len();
        let others = |reach: usize| {
            let tracks = plan.others.iter();
            tracks.map(move |t| (self.deviation(*t), self.block.track(*t, reach)))
        };
        let (mut totals, mut weighted) = (vec![0f32; n], vec![0f32; n]);
        for (reach, plain) in averages.iter().enumerate() {
            totals.fill(0.0);
            weighted.fill(0.0);
            for (deviation, track) in others(reach) {
                at_known(track, bins, &mut totals, |total, _, _| *total += deviation);
            }
            for (deviation, track) in others(reach) {
                at_known(track, bins, &mut weighted, |w, i, v| {
                    *w += deviation / totals[i] * v
                });
            }
            rows.put(|i| plain[i]);
            rows.put(|i| weighted[i]);
        }
        let (mut squares, mut most, mut least) = (vec![0f32; n], vec![0f32; n], vec![0f32; n]);
        for (reach, plain) in averages.iter().enumerate().take(self.config.fine()) {
            let shares = shares(others(reach).map(|(_, track)| track), bins);
            squares.fill(0.0);
            most.fill(f32::NAN);
            least.fill(f32::NAN);
            for (_, track) in others(reach) {
                let square = |s: &mut f32, i: usize, v: f32| {
                    *s += shares[i] * (v - plain[i]) * (v - plain[i]);
                };
                at_known(track, bins, &mut squares, square);
                // Of NaN and a number each is the number.
                at_known(track, bins, &mut most, |m, _, v| *m = m.max(v));
                at_known(track, bins, &mut least, |l, _, v| *l = l.min(v));
            }
            let or_zero = |v: f32| if v.is_nan() { 0.0 } else { v };
            rows.put(|i| squares[i].sqrt());
            rows.put(|i| or_zero(most[i]));
            rows.put(|i| or_zero(least[i]));
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
        let mut is_compared = vec![false; alike.len() * n];
        let (mut mean, mut comparable) = (vec![0f32; n], vec![0u32; n]);
        let (mut nearby, mut seen) = (vec![0f32; n], vec![(0f32, 0usize); n]);
        for reach in 1..self.config.reaches.len() {
            distances.fill(0.0);
            comparable.fill(0);
            for (place, (_, pairs)) in alike.iter().enumerate() {
                let here = place * n..(place + 1) * n;
                let tracks = || {
                    let of = |(own, theirs): &(usize, usize)| {
                        (
                            self.block.track(*own, reach),
                            self.block.track(*theirs, reach),
                        )
                    };
                    pairs.iter().map(of)
                };
                let mut n_pairs = vec![0f32; n];
                for (own, theirs) in tracks() {
                    let count = |n: &mut f32, i: usize, _: f32| {
                        *n += f32::from(!theirs[bins[i] as usize].is_nan());
                    };
                    at_known(own, bins, &mut n_pairs, count);
                }
                for (own, theirs) in tracks() {
                    let add = |d: &mut f32, i: usize, own: f32| {
                        let apart = own - theirs[bins[i] as usize];
                        if !apart.is_nan() {
                            *d += 1.0 / n_pairs[i] * apart * apart;
                        }
                    };
                    at_known(own, bins, &mut distances[here.clone()], add);
                }
                for (i, compared) in is_compared[here].iter_mut().enumerate() {
                    *compared = n_pairs[i] > 0.0;
                    comparable[i] += u32::from(*compared);
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
                nearby.fill(0.0);
                seen.fill((0.0, 0));
                for ((place, _), weights) in alike.iter().zip(distances.chunks(n)) {
                    let track = self.block.track(plan.others[*place], fine);
                    at_known(track, bins, &mut nearby, |nearby, i, v| {
                        *nearby += weights[i] * (v - average[i]);
                    });
                    at_known(track, bins, &mut seen, |seen, i, _| {
                        *seen = (seen.0 + weights[i], seen.1 + 1);
                    });
                }
                // Weights of all sum to 1 already.
                rows.put(|i| match seen[i] {
                    (total, n_seen) if n_seen < alike.len() && total > 0.0 => nearby[i] / total,
                    _ => nearby[i],
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{InputTrack, Inputs, RefinementConfig, SignalBlock, TrackScale};
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
