//! Benchmark runs of downstream tasks: settings, results, and a number for every example.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

use super::numbered::Numbered;
use super::tasks::{encode, numbers};
use super::tensors::checksum;
use super::{Database, StoreError};

/// A run to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// The settings' checksum: equal for runs that must give the same numbers.
    pub key: String,
    /// The task's name.
    pub task: String,
    /// Everything that repeats the run.
    pub settings: Value,
    /// What came out.
    pub result: Value,
    /// Named columns, one number an example.
    pub columns: Vec<(String, Vec<f64>)>,
}

/// A stored run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its number, never used twice in a database.
    pub id: i64,
    /// The settings' checksum.
    pub key: String,
    /// The task's name.
    pub task: String,
    /// Everything that repeats the run.
    pub settings: Value,
    /// What came out.
    pub result: Value,
    /// When it was stored, UTC (`2026-01-31T12:00:00Z`).
    pub created: String,
}

impl Database {
    /// Stores a run and returns its number.
    ///
    /// # Errors
    /// When the database can only be read, or the disk is full.
    pub fn save_run(&self, run: &NewRun) -> Result<i64, StoreError> {
        self.prepare_writing()?;
        self.write(|t| {
            t.execute(
                "INSERT INTO task_runs (key, task, settings, result, created)
                 VALUES (?1, ?2, ?3, ?4, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
                params![
                    run.key,
                    run.task,
                    run.settings.to_string(),
                    run.result.to_string()
                ],
            )?;
            let id = t.last_insert_rowid();
            let mut insert = t.prepare(
                "INSERT INTO task_run_columns (run, ordinal, name, checksum, data)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for (i, (name, values)) in run.columns.iter().enumerate() {
                let data = encode(values);
                insert.execute(params![id, i as i64, name, checksum(&data), data])?;
            }
            Ok(id)
        })
    }

    /// All runs, in the order in which they were stored.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn list_runs(&self) -> Result<Vec<Run>, StoreError> {
        RUNS.all(self, of_row)
    }

    /// The run of that number.
    ///
    /// # Errors
    /// When there is none.
    pub fn read_run(&self, id: i64) -> Result<Run, StoreError> {
        RUNS.one(self, id, of_row)
    }

    /// The latest run with those settings, if there is one.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn find_run(&self, key: &str) -> Result<Option<Run>, StoreError> {
        self.read_checked(&["task_runs"], |t| {
            let sql = format!("{} WHERE key = ?1 ORDER BY id DESC LIMIT 1", RUNS.select());
            Ok(t.query_row(&sql, [key], of_row).optional()?)
        })
    }

    /// A run's columns, in order: what each is called, and a number for every example.
    ///
    /// # Errors
    /// When one is damaged.
    pub fn run_columns(&self, run: &Run) -> Result<Vec<(String, Vec<f64>)>, StoreError> {
        self.read(|t| {
            let mut select = t.prepare(
                "SELECT name, checksum, data FROM task_run_columns WHERE run = ?1 ORDER BY ordinal",
            )?;
            let rows: Vec<(String, Vec<u8>, Vec<u8>)> = select
                .query_map([run.id], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?
                .collect::<Result<_, _>>()?;
            rows.into_iter()
                .map(|(name, sum, data)| {
                    let values = numbers(&data, &sum, || format!("run {}, {name}", run.id))?;
                    Ok((name, values))
                })
                .collect()
        })
    }

    /// Removes a run.
    ///
    /// # Errors
    /// When there is none of that number, or the database can only be read.
    pub fn delete_run(&self, id: i64) -> Result<(), StoreError> {
        self.read_run(id)?;
        RUNS.delete(self, id)
    }
}

const RUNS: Numbered = Numbered {
    table: "task_runs",
    columns: "id, key, task, settings, result, created",
    kind: "run",
    list: "persea task runs",
};

fn of_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: row.get(0)?,
        key: row.get(1)?,
        task: row.get(2)?,
        settings: row.get(3)?,
        result: row.get(4)?,
        created: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, GenomeAxis};
    use crate::store::NewDatabase;

    #[test]
    fn a_run_reads_back_to_the_bit_and_is_found_by_its_settings() {
        let folder = tempfile::tempdir().unwrap();
        let assembly = Assembly::by_name("hg19").unwrap();
        let parts = NewDatabase {
            axis: GenomeAxis::whole_chromosomes(assembly, &["chrM"]).unwrap(),
            mask: vec![],
            genes: vec![],
            enhancers: vec![],
        };
        let database = Database::create(&folder.path().join("x.persea"), &parts).unwrap();
        let run = NewRun {
            key: "abc".into(),
            task: "expression".into(),
            settings: serde_json::json!({"seed": 1}),
            result: serde_json::json!({"n": 2}),
            columns: vec![
                ("label".into(), vec![0.0, 1.0]),
                ("prediction: a".into(), vec![0.1, 1.0 / 3.0]),
            ],
        };
        let id = database.save_run(&run).unwrap();
        let stored = database.find_run("abc").unwrap().unwrap();
        assert_eq!((stored.id, &stored.settings), (id, &run.settings));
        assert_eq!(database.run_columns(&stored).unwrap(), run.columns);
        assert_eq!(database.find_run("abd").unwrap(), None);
        assert_eq!(database.list_runs().unwrap(), [stored]);
        database.delete_run(id).unwrap();
        assert!(database.read_run(id).is_err());
    }
}
