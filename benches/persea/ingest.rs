//! A bigWig of 200 MB and more into the store, beside pyBigWig and a Zarr write.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::figures::{Rounds, median, megabytes};
use crate::{Bench, machine};

/// Rounds at most: a round takes a minute.
const ROUNDS: usize = 3;
/// The least size of the file.
const LEAST_BYTES: u64 = 200_000_000;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/bench_ingest.py");

/// A command's seconds, and the most memory it held.
fn measured(command: &mut Command) -> anyhow::Result<(f64, Option<u64>)> {
    let name = command.get_program().display().to_string();
    let began = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| name.clone())?;
    let mut peak = None;
    let status = loop {
        // What a process held is gone with it: it is asked while it runs.
        peak = machine::peak_bytes(&child.id().to_string()).or(peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    ensure!(status.success(), "{name} failed");
    Ok((began.elapsed().as_secs_f64(), peak))
}

/// Ingest of one track, one after the other.
pub fn run(bench: &Bench) -> anyhow::Result<()> {
    println!("ingest of one bigWig into a database of hg19");
    let Some(python) = std::env::var_os("PERSEA_PYTHON") else {
        println!(
            "  skipped: PERSEA_PYTHON names no Python with pyBigWig and zarr (scripts/python.sh makes one)"
        );
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("made.bw");
    let script = |task: &str, rest: &[&Path]| {
        let mut command = Command::new(&python);
        command.arg(SCRIPT).arg(task).args(rest);
        command
    };
    measured(&mut script("make", &[&file]))?;
    let bytes = std::fs::metadata(&file)?.len();
    ensure!(bytes >= LEAST_BYTES, "{bytes} bytes are too few to measure");
    let manifest = folder.path().join("manifest.tsv");
    std::fs::write(
        &manifest,
        "biosample\tassay\tpath\nmade\tH3K4me3\tmade.bw\n",
    )?;

    let database = folder.path().join("made.persea");
    let zarr = folder.path().join("peer.zarr");
    let mut rounds = Rounds::default();
    let mut peaks = [None, None];
    for _ in 0..bench.rounds.min(ROUNDS) {
        let _ = std::fs::remove_dir_all(&database);
        let persea = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_persea"));
            command.arg("--db").arg(&database);
            command
        };
        measured(persea().args(["create", "--assembly", "hg19"]))?;
        let (seconds, peak) = measured(persea().arg("ingest").arg(&manifest))?;
        rounds.ours.push(bytes as f64 / 1e6 / seconds);
        peaks[0] = peak;
        let _ = std::fs::remove_dir_all(&zarr);
        let (seconds, peak) = measured(&mut script("peer", &[&file, &zarr]))?;
        rounds.peer.push(bytes as f64 / 1e6 / seconds);
        peaks[1] = peak;
    }
    println!(
        "  a file of {:.0} MB; {:.1} s with pyBigWig",
        bytes as f64 / 1e6,
        bytes as f64 / 1e6 / median(&rounds.peer)
    );
    rounds.print("ingest", "MB/s", 5.0);
    println!(
        "  {:<32} {}, peer {}",
        "ingest, peak memory",
        megabytes(peaks[0]),
        megabytes(peaks[1])
    );
    Ok(())
}
