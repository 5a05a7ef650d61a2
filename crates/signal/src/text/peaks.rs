//! Peaks: intervals in any order, which may overlap.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::layout::Layout;
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
    /// `None`: the columns tell.
    format: Option<Format>,
}

impl PeakReader {
    pub fn new(location: Location, format: Option<Format>) -> Self {
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
        let mut columns = Columns::new(self.format);
        let mut has_lines = false;
        while let Some(LineInterval { rank, start, end }) = lines.next_place()? {
            has_lines = true;
            let value = columns.signal(&lines)?;
            if covered[rank] {
                // Sorting takes half of it again, and so does a list that grows.
                lines.keep(2 * size_of::<Peak>())?;
                peaks.push(Peak {
                    rank: rank as u32,
                    start,
                    end,
                    value,
                });
            }
        }
        let sequences = lines.finish()?;
        peaks.sort_by_key(|peak| (peak.rank, peak.start, peak.end));
        // A file without a line has no sequence, but is a track without a peak all the same. A base without
        // a cytosine has no methylation, and not none of it.
        let options = match (options.missing, has_lines) {
            (Missing::ByFormat, false) => ReadOptions {
                missing: Missing::Zero,
            },
            _ if columns.is_methylation() => options.of_dense_signal(),
            _ => *options,
        };
        let mut walk = AxisWalk::new(axis, Binner::new(axis, &options, &file, sink));
        highest(&peaks, |peak| {
            walk.add(peak.rank as usize, peak.start, peak.end, peak.value)
        })?;
        let mut report = walk.finish()?;
        report.notes = sequences.notes;
        Ok(report)
    }
}

/// Where the signal of a file is kept: what its format says, or its columns. All lines must agree.
struct Columns {
    format: Option<Format>,
    /// The first line's number of columns and layout.
    first: Option<(usize, Option<Layout>)>,
    /// The modification that the lines of modkit's bedMethyl are about.
    modification: Option<String>,
}

impl Columns {
    fn new(format: Option<Format>) -> Self {
        Columns {
            format,
            first: None,
            modification: None,
        }
    }

    fn is_methylation(&self) -> bool {
        matches!(self.first, Some((_, Some(Layout::BedMethyl(_)))))
    }

    fn signal(&mut self, lines: &IntervalLines<'_>) -> Result<f32, FormatError> {
        let column = match self.format {
            Some(Format::NarrowPeak) => Some((6, "a narrowPeak's signalValue")),
            Some(Format::BroadPeak) => Some((6, "a broadPeak's signalValue")),
            of => self.of_bed(of.is_none(), lines)?,
        };
        match column {
            Some((field, name)) => lines.signal(field, name),
            None => Ok(1.0),
        }
    }

    fn of_bed(
        &mut self,
        is_known_by_content: bool,
        lines: &IntervalLines<'_>,
    ) -> Result<Option<(usize, &'static str)>, FormatError> {
        let n = lines.n_fields();
        let layout = match is_known_by_content {
            true => {
                let texts = lines.texts();
                let fields: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
                Some(Layout::of(&fields))
            }
            false => None,
        };
        if let Some(Ok(Layout::BedMethyl(18))) = layout {
            let here = lines.texts()[3].to_string();
            let before = self.modification.get_or_insert_with(|| here.clone());
            if *before != here {
                return Err(lines.error(format!(
                    "is about the modification {here}, and the lines before about {before}; give a \
                     file of one modification"
                )));
            }
        }
        let (n_first, of_first) = match (self.first, &layout) {
            (Some(first), _) => first,
            (None, Some(Err(why))) => return Err(lines.error(why.clone())),
            (None, Some(Ok(layout))) => *self.first.insert((n, Some(*layout))),
            (None, None) => *self.first.insert((n, None)),
        };
        match (of_first, layout) {
            _ if n != n_first => Err(lines.error(format!(
                "it has {n} columns where the lines before have {n_first}"
            ))),
            (Some(before), Some(Ok(here))) if here != before => Err(lines.error(format!(
                "its columns are those of {here}, and the lines before are of {before}; if they are \
                 alike, say what they are by the manifest's column `format`"
            ))),
            (Some(before), Some(Err(_))) => Err(lines.error(format!(
                "its columns are not those of {before}, as the lines before are"
            ))),
            (Some(before), _) => Ok(before.signal()),
            (None, _) => Ok(match n {
                3 => Layout::Bed3.signal(),
                4 => Layout::Bed4.signal(),
                n => Layout::Scored(n).signal(),
            }),
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
