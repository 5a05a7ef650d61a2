//! The files that were chosen, on this machine: local copies by accession, else fetched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::choose::{Choice, Chosen};
use super::table::{FileKind, PortalFile, PortalTable};
use crate::compendium::{CompendiumError, Experiment, Manifest, ManifestRow};
use crate::files::Table;
use crate::formats::{
    Fetched, Format, FormatError, Location, Missing, bigbed_lines, fetch, identity, md5, write_text,
};
use crate::store::{Database, Transform};

/// The local copies of a folder, by accession.
#[derive(Debug, Clone, Default)]
pub struct LocalCopies {
    folder: PathBuf,
    by_accession: BTreeMap<String, Vec<PathBuf>>,
}

/// A file's local copy.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalFile {
    /// The file.
    pub file: PortalFile,
    /// The copy.
    pub path: PathBuf,
}

/// Progress of fetching a file.
#[derive(Debug, Clone, Copy)]
pub struct FetchEvent<'a> {
    /// Its accession.
    pub accession: &'a str,
    /// Bytes that have come.
    pub n_bytes: u64,
    /// Its length.
    pub total: u64,
}

/// What of a choice is on this machine, its MD5 checked.
#[derive(Debug, Default)]
pub struct Provided {
    /// The tracks as a manifest; `None`: there is none.
    pub manifest: Option<Manifest>,
    /// Called peaks.
    pub peaks: Vec<LocalFile>,
    /// What could not be had, and why.
    pub failed: Vec<(Experiment, CompendiumError)>,
    /// Files that were not reached because of a stop.
    pub n_left: usize,
}

impl LocalCopies {
    /// Looks for copies in a folder: files whose names are an accession and an ending that belongs to a
    /// format, as the portal names them. A folder that is not there has none.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn of(folder: &Path) -> Result<Self, CompendiumError> {
        let folder = one_name(folder);
        let mut by_accession: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        let read = |e| FormatError::read(folder.display(), e);
        if folder.exists() {
            for entry in std::fs::read_dir(&folder).map_err(read)? {
                let path = entry.map_err(read)?.path();
                if let Some((accession, _)) = name_of(&path).split_once('.') {
                    let of = by_accession.entry(accession.to_string()).or_default();
                    of.push(path);
                }
            }
        }
        Ok(LocalCopies {
            folder,
            by_accession,
        })
    }

    /// The copy of a file.
    pub fn find(&self, file: &PortalFile) -> Option<&Path> {
        let of = self.by_accession.get(&file.accession)?;
        let mut fit = of.iter().filter(|path| {
            let name = name_of(path).to_ascii_lowercase();
            let ending = name.split_once('.').map(|(_, ending)| ending);
            ending.is_some_and(|ending| endings(file.kind).contains(&ending))
        });
        fit.next().map(PathBuf::as_path)
    }

    /// Where a file is to be fetched to.
    fn place(&self, file: &PortalFile) -> PathBuf {
        let ending = match file.kind {
            FileKind::PeaksBed => "bed.gz",
            FileKind::PeaksBigBed => "bigBed",
            _ => "bigWig",
        };
        self.folder.join(format!("{}.{ending}", file.accession))
    }
}

/// A folder's absolute path without `..` and links, so that a track's file is known by one name wherever ingest is
/// run and however the folder is named. What is not there yet is appended as it was given.
fn one_name(folder: &Path) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    let settled = absolute.ancestors().find_map(|ancestor| {
        let real = std::fs::canonicalize(ancestor).ok()?;
        let rest = absolute.strip_prefix(ancestor).ok()?;
        // Joining nothing would append a slash.
        Some(match rest.as_os_str().is_empty() {
            true => real,
            false => real.join(rest),
        })
    });
    settled.unwrap_or(absolute)
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy());
    // What a folder lists has a name.
    name.unwrap_or_default().into_owned()
}

/// What a copy's name may end in, in lower case, behind the accession.
fn endings(kind: FileKind) -> &'static [&'static str] {
    match kind {
        FileKind::Signal => &["bigwig", "bw"],
        FileKind::PeaksBed => &["bed.gz", "bed", "narrowpeak", "narrowpeak.gz"],
        FileKind::PeaksBigBed => &["bigbed", "bb"],
        FileKind::Other => &[],
    }
}

/// Finds or fetches what was chosen and is not ambiguous, and checks each file's MD5. A copy that a track was
/// read from, and that has not changed since, is not read again.
///
/// # Errors
/// When the folder of copies cannot be made. A file that cannot be had is in the result and loses none of the
/// others.
pub fn provide(
    table: &PortalTable,
    choice: &Choice,
    copies: &LocalCopies,
    database: &Database,
    progress: &mut dyn FnMut(FetchEvent<'_>),
    stop: &AtomicBool,
) -> Result<Provided, CompendiumError> {
    let folder = &copies.folder;
    std::fs::create_dir_all(folder).map_err(|e| FormatError::write(folder.display(), e))?;
    let mut provided = Provided::default();
    let mut rows = Vec::new();
    let wanted = |file: &&PortalFile| !choice.is_ambiguous(file);
    let signal = choice.taken.iter().map(|chosen| &chosen.file);
    for file in signal.chain(&choice.peaks).filter(wanted) {
        let experiment = Experiment::new(&file.biosample, &file.assay);
        if stop.load(Ordering::Relaxed) {
            provided.n_left += 1;
            continue;
        }
        match one(file, copies, database, progress, stop) {
            Ok(path) if file.kind == FileKind::Signal => {
                let chosen = (choice.taken.iter()).find(|c| c.file.line == file.line);
                rows.extend(chosen.map(|chosen| row(chosen, path)));
            }
            Ok(path) => provided.peaks.push(LocalFile {
                file: file.clone(),
                path,
            }),
            Err(CompendiumError::Stopped) => provided.n_left += 1,
            Err(e) => provided.failed.push((experiment, e)),
        }
    }
    provided.manifest = (!rows.is_empty()).then(|| Manifest {
        path: table.path.clone(),
        rows,
        skipped: Vec::new(),
    });
    Ok(provided)
}

fn row(chosen: &Chosen, path: PathBuf) -> ManifestRow {
    let file = &chosen.file;
    ManifestRow {
        line: file.line,
        biosample: file.biosample.clone(),
        assay: file.assay.clone(),
        location: Location::Path(path),
        format: Some(Format::BigWig),
        transform: Transform::Arcsinh,
        multiplier: 1.0,
        unit: Some(chosen.unit.clone()),
        missing: Missing::ByFormat,
        origin: Some(file.origin.clone()),
    }
}

/// The path of one file, whose MD5 has been checked.
fn one(
    file: &PortalFile,
    copies: &LocalCopies,
    database: &Database,
    progress: &mut dyn FnMut(FetchEvent<'_>),
    stop: &AtomicBool,
) -> Result<PathBuf, CompendiumError> {
    let expected = file.origin.md5.as_deref();
    if let Some(path) = copies.find(file) {
        if let Some(expected) = expected
            && !is_checked(file, path, database)?
        {
            let found = md5(path)?;
            if !found.eq_ignore_ascii_case(expected) {
                return Err(CompendiumError::file(
                    path,
                    format!(
                        "its MD5 is {found}, the table says {expected}: the copy is damaged, or of another \
                         version. Remove it, and it is fetched anew"
                    ),
                ));
            }
        }
        return Ok(path.to_path_buf());
    }
    let to = copies.place(file);
    if file.url.is_empty() {
        return Err(CompendiumError::file(
            &to,
            "there is no such copy, and the table gives no URL",
        ));
    }
    let mut report = |n_bytes, total| {
        progress(FetchEvent {
            accession: &file.accession,
            n_bytes,
            total,
        });
        !stop.load(Ordering::Relaxed)
    };
    match fetch(&file.url, &to, expected, &mut report)? {
        Fetched::Whole => Ok(to),
        Fetched::Stopped => Err(CompendiumError::Stopped),
    }
}

/// Whether a track was read from this copy after its MD5 had been checked, and the copy is unchanged.
fn is_checked(
    file: &PortalFile,
    path: &Path,
    database: &Database,
) -> Result<bool, CompendiumError> {
    if file.kind != FileKind::Signal {
        return Ok(false);
    }
    let Some(track) = database.track(&file.biosample, &file.assay)? else {
        return Ok(false);
    };
    let location = Location::Path(path.to_path_buf());
    let now = identity(&location)?;
    let name = location.to_string();
    Ok(track.sources.iter().any(|source| {
        let checked = source.origin.as_ref().map(|origin| &origin.md5);
        source.location == name && source.identity == now && checked == Some(&file.origin.md5)
    }))
}

/// The columns of a manifest of called peaks, and what its last one says.
const PEAKS_COLUMNS: [&str; 4] = ["biosample", "assay", "path", "format"];
const PEAKS_FORMAT: &str = "narrowpeak";

/// The paths in a manifest of called peaks that was written before, by biosample and assay.
fn listed_peaks(path: &Path) -> Result<BTreeMap<(String, String), String>, CompendiumError> {
    let table = Table::read(path)?;
    if table.header != PEAKS_COLUMNS {
        return Err(CompendiumError::file(
            path,
            "it is in the place of the manifest of called peaks, and is none; move it",
        ));
    }
    let mut listed = BTreeMap::new();
    for (line, cells) in &table.rows {
        let [biosample, assay, file, _] = cells.as_slice() else {
            let message = format!("it has {} fields, the header 4", cells.len());
            return Err(CompendiumError::line(path, *line, message));
        };
        listed.insert((biosample.clone(), assay.clone()), file.clone());
    }
    Ok(listed)
}

/// Writes the manifest of called peaks that an evaluation takes (option `peaks`). A bigBed is written as
/// narrowPeak beside it, because peaks are read as text. Rows that the manifest has of other tracks stay.
///
/// # Errors
/// When a bigBed cannot be read, what stands at `to` is no such manifest, or a file cannot be written.
pub fn write_peaks(to: &Path, peaks: &[LocalFile]) -> Result<(), CompendiumError> {
    let mut rows = if to.exists() {
        listed_peaks(to)?
    } else {
        BTreeMap::new()
    };
    for LocalFile { file, path } in peaks {
        let path = match file.kind {
            FileKind::PeaksBigBed => {
                let text = path.with_extension("narrowPeak");
                write_text(&text, bigbed_lines(path)?.as_bytes())?;
                text
            }
            _ => path.clone(),
        };
        let of = (file.biosample.clone(), file.assay.clone());
        rows.insert(of, path.to_string_lossy().into_owned());
    }
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b'\t')
        .from_writer(Vec::new());
    let broken = |e: csv::Error| FormatError::write(to.display(), std::io::Error::other(e));
    writer.write_record(PEAKS_COLUMNS).map_err(broken)?;
    for ((biosample, assay), path) in &rows {
        let fields = [biosample, assay, path, PEAKS_FORMAT];
        writer.write_record(fields).map_err(broken)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| FormatError::write(to.display(), std::io::Error::other(e.to_string())))?;
    write_text(to, &bytes)?;
    Ok(())
}
