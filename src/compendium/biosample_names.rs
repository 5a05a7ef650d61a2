//! What people call a biosample: its name in the database, and the names that its metadata and its files have.
//!
//! A compendium of Roadmap has E116, and people say GM12878; one of ENCODE has GM12878, and people paste an
//! accession. [`BiosampleNames::find`] reads all of these, and [`BiosampleNames::labels`] is what an output
//! shows beside a name that is an identifier.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::epirr;
use crate::store::{Database, StoreError};

/// Columns whose values describe a biosample in words, the best first (Roadmap, IHEC).
const LABELS: [&str; 4] = [
    "label",
    "Standardized Epigenome name",
    "Epigenome name (from EDACC Release 9 directory)",
    "Curated Biospecimen Label",
];

/// Columns whose values are short names of biosamples. Of Roadmap's `BLD.GM12878` the tissue may be left out.
const SHORT: [&str; 4] = [
    "Epigenome Mnemonic",
    "Epigenome ID (EID)",
    "EpiRR",
    "synonym",
];

/// The names under which a database's biosamples are known.
#[derive(Debug, Clone, Default)]
pub struct BiosampleNames {
    stored: BTreeSet<String>,
    /// Names other than those in the database, as [`key`] makes them, and what has them.
    others: BTreeMap<String, BTreeSet<String>>,
    /// Words of labels that are identifiers, such as `GM12878`, and the biosamples that have them.
    words: BTreeMap<String, BTreeSet<String>>,
    labels: BTreeMap<String, String>,
}

/// What a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// No biosample.
    None,
    /// A biosample, by its name in the database.
    One(&'a str),
    /// Several, and nothing says which.
    Several(&'a BTreeSet<String>),
}

impl BiosampleNames {
    /// Collects the names of a database: stored names, short names and labels of metadata, and accessions of the
    /// files and experiments that tracks were read from.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn of(database: &Database) -> Result<Self, StoreError> {
        let mut names = BiosampleNames::default();
        for biosample in database.biosamples()? {
            let text = |column: &str| {
                let value = biosample.metadata.get(column).and_then(Value::as_str);
                value.filter(|v| !v.trim().is_empty())
            };
            let short: Vec<&str> = SHORT.iter().filter_map(|c| text(c)).collect();
            let labels: Vec<&str> = LABELS.iter().filter_map(|c| text(c)).collect();
            names.add(&biosample.name, &short, &labels);
        }
        for track in database.tracks()? {
            for origin in track.sources.iter().filter_map(|s| s.origin.as_ref()) {
                names.other(&origin.accession, &track.biosample);
                if let Some(experiment) = &origin.experiment {
                    names.other(experiment, &track.biosample);
                }
            }
        }
        Ok(names)
    }

    fn add(&mut self, name: &str, short: &[&str], labels: &[&str]) {
        self.stored.insert(name.to_string());
        self.other(name, name);
        for text in [&[name], short].concat() {
            if let Some(id) = epirr::without_version(text) {
                self.other(id, name);
            }
        }
        for text in short {
            self.other(text, name);
            if let Some((_, own)) = text.split_once('.') {
                self.other(own, name);
            }
        }
        for text in labels {
            self.other(text, name);
            let words = text.split(|c: char| c.is_whitespace() || "_.,;()/".contains(c));
            for word in words.filter(|word| is_identifier(word)) {
                let of = self.words.entry(key(word)).or_default();
                of.insert(name.to_string());
            }
        }
        if let Some(label) = labels.iter().find(|label| **label != name) {
            self.labels.insert(name.to_string(), label.to_string());
        }
    }

    fn other(&mut self, text: &str, name: &str) {
        let of = self.others.entry(key(text)).or_default();
        of.insert(name.to_string());
    }

    /// The biosample that a text names: by its name in the database; else by another name, of which case,
    /// blanks and hyphens within words do not count; else by an identifier in a label (`GM12878`, `HUVEC`).
    pub fn find(&self, text: &str) -> Named<'_> {
        let text = text.trim();
        if let Some(name) = self.stored.get(text) {
            return Named::One(name);
        }
        let wanted = key(text);
        let unversioned = epirr::without_version(text).map(key);
        let found = (self.others.get(&wanted))
            .or_else(|| self.others.get(&unversioned?))
            .or_else(|| self.words.get(&wanted));
        let Some(all) = found else {
            return Named::None;
        };
        match (all.first(), all.len()) {
            (Some(name), 1) => Named::One(name),
            _ => Named::Several(all),
        }
    }

    /// The words that describe biosamples, by their names in the database; those whose name is all there is are
    /// not among them.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }
}

/// Whether a word of a label can name a cell line: it has a digit, or two capital letters.
fn is_identifier(word: &str) -> bool {
    let n_capitals = word.chars().filter(|c| c.is_uppercase()).count();
    word.chars().count() > 1 && (word.chars().any(|c| c.is_ascii_digit()) || n_capitals > 1)
}

/// A name without what people write in different ways: case, blanks, underscores, hyphens between letters or
/// digits. The signs of `CD4+` and `CD4-` stay.
fn key(text: &str) -> String {
    let chars: Vec<char> = text.trim().to_lowercase().chars().collect();
    let is_word = |i: Option<usize>| {
        i.and_then(|i| chars.get(i))
            .is_some_and(|c| c.is_alphanumeric())
    };
    let kept = chars.iter().enumerate().filter(|(i, c)| match c {
        ' ' | '_' => false,
        '-' => !(is_word(i.checked_sub(1)) && is_word(i.checked_add(1))),
        _ => true,
    });
    kept.map(|(_, c)| *c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of Roadmap's table: EID, mnemonic, standardized name.
    fn roadmap() -> BiosampleNames {
        let mut names = BiosampleNames::default();
        for (name, mnemonic, label) in [
            ("E003", "ESC.H1", "H1 Cells"),
            (
                "E007",
                "ESDR.H1.NEUR.PROG",
                "H1 Derived Neuronal Progenitor Cultured Cells",
            ),
            (
                "E017",
                "LNG.IMR90",
                "IMR90 fetal lung fibroblasts Cell Line",
            ),
            ("E116", "BLD.GM12878", "GM12878 Lymphoblastoid Cells"),
        ] {
            names.add(name, &[mnemonic], &[label]);
        }
        names
    }

    #[test]
    fn a_biosample_is_found_by_the_names_that_people_know() {
        let names = roadmap();
        for (text, name) in [
            ("E116", "E116"),
            ("e116", "E116"),
            ("GM12878", "E116"),
            ("gm12878", "E116"),
            ("BLD.GM12878", "E116"),
            ("GM12878 Lymphoblastoid Cells", "E116"),
            ("IMR-90", "E017"),
            // The whole short name comes before a word of a label, which two have.
            ("H1", "E003"),
        ] {
            assert_eq!(names.find(text), Named::One(name), "{text}");
        }
        // A common word names nothing.
        for text in ["K562", "", "Cells", "lung"] {
            assert_eq!(names.find(text), Named::None, "{text}");
        }
        assert_eq!(names.labels()["E116"], "GM12878 Lymphoblastoid Cells");
    }

    #[test]
    fn an_identifier_in_two_labels_names_both() {
        let mut names = BiosampleNames::default();
        names.add("E003", &[], &["H1 Cells"]);
        names.add(
            "E007",
            &[],
            &["H1 Derived Neuronal Progenitor Cultured Cells"],
        );
        let Named::Several(all) = names.find("h1") else {
            panic!("{:?}", names.find("h1"));
        };
        assert_eq!(all.iter().collect::<Vec<_>>(), ["E003", "E007"]);
    }

    #[test]
    fn a_name_of_the_database_comes_before_all_others() {
        let mut names = roadmap();
        names.add("GM12878", &[], &[]);
        names.add("gm12878", &[], &[]);
        assert_eq!(names.find("GM12878"), Named::One("GM12878"));
        assert_eq!(names.find("gm12878"), Named::One("gm12878"));
        assert!(matches!(names.find("Gm12878"), Named::Several(all) if all.len() == 3));
    }

    #[test]
    fn epigenomes_of_ihec_are_found_with_and_without_their_version() {
        let mut names = BiosampleNames::default();
        names.add("IHECRE00001032.6", &[], &["Brain"]);
        names.add("IHECRE00001053", &["IHECRE00001053.7"], &["Brain"]);
        for (text, name) in [
            ("IHECRE00001032", "IHECRE00001032.6"),
            ("IHECRE00001032.6", "IHECRE00001032.6"),
            ("IHECRE00001032.5", "IHECRE00001032.6"),
            ("IHECRE00001053.7", "IHECRE00001053"),
        ] {
            assert_eq!(names.find(text), Named::One(name), "{text}");
        }
    }

    #[test]
    fn signs_that_tell_cells_apart_count() {
        let mut names = BiosampleNames::default();
        names.add("a", &["CD4+ T"], &[]);
        names.add("b", &["CD4- T"], &[]);
        assert_eq!(names.find("cd4+ t"), Named::One("a"));
        assert_eq!(names.find("CD4-T"), Named::None);
        assert_eq!(names.find("CD4- T"), Named::One("b"));
    }
}
