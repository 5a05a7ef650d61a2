//! A database that is merged, and what it must agree on with others.

use std::path::{Path, PathBuf};

use crate::store::{Database, NewDatabase, StoreError, Track};

/// A database to be merged.
pub(super) struct ShardDatabase {
    pub path: PathBuf,
    pub database: Database,
    pub tracks: Vec<Track>,
    pub parts: NewDatabase,
}

impl ShardDatabase {
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::of(path, || Database::open_read_only(path)).map_err(|e| of_shard(path, e))
    }

    fn of(
        path: &Path,
        open: impl FnOnce() -> Result<Database, StoreError>,
    ) -> Result<Self, StoreError> {
        let database = open()?;
        if let Some(why) = database.lost_commits() {
            return Err(StoreError::damaged("its log", why));
        }
        let parts = NewDatabase {
            axis: database.axis().clone(),
            mask: database.mask_intervals()?,
            genes: database.genes()?,
            enhancers: database.enhancers()?,
        };
        Ok(ShardDatabase {
            path: path.to_path_buf(),
            tracks: database.tracks()?,
            parts,
            database,
        })
    }

    /// Refuses a database of another axis or annotation.
    pub fn agrees_with(&self, other: &ShardDatabase) -> Result<(), StoreError> {
        let (a, b) = (&self.parts, &other.parts);
        let differing = [
            ("the regions or the assembly", a.axis != b.axis),
            ("the mask", a.mask != b.mask),
            ("the genes", a.genes != b.genes),
            ("the enhancers", a.enhancers != b.enhancers),
        ];
        match differing.iter().find(|(_, differ)| *differ) {
            Some((what, _)) => Err(StoreError::Disagreement {
                first: self.path.clone(),
                second: other.path.clone(),
                about: format!("{what}; make all shards by the same `persea create`"),
            }),
            None => Ok(()),
        }
    }

    /// What it has beside tracks.
    pub fn other_content(&self) -> Result<Vec<String>, StoreError> {
        let at = self.path.display();
        let mut found = Vec::new();
        for model in self.database.list_models()? {
            found.push(format!("{at}: model {}", model.record.name));
        }
        for task in self.database.list_tasks()? {
            found.push(format!("{at}: task {}", task.name));
        }
        for (n, what) in [
            (self.database.list_runs()?.len(), "runs of tasks"),
            (self.database.selections()?.len(), "selections"),
            (self.database.list_projections()?.len(), "projections"),
        ] {
            if n > 0 {
                found.push(format!("{at}: {n} {what}"));
            }
        }
        Ok(found)
    }
}

/// Names the shard in an error that does not.
pub(super) fn of_shard(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged { .. } | StoreError::Sqlite { .. } | StoreError::Replaced { .. } => {
            StoreError::Shard {
                path: path.to_path_buf(),
                source: Box::new(error),
            }
        }
        other => other,
    }
}
