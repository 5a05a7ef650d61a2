//! The annotation that a database is made with: mask, genes, enhancers.

use rusqlite::{Transaction, params};

use super::connection::{named, whole};
use super::{Database, NewDatabase, StoreError};
use crate::genome::{Gene, Interval, Mask, Strand};

impl Database {
    /// The mask over the database's own axis.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn mask(&self) -> Result<Mask, StoreError> {
        Ok(Mask::new(self.axis(), &self.mask_intervals()?))
    }

    /// The masked intervals, for a mask over another axis.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn mask_intervals(&self) -> Result<Vec<Interval>, StoreError> {
        self.intervals("mask_intervals")
    }

    /// The enhancers, in the order in which they were given.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn enhancers(&self) -> Result<Vec<Interval>, StoreError> {
        self.intervals("enhancers")
    }

    /// The genes, in the order in which they were given.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn genes(&self) -> Result<Vec<Gene>, StoreError> {
        self.read_checked(&["genes"], |t| {
            let sql = "SELECT chrom, start, \"end\", id, name, strand FROM genes ORDER BY ordinal";
            let mut select = t.prepare(sql)?;
            let genes = select.query_map([], |row| {
                Ok(Gene {
                    interval: interval_of_row(row)?,
                    id: row.get(3)?,
                    name: row.get(4)?,
                    strand: named(row, 5, Strand::from_symbol)?,
                })
            })?;
            Ok(genes.collect::<Result<_, _>>()?)
        })
    }

    fn intervals(&self, table: &'static str) -> Result<Vec<Interval>, StoreError> {
        self.read_checked(&[table], |t| {
            let sql = format!("SELECT chrom, start, \"end\" FROM {table} ORDER BY ordinal");
            let mut select = t.prepare(&sql)?;
            let intervals = select.query_map([], interval_of_row)?;
            Ok(intervals.collect::<Result<_, _>>()?)
        })
    }
}

fn interval_of_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Interval> {
    Ok(Interval {
        chrom: row.get(0)?,
        start: whole(row, 1)?,
        end: whole(row, 2)?,
    })
}

/// Refuses intervals that are empty or lie on no chromosome of the assembly.
pub(crate) fn check_chromosomes(new: &NewDatabase) -> Result<(), StoreError> {
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

/// Stores what a new database is given.
pub(crate) fn write(transaction: &Transaction<'_>, new: &NewDatabase) -> Result<(), StoreError> {
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
    Ok(())
}
