//! Writing files so that they survive a power cut: written under a temporary name, synced, renamed.
//!
//! A rename is only durable once the folder that holds the name has been synced as well; these
//! functions do both, so that what the rest of the module calls "stored" is on the disk.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use persea_files::UnfinishedFolder;

use super::StoreError;

/// Writes a new file and waits until its bytes are on the disk. Its folder is not synced.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| StoreError::io(path, e))
}

/// Replaces a file's content as a whole: readers see the old one or the new one.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = path.with_extension("new");
    write_synced(&temporary, bytes)?;
    rename_synced(&temporary, path)
}

/// Makes a folder's entries durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|e| StoreError::io(path, e))
}

/// Renames a file or folder and makes the new name durable.
pub(crate) fn rename_synced(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(|e| StoreError::io(to, e))?;
    sync_folder(folder_of(to))
}

/// Begins a folder that will stand at `place`, beside it.
pub(crate) fn begin_folder(place: &Path) -> Result<UnfinishedFolder, StoreError> {
    let parent = folder_of(place);
    make_folder_synced(parent)?;
    UnfinishedFolder::begin_in(parent).map_err(|e| StoreError::io(place, e))
}

/// Gives a folder its place, durably; its content has been synced.
pub(crate) fn finish_folder(folder: UnfinishedFolder, place: &Path) -> Result<(), StoreError> {
    folder.rename(place).map_err(|e| StoreError::io(place, e))?;
    sync_folder(folder_of(place))
}

/// The folder that holds a name; a bare name lies in the current one.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a folder and those above it that are missing.
pub(crate) fn make_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(|e| StoreError::io(path, e))
}

/// As [`make_folder`], and makes the names of those that were missing durable: what is synced in a folder
/// is lost with the folder's own name.
pub(crate) fn make_folder_synced(path: &Path) -> Result<(), StoreError> {
    let mut missing = Vec::new();
    let mut at = path;
    while !at.exists() {
        missing.push(at);
        at = folder_of(at);
    }
    make_folder(path)?;
    missing
        .into_iter()
        .try_for_each(|made| sync_folder(folder_of(made)))
}

/// Removes a folder and all that is in it; an absent one is fine.
pub(crate) fn remove_folder(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io(path, e)),
        _ => Ok(()),
    }
}

/// Copies a folder of files and folders, each file synced.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(from).map_err(|e| StoreError::io(from, e))?;
    make_folder(to)?;
    for entry in entries {
        let entry = entry.map_err(|e| StoreError::io(from, e))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().map_err(|e| StoreError::io(&path, e))? {
            kind if kind.is_dir() => copy_folder(&path, &target)?,
            _ => copy_file(&path, &target)?,
        }
    }
    sync_folder(to)
}

pub(crate) fn copy_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    let mut source = File::open(from).map_err(|e| StoreError::io(from, e))?;
    let mut write = || {
        let mut target = File::create(to)?;
        io::copy(&mut source, &mut target)?;
        target.sync_all()
    };
    write().map_err(|e| StoreError::io(to, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_lies_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("pilot.persea")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/pilot.persea")), Path::new("a"));
        assert_eq!(folder_of(Path::new("/pilot.persea")), Path::new("/"));
        sync_folder(folder_of(Path::new("pilot.persea"))).unwrap();
    }
}
