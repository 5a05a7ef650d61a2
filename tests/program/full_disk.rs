//! A disk that fills up while the program writes: a small file system of its own, which only root
//! may mount; skipped elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::workspace::{Outcome, Workspace, copy_folder, is_whole, start, tracks};

/// A file system in memory, gone when dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, saying why, where it cannot be mounted.
    fn mount(place: PathBuf, bytes: usize) -> Option<Self> {
        fs::create_dir(&place).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(&place)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk(place)),
            _ => {
                super::skipped::skipped("mount", "no permission to mount a small file system");
                None
            }
        }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn run(&self, arguments: &str) -> Outcome {
        start(&self.0, arguments).finish()
    }

    /// Takes all space but so many bytes.
    pub fn fill_but(&self, bytes: usize) {
        let filler = self.0.join("filler");
        // What does not fit any more was written as far as it went.
        let _ = fs::write(&filler, vec![1; 64 << 20]);
        let full = fs::metadata(&filler).unwrap().len();
        fs::OpenOptions::new()
            .write(true)
            .open(&filler)
            .and_then(|file| file.set_len(full.saturating_sub(bytes as u64)))
            .unwrap();
    }

    pub fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }

    fn is_whole(&self) {
        is_whole(&self.0.join("x.persea"));
    }

    fn n_tracks(&self) -> usize {
        tracks(&self.0.join("x.persea")).len()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A workspace whose database lies on a small disk beside a link to the compendium.
pub fn on_small_disk(workspace: &Workspace, bytes: usize) -> Option<SmallDisk> {
    let disk = SmallDisk::mount(workspace.path("disk"), bytes)?;
    copy_folder(&workspace.path("x.persea"), &disk.0.join("x.persea"));
    Some(disk)
}

fn manifest(workspace: &Workspace) -> String {
    Path::new(&workspace.path("sim/manifest.tsv"))
        .display()
        .to_string()
}

#[test]
fn a_disk_that_fills_up_during_ingest_costs_no_track_that_is_in() {
    let workspace = Workspace::created();
    let Some(disk) = on_small_disk(&workspace, 4 << 20) else {
        return;
    };
    let ingest = format!("ingest {} --threads 1 --format json", manifest(&workspace));
    let mut reached = Vec::new();
    // From nothing left to room for most of it.
    for kilobytes in [0, 8, 40, 80, 120, 200] {
        disk.fill_but(kilobytes << 10);
        let outcome = disk.run(&ingest);
        if outcome.code == Some(1) {
            assert!(outcome.stderr.contains("x.persea"), "{outcome}");
            let full = [
                "no space is left on the disk",
                "the disk is full",
                "only be read",
            ];
            assert!(full.iter().any(|f| outcome.stderr.contains(f)), "{outcome}");
        }
        disk.free();
        disk.is_whole();
        reached.push((kilobytes, outcome.code, disk.n_tracks()));
    }
    assert!(
        reached.iter().any(|(_, code, _)| *code == Some(1)),
        "{reached:?}"
    );
    assert!(reached.windows(2).all(|w| w[0].2 <= w[1].2), "{reached:?}");
    disk.run(&ingest).succeeds();
    assert_eq!(disk.n_tracks(), 12);
    disk.is_whole();
}

#[test]
fn a_disk_that_fills_up_during_a_checkpoint_keeps_the_checkpoint_before_it() {
    use super::workspace::SMALL;

    let workspace = Workspace::ingested();
    let Some(disk) = on_small_disk(&workspace, 16 << 20) else {
        return;
    };
    let train = format!("train {SMALL} --name m --passes 300 --no-validate");
    let mut running = start(&disk.0, &format!("{train} --checkpoint-every 0"));
    running.wait_for("checkpoint at step 3");
    disk.fill_but(0);
    let outcome = running.finish();
    outcome.fails(&["no space is left on the disk", "x.persea"]);
    disk.free();
    disk.is_whole();
    // The last checkpoint that was whole is there, and leads to the model of an undisturbed run.
    disk.run("train --name m --resume --threads 1").succeeds();
    disk.is_whole();
    workspace.ok(&train);
    let checksum = |outcome: Outcome| outcome.json()["checksum"].as_str().unwrap().to_string();
    assert_eq!(
        checksum(disk.run("model show m --format json")),
        checksum(workspace.ok("model show m --format json")),
    );
}

#[test]
fn a_full_disk_stops_training_and_keeps_the_database_whole() {
    use super::workspace::SMALL;

    let workspace = Workspace::ingested();
    let Some(disk) = on_small_disk(&workspace, 8 << 20) else {
        return;
    };
    disk.fill_but(100 << 10);
    disk.run(&format!("train {SMALL} --name m --passes 2 --no-validate"))
        .fails(&["x.persea", "no space is left on the disk"]);
    disk.free();
    disk.is_whole();
    let models = disk.run("model list --format json").succeeds().json();
    assert_eq!(models, serde_json::json!([]));
}

#[test]
fn a_full_disk_leaves_no_part_of_an_imputed_track() {
    let workspace = Workspace::trained();
    let Some(disk) = SmallDisk::mount(workspace.path("disk"), 1 << 20) else {
        return;
    };
    for name in ["a.bw", "a.bedGraph", "a.npz"] {
        disk.fill_but(4096);
        workspace
            .run(&format!("impute S1:H3K4me3 --output disk/{name}"))
            .fails(&[&format!("cannot write disk/{name}"), "No space left"]);
        disk.free();
        assert_eq!(fs::read_dir(&disk.0).unwrap().count(), 0, "{name}");
    }
}
