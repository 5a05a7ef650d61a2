//! What the network sees of an experiment at a bin.

use super::{Inputs, Plan, RefinementConfig, SignalBlock};

/// Softens the comparison of biosamples where all are alike.
const FLOOR: f32 = 0.1;

/// Fills in the network's inputs, a column (an input) at a time.
pub struct Features<'a> {
    pub(super) config: &'a RefinementConfig,
    inputs: &'a Inputs,
    pub(super) block: &'a SignalBlock,
}

/// Rows of inputs under construction.
pub(super) struct Rows<'a> {
    out: &'a mut [f32],
    width: usize,
    column: usize,
}

impl Rows<'_> {
    pub(super) fn put(&mut self, value: impl Fn(usize) -> f32) {
        let rows = self.out.chunks_exact_mut(self.width);
        rows.enumerate()
            .for_each(|(i, row)| row[self.column] = value(i));
        self.column += 1;
    }
}

impl<'a> Features<'a> {
    /// Over a block.
    pub fn new(config: &'a RefinementConfig, inputs: &'a Inputs, block: &'a SignalBlock) -> Self {
        Features {
            config,
            inputs,
            block,
        }
    }

    /// Inputs `[bins, config.inputs()]` of an experiment at some bins of the block, and the average
    /// of the assay's standardised tracks in the other biosamples, to which the network's output
    /// is added (0 where there is none). Both are finite, whatever data are missing.
    pub fn fill(&self, plan: &Plan, bins: &[u32], out: &mut [f32], average: &mut [f32]) {
        let mut rows = Rows {
            out,
            width: self.config.inputs(),
            column: 0,
        };
        let has_gaps = self.block.has_gaps();
        let plain = match has_gaps {
            false => self.averages(plan, bins),
            true => self.averages_with_gaps(plan, bins),
        };
        average.copy_from_slice(&plain[0]);
        if has_gaps {
            self.by_assay_with_gaps(plan, bins, &plain, &mut rows);
            self.of_the_assay_with_gaps(plan, bins, &plain, &mut rows);
        } else {
            self.by_assay(plan, bins, &plain, &mut rows);
            self.of_the_assay(plan, bins, &plain, &mut rows);
        }
        let (_, assay) = plan.target;
        for place in 0..self.config.assays {
            let is = f32::from(plan.named && place == assay as usize);
            rows.put(|_| is);
        }
        let few = 1.0 / (1.0 + plan.others.len() as f32);
        rows.put(|_| few);
        debug_assert_eq!(rows.column, rows.width);
    }

    /// The experiment's assay in the other biosamples, over every neighbourhood.
    fn averages(&self, plan: &Plan, bins: &[u32]) -> Vec<Vec<f32>> {
        let share = 1.0 / plan.others.len().max(1) as f32;
        let over = |reach: usize| {
            let mut average = vec![0f32; bins.len()];
            for other in &plan.others {
                let track = self.block.track(*other, reach);
                for (a, bin) in average.iter_mut().zip(bins) {
                    *a += share * track[*bin as usize];
                }
            }
            average
        };
        (0..self.config.reaches.len()).map(over).collect()
    }

    /// For every assay: its average over the other biosamples, how far this biosample's track is
    /// from it, and whether there is such a track.
    fn by_assay(&self, plan: &Plan, bins: &[u32], plain: &[Vec<f32>], rows: &mut Rows<'_>) {
        let find = |of: &[(usize, usize)], assay: usize| {
            of.iter().find(|(a, _)| *a == assay).map(|(_, t)| *t)
        };
        let mut average = vec![0f32; bins.len()];
        for assay in 0..self.config.assays {
            let (own, left_out) = (find(&plan.own, assay), find(&plan.left_out, assay));
            let n = self.block.count(assay) - usize::from(left_out.is_some());
            for (reach, plain) in plain.iter().enumerate() {
                if assay == plan.target.1 as usize {
                    // Not from the sums, which hold the experiment's own track if there is one.
                    rows.put(|i| plain[i]);
                    rows.put(|_| 0.0);
                    continue;
                }
                let share = if n > 0 { 1.0 / n as f32 } else { 0.0 };
                let sums = self.block.sum(assay, reach);
                let taken = left_out.map(|t| self.block.track(t, reach));
                for (average, bin) in average.iter_mut().zip(bins) {
                    let bin = *bin as usize;
                    *average = share * (sums[bin] - taken.map_or(0.0, |t| t[bin]));
                }
                rows.put(|i| average[i]);
                match own.map(|t| self.block.track(t, reach)) {
                    Some(track) => rows.put(|i| track[bins[i] as usize] - average[i]),
                    None => rows.put(|_| 0.0),
                }
            }
            let seen = f32::from(own.is_some());
            rows.put(|_| seen);
        }
    }

    /// What the assay's tracks in the other biosamples show: their average, plain and weighted by
    /// how strong each track is, their spread and extremes, and the average weighted by how alike
    /// the biosamples are around the bin.
    fn of_the_assay(&self, plan: &Plan, bins: &[u32], averages: &[Vec<f32>], rows: &mut Rows<'_>) {
        let (n, others) = (bins.len(), &plan.others);
        let share = 1.0 / others.len().max(1) as f32;
        let total: f32 = others.iter().map(|t| self.deviation(*t)).sum();
        let mut weighted = vec![0f32; n];
        for (reach, plain) in averages.iter().enumerate() {
            weighted.fill(0.0);
            for other in others {
                let weight = self.deviation(*other) / total;
                let track = self.block.track(*other, reach);
                for (w, bin) in weighted.iter_mut().zip(bins) {
                    *w += weight * track[*bin as usize];
                }
            }
            rows.put(|i| plain[i]);
            rows.put(|i| weighted[i]);
        }
        let none = others.is_empty();
        let (mut squares, mut most, mut least) = (vec![0f32; n], vec![0f32; n], vec![0f32; n]);
        for (reach, plain) in averages.iter().enumerate().take(self.config.fine()) {
            squares.fill(0.0);
            most.fill(if none { 0.0 } else { f32::MIN });
            least.fill(if none { 0.0 } else { f32::MAX });
            for other in others {
                let track = self.block.track(*other, reach);
                for (i, bin) in bins.iter().enumerate() {
                    let value = track[*bin as usize];
                    squares[i] += share * (value - plain[i]) * (value - plain[i]);
                    most[i] = most[i].max(value);
                    least[i] = least[i].min(value);
                }
            }
            rows.put(|i| squares[i].sqrt());
            rows.put(|i| most[i]);
            rows.put(|i| least[i]);
        }
        self.of_alike(plan, bins, rows, averages);
    }

    pub(super) fn deviation(&self, track: usize) -> f32 {
        self.inputs.tracks[track].scale.deviation
    }

    /// The assay's tracks, weighted by how alike each biosample is to this one around the bin, less
    /// their average; once for each neighbourhood that biosamples are compared over.
    fn of_alike(&self, plan: &Plan, bins: &[u32], rows: &mut Rows<'_>, average: &[Vec<f32>]) {
        let n = bins.len();
        let alike = &plan.alike;
        let comparable = alike.iter().filter(|(_, pairs)| !pairs.is_empty()).count();
        let mut distances = vec![0f32; alike.len() * n];
        let mut mean = vec![0f32; n];
        let mut nearby = vec![0f32; n];
        for reach in 1..self.config.reaches.len() {
            distances.fill(0.0);
            mean.fill(0.0);
            for ((_, pairs), distances) in alike.iter().zip(distances.chunks_exact_mut(n)) {
                if pairs.is_empty() {
                    continue;
                }
                let share = 1.0 / pairs.len() as f32;
                for (own, theirs) in pairs {
                    let (own, theirs) = (
                        self.block.track(*own, reach),
                        self.block.track(*theirs, reach),
                    );
                    for (d, bin) in distances.iter_mut().zip(bins) {
                        let apart = own[*bin as usize] - theirs[*bin as usize];
                        *d += share * apart * apart;
                    }
                }
                let share = 1.0 / comparable as f32;
                mean.iter_mut()
                    .zip(&*distances)
                    .for_each(|(m, d)| *m += share * d);
            }
            // Biosamples that cannot be compared count as no nearer and no farther than the rest.
            for ((_, pairs), distances) in alike.iter().zip(distances.chunks_exact_mut(n)) {
                if pairs.is_empty() {
                    distances.copy_from_slice(&mean);
                }
            }
            weigh(&mut distances, &mean, n);
            for (fine, average) in average.iter().enumerate().take(self.config.fine()) {
                nearby.fill(0.0);
                for ((place, _), weights) in alike.iter().zip(distances.chunks_exact(n)) {
                    let track = self.block.track(plan.others[*place], fine);
                    for (i, bin) in bins.iter().enumerate() {
                        nearby[i] += weights[i] * (track[*bin as usize] - average[i]);
                    }
                }
                rows.put(|i| nearby[i]);
            }
        }
    }
}

/// From distances `[biosample, bin]` to weights that sum to 1 at every bin: softmax of −d over the
/// mean distance.
pub(super) fn weigh(distances: &mut [f32], mean: &[f32], n: usize) {
    let mut least = vec![f32::MAX; n];
    for row in distances.chunks_exact(n) {
        least.iter_mut().zip(row).for_each(|(l, d)| *l = l.min(*d));
    }
    let mut sum = vec![0f32; n];
    for row in distances.chunks_exact_mut(n) {
        for (i, d) in row.iter_mut().enumerate() {
            *d = ((least[i] - *d) / (FLOOR + mean[i])).exp();
            sum[i] += *d;
        }
    }
    for row in distances.chunks_exact_mut(n) {
        row.iter_mut().zip(&sum).for_each(|(d, s)| *d /= s);
    }
}
