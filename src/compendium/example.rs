//! A small database of simulated tracks: for documentation and tests.

use super::{ColumnMap, CompendiumError, IngestOptions, Manifest, ingest};
use crate::simulation::{Simulation, SimulationConfig, WriteOptions};
use crate::store::{Database, NewDatabase};

/// A database in a temporary folder, with the tracks of biosamples S1 to S4 and the assays H3K4me3,
/// H3K27ac and H3K27me3 over 200 kb. The files that they were read from lie beside it, in `simulated`.
#[doc(hidden)]
pub fn example_compendium() -> crate::Result<(tempfile::TempDir, Database)> {
    let folder = tempfile::tempdir().map_err(|source| CompendiumError::Scratch {
        path: std::env::temp_dir(),
        source,
    })?;
    let simulation = Simulation::new(SimulationConfig {
        n_biosamples: 4,
        assays: ["H3K4me3", "H3K27ac", "H3K27me3"]
            .map(String::from)
            .to_vec(),
        n_chromosomes: 1,
        chromosome_bp: 200_000,
        missing: 0.0,
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
    Ok((folder, database))
}
