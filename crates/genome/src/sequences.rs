//! The sequences that a file names, matched with an assembly's: one rule for every format.
//!
//! A name is the assembly's own, or one by which it is known too ([`Assembly::resolve`]). Records on
//! sequences that the assembly lacks (patches, decoys, viruses) are passed over and counted. A file
//! of which most is lacking is taken for one of another assembly, and refused.

use std::collections::HashMap;

use persea_files::FileError;

use super::names::is_main;
use super::{Assembly, GenomeError};

/// Matches names with chromosomes, and counts.
#[derive(Debug)]
pub struct SequenceNames<'a> {
    assembly: &'a Assembly,
    /// The last name and what it was; files come sorted.
    last: (String, Option<usize>),
    found: HashMap<String, Option<usize>>,
    n_matched: u64,
    n_lacking: u64,
    /// The first record that was passed over: its name and its line, or 0.
    first_lacking: Option<(String, u64)>,
    /// The first name that is not the assembly's own, and the chromosome's.
    alias: Option<(String, String)>,
}

/// How many names are remembered; more are looked up again and again.
const MOST_NAMES: usize = 1 << 20;

/// What became of a file's sequences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SequenceReport {
    /// Records on sequences of the assembly.
    pub n_matched: u64,
    /// Records that were passed over, because the assembly lacks their sequences.
    pub n_lacking: u64,
    /// What the user should know, without the file's name.
    pub notes: Vec<String>,
}

impl<'a> SequenceNames<'a> {
    /// Names in a file of this assembly.
    pub fn new(assembly: &'a Assembly) -> Self {
        SequenceNames {
            assembly,
            last: (String::new(), None),
            found: HashMap::new(),
            n_matched: 0,
            n_lacking: 0,
            first_lacking: None,
            alias: None,
        }
    }

    /// The chromosome's place in [`Assembly::chromosomes`] that a record of the file lies on; `None`
    /// where the assembly lacks it. `line` is the record's, counted from 1, or 0.
    pub fn find(&mut self, name: &str, line: u64) -> Option<usize> {
        if name != self.last.0 || self.last.0.is_empty() {
            let found = match self.found.get(name) {
                Some(found) => *found,
                None => self.meet(name),
            };
            self.last = (name.to_string(), found);
        }
        match self.last.1 {
            Some(_) => self.n_matched += 1,
            None => {
                self.n_lacking += 1;
                if self.first_lacking.is_none() {
                    self.first_lacking = Some((name.to_string(), line));
                }
            }
        }
        self.last.1
    }

    /// Looks up a name for the first time.
    fn meet(&mut self, name: &str) -> Option<usize> {
        let found = self.assembly.find(name);
        if let Some(rank) = found {
            let own = &self.assembly.chromosomes()[rank].name;
            if own != name && self.alias.is_none() {
                self.alias = Some((name.to_string(), own.clone()));
            }
        }
        if self.found.len() < MOST_NAMES {
            self.found.insert(name.to_string(), found);
        }
        found
    }

    /// What became of the names, at the file's end.
    ///
    /// # Errors
    /// When the file has records, and most of them and of its chromosomes are lacking.
    pub fn finish(self, file: &str) -> Result<SequenceReport, GenomeError> {
        if let Some((name, line)) = &self.first_lacking
            && self.is_of_another_assembly()
        {
            let all = match self.n_matched {
                0 => String::new(),
                n => format!(
                    "; {} of {} records lie on sequences that it lacks: give the lengths of all \
                     its sequences, and choose those to cover",
                    self.n_lacking,
                    self.n_lacking + n
                ),
            };
            let why = self.assembly.chromosome(name).err();
            let message = why.map_or_else(String::new, |e| e.to_string()) + &all;
            return Err(match line {
                0 => FileError::file(file, message).into(),
                line => FileError::line(file, *line, message).into(),
            });
        }
        Ok(SequenceReport {
            n_matched: self.n_matched,
            n_lacking: self.n_lacking,
            notes: self.notes(),
        })
    }

    fn is_of_another_assembly(&self) -> bool {
        let count = |is: &dyn Fn(&str, Option<usize>) -> bool| {
            self.found.iter().filter(|(n, f)| is(n, **f)).count()
        };
        let n_known = count(&|_, found| found.is_some());
        let n_unknown = count(&|name, found| found.is_none() && is_main(name));
        self.n_matched == 0
            || (n_unknown > 1 && n_unknown >= n_known && self.n_lacking > self.n_matched)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let assembly = self.assembly.name();
        if let Some((theirs, ours)) = &self.alias {
            notes.push(format!(
                "its sequences have other names than those of {assembly} and were matched: \
                 `{theirs}` is {ours}"
            ));
        }
        let mut lacking: Vec<&str> = (self.found.iter())
            .filter(|(_, found)| found.is_none())
            .map(|(name, _)| name.as_str())
            .collect();
        lacking.sort_unstable();
        if !lacking.is_empty() {
            let more = if lacking.len() > 3 { " …" } else { "" };
            let sequences = match lacking.len() {
                1 => "a sequence".to_string(),
                n => format!("{n} sequences"),
            };
            notes.push(format!(
                "{} of {} records are passed over: they lie on {sequences} that {assembly} lacks \
                 ({}{more})",
                self.n_lacking,
                self.n_lacking + self.n_matched,
                lacking[..lacking.len().min(3)].join(", ")
            ));
        }
        notes
    }
}

impl SequenceReport {
    /// Warns of what the user should know.
    pub fn warn(&self, file: &str) {
        for note in &self.notes {
            tracing::warn!("{file}: {note}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &[(&str, u64)], names: &[&str]) -> Result<SequenceReport, String> {
        let list: Vec<(String, u64)> = list.iter().map(|(n, l)| (n.to_string(), *l)).collect();
        let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
        let mut sequences = SequenceNames::new(&assembly);
        for (i, name) in names.iter().enumerate() {
            sequences.find(name, i as u64 + 1);
        }
        sequences.finish("a.bed").map_err(|e| e.to_string())
    }

    #[test]
    fn what_the_assembly_lacks_is_passed_over_and_counted() {
        let report = read(
            &[("chr21", 9), ("chr22", 9)],
            &["chr21", "chrEBV", "chr21_ML143377v1_fix", "chrEBV"],
        )
        .unwrap();
        assert_eq!((report.n_matched, report.n_lacking), (1, 3));
        assert_eq!(
            report.notes,
            [
                "3 of 4 records are passed over: they lie on 2 sequences that toy lacks \
                 (chr21_ML143377v1_fix, chrEBV)"
            ]
        );
    }

    #[test]
    fn a_name_that_stands_for_a_chromosome_is_matched_and_said() {
        let report = read(&[("chr1", 9)], &["1", "1"]).unwrap();
        assert_eq!((report.n_matched, report.n_lacking), (2, 0));
        assert!(report.notes[0].contains("`1` is chr1"), "{report:?}");
        assert_eq!(
            read(&[("chr1", 9)], &[]).unwrap(),
            SequenceReport::default()
        );
    }

    #[test]
    fn a_file_of_which_most_is_lacking_is_of_another_assembly() {
        let message = read(&[("chr1", 9)], &["chr9", "chr9"]).unwrap_err();
        assert!(
            message.contains("a.bed, line 1: chromosome `chr9` is not in"),
            "{message}"
        );
        // A fly's chromosomes beside those of a human.
        let human = [("chr2", 9), ("chr3", 9), ("chr4", 9), ("chrX", 9)];
        let fly = ["chr4", "chrX", "chr2L", "chr2R", "chr3L", "chr3R"];
        let message = read(&human, &fly).unwrap_err();
        assert!(
            message.contains("line 3") && message.contains("4 of 6 records"),
            "{message}"
        );
    }
}
