//! A small database with a model whose numbers come from a seed: for documentation and tests.

use crate::genome::{Assembly, Gene, GenomeAxis, Interval, Region, Strand};
use crate::model::{Architecture, GenomeFactors, ModelConfig, Network, Preset, Sizes, save};
use crate::store::{Database, ModelKind, ModelRecord, NewDatabase, Precision};

/// A database in a temporary folder, with the untrained model `example` over 500 kb.
#[doc(hidden)]
pub fn example_database() -> crate::Result<(tempfile::TempDir, Database)> {
    let region = |chrom: &str, first_bin, n_bins| Region {
        name: None,
        chrom: chrom.into(),
        first_bin,
        n_bins,
    };
    // Not in the order of coordinates, with partial rows at the edges.
    let regions = vec![
        region("chr2", 37, 5_003),
        region("chr1", 1_000, 11_111),
        region("chr1", 15_001, 4_000),
    ];
    let folder = tempfile::tempdir().map_err(|source| crate::search::SearchError::Io {
        path: std::env::temp_dir(),
        source,
    })?;
    let database = example_database_of(folder.path(), regions, 7, &mut |_| {})?;
    Ok((folder, database))
}

/// As [`example_database`], of regions of chr1 and chr2 (1 Mb each) in a folder, with factors
/// changed.
#[doc(hidden)]
pub fn example_database_of(
    folder: &std::path::Path,
    regions: Vec<Region>,
    seed: u64,
    change: &mut dyn FnMut(&mut GenomeFactors),
) -> crate::Result<Database> {
    let list = [
        ("chr1".to_string(), 1_000_000),
        ("chr2".to_string(), 1_000_010),
    ];
    let assembly = Assembly::from_chromosomes("example", &list)?;
    let axis = GenomeAxis::new(assembly, regions)?;
    let gene = |id: &str, name: &str, start, end, strand| Gene {
        id: id.into(),
        name: name.into(),
        interval: Interval::new("chr1", start, end),
        strand,
        transcript_starts: Vec::new(),
    };
    let parts = NewDatabase {
        axis: axis.clone(),
        mask: vec![Interval::new("chr1", 30_000, 31_000)],
        genes: vec![
            gene("G1", "ALPHA", 60_000, 70_000, Strand::Forward),
            gene("G2", "BETA", 120_000, 125_000, Strand::Reverse),
        ],
        enhancers: vec![Interval::new("chr2", 40_000, 41_000)],
    };
    let database = Database::create(&folder.join("example.persea"), &parts)?;
    let config = ModelConfig {
        architecture: Architecture::Avocado,
        sizes: Sizes {
            biosample_factors: 4,
            assay_factors: 3,
            nodes: 16,
            ..Sizes::preset(Preset::Small)
        },
        encoder: None,
        refinement: None,
    };
    let names = |what: &str, n: usize| (1..=n).map(|i| format!("{what}{i}")).collect();
    let record = ModelRecord {
        name: "example".into(),
        kind: ModelKind::Avocado,
        config: serde_json::to_value(&config)
            .map_err(|e| crate::Bug::new(format!("a configuration is not JSON ({e})")))?,
        seed,
        training: serde_json::json!({ "passes": 0 }),
        precision: Precision::F32,
        biosamples: names("S", 5),
        assays: names("A", 3),
        tracks: Vec::new(),
        regions: axis.regions().to_vec(),
    };
    let network = Network::initial(&config.sizes, 5, 3, seed);
    let mut genome = GenomeFactors::initial(&config.sizes, &axis, seed);
    change(&mut genome);
    let lock = database.lock_model("example")?;
    save(
        &database,
        &lock,
        &record,
        &network,
        &genome,
        (None, None),
        false,
    )?;
    drop(lock);
    Ok(database)
}
