//! Opening what can be read to its end.

use std::fs::{File, FileType};
use std::path::Path;

use crate::FileError;

/// Opens a regular file or a pipe for reading once, from its start.
///
/// # Errors
/// When nothing is there, or it is a folder, a device or a socket: a device may never end.
pub fn open_file(path: &Path) -> Result<File, FileError> {
    open(path, is_pipe)
}

/// Opens a regular file, which can be read more than once and at any place.
///
/// # Errors
/// As [`open_file`]; a pipe is refused too.
pub fn open_regular(path: &Path) -> Result<File, FileError> {
    open(path, |_| false)
}

/// Looks before it opens: opening a device may have effects, and opening a pipe waits.
fn open(path: &Path, is_also: fn(FileType) -> bool) -> Result<File, FileError> {
    let name = path.display();
    let kind = std::fs::metadata(path)
        .map_err(|e| FileError::read(&name, e))?
        .file_type();
    if kind.is_dir() {
        return Err(FileError::file(&name, "is a folder, not a file"));
    }
    if !kind.is_file() && !is_also(kind) {
        return Err(FileError::file(&name, NOT_REGULAR));
    }
    File::open(path).map_err(|e| FileError::read(name, e))
}

const NOT_REGULAR: &str = "is not a regular file; copy its content to one first";

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_kind: FileType) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn devices_and_folders_are_refused_and_a_pipe_is_read_once() {
        let message = open_file(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(message.contains("/dev/zero: is not a regular"), "{message}");
        let folder = tempfile::tempdir().unwrap();
        let message = open_file(folder.path()).unwrap_err().to_string();
        assert!(message.contains("is a folder"), "{message}");
        let pipe = folder.path().join("pipe");
        let name = std::ffi::CString::new(pipe.as_os_str().as_bytes()).unwrap();
        // SAFETY: `name` is a string that ends with NUL and outlives the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        assert!(open_regular(&pipe).is_err());
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || {
                let mut out = std::fs::OpenOptions::new().write(true).open(pipe).unwrap();
                out.write_all(b"chr1\t5\n").unwrap();
            }
        });
        let mut text = String::new();
        open_file(&pipe).unwrap().read_to_string(&mut text).unwrap();
        writer.join().unwrap();
        assert_eq!(text, "chr1\t5\n");
    }
}
