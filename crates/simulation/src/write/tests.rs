//! Tests of what is written.

use std::collections::BTreeMap;
use std::io::Read;

use super::*;
use crate::SimulationConfig;
use persea_genome::{Assembly, GenomeAxis, Mask, read_genes};

fn small(seed: u64) -> SimulationConfig {
    SimulationConfig {
        seed,
        n_biosamples: 3,
        n_groups: 2,
        assays: ["H3K4me3", "H3K36me3", "CTCF"].map(String::from).to_vec(),
        n_chromosomes: 2,
        chromosome_bp: 300_010,
        missing: 0.34,
        ..SimulationConfig::default()
    }
}

fn write(config: SimulationConfig, directory: &Path) -> WrittenSimulation {
    let simulation = Simulation::new(config).unwrap();
    simulation
        .write(directory, &WriteOptions::default(), &|_, _| {})
        .unwrap()
}

/// The hash of every file by its path.
fn hashes(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                let hash = blake3::hash(&std::fs::read(&path).unwrap());
                found.insert(name, hash.to_hex().to_string());
            }
        }
    }
    found
}

fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut text = String::new();
    std::fs::File::open(path)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text.lines()
        .map(|l| l.split('\t').map(String::from).collect())
        .collect()
}

#[test]
fn one_seed_gives_one_set_of_bytes_on_any_number_of_threads_and_two_seeds_two() {
    let home = tempfile::tempdir().unwrap();
    write(small(1), &home.path().join("a"));
    let alone = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    alone.install(|| write(small(1), &home.path().join("b")));
    write(small(2), &home.path().join("c"));
    let [a, b, c] = ["a", "b", "c"].map(|name| hashes(&home.path().join(name)));
    assert_eq!(a, b);
    for name in [
        "tracks.tsv",
        "expression.tsv",
        "states/S1.bed",
        "genes.gtf.gz",
    ] {
        assert_ne!(a[name], c[name], "{name}");
    }
    let track = a.keys().find(|k| k.starts_with("tracks/")).unwrap();
    assert_ne!(Some(&a[track]), c.get(track));
}

#[test]
fn what_is_written_reads_back_as_a_user_would_read_it() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("simulated");
    let written = write(small(3), &root);
    assert_eq!((written.n_measured, written.n_held_out), (6, 3));
    let assembly = Assembly::from_chrom_sizes("simulated", &root.join("chrom.sizes")).unwrap();
    let axis = GenomeAxis::from_bed(assembly.clone(), &root.join("regions.bed")).unwrap();
    let simulation = Simulation::new(small(3)).unwrap();
    assert_eq!(&axis, simulation.axis());
    let genes = read_genes(&root.join("genes.gtf.gz"), &assembly).unwrap();
    assert_eq!(genes.genes, simulation.genes());
    assert_eq!(genes.genes.len(), written.n_genes);
    let mask = Mask::read_intervals(&axis, &[root.join("mask.bed")]).unwrap();
    assert_eq!(mask, simulation.mask());

    let measured = rows(&root.join("manifest.tsv"));
    let held_out = rows(&root.join("truth.tsv"));
    assert_eq!(measured[0], ["biosample", "assay", "path"]);
    assert_eq!((measured.len(), held_out.len()), (7, 4));
    for row in measured[1..].iter().chain(&held_out[1..]) {
        assert!(root.join(&row[2]).is_file(), "{row:?}");
    }
    assert!(
        held_out[1..]
            .iter()
            .all(|row| measured.iter().all(|m| m[..2] != row[..2]))
    );
    assert_eq!(std::fs::read_dir(root.join("tracks")).unwrap().count(), 6);
    assert_eq!(
        std::fs::read_dir(root.join("noise_free")).unwrap().count(),
        3
    );

    let expression = rows(&root.join("expression.tsv"));
    assert_eq!(expression[0], ["gene_id", "S1", "S2", "S3"]);
    assert_eq!(expression.len(), 1 + written.n_genes);
    let pairs = rows(&root.join("interactions.tsv"));
    assert!(pairs.len() > 1 && pairs.iter().all(|row| row.len() == 13));
    let fires = rows(&root.join("fire.tsv"));
    // Seven whole windows on each of two chromosomes, for three biosamples.
    assert_eq!(fires.len(), 1 + 7 * 2 * 3);
    assert_eq!(
        fires[8][..7],
        ["S1", "chr2", "0", "40000", "12001", "13601", "chr2"]
    );
    assert_eq!(rows(&root.join("replication.tsv")).len(), fires.len());
    let json = std::fs::read_to_string(root.join("simulation.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let config: SimulationConfig = serde_json::from_value(json["settings"].clone()).unwrap();
    assert_eq!(config, small(3));
}

#[test]
fn a_directory_that_holds_something_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let simulation = Simulation::new(small(1)).unwrap();
    let options = WriteOptions::default();
    std::fs::write(home.path().join("thesis.txt"), "years of work").unwrap();
    let refused = simulation
        .write(home.path(), &options, &|_, _| {})
        .unwrap_err();
    assert!(
        refused.to_string().contains("not an empty directory"),
        "{refused}"
    );
    let file = home.path().join("thesis.txt");
    assert!(simulation.write(&file, &options, &|_, _| {}).is_err());
    let below_a_file = home.path().join("thesis.txt/simulated");
    assert!(
        simulation
            .write(&below_a_file, &options, &|_, _| {})
            .is_err()
    );
    let deeper = home.path().join("new/simulated");
    simulation.write(&deeper, &options, &|_, _| {}).unwrap();
    assert!(deeper.join("README.txt").is_file());
    let empty = home.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    simulation.write(&empty, &options, &|_, _| {}).unwrap();
    assert!(empty.join("README.txt").is_file());
    // Nothing is left of what was written under a temporary name.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 3);
    assert_eq!(
        std::fs::read_dir(home.path().join("new")).unwrap().count(),
        1
    );
}

#[test]
fn a_format_that_cannot_be_written_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let simulation = Simulation::new(small(1)).unwrap();
    let options = WriteOptions {
        format: Format::NarrowPeak,
        noise_free: false,
    };
    let root = home.path().join("simulated");
    assert!(simulation.write(&root, &options, &|_, _| {}).is_err());
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn the_smallest_simulation_can_be_written() {
    let home = tempfile::tempdir().unwrap();
    let config = SimulationConfig {
        n_biosamples: 1,
        n_groups: 1,
        assays: vec!["H3K4me3".into()],
        n_chromosomes: 1,
        chromosome_bp: 50_000,
        missing: 0.5,
        ..SimulationConfig::default()
    };
    let written = write(config, &home.path().join("tiny"));
    // There is nothing to spare.
    assert_eq!(
        (written.n_measured, written.n_held_out, written.n_bins),
        (1, 0, 2_000)
    );
    assert!(written.n_genes >= 1 && written.n_enhancers >= 1);
}

#[test]
fn progress_counts_every_track_once() {
    let home = tempfile::tempdir().unwrap();
    let simulation = Simulation::new(small(1)).unwrap();
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |done, of| seen.lock().unwrap().push((done, of));
    simulation
        .write(&home.path().join("s"), &WriteOptions::default(), &progress)
        .unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    // Nine observed, and the three held out once more without noise.
    assert_eq!(seen, (0..=12).map(|i| (i, 12)).collect::<Vec<_>>());
}
