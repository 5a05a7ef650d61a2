//! Names of tracks in small files.

use std::path::Path;

use anyhow::bail;
use persea::files::Table;

/// Tracks listed in a file with the columns biosample and assay.
pub fn pairs_of_file(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let rows = columns(path, ["biosample", "assay"])?;
    Ok(rows.into_iter().map(|[b, a]| (b, a)).collect())
}

/// Named columns of a table; other columns are ignored.
fn columns<const N: usize>(path: &Path, names: [&str; N]) -> anyhow::Result<Vec<[String; N]>> {
    let table = Table::read(path)?;
    let mut places = [0; N];
    for (place, name) in places.iter_mut().zip(names) {
        *place = table.column(name)?;
    }
    table.check_names(&places)?;
    let mut rows = Vec::new();
    for (line, cells) in &table.rows {
        if cells.len() < table.header.len() {
            bail!(
                "{}, line {line}: it has {} fields, the header {}",
                path.display(),
                cells.len(),
                table.header.len()
            );
        }
        rows.push(places.map(|i| cells[i].clone()));
    }
    Ok(rows)
}

/// Tracks of one fold in a file with the columns fold, biosample and assay.
pub fn fold(path: &Path, fold: &str) -> anyhow::Result<Vec<(String, String)>> {
    let folds = folds(path)?;
    let names: Vec<String> = folds.iter().map(|(name, _)| name.clone()).collect();
    match folds.into_iter().find(|(name, _)| name == fold) {
        Some((_, tracks)) => Ok(tracks),
        None => bail!(
            "{}: there is no fold `{fold}`; it has {}",
            path.display(),
            names.join(", ")
        ),
    }
}

/// A fold's name and its tracks.
pub type NamedFold = (String, Vec<(String, String)>);

/// All folds of such a file, in its order.
pub fn folds(path: &Path) -> anyhow::Result<Vec<NamedFold>> {
    let mut folds: Vec<NamedFold> = Vec::new();
    for [fold, biosample, assay] in columns(path, ["fold", "biosample", "assay"])? {
        let track = (biosample, assay);
        match folds.iter_mut().find(|(name, _)| *name == fold) {
            Some((_, tracks)) => tracks.push(track),
            None => folds.push((fold, vec![track])),
        }
    }
    Ok(folds)
}
