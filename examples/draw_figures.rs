//! Draws what a compendium holds and one locus of it, and lays tracks out in the plane.
//!
//! `cargo run --release --no-default-features --example draw_figures [FOLDER]`

use std::error::Error;
use std::path::PathBuf;

use ndarray::Array2;
use persea::compendium::{ColumnMap, Experiment, IngestOptions, Manifest, ingest};
use persea::genome::Interval;
use persea::plot::{DEFAULT_DPI, Theme, TrackChoice, coverage_figure, tracks_figure, write_figure};
use persea::projection::{pca, quality};
use persea::simulation::{Simulation, SimulationConfig, WriteOptions};
use persea::store::{Database, NewDatabase};

fn main() -> Result<(), Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let target = std::env::args()
        .nth(1)
        .map_or_else(|| temporary.path().to_path_buf(), PathBuf::from);

    // A database of a simulated compendium.
    let simulation = Simulation::new(SimulationConfig {
        n_chromosomes: 1,
        ..SimulationConfig::default()
    })?;
    let files = temporary.path().join("simulated");
    simulation.write(&files, &WriteOptions::default(), &|_, _| {})?;
    let parts = NewDatabase {
        axis: simulation.axis().clone(),
        mask: simulation.mask(),
        genes: simulation.genes(),
        enhancers: simulation.enhancers(),
    };
    let database = Database::create(&temporary.path().join("example.persea"), &parts)?;
    let manifest = Manifest::read(&files.join("manifest.tsv"), &ColumnMap::default())?;
    ingest(&database, &manifest, &IngestOptions::default())?;

    // What is measured: SVG, PNG or PDF by the name's ending.
    let coverage = coverage_figure(&database, None)?;
    write_figure(
        &coverage.svg(Theme::Light),
        &target.join("coverage.pdf"),
        DEFAULT_DPI,
    )?;

    // Three tracks around a gene, each beside the average of the other biosamples.
    let genes = database.genes()?;
    let gene = genes.iter().find(|g| g.tss() > 20_000).ok_or("no gene")?;
    let region = Interval::new(
        &gene.interval.chrom,
        gene.tss() - 20_000,
        gene.tss() + 20_000,
    );
    let tracks = database.tracks()?;
    let experiments: Vec<Experiment> = (tracks.iter().take(3))
        .map(|t| Experiment {
            biosample: t.biosample.clone(),
            assay: t.assay.clone(),
        })
        .collect();
    let choice = TrackChoice {
        observed: true,
        imputed: false,
        average: true,
    };
    let figure = tracks_figure(&database, None, &experiments, &region, choice)?;
    write_figure(&figure.svg(Theme::Dark), &target.join("locus.png"), 150.0)?;

    // Tracks in the plane, by their first 4,000 bins: two components, and how many neighbours they keep.
    let mut signal = Array2::<f32>::zeros((tracks.len(), 4_000));
    for (track, mut row) in tracks.iter().zip(signal.rows_mut()) {
        let values = row.as_slice_mut().ok_or("rows lie side by side")?;
        database.signal(track)?.read(0..4_000, values)?;
    }
    let components = pca(signal.view(), 2);
    let picture = components.scores.mapv(|v| v as f32);
    let trust = quality(signal.view(), picture.view(), 5);
    println!(
        "two components hold {:.0} % of the variance",
        100.0 * components.explained[..2].iter().sum::<f64>()
    );
    println!(
        "and keep {:.0} % of neighbours",
        100.0 * trust.preserved.unwrap_or(0.0)
    );
    for (track, place) in tracks.iter().zip(picture.rows()) {
        println!(
            "{:>4} {:<9} {:7.2} {:7.2}",
            track.biosample, track.assay, place[0], place[1]
        );
    }
    for name in ["coverage.pdf", "locus.png"] {
        println!("{name}: {} bytes", target.join(name).metadata()?.len());
    }
    Ok(())
}
