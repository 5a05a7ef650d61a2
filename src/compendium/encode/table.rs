//! The portal's table: a row a file.

use std::path::{Path, PathBuf};

use crate::compendium::CompendiumError;
use crate::files::Table;
use crate::store::{SourceOrigin, check_name};

/// The portal's table of files.
#[derive(Debug, Clone)]
pub struct PortalTable {
    /// The file.
    pub path: PathBuf,
    /// Its rows, in order.
    pub files: Vec<PortalFile>,
}

/// What kind of file a row lists, as far as tracks and peaks go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Signal as bigWig.
    Signal,
    /// Called peaks as gzipped narrowPeak.
    PeaksBed,
    /// Called peaks as bigBed.
    PeaksBigBed,
    /// Anything else: reads, alignments, other peaks.
    Other,
}

/// A row of the portal's table: one file.
#[derive(Debug, Clone, PartialEq)]
pub struct PortalFile {
    /// Its line, counted from 1.
    pub line: u64,
    /// Its accession (`ENCFF001PRS`).
    pub accession: String,
    /// What kind of file it is.
    pub kind: FileKind,
    /// Its format, in the portal's words.
    pub format: String,
    /// What it holds, in the portal's words (`signal p-value`).
    pub output_type: String,
    /// The assembly.
    pub assembly: String,
    /// The experiment's accession.
    pub experiment: String,
    /// The assay, in the portal's words (`Histone ChIP-seq`).
    pub portal_assay: String,
    /// The target without its species, else the portal's name of the assay: the assay of the track.
    pub assay: String,
    /// The name of the biosample: its term, and its treatment and modification, if any.
    pub biosample: String,
    /// The organism.
    pub organism: String,
    /// The biological replicates that it was made from.
    pub replicates: Vec<String>,
    /// The status of the file.
    pub status: String,
    /// The title of the analysis that made it.
    pub analysis: String,
    /// The status of that analysis.
    pub analysis_status: String,
    /// The day on which the experiment was released (`2020-01-31`).
    pub released: String,
    /// Where it can be fetched.
    pub url: String,
    /// What is kept of it.
    pub origin: SourceOrigin,
    /// What is known of the biosample: column and value.
    pub about_biosample: Vec<(String, String)>,
}

/// Columns without which a table is not the portal's.
const REQUIRED: [&[&str]; 7] = [
    &["File accession"],
    &["File format"],
    &["Output type"],
    &["File assembly", "Assembly"],
    &["Experiment accession"],
    &["Assay"],
    &["Biosample term name"],
];

/// Columns that are kept as metadata of the biosample.
const ABOUT_BIOSAMPLE: [&str; 5] = [
    "Biosample term id",
    "Biosample term name",
    "Biosample type",
    "Biosample organism",
    "Biosample treatments",
];

/// What ends a target's name: its species.
const SPECIES: [&str; 10] = [
    "human",
    "mouse",
    "rat",
    "dmelanogaster",
    "dananassae",
    "dmojavensis",
    "dpseudoobscura",
    "dvirilis",
    "dyakuba",
    "celegans",
];

impl PortalTable {
    /// Reads the table. Columns are found by name, so that tables of older portals are read too.
    ///
    /// # Errors
    /// When the file cannot be read, lacks a column that it cannot do without, a row has too few fields, no
    /// accession, or a name that cannot be one.
    pub fn read(path: &Path) -> Result<Self, CompendiumError> {
        let table = Table::read(path)?;
        for names in REQUIRED {
            if !(table.header.iter()).any(|h| names.iter().any(|n| h.eq_ignore_ascii_case(n))) {
                let message = format!(
                    "there is no column `{}`: it is not ENCODE's metadata.tsv, which the portal gives with \
                     the files of a search",
                    names[0]
                );
                return Err(CompendiumError::line(path, table.header_line, message));
            }
        }
        let names: Vec<usize> = (0..table.header.len())
            .filter(|i| {
                ["File accession", "Biosample term name", "Experiment target"]
                    .iter()
                    .any(|n| table.header[*i].eq_ignore_ascii_case(n))
            })
            .collect();
        table.check_names(&names)?;
        let mut files = Vec::new();
        for (line, fields) in &table.rows {
            let row = Row {
                header: &table.header,
                fields,
            };
            let file = row
                .file(*line)
                .map_err(|message| CompendiumError::line(path, *line, message))?;
            files.push(file);
        }
        Ok(PortalTable {
            path: path.to_path_buf(),
            files,
        })
    }
}

struct Row<'a> {
    header: &'a [String],
    fields: &'a [String],
}

impl<'a> Row<'a> {
    /// The field of a column; empty where the table has no such column.
    fn get(&self, name: &str) -> &'a str {
        let at = self
            .header
            .iter()
            .position(|h| h.eq_ignore_ascii_case(name));
        at.and_then(|i| self.fields.get(i))
            .map_or("", String::as_str)
    }

    fn file(&self, line: u64) -> Result<PortalFile, String> {
        if self.fields.len() != self.header.len() {
            return Err(format!(
                "it has {} fields, the header {}",
                self.fields.len(),
                self.header.len()
            ));
        }
        let accession = self.get("File accession");
        // It becomes a file's name.
        if accession.is_empty() || !accession.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("`{accession}` is not an accession"));
        }
        let format = self.get("File format");
        let target = without_species(self.get("Experiment target"));
        let portal_assay = self.get("Assay");
        let assay = match target.is_empty() {
            true => portal_assay,
            false => target,
        };
        let biosample = self.biosample(target);
        for (kind, name) in [("assay", assay), ("biosample", biosample.as_str())] {
            if !name.is_empty() {
                check_name(kind, name).map_err(|e| e.to_string())?;
            }
        }
        let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
        let experiment = self.get("Experiment accession");
        let assembly = match self.get("File assembly") {
            "" => self.get("Assembly"),
            assembly => assembly,
        };
        let replicates = self.get("Biological replicate(s)").split(',');
        Ok(PortalFile {
            line,
            accession: accession.to_string(),
            kind: self.kind(format),
            format: format.to_string(),
            output_type: self.get("Output type").to_string(),
            assembly: assembly.to_string(),
            experiment: experiment.to_string(),
            portal_assay: portal_assay.to_string(),
            assay: assay.to_string(),
            biosample,
            organism: self.get("Biosample organism").to_string(),
            replicates: (replicates.map(str::trim))
                .filter(|r| !r.is_empty())
                .map(str::to_string)
                .collect(),
            status: self.get("File Status").to_string(),
            analysis: self.get("File analysis title").to_string(),
            analysis_status: self.get("File analysis status").to_string(),
            released: self.get("Experiment date released").to_string(),
            url: self.get("File download URL").to_string(),
            origin: SourceOrigin {
                accession: accession.to_string(),
                experiment: some(experiment),
                output_type: some(self.get("Output type")),
                donor: some(self.get("Donor(s)")),
                audit: self.audit(),
                md5: some(self.get("md5sum")),
            },
            about_biosample: ABOUT_BIOSAMPLE
                .iter()
                .filter(|name| !self.get(name).is_empty())
                .map(|name| (name.to_string(), self.get(name).to_string()))
                .collect(),
        })
    }

    /// `bed narrowPeak` is one column in newer tables; older ones have `bed` and the type apart.
    fn kind(&self, format: &str) -> FileKind {
        let all = format!("{format} {}", self.get("File format type")).to_ascii_lowercase();
        let has = |word: &str| all.split_whitespace().any(|w| w == word);
        if has("bigwig") {
            FileKind::Signal
        } else if has("bed") && has("narrowpeak") {
            FileKind::PeaksBed
        } else if has("bigbed") && has("narrowpeak") {
            FileKind::PeaksBigBed
        } else {
            FileKind::Other
        }
    }

    /// A biosample that was treated, or whose genome was modified, is not the one that was not. A tag on the
    /// target itself (by which it is precipitated) changes no name.
    fn biosample(&self, target: &str) -> String {
        let mut name = self.get("Biosample term name").to_string();
        if name.is_empty() {
            return name;
        }
        let details = |columns: &[&str]| {
            let all = columns
                .iter()
                .map(|c| self.get(c))
                .filter(|t| !t.is_empty());
            all.collect::<Vec<_>>().join(", ")
        };
        let treatment = self.get("Biosample treatments");
        let doses = details(&[
            "Biosample treatments amount",
            "Biosample treatments duration",
        ]);
        match (treatment.is_empty(), doses.is_empty()) {
            (true, _) => {}
            (false, true) => name.push_str(&format!(" treated with {treatment}")),
            (false, false) => name.push_str(&format!(" treated with {treatment} ({doses})")),
        }
        let category = self.get("Biosample genetic modifications categories");
        let modified = self.get("Biosample genetic modifications targets");
        let is_tag = category.eq_ignore_ascii_case("insertion")
            && (modified.is_empty() || untagged(without_species(modified)) == untagged(target));
        if !category.is_empty() && !is_tag {
            let of = details(&[
                "Biosample genetic modifications methods",
                "Biosample genetic modifications categories",
                "Biosample genetic modifications targets",
                "Biosample genetic modifications zygosity",
            ]);
            name.push_str(&format!(" modified ({of})"));
        }
        name
    }

    /// What the audit found, by level: `WARNING: low read depth; ERROR: …`.
    fn audit(&self) -> Option<String> {
        let found: Vec<String> = (self.header.iter().zip(self.fields))
            .filter(|(_, field)| !field.is_empty())
            .filter_map(|(name, field)| {
                let level = name.strip_prefix("Audit ")?;
                Some(format!("{level}: {field}"))
            })
            .collect();
        (!found.is_empty()).then(|| found.join("; "))
    }
}

/// `H3K27ac-human` without its species. A hyphen of the name itself stays, as in `NKX2-1-human`.
fn without_species(target: &str) -> &str {
    match target.rsplit_once('-') {
        Some((name, species)) if SPECIES.contains(&species) => name,
        _ => target,
    }
}

/// `eGFP-ZNF24` or `3xFLAG-ZNF24` without the tag.
fn untagged(target: &str) -> &str {
    match target.split_once('-') {
        Some((tag, name)) if ["eGFP", "3xFLAG", "FLAG", "HA", "V5"].contains(&tag) => name,
        _ => target,
    }
}
