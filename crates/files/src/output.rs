//! The one way in which a user's output file is written.
//!
//! A regular file is written beside its place and takes its name when it is whole ([`crate::unfinished`]
//! removes what a kill leaves). A symbolic link is
//! followed first, so that the link stays and the file at its end is replaced. A device, a pipe and an
//! entry of `/proc` (`/dev/stdout`) have no place to rename to: their bytes are written through. A disk
//! and a socket are refused. So is a name that says gzip where no gzip is written, and a file that the
//! program [guards](guard_outputs), because it was read.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::NamedTempFile;

use crate::FileError;
use crate::unfinished::begin_file_in;

/// Links that lead to links, at most: as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Says why a file that stands in an output's place must stay, if it must.
pub type Guard = dyn Fn(&Path) -> Option<String> + Send + Sync;

static GUARD: OnceLock<Box<Guard>> = OnceLock::new();

/// Sets who is asked before an output of this process replaces a file. A program may do so once; without
/// it any file is replaced.
pub fn guard_outputs(guard: Box<Guard>) {
    // A second guard of one process changes nothing.
    let _ = GUARD.set(guard);
}

/// Whether a file's name says that it is gzipped: `.gz` or `.bgz`, in any case.
///
/// ```
/// use persea_files::says_gzip;
/// assert!(says_gzip("a.bedGraph.GZ".as_ref()) && says_gzip("a.bgz".as_ref()));
/// assert!(!says_gzip("a.gz.bw".as_ref()));
/// ```
pub fn says_gzip(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("gz") || end.eq_ignore_ascii_case("bgz"))
}

/// An output under construction. A regular file that is dropped before [`OutputFile::finish`] is
/// removed; what has gone through a device or a pipe has gone.
pub struct OutputFile {
    /// As the user named it, for errors.
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    /// Written beside `place`, and renamed.
    Regular { place: PathBuf, file: NamedTempFile },
    /// Written through as it comes.
    Stream(File),
    /// Written to a nameless file, because the writer goes back, and copied through when whole.
    Spooled { stream: File, spool: File },
}

/// Where the bytes of an output belong.
enum Destination {
    /// At this path, which is not a link.
    Regular(PathBuf),
    /// Through whatever the path opens.
    Stream,
}

impl OutputFile {
    /// An output whose writer seeks. Before a device or a pipe it waits as a whole in the system's
    /// temporary folder.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let mut created = Self::stream(path)?;
        if let Kind::Stream(stream) = created.kind {
            let spool = tempfile::tempfile().map_err(|e| FileError::write(path.display(), e))?;
            created.kind = Kind::Spooled { stream, spool };
        }
        Ok(created)
    }

    /// An output whose writer never seeks.
    ///
    /// # Errors
    /// When it cannot be written to, its name says gzip, or a file stands there that must stay.
    pub fn stream(path: &Path) -> Result<Self, FileError> {
        match says_gzip(path) {
            true => Err(FileError::file(
                path.display(),
                "is not written gzipped: leave the last ending out of the name",
            )),
            false => Self::stream_packed(path),
        }
    }

    /// As [`OutputFile::stream`], for a writer that gzips where the name says so.
    ///
    /// # Errors
    /// When it cannot be written to, or a file stands there that must stay.
    pub fn stream_packed(path: &Path) -> Result<Self, FileError> {
        let failed = |e: io::Error| FileError::write(path.display(), e);
        let kind = match destination(path)? {
            Destination::Stream => {
                // Appending, because a redirected stdout may stand at the end of what others wrote.
                let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
                Kind::Stream(file)
            }
            Destination::Regular(place) => {
                if place.exists()
                    && let Some(why) = GUARD.get().and_then(|guard| guard(&place))
                {
                    return Err(FileError::file(path.display(), why));
                }
                let file = begin_file_in(folder(&place)).map_err(failed)?;
                Kind::Regular { place, file }
            }
        };
        let path = path.to_path_buf();
        Ok(OutputFile { path, kind })
    }

    /// The folder for temporary files of this output.
    pub fn scratch_folder(&self) -> PathBuf {
        match &self.kind {
            Kind::Regular { place, .. } => folder(place).to_path_buf(),
            Kind::Stream(_) | Kind::Spooled { .. } => std::env::temp_dir(),
        }
    }

    /// Makes the content durable, then gives the file its name; a regular file that stood there is
    /// replaced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<(), FileError> {
        let path = self.path;
        let failed = |e: io::Error| FileError::write(path.display(), e);
        match self.kind {
            Kind::Regular { place, file } => {
                file.as_file().sync_all().map_err(failed)?;
                file.persist(&place).map_err(|e| failed(e.error))?;
                // The name is durable when its folder is.
                #[cfg(unix)]
                File::open(folder(&place))
                    .and_then(|folder| folder.sync_all())
                    .map_err(failed)?;
                Ok(())
            }
            Kind::Stream(mut stream) => stream.flush().map_err(failed),
            Kind::Spooled {
                mut stream,
                mut spool,
            } => spool
                .seek(SeekFrom::Start(0))
                .and_then(|_| io::copy(&mut spool, &mut stream))
                .and_then(|_| stream.flush())
                .map_err(failed),
        }
    }

    fn file(&mut self) -> &mut File {
        match &mut self.kind {
            Kind::Regular { file, .. } => file.as_file_mut(),
            Kind::Stream(file) | Kind::Spooled { spool: file, .. } => file,
        }
    }
}

/// Writes a small file: a regular one as a whole or not at all, a device or a pipe through.
///
/// # Errors
/// When it cannot be written.
pub fn write_text(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let mut file = OutputFile::stream(path)?;
    file.write_all(content)
        .map_err(|e| FileError::write(path.display(), e))?;
    file.finish()
}

/// Follows links to where the bytes belong.
fn destination(path: &Path) -> Result<Destination, FileError> {
    let failed = |e: io::Error| FileError::write(path.display(), e);
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() && !found.is_dir() => {
            return match refused(&found) {
                Some(why) => Err(FileError::file(path.display(), why)),
                None => Ok(Destination::Stream),
            };
        }
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(failed(e)),
    }
    let mut place = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match std::fs::symlink_metadata(&place) {
            Ok(found) if found.is_symlink() => {}
            _ => return Ok(Destination::Regular(place)),
        }
        let holder = folder(&place).canonicalize().map_err(failed)?;
        // A link there is an open file, which its text only describes.
        if holder.starts_with("/proc") {
            return Ok(Destination::Stream);
        }
        let target = std::fs::read_link(&place).map_err(failed)?;
        place = folder(&place).join(target);
    }
    Err(FileError::file(
        path.display(),
        "is a symbolic link that leads in a circle",
    ))
}

/// Why nothing is written to a file of this kind, if so.
#[cfg(unix)]
fn refused(found: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    let kind = found.file_type();
    if kind.is_block_device() {
        Some("is a disk, not a file: name a file, a pipe or a character device")
    } else if kind.is_socket() {
        Some("is a socket, not a file: name a file, a pipe or a character device")
    } else {
        None
    }
}

#[cfg(not(unix))]
fn refused(_: &Metadata) -> Option<&'static str> {
    None
}

/// The folder that holds a file.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

impl Write for OutputFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file().write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

impl Read for OutputFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file().read(buffer)
    }
}

impl Seek for OutputFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file().seek(to)
    }
}
