//! Making a database: its folder, its tables, the axis and the annotation.

use std::path::Path;

use rusqlite::{Transaction, params};

use super::durable::{begin_folder, finish_folder, make_folder, sync_folder};
use super::{Database, StoreError, connection, table_checksums, zarr};
use crate::genome::{Gene, GenomeAxis, Interval};

/// What a new database is made of.
#[derive(Debug, Clone)]
pub struct NewDatabase {
    /// The assembly and the covered regions.
    pub axis: GenomeAxis,
    /// What is neither trained on nor scored.
    pub mask: Vec<Interval>,
    /// The genes, or none.
    pub genes: Vec<Gene>,
    /// The enhancers, or none.
    pub enhancers: Vec<Interval>,
}

impl Database {
    /// Makes a new database directory; it appears as a whole or not at all.
    ///
    /// ```
    /// use persea::genome::{Assembly, GenomeAxis};
    /// use persea::store::{Database, NewDatabase};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let axis = GenomeAxis::whole_chromosomes(Assembly::by_name("hg19")?, &["chrM"])?;
    /// let parts = NewDatabase { axis, mask: vec![], genes: vec![], enhancers: vec![] };
    /// let database = Database::create(&folder.path().join("mine.persea"), &parts)?;
    /// // 16,571 bp in bins of 25.
    /// assert_eq!(database.axis().n_bins(), 663);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When something of that name exists (other than an empty folder), an interval lies on a
    /// chromosome that the assembly lacks, or the disk cannot be written.
    pub fn create(path: &Path, new: &NewDatabase) -> Result<Self, StoreError> {
        Self::create_filled(path, new, |_| Ok::<(), StoreError>(()))
    }

    /// As [`Database::create`], with what `fill` puts into it: the directory appears when that is in it
    /// too. Until then it grows beside its place, and a killed process leaves nothing there that the next
    /// one of this folder does not remove.
    ///
    /// # Errors
    /// As [`Database::create`], and those of `fill`.
    pub fn create_filled<E: From<StoreError>>(
        path: &Path,
        new: &NewDatabase,
        fill: impl FnOnce(&Database) -> Result<(), E>,
    ) -> Result<Self, E> {
        let occupied = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_some(),
            Err(e) => e.kind() != std::io::ErrorKind::NotFound,
        };
        if occupied {
            let path = path.to_path_buf();
            return Err(StoreError::Exists { path }.into());
        }
        if path.file_name().is_none() {
            let path = path.to_path_buf();
            let why = "cannot name a new database";
            return Err(StoreError::Folder { path, why }.into());
        }
        check_chromosomes(new)?;
        let unfinished = begin_folder(path)?;
        fill_new(unfinished.path(), new).map_err(|e| e.at(path))?;
        fill(&Self::open(unfinished.path())?)?;
        // The names of what was put in, and of what SQLite removed as it was closed.
        sync_folder(unfinished.path())?;
        finish_folder(unfinished, path)?;
        Ok(Self::open(path)?)
    }
}

/// Makes everything that a new database consists of, on the disk.
fn fill_new(folder: &Path, new: &NewDatabase) -> Result<(), StoreError> {
    make_folder(folder)?;
    for name in ["signal.zarr", "checkpoints", "index", "locks"] {
        make_folder(&folder.join(name))?;
    }
    zarr::write_root(&folder.join("signal.zarr"), &new.axis)?;
    let mut connection = connection::create(&folder.join(connection::FILE_NAME))?;
    let transaction = connection.transaction()?;
    write_axis(&transaction, &new.axis)?;
    write_annotation(&transaction, new)?;
    transaction.execute(
        "INSERT INTO meta (key, value) VALUES
         ('created', strftime('%Y-%m-%dT%H:%M:%SZ', 'now')), ('persea', ?1), ('next_track', '1')",
        [env!("CARGO_PKG_VERSION")],
    )?;
    let aliases = new.axis.assembly().aliases();
    if !aliases.is_empty() {
        transaction.execute(
            "INSERT INTO meta (key, value) VALUES ('chromosome_aliases', ?1)",
            [serde_json::json!(aliases).to_string()],
        )?;
    }
    table_checksums::record_all(&transaction)?;
    transaction.commit()?;
    // Closing moves the log's content into the file.
    connection.close().map_err(|(_, e)| StoreError::from(e))?;
    sync_folder(folder)
}

fn write_axis(transaction: &Transaction<'_>, axis: &GenomeAxis) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT INTO assembly (id, name) VALUES (1, ?1)",
        [axis.assembly().name()],
    )?;
    let mut insert = transaction
        .prepare("INSERT INTO chromosomes (ordinal, name, length) VALUES (?1, ?2, ?3)")?;
    for (i, chromosome) in axis.assembly().chromosomes().iter().enumerate() {
        insert.execute(params![i as i64, chromosome.name, chromosome.length as i64])?;
    }
    let mut insert = transaction.prepare(
        "INSERT INTO regions (ordinal, name, chrom, first_bin, n_bins) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (i, region) in axis.regions().iter().enumerate() {
        insert.execute(params![
            i as i64,
            region.name,
            region.chrom,
            region.first_bin as i64,
            region.n_bins as i64
        ])?;
    }
    Ok(())
}

/// Refuses intervals that are empty or lie on no chromosome of the assembly.
fn check_chromosomes(new: &NewDatabase) -> Result<(), StoreError> {
    let assembly = new.axis.assembly();
    let genes = new.genes.iter().map(|g| &g.interval);
    for interval in new.mask.iter().chain(&new.enhancers).chain(genes) {
        assembly
            .chromosome(&interval.chrom)
            .map_err(|e| StoreError::Invalid(e.to_string()))?;
        if interval.is_empty() {
            return Err(StoreError::Invalid(format!(
                "{} {} {} is empty: end must be beyond start",
                interval.chrom, interval.start, interval.end
            )));
        }
    }
    Ok(())
}

/// Stores mask, enhancers and genes.
fn write_annotation(transaction: &Transaction<'_>, new: &NewDatabase) -> Result<(), StoreError> {
    for (table, intervals) in [("mask_intervals", &new.mask), ("enhancers", &new.enhancers)] {
        let mut insert = transaction.prepare(&format!(
            "INSERT INTO {table} (ordinal, chrom, start, \"end\") VALUES (?1, ?2, ?3, ?4)"
        ))?;
        for (i, interval) in intervals.iter().enumerate() {
            insert.execute(params![
                i as i64,
                interval.chrom,
                interval.start as i64,
                interval.end as i64
            ])?;
        }
    }
    let mut insert = transaction.prepare(
        "INSERT INTO genes (ordinal, id, name, chrom, start, \"end\", strand)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (i, gene) in new.genes.iter().enumerate() {
        insert.execute(params![
            i as i64,
            gene.id,
            gene.name,
            gene.interval.chrom,
            gene.interval.start as i64,
            gene.interval.end as i64,
            gene.strand.symbol().to_string()
        ])?;
    }
    let mut insert =
        transaction.prepare("INSERT INTO transcript_starts (gene, position) VALUES (?1, ?2)")?;
    for (i, gene) in new.genes.iter().enumerate() {
        for position in &gene.transcript_starts {
            insert.execute(params![i as i64, *position as i64])?;
        }
    }
    Ok(())
}
