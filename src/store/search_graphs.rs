//! What is recorded of the graphs in `index/`.

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::{Database, StoreError};

/// The record of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphRecord {
    /// Of what it is: `250bp`, `5kbp`, `biosamples`, `assays`.
    pub vectors: String,
    /// The model's checksum when it was built.
    pub model_checksum: String,
    /// How it was built.
    pub parameters: Value,
    /// What the audit after building found.
    pub audit: Value,
    /// The BLAKE3 of each file, by name.
    pub checksums: Value,
}

impl Database {
    /// Records a graph, in place of one of the same vectors.
    ///
    /// # Errors
    /// When the database cannot be written, or the model is no more.
    pub(crate) fn record_graph(&self, model: i64, graph: &GraphRecord) -> Result<(), StoreError> {
        self.prepare_writing()?;
        self.write(|t| {
            t.execute(
                "INSERT OR REPLACE INTO search_graphs
                 (model, vectors, model_checksum, parameters, audit, checksums, built)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
                params![
                    model,
                    graph.vectors,
                    graph.model_checksum,
                    graph.parameters.to_string(),
                    graph.audit.to_string(),
                    graph.checksums.to_string(),
                ],
            )?;
            Ok(())
        })
    }

    /// The record of a model's graph, if there is one.
    ///
    /// # Errors
    /// When SQLite fails or the record is damaged.
    pub fn graph_record(
        &self,
        model: i64,
        vectors: &str,
    ) -> Result<Option<GraphRecord>, StoreError> {
        self.read_checked(&["search_graphs"], |t| {
            let sql = "SELECT model_checksum, parameters, audit, checksums FROM search_graphs
                       WHERE model = ?1 AND vectors = ?2";
            let row = t.query_row(sql, params![model, vectors], |r| {
                Ok([r.get(0)?, r.get(1)?, r.get(2)?, r.get::<_, String>(3)?])
            });
            let Some([model_checksum, parameters, audit, checksums]) = row.optional()? else {
                return Ok(None);
            };
            let json = |text: &str| {
                serde_json::from_str(text).map_err(|e| {
                    StoreError::damaged("persea.sqlite, table search_graphs", e.to_string())
                })
            };
            Ok(Some(GraphRecord {
                vectors: vectors.to_string(),
                model_checksum,
                parameters: json(&parameters)?,
                audit: json(&audit)?,
                checksums: json(&checksums)?,
            }))
        })
    }
}
