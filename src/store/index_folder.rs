//! The folder `index/`: what can be rebuilt. The module `search` says what is in it.

use std::path::PathBuf;

use super::durable::{make_folder, sync_folder};
use super::locks::{Lock, lock_one};
use super::{Database, StoreError};

/// The right to write the index of one model.
#[derive(Debug)]
pub(crate) struct IndexLock {
    _lock: Lock,
}

impl Database {
    /// Where derived files lie.
    pub(crate) fn index_folder(&self) -> PathBuf {
        self.path().join("index")
    }

    /// Claims a model's part of the index for writing.
    pub(crate) fn lock_index(&self, model: &str) -> Result<IndexLock, StoreError> {
        self.prepare_writing()?;
        make_folder(&self.index_folder())?;
        let what = format!("the index of model {model}");
        let lock = lock_one(&self.locks_folder(), "index", model, &what)?;
        Ok(IndexLock { _lock: lock })
    }

    /// Makes the names of derived files durable.
    pub(crate) fn sync_index(&self) -> Result<(), StoreError> {
        sync_folder(&self.index_folder())
    }
}
