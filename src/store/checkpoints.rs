//! Training in progress: named parts in one file, written under a temporary name, synced, renamed.
//!
//! Files count up; the last two of a model are kept, so that damage to the newest costs only the
//! time between.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::checkpoint_file::{
    Contents, HEADER_BYTES, Hashing, MAGIC, Part, SUFFIX, VERSION, list, open,
};
use super::durable::{make_folder_synced, remove_folder, rename_synced};
use super::{Database, ModelLock, StoreError};
use crate::Bug;

/// How many checkpoints of a model are kept.
const N_KEPT: usize = 2;

/// A checkpoint that has been read through and found whole.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    contents: Contents,
    warnings: Vec<String>,
}

/// A checkpoint being written. Dropped without [`CheckpointWriter::finish`], it leaves nothing.
#[derive(Debug)]
pub struct CheckpointWriter<'a> {
    folder: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
    contents: Contents,
    at: u64,
    _lock: &'a ModelLock,
}

impl Database {
    /// Begins a checkpoint of the model whose name has been claimed.
    ///
    /// # Errors
    /// When the disk is full or cannot be written.
    pub fn begin_checkpoint<'a>(
        &self,
        lock: &'a ModelLock,
        step: u64,
    ) -> Result<CheckpointWriter<'a>, StoreError> {
        let folder = self.checkpoint_folder(lock.name());
        make_folder_synced(&folder)?;
        let temporary = folder.join("writing");
        let open = || {
            let mut file = BufWriter::with_capacity(1 << 20, File::create(&temporary)?);
            file.write_all(MAGIC)?;
            file.write_all(&VERSION.to_le_bytes())?;
            Ok(file)
        };
        Ok(CheckpointWriter {
            file: open().map_err(|e| StoreError::io(&temporary, e))?,
            folder,
            temporary,
            contents: Contents {
                model: lock.name().to_string(),
                step,
                parts: Vec::new(),
            },
            at: HEADER_BYTES,
            _lock: lock,
        })
    }

    /// Writes a checkpoint of parts that are in memory.
    ///
    /// # Errors
    /// As [`Database::begin_checkpoint`] and [`CheckpointWriter::part`].
    pub fn save_checkpoint(
        &self,
        lock: &ModelLock,
        step: u64,
        parts: &[(&str, &[u8])],
    ) -> Result<(), StoreError> {
        let mut writer = self.begin_checkpoint(lock, step)?;
        for (name, data) in parts {
            writer.part(name, |out| out.write_all(data))?;
        }
        writer.finish()
    }

    /// The newest whole checkpoint of a model, every byte of it checked. Damaged ones before it
    /// are passed over with a warning.
    ///
    /// # Errors
    /// When all that are there are damaged, or the folder cannot be read.
    pub fn latest_checkpoint(&self, model: &str) -> Result<Option<Checkpoint>, StoreError> {
        let folder = self.checkpoint_folder(model);
        let mut warnings = Vec::new();
        let mut last = None;
        for (_, path) in list(&folder)?.into_iter().rev() {
            match open(&path) {
                Ok(contents) => {
                    for warning in &warnings {
                        tracing::warn!("{warning}");
                    }
                    return Ok(Some(Checkpoint {
                        path,
                        contents,
                        warnings,
                    }));
                }
                Err(e) => {
                    warnings.push(format!("{e}; the checkpoint before it is used"));
                    last = Some(e);
                }
            }
        }
        match last {
            Some(e) => Err(e),
            None => Ok(None),
        }
    }

    /// Removes all checkpoints of the model whose name has been claimed: it has been stored, or
    /// training begins anew.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn discard_checkpoints(&self, lock: &ModelLock) -> Result<(), StoreError> {
        remove_folder(&self.checkpoint_folder(lock.name()))
    }

    /// A folder a model: what of its name is fit for one, and a hash that tells it from others.
    fn checkpoint_folder(&self, model: &str) -> PathBuf {
        let fit = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let readable: String = model.chars().take(40).map(fit).collect();
        let hash = blake3::hash(model.as_bytes()).to_hex();
        self.checkpoints_folder()
            .join(format!("{readable}-{}", &hash[..8]))
    }
}

impl CheckpointWriter<'_> {
    /// Writes one part, of any length, through the given function.
    ///
    /// # Errors
    /// When the name was used before, the function fails, or the disk is full.
    pub fn part(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<(), StoreError> {
        if self.contents.parts.iter().any(|part| part.name == name) {
            return Err(StoreError::Invalid(format!(
                "a checkpoint cannot have two parts named {name}"
            )));
        }
        let mut out = Hashing {
            inner: &mut self.file,
            hasher: blake3::Hasher::new(),
            n: 0,
        };
        fill(&mut out).map_err(|e| StoreError::io(&self.temporary, e))?;
        self.contents.parts.push(Part {
            name: name.to_string(),
            offset: self.at,
            bytes: out.n,
            checksum: out.hasher.finalize().to_hex().to_string(),
        });
        self.at += out.n;
        Ok(())
    }

    /// Makes the checkpoint the newest one, durably, and removes those beyond the last two.
    ///
    /// # Errors
    /// When the disk is full; the checkpoints before it stay.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let table = serde_json::to_vec(&self.contents).map_err(|e| {
            Bug::new(format!(
                "a checkpoint's list cannot be written as JSON: {e}"
            ))
        })?;
        let mut close = || {
            self.file.write_all(&table)?;
            self.file.write_all(&(table.len() as u64).to_le_bytes())?;
            self.file.write_all(blake3::hash(&table).as_bytes())?;
            self.file.write_all(MAGIC)?;
            self.file.flush()?;
            self.file.get_ref().sync_all()
        };
        close().map_err(|e| StoreError::io(&self.temporary, e))?;
        let files = list(&self.folder)?;
        let number = files.last().map_or(1, |(n, _)| n + 1);
        let place = self.folder.join(format!("{number:08}{SUFFIX}"));
        rename_synced(&self.temporary, &place)?;
        for (_, old) in files.iter().rev().skip(N_KEPT - 1) {
            fs::remove_file(old).map_err(|e| StoreError::io(old, e))?;
        }
        Ok(())
    }
}

impl Drop for CheckpointWriter<'_> {
    fn drop(&mut self) {
        // After `finish` it has its new name. What stays is overwritten by the next checkpoint.
        let _ = fs::remove_file(&self.temporary);
    }
}

impl Checkpoint {
    /// The model it is of.
    pub fn model(&self) -> &str {
        &self.contents.model
    }

    /// The training step after which it was written.
    pub fn step(&self) -> u64 {
        self.contents.step
    }

    /// Which newer checkpoints were passed over, and why.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The parts' names and lengths in bytes, in the order of writing.
    pub fn parts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.contents
            .parts
            .iter()
            .map(|p| (p.name.as_str(), p.bytes))
    }

    /// Opens a part for reading.
    ///
    /// # Errors
    /// When there is no such part or the file is gone.
    pub fn reader(&self, name: &str) -> Result<impl Read + use<>, StoreError> {
        let Some(part) = self.contents.parts.iter().find(|p| p.name == name) else {
            return Err(StoreError::Unknown {
                kind: "part",
                name: format!("{name} of checkpoint {}", self.path.display()),
                hint: "; it was written by another version of persea".into(),
            });
        };
        let open = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(part.offset))?;
            Ok(file.take(part.bytes))
        };
        open().map_err(|e| StoreError::io(&self.path, e))
    }

    /// Reads a whole part.
    ///
    /// # Errors
    /// As [`Checkpoint::reader`], or when the file cannot be read.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let mut data = Vec::new();
        self.reader(name)?
            .read_to_end(&mut data)
            .map_err(|e| StoreError::io(&self.path, e))?;
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::toy_database;
    use super::*;

    #[test]
    fn the_last_two_checkpoints_are_kept_and_the_newest_is_read() {
        let (_folder, db) = toy_database();
        assert!(db.latest_checkpoint("m").unwrap().is_none());
        let lock = db.lock_model("m").unwrap();
        for step in [10, 20, 5] {
            let weights = vec![step as u8; 3_000_000];
            db.save_checkpoint(&lock, step, &[("weights", &weights), ("nothing", b"")])
                .unwrap();
        }
        let latest = db.latest_checkpoint("m").unwrap().unwrap();
        assert_eq!((latest.model(), latest.step()), ("m", 5));
        assert_eq!(
            latest.parts().collect::<Vec<_>>(),
            [("weights", 3_000_000), ("nothing", 0)]
        );
        assert_eq!(latest.read("weights").unwrap(), vec![5; 3_000_000]);
        assert!(latest.read("nothing").unwrap().is_empty());
        assert!(latest.read("biases").is_err());
        assert_eq!(list(latest.path.parent().unwrap()).unwrap().len(), 2);
        assert!(db.latest_checkpoint("other").unwrap().is_none());
        db.discard_checkpoints(&lock).unwrap();
        assert!(db.latest_checkpoint("m").unwrap().is_none());
    }

    #[test]
    fn a_damaged_checkpoint_is_passed_over_wherever_the_damage_is() {
        let (_folder, db) = toy_database();
        let lock = db.lock_model("m").unwrap();
        db.save_checkpoint(&lock, 1, &[("a", b"first"), ("b", b"part")])
            .unwrap();
        db.save_checkpoint(&lock, 2, &[("a", b"first"), ("b", b"part")])
            .unwrap();
        let newest = db.latest_checkpoint("m").unwrap().unwrap().path;
        let whole = fs::read(&newest).unwrap();
        for i in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[i] ^= 0x10;
            fs::write(&newest, &bytes).unwrap();
            let used = db.latest_checkpoint("m").unwrap().unwrap();
            assert_eq!(used.step(), 1, "byte {i}");
            assert_eq!(used.warnings().len(), 1);
            fs::write(&newest, &whole[..i]).unwrap();
            assert_eq!(
                db.latest_checkpoint("m").unwrap().unwrap().step(),
                1,
                "cut at {i}"
            );
        }
    }

    #[test]
    fn an_interrupted_checkpoint_leaves_the_one_before() {
        let (_folder, db) = toy_database();
        let lock = db.lock_model("m").unwrap();
        db.save_checkpoint(&lock, 1, &[("a", b"first")]).unwrap();
        let mut writer = db.begin_checkpoint(&lock, 2).unwrap();
        writer.part("a", |out| out.write_all(b"second")).unwrap();
        let failed = writer.part("b", |_| Err(std::io::ErrorKind::StorageFull.into()));
        assert!(matches!(failed, Err(StoreError::DiskFull { .. })));
        let temporary = writer.temporary.clone();
        assert!(temporary.exists());
        drop(writer);
        assert!(!temporary.exists());
        // As a kill would leave it.
        fs::write(&temporary, b"half").unwrap();
        assert_eq!(db.latest_checkpoint("m").unwrap().unwrap().step(), 1);
        db.save_checkpoint(&lock, 3, &[]).unwrap();
        assert_eq!(db.latest_checkpoint("m").unwrap().unwrap().step(), 3);
    }
}
