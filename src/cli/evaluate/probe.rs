//! `persea evaluate --probe`.

use std::process::ExitCode;

use persea::evaluation::{
    Probe, ProbeOptions, ProbeProgress, ProbedRepresentation, Representation, keep_probe, probe,
};
use persea::model::TrainedModel;
use persea::store::Database;
use serde_json::{Value, json};

use super::super::output::{Format, Table, grouped, measure, print_json, print_line};
use super::super::{Common, progress};

/// Probes a model, stores what was found and prints it.
pub fn run(
    database: &Database,
    model: &TrainedModel,
    against: &[String],
    options: &ProbeOptions,
    common: &Common,
) -> anyhow::Result<ExitCode> {
    let others: Vec<TrainedModel> = (against.iter())
        .map(|name| TrainedModel::open_embedding(database, Some(name)))
        .collect::<Result<_, _>>()?;
    let others: Vec<&TrainedModel> = others.iter().collect();
    let phases = progress::Phases::new();
    let found = probe(database, model, &others, options, &mut |now| {
        let place = (now.phase, ProbeProgress::PHASES);
        phases.report(now.what, place, (now.done as u64, now.of as u64));
    })?;
    phases.finish();
    keep_probe(database, model, &others, options, &found);
    print(&found, common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// What people read in place of a representation's name.
pub fn label(probe: &Probe, of: &ProbedRepresentation) -> String {
    match of.representation {
        Representation::Model => format!("factors of {}", probe.model),
        Representation::SignalResolutions => "signal at 25 bp, 250 bp and 5 kbp".into(),
        Representation::SignalWindows => "signal, six windows".into(),
        Representation::SignalComponents => "signal, principal components of the windows".into(),
    }
}

/// Prints a probe: as JSON, as TSV or CSV with one row per representation and track, or as a table of
/// means.
pub fn print(found: &Probe, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => Ok(print_json(found)?),
        Format::Table => {
            table(found)?;
            summary(found)
        }
        Format::Tsv | Format::Csv => by_track(found, format),
    }
}

/// The means, a row for each representation.
pub fn table(found: &Probe) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "embedding",
        "numbers",
        "linear r",
        "neighbours r, random",
        "neighbours r, active",
    ]);
    for row in &found.representations {
        table.row(vec![
            json!(label(found, row)),
            json!(row.numbers),
            measure(row.linear),
            measure(row.neighbours_random),
            measure(row.neighbours_active),
        ]);
    }
    table.print(Format::Table)?;
    Ok(())
}

fn by_track(found: &Probe, format: Format) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "representation",
        "numbers",
        "biosample",
        "assay",
        "linear",
        "neighbours_random",
        "neighbours_active",
    ]);
    for of in &found.representations {
        let mut row = |biosample: &str, assay: &str, r: [Option<f64>; 3]| {
            let names: [Value; 4] = [
                json!(of.representation),
                json!(of.numbers),
                json!(biosample),
                json!(assay),
            ];
            table.row(names.into_iter().chain(r.map(measure)).collect());
        };
        for t in &of.tracks {
            let r = [t.linear, t.neighbours_random, t.neighbours_active];
            row(&t.biosample, &t.assay, r);
        }
        row(
            "mean",
            "",
            [of.linear, of.neighbours_random, of.neighbours_active],
        );
    }
    table.print(format)?;
    Ok(())
}

/// What the table's numbers are of, how far seeds agree, and what came out.
pub fn summary(found: &Probe) -> anyhow::Result<()> {
    let Some(model) = found.of(Representation::Model) else {
        return Ok(());
    };
    let n = model.tracks.len();
    print_line(format_args!(
        "\nmeans over {n} held-out track{}, {} bins in {} region{}, {} random and {} active queries (seed {}); signal of {} tracks",
        if n == 1 { "" } else { "s" },
        grouped(found.n_bins),
        found.n_regions,
        if found.n_regions == 1 { "" } else { "s" },
        grouped(found.n_random as u64),
        grouped(found.n_active as u64),
        found.seed,
        found.n_signal_tracks,
    ))?;
    let share = |share: Option<f64>| share.map_or("undefined".to_string(), |s| format!("{s:.3}"));
    for other in &found.agreement {
        print_line(format_args!(
            "{} and {} share {} (random) and {} (active) of their ten nearest 5 kbp rows",
            found.model,
            other.model,
            share(other.random),
            share(other.active)
        ))?;
    }
    if let Some(fewer) = &found.fewer_tracks {
        for of in &fewer.without {
            print_line(format_args!(
                "without the tracks of {} its factors share {} (random) and {} (active) with those of all tracks",
                of.biosample,
                share(of.random),
                share(of.active)
            ))?;
        }
        print_line(format_args!(
            "a linear classifier recognises which half of the tracks was read in {} of the bins (.5 by chance)",
            share(fewer.halves_recognised)
        ))?;
    }
    if found.n_regions < 2 {
        print_line("undefined: both probes compare regions, and there is one")?;
    }
    if let Some(components) = found.of(Representation::SignalComponents) {
        let differences = [
            ("linear r", model.linear, components.linear),
            (
                "neighbours r, random",
                model.neighbours_random,
                components.neighbours_random,
            ),
            (
                "neighbours r, active",
                model.neighbours_active,
                components.neighbours_active,
            ),
        ];
        let shown: Vec<String> = (differences.into_iter())
            .filter_map(|(name, a, b)| Some(format!("{name} {:+.3}", a? - b?)))
            .collect();
        if !shown.is_empty() {
            print_line(format_args!(
                "the model less {} principal components of the signal: {}",
                components.numbers,
                shown.join("; ")
            ))?;
        }
    }
    Ok(())
}
