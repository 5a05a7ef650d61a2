//! Which files of the portal's table are taken, and why the others are left.

use std::collections::{BTreeMap, BTreeSet};

use persea_vocabulary::vocabulary;

use super::analysis::Analysis;
use super::fit::{shown, unfit};
use super::table::{FileKind, PortalFile, PortalTable};
use crate::compendium::{Experiment, Replicates};
use crate::genome::Assembly;

/// What is taken unless the user asks for another output type.
const P_VALUE: &str = "signal p-value";

/// The signal of assays that have no p-value, such as DNase-seq.
const WITHOUT_P_VALUE: &str = "read-depth normalized signal";

/// Output types of called peaks, the strictest of each kind first.
const PEAKS: [&str; 7] = [
    "IDR thresholded peaks",
    "optimal IDR thresholded peaks",
    "replicated peaks",
    "stable peaks",
    "pseudoreplicated peaks",
    "conservative IDR thresholded peaks",
    "peaks",
];

vocabulary! {
    /// Which of several experiments of one biosample and assay is taken.
    pub enum Prefer = Ask {
        /// None: they are named, and the user decides
        Ask = "none",
        /// The one that was released last, of one day that of the newest analysis
        Newest = "newest",
    }
}

/// What is to be taken.
#[derive(Debug, Clone, Default)]
pub struct ChoiceOptions {
    /// The output type; `None`: p-values, and the signal of assays that have none.
    pub output_type: Option<String>,
    /// What to do about several experiments of one biosample and assay.
    pub prefer: Prefer,
    /// What to do about several files that are left of one biosample and assay.
    pub replicates: Replicates,
}

/// A file that is taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The file.
    pub file: PortalFile,
    /// The unit of its track.
    pub unit: String,
}

/// A file that is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its line, counted from 1.
    pub line: u64,
    /// Its accession.
    pub accession: String,
    /// Why.
    pub reason: String,
}

/// A biosample and an assay of which several files are left, and nothing says which to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguous {
    /// The biosample and the assay.
    pub experiment: Experiment,
    /// What there is, and how the user decides.
    pub message: String,
}

/// What is taken of the portal's table.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The signal files, in the table's order; those of [`Choice::ambiguous`] too.
    pub taken: Vec<Chosen>,
    /// Called peaks of the experiments that are taken: one file a biosample and assay.
    pub peaks: Vec<PortalFile>,
    /// All other files, in the table's order.
    pub left: Vec<Left>,
    /// What the user has to decide.
    pub ambiguous: Vec<Ambiguous>,
    /// What the user should know of.
    pub notes: Vec<String>,
}

impl Choice {
    /// Whether nothing says which of the files of a file's biosample and assay to use.
    pub fn is_ambiguous(&self, file: &PortalFile) -> bool {
        let of = experiment_of(file);
        self.ambiguous.iter().any(|a| a.experiment == of)
    }
}

/// Chooses the files of the portal's table that become tracks on an assembly: released bigWigs of one output
/// type an assay, of each experiment those of the newest analysis, and of these the ones of most replicates.
/// Of two assemblies' files of one experiment only the database's own are taken, and fold change and p-value
/// never become tracks of one assay.
pub fn choose(table: &PortalTable, assembly: &Assembly, options: &ChoiceOptions) -> Choice {
    let mut choosing = Choosing {
        left: BTreeMap::new(),
        choice: Choice::default(),
    };
    let (mut signal, mut peaks) = (Vec::new(), Vec::new());
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for file in &table.files {
        let repeated = seen.insert(&file.accession, file.line);
        match repeated {
            Some(line) => choosing.leave(file, format!("line {line} lists it already")),
            None => match unfit(file, assembly) {
                Some(reason) => choosing.leave(file, reason),
                None if file.kind == FileKind::Signal => signal.push(file),
                None => peaks.push(file),
            },
        }
    }
    let signal = choosing.of_output_type(signal, assembly, options);
    let mut groups: BTreeMap<(&str, &str), Vec<&PortalFile>> = BTreeMap::new();
    for file in signal {
        let group = groups.entry((&file.biosample, &file.assay)).or_default();
        group.push(file);
    }
    let mut taken: Vec<&PortalFile> = Vec::new();
    for group in groups.into_values() {
        taken.extend(choosing.of_group(group, options));
    }
    taken.sort_by_key(|file| file.line);
    choosing.of_peaks(peaks, &taken);
    choosing.choice.taken = (taken.into_iter())
        .map(|file| Chosen {
            file: file.clone(),
            unit: unit(&file.output_type),
        })
        .collect();
    choosing.choice.left = choosing.left.into_values().collect();
    choosing.choice
}

/// The unit of an output type.
fn unit(output_type: &str) -> String {
    match output_type.eq_ignore_ascii_case(P_VALUE) {
        true => "−log10 p".to_string(),
        false => output_type.to_string(),
    }
}

fn experiment_of(file: &PortalFile) -> Experiment {
    Experiment::new(&file.biosample, &file.assay)
}

struct Choosing {
    left: BTreeMap<u64, Left>,
    choice: Choice,
}

impl Choosing {
    fn leave(&mut self, file: &PortalFile, reason: String) {
        let left = Left {
            line: file.line,
            accession: file.accession.clone(),
            reason,
        };
        self.left.insert(file.line, left);
    }

    /// Keeps the files of the output type that an assay's tracks have: one an assay.
    fn of_output_type<'a>(
        &mut self,
        files: Vec<&'a PortalFile>,
        assembly: &Assembly,
        options: &ChoiceOptions,
    ) -> Vec<&'a PortalFile> {
        let wanted = options.output_type.as_deref().unwrap_or(P_VALUE);
        let assays_with = |output_type: &str| -> BTreeSet<&'a str> {
            let of = files
                .iter()
                .filter(|f| f.output_type.eq_ignore_ascii_case(output_type));
            of.map(|f| f.assay.as_str()).collect()
        };
        let with_wanted = assays_with(wanted);
        let with_other: BTreeSet<&str> = match options.output_type {
            Some(_) => BTreeSet::new(),
            None => &assays_with(WITHOUT_P_VALUE) - &with_wanted,
        };
        let of = assembly.name();
        for assay in &with_other {
            self.choice.notes.push(format!(
                "{assay} has no released {wanted} on {of}; its {WITHOUT_P_VALUE} is taken"
            ));
        }
        let assays: BTreeSet<&str> = files.iter().map(|f| f.assay.as_str()).collect();
        for assay in assays {
            if !with_wanted.contains(assay) && !with_other.contains(assay) {
                self.choice.notes.push(format!(
                    "{assay} has no released {wanted} on {of} and is left out"
                ));
            }
        }
        let mut kept = Vec::new();
        for file in files {
            let of_assay = match with_other.contains(file.assay.as_str()) {
                true => WITHOUT_P_VALUE,
                false => wanted,
            };
            match file.output_type.eq_ignore_ascii_case(of_assay) {
                true => kept.push(file),
                false => self.leave(
                    file,
                    format!("output type {}, not {of_assay}", shown(&file.output_type)),
                ),
            }
        }
        kept
    }

    /// Of a biosample and assay: of each experiment the files of the newest analysis and of these those of
    /// most replicates, then one experiment, where the user has said which.
    fn of_group<'a>(
        &mut self,
        group: Vec<&'a PortalFile>,
        options: &ChoiceOptions,
    ) -> Vec<&'a PortalFile> {
        let mut experiments: BTreeMap<&str, Vec<&PortalFile>> = BTreeMap::new();
        for file in group {
            experiments.entry(&file.experiment).or_default().push(file);
        }
        let mut experiments: Vec<Vec<&PortalFile>> = (experiments.into_values())
            .map(|files| {
                let files = self.of_newest_analysis(files);
                self.of_most_replicates(files)
            })
            .collect();
        if options.prefer == Prefer::Newest {
            let age = |files: &[&'a PortalFile]| {
                let first = files.first();
                first.map(|f| (&f.released, Analysis::parse(&f.analysis), &f.accession))
            };
            experiments.sort_by(|a, b| age(a).cmp(&age(b)));
            if let Some(newest) = experiments.pop() {
                let of = newest.first().map_or("", |f| f.experiment.as_str());
                for file in experiments.into_iter().flatten() {
                    self.leave(file, format!("experiment {of} is newer"));
                }
                experiments = vec![newest];
            }
        }
        let files: Vec<&PortalFile> = experiments.into_iter().flatten().collect();
        if files.len() > 1 && options.replicates == Replicates::Refuse {
            self.ambiguous(&files);
        }
        files
    }

    fn of_newest_analysis<'a>(&mut self, files: Vec<&'a PortalFile>) -> Vec<&'a PortalFile> {
        let newest = files.iter().max_by_key(|f| Analysis::parse(&f.analysis));
        let Some(title) = newest.map(|f| f.analysis.clone()) else {
            return files;
        };
        let newest = Analysis::parse(&title);
        let (kept, older): (Vec<_>, Vec<_>) =
            (files.into_iter()).partition(|f| Analysis::parse(&f.analysis) == newest);
        for file in older {
            let own = shown(&file.analysis);
            self.leave(file, format!("analysis {own}; {title} is newer"));
        }
        kept
    }

    fn of_most_replicates<'a>(&mut self, files: Vec<&'a PortalFile>) -> Vec<&'a PortalFile> {
        let Some(most) = files.iter().max_by_key(|f| f.replicates.len()).copied() else {
            return files;
        };
        let n = most.replicates.len();
        let (kept, fewer): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|f| f.replicates.len() == n);
        for file in fewer {
            let reason = format!(
                "replicate {}; {} has replicates {}",
                shown(&file.replicates.join(", ")),
                most.accession,
                most.replicates.join(", ")
            );
            self.leave(file, reason);
        }
        kept
    }

    fn ambiguous(&mut self, files: &[&PortalFile]) {
        let experiments: BTreeSet<&str> = files.iter().map(|f| f.experiment.as_str()).collect();
        let listed: Vec<String> = (files.iter())
            .map(|f| {
                format!(
                    "{} ({}, {}, replicate {}, released {})",
                    f.accession,
                    f.experiment,
                    f.portal_assay,
                    shown(&f.replicates.join(", ")),
                    shown(&f.released)
                )
            })
            .collect();
        let (what, decides) = match experiments.len() {
            1 => ("files of one experiment", ""),
            _ => (
                "experiments",
                "option `prefer` newest takes the one that was released last, ",
            ),
        };
        self.choice.ambiguous.push(Ambiguous {
            experiment: experiment_of(files[0]),
            message: format!(
                "several {what}: {}; {decides}option `replicates` mean takes their mean",
                listed.join(", ")
            ),
        });
    }

    /// Of the peaks of each experiment that is taken, one file: of the analysis of its signal, else of the
    /// newest; then by output type and replicates; narrowPeak before bigBed.
    fn of_peaks(&mut self, files: Vec<&PortalFile>, taken: &[&PortalFile]) {
        let mut kept: BTreeMap<Experiment, &PortalFile> = BTreeMap::new();
        let key = |file: &PortalFile, signal: &PortalFile| {
            let rank = PEAKS
                .iter()
                .position(|p| p.eq_ignore_ascii_case(&file.output_type));
            (
                file.analysis == signal.analysis,
                Analysis::parse(&file.analysis),
                std::cmp::Reverse(rank),
                file.replicates.len(),
                file.kind == FileKind::PeaksBed,
            )
        };
        let mut candidates = Vec::new();
        for file in files {
            // Of several experiments that are averaged, the first has its peaks kept.
            let of = experiment_of(file);
            let signal = taken.iter().find(|t| experiment_of(t) == of);
            let is_peaks = PEAKS
                .iter()
                .any(|p| p.eq_ignore_ascii_case(&file.output_type));
            match signal {
                _ if !is_peaks => {
                    self.leave(file, format!("output type {}", shown(&file.output_type)));
                }
                Some(signal) if signal.experiment == file.experiment => {
                    candidates.push((of, file, *signal));
                }
                _ => self.leave(file, "peaks of an experiment that is not taken".into()),
            }
        }
        for (of, file, signal) in &candidates {
            let best = kept.entry(of.clone()).or_insert(*file);
            if key(file, signal) > key(best, signal) {
                *best = *file;
            }
        }
        for (of, file, _) in candidates {
            let Some(best) = kept.get(&of) else {
                continue;
            };
            if best.accession != file.accession {
                let reason = format!("{} has the peaks that are kept", best.accession);
                self.leave(file, reason);
            }
        }
        let mut kept: Vec<PortalFile> = kept.into_values().cloned().collect();
        kept.sort_by_key(|file| file.line);
        self.choice.peaks = kept;
    }
}
