//! What is worth a warning once tracks are in: experiments of one content.

use std::collections::{BTreeMap, BTreeSet};

use super::{CompendiumError, Experiment, IngestReport};
use crate::store::Database;

/// Warns of experiments that were read from files of the same content.
pub(super) fn same_content(
    database: &Database,
    report: &IngestReport,
) -> Result<Vec<String>, CompendiumError> {
    let new: BTreeSet<&Experiment> = report.ingested.iter().chain(&report.replaced).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let tracks = database.tracks()?;
    let mut by_content: BTreeMap<&str, Vec<Experiment>> = BTreeMap::new();
    for track in &tracks {
        let experiment = Experiment::new(&track.biosample, &track.assay);
        for source in track.sources.iter().filter(|s| !s.checksum.is_empty()) {
            let of = by_content.entry(&source.checksum).or_default();
            if !of.contains(&experiment) {
                of.push(experiment.clone());
            }
        }
    }
    let alike = by_content.into_values().filter(|of| of.len() > 1);
    Ok(alike
        .filter(|of| of.iter().any(|e| new.contains(e)))
        .map(|of| {
            let names: Vec<String> = of.iter().map(Experiment::to_string).collect();
            format!(
                "{} were read from files of the same content; is one of them named wrongly?",
                names.join(" and ")
            )
        })
        .collect())
}
