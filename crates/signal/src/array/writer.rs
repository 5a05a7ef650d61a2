//! Writing bins as one float32 array.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::npy::float32_header;
use crate::pieces::PieceOrder;
use crate::{Format, FormatError, SignalWriter};
use persea_files::{NpzWriter, OutputFile, Packing};
use persea_genome::GenomeAxis;

/// Writes `.npy`, or `.npz` with the key `arr_0`: the bins that were written, in the axis's order.
///
/// Bins come in genome order and leave in the axis's, and their number is known only at the end;
/// until then they wait in a temporary file.
pub(crate) struct ArrayWriter {
    order: PieceOrder,
    format: Format,
    output: OutputFile,
    waiting: BufWriter<File>,
    /// Stretches of consecutive axis bins, in the order in which they wait.
    stretches: Vec<Stretch>,
    n_values: u64,
}

struct Stretch {
    axis_bin: u64,
    /// Where it waits, in values.
    at: u64,
    n_values: u64,
}

impl ArrayWriter {
    pub fn create(path: &Path, format: Format, axis: &GenomeAxis) -> Result<Self, FormatError> {
        // Only an archive is gone back to.
        let output = match format {
            Format::Npy => OutputFile::stream(path)?,
            _ => OutputFile::create(path)?,
        };
        let waiting = tempfile::tempfile_in(output.scratch_folder())
            .map_err(|e| FormatError::write(path.display(), e))?;
        Ok(ArrayWriter {
            order: PieceOrder::new(path, axis),
            format,
            output,
            waiting: BufWriter::with_capacity(1 << 16, waiting),
            stretches: Vec::new(),
            n_values: 0,
        })
    }
}

impl SignalWriter for ArrayWriter {
    fn write(&mut self, axis_bin: u64, values: &[f32]) -> Result<(), FormatError> {
        self.order.check(axis_bin, values)?;
        for value in values {
            self.waiting
                .write_all(&value.to_le_bytes())
                .map_err(|e| FormatError::write(self.order.file(), e))?;
        }
        let n_values = values.len() as u64;
        match self.stretches.last_mut() {
            Some(last) if last.axis_bin + last.n_values == axis_bin => last.n_values += n_values,
            _ => self.stretches.push(Stretch {
                axis_bin,
                at: self.n_values,
                n_values,
            }),
        }
        self.n_values += n_values;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), FormatError> {
        let this = *self;
        let file = this.order.file().to_string();
        let failed = |e: io::Error| FormatError::write(&file, e);
        let waiting = this
            .waiting
            .into_inner()
            .map_err(|e| failed(e.into_error()))?;
        let mut stretches = this.stretches;
        stretches.sort_by_key(|stretch| stretch.axis_bin);
        let out = BufWriter::with_capacity(1 << 16, this.output);
        let out = match this.format {
            Format::Npy => put_array(out, this.n_values, &stretches, waiting).map_err(failed)?,
            _ => {
                let mut npz = NpzWriter::new(out);
                npz.begin("arr_0", Packing::Deflated).map_err(failed)?;
                put_array(&mut npz, this.n_values, &stretches, waiting).map_err(failed)?;
                npz.finish().map_err(failed)?
            }
        };
        let output = out.into_inner().map_err(|e| failed(e.into_error()))?;
        Ok(output.finish()?)
    }
}

fn put_array<W: Write>(
    mut out: W,
    n_values: u64,
    stretches: &[Stretch],
    waiting: File,
) -> io::Result<W> {
    out.write_all(&float32_header(n_values))?;
    let mut waiting = BufReader::with_capacity(1 << 16, waiting);
    for stretch in stretches {
        waiting.seek(SeekFrom::Start(4 * stretch.at))?;
        let n = io::copy(&mut (&mut waiting).take(4 * stretch.n_values), &mut out)?;
        if n != 4 * stretch.n_values {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(out)
}
