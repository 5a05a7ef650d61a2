//! The tracks of a hub: which there are, and what each is called.

use std::collections::{BTreeMap, HashMap, HashSet};

use persea_drawing::{Colour, Theme};
use persea_vocabulary::vocabulary;

use super::HubError;
use crate::Bug;
use crate::compendium::{BiosampleNames, Experiment};
use crate::imputation::{CompletedTrack, Provenance, completed_tracks};
use crate::model::TrainedModel;
use crate::store::{Database, StoreError};

vocabulary! {
    /// Which tracks of an experiment a hub has.
    pub enum HubTracks = Completed {
        /// The measured track if there is one, otherwise the imputation
        Completed = "completed",
        /// Measured tracks only; needs no model
        Measured = "measured",
        /// Imputations only, also of measured experiments
        Imputed = "imputed",
        /// Measured tracks, and the imputation of every experiment
        Both = "both",
    }
}

/// The longest short label that UCSC's browser shows whole.
const SHORT_LABEL: usize = 17;
/// The longest long label that it shows whole.
const LONG_LABEL: usize = 80;
/// How much of the paper an imputed track's colour has.
const PALER: f64 = 0.45;

/// Between which values signal is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub low: f64,
    pub high: f64,
}

/// A track of a hub, with all that its files say of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HubTrack {
    /// What it is: letters, digits and underscores, no two the same, whatever their case.
    pub key: String,
    pub experiment: Experiment,
    pub is_imputed: bool,
    /// What describes the biosample, where it is more than its name.
    pub biosample_label: Option<String>,
    /// The unit of its values, where it is known.
    pub unit: String,
    /// The name of the file that it was measured in, or the model that imputed it.
    pub origin: String,
    pub colour: Colour,
    /// What is drawn of it.
    pub limits: Limits,
    /// Its lowest and highest value.
    pub range: (f32, f32),
}

impl HubTrack {
    /// The name of its bigWig.
    pub fn file(&self) -> String {
        format!("{}.bw", self.key)
    }

    /// `measured` or `imputed`.
    pub fn source(&self) -> &'static str {
        match self.is_imputed {
            true => "imputed",
            false => "measured",
        }
    }

    /// What stands beside it in IGV.
    pub fn name(&self) -> String {
        let Experiment { biosample, assay } = &self.experiment;
        format!("{biosample} {assay} {}", self.source())
    }

    /// What stands beside it in UCSC's browser: `imp` in front of an imputed one.
    pub fn short_label(&self) -> String {
        let Experiment { biosample, assay } = &self.experiment;
        let before = if self.is_imputed { "imp " } else { "" };
        let rest = before.len() + 1 + assay.chars().count();
        // The assay and what it is say more than the end of a long name.
        let left = SHORT_LABEL.saturating_sub(rest).max(4);
        let biosample: String = biosample.chars().take(left).collect();
        cut(&format!("{before}{biosample} {assay}"), SHORT_LABEL)
    }

    /// A line about it.
    pub fn long_label(&self) -> String {
        let Experiment { biosample, assay } = &self.experiment;
        let unit = match self.unit.as_str() {
            "" => String::new(),
            unit => format!(", {unit}"),
        };
        let label = match &self.biosample_label {
            Some(label) => format!(" ({label})"),
            None => String::new(),
        };
        cut(
            &format!("{assay} {}{unit}: {biosample}{label}", self.source()),
            LONG_LABEL,
        )
    }
}

fn cut(text: &str, n_chars: usize) -> String {
    let text = text.replace(|c: char| c.is_control(), " ");
    text.chars().take(n_chars).collect()
}

/// A bigBed that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AddedBed {
    pub key: String,
    pub name: String,
    pub n_fields: u16,
    pub n_standard: u16,
}

impl AddedBed {
    /// Its name in the hub.
    pub fn file(&self) -> String {
        format!("{}.bb", self.key)
    }
}

/// The tracks of a hub: those of `experiments`, or of all that the model knows (or that were measured, where
/// there is no model) if `None`.
///
/// # Errors
/// When the model does not know an experiment, there is none for imputed tracks, or no track is left.
pub fn hub_tracks(
    database: &Database,
    model: Option<&TrainedModel>,
    which: HubTracks,
    experiments: Option<&[Experiment]>,
) -> crate::Result<Vec<CompletedTrack>> {
    let measured: Vec<CompletedTrack> = (database.tracks()?.into_iter())
        .map(|track| CompletedTrack {
            experiment: Experiment::new(&track.biosample, &track.assay),
            provenance: Provenance::Measured(Box::new(track)),
        })
        .collect();
    let imputed = |experiment: &Experiment| CompletedTrack {
        experiment: experiment.clone(),
        provenance: Provenance::Imputed,
    };
    let known = match (which, model) {
        (HubTracks::Measured, _) => measured,
        (_, None) => return Err(HubError::NoModel.into()),
        (_, Some(model)) => {
            for experiment in experiments.into_iter().flatten() {
                model.biosample(&experiment.biosample)?;
                model.assay(&experiment.assay)?;
            }
            completed_tracks(database, model)?
        }
    };
    let wanted: Option<HashSet<&Experiment>> = experiments.map(|list| list.iter().collect());
    let mut chosen = Vec::new();
    for track in known {
        if wanted
            .as_ref()
            .is_some_and(|w| !w.contains(&track.experiment))
        {
            continue;
        }
        match which {
            HubTracks::Completed | HubTracks::Measured => chosen.push(track),
            HubTracks::Imputed => chosen.push(imputed(&track.experiment)),
            HubTracks::Both => {
                let alone = imputed(&track.experiment);
                if track.provenance != Provenance::Imputed {
                    chosen.push(track);
                }
                chosen.push(alone);
            }
        }
    }
    if chosen.is_empty() {
        let why = format!(
            "the database has no {} track of what was asked for",
            which.name()
        );
        return Err(HubError::NoTrack { why }.into());
    }
    Ok(chosen)
}

/// Names the tracks of a hub and gives each assay its colour; limits and ranges come later.
pub(super) fn named(
    database: &Database,
    model: Option<&TrainedModel>,
    tracks: &[CompletedTrack],
    unit: &dyn Fn(&str) -> Result<String, StoreError>,
) -> crate::Result<Vec<HubTrack>> {
    let names = BiosampleNames::of(database)?;
    let mut assays: Vec<&str> = tracks.iter().map(|t| t.experiment.assay.as_str()).collect();
    assays.sort_unstable();
    assays.dedup();
    let mut taken = HashSet::new();
    let mut named = Vec::with_capacity(tracks.len());
    for track in tracks {
        let Experiment { biosample, assay } = &track.experiment;
        let source = track.provenance.name();
        let stem = format!("{}_{}_{source}", word(biosample), word(assay));
        let key = std::iter::once(stem.clone())
            .chain((2u64..).map(|n| format!("{stem}_{n}")))
            .find(|key| taken.insert(key.to_lowercase()))
            .unwrap_or(stem);
        let unlisted = |_| Bug::new("an assay of a hub is not in its list");
        let place = assays.binary_search(&assay.as_str()).map_err(unlisted)?;
        let colour = Theme::Light.category(place);
        let (is_imputed, origin) = match &track.provenance {
            // Where the files lie is no business of a hub's readers.
            Provenance::Measured(track) => (false, file_names(&track.location)),
            Provenance::Imputed => {
                let Some(model) = model else {
                    return Err(Bug::new("a track is imputed without a model").into());
                };
                (true, format!("model {}", model.record().name))
            }
        };
        named.push(HubTrack {
            key,
            experiment: track.experiment.clone(),
            is_imputed,
            biosample_label: names.labels().get(biosample).cloned(),
            unit: unit(assay)?,
            origin,
            colour: match is_imputed {
                true => colour.mix(Theme::Light.background(), PALER),
                false => colour,
            },
            limits: Limits {
                low: 0.0,
                high: 1.0,
            },
            range: (0.0, 0.0),
        });
    }
    Ok(named)
}

/// The names of the files of a location, of which replicates have several, without their folders.
fn file_names(location: &str) -> String {
    let name = |path: &str| {
        path.rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_string()
    };
    let names: Vec<String> = location.split(" + ").map(name).collect();
    names.join(" + ")
}

/// A text as a word of a track's name: ASCII letters and digits, with single underscores between.
pub(super) fn word(text: &str) -> String {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    match parts.is_empty() {
        true => "x".to_string(),
        false => parts.join("_"),
    }
}

/// Metadata of the biosamples of some tracks, as texts.
pub(super) fn biosample_metadata(
    database: &Database,
) -> crate::Result<HashMap<String, BTreeMap<String, String>>> {
    let text = |value: serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok((database.biosamples()?.into_iter())
        .map(|b| {
            let metadata = b
                .metadata
                .into_iter()
                .map(|(key, value)| (key, text(value)));
            (b.name, metadata.collect())
        })
        .collect())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A measured and an imputed track, with names that need care.
    pub fn two() -> Vec<HubTrack> {
        let track = |biosample: &str, assay: &str, is_imputed, unit: &str| HubTrack {
            key: format!(
                "{}_{}_{}",
                word(biosample),
                word(assay),
                if is_imputed { "imputed" } else { "measured" }
            ),
            experiment: Experiment::new(biosample, assay),
            is_imputed,
            biosample_label: (biosample == "E003").then(|| "H1 Cells".to_string()),
            unit: unit.to_string(),
            origin: match is_imputed {
                true => "model base".to_string(),
                false => "a.bw".to_string(),
            },
            colour: match is_imputed {
                true => Colour(213, 94, 0).mix(Colour(255, 255, 255), PALER),
                false => Colour(0, 114, 178),
            },
            limits: Limits {
                low: 0.0,
                high: if is_imputed { 50.0 } else { 2.0 },
            },
            range: (0.0, 61.5),
        };
        vec![
            track("E003", "H3K36me3", false, "-log10 p"),
            track("T cell, <CD4> & \"T\"", "H3K4me3", true, ""),
        ]
    }

    #[test]
    fn labels_tell_measured_from_imputed_within_what_browsers_show() {
        let [measured, imputed] = two().try_into().unwrap();
        assert_eq!(measured.short_label(), "E003 H3K36me3");
        assert_eq!(imputed.short_label(), "imp T cel H3K4me3");
        assert_eq!(
            measured.long_label(),
            "H3K36me3 measured, -log10 p: E003 (H1 Cells)"
        );
        assert_eq!(measured.name(), "E003 H3K36me3 measured");
        assert_eq!(imputed.key, "T_cell_CD4_T_H3K4me3_imputed");
        assert!(imputed.long_label().chars().count() <= LONG_LABEL);
    }

    #[test]
    fn no_folder_of_a_file_is_published() {
        assert_eq!(
            file_names("/data/a b.bw + https://x.org/y/c.bw"),
            "a b.bw + c.bw"
        );
        assert_eq!(file_names("a.bw"), "a.bw");
    }

    #[test]
    fn a_word_is_letters_digits_and_underscores() {
        for (text, expected) in [
            ("a b", "a_b"),
            ("é/", "x"),
            ("H3K4me3", "H3K4me3"),
            ("..a..", "a"),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
