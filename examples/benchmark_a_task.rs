//! A downstream task of one's own: labels into the database, signal against average activity on
//! folds of whole chromosomes, the differences with their intervals.
//!
//! On simulated data, in a temporary folder: cargo run --release --example benchmark_a_task

use persea::compendium::{ColumnMap, IngestOptions, Manifest, ingest};
use persea::simulation::{Simulation, SimulationConfig, WriteOptions};
use persea::store::{Database, NewDatabase};
use persea::tasks::{ImportOptions, Learner, RunSettings, TaskKind, import, run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Six chromosomes of a simulated compendium, and the expression of its genes.
    let folder = tempfile::tempdir()?;
    let simulation = Simulation::new(SimulationConfig {
        n_biosamples: 4,
        n_chromosomes: 6,
        chromosome_bp: 1_000_000,
        missing: 0.0,
        ..SimulationConfig::default()
    })?;
    let files = folder.path().join("simulated");
    simulation.write(&files, &WriteOptions::default(), &|_, _| {})?;
    let database = Database::create(
        &folder.path().join("example.persea"),
        &NewDatabase {
            axis: simulation.axis().clone(),
            mask: simulation.mask(),
            genes: simulation.genes(),
            enhancers: simulation.enhancers(),
        },
    )?;
    let manifest = Manifest::read(&files.join("manifest.tsv"), &ColumnMap::default())?;
    ingest(&database, &manifest, &IngestOptions::default())?;

    // Labels: a matrix of genes and biosamples, checked against the genes of the database.
    let labels = files.join("expression.tsv");
    let report = import(
        &database,
        TaskKind::Expression,
        &[labels],
        &ImportOptions::default(),
    )?;
    println!(
        "{} genes in {} biosamples",
        report.n_examples,
        report.labels.len()
    );

    // Is a gene expressed in S1? Signal at its promoter, what the assays do there in the other
    // biosamples, and both; the baselines come along.
    let settings = RunSettings {
        task: "expression".into(),
        train_biosamples: vec!["S1".into()],
        test_biosamples: vec!["S1".into()],
        features: vec![
            "signal".parse()?,
            "average".parse()?,
            "signal+average".parse()?,
        ],
        learner: Learner::Logistic,
        bootstrap: 200,
        ..RunSettings::default()
    };
    let outcome = run(&database, &settings, &mut |_| {})?;
    let result = &outcome.result;
    println!(
        "{} genes, {} expressed; {} folds by {}",
        result.n,
        result.n_positive.unwrap_or(0),
        result.n_folds,
        result.fold_kind.name()
    );
    for row in &result.rows {
        let measured = row.measures[&result.primary];
        match (measured.value, measured.low, measured.high) {
            (Some(value), Some(low), Some(high)) => {
                println!("{:18} {value:.3} ({low:.3} to {high:.3})", row.name);
            }
            _ => println!("{:18} undefined", row.name),
        }
    }
    for c in result.comparisons.iter().filter(|c| c.a == "signal") {
        if let (Some(difference), Some(p)) = (c.difference, c.p_holm) {
            println!("signal − {}: {difference:+.3}, p {p:.3} (Holm)", c.b);
        }
    }

    // Kept with every prediction and all that repeats it.
    println!("stored as run {}", outcome.store(&database)?);
    Ok(())
}
