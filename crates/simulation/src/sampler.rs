//! The signal of one experiment on one chromosome, any stretch of it.

use super::activity::Activity;
use super::assay::AssayModel;
use super::chromosome::ChromosomeTruth;
use super::enrichment::Landscape;
use super::experiments::{SimulatedBiosample, SimulatedTrack};
use super::pileup::{Background, ExpectedSignal, PValues};
use super::random::{Counts, Draws};

/// Which of an experiment's two signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalKind {
    /// What a laboratory would have measured.
    Observed,
    /// What is expected of that laboratory's library given the truth: sinh of the expected arcsinh
    /// signal. No prediction of the observed signal has a smaller expected error.
    NoiseFree,
}

/// What does not change from chromosome to chromosome of an experiment.
pub(crate) struct Library<'a> {
    pub(crate) seed: u64,
    pub(crate) assay: &'a AssayModel,
    pub(crate) biosample: &'a SimulatedBiosample,
    pub(crate) track: &'a SimulatedTrack,
    pub(crate) p_values: &'a PValues,
    counts: Counts,
    /// Made when noise-free signal is asked for.
    expected: Option<ExpectedSignal>,
}

impl<'a> Library<'a> {
    pub(crate) fn new(
        seed: u64,
        assay: &'a AssayModel,
        biosample: &'a SimulatedBiosample,
        track: &'a SimulatedTrack,
        p_values: &'a PValues,
        kind: SignalKind,
    ) -> Self {
        let counts = Counts::new(track.fano);
        let expected = match kind {
            SignalKind::Observed => None,
            SignalKind::NoiseFree => Some(ExpectedSignal::new(p_values, &counts, track.depth)),
        };
        Library {
            seed,
            assay,
            biosample,
            track,
            p_values,
            counts,
            expected,
        }
    }
}

/// The windows over which MACS looks for a higher background in the control: 1, 5 and 10 kb.
const CONTROL_WINDOWS: [u64; 3] = [40, 200, 400];
/// Ratio of variance to mean of the control's reads.
const CONTROL_FANO: f64 = 1.3;

/// The signal of a library on a chromosome.
pub(crate) struct Sampler<'a> {
    library: &'a Library<'a>,
    truth: &'a ChromosomeTruth,
    landscape: Landscape<'a>,
}

impl<'a> Sampler<'a> {
    pub(crate) fn new(
        library: &'a Library<'a>,
        truth: &'a ChromosomeTruth,
        activity: &'a Activity,
    ) -> Self {
        let Library {
            seed, assay, track, ..
        } = library;
        let landscape = Landscape::new(truth, activity, assay, *seed, track.biosample);
        Sampler {
            library,
            truth,
            landscape,
        }
    }

    /// The signal, −log10 p, of the chromosome's bins from `first` on.
    ///
    /// Every random number belongs to a bin, so that the same bins come out whatever else is
    /// asked for. The work spreads a little beyond the stretch: a fragment covers bins beside its
    /// own, and the control is read within 5 kb.
    pub(crate) fn fill(&self, first: u64, out: &mut [f32]) {
        let track = self.library.track;
        let end = first + out.len() as u64;
        let margin = CONTROL_WINDOWS[2] / 2 + track.fragment_bins;
        let low = first.saturating_sub(margin);
        let high = (end + margin).min(self.truth.n_bins());
        let n = (high - low) as usize;

        let mut readability = vec![0.0f32; n];
        self.truth
            .readability(self.library.seed, low, &mut readability);
        let lambdas = self.backgrounds(low, &readability, first, out.len());
        let mut means = vec![0.0f32; n];
        self.landscape.fill(low, &mut means);
        let per_bin = track.depth / track.fragment_bins as f64;
        for (mean, readable) in means.iter_mut().zip(&readability) {
            let fold = track.background + track.efficiency * f64::from(*mean);
            *mean = (per_bin * fold) as f32 * readable;
        }
        match &self.library.expected {
            Some(expected) => {
                let covered = windowed(&means, low, first, out.len(), track.fragment_bins);
                for ((value, mean), lambda) in out.iter_mut().zip(covered).zip(lambdas) {
                    *value = expected.arcsinh(mean, Background::new(lambda)).sinh();
                }
            }
            None => {
                self.draw_counts(low, &mut means);
                let covered = windowed(&means, low, first, out.len(), track.fragment_bins);
                for ((value, count), lambda) in out.iter_mut().zip(covered).zip(lambdas) {
                    let count = count.round() as u32;
                    *value = self.library.p_values.signal(count, Background::new(lambda));
                }
            }
        }
    }

    /// Replaces mean numbers of fragments by drawn ones.
    fn draw_counts(&self, low: u64, means: &mut [f32]) {
        let purpose = format!("reads {}", self.library.assay.name);
        let ids = [
            self.truth.number as u64,
            self.library.track.biosample as u64,
        ];
        let mut draws = Draws::new(self.library.seed, &purpose, &ids);
        draws.skip_to(low);
        for mean in means {
            let quantile = draws.uniform();
            *mean = self.library.counts.quantile(f64::from(*mean), quantile) as f32;
        }
    }

    /// MACS's local background λ of each bin: that of the whole genome, or what the control finds
    /// within 1, 5 or 10 kb if it is more. All tracks of a biosample share the control.
    fn backgrounds(&self, low: u64, readability: &[f32], first: u64, n: usize) -> Vec<f64> {
        let ids = [
            self.truth.number as u64,
            self.library.track.biosample as u64,
        ];
        let mut draws = Draws::new(self.library.seed, "control", &ids);
        draws.skip_to(low);
        let counts = Counts::new(CONTROL_FANO);
        let per_bin = self.library.biosample.control_reads_per_kb / 40.0;
        let mut control = Vec::with_capacity(readability.len());
        for readable in readability {
            let mean = per_bin * f64::from(*readable);
            control.push(counts.quantile(mean, draws.uniform()) as f32);
        }
        let mut highest = vec![1.0f64; n];
        for window in CONTROL_WINDOWS {
            let found = windowed(&control, low, first, n, window);
            for (value, count) in highest.iter_mut().zip(found) {
                *value = value.max(count / (window as f64 * per_bin));
            }
        }
        let depth = self.library.track.depth;
        highest.iter_mut().for_each(|v| *v *= depth);
        highest
    }
}

const MILLIONTHS: f64 = 1e6;

/// Sums over windows of `width` bins around each of `n` bins from `first` on; `values` begin at
/// bin `low`, and what lies beyond them counts nothing.
///
/// Sums are of whole millionths, which f64 adds without rounding: a window's sum does not depend
/// on where the stretch began.
fn windowed(
    values: &[f32],
    low: u64,
    first: u64,
    n: usize,
    width: u64,
) -> impl Iterator<Item = f64> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut sum = 0.0f64;
    sums.push(sum);
    for value in values {
        sum += (f64::from(*value) * MILLIONTHS).round();
        sums.push(sum);
    }
    let last = values.len();
    (first..first + n as u64).map(move |bin| {
        let start = bin.saturating_sub(width / 2).max(low) - low;
        let end = bin + (width - width / 2) - low;
        (sums[(end as usize).min(last)] - sums[(start as usize).min(last)]) / MILLIONTHS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_centred_and_end_with_the_chromosome() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        let all: Vec<f64> = windowed(&values, 10, 10, 5, 3).collect();
        assert_eq!(all, [3.0, 7.0, 14.0, 28.0, 24.0]);
        let two: Vec<f64> = windowed(&values, 10, 12, 2, 4).collect();
        assert_eq!(two, [15.0, 30.0]);
    }
}
