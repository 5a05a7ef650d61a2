//! Pinned vector instructions: recorded, refused where the processor lacks them, and the same bits on another
//! processor, which QEMU emulates.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use persea::instructions::Instructions;
use persea::store::{Database, Model};
use serde_json::json;

use super::workspace::Workspace;

const TRAIN: &str = "train --preset small --nodes 8 --members 1 --refine-nodes 8 --batch-size 500 --passes 1 --no-validate --threads 1";

/// Runs the program in a folder, by another program before it if need be.
fn run(before: &[&str], pinned: &str, folder: &Path, arguments: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_persea");
    let line: Vec<&str> = before.iter().copied().chain([program]).collect();
    Command::new(line[0])
        .args(&line[1..])
        .args(arguments.split_whitespace())
        .env("PERSEA_INSTRUCTIONS", pinned)
        .env("PERSEA_DB", "x.persea")
        .current_dir(folder)
        .output()
        .unwrap()
}

fn succeeds(output: &Output) {
    let says = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{says}");
}

/// A model as it is stored; its checksum is over all of its numbers.
fn stored(database: &Path, name: &str) -> Model {
    let models = Database::open(database).unwrap().list_models().unwrap();
    let is_it = |m: &Model| m.record.name == name;
    models.into_iter().find(is_it).unwrap()
}

fn checksum(database: &Path, name: &str) -> String {
    stored(database, name).checksum
}

#[test]
fn pinned_instructions_are_recorded_and_unknown_or_missing_ones_are_misuse() {
    let workspace = Workspace::ingested();
    let folder = workspace.path(".");
    let unknown = run(&[], "sse9", &folder, "info");
    assert_eq!(unknown.status.code(), Some(2));
    let says = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        says.contains("PERSEA_INSTRUCTIONS is sse9: use avx512, avx2, portable"),
        "{says}"
    );

    let widest = Instructions::widest();
    for (name, pinned) in [("free", ""), ("pinned", widest.name())] {
        succeeds(&run(
            &[],
            pinned,
            &folder,
            &format!("{TRAIN} --name {name}"),
        ));
        let record = stored(&workspace.path("x.persea"), name).record;
        let expected = json!({ "name": widest.name(), "pinned": !pinned.is_empty() });
        assert_eq!(record.training["instructions"], expected);
    }
    for instructions in Instructions::ALL {
        if instructions < widest {
            let refused = run(&[], instructions.name(), &folder, "info");
            assert_eq!(refused.status.code(), Some(2));
        }
    }
    if widest < Instructions::Portable {
        succeeds(&run(
            &[],
            "portable",
            &folder,
            &format!("{TRAIN} --name portable"),
        ));
        let database = workspace.path("x.persea");
        assert_ne!(
            checksum(&database, "portable"),
            checksum(&database, "pinned")
        );
    }
}

#[test]
fn a_processor_without_avx512_trains_and_imputes_the_same_bits_with_pinned_instructions() {
    // The emulated processor has AVX2 and no AVX-512.
    let emulated = ["qemu-x86_64", "-cpu", "Haswell"];
    if !super::skipped::is_required("qemu") {
        super::skipped::skipped(
            "qemu",
            "PERSEA_REQUIRE lacks `qemu`: an emulated training takes minutes",
        );
        return;
    }
    assert!(
        Instructions::widest() == Instructions::Avx512,
        "this test needs a processor with AVX-512"
    );
    let workspace = Workspace::ingested();
    let folder = workspace.path(".");
    for (before, name) in [(&[] as &[&str], "here"), (&emulated, "there")] {
        succeeds(&run(
            before,
            "avx2",
            &folder,
            &format!("{TRAIN} --name {name}"),
        ));
        let line = format!("impute S1:H3K4me3 --model {name} --threads 1 --output {name}.bw");
        succeeds(&run(before, "avx2", &folder, &line));
    }
    let database = workspace.path("x.persea");
    assert_eq!(checksum(&database, "here"), checksum(&database, "there"));
    let bytes = |name: &str| fs::read(workspace.path(name)).unwrap();
    assert_eq!(bytes("here.bw"), bytes("there.bw"));
    // Free, they differ: the test can fail.
    succeeds(&run(&[], "", &folder, &format!("{TRAIN} --name free")));
    assert_ne!(checksum(&database, "free"), checksum(&database, "here"));
}
