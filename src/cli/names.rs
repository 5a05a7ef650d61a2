//! Names of tracks on the command line and in small files.

use std::path::Path;

use anyhow::Context;
#[cfg(feature = "torch")]
use anyhow::bail;

use super::Misuse;

/// Reads `BIOSAMPLE:ASSAY,BIOSAMPLE:ASSAY…`.
pub fn pairs(list: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    list.iter()
        .flat_map(|part| part.split(','))
        .map(|pair| match pair.split_once(':') {
            Some((biosample, assay)) if !biosample.is_empty() && !assay.is_empty() => {
                Ok((biosample.to_string(), assay.to_string()))
            }
            _ => Err(Misuse(format!("`{pair}` names no track; write BIOSAMPLE:ASSAY")).into()),
        })
        .collect()
}

/// The tracks that a file with the columns biosample and assay names.
pub fn pairs_of_file(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains('\t') { b'\t' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let headers = reader
        .headers()
        .with_context(|| format!("{}, line 1", path.display()))?
        .clone();
    let column = |name: &str| {
        let place = headers.iter().position(|h| h.trim() == name);
        place.with_context(|| {
            format!(
                "{}, line 1: there is no column `{name}`; expected biosample, assay",
                path.display()
            )
        })
    };
    let (b, a) = (column("biosample")?, column("assay")?);
    let mut pairs = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| path.display().to_string())?;
        let field = |i: usize| record.get(i).unwrap_or_default().trim().to_string();
        pairs.push((field(b), field(a)));
    }
    Ok(pairs)
}

/// The tracks of one fold in a file with the columns fold, biosample and assay.
#[cfg(feature = "torch")]
pub fn fold(path: &Path, fold: &str) -> anyhow::Result<Vec<(String, String)>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains('\t') { b'\t' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let headers = reader
        .headers()
        .with_context(|| format!("{}, line 1", path.display()))?
        .clone();
    let column = |name: &str| {
        let place = headers.iter().position(|h| h == name);
        place.with_context(|| {
            format!(
                "{}, line 1: there is no column `{name}`; expected fold, biosample, assay",
                path.display()
            )
        })
    };
    let (f, b, a) = (column("fold")?, column("biosample")?, column("assay")?);
    let mut folds = Vec::new();
    let mut tracks = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| path.display().to_string())?;
        let field = |i: usize| record.get(i).unwrap_or_default().to_string();
        if !folds.contains(&field(f)) {
            folds.push(field(f));
        }
        if field(f) == fold {
            tracks.push((field(b), field(a)));
        }
    }
    if tracks.is_empty() {
        bail!(
            "{}: there is no fold `{fold}`; it has {}",
            path.display(),
            folds.join(", ")
        );
    }
    Ok(tracks)
}
