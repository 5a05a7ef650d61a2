//! Which of a label file's columns is which.

use std::path::Path;

use crate::store::nearest_names;
use crate::tasks::TaskError;

/// What a column may be to an import, and the names by which it is known, the surest first.
pub(crate) const ROLES: &[(&str, &[&str])] = &[
    (
        "gene",
        &[
            "gene_id",
            "gene",
            "ensembl_id",
            "ensembl",
            "geneid",
            "gene_name",
            "symbol",
        ],
    ),
    ("chrom", &["chrom", "chr", "chromosome", "seqname"]),
    (
        "start",
        &[
            "start",
            "hg19_start",
            "hg38_start",
            "chromstart",
            "chrom_start",
        ],
    ),
    (
        "end",
        &[
            "end",
            "hg19_end",
            "hg38_end",
            "chromend",
            "chrom_end",
            "stop",
        ],
    ),
    ("strand", &["strand"]),
    ("tss", &["tss"]),
    ("name", &["name", "id"]),
    (
        "label",
        &[
            "label",
            "y",
            "class",
            "value",
            "is_fire",
            "fire",
            "mean_z",
            "early_score",
            "score",
        ],
    ),
    (
        "biosample",
        &[
            "biosample",
            "eid",
            "cell",
            "cell_type",
            "celltype",
            "cell_line",
        ],
    ),
    ("fold", &["fold"]),
    ("enhancer", &["enhancer_name", "enhancer"]),
    ("promoter", &["promoter_name", "promoter"]),
    ("enhancer_chrom", &["enhancer_chrom", "enh_chrom"]),
    ("enhancer_start", &["enhancer_start", "enh_start"]),
    ("enhancer_end", &["enhancer_end", "enh_end"]),
    ("promoter_chrom", &["promoter_chrom", "prom_chrom"]),
    ("promoter_start", &["promoter_start", "prom_start"]),
    ("promoter_end", &["promoter_end", "prom_end"]),
    ("chrom_2", &["chrom_2", "chrom2", "chr2"]),
    ("start_2", &["start_2", "start2"]),
    ("end_2", &["end_2", "end2"]),
];

/// Columns that the user names: `--columns start=hg19_start,label=mean_fraction`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelColumns {
    pairs: Vec<(&'static str, String)>,
}

impl LabelColumns {
    /// Reads `ROLE=NAME,…`.
    ///
    /// # Errors
    /// When a pair is malformed, or names no role.
    pub fn parse(text: &str) -> Result<Self, TaskError> {
        let mut columns = LabelColumns::default();
        for pair in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let Some((role, name)) = pair.split_once('=') else {
                return Err(TaskError::Settings(format!(
                    "`{pair}` does not map a column; write it as start=hg19_start"
                )));
            };
            columns.set(role.trim(), name.trim())?;
        }
        Ok(columns)
    }

    /// Says which column plays a role.
    ///
    /// # Errors
    /// When there is no such role.
    pub fn set(&mut self, role: &str, name: &str) -> Result<(), TaskError> {
        let Some((known, _)) = ROLES.iter().find(|(r, _)| *r == role) else {
            let roles: Vec<&str> = ROLES.iter().map(|(r, _)| *r).collect();
            return Err(TaskError::Settings(format!(
                "`{role}` is nothing that a column can be; those are {}",
                roles.join(", ")
            )));
        };
        self.pairs.retain(|(r, _)| r != known);
        self.pairs.push((known, name.to_string()));
        Ok(())
    }

    /// Whether a file's column is named for something.
    pub(super) fn maps(&self, column: &str) -> bool {
        self.pairs.iter().any(|(_, name)| name == column)
    }
}

/// The columns of one file.
pub(super) struct Columns<'a> {
    path: &'a Path,
    header: &'a [String],
    wanted: &'a LabelColumns,
}

impl<'a> Columns<'a> {
    pub(super) fn new(path: &'a Path, header: &'a [String], wanted: &'a LabelColumns) -> Self {
        Columns {
            path,
            header,
            wanted,
        }
    }

    /// The place of the column that plays a role, if one does.
    ///
    /// # Errors
    /// When the user has named one that does not exist.
    pub(super) fn find(&self, role: &str) -> Result<Option<usize>, TaskError> {
        if let Some((_, name)) = self.wanted.pairs.iter().find(|(r, _)| *r == role) {
            return self.named(name).map(Some);
        }
        let names = ROLES.iter().find(|(r, _)| *r == role).map(|(_, n)| *n);
        Ok(names
            .unwrap_or(&[])
            .iter()
            .find_map(|name| self.place(name)))
    }

    /// As [`Columns::find`], of a column that must be there.
    pub(super) fn need(&self, role: &str) -> Result<usize, TaskError> {
        self.find(role)?.ok_or_else(|| {
            TaskError::line(
                self.path,
                1,
                format!(
                    "there is no column for the {role}; it has {}. Name it by option `columns` \
                     {role}=COLUMN",
                    self.header.join(", ")
                ),
            )
        })
    }

    /// The place of a column by its name.
    pub(super) fn named(&self, name: &str) -> Result<usize, TaskError> {
        self.place(name).ok_or_else(|| {
            let near = nearest_names(name, self.header.iter().map(String::as_str), 3);
            TaskError::line(
                self.path,
                1,
                format!(
                    "there is no column `{name}`; nearest: {}. It has {}",
                    near.join(", "),
                    self.header.join(", ")
                ),
            )
        })
    }

    fn place(&self, name: &str) -> Option<usize> {
        let exact = self.header.iter().position(|h| h == name);
        exact.or_else(|| {
            self.header
                .iter()
                .position(|h| h.eq_ignore_ascii_case(name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_usual_names_or_as_the_user_says() {
        let header = [
            "Chrom",
            "hg19_start",
            "hg19_end",
            "mean_fraction",
            "early_score",
        ];
        let header: Vec<String> = header.iter().map(|s| s.to_string()).collect();
        let path = Path::new("t.tsv");
        let none = LabelColumns::default();
        let columns = Columns::new(path, &header, &none);
        assert_eq!(columns.need("start").unwrap(), 1);
        assert_eq!(columns.need("chrom").unwrap(), 0);
        assert_eq!(columns.need("label").unwrap(), 4);
        let mapped = LabelColumns::parse("label=mean_fraction").unwrap();
        let columns = Columns::new(path, &header, &mapped);
        assert_eq!(columns.need("label").unwrap(), 3);
        let message = columns.need("biosample").unwrap_err().to_string();
        assert!(
            message.contains("option `columns` biosample=COLUMN"),
            "{message}"
        );
        let wrong = LabelColumns::parse("label=early_scor").unwrap();
        let message = Columns::new(path, &header, &wrong)
            .find("label")
            .unwrap_err();
        assert!(
            message.to_string().contains("nearest: early_score"),
            "{message}"
        );
        assert!(LabelColumns::parse("label").is_err());
        assert!(LabelColumns::parse("colour=red").is_err());
    }
}
