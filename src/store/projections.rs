//! Projections: settings, what is known of them, and columns with an entry a point.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

use super::tasks::{encode, numbers};
use super::tensors::checksum;
use super::track_writer::check_name;
use super::{Database, Finding, StoreError};

/// A projection to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProjection {
    /// The name it is asked for by.
    pub name: String,
    /// What was projected: `genome`, `biosamples` or `assays`.
    pub axis: String,
    /// How.
    pub method: String,
    /// The model's name.
    pub model: String,
    /// The model's checksum at that time.
    pub model_checksum: String,
    /// Everything that repeats it.
    pub settings: Value,
    /// What is known of it.
    pub result: Value,
    /// Named columns, an entry a point.
    pub columns: Vec<(String, ProjectionColumn)>,
}

/// A column of a projection.
#[derive(Debug, Clone, PartialEq)]
pub enum ProjectionColumn {
    /// Numbers.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<String>),
}

impl ProjectionColumn {
    /// How many points it speaks of.
    pub fn n_points(&self) -> usize {
        match self {
            ProjectionColumn::Numbers(values) => values.len(),
            ProjectionColumn::Texts(values) => values.len(),
        }
    }
}

/// A stored projection.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredProjection {
    pub(crate) id: i64,
    /// The name it is asked for by.
    pub name: String,
    /// What was projected: `genome`, `biosamples` or `assays`.
    pub axis: String,
    /// How.
    pub method: String,
    /// The model's name.
    pub model: String,
    /// The model's checksum when it was made.
    pub model_checksum: String,
    /// Everything that repeats it.
    pub settings: Value,
    /// What is known of it.
    pub result: Value,
    /// How many points.
    pub n: u64,
    /// When it was stored, UTC (`2026-01-31T12:00:00Z`).
    pub created: String,
}

impl Database {
    /// Stores a projection, in place of one of that name.
    ///
    /// # Errors
    /// When columns differ in length, the database can only be read, or the disk is full.
    pub fn save_projection(&self, new: &NewProjection) -> Result<(), StoreError> {
        check_name("projection", &new.name)?;
        let n = new.columns.first().map_or(0, |(_, c)| c.n_points());
        if let Some((name, _)) = new.columns.iter().find(|(_, c)| c.n_points() != n) {
            return Err(StoreError::Invalid(format!(
                "column {name} of projection {} has not one entry a point",
                new.name
            )));
        }
        self.prepare_writing()?;
        self.write(|t| {
            t.execute("DELETE FROM projections WHERE name = ?1", [&new.name])?;
            t.execute(
                "INSERT INTO projections
                     (name, axis, method, model, model_checksum, settings, result, n, created)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
                params![
                    new.name,
                    new.axis,
                    new.method,
                    new.model,
                    new.model_checksum,
                    new.settings.to_string(),
                    new.result.to_string(),
                    n as i64
                ],
            )?;
            let id = t.last_insert_rowid();
            let mut insert = t.prepare(
                "INSERT INTO projection_columns (projection, ordinal, name, kind, checksum, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for (i, (name, column)) in new.columns.iter().enumerate() {
                let (kind, data) = match column {
                    ProjectionColumn::Numbers(values) => ("number", encode(values)),
                    ProjectionColumn::Texts(values) => {
                        let list = Value::from(values.as_slice());
                        ("text", list.to_string().into_bytes())
                    }
                };
                insert.execute(params![id, i as i64, name, kind, checksum(&data), data])?;
            }
            Ok(())
        })
    }

    /// All projections, by name.
    ///
    /// # Errors
    /// When SQLite fails or the table is damaged.
    pub fn list_projections(&self) -> Result<Vec<StoredProjection>, StoreError> {
        self.read_checked(&["projections"], |t| {
            let mut select = t.prepare(&format!("{SELECT} ORDER BY name"))?;
            let all = select.query_map([], of_row)?;
            Ok(all.collect::<Result<_, _>>()?)
        })
    }

    /// The projection of that name.
    ///
    /// # Errors
    /// When there is none; the nearest names are given.
    pub fn read_projection(&self, name: &str) -> Result<StoredProjection, StoreError> {
        let found = self.read_checked(&["projections"], |t| {
            let sql = format!("{SELECT} WHERE name = ?1");
            Ok(t.query_row(&sql, [name], of_row).optional()?)
        })?;
        match found {
            Some(projection) => Ok(projection),
            None => {
                let all = self.list_projections()?;
                let names = all.iter().map(|p| p.name.as_str());
                Err(StoreError::unknown("projection", name, names))
            }
        }
    }

    /// A projection's columns, in order.
    ///
    /// # Errors
    /// When one is damaged.
    pub fn projection_columns(
        &self,
        projection: &StoredProjection,
    ) -> Result<Vec<(String, ProjectionColumn)>, StoreError> {
        type Stored = (String, String, Vec<u8>, Vec<u8>);
        self.read(|t| {
            let mut select = t.prepare(
                "SELECT name, kind, checksum, data FROM projection_columns
                 WHERE projection = ?1 ORDER BY ordinal",
            )?;
            let rows: Vec<Stored> = select
                .query_map([projection.id], |r| {
                    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
                })?
                .collect::<Result<_, _>>()?;
            rows.into_iter()
                .map(|(name, kind, sum, data)| {
                    let what = || format!("projection {}, column {name}", projection.name);
                    let column = match kind.as_str() {
                        "number" => ProjectionColumn::Numbers(numbers(&data, &sum, what)?),
                        _ => ProjectionColumn::Texts(texts(&data, &sum, what)?),
                    };
                    if column.n_points() as u64 != projection.n {
                        let why = "it has not one entry a point";
                        return Err(StoreError::damaged(what(), why));
                    }
                    Ok((name.clone(), column))
                })
                .collect()
        })
    }

    /// Removes a projection.
    ///
    /// # Errors
    /// When there is none of that name, or the database can only be read.
    pub fn delete_projection(&self, name: &str) -> Result<(), StoreError> {
        let projection = self.read_projection(name)?;
        self.prepare_writing()?;
        self.write(|t| {
            t.execute("DELETE FROM projections WHERE id = ?1", [projection.id])?;
            Ok(())
        })
    }

    /// The columns of every projection.
    pub(super) fn check_projections(&self) -> Vec<Finding> {
        let all = match self.list_projections() {
            Ok(all) => all,
            // The table itself is checked with the others.
            Err(_) => return Vec::new(),
        };
        (all.iter())
            .filter_map(|p| self.projection_columns(p).err())
            .map(|error| {
                let consequence =
                    "that projection cannot be drawn; `persea project` makes it again";
                Finding::of_error(error, consequence)
            })
            .collect()
    }
}

const SELECT: &str = "SELECT id, name, axis, method, model, model_checksum, settings, result, n, \
                      created FROM projections";

fn of_row(row: &Row<'_>) -> rusqlite::Result<StoredProjection> {
    Ok(StoredProjection {
        id: row.get(0)?,
        name: row.get(1)?,
        axis: row.get(2)?,
        method: row.get(3)?,
        model: row.get(4)?,
        model_checksum: row.get(5)?,
        settings: row.get(6)?,
        result: row.get(7)?,
        n: row.get::<_, i64>(8)?.max(0) as u64,
        created: row.get(9)?,
    })
}

/// The stored texts, if their checksum matches.
fn texts(
    data: &[u8],
    expected: &[u8],
    what: impl Fn() -> String,
) -> Result<Vec<String>, StoreError> {
    if checksum(data) != expected {
        let why = "its checksum does not match; restore a backup, or make it again";
        return Err(StoreError::damaged(what(), why));
    }
    serde_json::from_slice(data).map_err(|e| StoreError::damaged(what(), e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, GenomeAxis};
    use crate::store::NewDatabase;

    fn example_database() -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let assembly = Assembly::by_name("hg19").unwrap();
        let parts = NewDatabase {
            axis: GenomeAxis::whole_chromosomes(assembly, &["chrM"]).unwrap(),
            mask: vec![],
            genes: vec![],
            enhancers: vec![],
        };
        let database = Database::create(&folder.path().join("x.persea"), &parts).unwrap();
        (folder, database)
    }

    fn projection(name: &str) -> NewProjection {
        NewProjection {
            name: name.into(),
            axis: "assays".into(),
            method: "pca".into(),
            model: "example".into(),
            model_checksum: "abc".into(),
            settings: serde_json::json!({"seed": 1}),
            result: serde_json::json!({"k": 2}),
            columns: vec![
                (
                    "name".into(),
                    ProjectionColumn::Texts(vec!["ä\t".into(), "".into()]),
                ),
                ("x".into(), ProjectionColumn::Numbers(vec![1.0 / 3.0, -0.0])),
            ],
        }
    }

    #[test]
    fn a_projection_reads_back_to_the_bit_and_its_name_is_used_again() {
        let (_folder, database) = example_database();
        database.save_projection(&projection("b")).unwrap();
        let mut again = projection("b");
        again.columns.truncate(1);
        database.save_projection(&projection("a")).unwrap();
        database.save_projection(&again).unwrap();
        let all = database.list_projections().unwrap();
        let names: Vec<&str> = all.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(
            database.projection_columns(&all[0]).unwrap(),
            projection("a").columns
        );
        assert_eq!(database.projection_columns(&all[1]).unwrap(), again.columns);
        assert_eq!(
            (all[0].n, all[0].settings.clone()),
            (2, projection("a").settings)
        );
        let error = database.read_projection("c").unwrap_err().to_string();
        assert!(
            error.contains("projection c") && error.contains("a, b"),
            "{error}"
        );
        database.delete_projection("a").unwrap();
        assert!(database.read_projection("a").is_err());
        assert!(database.check().unwrap().is_empty());
    }

    #[test]
    fn columns_of_different_lengths_are_refused_and_damage_is_found() {
        let (folder, database) = example_database();
        let mut uneven = projection("a");
        uneven.columns[1].1 = ProjectionColumn::Numbers(vec![1.0]);
        assert!(database.save_projection(&uneven).is_err());
        database.save_projection(&projection("a")).unwrap();
        let file = folder.path().join("x.persea/persea.sqlite");
        let other = rusqlite::Connection::open(file).unwrap();
        let sql = "UPDATE projection_columns SET data = zeroblob(length(data)) WHERE ordinal = 0";
        other.execute(sql, []).unwrap();
        let stored = database.read_projection("a").unwrap();
        assert!(database.projection_columns(&stored).is_err());
        let findings = database.check().unwrap();
        assert!(
            findings.iter().any(|f| f.what.contains("projection a")),
            "{findings:?}"
        );
    }
}
