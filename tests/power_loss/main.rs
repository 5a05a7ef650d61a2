//! Power cuts: what a disk that loses, reorders and tears everything unsynced leaves is a whole database
//! with all that was promised.
//!
//! A process that does everything the store does runs under `recorder.c`, which records each write, sync
//! and rename in order, from two threads. The record is then cut at instants all over it. For each cut one
//! of the states that the disk may be left in is made (`disk`), opened and compared with the promises that
//! the process had made by then (`work`). `PERSEA_CUTS` is the number of cuts.
#![cfg(target_os = "linux")]

mod disk;
mod events;
mod random;
#[path = "../../src/skipped.rs"]
mod skipped;
mod work;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use disk::{Disk, Kept};
use events::Event;
use random::Random;

/// Set for the process that is recorded: where it works.
const WORKS_IN: &str = "PERSEA_POWER_LOSS_FOLDER";

const KINDS: [Kept; 5] = [
    Kept::Nothing,
    Kept::Everything,
    Kept::Torn(512),
    Kept::Torn(4096),
    Kept::Torn(512),
];

struct Recorded {
    root: PathBuf,
    root_inode: u64,
    events: Vec<Event>,
}

/// The recorded process: this program again, with this test alone.
#[test]
fn the_work_that_is_recorded() {
    if let Some(folder) = std::env::var_os(WORKS_IN) {
        work::work(Path::new(&folder));
    }
}

/// The record, made once.
fn recorded() -> Option<&'static Recorded> {
    static RECORDED: OnceLock<Option<Recorded>> = OnceLock::new();
    RECORDED.get_or_init(record).as_ref()
}

fn record() -> Option<Recorded> {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power_loss/recorder.c");
    let library = folder.path().join("recorder.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .args(["-ldl", "-lpthread"])
        .output();
    match compiled {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(e) => {
            skipped::skipped("cc", format!("no C compiler: {e}"));
            return None;
        }
    }
    let root = folder.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let root = root.canonicalize().unwrap();
    let log = folder.path().join("log");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_work_that_is_recorded", "--nocapture"])
        .env("LD_PRELOAD", &library)
        .env("RECORD_ROOT", &root)
        .env("RECORD_LOG", &log)
        .env(WORKS_IN, &root)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let root_inode = std::fs::metadata(&root).unwrap().ino();
    Some(Recorded {
        events: events::read(&log),
        root,
        root_inode,
    })
}

/// Whether the sync of a path does not happen.
type IsLost = dyn Fn(&str) -> bool;

/// What went wrong in so many cuts; a sync that `is_lost` says of its path does not happen.
fn cut(recorded: &Recorded, n_cuts: usize, seed: u64, is_lost: &IsLost) -> Vec<String> {
    let mut random = Random::new(seed);
    let n = recorded.events.len();
    let mut cuts: Vec<usize> = (0..n_cuts).map(|_| random.below(n + 1)).collect();
    cuts.sort_unstable();
    let mut disk = Disk::new(&recorded.root, recorded.root_inode);
    let place = scratch();
    let mut faults = Vec::new();
    let mut done = 0;
    for (i, at) in cuts.into_iter().enumerate() {
        for event in &recorded.events[done..at] {
            let is_lost = matches!(event, Event::Sync { inode } if is_lost(&disk.path_of(*inode)));
            if !is_lost {
                disk.apply(event);
            }
        }
        done = at;
        let marks = disk.now_at(work::MARKS);
        let marks = String::from_utf8(marks.unwrap_or_default()).unwrap();
        let kept = KINDS[i % KINDS.len()];
        let state = place.path().join(i.to_string());
        disk.cut(kept, &mut random, &state);
        let mut found = work::faults(&state, &marks);
        if found.is_empty() && i % 10 == 0 && state.join(work::DATABASE).exists() {
            found = work::faults_of_the_next_writer(&state);
        }
        let last = marks.lines().last().unwrap_or("nothing").to_string();
        faults.extend(
            (found.into_iter())
                .map(|fault| format!("cut {at} of {n}, {kept:?}, after `{last}`: {fault}")),
        );
        std::fs::remove_dir_all(&state).unwrap();
    }
    faults
}

/// A folder in memory, where there is one.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    match tempfile::tempdir_in(memory) {
        Ok(folder) => folder,
        Err(_) => tempfile::tempdir().unwrap(),
    }
}

fn n_cuts() -> usize {
    let set = std::env::var("PERSEA_CUTS").ok();
    set.map_or(1_000, |n| n.parse().unwrap())
}

#[test]
fn a_power_cut_at_any_instant_leaves_a_whole_database_with_all_that_was_promised() {
    let Some(recorded) = recorded() else { return };
    let n_syncs = recorded
        .events
        .iter()
        .filter(|e| matches!(e, Event::Sync { .. }))
        .count();
    eprintln!("{} operations, {n_syncs} syncs", recorded.events.len());
    let faults = cut(recorded, n_cuts(), 1, &|_| false);
    eprintln!("{} cuts, {} faults", n_cuts(), faults.len());
    assert!(
        faults.is_empty(),
        "{} faults: {:#?}",
        faults.len(),
        &faults[..faults.len().min(12)]
    );
}

#[test]
fn a_sync_that_is_missing_is_caught() {
    let Some(recorded) = recorded() else { return };
    // Each is one that the protocol needs; the name of the file or folder is what it syncs.
    let planted: [(&str, &IsLost); 7] = [
        ("the log", &|path| path.ends_with("persea.sqlite-wal")),
        ("the shards of tracks", &|path| {
            path.contains("/writing/") && path.contains("/c")
        }),
        ("the folder of tracks", &|path| {
            path.ends_with("/signal.zarr")
        }),
        ("the checkpoints", &|path| path.contains("/checkpoints/")),
        ("the folders of checkpoints", &|path| {
            path.ends_with("/checkpoints")
        }),
        ("the folder that holds a new database", &|path| path == "/"),
        ("the database's file", &|path| {
            path.ends_with("persea.sqlite")
        }),
    ];
    let missed: BTreeSet<&str> = planted
        .into_iter()
        .filter(|(_, is_lost)| cut(recorded, 400, 2, is_lost).is_empty())
        .map(|(what, _)| what)
        .collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
