//! Which region, and which experiments, a figure of a locus shows.

use anyhow::bail;
use persea::compendium::Experiment;
use persea::genome::Interval;
use persea::model::TrainedModel;
use persea::search::find_gene;
use persea::store::{Database, StoreError, TrackRole};

use super::super::Misuse;

/// Number of experiments plotted by default.
const USUAL: usize = 4;

/// `chr1:1,000-2,000`, or a gene with a margin on either side.
pub fn region(database: &Database, text: &str, flank: u64) -> anyhow::Result<Interval> {
    let assembly = database.axis().assembly();
    let genes = database.genes()?;
    let is_gene = genes.iter().any(|g| g.name == text || g.id == text);
    if text.contains(':') || (assembly.resolve(text).is_ok() && !is_gene) {
        let region = Interval::parse_browser(text).map_err(|e| Misuse(e.to_string()))?;
        let mut region = assembly.resolve_interval(&region)?;
        if region.len() == 1 {
            region.start = region.start.saturating_sub(flank);
            region.end = region.end.saturating_add(flank);
        }
        let length = assembly.chromosome(&region.chrom)?.length;
        if region.start < length {
            region.end = region.end.min(length);
        }
        return Ok(region);
    }
    let gene = find_gene(text, database.axis(), &genes)?;
    let length = assembly.chromosome(&gene.interval.chrom)?.length;
    Ok(Interval::new(
        &gene.interval.chrom,
        gene.interval.start.saturating_sub(flank),
        gene.interval.end.saturating_add(flank).min(length),
    ))
}

/// Default experiments: the model's held-out tracks, otherwise the first measured ones.
pub fn usual(database: &Database, model: Option<&TrainedModel>) -> anyhow::Result<Vec<Experiment>> {
    let experiment = |b: &str, a: &str| Experiment {
        biosample: b.to_string(),
        assay: a.to_string(),
    };
    let tracks = database.tracks()?;
    let held = model.into_iter().flat_map(|m| &m.record().tracks);
    let held = held.filter(|t| t.role == TrackRole::Hold);
    let mut all: Vec<Experiment> = held.map(|t| experiment(&t.biosample, &t.assay)).collect();
    all.retain(|e| {
        tracks
            .iter()
            .any(|t| t.biosample == e.biosample && t.assay == e.assay)
    });
    if all.is_empty() {
        all = tracks
            .iter()
            .map(|t| experiment(&t.biosample, &t.assay))
            .collect();
    }
    if all.is_empty() {
        bail!("the database has no tracks; add some with `persea ingest`");
    }
    all.truncate(USUAL);
    Ok(all)
}

/// Every biosample of an assay, or every assay of a biosample, measured or known to the model.
pub fn all_of(
    database: &Database,
    model: Option<&TrainedModel>,
    biosample: Option<&str>,
    assay: Option<&str>,
) -> anyhow::Result<Vec<Experiment>> {
    let tracks = database.tracks()?;
    let mut biosamples: Vec<String> = tracks.iter().map(|t| t.biosample.clone()).collect();
    let mut assays: Vec<String> = tracks.iter().map(|t| t.assay.clone()).collect();
    if let Some(model) = model {
        biosamples.extend(model.record().biosamples.iter().cloned());
        assays.extend(model.record().assays.iter().cloned());
    }
    for list in [&mut biosamples, &mut assays] {
        list.sort();
        list.dedup();
    }
    let one = |kind: &'static str, name: &str, all: &[String]| match all.iter().any(|n| n == name) {
        true => Ok(vec![name.to_string()]),
        false => Err(StoreError::unknown(
            kind,
            name,
            all.iter().map(String::as_str),
        )),
    };
    if let Some(name) = biosample {
        biosamples = one("biosample", name, &biosamples)?;
    }
    if let Some(name) = assay {
        assays = one("assay", name, &assays)?;
    }
    let pairs = biosamples
        .iter()
        .flat_map(|b| assays.iter().map(move |a| (b, a)));
    Ok(pairs
        .map(|(b, a)| Experiment {
            biosample: b.clone(),
            assay: a.clone(),
        })
        .collect())
}
