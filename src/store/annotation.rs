//! The annotation that a database is made with: mask, genes, enhancers.

use std::collections::BTreeMap;

use super::connection::{named, whole};
use super::{Database, StoreError};
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

    /// The genes with their transcripts' starts, in the order in which they were given.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn genes(&self) -> Result<Vec<Gene>, StoreError> {
        self.read_checked(&["genes", "transcript_starts"], |t| {
            let sql = "SELECT gene, position FROM transcript_starts ORDER BY gene, position";
            let mut select = t.prepare(sql)?;
            let pairs = select.query_map([], |row| Ok((whole(row, 0)?, whole(row, 1)?)))?;
            let mut starts: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
            for pair in pairs {
                let (gene, position) = pair?;
                starts.entry(gene).or_default().push(position);
            }
            let sql = "SELECT chrom, start, \"end\", id, name, strand, ordinal FROM genes ORDER BY ordinal";
            let mut select = t.prepare(sql)?;
            let genes = select.query_map([], |row| {
                Ok(Gene {
                    interval: interval_of_row(row)?,
                    id: row.get(3)?,
                    name: row.get(4)?,
                    strand: named(row, 5, Strand::from_symbol)?,
                    transcript_starts: starts.remove(&whole(row, 6)?).unwrap_or_default(),
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
