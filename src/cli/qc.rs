//! `persea qc`.

use std::process::ExitCode;

use persea::loci::{CompletedCompendium, QualityOptions, Rival, ScaleShift, TrackQuality, quality};
use serde_json::{Value, json};

use super::names::Known;
use super::output::{Format, Table, grouped, measure, print_json};
use super::{Common, progress};

/// Find measured tracks that disagree with the rest, that may be swapped, or that lie on another scale.
///
/// A track is compared with an expectation from the other tracks only, because a model that was
/// trained on the track would be biased towards it. With --models, cross-validated models are also
/// compared with the tracks that they held out. The columns background and peaks are log2 of the track's mean over
/// the median of its assay's tracks, for assays with three tracks or more; `persea ingest --normalise` brings
/// both to 0.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea qc\n          persea qc --models fold0,fold1,fold2,fold3,fold4 --format tsv"
)]
pub struct Arguments {
    /// Models to compare with their held-out tracks
    #[arg(long, value_name = "MODEL,…", value_delimiter = ',')]
    models: Vec<String>,
    /// Number of standard errors (or robust standard deviations) at which a track is flagged
    #[arg(long, default_value_t = 3.0)]
    limit: f64,
    /// Approximate number of 250 bp windows to read, spread evenly over the covered regions
    #[arg(long, value_name = "N", default_value_t = 120_000, value_parser = windows)]
    windows: usize,
    /// Number of blocks of the genome for the jackknife's standard errors
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u8).range(2..))]
    groups: u8,
}

fn windows(text: &str) -> Result<usize, String> {
    match text.replace([',', '_'], "").parse() {
        Ok(n) if n >= 1_000 => Ok(n),
        _ => Err("write a number of windows of at least 1000".into()),
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let database = common.open()?;
    let compendium = CompletedCompendium::open(&database, None, true)?;
    let models: Vec<CompletedCompendium<'_>> = (arguments.models.iter())
        .map(|name| CompletedCompendium::open(&database, Some(name), false))
        .collect::<Result<_, _>>()?;
    let options = QualityOptions {
        windows: arguments.windows,
        groups: usize::from(arguments.groups),
        limit: arguments.limit,
    };
    let bar = progress::bar(0, "reading {wide_bar} {percent}% {elapsed} left {eta}");
    let found = quality(&compendium, &models, &options, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let verdict = |t: &TrackQuality| {
        let mut parts: Vec<String> = t.flags.iter().map(|f| f.name().to_string()).collect();
        if let Some(other) = &t.swapped_with {
            parts.push(format!("swapped with {other}?"));
        }
        parts.join("; ")
    };
    if common.format == Format::Json {
        let rival = |r: &Option<Rival>| {
            r.as_ref().map_or(
                Value::Null,
                |r| json!({ "name": r.name, "margin": r.margin, "z": r.z }),
            )
        };
        let shift = |s: &Option<ScaleShift>| {
            s.map_or(
                Value::Null,
                |s| json!({ "log2_ratio": s.log2_ratio, "z": s.z }),
            )
        };
        let tracks: Vec<Value> = (found.tracks.iter())
            .map(|t| {
                json!({
                    "biosample": t.experiment.biosample, "assay": t.experiment.assay,
                    "agreement": t.agreement, "agreement_error": t.agreement_error, "z": t.z,
                    "biosample_rival": rival(&t.biosample), "assay_rival": rival(&t.assay),
                    "background": shift(&t.background), "peaks": shift(&t.peaks),
                    "model": t.agreement_with_model.as_ref().map(|m| &m.0),
                    "agreement_with_model": t.agreement_with_model.as_ref().map(|m| m.1),
                    "flags": t.flags.iter().map(|f| f.name()).collect::<Vec<_>>(),
                    "swapped_with": t.swapped_with.as_ref().map(|e| {
                        json!({ "biosample": e.biosample, "assay": e.assay })
                    }),
                })
            })
            .collect();
        print_json(
            &json!({ "n_windows": found.n_windows, "limit": arguments.limit, "tracks": tracks }),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&[
        "biosample",
        "assay",
        "agreement",
        "se",
        "z",
        "like_biosample",
        "margin",
        "margin_z",
        "like_assay",
        "assay_margin",
        "assay_z",
        "background",
        "background_z",
        "peaks",
        "peaks_z",
        "model_agreement",
        "verdict",
    ]);
    for t in &found.tracks {
        let rival = |r: &Option<Rival>| match r {
            Some(r) => [json!(r.name), measure(Some(r.margin)), measure(r.z)],
            None => [Value::Null, Value::Null, Value::Null],
        };
        let mut row = vec![
            json!(t.experiment.biosample),
            json!(t.experiment.assay),
            measure(t.agreement),
            measure(t.agreement_error),
            measure(t.z),
        ];
        row.extend(rival(&t.biosample));
        row.extend(rival(&t.assay));
        for shift in [t.background, t.peaks] {
            row.extend([
                measure(shift.map(|s| s.log2_ratio)),
                measure(shift.map(|s| s.z)),
            ]);
        }
        row.push(measure(t.agreement_with_model.as_ref().map(|m| m.1)));
        row.push(json!(verdict(t)));
        table.row(row);
    }
    table.label_biosamples(Known::of(&database)?.labels());
    table.print(common.format)?;
    let n_flagged = found.tracks.iter().filter(|t| !t.flags.is_empty()).count();
    eprintln!(
        "{n_flagged} of {} tracks flagged, over {} windows of 250 bp; a margin below 0 means that a \
         track looks more like the other's than like its own; background and peaks are log2 of a track's mean \
         over its assay's",
        found.tracks.len(),
        grouped(found.n_windows)
    );
    Ok(ExitCode::SUCCESS)
}
