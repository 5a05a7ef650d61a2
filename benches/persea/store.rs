//! Storing factors beside `dd conv=fsync`, reading them, and opening databases of many sizes.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use persea::genome::{Assembly, GenomeAxis};
use persea::store::{
    Database, ModelKind, ModelRecord, NewDatabase, NewTrack, Precision, Transform,
};
use serde_json::json;

use crate::figures::{Rounds, median};
use crate::{Bench, machine};

/// Rows and columns of the table that is stored: 1 GB, the 25 bp factors of chr1 at the paper's size.
const ROWS: u64 = 10_000_000;
const COLS: u64 = 25;
/// Numbers given at once, as training and imports give them.
const PIECE: usize = 1 << 20;

/// Stores 1 GB of factors and lets `dd` write as many bytes, one after the other.
pub fn run(bench: &Bench) -> anyhow::Result<()> {
    println!("storing factors: {ROWS} × {COLS} of f32, 1 GB");
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("numbers");
    let numbers = noise((ROWS * COLS) as usize);
    std::fs::write(&source, bytemuck::cast_slice::<f32, u8>(&numbers))?;
    let axis = GenomeAxis::whole_chromosomes(Assembly::by_name("hg19")?, &["chr1"])?;
    let megabytes = (ROWS * COLS * 4) as f64 / 1e6;
    let mut rounds = Rounds::default();
    let (mut shared, mut read) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        let path = folder.path().join("x.persea");
        let _ = std::fs::remove_dir_all(&path);
        let database = create(&path, &axis)?;
        rounds
            .ours
            .push(megabytes / store(&database, "m", &numbers)?);
        let model = database.read_model(None)?;
        let began = Instant::now();
        let mut out = vec![0f32; PIECE / COLS as usize * COLS as usize];
        let per_read = out.len() as u64 / COLS;
        for first in (0..ROWS - per_read).step_by(per_read as usize) {
            database.read_tensor(
                &model,
                "genome_25bp",
                Some(0),
                first..first + per_read,
                &mut out,
            )?;
            black_box(&out);
        }
        read.push(megabytes / began.elapsed().as_secs_f64());
        // Somebody else has it open: everything goes through the log.
        let reader = Database::open(&path)?;
        shared.push(megabytes / store(&database, "n", &numbers)?);
        drop((reader, database));
        std::fs::remove_dir_all(&path)?;
        rounds
            .peer
            .push(megabytes / dd(&source, &folder.path().join("copy"))?);
    }
    rounds.print("storing, beside dd conv=fsync", "MB/s", 0.5);
    println!(
        "  {:<32} {:.0} MB/s",
        "storing while others read",
        median(&shared)
    );
    println!(
        "  {:<32} {:.0} MB/s",
        "reading, checksums included",
        median(&read)
    );
    opening(folder.path(), &numbers)
}

/// Opening, however much is inside.
fn opening(folder: &Path, numbers: &[f32]) -> anyhow::Result<()> {
    println!("opening a database of hg38, and asking for its tracks and models");
    let assembly = Assembly::by_name("hg38")?;
    let axis = GenomeAxis::whole_chromosomes(assembly, &["chr21", "chr22"])?;
    for (n_tracks, n_models) in [(0, 0), (100, 1), (1_000, 2)] {
        let path = folder.join("open.persea");
        let _ = std::fs::remove_dir_all(&path);
        let database = create(&path, &axis)?;
        for i in 0..n_tracks {
            let mut track = database.begin_track(NewTrack {
                biosample: format!("B{:03}", i / 20),
                assay: format!("A{:02}", i % 20),
                transform: Transform::Arcsinh,
                unit: None,
                sources: vec![],
                values: Default::default(),
                normalisation: None,
            })?;
            track.write(0, &vec![0.0; axis.n_bins() as usize])?;
            track.commit()?;
        }
        for i in 0..n_models {
            store(&database, &format!("m{i}"), numbers)?;
        }
        drop(database);
        let (mut open, mut ask) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let began = Instant::now();
            let database = Database::open(&path)?;
            open.push(began.elapsed().as_secs_f64() * 1e3);
            let (tracks, models) = (database.tracks()?, database.list_models()?);
            ask.push(began.elapsed().as_secs_f64() * 1e3);
            ensure!(
                tracks.len() == n_tracks && models.len() == n_models,
                "not all are there"
            );
        }
        let bytes = std::fs::metadata(path.join("persea.sqlite"))?.len();
        println!(
            "  {:<32} {:.1} ms, with tracks and models {:.1} ms (wanted 50; load {})",
            format!("{n_tracks} tracks, {:.1} GB of models", bytes as f64 / 1e9),
            median(&open),
            median(&ask),
            machine::load()
        );
    }
    Ok(())
}

fn create(path: &Path, axis: &GenomeAxis) -> anyhow::Result<Database> {
    let parts = NewDatabase {
        axis: axis.clone(),
        mask: vec![],
        genes: vec![],
        enhancers: vec![],
    };
    Ok(Database::create(path, &parts)?)
}

/// Stores the table as a model, durably; the seconds that it took.
fn store(database: &Database, name: &str, numbers: &[f32]) -> anyhow::Result<f64> {
    let record = ModelRecord {
        name: name.into(),
        kind: ModelKind::Avocado,
        config: json!({}),
        seed: 0,
        training: json!({}),
        precision: Precision::F32,
        biosamples: vec!["B".into()],
        assays: vec!["A".into()],
        tracks: vec![],
        regions: database.axis().regions()[..1].to_vec(),
    };
    let lock = database.lock_model(name)?;
    let began = Instant::now();
    let mut writer = database.begin_model(&lock, &record, false)?;
    for piece in numbers.chunks(PIECE / COLS as usize * COLS as usize) {
        writer.tensor("genome_25bp", ROWS, COLS, Some(0), piece)?;
    }
    writer.commit()?;
    Ok(began.elapsed().as_secs_f64())
}

/// Seconds that `dd` takes for the same bytes, until they are on the disk.
fn dd(from: &Path, to: &Path) -> anyhow::Result<f64> {
    let began = Instant::now();
    let status = Command::new("dd")
        .arg(format!("if={}", from.display()))
        .arg(format!("of={}", to.display()))
        .args(["bs=1M", "conv=fsync"])
        .stderr(Stdio::null())
        .status()
        .context("dd")?;
    ensure!(status.success(), "dd failed");
    let seconds = began.elapsed().as_secs_f64();
    std::fs::remove_file(to)?;
    Ok(seconds)
}

/// Numbers as factors are: in ±0.05, and not to be compressed.
fn noise(n: usize) -> Vec<f32> {
    let mut state = 1u64;
    (0..n)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1u32 << 24) as f32 - 0.5) * 0.1
        })
        .collect()
}
