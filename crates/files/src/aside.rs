//! A file that is written aside and takes its name when it is whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::FileError;

/// A new file beside the place where it will stand; dropped before [`AsideFile::finish`], it is
/// removed.
pub struct AsideFile {
    path: PathBuf,
    file: NamedTempFile,
}

impl AsideFile {
    /// A new file for that path, which it takes when it is finished.
    ///
    /// # Errors
    /// When its folder cannot be written to.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".persea-").suffix(".part");
        #[cfg(unix)]
        {
            // As any other new file: the default of a temporary one hides it from colleagues.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .tempfile_in(folder(path))
            .map_err(|e| FileError::write(path.display(), e))?;
        let path = path.to_path_buf();
        Ok(AsideFile { path, file })
    }

    /// Makes the content durable, then gives the file its name; what stood there is replaced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<File, FileError> {
        let path = self.path;
        let failed = |e: io::Error| FileError::write(path.display(), e);
        self.file.as_file().sync_all().map_err(failed)?;
        let file = self.file.persist(&path).map_err(|e| failed(e.error))?;
        // The name is durable when its folder is.
        #[cfg(unix)]
        File::open(folder(&path))
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
        Ok(file)
    }
}

/// Writes a small file as a whole, or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_text(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let mut file = AsideFile::create(path)?;
    file.write_all(content)
        .map_err(|e| FileError::write(path.display(), e))?;
    file.finish()?;
    Ok(())
}

/// The folder that holds a file.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

impl Write for AsideFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for AsideFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for AsideFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
