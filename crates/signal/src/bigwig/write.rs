//! Writing bins as bigWig.

use std::path::Path;

use super::file::BigWigFile;
use crate::pieces::PieceOrder;
use crate::runs::{Run, Runs};
use crate::{FormatError, SignalWriter};
use persea_genome::GenomeAxis;

/// Writes bins as bigWig, neighbours of equal value as one interval.
pub(crate) struct BigWigWriter {
    order: PieceOrder,
    runs: Runs,
    file: BigWigFile,
}

impl BigWigWriter {
    pub fn create(path: &Path, axis: &GenomeAxis) -> Result<Self, FormatError> {
        Ok(BigWigWriter {
            order: PieceOrder::new(path, axis),
            runs: Runs::default(),
            file: BigWigFile::create(path, axis.assembly())?,
        })
    }

    fn put(&mut self, run: Option<Run>) -> Result<(), FormatError> {
        match run {
            Some(run) => self.file.add(run),
            None => Ok(()),
        }
    }
}

impl SignalWriter for BigWigWriter {
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
        self.file.finish()
    }
}
