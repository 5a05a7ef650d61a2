//! Which experiments to impute.

use std::collections::HashSet;
use std::path::Path;

use crate::compendium::Experiment;
use crate::files::{FileError, Table};
use crate::model::TrainedModel;
use crate::store::{Database, StoreError};

/// Reads experiments from a TSV or CSV with the columns `biosample` and `assay`.
///
/// # Errors
/// When the file cannot be read, lacks a column, names nothing, or names what the model does not
/// know; the line is given.
pub fn read_experiments(path: &Path, model: &TrainedModel) -> crate::Result<Vec<Experiment>> {
    let table = Table::read(path)?;
    let b = table.column("biosample")?;
    let a = table.column("assay")?;
    table.check_names(&[b, a])?;
    let bad = |line: u64, why: String| FileError::line(path.display(), line, why);
    let mut experiments = Vec::new();
    for (line, cells) in &table.rows {
        let (Some(biosample), Some(assay)) = (cells.get(b), cells.get(a)) else {
            let why = "the line has fewer fields than the header";
            return Err(bad(*line, why.into()).into());
        };
        model
            .biosample(biosample)
            .map_err(|e| bad(*line, e.to_string()))?;
        model.assay(assay).map_err(|e| bad(*line, e.to_string()))?;
        experiments.push(Experiment::new(biosample, assay));
    }
    if experiments.is_empty() {
        let why = "no experiment below the header";
        return Err(bad(table.header_line, why.into()).into());
    }
    let mut seen = HashSet::new();
    experiments.retain(|e| seen.insert(e.clone()));
    Ok(experiments)
}

/// Every experiment that the model knows and the database has no track of.
///
/// # Errors
/// When the database cannot be read.
pub fn missing_experiments(
    database: &Database,
    model: &TrainedModel,
) -> Result<Vec<Experiment>, StoreError> {
    let measured: HashSet<(String, String)> = database
        .tracks()?
        .into_iter()
        .map(|t| (t.biosample, t.assay))
        .collect();
    let record = model.record();
    let all = record
        .biosamples
        .iter()
        .flat_map(|b| record.assays.iter().map(move |a| (b.clone(), a.clone())));
    Ok(all
        .filter(|pair| !measured.contains(pair))
        .map(|(biosample, assay)| Experiment { biosample, assay })
        .collect())
}
