//! Which of a manifest's columns is which.

use std::path::Path;

use super::CompendiumError;
use crate::files::Table;

/// The columns that a manifest may have, the required ones first.
pub(crate) const COLUMNS: [&str; 8] = [
    "biosample",
    "assay",
    "path",
    "format",
    "transform",
    "multiplier",
    "unit",
    "missing",
];

const N_REQUIRED: usize = 3;

/// Names that a manifest uses in place of Persea's own (`--columns biosample=cell,path=file`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnMap {
    /// Persea's name and the manifest's.
    pairs: Vec<(&'static str, String)>,
}

impl ColumnMap {
    /// Reads `biosample=cell,path=file`. Columns that are not named keep their own names.
    ///
    /// # Errors
    /// When a pair is malformed, names a column that Persea does not know, or one twice.
    pub fn parse(text: &str) -> Result<Self, CompendiumError> {
        let mut pairs: Vec<(&'static str, String)> = Vec::new();
        for pair in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let Some((ours, theirs)) = pair.split_once('=') else {
                return Err(CompendiumError::Invalid(format!(
                    "`{pair}` does not map a column; write it as biosample=cell,path=file"
                )));
            };
            let (ours, theirs) = (ours.trim(), theirs.trim());
            let Some(known) = COLUMNS.into_iter().find(|c| *c == ours) else {
                return Err(CompendiumError::Invalid(format!(
                    "`{ours}` is not a column of a manifest; those are {}",
                    COLUMNS.join(", ")
                )));
            };
            if pairs.iter().any(|(c, _)| *c == known) {
                return Err(CompendiumError::Invalid(format!(
                    "column {known} is mapped twice"
                )));
            }
            pairs.push((known, theirs.to_string()));
        }
        Ok(ColumnMap { pairs })
    }

    /// For each of [`COLUMNS`], its place in the header. Where columns have been mapped, those
    /// that are unknown are the manifest's own business; otherwise they are probably mistakes.
    pub(crate) fn places(
        &self,
        path: &Path,
        table: &Table,
    ) -> Result<[Option<usize>; 8], CompendiumError> {
        let header = &table.header;
        let theirs = |ours: &'static str| {
            let mapped = self.pairs.iter().find(|(c, _)| *c == ours);
            mapped.map_or(ours, |(_, name)| name.as_str())
        };
        let is = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
        let mut places = [None; 8];
        for (place, ours) in places.iter_mut().zip(COLUMNS) {
            let mut found = (0..header.len()).filter(|i| is(&header[*i], theirs(ours)));
            *place = found.next();
            if place.is_some() && found.next().is_some() {
                let message = format!("two columns are named `{}`", theirs(ours));
                return Err(CompendiumError::line(path, table.header_line, message));
            }
        }
        for (i, ours) in COLUMNS.into_iter().enumerate() {
            let mapped = self.pairs.iter().any(|(c, _)| *c == ours);
            if places[i].is_none() && (i < N_REQUIRED || mapped) {
                let message = format!(
                    "there is no column `{}` for the {ours}; it has {}. Other names are mapped \
                     by option `columns`, as in biosample=cell,path=file",
                    theirs(ours),
                    header.join(", ")
                );
                return Err(CompendiumError::line(path, table.header_line, message));
            }
        }
        if self.pairs.is_empty()
            && let Some(unknown) = (0..header.len()).find(|i| !places.contains(&Some(*i)))
        {
            let message = format!(
                "unknown column `{}`; a manifest has {}. If its columns have other names, map \
                 them by option `columns`, as in biosample=cell,path=file: columns that are \
                 not mapped are then ignored",
                header[unknown],
                COLUMNS.join(", ")
            );
            return Err(CompendiumError::line(path, table.header_line, message));
        }
        Ok(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_that_make_no_sense_are_refused_with_the_reason() {
        for (text, why) in [
            ("biosample", "does not map"),
            ("cell=biosample", "`cell` is not a column"),
            ("path=a,path=b", "column path is mapped twice"),
        ] {
            let message = ColumnMap::parse(text).unwrap_err().to_string();
            assert!(message.contains(why), "{text}: {message}");
        }
        assert_eq!(ColumnMap::parse("").unwrap(), ColumnMap::default());
    }
}
