//! Kills: what is left behind.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::workspace::{SMALL, Workspace, copy_folder};

/// All files and folders below a folder.
pub fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The simulated compendium is a link, and read only.
        if path.is_dir() && !path.is_symlink() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found
}

/// What only an unfinished command has a use for.
pub fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let is_left = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_lock = name.ends_with(".lock") && name != "readers.lock" && name != "writers.lock";
        is_lock
            || name.starts_with(".persea")
            || name.ends_with(".part")
            || name.ends_with(".new")
            || name.contains(".creating-")
            || name.contains(".copying-")
            || path
                .parent()
                .is_some_and(|p| p.ends_with("x.persea/writing"))
    };
    below(folder).into_iter().filter(is_left).collect()
}

/// Kills a command at instants all over its run, then runs it to its end; whatever it left is gone then.
fn killed_all_over(workspace: &Workspace, command: &str, again: &dyn Fn()) {
    let began = Instant::now();
    workspace.ok(command);
    let whole = began.elapsed();
    again();
    let n = 12;
    for i in 0..n {
        let running = workspace.start(command);
        std::thread::sleep(whole * (2 * i + 1) / (2 * n));
        running.kill();
    }
    // The last of them may have come to its end.
    again();
    workspace.ok(command);
    let left = leftovers(&workspace.path("."));
    assert!(left.is_empty(), "{command}: {left:?}");
}

#[test]
fn what_killed_commands_leave_is_removed_by_the_next_one() {
    let workspace = Workspace::trained();
    let remove = |name: &str| {
        let path = workspace.path(name);
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_file(&path);
    };
    killed_all_over(
        &workspace,
        "simulate --output other --biosamples 3 --assays 3 --chromosomes 1 --chromosome-bp 400000",
        &|| remove("other"),
    );
    killed_all_over(
        &workspace,
        "create --db new.persea --assembly simulated --chrom-sizes sim/chrom.sizes --genes sim/genes.gtf.gz",
        &|| remove("new.persea"),
    );
    killed_all_over(&workspace, "backup copy.persea", &|| remove("copy.persea"));
    killed_all_over(&workspace, "index", &|| remove("x.persea/index"));
    killed_all_over(&workspace, "impute --all-missing --output imputed", &|| {
        remove("imputed")
    });
    killed_all_over(&workspace, "export completed --output all.zarr", &|| {
        remove("all.zarr")
    });
    killed_all_over(&workspace, "export genome --output factors.parquet", &|| {});
    workspace.is_whole();
}

#[test]
fn ingest_and_training_that_were_killed_leave_nothing_once_they_are_repeated() {
    let workspace = Workspace::created();
    killed_all_over(&workspace, "ingest sim/manifest.tsv", &|| {
        fs::remove_dir_all(workspace.path("x.persea")).unwrap();
        let other = Workspace::created();
        copy_folder(&other.path("x.persea"), &workspace.path("x.persea"));
    });
    let train = format!("train {SMALL} --name m --passes 2 --no-validate --replace");
    killed_all_over(&workspace, &train, &|| {});
    workspace.is_whole();
}

#[test]
fn an_import_that_makes_its_database_can_be_repeated_after_a_kill_at_any_instant() {
    let workspace = Workspace::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/avocado");
    let from = from.display();
    let command = format!(
        "import avocado chrT={from}/chrT chrU={from}/chrU --assembly toy --chrom-sizes {from}/toy.chrom.sizes"
    );
    let began = Instant::now();
    workspace.ok(&command);
    let whole = began.elapsed();
    fs::remove_dir_all(workspace.path("x.persea")).unwrap();
    let n = 25;
    for i in 0..n {
        let running = workspace.start(&command);
        std::thread::sleep(whole * (2 * i + 1) / (2 * n));
        running.kill();
        // Either it is not there, or it is there with its model.
        if workspace.path("x.persea").exists() {
            let models = workspace.ok("model list --format json").json();
            assert_eq!(models.as_array().unwrap().len(), 1, "kill {i}");
            workspace.is_whole();
            fs::remove_dir_all(workspace.path("x.persea")).unwrap();
        }
    }
    workspace.ok(&command);
    workspace.is_whole();
    assert_eq!(leftovers(&workspace.path(".")), Vec::<PathBuf>::new());
}

#[test]
fn a_sweep_beside_live_commands_takes_nothing_from_them() {
    let workspace = Workspace::trained();
    let formats = ["bw", "bedGraph", "npz"];
    let running: Vec<_> = (0..6)
        .map(|i| {
            let ending = formats[i % 3];
            workspace.start(&format!("impute S1:H3K4me3 --output {i}.{ending}"))
        })
        .collect();
    // Each of these sweeps the folder as it begins.
    for i in 0..6 {
        workspace.ok(&format!("export assays --output {i}.tsv"));
    }
    for run in running {
        run.finish().succeeds();
    }
    assert_eq!(leftovers(&workspace.path(".")), Vec::<PathBuf>::new());
}
