//! A ceiling on memory (`ulimit -v`): under the stated one commands work, and below it they fail aloud and leave
//! nothing half-written.

use std::path::Path;
use std::process::{Command, Output};

use super::surviving::leftovers;
use super::workspace::{SMALL, Workspace, is_whole};

/// What the commands below need at most on the example, with two threads. The book states it.
const CEILING_MIB: u64 = 128;

/// Ceilings under which the program can be loaded, and has little more than that.
fn low_ceilings() -> Vec<u64> {
    let program = std::fs::metadata(env!("CARGO_BIN_EXE_persea")).unwrap();
    let mib = program.len().div_ceil(1 << 20);
    [2, 4, 6, 8, 10, 12, 16, 24].map(|more| mib + more).to_vec()
}

/// Runs a command under a ceiling.
fn under(mib: u64, folder: &Path, arguments: &str) -> Output {
    Command::new("sh")
        .args(["-c", "ulimit -c 0; ulimit -v $1; shift; exec \"$@\"", "sh"])
        .arg((mib * 1024).to_string())
        .arg(env!("CARGO_BIN_EXE_persea"))
        .args(arguments.split_whitespace())
        .args(["--threads", "2"])
        .env("PERSEA_DB", "x.persea")
        .current_dir(folder)
        .output()
        .unwrap()
}

fn commands() -> [(String, &'static str); 4] {
    let small = SMALL.replace(" --threads 1", "");
    [
        ("ingest sim/manifest.tsv".into(), ""),
        (
            format!("train {small} --name base --passes 1 --no-validate --replace"),
            "",
        ),
        ("impute S1:H3K4me3 --output a.bw".into(), "a.bw"),
        ("similar position chr1:30,000 --exclude none".into(), ""),
    ]
}

#[test]
fn commands_work_under_the_stated_ceiling_and_below_it_fail_aloud_and_lose_nothing() {
    let workspace = Workspace::created();
    let folder = workspace.path(".");
    let mut n_failed = 0;
    for (command, output) in commands() {
        for mib in low_ceilings() {
            let outcome = under(mib, &folder, &command);
            let file = workspace.path(output);
            if outcome.status.success() {
                continue;
            }
            n_failed += 1;
            let says = String::from_utf8_lossy(&outcome.stderr);
            // An error of its own, or the message of the allocator or a panic, which ends the process.
            assert!(!says.trim().is_empty(), "{command}: {:?}", outcome.status);
            assert!(
                output.is_empty() || !file.exists(),
                "{command}: half an output under {mib} MiB"
            );
            is_whole(&workspace.path("x.persea"));
        }
        let outcome = under(CEILING_MIB, &folder, &command);
        let says = String::from_utf8_lossy(&outcome.stderr);
        assert!(
            outcome.status.success(),
            "{command}: {:?}: {says}",
            outcome.status
        );
        is_whole(&workspace.path("x.persea"));
        let left = leftovers(&folder);
        assert!(left.is_empty(), "{command}: {left:?}");
    }
    assert!(n_failed > 0, "no ceiling was too low");
}
