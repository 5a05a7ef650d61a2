//! Peaks: intervals in any order, which may overlap.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::lines::{IntervalLines, LineInterval};
use crate::bins::Binner;
use crate::walk::AxisWalk;
use crate::{
    BinSink, Format, FormatError, Location, Missing, ReadOptions, ReadReport, SignalReader,
};
use persea_genome::GenomeAxis;

/// Reads narrowPeak, broadPeak and BED; where peaks overlap the highest counts, and a file without
/// a line is a track without a peak. A sequence on which the file has no line has no data, unless the
/// options say otherwise.
///
/// Peaks come unsorted, so those on the axis's chromosomes are held: 24 bytes each.
pub(crate) struct PeakReader {
    location: Location,
    format: Format,
}

impl PeakReader {
    pub fn new(location: Location, format: Format) -> Self {
        PeakReader { location, format }
    }
}

#[derive(Debug, Clone, Copy)]
struct Peak {
    rank: u32,
    start: u64,
    end: u64,
    value: f32,
}

impl SignalReader for PeakReader {
    fn read(
        &mut self,
        axis: &GenomeAxis,
        options: &ReadOptions,
        sink: &mut BinSink<'_>,
    ) -> Result<ReadReport, FormatError> {
        let file = self.location.to_string();
        let mut lines = IntervalLines::open(&self.location, axis.assembly())?;
        let assembly = axis.assembly();
        let mut covered = vec![false; assembly.chromosomes().len()];
        for region in axis.regions() {
            if let Some(rank) = assembly.rank(&region.chrom) {
                covered[rank] = true;
            }
        }
        let mut peaks = Vec::new();
        let mut column = None;
        while let Some(LineInterval { rank, start, end }) = lines.next_place()? {
            let column = *column.get_or_insert(Column::of(self.format, lines.n_fields()));
            let value = column.signal(&lines)?;
            if covered[rank] {
                peaks.push(Peak {
                    rank: rank as u32,
                    start,
                    end,
                    value,
                });
            }
        }
        peaks.sort_by_key(|peak| (peak.rank, peak.start, peak.end));
        // A file without a line has no sequence, but is a track without a peak all the same.
        let options = match (options.missing, column) {
            (Missing::ByFormat, None) => ReadOptions {
                missing: Missing::Zero,
            },
            _ => *options,
        };
        let mut walk = AxisWalk::new(axis, Binner::new(axis, &options, &file, sink));
        highest(&peaks, |peak| {
            walk.add(peak.rank as usize, peak.start, peak.end, peak.value)
        })?;
        walk.finish()
    }
}

/// Where a format keeps the signal.
#[derive(Debug, Clone, Copy)]
enum Column {
    /// A field, counted from 0, and what it is called.
    Field(usize, &'static str),
    /// A peak is a peak.
    One,
}

impl Column {
    fn of(format: Format, n_fields: usize) -> Self {
        match (format, n_fields) {
            (Format::Bed, 3) => Column::One,
            (Format::Bed, 4) => Column::Field(
                3,
                "the signal of a BED with four columns; give a score in column 5 where column 4 \
                 is a name",
            ),
            (Format::Bed, _) => Column::Field(4, "a BED's score"),
            (Format::BroadPeak, _) => Column::Field(6, "a broadPeak's signalValue"),
            _ => Column::Field(6, "a narrowPeak's signalValue"),
        }
    }

    fn signal(self, lines: &IntervalLines<'_>) -> Result<f32, FormatError> {
        match self {
            Column::Field(field, name) => lines.signal(field, name),
            Column::One => Ok(1.0),
        }
    }
}

/// A peak that is still open at the sweep's position, ordered by height; NaN is lowest.
struct Open(Peak);

impl Open {
    fn height(&self) -> f32 {
        if self.0.value.is_nan() {
            f32::NEG_INFINITY
        } else {
            self.0.value
        }
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Open {}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        self.height().total_cmp(&other.height())
    }
}

/// Cuts sorted peaks into stretches without overlap, each with the highest value over it.
fn highest<E>(peaks: &[Peak], mut emit: impl FnMut(Peak) -> Result<(), E>) -> Result<(), E> {
    for chromosome in peaks.chunk_by(|a, b| a.rank == b.rank) {
        let mut open: BinaryHeap<Open> = BinaryHeap::new();
        let mut position = 0;
        let starts = chromosome.iter().map(|peak| (peak.start, Some(*peak)));
        for (until, peak) in starts.chain([(u64::MAX, None)]) {
            while position < until {
                let Some(Open(top)) = open.peek() else { break };
                if top.end <= position {
                    open.pop();
                    continue;
                }
                let end = top.end.min(until);
                emit(Peak {
                    start: position,
                    end,
                    ..*top
                })?;
                position = end;
            }
            position = until;
            open.extend(peak.map(Open));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(peaks: &[(u64, u64, f32)]) -> Vec<(u64, u64, f32)> {
        let mut peaks: Vec<Peak> = peaks
            .iter()
            .map(|(start, end, value)| Peak {
                rank: 0,
                start: *start,
                end: *end,
                value: *value,
            })
            .collect();
        peaks.sort_by_key(|peak| (peak.start, peak.end));
        let mut out = Vec::new();
        highest(&peaks, |peak| {
            out.push((peak.start, peak.end, peak.value));
            Ok::<(), ()>(())
        })
        .unwrap();
        out
    }

    #[test]
    fn where_peaks_overlap_the_highest_counts() {
        assert_eq!(
            cut(&[(10, 20, 1.0), (15, 40, 3.0), (18, 30, 2.0), (50, 60, -1.0)]),
            [(10, 15, 1.0), (15, 18, 3.0), (18, 40, 3.0), (50, 60, -1.0)]
        );
        assert_eq!(
            cut(&[(0, 10, 1.0), (2, 4, 5.0), (3, 8, -2.0)]),
            [(0, 2, 1.0), (2, 3, 5.0), (3, 4, 5.0), (4, 10, 1.0)]
        );
    }

    #[test]
    fn a_peak_without_a_value_hides_no_other() {
        assert_eq!(cut(&[(0, 10, f32::NAN), (0, 10, -4.0)]), [(0, 10, -4.0)]);
    }
}
