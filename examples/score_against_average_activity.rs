//! Holds tracks out, trains on the rest, and scores the model beside the baselines.
//!
//! `cargo run --release --example score_against_average_activity`

use std::error::Error;

use persea::compendium::{ColumnMap, IngestOptions, Manifest, ingest};
use persea::evaluation::{EvaluateOptions, ScoringScale, evaluate};
use persea::factorization::{RunOptions, TrainOptions, draw_held_out, fit};
use persea::model::{Architecture, Preset, Sizes, TrainedModel};
use persea::simulation::{Simulation, SimulationConfig, WriteOptions};
use persea::store::{Database, NewDatabase};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let simulation = Simulation::new(SimulationConfig {
        n_chromosomes: 1,
        ..SimulationConfig::default()
    })?;
    let files = folder.path().join("simulated");
    simulation.write(&files, &WriteOptions::default(), &|_, _| {})?;
    let parts = NewDatabase {
        axis: simulation.axis().clone(),
        mask: simulation.mask(),
        genes: simulation.genes(),
        enhancers: simulation.enhancers(),
    };
    let database = Database::create(&folder.path().join("example.persea"), &parts)?;
    let manifest = Manifest::read(&files.join("manifest.tsv"), &ColumnMap::default())?;
    ingest(&database, &manifest, &IngestOptions::default())?;

    // Training never reads what is held out; every biosample and assay keeps two tracks.
    let tracks = database.tracks()?;
    let pairs: Vec<(String, String)> = tracks
        .iter()
        .map(|t| (t.biosample.clone(), t.assay.clone()))
        .collect();
    let hold = draw_held_out(&pairs, 1);
    println!("{} tracks, {} held out", pairs.len(), hold.len());
    let options = TrainOptions {
        name: "example".into(),
        architecture: Architecture::Avocado,
        encoder: None,
        refinement: None,
        sizes: Sizes {
            batch_size: 2_000, // the genome is small, and so are its steps
            ..Sizes::preset(Preset::Small)
        },
        cosine: false,
        passes: 12,
        patience: 3,
        hold,
        searches: 1,
        seed: 1,
        ..TrainOptions::default()
    };
    let trained = fit(&database, &options, RunOptions::default(), false, &mut ())?;
    println!("trained {} passes", trained.record.training["passes"]);

    // No baseline sees its target, and the model has not either.
    let model = TrainedModel::open(&database, Some("example"))?;
    let found = evaluate(
        &database,
        &model,
        ScoringScale::Arcsinh,
        &EvaluateOptions::default(),
        &mut |_, _| {},
    )?;
    println!("\nmean squared error, arcsinh scale, {} bins", found.n_bins);
    println!(
        "{:22} {:>8} {:>8} {:>11}",
        "track", "model", "average", "calibrated"
    );
    let shown = |value: Option<f64>| value.map_or("–".into(), |v| format!("{v:.4}"));
    for track in &found.tracks {
        println!(
            "{:22} {:>8} {:>8} {:>11}",
            format!("{} {}", track.biosample, track.assay),
            shown(track.measures.mse),
            shown(track.average_activity.mse),
            shown(track.calibrated_average.mse)
        );
    }
    println!(
        "{:22} {:>8} {:>8} {:>11}",
        "mean",
        shown(found.mean.measures.mse),
        shown(found.mean.average_activity.mse),
        shown(found.mean.calibrated_average.mse)
    );
    Ok(())
}
