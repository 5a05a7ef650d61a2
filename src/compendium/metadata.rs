//! Metadata of biosamples and assays, from a table as somebody else made it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::{Map, Value};

use super::{CompendiumError, epirr};
use crate::files::Table;
use crate::store::Database;

/// What a metadata table was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataReport {
    /// `biosample` or `assay`.
    pub kind: &'static str,
    /// The column that names them.
    pub column: String,
    /// Those of the database that the table knows.
    pub updated: Vec<String>,
    /// How many rows name none of the database's.
    pub n_others: usize,
}

/// Reads a CSV or TSV table and adds its columns to what is known of the database's biosamples or
/// assays. The column `biosample` or `assay` names them; else one with `EID` in its name does
/// (Roadmap's `Epigenome ID (EID)`), or IHEC's `EpiRR`, and else the first, by whose names it knows most of.
/// EpiRR identifiers are matched with and without their version; of several versions the one that the
/// database names is read, else the newest, and its identifier is kept. Rows without a name are passed over,
/// and so are empty fields and columns without a name; columns of one name are distinguished by the first such
/// row (a second header) or by counting.
///
/// ```
/// use persea::compendium::ingest_metadata;
///
/// # let (folder, database) = persea::compendium::example_compendium()?;
/// let table = folder.path().join("metadata.tsv");
/// std::fs::write(&table, "biosample\tanatomy\nS1\tblood\nS9\tbrain\n")?;
/// let report = ingest_metadata(&database, &table)?;
/// assert_eq!((report.updated, report.n_others), (vec!["S1".to_string()], 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the file cannot be read, names something twice, or knows nothing that the database has.
pub fn ingest_metadata(
    database: &Database,
    path: &Path,
) -> Result<MetadataReport, CompendiumError> {
    let table = Table::read(path)?;
    let biosamples: Vec<String> = database.biosamples()?.into_iter().map(|b| b.name).collect();
    let assays: Vec<String> = database.assays()?.into_iter().map(|a| a.name).collect();
    let (kind, key) = key_column(path, &table, &biosamples, &assays)?;
    table.check_names(&[key])?;
    let known = if kind == "biosample" {
        &biosamples
    } else {
        &assays
    };
    let names = column_names(&table, key);
    let mut seen: HashMap<&str, u64> = HashMap::new();
    let mut report = MetadataReport {
        kind,
        column: table.header[key].clone(),
        updated: Vec::new(),
        n_others: 0,
    };
    let mut updates: BTreeMap<&str, Update> = BTreeMap::new();
    for (line, fields) in &table.rows {
        let Some(name) = fields.get(key).filter(|n| !n.is_empty()) else {
            continue;
        };
        if let Some(before) = seen.insert(name, *line) {
            let message = format!("{name} stands in line {before} already");
            return Err(CompendiumError::line(path, *line, message));
        }
        let id = epirr::without_version(name);
        let is_named = |known: &&String| {
            *known == name || (id.is_some() && epirr::without_version(known) == id)
        };
        let described: Vec<&String> = known.iter().filter(is_named).collect();
        report.n_others += usize::from(described.is_empty());
        for stored in described {
            let fit = (stored == name, epirr::version(name));
            if updates
                .get(stored.as_str())
                .is_some_and(|other| other.fit > fit)
            {
                continue;
            }
            let mut metadata = Map::new();
            for (column, field) in names.iter().zip(fields) {
                if let Some(column) = column.as_ref().filter(|_| !field.is_empty()) {
                    metadata.insert(column.clone(), Value::from(field.as_str()));
                }
            }
            if stored != name {
                metadata.insert("EpiRR".into(), Value::from(name.as_str()));
            }
            updates.insert(stored, Update { fit, metadata });
        }
    }
    if updates.is_empty() {
        return Err(CompendiumError::file(
            path,
            format!(
                "none of the {} names in its column `{}` is a {kind} of the database, which has \
                 {}; metadata is read for what has been ingested",
                seen.len(),
                report.column,
                if known.is_empty() {
                    "none yet".to_string()
                } else {
                    known.join(", ")
                }
            ),
        ));
    }
    for (name, Update { metadata, .. }) in updates {
        match kind {
            "biosample" => database.update_biosample(name, &metadata)?,
            _ => database.update_assay(name, &metadata)?,
        }
        report.updated.push(name.to_string());
    }
    Ok(report)
}

/// What a row says of a biosample or an assay of the database.
struct Update {
    /// Whether it has the very name, and the version of an EpiRR identifier: the row that fits best is read.
    fit: (bool, u64),
    metadata: Map<String, Value>,
}

/// What the table is about, and the column that says which.
fn key_column(
    path: &Path,
    table: &Table,
    biosamples: &[String],
    assays: &[String],
) -> Result<(&'static str, usize), CompendiumError> {
    let named = |wanted: &str| {
        let mut names = table.header.iter();
        names.position(|name| name.eq_ignore_ascii_case(wanted))
    };
    match (named("biosample"), named("assay")) {
        (Some(_), Some(_)) => {
            return Err(CompendiumError::line(
                path,
                table.header_line,
                "it has a column `biosample` and a column `assay`; a table is about one of them",
            ));
        }
        (Some(key), None) => return Ok(("biosample", key)),
        (None, Some(key)) => return Ok(("assay", key)),
        (None, None) => {}
    }
    let is_eid = |name: &String| {
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == "EID")
    };
    let epirr = || named("EpiRR").or_else(|| named("epirr_id"));
    if let Some(key) = table.header.iter().position(is_eid).or_else(epirr) {
        return Ok(("biosample", key));
    }
    let count = |known: &[String]| {
        let first = table.rows.iter().filter_map(|(_, fields)| fields.first());
        first.filter(|name| known.contains(name)).count()
    };
    let kind = if count(assays) > count(biosamples) {
        "assay"
    } else {
        "biosample"
    };
    Ok((kind, 0))
}

/// The name under which each column's fields are kept; `None`: they are not.
fn column_names(table: &Table, key: usize) -> Vec<Option<String>> {
    let unnamed = |fields: &&(u64, Vec<String>)| fields.1.get(key).is_none_or(String::is_empty);
    let second = table.rows.first().filter(unnamed).map(|(_, fields)| fields);
    let repeated = |name: &String| table.header.iter().filter(|n| *n == name).count() > 1;
    let mut used: Vec<String> = Vec::new();
    let mut names = Vec::new();
    for (i, name) in table.header.iter().enumerate() {
        if name.is_empty() || i == key {
            names.push(None);
            continue;
        }
        let below = second.and_then(|fields| fields.get(i));
        let mut full = match below.filter(|b| !b.is_empty() && repeated(name)) {
            Some(below) => format!("{name} {below}"),
            None => name.clone(),
        };
        let mut count = 1;
        while used.contains(&full) {
            count += 1;
            full = format!("{name} {count}");
        }
        used.push(full.clone());
        names.push(Some(full));
    }
    names
}
