//! What a database holds: information, tracks, names, genes, coverage.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use serde_json::{Value, json};

use super::error::Refusal;
use super::parameters::Parameters;
use super::state::Open;
use crate::genome::{Gene, Interval};
use crate::store::TrackRole;

/// `GET /api/v1/info`: the facts of `persea info` that do not need the disk searched, regions and
/// chromosomes.
pub(super) fn info(open: &Open, _: &Parameters) -> Result<Value, Refusal> {
    let database = &open.database;
    let axis = database.axis();
    let models: Vec<Value> = (database.list_models()?.iter())
        .map(|m| {
            json!({
                "name": m.record.name,
                "kind": m.record.kind_name(),
                "default": m.is_default,
                "created": m.created,
                "checksum": m.checksum,
                "bins": m.record.regions.iter().map(|r| r.n_bins).sum::<u64>(),
                // Only these measure how uncertain they are.
                "has_deviation": m.record.config["refinement"].is_object()
                    && m.record.config["refinement"].is_object(),
            })
        })
        .collect();
    let regions: Vec<Value> = (axis.sorted_regions().iter())
        .map(|r| {
            let interval = axis.region_interval(*r);
            json!({
                "name": axis.regions()[*r].name,
                "chrom": interval.chrom, "start": interval.start, "end": interval.end,
            })
        })
        .collect();
    let covered: BTreeSet<&str> = axis.regions().iter().map(|r| r.chrom.as_str()).collect();
    let chromosomes: Vec<Value> = (axis.assembly().chromosomes().iter())
        .filter(|c| covered.contains(c.name.as_str()))
        .map(|c| json!({"name": c.name, "length": c.length}))
        .collect();
    let name = database.path().file_name().unwrap_or_default();
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "database": name.to_string_lossy(),
        "assembly": axis.assembly().name(),
        "regions": regions,
        "chromosomes": chromosomes,
        "bins": axis.n_bins(),
        "masked_bins": database.mask()?.n_masked(),
        "genes": database.genes()?.len(),
        "enhancers": database.enhancers()?.len(),
        "variants": open.variants.len(),
        "biosamples": database.biosamples()?.len(),
        "assays": database.assays()?.len(),
        "tracks": database.tracks()?.len(),
        "models": models,
    }))
}

/// `GET /api/v1/tracks`: as `persea track list`.
pub(super) fn tracks(open: &Open, _: &Parameters) -> Result<Value, Refusal> {
    let n_bins = open.database.axis().n_bins();
    let rows = open.database.tracks()?.into_iter().map(|t| {
        json!({
            "biosample": t.biosample,
            "assay": t.assay,
            "mean": t.mean,
            "variance": t.variance,
            "maximum": t.maximum,
            "covered_bins": t.covered_bins.unwrap_or(n_bins),
            "coverage": t.coverage(n_bins),
            "transform": t.transform.name(),
            "values": t.values.to_string(),
            "greatest_error": t.values.greatest_error(),
            "unit": t.unit,
            "checksum": t.checksum,
            "ingested": t.ingested,
        })
    });
    Ok(json!({ "tracks": rows.collect::<Vec<_>>() }))
}

/// `GET /api/v1/biosamples`.
pub(super) fn biosamples(open: &Open, _: &Parameters) -> Result<Value, Refusal> {
    let names = open.database.biosamples()?;
    let rows = names
        .into_iter()
        .map(|b| json!({"name": b.name, "metadata": b.metadata}));
    Ok(json!({ "biosamples": rows.collect::<Vec<_>>() }))
}

/// `GET /api/v1/assays`.
pub(super) fn assays(open: &Open, _: &Parameters) -> Result<Value, Refusal> {
    let names = open.database.assays()?;
    let rows = names
        .into_iter()
        .map(|a| json!({"name": a.name, "metadata": a.metadata}));
    Ok(json!({ "assays": rows.collect::<Vec<_>>() }))
}

/// `GET /api/v1/coverage`: every biosample and assay of the database and of the model, and what is
/// known of each experiment.
pub(super) const COVERAGE: &[&str] = &["model"];

pub(super) fn coverage(open: &Open, p: &Parameters) -> Result<Value, Refusal> {
    let model = match p.text("model") {
        Some(name) => Some(open.database.read_model(Some(name))?),
        None => open.default_model()?,
    };
    let tracks = open.database.tracks()?;
    let mut biosamples: BTreeSet<&str> = tracks.iter().map(|t| t.biosample.as_str()).collect();
    let mut assays: BTreeSet<&str> = tracks.iter().map(|t| t.assay.as_str()).collect();
    let mut roles: HashMap<(&str, &str), TrackRole> = HashMap::new();
    let (mut known_biosamples, mut known_assays) = (BTreeSet::new(), BTreeSet::new());
    if let Some(model) = &model {
        known_biosamples.extend(model.record.biosamples.iter().map(String::as_str));
        known_assays.extend(model.record.assays.iter().map(String::as_str));
        let of = model.record.tracks.iter();
        roles.extend(of.map(|t| ((t.biosample.as_str(), t.assay.as_str()), t.role)));
    }
    biosamples.extend(&known_biosamples);
    assays.extend(&known_assays);
    let measured: BTreeSet<(&str, &str)> = tracks
        .iter()
        .map(|t| (t.biosample.as_str(), t.assay.as_str()))
        .collect();
    let row = |b: &&str| -> Vec<Value> {
        let cell = |a: &&str| {
            json!({
                "measured": measured.contains(&(*b, *a)),
                "imputable": known_biosamples.contains(b) && known_assays.contains(a),
                "role": roles.get(&(*b, *a)).map(|r| r.name()),
            })
        };
        assays.iter().map(cell).collect()
    };
    Ok(json!({
        "model": model.as_ref().map(|m| &m.record.name),
        "biosamples": biosamples,
        "assays": assays,
        "experiments": biosamples.iter().map(row).collect::<Vec<_>>(),
    }))
}

/// `GET /api/v1/genes`: genes whose name or identifier begins with some text; exact matches first.
pub(super) const GENES: &[&str] = &["query", "limit"];

pub(super) fn genes(open: &Open, p: &Parameters) -> Result<Value, Refusal> {
    let query = p.required("query")?.to_uppercase();
    let limit = p.number("limit", 10, 1..=1_000)? as usize;
    let axis = open.database.axis();
    let mut found: Vec<(bool, Gene)> = (open.database.genes()?.into_iter())
        .filter_map(|gene| {
            let names = [gene.name.to_uppercase(), gene.id.to_uppercase()];
            let begins = names.iter().any(|n| n.starts_with(&query));
            begins.then(|| (!names.contains(&query), gene))
        })
        .collect();
    found.sort_by(|a, b| (a.0, &a.1.name, &a.1.id).cmp(&(b.0, &b.1.name, &b.1.id)));
    found.truncate(limit);
    let rows = found.into_iter().map(|(_, gene)| {
        let Interval { chrom, start, end } = &gene.interval;
        json!({
            "name": gene.name, "id": gene.id, "chrom": chrom, "start": start, "end": end,
            "strand": gene.strand.symbol(), "tss": gene.tss(),
            "covered": axis.bin_at(chrom, gene.tss()).is_some(),
        })
    });
    Ok(json!({ "genes": rows.collect::<Vec<_>>() }))
}

/// `GET /api/v1/variants`: variants whose name begins with some text; exact matches first.
pub(super) const VARIANTS: &[&str] = &["query", "limit"];

pub(super) fn variants(open: &Open, p: &Parameters) -> Result<Value, Refusal> {
    let query = p.required("query")?;
    let limit = p.number("limit", 10, 1..=1_000)? as usize;
    let axis = open.database.axis();
    let rows = open
        .variants
        .beginning(query, limit)
        .iter()
        .map(|(_, site)| {
            let Interval { chrom, start, end } = &site.interval;
            json!({
                "name": site.name, "chrom": chrom, "start": start, "end": end,
                "covered": axis.bin_at(chrom, *start).is_some(),
            })
        });
    Ok(json!({ "variants": rows.collect::<Vec<_>>() }))
}

/// `GET /api/v1/genes.bed`: the genes on covered chromosomes, as BED6.
pub(super) fn genes_bed(open: &Open) -> Result<String, Refusal> {
    let axis = open.database.axis();
    let covered: BTreeSet<&str> = axis.regions().iter().map(|r| r.chrom.as_str()).collect();
    let mut text = String::new();
    for gene in open.database.genes()? {
        let Interval { chrom, start, end } = &gene.interval;
        if covered.contains(chrom.as_str()) {
            let name: String = gene.name.chars().filter(|c| !c.is_whitespace()).collect();
            let strand = gene.strand.symbol();
            // Writing to a string does not fail.
            let _ = writeln!(text, "{chrom}\t{start}\t{end}\t{name}\t0\t{strand}");
        }
    }
    Ok(text)
}

/// `GET /api/v1/chromosomes.txt`: names and lengths of the covered chromosomes.
pub(super) fn chromosomes(open: &Open) -> Result<String, Refusal> {
    let axis = open.database.axis();
    let covered: BTreeSet<&str> = axis.regions().iter().map(|r| r.chrom.as_str()).collect();
    let chromosomes = axis.assembly().chromosomes().iter();
    let lines = chromosomes
        .filter(|c| covered.contains(c.name.as_str()))
        .map(|c| format!("{}\t{}\n", c.name, c.length));
    Ok(lines.collect())
}
