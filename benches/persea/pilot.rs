//! The real pilot compendium as a database, with an untrained model of each preset: what a network's
//! numbers are does not change how fast it is.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use persea::compendium::{ColumnMap, IngestOptions, Manifest, Replicates, ingest};
use persea::factorization::{
    Arithmetic, Backend, RunOptions, Sampling, TrackRoles, TrainOptions, Validate, fit,
};
use persea::genome::{Assembly, GenomeAxis};
use persea::model::{Architecture, GenomeFactors, ModelConfig, Network, Preset, Sizes, save};
use persea::store::{Database, ModelKind, ModelRecord, NewDatabase, Precision};

/// The folder of shared data.
pub fn shared_data() -> PathBuf {
    match std::env::var_os("PERSEA_SHARED_DATA") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
    }
}

/// The preset of that name.
pub fn preset(name: &str) -> Preset {
    match name.trim_end_matches("-bf16") {
        "paper" => Preset::Paper,
        _ => Preset::Small,
    }
}

/// What `persea train` with a preset and nothing else would do.
pub fn options(name: &str) -> TrainOptions {
    TrainOptions {
        name: name.into(),
        architecture: Architecture::Avocado,
        encoder: None,
        refinement: None,
        sizes: Sizes::preset(preset(name)),
        sampling: Sampling::Sequential,
        learning_rate: 1e-3,
        cosine: false,
        clip: None,
        passes: 1,
        patience: 1,
        hold: Vec::new(),
        validate: Validate::Nothing,
        searches: 0,
        regions: Vec::new(),
        seed: 0,
        cache_bytes: 2_000_000_000,
        half_precision: false,
        backend: match name.ends_with("-bf16") {
            true => Backend::Torch,
            false => Backend::Native,
        },
        arithmetic: match name.ends_with("-bf16") {
            true => Arithmetic::Bf16,
            false => Arithmetic::F32,
        },
    }
}

/// Makes the database at `path`.
pub fn make(path: &Path) -> anyhow::Result<()> {
    let pilot = shared_data().join("pilot");
    let axis = GenomeAxis::from_bed(
        Assembly::by_name("hg19")?,
        &pilot.join("pilot_regions.hg19.bed"),
    )?;
    let database = Database::create(
        path,
        &NewDatabase {
            axis: axis.clone(),
            mask: Vec::new(),
            genes: Vec::new(),
            enhancers: Vec::new(),
        },
    )?;
    let manifest = Manifest::read(&pilot.join("manifest.tsv"), &ColumnMap::default())?;
    let options = IngestOptions {
        replicates: Replicates::Refuse,
        ..IngestOptions::default()
    };
    let report = ingest(&database, &manifest, &options)?;
    ensure!(report.failed.is_empty(), "{:?}", report.failed);
    for name in ["small", "paper"] {
        let options = self::options(name);
        let track_roles = TrackRoles::new(database.tracks()?, &options)?;
        let sizes = &options.sizes;
        let network = Network::initial(
            sizes,
            track_roles.biosamples.len(),
            track_roles.assays.len(),
            0,
        );
        let record = ModelRecord {
            name: name.into(),
            kind: ModelKind::Avocado,
            config: serde_json::to_value(ModelConfig {
                architecture: options.architecture,
                sizes: *sizes,
                encoder: None,
                refinement: None,
            })?,
            seed: 0,
            training: serde_json::json!({}),
            precision: Precision::F32,
            biosamples: track_roles.biosamples,
            assays: track_roles.assays,
            tracks: Vec::new(),
            regions: axis.regions().to_vec(),
        };
        let lock = database.lock_model(name)?;
        let genome = GenomeFactors::initial(sizes, &axis, 0);
        save(
            &database,
            &lock,
            &record,
            &network,
            &genome,
            (None, None),
            false,
        )?;
    }
    Ok(())
}

/// Trains a model with the paper's factor sizes and a network of 64 units: factors as they are
/// searched, in a minute.
pub fn train_factors(database: &Database, name: &str) -> anyhow::Result<()> {
    let options = TrainOptions {
        name: name.into(),
        sizes: Sizes {
            layers: 1,
            nodes: 64,
            batch_size: 10_000,
            ..Sizes::preset(Preset::Paper)
        },
        cosine: true,
        passes: 40,
        ..options("paper")
    };
    fit(database, &options, RunOptions::default(), false, &mut ())?;
    Ok(())
}
