//! Kills and damage at random, for as long as `PERSEA_TORTURE_MINUTES` asks. `make torture` runs it.
//!
//! A killed command may cost only the item that it was writing: the database is undamaged, its other tracks
//! are there, an output is whole or absent, and the command can be repeated. A damaged database gives the
//! right answers or none: each command answers as before the damage, or fails and says why. Stored evaluations
//! alone are left out with a warning, since nothing else rests on them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::surviving::{below, leftovers};
use super::workspace::{SMALL, Workspace, copy_folder, is_whole, start};
use random::Random;

#[path = "../power_loss/random.rs"]
mod random;

/// Commands that are killed, with their outputs; all run on two threads.
const KILLED: &[(&str, &str)] = &[
    ("ingest sim/manifest.tsv --values u16", ""),
    ("train --name m --passes 2 --no-validate --replace", ""),
    ("track rename biosample S2 T2", ""),
    ("evaluate", ""),
    ("index", ""),
    ("project biosamples --name p", ""),
    ("select biosamples -k 2 --random 10", ""),
    ("task import interaction sim/interactions.tsv --replace", ""),
    ("backup copy.persea", "copy.persea"),
    (
        "create --db new.persea --assembly simulated --chrom-sizes sim/chrom.sizes --genes sim/genes.gtf.gz",
        "new.persea",
    ),
    ("impute S1:H3K4me3 --output a.bw", "a.bw"),
    ("impute S1:H3K4me3 --output a.bedGraph.gz", "a.bedGraph.gz"),
    ("impute --all-missing --output imputed", "imputed"),
    ("export completed --output all.zarr", "all.zarr"),
    ("export genome --output genome.parquet", "genome.parquet"),
    (
        "export biosamples --output biosamples.h5ad",
        "biosamples.h5ad",
    ),
    ("export embedding --output embedding.npz", "embedding.npz"),
    (
        "simulate --output other --biosamples 3 --assays 3 --chromosomes 1 --chromosome-bp 60010 --seed 5",
        "other",
    ),
];

/// What is asked of a damaged database.
const ASKED: &[&str] = &[
    "check",
    "track list",
    "model list",
    "model show base",
    "model diff base base",
    "similar position chr1:30,000 --exclude none",
    "similar gene GENE1-1 --exclude none",
    "similar biosample S1",
    "similar assay H3K4me3",
    "locus chr1:20,001-21,000 --assay H3K4me3",
    "diff S1 S2 --assay H3K4me3",
    "annotate sim/enhancers.bed",
    "impute S1:H3K4me3 --output out.bedGraph",
    "export assays --output out.tsv",
];

#[derive(Debug, Default)]
struct Totals {
    kills: usize,
    /// Of these, how many came after the command's end.
    too_late: usize,
    repeated: usize,
    damaged: usize,
    /// Of these, how many `check` reported.
    reported: usize,
    asked: usize,
    refused: usize,
    /// Answers that left something out and named it.
    warned: usize,
}

#[test]
#[ignore = "runs for PERSEA_TORTURE_MINUTES: make torture"]
fn kills_and_damage_at_random_lose_nothing_and_give_no_wrong_answer() {
    let number = |name: &str, otherwise: u64| {
        let set = std::env::var(name).ok();
        set.map_or(otherwise, |text| text.parse().unwrap())
    };
    let seconds = number("PERSEA_TORTURE_MINUTES", 1) * 60;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = number("PERSEA_TORTURE_SEED", now.unwrap().as_secs());
    eprintln!("torture: PERSEA_TORTURE_SEED={seed}");
    let mut random = Random::new(seed);
    let mut totals = Totals::default();
    let half = Duration::from_secs(seconds) / 2;
    kills(Instant::now() + half, &mut random, &mut totals);
    flips(Instant::now() + half, &mut random, &mut totals);
    eprintln!(
        "torture: {} kills ({} after the command's end), {} commands repeated to their end; {} damaged \
         databases ({} reported by check), {} questions ({} refused, {} answered in part, \
         with a warning); nothing lost, no wrong answer",
        totals.kills,
        totals.too_late,
        totals.repeated,
        totals.damaged,
        totals.reported,
        totals.asked,
        totals.refused,
        totals.warned
    );
}

/// The line of a command.
fn line(command: &str) -> String {
    match command.starts_with("train") {
        true => format!("{} --threads 2", command.replace("train", &training())),
        false => format!("{command} --threads 2"),
    }
}

fn training() -> String {
    format!("train {}", SMALL.replace(" --threads 1", ""))
}

fn kills(until: Instant, random: &mut Random, totals: &mut Totals) {
    let workspace = Workspace::trained();
    let all = workspace.tracks();
    // How long each takes, and what it writes.
    let mut whole = BTreeMap::new();
    for (command, output) in KILLED {
        prepare(&workspace, command, output, random);
        let began = Instant::now();
        workspace.ok(&line(command));
        let took = began.elapsed();
        whole.insert(*command, (took, digest(&workspace, output)));
        undo(&workspace);
    }
    while Instant::now() < until {
        let (command, output) = KILLED[random.below(KILLED.len())];
        let (took, expected) = &whole[command];
        prepare(&workspace, command, output, random);
        let before = workspace.tracks();
        for _ in 0..1 + random.below(3) {
            let mut running = workspace.start(&line(command));
            std::thread::sleep(took.mul_f64(random.below(1_100) as f64 / 1_000.0));
            totals.kills += 1;
            totals.too_late += usize::from(running.has_ended());
            running.kill();
            workspace.is_undamaged();
            let tracks = workspace.tracks();
            let is_kept = |track: &String| {
                tracks.contains(track) || tracks.contains(&track.replace("S2 ", "T2 "))
            };
            assert!(
                before.iter().all(is_kept),
                "{command}: {before:?} {tracks:?}"
            );
            let found = digest(&workspace, output);
            // A folder of tracks holds those that are done, each of them whole.
            let is_part =
                output == "imputed" && found.iter().all(|f| expected.get(f.0) == Some(f.1));
            assert!(
                found.is_empty() || is_part || found == *expected,
                "{command}: {output} is neither whole nor absent: {found:?}, {expected:?}"
            );
            undo(&workspace);
            // Some commands refuse an output that is there already.
            remove(&workspace, output);
        }
        workspace.ok(&line(command));
        totals.repeated += 1;
        assert_eq!(digest(&workspace, output), *expected, "{command}");
        undo(&workspace);
        assert_eq!(workspace.tracks(), all, "{command}");
        workspace.is_whole();
        let left = leftovers(&workspace.path("."));
        assert!(left.is_empty(), "{command}: {left:?}");
    }
}

/// Makes work for a command.
fn prepare(workspace: &Workspace, command: &str, output: &str, random: &mut Random) {
    remove(workspace, output);
    if command.starts_with("ingest") {
        let tracks = workspace.tracks();
        for track in [&tracks[random.below(6)], &tracks[6 + random.below(6)]] {
            workspace.ok(&format!("track remove {}", track.replace(' ', ":")));
        }
    }
    if command == "index" {
        remove(workspace, "x.persea/index");
    }
}

/// A rename that came to its end is undone.
fn undo(workspace: &Workspace) {
    if workspace.tracks().iter().any(|t| t.starts_with("T2 ")) {
        workspace.ok("track rename biosample T2 S2");
    }
}

fn remove(workspace: &Workspace, output: &str) {
    if !output.is_empty() {
        let path = workspace.path(output);
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_file(&path);
    }
}

/// The files of an output, each with its digest; none where it is absent. Of a database, which has dates in
/// it, that it is whole.
fn digest(workspace: &Workspace, output: &str) -> BTreeMap<String, String> {
    let path = workspace.path(output);
    if output.is_empty() || !path.exists() {
        return BTreeMap::new();
    }
    if path.join("persea.sqlite").exists() {
        is_whole(&path);
        return BTreeMap::from([("database".into(), "whole".into())]);
    }
    let files = match path.is_dir() {
        true => below(&path),
        false => vec![path.clone()],
    };
    let digest = |file: &PathBuf| {
        let name = file.strip_prefix(&path).unwrap().display().to_string();
        let digest = blake3::hash(&fs::read(file).unwrap());
        (name, digest.to_hex().to_string())
    };
    (files.iter())
        .filter(|file| file.is_file() && file.extension().is_none_or(|e| e != "part"))
        .map(digest)
        .collect()
}

fn flips(until: Instant, random: &mut Random, totals: &mut Totals) {
    let workspace = Workspace::trained();
    // Half of the tracks.
    let manifest = fs::read_to_string(workspace.path("sim/manifest.tsv")).unwrap();
    let half: Vec<&str> = manifest.lines().take(7).collect();
    workspace.write("sim/half.tsv", half.join("\n"));
    workspace.ok("ingest sim/half.tsv --values u16");
    workspace.ok("index");
    workspace.ok("evaluate");
    let whole = workspace.path("x.persea");
    let files: Vec<_> = below(&whole)
        .into_iter()
        .filter(|path| path.is_file())
        .collect();
    let expected: Vec<String> = (ASKED.iter())
        .map(|command| answer(&workspace.path("."), workspace.ok(&asked(command)).stdout))
        .collect();
    let folder = workspace.path("damaged");
    while Instant::now() < until {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        copy_folder(&whole, &folder.join("x.persea"));
        std::os::unix::fs::symlink(workspace.path("sim"), folder.join("sim")).unwrap();
        let file = files[random.below(files.len())]
            .strip_prefix(&whole)
            .unwrap();
        let what = damage(&folder.join("x.persea").join(file), random);
        let what = format!("{}: {what}", file.display());
        totals.damaged += 1;
        for (command, expected) in ASKED.iter().zip(&expected) {
            let outcome = start(&folder, &asked(command)).finish();
            totals.asked += 1;
            match outcome.code {
                Some(0) if *command == "check" => {}
                Some(0) => {
                    let warned = outcome.stderr;
                    let found = answer(&folder, outcome.stdout);
                    if found != *expected {
                        // What is left out is named.
                        let is_named = warned.contains("are not used");
                        assert!(
                            is_named,
                            "{command}, {what}: {warned}{}",
                            first_difference(expected, &found)
                        );
                        totals.warned += 1;
                    }
                }
                Some(1) => {
                    totals.refused += 1;
                    totals.reported += usize::from(*command == "check");
                    let says = outcome.stderr.len() + outcome.stdout.len();
                    assert!(says > 0, "{what}: {outcome}");
                }
                _ => panic!("{what}: {outcome}"),
            }
        }
    }
}

fn asked(command: &str) -> String {
    format!("{command} --format json --threads 1")
}

/// What a command printed, with the file that it wrote.
fn answer(folder: &Path, stdout: String) -> String {
    let written = ["out.bedGraph", "out.tsv"].map(|name| {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        text
    });
    stdout + &written.concat()
}

/// The first line that differs.
fn first_difference(expected: &str, found: &str) -> String {
    let differ = expected.lines().zip(found.lines()).find(|(a, b)| a != b);
    match differ {
        Some((a, b)) => format!("\nbefore: {a}\nnow:    {b}"),
        None => format!("\n{} and {} bytes", expected.len(), found.len()),
    }
}

/// Damages a file, and says how.
fn damage(file: &Path, random: &mut Random) -> String {
    let mut bytes = fs::read(file).unwrap();
    let n = bytes.len();
    let at = random.below(n.max(1));
    let what = match random.below(8) {
        0 => {
            bytes.truncate(at);
            format!("cut at {at} of {n}")
        }
        1 => {
            let end = (at + 512).min(n);
            bytes[at.min(end)..end].fill(0);
            format!("zeros from {at} to {end}")
        }
        2 => {
            bytes.insert(at, 0);
            format!("a byte more at {at}")
        }
        _ => {
            let bit = random.below(8);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
            format!("bit {bit} of byte {at} of {n} flipped")
        }
    };
    fs::write(file, bytes).unwrap();
    what
}
