//! Downstream tasks: what is labelled, and the labels.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde_json::Value;

use super::connection::{named, whole};
use super::tensors::checksum;
use super::track_writer::check_name;
use super::{Database, StoreError};
use crate::genome::{Interval, Strand};

/// Something that is labelled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Example {
    /// What it is called: a gene's identifier, coordinates, a row's number.
    pub name: String,
    /// Where it lies; of a gene the base that transcription starts at; `None` for a row of a
    /// matrix.
    pub place: Option<Interval>,
    /// The strand, of a gene.
    pub strand: Option<Strand>,
    /// The other window of a pair: the enhancer of a promoter.
    pub partner: Option<Interval>,
    /// The fold that its file puts it into.
    pub fold: Option<String>,
}

/// The labels of one biosample.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelColumn {
    /// The biosample.
    pub biosample: String,
    /// What the numbers are (`rpkm`); columns of different units are never pooled.
    pub unit: String,
    /// One number an example, NaN where it has no label.
    pub values: Vec<f64>,
}

/// A task to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// The name it is asked for by.
    pub name: String,
    /// Which kind of task, by its name.
    pub kind: String,
    /// The files it was read from, with their checksums, and how.
    pub sources: Value,
    /// What is labelled.
    pub examples: Vec<Example>,
    /// The labels.
    pub columns: Vec<LabelColumn>,
}

/// What is known of a biosample's labels without reading them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelInfo {
    /// The biosample.
    pub biosample: String,
    /// What the numbers are.
    pub unit: String,
    /// How many examples have one.
    pub n: u64,
}

/// A stored task.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its number, never used twice in a database.
    pub id: i64,
    /// The name it is asked for by.
    pub name: String,
    /// Which kind of task, by its name.
    pub kind: String,
    /// The files it was read from, with their checksums, and how.
    pub sources: Value,
    /// BLAKE3 over examples and labels, in hexadecimal.
    pub checksum: String,
    /// When it was stored, UTC (`2026-01-31T12:00:00Z`).
    pub imported: String,
    /// How many examples it has.
    pub n_examples: u64,
    /// The biosamples that have labels, in their file's order.
    pub labels: Vec<LabelInfo>,
}

impl Database {
    /// Stores a task, in place of one of that name where `replace` is set.
    ///
    /// # Errors
    /// When there is one of that name, a column has not a number for every example, or the
    /// database can only be read.
    pub fn save_task(&self, task: &NewTask, replace: bool) -> Result<Task, StoreError> {
        check_name("task", &task.name)?;
        for column in &task.columns {
            check_name("biosample", &column.biosample)?;
            if column.values.len() != task.examples.len() {
                return Err(StoreError::Invalid(format!(
                    "the labels of {} are {}, the examples {}",
                    column.biosample,
                    column.values.len(),
                    task.examples.len()
                )));
            }
        }
        self.prepare_writing()?;
        self.write(|t| {
            let sql = "SELECT id FROM tasks WHERE name = ?1";
            let before: Option<i64> = t.query_row(sql, [&task.name], |r| r.get(0)).optional()?;
            match before {
                Some(id) if replace => {
                    t.execute("DELETE FROM tasks WHERE id = ?1", [id])?;
                }
                Some(_) => {
                    return Err(StoreError::Taken {
                        kind: "task",
                        name: task.name.clone(),
                        advice: "choose another name (option `name`), or replace it (option `replace`)",
                    });
                }
                None => {}
            }
            insert(t, task)
        })?;
        self.read_task(&task.name)
    }

    /// The task of that name.
    ///
    /// # Errors
    /// When there is none; the nearest names are given.
    pub fn read_task(&self, name: &str) -> Result<Task, StoreError> {
        self.read_checked(&["tasks"], |t| {
            let found = t
                .query_row(&format!("{SELECT} WHERE name = ?1"), [name], task_of_row)
                .optional()?;
            match found {
                Some(task) => with_labels(t, task),
                None => Err(unknown_task(t, name)?),
            }
        })
    }

    /// All tasks, by name.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn list_tasks(&self) -> Result<Vec<Task>, StoreError> {
        self.read_checked(&["tasks"], |t| {
            let mut select = t.prepare(&format!("{SELECT} ORDER BY name"))?;
            let tasks: Vec<Task> = select
                .query_map([], task_of_row)?
                .collect::<Result<_, _>>()?;
            tasks.into_iter().map(|task| with_labels(t, task)).collect()
        })
    }

    /// Removes a task and its labels; runs that were made of it stay.
    ///
    /// # Errors
    /// When there is none of that name, or the database can only be read.
    pub fn delete_task(&self, name: &str) -> Result<(), StoreError> {
        self.prepare_writing()?;
        self.write(
            |t| match t.execute("DELETE FROM tasks WHERE name = ?1", [name])? {
                0 => Err(unknown_task(t, name)?),
                _ => Ok(()),
            },
        )
    }

    /// What a task labels, in order.
    ///
    /// # Errors
    /// When rows are missing, task and labels are not those that were imported, or SQLite fails.
    pub fn task_examples(&self, task: &Task) -> Result<Vec<Example>, StoreError> {
        let examples = self.stored_examples(task)?;
        // The checksum is over examples and labels: a flipped bit in a coordinate is a row that lies.
        let columns: Vec<LabelColumn> = task
            .labels
            .iter()
            .map(|l| self.task_labels(task, &l.biosample))
            .collect::<Result<_, _>>()?;
        match task_checksum(&examples, &columns) == task.checksum {
            true => Ok(examples),
            false => Err(StoreError::damaged(
                format!("task {}", task.name),
                "its examples are not those that were imported; import them again (option `replace`)",
            )),
        }
    }

    /// The rows as they are.
    fn stored_examples(&self, task: &Task) -> Result<Vec<Example>, StoreError> {
        let examples = self.read(|t| {
            let mut select = t.prepare(
                "SELECT name, chrom, start, \"end\", strand, partner_chrom, partner_start,
                 partner_end, fold FROM task_examples WHERE task = ?1 ORDER BY ordinal",
            )?;
            let rows = select.query_map([task.id], example_of_row)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })?;
        if examples.len() as u64 != task.n_examples {
            return Err(replaced(task));
        }
        Ok(examples)
    }

    /// A biosample's labels, one number an example, NaN where there is none.
    ///
    /// # Errors
    /// When the task has no labels of that biosample (the nearest names are given), or they are
    /// damaged.
    pub fn task_labels(&self, task: &Task, biosample: &str) -> Result<LabelColumn, StoreError> {
        self.read(|t| {
            let sql = "SELECT unit, checksum, data FROM task_labels
                       WHERE task = ?1 AND biosample = ?2";
            let found: Option<(String, Vec<u8>, Vec<u8>)> = t
                .query_row(sql, params![task.id, biosample], |r| {
                    Ok((r.get(0)?, r.get(1)?, r.get(2)?))
                })
                .optional()?;
            let Some((unit, sum, data)) = found else {
                let known = task.labels.iter().map(|l| l.biosample.as_str());
                return Err(if task.labels.iter().any(|l| l.biosample == biosample) {
                    replaced(task)
                } else {
                    StoreError::unknown("biosample with labels", biosample, known)
                });
            };
            let what = || format!("task {}, the labels of {biosample}", task.name);
            let values = numbers(&data, &sum, what)?;
            if values.len() as u64 != task.n_examples {
                return Err(replaced(task));
            }
            Ok(LabelColumn {
                biosample: biosample.to_string(),
                unit,
                values,
            })
        })
    }
}

impl Database {
    /// Reads a task whole and compares it with its checksum.
    pub(crate) fn check_task(&self, task: &Task) -> Result<(), StoreError> {
        self.task_examples(task).map(|_| ())
    }
}

const SELECT: &str = "SELECT id, name, kind, sources, checksum, imported,
     (SELECT count(*) FROM task_examples WHERE task = tasks.id) FROM tasks";

fn task_of_row(row: &Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        id: row.get(0)?,
        name: row.get(1)?,
        kind: row.get(2)?,
        sources: row.get(3)?,
        checksum: row.get(4)?,
        imported: row.get(5)?,
        n_examples: whole(row, 6)?,
        labels: Vec::new(),
    })
}

fn with_labels(t: &Transaction<'_>, mut task: Task) -> Result<Task, StoreError> {
    let mut select = t.prepare_cached(
        "SELECT biosample, unit, n FROM task_labels WHERE task = ?1 ORDER BY ordinal",
    )?;
    let labels = select.query_map([task.id], |r| {
        Ok(LabelInfo {
            biosample: r.get(0)?,
            unit: r.get(1)?,
            n: whole(r, 2)?,
        })
    })?;
    task.labels = labels.collect::<Result<_, _>>()?;
    Ok(task)
}

fn unknown_task(t: &Transaction<'_>, name: &str) -> Result<StoreError, StoreError> {
    let mut select = t.prepare("SELECT name FROM tasks ORDER BY name")?;
    let names: Vec<String> = select
        .query_map([], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(StoreError::unknown(
        "task",
        name,
        names.iter().map(String::as_str),
    ))
}

fn replaced(task: &Task) -> StoreError {
    StoreError::Replaced {
        what: format!("task {}", task.name),
    }
}

fn interval_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Interval>> {
    let Some(chrom) = row.get::<_, Option<String>>(column)? else {
        return Ok(None);
    };
    Ok(Some(Interval::new(
        chrom,
        whole(row, column + 1)?,
        whole(row, column + 2)?,
    )))
}

fn example_of_row(row: &Row<'_>) -> rusqlite::Result<Example> {
    let place = interval_at(row, 1)?;
    let partner = interval_at(row, 5)?;
    let strand = match row.get_ref(4)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(named(row, 4, Strand::from_symbol)?),
    };
    Ok(Example {
        name: row.get(0)?,
        place,
        strand,
        partner,
        fold: row.get(8)?,
    })
}

/// Numbers as they are stored.
pub(crate) fn encode(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The stored numbers, if their checksum matches.
pub(crate) fn numbers(
    data: &[u8],
    expected: &[u8],
    what: impl Fn() -> String,
) -> Result<Vec<f64>, StoreError> {
    let (eights, rest) = data.as_chunks::<8>();
    if !rest.is_empty() || checksum(data) != expected {
        return Err(StoreError::damaged(
            what(),
            "its checksum does not match; restore a backup, or make it again",
        ));
    }
    Ok(eights.iter().map(|b| f64::from_le_bytes(*b)).collect())
}

/// BLAKE3 over what is labelled and the labels, in hexadecimal.
fn task_checksum(examples: &[Example], columns: &[LabelColumn]) -> String {
    let mut hasher = blake3::Hasher::new();
    let place = |i: Option<&Interval>| match i {
        Some(i) => format!("{}\t{}\t{}", i.chrom, i.start, i.end),
        None => String::new(),
    };
    for e in examples {
        let strand = e.strand.map_or(' ', Strand::symbol);
        let (one, other) = (place(e.place.as_ref()), place(e.partner.as_ref()));
        // A fold has a name; an example without one is in none.
        let fold = e.fold.as_deref().unwrap_or_default();
        hasher.update(format!("{}\n{one}\n{strand}\n{other}\n{fold}\n", e.name).as_bytes());
    }
    for column in columns {
        hasher.update(format!("{}\n{}\n", column.biosample, column.unit).as_bytes());
        hasher.update(&encode(&column.values));
    }
    hasher.finalize().to_hex().to_string()
}

fn insert(t: &Transaction<'_>, task: &NewTask) -> Result<(), StoreError> {
    t.execute(
        "INSERT INTO tasks (name, kind, sources, checksum, imported)
         VALUES (?1, ?2, ?3, ?4, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
        params![
            task.name,
            task.kind,
            task.sources.to_string(),
            task_checksum(&task.examples, &task.columns)
        ],
    )?;
    let id = t.last_insert_rowid();
    let mut statement = t.prepare(
        "INSERT INTO task_examples (task, ordinal, name, chrom, start, \"end\", strand,
         partner_chrom, partner_start, partner_end, fold)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for (i, e) in task.examples.iter().enumerate() {
        let (place, partner) = (e.place.as_ref(), e.partner.as_ref());
        statement.execute(params![
            id,
            i as i64,
            e.name,
            place.map(|p| p.chrom.as_str()),
            place.map(|p| p.start as i64),
            place.map(|p| p.end as i64),
            e.strand.map(|s| s.symbol().to_string()),
            partner.map(|p| p.chrom.as_str()),
            partner.map(|p| p.start as i64),
            partner.map(|p| p.end as i64),
            e.fold,
        ])?;
    }
    let mut statement = t.prepare(
        "INSERT INTO task_labels (task, ordinal, biosample, unit, n, checksum, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (i, column) in task.columns.iter().enumerate() {
        let blob = encode(&column.values);
        let n = column.values.iter().filter(|v| !v.is_nan()).count();
        statement.execute(params![
            id,
            i as i64,
            column.biosample,
            column.unit,
            n as i64,
            checksum(&blob),
            blob
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, GenomeAxis};
    use crate::store::NewDatabase;

    pub(super) fn database(folder: &std::path::Path) -> Database {
        let assembly = Assembly::by_name("hg19").unwrap();
        Database::create(
            &folder.join("x.persea"),
            &NewDatabase {
                axis: GenomeAxis::whole_chromosomes(assembly, &["chrM"]).unwrap(),
                mask: vec![],
                genes: vec![],
                enhancers: vec![],
            },
        )
        .unwrap()
    }

    fn task(value: f64) -> NewTask {
        let gene = Example {
            name: "G1".into(),
            place: Some(Interval::new("chrM", 5, 6)),
            strand: Some(Strand::Reverse),
            partner: None,
            fold: Some("a".into()),
        };
        let pair = Example {
            name: "pair".into(),
            place: Some(Interval::new("chrM", 5, 60)),
            partner: Some(Interval::new("chrM", 105, 160)),
            ..Example::default()
        };
        let row = Example {
            name: "row 2".into(),
            ..Example::default()
        };
        NewTask {
            name: "t".into(),
            kind: "custom".into(),
            sources: serde_json::json!([{"file": "a.tsv"}]),
            examples: vec![gene, pair, row],
            columns: vec![LabelColumn {
                biosample: "E003".into(),
                unit: "rpkm".into(),
                values: vec![value, f64::NAN, 0.25],
            }],
        }
    }

    #[test]
    fn a_task_reads_back_unchanged_and_is_replaced_only_on_request() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path());
        let stored = database.save_task(&task(2.5), false).unwrap();
        assert_eq!(
            (stored.n_examples, stored.labels[0].n, stored.labels.len()),
            (3, 2, 1)
        );
        assert_eq!(database.task_examples(&stored).unwrap(), task(0.0).examples);
        let labels = database.task_labels(&stored, "E003").unwrap();
        assert_eq!((labels.values[0], labels.values[2]), (2.5, 0.25));
        assert!(labels.values[1].is_nan());
        let message = database
            .task_labels(&stored, "E004")
            .unwrap_err()
            .to_string();
        assert!(message.contains("nearest: E003"), "{message}");

        let message = database.save_task(&task(3.5), false).unwrap_err();
        assert!(
            message.to_string().contains("option `replace`"),
            "{message}"
        );
        let again = database.save_task(&task(3.5), true).unwrap();
        assert_ne!(again.checksum, stored.checksum);
        assert_eq!(database.list_tasks().unwrap().len(), 1);
        // A holder of the old one gets an error, not a mixture.
        assert!(database.task_labels(&stored, "E003").is_err());
        database.delete_task("t").unwrap();
        assert!(database.read_task("t").is_err());
        assert!(database.check().unwrap().is_empty());
    }

    #[test]
    fn damaged_labels_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path());
        let stored = database.save_task(&task(2.5), false).unwrap();
        let sql = "UPDATE task_labels SET data = zeroblob(24)";
        database.connection().execute(sql, []).unwrap();
        let message = database
            .task_labels(&stored, "E003")
            .unwrap_err()
            .to_string();
        assert!(message.contains("damaged"), "{message}");
        let findings = database.check().unwrap();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].what.contains("the labels of E003"));
        let stored = database.save_task(&task(2.5), true).unwrap();
        let sql = "UPDATE task_examples SET start = 4 WHERE name = 'pair'";
        database.connection().execute(sql, []).unwrap();
        let findings = database.check().unwrap();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].what, "task t");
        let message = database.task_examples(&stored).unwrap_err().to_string();
        assert!(message.contains("import them again"), "{message}");
    }
}
