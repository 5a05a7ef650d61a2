//! Manifests: which file holds which track.

use persea_vocabulary::vocabulary;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{ColumnMap, CompendiumError};
use crate::files::Table;
use crate::formats::{Format, Location, Missing};
use crate::store::{SourceOrigin, Transform, check_name};

/// A manifest: a CSV or TSV table of `biosample`, `assay` and `path`, optionally with `format`,
/// `transform`, `multiplier`, `unit` and `missing`. Paths are relative to it, or URLs.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file.
    pub path: PathBuf,
    /// The rows that name a file, in order.
    pub rows: Vec<ManifestRow>,
    /// The rows that name none.
    pub skipped: Vec<SkippedRow>,
}

/// A row of a manifest: one file.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestRow {
    /// Its line, counted from 1.
    pub line: u64,
    /// The biosample.
    pub biosample: String,
    /// The assay.
    pub assay: String,
    /// The file.
    pub location: Location,
    /// Its format; `None`: recognised from its name and content.
    pub format: Option<Format>,
    /// What is to be done to the signal; arcsinh unless the row says otherwise.
    pub transform: Transform,
    /// What the signal is multiplied by before that, to bring it to the assay's unit.
    pub multiplier: f64,
    /// The unit, where the row gives one.
    pub unit: Option<String>,
    /// What uncovered bases count as; what follows from the format unless the row says otherwise.
    pub missing: Missing,
    /// What a consortium's table says of the file; of a manifest's own rows nothing.
    pub origin: Option<SourceOrigin>,
}

/// A row without a file: the path is empty or `missing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRow {
    /// Its line, counted from 1.
    pub line: u64,
    /// The biosample.
    pub biosample: String,
    /// The assay.
    pub assay: String,
}

vocabulary! {
    /// What to do about two files of one experiment.
    pub enum Replicates = Refuse {
        /// Refuse them
        Refuse = "error",
        /// Use the mean of their signal, before the transform
        Mean = "mean",
    }
}

/// A track as a manifest describes it: one row, or several replicates' rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestTrack {
    /// The biosample.
    pub biosample: String,
    /// The assay.
    pub assay: String,
    /// What is to be done to the signal; the same for all tracks of the assay.
    pub transform: Transform,
    /// The unit; the same for all tracks of the assay.
    pub unit: Option<String>,
    /// The rows, at least one, of different files.
    pub rows: Vec<ManifestRow>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// When the file cannot be read, a required column is missing or one is unknown, a row has
    /// too few fields, an empty name or a value that its column does not allow; line and reason
    /// are given.
    pub fn read(path: &Path, columns: &ColumnMap) -> Result<Self, CompendiumError> {
        let table = Table::read(path)?;
        let places = columns.places(path, &table)?;
        let used: Vec<usize> = places.into_iter().flatten().collect();
        table.check_names(&used)?;
        // Absolute, so that a track's file is known by one name wherever ingest is run.
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let base = absolute.parent().unwrap_or(Path::new(""));
        let mut manifest = Manifest {
            path: path.to_path_buf(),
            rows: Vec::new(),
            skipped: Vec::new(),
        };
        for (line, fields) in table.rows {
            let bad = |message: String| CompendiumError::line(path, line, message);
            if fields.len() != table.header.len() {
                return Err(bad(format!(
                    "it has {} fields, the header {}",
                    fields.len(),
                    table.header.len()
                )));
            }
            let [
                biosample,
                assay,
                file,
                format,
                transform,
                multiplier,
                unit,
                missing,
            ] = places.map(|place| place.map_or("", |i| fields[i].as_str()));
            for (column, name) in [("biosample", biosample), ("assay", assay)] {
                if name.is_empty() {
                    return Err(bad(format!("the {column} is empty")));
                }
                check_name(column, name).map_err(|e| bad(e.to_string()))?;
            }
            let (biosample, assay) = (biosample.to_string(), assay.to_string());
            if file.is_empty() || file.eq_ignore_ascii_case("missing") {
                manifest.skipped.push(SkippedRow {
                    line,
                    biosample,
                    assay,
                });
                continue;
            }
            manifest.rows.push(ManifestRow {
                line,
                biosample,
                assay,
                location: Location::parse(file, base),
                format: parse_format(format).map_err(bad)?,
                transform: parse_transform(transform).map_err(bad)?,
                multiplier: parse_multiplier(multiplier).map_err(bad)?,
                unit: (!unit.is_empty()).then(|| unit.to_string()),
                missing: parse_missing(missing).map_err(bad)?,
                origin: None,
            });
        }
        if manifest.rows.is_empty() {
            return Err(CompendiumError::file(path, "no row names a file"));
        }
        Ok(manifest)
    }

    /// The tracks, in the order of their first rows, and warnings about rows that repeat a file.
    ///
    /// # Errors
    /// When an experiment is repeated and replicates are refused, or an assay's rows differ in
    /// unit or transform; both lines are named.
    pub fn tracks(
        &self,
        replicates: Replicates,
    ) -> Result<(Vec<ManifestTrack>, Vec<String>), CompendiumError> {
        self.refuse_mixed_assays()?;
        let mut tracks: Vec<ManifestTrack> = Vec::new();
        let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut warnings = Vec::new();
        for row in &self.rows {
            let next = tracks.len();
            let place = *places.entry((&row.biosample, &row.assay)).or_insert(next);
            let Some(track) = tracks.get_mut(place) else {
                tracks.push(ManifestTrack {
                    biosample: row.biosample.clone(),
                    assay: row.assay.clone(),
                    transform: row.transform,
                    unit: row.unit.clone(),
                    rows: vec![row.clone()],
                });
                continue;
            };
            let first = &track.rows[0];
            if replicates == Replicates::Refuse {
                return Err(CompendiumError::line(
                    &self.path,
                    row.line,
                    format!(
                        "{} {} stands in line {} already; if they are replicates, \
                         option `replicates` mean takes their mean",
                        row.biosample, row.assay, first.line
                    ),
                ));
            }
            match (track.rows.iter()).find(|r| is_same_file(&r.location, &row.location)) {
                None => track.rows.push(row.clone()),
                Some(same) => warnings.push(format!(
                    "{} {}: lines {} and {} name the same file, {}; it counts once",
                    row.biosample, row.assay, same.line, row.line, row.location
                )),
            }
        }
        Ok((tracks, warnings))
    }

    /// Imputation gives an assay one unit and inverts one transform, so there can be only one.
    fn refuse_mixed_assays(&self) -> Result<(), CompendiumError> {
        let mut first: BTreeMap<&str, &ManifestRow> = BTreeMap::new();
        for row in &self.rows {
            let other = *first.entry(&row.assay).or_insert(row);
            let what = if row.unit != other.unit {
                format!("unit {}, line {} {}", shown(row), other.line, shown(other))
            } else if row.transform != other.transform {
                let (mine, others) = (row.transform, other.transform);
                format!("transform {mine}, line {} {others}", other.line)
            } else {
                continue;
            };
            return Err(CompendiumError::line(
                &self.path,
                row.line,
                format!(
                    "{} has {what}: all tracks of an assay need the same (a multiplier brings \
                     them to one unit)",
                    row.assay
                ),
            ));
        }
        Ok(())
    }
}

/// Whether two locations are one file, in whatever spelling.
fn is_same_file(a: &Location, b: &Location) -> bool {
    let real = |location: &Location| match location {
        Location::Path(path) => path.canonicalize().ok(),
        Location::Url(_) => None,
    };
    a == b || real(a).is_some_and(|a| real(b).is_some_and(|b| a == b))
}

fn shown(row: &ManifestRow) -> &str {
    row.unit.as_deref().unwrap_or("(none)")
}

fn parse_format(text: &str) -> Result<Option<Format>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    Format::from_name(text).map(Some).ok_or_else(|| {
        format!(
            "`{text}` is not a format; those are bigwig, bedgraph, narrowpeak, broadpeak, bed, \
             npz and npy"
        )
    })
}

fn parse_transform(text: &str) -> Result<Transform, String> {
    if text.is_empty() {
        return Ok(Transform::Arcsinh);
    }
    Transform::from_name(&text.to_ascii_lowercase())
        .ok_or_else(|| format!("`{text}` is not a transform; those are arcsinh and none"))
}

fn parse_multiplier(text: &str) -> Result<f64, String> {
    if text.is_empty() {
        return Ok(1.0);
    }
    let number: Option<f64> = text.parse().ok();
    number
        .filter(|m| m.is_finite() && *m > 0.0)
        .ok_or_else(|| format!("the multiplier `{text}` is not a number above 0"))
}

fn parse_missing(text: &str) -> Result<Missing, String> {
    match text.to_ascii_lowercase().as_str() {
        "" => Ok(Missing::ByFormat),
        "0" | "zero" => Ok(Missing::Zero),
        "nan" | "missing" => Ok(Missing::Nan),
        _ => Err(format!(
            "`{text}` does not say what uncovered bases count as: zero, or missing (nan); empty, it \
             follows from the format"
        )),
    }
}
