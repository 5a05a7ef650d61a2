//! Names of biosamples, assays and tracks on the command line and in small files.
//!
//! A list is separated by commas, a track is `BIOSAMPLE:ASSAY`, and names may hold commas and colons
//! themselves (`CD4-positive, alpha-beta T cell`). So a list is read by the names that the database
//! and its models know: `split` finds the one way in which all of it is known. Where that fails, what else
//! people call a biosample counts too (`GM12878` for E116, an accession).

mod files;
mod split;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use persea::compendium::{BiosampleNames, Experiment, Named};
use persea::store::{Database, StoreError};

use super::Misuse;
use super::output::printable;
pub use files::{fold, folds, pairs_of_file};
use split::{Split, split};

/// The names that a database's tracks and models have.
pub struct Known {
    biosamples: Vec<String>,
    assays: Vec<String>,
    /// What else biosamples are called.
    called: BiosampleNames,
}

/// Which names of biosamples count.
#[derive(Clone, Copy, PartialEq)]
enum Names {
    /// Those in the database and its models.
    Stored,
    /// What else people call them, too.
    All,
}

/// A part of a list: the biosample as it was written, and what was read.
type Part<T> = (String, T);

impl Known {
    /// All names of a database.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn of(database: &Database) -> Result<Self, StoreError> {
        let mut known = Known {
            biosamples: database.biosamples()?.into_iter().map(|b| b.name).collect(),
            assays: database.assays()?.into_iter().map(|a| a.name).collect(),
            called: BiosampleNames::of(database)?,
        };
        for model in database.list_models()? {
            known.biosamples.extend(model.record.biosamples);
            known.assays.extend(model.record.assays);
        }
        for names in [&mut known.biosamples, &mut known.assays] {
            names.sort();
            names.dedup();
        }
        Ok(known)
    }

    fn is_biosample(&self, name: &str) -> bool {
        self.biosamples
            .binary_search_by(|b| b.as_str().cmp(name))
            .is_ok()
    }

    fn is_assay(&self, name: &str) -> bool {
        self.assays
            .binary_search_by(|a| a.as_str().cmp(name))
            .is_ok()
    }

    /// The biosample that a text names.
    fn find(&self, text: &str, names: Names) -> Option<String> {
        if self.is_biosample(text) {
            return Some(text.to_string());
        }
        match self.called.find(text) {
            Named::One(name) if names == Names::All => Some(name.to_string()),
            _ => None,
        }
    }

    /// The name in the database of a biosample that may be called otherwise (`GM12878`, an accession). What names
    /// no biosample is returned as it is; who looks it up says that it is unknown.
    ///
    /// # Errors
    /// When several biosamples are called so.
    pub fn biosample(&self, text: &str) -> anyhow::Result<String> {
        if let Some(name) = self.find(text.trim(), Names::All) {
            self.note(text, &name);
            return Ok(name);
        }
        match self.called.find(text) {
            Named::Several(all) => Err(self.several_are(text, all)),
            _ => Ok(text.to_string()),
        }
    }

    /// As [`Known::biosample`], of a sum such as `GM12878 - H1 + IMR90`.
    ///
    /// # Errors
    /// As [`Known::biosample`].
    pub fn sum(&self, text: &str) -> anyhow::Result<String> {
        if self.is_biosample(text.trim()) {
            return Ok(text.to_string());
        }
        let mut sum: Vec<String> = Vec::new();
        let mut name: Vec<&str> = Vec::new();
        for word in text.split_whitespace() {
            if word != "+" && word != "-" {
                name.push(word);
                continue;
            }
            if !name.is_empty() {
                sum.push(self.biosample(&name.join(" "))?);
                name.clear();
            }
            sum.push(word.to_string());
        }
        if !name.is_empty() {
            sum.push(self.biosample(&name.join(" "))?);
        }
        Ok(sum.join(" "))
    }

    /// The words that describe biosamples, by their names in the database.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        self.called.labels()
    }

    /// Says which biosample is meant, where it was called otherwise.
    fn note(&self, text: &str, name: &str) {
        if text.trim() != name {
            eprintln!(
                "persea: {}",
                printable(&format!("{} is {}", text.trim(), self.shown(name)))
            );
        }
    }

    fn shown(&self, name: &str) -> String {
        match self.labels().get(name) {
            Some(label) => format!("{name} ({label})"),
            None => name.to_string(),
        }
    }

    fn several_are(&self, text: &str, all: &BTreeSet<String>) -> anyhow::Error {
        let all: Vec<String> = all.iter().map(|name| self.shown(name)).collect();
        Misuse(format!(
            "`{}` may be any of {} biosamples: {}; give the name in the database",
            text.trim(),
            all.len(),
            all.join(", ")
        ))
        .into()
    }

    /// The one way in which a text is a known biosample, a colon and a known assay.
    fn pair(&self, text: &str, names: Names) -> Option<Part<(String, String)>> {
        let mut known = text.match_indices(':').filter_map(|(i, _)| {
            let (biosample, assay) = (text[..i].trim(), text[i + 1..].trim());
            let name = (self.is_assay(assay)).then(|| self.find(biosample, names))??;
            Some((biosample.to_string(), (name, assay.to_string())))
        });
        known.next()
    }

    /// What an unknown text was probably meant to name: before the first colon, or what ends in a
    /// known assay or begins with a known biosample.
    fn meant(&self, text: &str) -> Option<(String, String)> {
        let mut splits = text
            .match_indices(':')
            .map(|(i, _)| (text[..i].trim(), text[i + 1..].trim()));
        let first = splits.clone().next()?;
        let half = splits.find(|(b, a)| self.is_biosample(b) || self.is_assay(a));
        let (biosample, assay) = half.unwrap_or(first);
        let is_whole = !biosample.is_empty() && !assay.is_empty();
        is_whole.then(|| (biosample.to_string(), assay.to_string()))
    }

    /// Divides a list: by the names in the database, and if not all of it is known, by other names too.
    fn divide<'a, T: Clone>(
        text: &'a str,
        item: &dyn Fn(&str, Names) -> Option<T>,
    ) -> Split<'a, T> {
        match split(text, &|part| item(part, Names::Stored)) {
            Split::Unknown { known, rest } => match split(text, &|part| item(part, Names::All)) {
                Split::Several => Split::Unknown { known, rest },
                other => other,
            },
            whole => whole,
        }
    }

    /// Reads `BIOSAMPLE:ASSAY,BIOSAMPLE:ASSAY…`. What is not known is read as it probably was meant;
    /// who looks it up says that it is unknown.
    ///
    /// # Errors
    /// When a part names no track, the list can be read in two ways, or several biosamples are called so.
    pub fn pairs(&self, list: &[String]) -> anyhow::Result<Vec<(String, String)>> {
        let text = list.join(",");
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let parts = match Self::divide(&text, &|part, names| self.pair(part, names)) {
            Split::Known(parts) => parts,
            Split::Several => return Err(several(&text)),
            Split::Unknown { mut known, rest } => {
                let mut rest = rest.to_string();
                while !rest.is_empty() {
                    // Up to the first comma behind a colon.
                    let colon = rest.find(':').unwrap_or(0);
                    let end = rest[colon..].find(',').map_or(rest.len(), |i| colon + i);
                    let part = rest[..end].trim().to_string();
                    rest = rest[end..].trim_start_matches(',').to_string();
                    let read = self.pair(&part, Names::All);
                    let meant = || self.meant(&part).map(|pair| (pair.0.clone(), pair));
                    let Some((written, (biosample, assay))) = read.or_else(meant) else {
                        let message = format!("`{part}` names no track; write BIOSAMPLE:ASSAY");
                        return Err(Misuse(message).into());
                    };
                    if let Named::Several(all) = self.called.find(&biosample)
                        && !self.is_biosample(&biosample)
                    {
                        return Err(self.several_are(&biosample, all));
                    }
                    known.push((written, (biosample, assay)));
                }
                known
            }
        };
        Ok((parts.into_iter())
            .map(|(written, pair)| {
                self.note(&written, &pair.0);
                pair
            })
            .collect())
    }

    /// As [`Known::pairs`].
    ///
    /// # Errors
    /// As [`Known::pairs`].
    pub fn experiments(&self, list: &[String]) -> anyhow::Result<Vec<Experiment>> {
        let pairs = self.pairs(list)?;
        let experiment = |(biosample, assay)| Experiment { biosample, assay };
        Ok(pairs.into_iter().map(experiment).collect())
    }

    /// Reads a list of assays.
    ///
    /// # Errors
    /// When the list can be read in two ways.
    pub fn assays(&self, list: &[String]) -> anyhow::Result<Vec<String>> {
        self.read(list, &|part, _| {
            let found = self.is_assay(part).then(|| part.to_string());
            found.map(|name| (name.clone(), name))
        })
    }

    /// Reads a list of biosamples.
    ///
    /// # Errors
    /// When the list can be read in two ways, or several biosamples are called so.
    pub fn biosamples(&self, list: &[String]) -> anyhow::Result<Vec<String>> {
        let names = self.read(list, &|part, names| {
            self.find(part, names).map(|name| (part.to_string(), name))
        })?;
        names.iter().map(|name| self.biosample(name)).collect()
    }

    /// Reads a list of biosamples, assays or tracks (`BIOSAMPLE:ASSAY`).
    ///
    /// # Errors
    /// When the list can be read in two ways.
    pub fn list(&self, list: &[String]) -> anyhow::Result<Vec<String>> {
        self.read(list, &|part, names| {
            if self.is_assay(part) {
                return Some((part.to_string(), part.to_string()));
            }
            let biosample = self.find(part, names).map(|name| (part.to_string(), name));
            biosample.or_else(|| {
                let (written, (b, a)) = self.pair(part, names)?;
                Some((format!("{written}:{a}"), format!("{b}:{a}")))
            })
        })
    }

    fn read(
        &self,
        list: &[String],
        item: &dyn Fn(&str, Names) -> Option<Part<String>>,
    ) -> anyhow::Result<Vec<String>> {
        let text = list.join(",");
        let parts = match Self::divide(&text, item) {
            Split::Known(parts) => parts,
            Split::Several => return Err(several(&text)),
            Split::Unknown { mut known, rest } => {
                let others = rest.split(',').map(str::trim).filter(|n| !n.is_empty());
                known.extend(others.map(|name| (name.to_string(), name.to_string())));
                known
            }
        };
        Ok((parts.into_iter())
            .map(|(written, name)| {
                self.note(&written, &name);
                name
            })
            .collect())
    }
}

fn several(text: &str) -> anyhow::Error {
    Misuse(format!(
        "`{text}` can be read in more than one way, because names hold commas or colons; give a file \
         of names instead"
    ))
    .into()
}
