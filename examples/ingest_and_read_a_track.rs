//! Takes a manifest of bigWigs into a database, then reads a stretch of one track and the average
//! activity of its assay.
//!
//! `cargo run --release --no-default-features --example ingest_and_read_a_track`

use std::error::Error;

use persea::compendium::{AverageActivity, ColumnMap, IngestOptions, Manifest, ingest};
use persea::simulation::{Simulation, SimulationConfig, WriteOptions};
use persea::store::{Database, NewDatabase};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;

    // Files as a user has them: bigWigs and a manifest that names them.
    let simulation = Simulation::new(SimulationConfig {
        n_chromosomes: 1,
        ..SimulationConfig::default()
    })?;
    let files = folder.path().join("simulated");
    simulation.write(&files, &WriteOptions::default(), &|_, _| {})?;

    // A database has one assembly and one set of regions, chosen when it is created.
    let parts = NewDatabase {
        axis: simulation.axis().clone(),
        mask: simulation.mask(),
        genes: simulation.genes(),
        enhancers: simulation.enhancers(),
    };
    let database = Database::create(&folder.path().join("example.persea"), &parts)?;
    let manifest = Manifest::read(&files.join("manifest.tsv"), &ColumnMap::default())?;
    let report = ingest(&database, &manifest, &IngestOptions::default())?;
    println!("ingested {} tracks", report.ingested.len());

    // What is in already, and unchanged, is left alone.
    let again = ingest(&database, &manifest, &IngestOptions::default())?;
    println!("again: {} unchanged", again.skipped.len());

    // Around the start of the first gene, a bin in four: the track and its assay's average over
    // the other biosamples, both on the arcsinh scale, as stored.
    let tracks = database.tracks()?;
    let track = tracks.iter().find(|t| t.assay == "H3K4me3").ok_or("none")?;
    let pairs: Vec<(&str, &str)> = tracks
        .iter()
        .map(|t| (t.biosample.as_str(), t.assay.as_str()))
        .collect();
    let average = AverageActivity::open(&database, &track.assay, &pairs, &track.biosample)?
        .ok_or("no other biosample has this assay")?;
    let genes = database.genes()?;
    let gene = genes.iter().find(|g| g.tss() > 10_000).ok_or("no gene")?;
    let axis = database.axis();
    let tss = axis
        .bin_at(&gene.interval.chrom, gene.tss())
        .ok_or("not covered")?;
    let bins = tss - 40..tss + 40;
    let mut measured = vec![0.0; 80];
    let mut expected = vec![0.0; 80];
    database.signal(track)?.read(bins.clone(), &mut measured)?;
    average.read(bins.clone(), &mut expected)?;
    println!(
        "\n{} {} around {}, beside the average of {} biosamples",
        track.biosample,
        track.assay,
        gene.name,
        average.n_tracks()
    );
    for (i, bin) in bins.enumerate().step_by(4) {
        let interval = axis.bin_interval(bin);
        println!("{interval}  {:6.3}  {:6.3}", measured[i], expected[i]);
    }
    Ok(())
}
