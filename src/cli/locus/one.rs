//! `persea locus REGION|GENE`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use persea::files::no_formula;
use persea::formats::write_text;
use persea::genome::{Gene, Interval};
use persea::loci::{CompletedCompendium, Locus, LocusOptions, LocusRow, at_locus};
use persea::plot::{LocusFigure, LocusFigureGene, LocusFigureRow, axis_unit, spoken_region};
use persea::search::{GenePart, Query, place};
use serde_json::{Value, json};

use super::super::figure::{FigureArguments, check_ending};
use super::super::names::Known;
use super::super::output::{Format, Table, grouped, measure, print_json};
use super::super::{Common, Misuse, progress};
use super::{Matching, Origin};

/// Largest adjusted p at which the figure's bars are coloured.
const FIGURE_P: f64 = 0.05;

#[derive(Debug, clap::Args)]
pub struct One {
    /// Locus: chr1:1,000,000-1,020,000 (1-based, inclusive), or a gene's name or identifier
    #[arg(value_name = "REGION|GENE", required = true)]
    target: Option<String>,
    /// Assay to compare
    #[arg(long, required = true)]
    assay: Option<String>,
    /// Part of the gene
    #[arg(long, value_parser = ["promoter", "body", "tss"], default_value = "promoter")]
    part: String,
    /// Also show this many bp on either side, without scoring them
    #[arg(long, value_name = "BP", default_value_t = 0)]
    flank: u64,
    /// Leave out matched loci within this many bp
    #[arg(long, value_name = "BP", default_value_t = 50_000)]
    exclude: u64,
    /// Number of clusters; chosen by silhouette if omitted
    #[arg(long, value_name = "K")]
    clusters: Option<usize>,
    #[command(flatten)]
    matching: Matching,
    #[command(flatten)]
    from: Origin,
    /// Write the signal of all biosamples × bins as TSV
    #[arg(long, value_name = "FILE")]
    values: Option<PathBuf>,
    /// Plot the locus: .svg, .png or .pdf
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    figure: FigureArguments,
}

pub fn run(arguments: One, common: &Common) -> anyhow::Result<ExitCode> {
    let (Some(target), Some(assay)) = (&arguments.target, &arguments.assay) else {
        return Err(Misuse(
            "which locus, and which assay? persea locus VPS72 --assay H3K4me3".into(),
        )
        .into());
    };
    if let Some(path) = &arguments.plot {
        check_ending(path)?;
    }
    let database = common.open()?;
    let compendium = CompletedCompendium::open(
        &database,
        arguments.from.model.as_deref(),
        arguments.from.measured_only,
    )?;
    let genes = database.genes()?;
    let interval = where_is(target, &arguments.part, &compendium, &genes)?;
    let options = LocusOptions {
        matching: arguments.matching.options(),
        exclude: arguments.exclude,
        flank: arguments.flank,
        clusters: arguments.clusters,
    };
    let bar = progress::bar(0, "reading {wide_bar} {percent}% {elapsed} left {eta}");
    let found = at_locus(
        &compendium,
        assay,
        &interval,
        &options,
        &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        },
    )?;
    bar.finish_and_clear();
    if found.interval != interval && !interval_is_gene(target) {
        eprintln!(
            "note: {interval} is taken as the bins of 25 bp that it touches, {}",
            found.interval
        );
    }
    if let Some(path) = &arguments.values {
        write_values(&found, path)?;
    }
    if let Some(path) = &arguments.plot {
        let title = match interval_is_gene(target) {
            true => format!("{assay} at {target} ({})", arguments.part),
            false => format!("{assay} at {}", spoken_region(&found.interval)),
        };
        let drawn = figure(&found, title, &genes, axis_unit(&database, &found.assay)?);
        let figure = &arguments.figure;
        figure.write(&drawn.svg(figure.theme()), path)?;
    }
    print(
        &found,
        compendium.model().map(|m| m.record().name.as_str()),
        &Known::of(&database)?,
        common.format,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn interval_is_gene(target: &str) -> bool {
    !target.contains(':')
}

/// Reads the text as a region if it contains a colon or names a chromosome.
fn where_is(
    target: &str,
    part: &str,
    compendium: &CompletedCompendium<'_>,
    genes: &[Gene],
) -> anyhow::Result<Interval> {
    let axis = compendium.axis();
    let is_gene = genes.iter().any(|g| g.name == target || g.id == target);
    let is_chromosome = axis.assembly().resolve(target).is_ok() && !is_gene;
    let query = match target.contains(':') || is_chromosome {
        true => {
            let interval = Interval::parse_browser(target).map_err(|e| Misuse(e.to_string()))?;
            Query::region(interval)
        }
        false => Query::Gene {
            name: target.to_string(),
            part: match part {
                "body" => GenePart::Body,
                "tss" => GenePart::Tss,
                _ => GenePart::Promoter,
            },
        },
    };
    let interval = place(&query, axis, genes)?.context("it lies nowhere")?;
    if let Query::Gene {
        name,
        part: GenePart::Promoter | GenePart::Tss,
    } = &query
    {
        note_other_starts(name, &interval, genes);
    }
    Ok(interval)
}

/// Names the TSS of a gene's transcripts that lie outside the promoter that is looked at.
fn note_other_starts(name: &str, promoter: &Interval, genes: &[Gene]) {
    let chrom = &promoter.chrom;
    let of_name = |g: &&Gene| {
        (g.name.eq_ignore_ascii_case(name) || g.id == name) && g.interval.chrom == *chrom
    };
    let others: Vec<String> = (genes.iter().filter(of_name))
        .flat_map(Gene::starts)
        .filter(|tss| !(promoter.start..promoter.end).contains(tss))
        .map(|tss| format!("{chrom}:{}", grouped(tss + 1)))
        .collect();
    if !others.is_empty() {
        let others = others.join(", ");
        eprintln!(
            "note: other transcripts of {name} start at {others}; give a region to look there"
        );
    }
}

fn print(found: &Locus, model: Option<&str>, known: &Known, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return Ok(print_json(&as_json(found, model))?);
    }
    let mut table = Table::new(&[
        "biosample",
        "source",
        "cluster",
        "signal",
        "average",
        "departure",
        "expected",
        "z",
        "p",
        "p_adjusted",
        "z_without",
        "p_without",
        "n_matched",
        "n_effective",
        "nearest_here",
        "r_elsewhere",
        "nearest_elsewhere",
        "r",
        "global_similarity",
    ]);
    for row in &found.rows {
        let d = row.departure.as_ref();
        let name = |of: &Option<(String, f64)>| of.as_ref().map_or(Value::Null, |n| json!(n.0));
        table.row(vec![
            json!(row.biosample),
            json!(row.source.name()),
            json!(row.cluster + 1),
            measure(d.map(|d| d.signal)),
            measure(d.map(|d| d.average)),
            measure(d.map(|d| d.departure())),
            measure(d.map(|d| d.expected)),
            measure(d.and_then(|d| d.z)),
            measure(d.and_then(|d| d.p)),
            measure(row.p_adjusted),
            measure(row.without_strongest.and_then(|d| d.z)),
            measure(row.without_strongest.and_then(|d| d.p)),
            json!(d.map(|d| d.n_matched)),
            measure(d.map(|d| d.n_effective)),
            name(&row.nearest_here),
            measure(row.similarity_to_nearest_here),
            name(&row.nearest_elsewhere),
            measure(row.nearest_elsewhere.as_ref().map(|n| n.1)),
            measure(row.global_similarity),
        ]);
    }
    table.label_biosamples(known.labels());
    table.print(format)?;
    let matched = found.rows.iter().find_map(|r| r.departure.as_ref());
    eprintln!(
        "{} at {}: {} bins; each biosample is compared with {} of {} loci matched in {}",
        found.assay,
        found.interval,
        found.n_bins,
        matched.map_or(0, |d| d.n_matched),
        found.n_candidates,
        found.matched_in
    );
    if let Some(d) = matched {
        eprintln!(
            "matches of {}: average activity {:.2} to {:.2} (mean {:.2}) beside {:.2}; p rests on {:.0} \
             independent loci",
            (found.rows.iter().find(|r| r.departure.is_some()))
                .map_or("", |r| r.biosample.as_str()),
            d.matched_range[0],
            d.matched_range[1],
            d.matched_average,
            d.average,
            d.n_effective
        );
    }
    if let Some(joint) = &found.joint {
        eprintln!(
            "p_adjusted: all biosamples at once beside {} loci of mean activity {:.2} to {:.2} (mean {:.2}) beside \
             {:.2}, {} within the caliper, worth {:.0} independent ones",
            joint.n_compared,
            joint.matched_range[0],
            joint.matched_range[1],
            joint.matched_activity,
            joint.activity,
            joint.n_matched,
            joint.n_effective
        );
    }
    if let Some(strongest) = &found.strongest {
        eprintln!("z_without and p_without leave {strongest} out of the average");
    }
    let beyond: Vec<&str> = (found.rows.iter())
        .filter(|r| r.departure.as_ref().is_some_and(|d| d.beyond))
        .map(|r| r.biosample.as_str())
        .collect();
    if !beyond.is_empty() {
        eprintln!(
            "too few candidate loci are of this activity without {}: z is extrapolated, and p undefined \
             where fewer than 20 lie within the caliper",
            beyond.join(", ")
        );
    }
    if found.clusters.len() > 1 {
        for (i, cluster) in found.clusters.iter().enumerate() {
            let number = |v: Option<f64>| v.map_or("undefined".to_string(), |v| format!("{v:.2}"));
            eprintln!(
                "cluster {}: {} (mean z {}; correlation among them elsewhere {}, among all {})",
                i + 1,
                cluster.biosamples.join(", "),
                number(cluster.z),
                number(cluster.global_similarity),
                number(found.global_similarity),
            );
        }
    } else {
        eprintln!("no clusters stand out");
    }
    Ok(())
}

fn as_json(found: &Locus, model: Option<&str>) -> Value {
    let finite = |v: f32| if v.is_finite() { json!(v) } else { Value::Null };
    let near = |of: &Option<(String, f64)>, what: &str| {
        of.as_ref().map_or(
            Value::Null,
            |(name, v)| json!({ "biosample": name, what: v }),
        )
    };
    let row = |row: &LocusRow| {
        let d = row.departure.as_ref();
        json!({
            "biosample": row.biosample, "source": row.source.name(), "cluster": row.cluster + 1,
            "signal": d.map(|d| d.signal), "average": d.map(|d| d.average),
            "departure": d.map(|d| d.departure()), "expected": d.map(|d| d.expected),
            "z": d.and_then(|d| d.z), "p": d.and_then(|d| d.p), "p_adjusted": row.p_adjusted,
            "n_matched": d.map(|d| d.n_matched), "matched_average": d.map(|d| d.matched_average),
            "matched_range": d.map(|d| d.matched_range), "n_effective": d.map(|d| d.n_effective),
            "z_without_strongest": row.without_strongest.and_then(|d| d.z),
            "p_without_strongest": row.without_strongest.and_then(|d| d.p),
            "beyond": d.map(|d| d.beyond),
            "nearest_here": near(&row.nearest_here, "distance"),
            "similarity_to_nearest_here": row.similarity_to_nearest_here,
            "nearest_elsewhere": near(&row.nearest_elsewhere, "correlation"),
            "global_similarity": row.global_similarity,
            "values": row.values.iter().map(|v| finite(*v)).collect::<Vec<_>>(),
        })
    };
    let columns: Vec<Value> = (found.columns.iter())
        .map(|c| json!({ "start": c.interval.start, "end": c.interval.end, "inside": c.is_inside }))
        .collect();
    let clusters: Vec<Value> = (found.clusters.iter().enumerate())
        .map(|(i, c)| {
            json!({
                "cluster": i + 1, "biosamples": c.biosamples, "departure": c.departure, "z": c.z,
                "global_similarity": c.global_similarity,
            })
        })
        .collect();
    let joins: Vec<Value> = (found.tree.joins.iter())
        .map(|j| json!({ "branches": j.branches, "height": j.height }))
        .collect();
    json!({
        "locus": {
            "chrom": found.interval.chrom, "start": found.interval.start,
            "end": found.interval.end, "n_bins": found.n_bins,
        },
        "assay": found.assay, "model": model, "scale": "arcsinh",
        "matched": { "in": found.matched_in, "n_candidates": found.n_candidates },
        "joint": found.joint.map(|j| json!({
            "activity": j.activity, "n_compared": j.n_compared, "n_matched": j.n_matched,
            "matched_activity": j.matched_activity, "matched_range": j.matched_range,
            "n_effective": j.n_effective,
        })),
        "strongest": found.strongest,
        "columns": columns,
        "biosamples": found.rows.iter().map(row).collect::<Vec<_>>(),
        "clusters": clusters, "silhouette": found.tree.silhouette, "tree": joins,
        "global_similarity": found.global_similarity,
    })
}

/// The signal of all biosamples × bins, one line per biosample.
fn write_values(found: &Locus, path: &Path) -> anyhow::Result<()> {
    let mut out = Vec::new();
    write!(out, "biosample\tsource\tcluster\tz\tp_adjusted")?;
    for column in &found.columns {
        let i = &column.interval;
        write!(out, "\t{}:{}-{}", i.chrom, i.start, i.end)?;
    }
    writeln!(out)?;
    let number = |v: Option<f64>| v.map_or(String::new(), |v| v.to_string());
    for row in &found.rows {
        let z = row.departure.as_ref().and_then(|d| d.z);
        let name = row.biosample.replace(['\t', '\n', '\r'], " ");
        let name = no_formula(&name);
        write!(out, "{name}\t{}\t{}\t", row.source.name(), row.cluster + 1)?;
        write!(out, "{}\t{}", number(z), number(row.p_adjusted))?;
        for value in &row.values {
            match value.is_finite() {
                true => write!(out, "\t{value}")?,
                false => write!(out, "\t")?,
            }
        }
        writeln!(out)?;
    }
    Ok(write_text(path, &out)?)
}

fn figure(found: &Locus, title: String, genes: &[Gene], unit: String) -> LocusFigure {
    let first = found.columns.first().map(|c| c.interval.start);
    let last = found.columns.last().map(|c| c.interval.end);
    let span = (
        first.unwrap_or(found.interval.start),
        last.unwrap_or(found.interval.end),
    );
    let shown = |g: &&Gene| {
        let i = &g.interval;
        i.chrom == found.interval.chrom && i.start < span.1 && span.0 < i.end
    };
    let row = |row: &LocusRow| LocusFigureRow {
        label: row.biosample.clone(),
        is_measured: row.source == persea::loci::Source::Measured,
        values: row.values.clone(),
        cluster: row.cluster,
        z: row.departure.as_ref().and_then(|d| d.z),
        p: row.p_adjusted,
    };
    LocusFigure {
        title,
        subtitle: format!(
            "{}; z against loci matched in {}",
            spoken_region(&found.interval),
            found.matched_in
        ),
        chrom: found.interval.chrom.clone(),
        span,
        locus: (found.interval.start, found.interval.end),
        columns: (found.columns.iter())
            .map(|c| (c.interval.start, c.interval.end))
            .collect(),
        rows: found.rows.iter().map(row).collect(),
        joins: found
            .tree
            .joins
            .iter()
            .map(|j| (j.branches, j.height))
            .collect(),
        genes: genes
            .iter()
            .filter(shown)
            .map(|g| LocusFigureGene {
                name: g.name.clone(),
                span: (g.interval.start, g.interval.end),
                is_forward: g.strand == persea::genome::Strand::Forward,
            })
            .collect(),
        unit,
        most_p: FIGURE_P,
    }
}
