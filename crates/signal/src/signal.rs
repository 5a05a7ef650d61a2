//! What a reader and a writer of signal are, whatever the format.

use std::io;

use super::FormatError;
use persea_genome::GenomeAxis;

/// What a base that a file does not cover counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// What follows from the format. BigWig and bedGraph hold dense signal: what they do not cover has no
    /// data ([`Missing::Nan`]). Between called peaks there is no signal ([`Missing::Zero`]), but on a
    /// sequence that the file does not have at all there are no data.
    #[default]
    ByFormat,
    /// 0, on every sequence.
    Zero,
    /// Nothing: it is left out of its bin's mean, and a bin of nothing else has no data.
    Nan,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// What uncovered bases count as.
    pub missing: Missing,
}

impl ReadOptions {
    /// As a format of dense signal is read.
    pub(super) fn of_dense_signal(self) -> Self {
        let missing = match self.missing {
            Missing::ByFormat => Missing::Nan,
            given => given,
        };
        ReadOptions { missing }
    }
}

/// What a reader met, for the caller to keep and to warn of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadReport {
    /// Bins without data, which are NaN: every base NaN, or uncovered where that means no data.
    pub n_nan_bins: u64,
    /// Bins below 0, which are kept.
    pub n_negative_bins: u64,
    /// Intervals, or values of an array, that lie on the axis; 0 is a file with nothing there.
    pub n_records: u64,
    /// What the user should know of the file's sequences: names that were matched, and records that
    /// were passed over because the assembly lacks theirs.
    pub notes: Vec<String>,
}

/// Receives bins: the axis bin that the slice starts at, then the values.
///
/// Values are means over each bin, before any transform; NaN is a bin without data. A piece never crosses a region and has at
/// most 65,536 bins; each bin of the axis comes exactly once; regions come in any order, bins
/// inside a region ascending.
pub type BinSink<'a> = dyn FnMut(u64, &[f32]) -> io::Result<()> + 'a;

/// Reads a signal file as the bins of an axis.
pub trait SignalReader: Send {
    /// Reads every bin of the axis and passes them on.
    ///
    /// A bin's value is the sum over its bases of the file's value, in f64, divided by the bin's
    /// width (a chromosome's last bin by its own) or, under [`Missing::Nan`], by how many of its
    /// bases have a value. A base whose value is NaN counts as uncovered, and a bin of nothing else has no
    /// data. Peaks that overlap count as their maximum.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged or of another assembly, has an infinite value, or
    /// the sink fails; the message names the file and the line or coordinate.
    fn read(
        &mut self,
        axis: &GenomeAxis,
        options: &ReadOptions,
        sink: &mut BinSink<'_>,
    ) -> Result<ReadReport, FormatError>;
}

/// Writes bins of an axis as a signal file, under a temporary name until finished; one that is dropped
/// unfinished leaves nothing behind.
pub trait SignalWriter: Send {
    /// Writes consecutive bins of one region, the first of which is `axis_bin`.
    ///
    /// Regions are written in the order of [`GenomeAxis::sorted_regions`], bins ascending; bins
    /// that are left out are left out of the file. NaN is a bin without data: a gap in bigWig and bedGraph,
    /// NaN in an array.
    ///
    /// # Errors
    /// When the file cannot be written, a value is infinite, or the bins are out of order.
    fn write(&mut self, axis_bin: u64, values: &[f32]) -> Result<(), FormatError>;

    /// Completes the file, makes it durable and gives it its name.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn finish(self: Box<Self>) -> Result<(), FormatError>;
}
