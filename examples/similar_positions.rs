//! Where else does it look like this? A position's nearest, with what lies there; then only
//! promoters, then windows aligned bin by bin.
//!
//! The model is trained for a minute on a simulated compendium.
//!
//! `cargo run --release --example similar_positions`

use std::error::Error;

use persea::compendium::{ColumnMap, IngestOptions, Manifest, ingest};
use persea::factorization::{RunOptions, TrainOptions, Validate, fit};
use persea::genome::Interval;
use persea::model::{Architecture, Preset, Sizes, TrainedModel};
use persea::search::{Annotation, Class, Filter, Query};
use persea::simulation::{Simulation, SimulationConfig, WriteOptions};
use persea::store::{Database, NewDatabase};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let database = trained(folder.path())?;
    let model = TrainedModel::open(&database, None)?;
    let annotation = Annotation::read(&database, model.axis())?;
    let gene = annotation.genes().first().ok_or("genes are simulated")?;
    println!("like the start of {} at {}:", gene.name, gene.interval);

    // The first search writes the index; 50 kb around the query are left out.
    let query = Query::position(&gene.interval.chrom, gene.tss());
    let answer = database.similar(query.clone()).k(5).run()?;
    for hit in &answer.hits {
        let near = annotation.nearest_gene(&hit.interval);
        let near = near.map_or(String::new(), |g| {
            format!("{} bp from the start of {}", g.distance, g.name)
        });
        let classes = annotation.classes(&hit.bins);
        let classes: Vec<&str> = classes.iter().map(|c| c.name()).collect();
        println!(
            "  {}  {:.4}  {near}  {}",
            hit.interval,
            hit.distance,
            classes.join(",")
        );
    }
    println!("  read {:?} of {} bins", answer.read, model.axis().n_bins());

    let promoters = Filter {
        classes: vec![Class::Promoter],
        ..Filter::default()
    };
    let answer = database.similar(query).filter(promoters).k(3).run()?;
    println!("among promoters:");
    for hit in &answer.hits {
        println!("  {}  {:.4}", hit.interval, hit.distance);
    }

    let start = gene.tss().saturating_sub(1_000);
    let window = Interval::new(&gene.interval.chrom, start, start + 2_000);
    let answer = database
        .similar(Query::region(window.clone()))
        .align()
        .k(3)
        .run()?;
    println!("windows like {window}, on either strand:");
    for hit in &answer.hits {
        let strand = hit.strand.map_or('.', |s| s.symbol());
        println!("  {}  {strand}  {:.4}", hit.interval, hit.distance);
    }
    Ok(())
}

/// A database with a model of a simulated compendium.
fn trained(folder: &std::path::Path) -> Result<Database, Box<dyn Error>> {
    let simulation = Simulation::new(SimulationConfig {
        n_chromosomes: 2,
        ..SimulationConfig::default()
    })?;
    let files = folder.join("simulated");
    simulation.write(&files, &WriteOptions::default(), &|_, _| {})?;
    let parts = NewDatabase {
        axis: simulation.axis().clone(),
        mask: simulation.mask(),
        genes: simulation.genes(),
        enhancers: simulation.enhancers(),
    };
    let database = Database::create(&folder.join("example.persea"), &parts)?;
    let manifest = Manifest::read(&files.join("manifest.tsv"), &ColumnMap::default())?;
    ingest(&database, &manifest, &IngestOptions::default())?;
    let options = TrainOptions {
        name: "example".into(),
        architecture: Architecture::Avocado,
        encoder: None,
        refinement: None,
        sizes: Sizes {
            batch_size: 2_000,
            ..Sizes::preset(Preset::Small)
        },
        passes: 8,
        validate: Validate::Nothing,
        seed: 1,
        ..TrainOptions::default()
    };
    fit(&database, &options, RunOptions::default(), false, &mut ())?;
    Ok(database)
}
