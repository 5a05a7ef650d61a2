//! Writing a file: its head, then the arrays, whose numbers pass through.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::layout::Layout;
use super::messages::{Array, Group};
use persea_files::FileError;
use persea_files::OutputFile;

/// Fills an array: its path, what it is, and where its bytes (row-major, little-endian) go.
pub(crate) type Fill<'a, E> = dyn FnMut(&str, &Array, &mut dyn Write) -> Result<(), E> + 'a;

/// Writes a file under a temporary name and renames it when it is complete. `fill` is asked for each array, in
/// the order in which they were put into the groups.
///
/// # Errors
/// When `fill` fails or gives more or fewer bytes than the array has, or the disk is full.
pub(crate) fn write_hdf5<E: From<FileError>>(
    path: &Path,
    root: &Group,
    fill: &mut Fill<'_, E>,
) -> Result<(), E> {
    let failed = |e: io::Error| FileError::write(path.display(), e);
    let layout = Layout::new(root).map_err(|why| FileError::file(path.display(), why))?;
    let mut out = BufWriter::with_capacity(1 << 18, OutputFile::stream(path)?);
    out.write_all(&layout.head).map_err(failed)?;
    let mut at = layout.head.len() as u64;
    for (name, array, address) in &layout.arrays {
        let gap = [0; 8];
        out.write_all(&gap[..(address - at) as usize])
            .map_err(failed)?;
        let mut counted = Counted {
            inner: &mut out,
            n: 0,
        };
        fill(name, array, &mut counted)?;
        if counted.n != array.n_bytes() {
            return Err(FileError::file(
                path.display(),
                format!(
                    "{name} has {} bytes, and {} came",
                    array.n_bytes(),
                    counted.n
                ),
            )
            .into());
        }
        at = address + array.n_bytes();
    }
    // The file ends where its superblock says.
    let end = [0; 8];
    let n = (at.next_multiple_of(8) - at) as usize;
    out.write_all(&end[..n]).map_err(failed)?;
    let output = out.into_inner().map_err(|e| failed(e.into_error()))?;
    output.finish()?;
    Ok(())
}

/// Passes bytes on and counts them.
struct Counted<'a, W> {
    inner: &'a mut W,
    n: u64,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.n += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
