//! bedGraph: sorted intervals with a value each.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::bgzip::BgzipWriter;
use super::lines::{IntervalLines, LineInterval};
use crate::bins::Binner;
use crate::pieces::PieceOrder;
use crate::runs::{Run, Runs};
use crate::walk::AxisWalk;
use crate::{BinSink, FormatError, Location, ReadOptions, ReadReport, SignalReader, SignalWriter};
use persea_files::{OutputFile, says_gzip};
use persea_genome::GenomeAxis;

/// Reads bedGraph as a stream.
pub(crate) struct BedGraphReader {
    location: Location,
}

impl BedGraphReader {
    pub fn new(location: Location) -> Self {
        BedGraphReader { location }
    }
}

impl SignalReader for BedGraphReader {
    fn read(
        &mut self,
        axis: &GenomeAxis,
        options: &ReadOptions,
        sink: &mut BinSink<'_>,
    ) -> Result<ReadReport, FormatError> {
        let file = self.location.to_string();
        let mut lines = IntervalLines::open(&self.location, axis.assembly())?;
        let options = options.of_dense_signal();
        let mut walk = AxisWalk::new(axis, Binner::new(axis, &options, &file, sink));
        let mut seen = vec![false; axis.assembly().chromosomes().len()];
        let mut last: Option<LineInterval> = None;
        while let Some(place) = lines.next_place()? {
            let value = lines.signal(3, "the value of a bedGraph")?;
            match last {
                Some(last) if last.rank == place.rank => {
                    if place.start < last.start {
                        return Err(lines.error(UNSORTED));
                    }
                    if place.start < last.end {
                        return Err(lines.error(format!(
                            "overlaps the line before, which ends at {}: a base of a bedGraph has \
                             one value",
                            last.end
                        )));
                    }
                }
                _ if seen[place.rank] => return Err(lines.error(UNSORTED)),
                _ => seen[place.rank] = true,
            }
            last = Some(place);
            walk.add(place.rank, place.start, place.end, value)?;
        }
        let is_empty = last.is_none();
        let empty = lines.file_error("is empty: no line of signal in it");
        let sequences = lines.finish()?;
        if is_empty {
            return Err(empty);
        }
        let mut report = walk.finish()?;
        report.notes = sequences.notes;
        Ok(report)
    }
}

const UNSORTED: &str =
    "is out of order: sort the bedGraph by chromosome and start (sort -k1,1 -k2,2n)";

/// Writes bedGraph, bgzipped where the path [says so](says_gzip); bins of equal value become one line.
pub(crate) struct BedGraphWriter {
    order: PieceOrder,
    runs: Runs,
    output: Output,
}

enum Output {
    Plain(BufWriter<OutputFile>),
    Gzip(BgzipWriter<BufWriter<OutputFile>>),
}

impl BedGraphWriter {
    pub fn create(path: &Path, axis: &GenomeAxis) -> Result<Self, FormatError> {
        let output = BufWriter::with_capacity(1 << 16, OutputFile::stream_packed(path)?);
        let output = if says_gzip(path) {
            Output::Gzip(BgzipWriter::new(output))
        } else {
            Output::Plain(output)
        };
        Ok(BedGraphWriter {
            order: PieceOrder::new(path, axis),
            runs: Runs::default(),
            output,
        })
    }

    fn put(&mut self, run: Option<Run>) -> Result<(), FormatError> {
        let Some(run) = run else { return Ok(()) };
        let chrom = self.order.chrom_name(run.rank);
        let result = match &mut self.output {
            Output::Plain(out) => put_line(out, chrom, &run),
            Output::Gzip(out) => put_line(out, chrom, &run),
        };
        result.map_err(|e| FormatError::write(self.order.file(), e))
    }
}

fn put_line(out: &mut dyn Write, chrom: &str, run: &Run) -> std::io::Result<()> {
    // `{:?}` is the shortest text that reads back as the same f32, with an exponent if need be.
    writeln!(out, "{chrom}\t{}\t{}\t{:?}", run.start, run.end, run.value)
}

impl SignalWriter for BedGraphWriter {
    fn write(&mut self, axis_bin: u64, values: &[f32]) -> Result<(), FormatError> {
        let piece = self.order.check(axis_bin, values)?;
        // A bin without data is a gap.
        for (i, value) in values.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
            let run = self.runs.push(piece.run(i as u64, *value));
            self.put(run)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), FormatError> {
        let run = self.runs.take();
        self.put(run)?;
        let file = self.order.file().to_string();
        let failed = |e: std::io::Error| FormatError::write(&file, e);
        let buffered = match self.output {
            Output::Plain(out) => out,
            Output::Gzip(out) => out.finish().map_err(failed)?,
        };
        let output: OutputFile = buffered.into_inner().map_err(|e| failed(e.into_error()))?;
        Ok(output.finish()?)
    }
}
