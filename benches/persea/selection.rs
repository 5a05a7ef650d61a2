//! Choices beside apricot-select on the same matrix, in turns; 33,600 experiments and a million
//! positions by themselves.
//!
//! `PERSEA_PEER_PYTHON` names a Python with numpy and apricot-select; without, Persea's figures stand
//! alone. `PERSEA_SEARCH_DATABASE` names a database with a trained model for the positions; without, they
//! are left out.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};
use npyz::WriterBuilder;
use persea::random::{Purpose, fill_uniform, generator};
use persea::selection::{
    Combination, Experiments, Kernel, Limits, Method, ObjectiveKind, PositionRequest, Similarity,
    Vectors, greedy, select_positions,
};
use persea::store::Database;

use crate::figures::{Rounds, number};
use crate::{Bench, machine};

/// Items of the matrix that both sides choose from, and how many they choose.
const ITEMS: usize = 5_000;
const CHOSEN: usize = 500;
const WIDTH: usize = 32;

/// Vectors in clusters, as samples are: a centre each, and noise.
fn vectors(n: usize, width: usize, n_clusters: usize, seed: u64) -> Vec<f32> {
    let mut rng = generator(seed, Purpose::Initial, 0);
    let mut centres = vec![0f32; n_clusters * width];
    fill_uniform(&mut rng, 1.0, &mut centres);
    let mut values = vec![0f32; n * width];
    fill_uniform(&mut rng, 0.5, &mut values);
    for (i, vector) in values.chunks_exact_mut(width).enumerate() {
        let centre = i * 7 % n_clusters;
        for (value, c) in vector.iter_mut().zip(&centres[centre * width..]) {
            *value += c;
        }
    }
    values
}

/// What both sides are asked: facility location, lazy, with nothing beside it.
fn choose(
    similarity: &dyn Similarity,
    given: &[usize],
    k: usize,
) -> anyhow::Result<(Vec<usize>, u64)> {
    let kind = ObjectiveKind::FacilityLocation;
    let mut objective = kind.build(similarity, None).context("needs no features")?;
    for item in given {
        objective.add(*item);
    }
    let candidates: Vec<usize> = (0..similarity.n_candidates())
        .filter(|c| given.binary_search(c).is_err())
        .collect();
    let limits = Limits { k, budget: None };
    let run = greedy(
        objective.as_mut(),
        &candidates,
        &[],
        &limits,
        Method::Lazy,
        false,
    );
    Ok((
        run.steps.iter().map(|s| s.candidate).collect(),
        run.evaluations,
    ))
}

/// Runs all of it.
pub fn run(bench: &Bench) -> anyhow::Result<()> {
    beside_apricot(bench)?;
    experiments()?;
    positions()
}

fn beside_apricot(bench: &Bench) -> anyhow::Result<()> {
    println!("selection: facility location, {CHOSEN} of {ITEMS}, a matrix in memory on both sides");
    let values = vectors(ITEMS, WIDTH, 200, 3);
    let name = |i: usize| format!("item {i}");
    let matrix = Vectors::new(WIDTH, &values, Kernel::Cosine, &name)?.matrix()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("similarity.npy");
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&[ITEMS as u64, ITEMS as u64])
        .writer(std::io::BufWriter::new(std::fs::File::create(&file)?))
        .begin_nd()?;
    writer.extend(matrix.values().iter().copied())?;
    writer.finish()?;
    let python = std::env::var_os("PERSEA_PEER_PYTHON");
    if python.is_none() {
        println!(
            "  skipped: apricot-select; set PERSEA_PEER_PYTHON to a Python with numpy and apricot-select"
        );
    }
    let mut rounds = Rounds::default();
    let mut seconds = Vec::new();
    for _ in 0..bench.rounds {
        let began = Instant::now();
        let (chosen, evaluations) = choose(&matrix, &[], CHOSEN)?;
        let ours = began.elapsed().as_secs_f64();
        rounds.ours.push(1.0 / ours);
        seconds.push(ours);
        let Some(python) = &python else { continue };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/selection_peer.py");
        let output = Command::new(python)
            .arg(script)
            .arg(&file)
            .arg(CHOSEN.to_string())
            .output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let peer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        rounds
            .peer
            .push(1.0 / peer["seconds"].as_f64().context("no seconds")?);
        let ranking: Vec<u64> = serde_json::from_value(peer["ranking"].clone())?;
        let same = ranking
            .iter()
            .zip(&chosen)
            .filter(|(a, b)| **a == **b as u64)
            .count();
        let mut objective = ObjectiveKind::FacilityLocation
            .build(&matrix, None)
            .context("needs no features")?;
        let own: f64 = chosen.iter().map(|c| objective.add(*c)).sum();
        let theirs = peer["gain"].as_f64().context("no gain")?;
        println!(
            "  a round: {ours:.2} s, apricot {:.2} s ({}; in the process's own time {:.2} s); {same} of {CHOSEN} the same in the same place, value {own:.3} and {theirs:.3}; {evaluations} gains computed",
            peer["seconds"].as_f64().unwrap_or(f64::NAN),
            peer["optimizer"].as_str().unwrap_or("?"),
            peer["processor_seconds"].as_f64().unwrap_or(f64::NAN),
        );
    }
    rounds.print("choices of 500 of 5,000", "a second", 5.0);
    Ok(())
}

/// 400 × 84 experiments, the size of ENCODE2018Core, 3,814 of them measured.
fn experiments() -> anyhow::Result<()> {
    println!("selection: 1,000 of 400 × 84 experiments, 3,814 measured");
    let of = |n: usize, width: usize, clusters: usize, seed: u64| -> anyhow::Result<_> {
        let values = vectors(n, width, clusters, seed);
        let name = |i: usize| format!("item {i}");
        Ok(Vectors::new(width, &values, Kernel::Cosine, &name)?.matrix()?)
    };
    let (biosamples, assays) = (of(400, 32, 40, 5)?, of(84, 24, 12, 6)?);
    let measured: Vec<usize> = (0..3_814).map(|i| i * 33_600 / 3_814).collect();
    for combination in [Combination::Product, Combination::Mean] {
        let similarity = Experiments::new(biosamples.clone(), assays.clone(), combination);
        let began = Instant::now();
        let (_, evaluations) = choose(&similarity, &measured, 1_000)?;
        println!(
            "  {combination:?} of biosamples' and assays' similarity: {:.1} s; {} gains computed; load {}",
            began.elapsed().as_secs_f64(),
            number(evaluations as f64),
            machine::load()
        );
    }
    // Without the structure: vectors of experiments, as imputed tracks are, in blocks.
    let values = vectors(33_600, 200, 500, 7);
    let name = |i: usize| format!("item {i}");
    let similarity = Vectors::new(200, &values, Kernel::SquaredCorrelation, &name)?;
    let began = Instant::now();
    let (_, evaluations) = choose(&similarity, &measured, 1_000)?;
    println!(
        "  squared correlations of 200 numbers each, in blocks: {:.1} s; {} gains computed; {:.0} MB held at most; load {}",
        began.elapsed().as_secs_f64(),
        number(evaluations as f64),
        machine::peak_bytes("self").map_or(f64::NAN, |b| b as f64 / 1e6),
        machine::load()
    );
    Ok(())
}

/// Every 25 bp of a database's model.
fn positions() -> anyhow::Result<()> {
    let Some(path) = std::env::var_os("PERSEA_SEARCH_DATABASE") else {
        println!(
            "  skipped: positions; set PERSEA_SEARCH_DATABASE to a database with a trained model"
        );
        return Ok(());
    };
    let database = Database::open(Path::new(&path))?;
    let model = std::env::var("PERSEA_SEARCH_MODEL").ok();
    for (spacing, ground_set) in [(0, 10_000), (1_000, 10_000), (1_000, 4_000)] {
        let request = PositionRequest {
            model: model.clone(),
            spacing,
            ground_set,
            ..PositionRequest::new(1_000)
        };
        let began = Instant::now();
        let answer = select_positions(&database, &request)?;
        let coverage = answer.chosen.last().map_or(0.0, |p| p.coverage);
        println!(
            "  1,000 of {} positions, spacing {spacing}, covering {ground_set}: {:.1} s; coverage {coverage:.4} of at most {:.4}, elsewhere {:.4}, random {:.4}; rows bounded {} and opened {}; load {}",
            answer.n_candidates,
            began.elapsed().as_secs_f64(),
            answer.bound,
            answer.coverage_elsewhere,
            answer
                .curve
                .last()
                .and_then(|p| p.random_mean)
                .unwrap_or(f64::NAN),
            number(answer.rows[0] as f64),
            number(answer.rows[1] as f64),
            machine::load()
        );
    }
    Ok(())
}
