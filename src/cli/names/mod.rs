//! Names of biosamples, assays and tracks on the command line and in small files.
//!
//! A list is separated by commas, a track is `BIOSAMPLE:ASSAY`, and names may hold commas and colons
//! themselves (`CD4-positive, alpha-beta T cell`). So a list is read by the names that the database
//! and its models know: `split` finds the one way in which all of it is known.

mod files;
mod split;

use persea::compendium::Experiment;
use persea::store::{Database, StoreError};

use super::Misuse;
pub use files::{fold, folds, pairs_of_file};
use split::{Split, split};

/// The names that a database's tracks and models have.
pub struct Known {
    biosamples: Vec<String>,
    assays: Vec<String>,
}

impl Known {
    /// All names of a database.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn of(database: &Database) -> Result<Self, StoreError> {
        let mut known = Known {
            biosamples: database.biosamples()?.into_iter().map(|b| b.name).collect(),
            assays: database.assays()?.into_iter().map(|a| a.name).collect(),
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

    /// The one way in which a text is a known biosample, a colon and a known assay.
    fn pair(&self, text: &str) -> Option<(String, String)> {
        let mut known = text.match_indices(':').filter_map(|(i, _)| {
            let (biosample, assay) = (text[..i].trim(), text[i + 1..].trim());
            let is_known = self.is_biosample(biosample) && self.is_assay(assay);
            is_known.then(|| (biosample.to_string(), assay.to_string()))
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

    /// Reads `BIOSAMPLE:ASSAY,BIOSAMPLE:ASSAY…`. What is not known is read as it probably was meant;
    /// who looks it up says that it is unknown.
    ///
    /// # Errors
    /// When a part names no track, or the list can be read in two ways.
    pub fn pairs(&self, list: &[String]) -> anyhow::Result<Vec<(String, String)>> {
        let text = list.join(",");
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        match split(&text, &|part| self.pair(part)) {
            Split::Known(pairs) => Ok(pairs),
            Split::Several => Err(several(&text)),
            Split::Unknown { mut known, rest } => {
                let mut rest = rest.to_string();
                while !rest.is_empty() {
                    // Up to the first comma behind a colon.
                    let colon = rest.find(':').unwrap_or(0);
                    let end = rest[colon..].find(',').map_or(rest.len(), |i| colon + i);
                    let part = rest[..end].trim().to_string();
                    rest = rest[end..].trim_start_matches(',').to_string();
                    match self.pair(&part).or_else(|| self.meant(&part)) {
                        Some(pair) => known.push(pair),
                        None => {
                            let message = format!("`{part}` names no track; write BIOSAMPLE:ASSAY");
                            return Err(Misuse(message).into());
                        }
                    }
                }
                Ok(known)
            }
        }
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

    /// Reads a list of biosamples, assays or tracks (`BIOSAMPLE:ASSAY`).
    ///
    /// # Errors
    /// When the list can be read in two ways.
    pub fn list(&self, list: &[String]) -> anyhow::Result<Vec<String>> {
        let text = list.join(",");
        let known = |part: &str| {
            let is_known = self.is_biosample(part) || self.is_assay(part);
            let track = || self.pair(part).map(|(b, a)| format!("{b}:{a}"));
            is_known.then(|| part.to_string()).or_else(track)
        };
        match split(&text, &known) {
            Split::Known(names) => Ok(names),
            Split::Several => Err(several(&text)),
            Split::Unknown { mut known, rest } => {
                let others = rest.split(',').map(str::trim).filter(|n| !n.is_empty());
                known.extend(others.map(str::to_string));
                Ok(known)
            }
        }
    }
}

fn several(text: &str) -> anyhow::Error {
    Misuse(format!(
        "`{text}` can be read in more than one way, because names hold commas or colons; give a file \
         of names instead"
    ))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(biosamples: &[&str], assays: &[&str]) -> Known {
        let sorted = |names: &[&str]| {
            let mut names: Vec<String> = names.iter().map(|n| n.to_string()).collect();
            names.sort();
            names
        };
        Known {
            biosamples: sorted(biosamples),
            assays: sorted(assays),
        }
    }

    fn pairs(known: &Known, text: &str) -> Result<Vec<(String, String)>, String> {
        known.pairs(&[text.to_string()]).map_err(|e| e.to_string())
    }

    fn pair(biosample: &str, assay: &str) -> (String, String) {
        (biosample.to_string(), assay.to_string())
    }

    #[test]
    fn names_may_hold_commas_colons_slashes_and_quotes() {
        let t_cell = "CD4-positive, alpha-beta T cell";
        let known = known(
            &[t_cell, "GM12878:rep1", "a/b", "\"naive\" B"],
            &["x", "y:2"],
        );
        let text = format!("{t_cell}:x,GM12878:rep1:y:2, a/b:x,\"naive\" B:x");
        assert_eq!(
            pairs(&known, &text).unwrap(),
            [
                pair(t_cell, "x"),
                pair("GM12878:rep1", "y:2"),
                pair("a/b", "x"),
                pair("\"naive\" B", "x")
            ]
        );
        let names = known.list(&[format!("a/b,{t_cell}")]).unwrap();
        assert_eq!(names, ["a/b", t_cell]);
        // As the command line hands it on, split at commas.
        let parts: Vec<String> = text.split(',').map(str::to_string).collect();
        assert_eq!(known.pairs(&parts).unwrap().len(), 4);
    }

    #[test]
    fn what_is_unknown_is_read_as_it_was_meant() {
        let known = known(&["E003", "a:b"], &["x", "y"]);
        assert_eq!(
            pairs(&known, "E003:x,E004:x,a:c:y").unwrap(),
            [pair("E003", "x"), pair("E004", "x"), pair("a:c", "y")]
        );
        let message = pairs(&known, "E003:x,E003").unwrap_err();
        assert!(message.contains("`E003` names no track"), "{message}");
        assert!(pairs(&known, "").unwrap().is_empty());
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        let known = known(&["a", "b", "a:x,b"], &["x"]);
        let message = pairs(&known, "a:x,b:x").unwrap_err();
        assert!(message.contains("more than one way"), "{message}");
    }
}
