//! Simulates a small compendium with known truth, and looks at a gene in it.
//!
//! `cargo run --release --no-default-features --example simulate_a_compendium`

use std::error::Error;

use persea::simulation::{SignalKind, Simulation, SimulationConfig, WriteOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let simulation = Simulation::new(SimulationConfig {
        seed: 7,
        n_biosamples: 4,
        n_groups: 2,
        n_chromosomes: 2,
        chromosome_bp: 400_000,
        ..SimulationConfig::default()
    })?;
    let axis = simulation.axis();

    // What every assay shows at the promoter of a gene, in each biosample: the mean of the
    // 21 bins around its transcription start site, as −log10 p, without noise.
    let genes = simulation.genes();
    let gene = genes.iter().find(|g| g.tss() > 10_000).ok_or("no gene")?;
    let tss = axis
        .bin_at(&gene.interval.chrom, gene.tss())
        .ok_or("not covered")?;
    println!("{} at {}", gene.name, gene.interval);
    print!("{:10}", "");
    for assay in simulation.assays() {
        print!("{:>10}", assay.name);
    }
    for (i, biosample) in simulation.biosamples().iter().enumerate() {
        print!("\n{:10}", biosample.name);
        for track in simulation.tracks().iter().filter(|t| t.biosample == i) {
            let signal = simulation.signal(track, SignalKind::NoiseFree, tss - 10..tss + 11)?;
            print!("{:>10.2}", signal.iter().sum::<f32>() / signal.len() as f32);
        }
    }
    println!();

    // The same compendium as files: tracks, manifests, annotation, labels.
    let folder = tempfile::tempdir()?;
    let directory = folder.path().join("simulated");
    let written = simulation.write(&directory, &WriteOptions::default(), &|_, _| {})?;
    println!(
        "\nwrote {} tracks to train on and {} to score on, {} bins each:",
        written.n_measured, written.n_held_out, written.n_bins
    );
    let mut names: Vec<_> = std::fs::read_dir(&directory)?
        .map(|entry| entry.map(|e| e.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()?;
    names.sort();
    println!("{}", names.join(", "));
    Ok(())
}
