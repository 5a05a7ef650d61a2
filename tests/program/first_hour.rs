//! A first hour from files to scored imputations, the commands as a user types them.

use super::workspace::{Outcome, SMALL, Workspace};

#[test]
fn a_first_hour_leads_from_files_to_scored_imputations() {
    let workspace = Workspace::new();
    workspace
        .ok("simulate --output own --biosamples 4 --assays 3 --groups 2 --chromosomes 2 --chromosome-bp 50000")
        .says(&["own: ", "tracks measured"]);
    workspace
        .ok(
            "create --assembly own --chrom-sizes own/chrom.sizes --regions own/regions.bed \
             --genes own/genes.gtf.gz --enhancers own/enhancers.bed --mask own/mask.bed",
        )
        .says(&["x.persea: own (2 regions, 4,000 bins of 25 bp"]);
    workspace.ok("ingest own/manifest.tsv --metadata own/biosamples.tsv");
    let train = workspace
        .ok(&format!(
            "train --name first {SMALL} --passes 5 --patience 2"
        ))
        .says(&[
            "search 1 pass 1: loss",
            "held out",
            "final pass 1: loss",
            "model first: trained",
        ]);
    assert!(train.stdout.is_empty(), "{train}");
    let scores = workspace
        .ok("evaluate --truth own/truth.tsv --format json")
        .json();
    assert_eq!(scores["model"], "first");
    let n_truth = std::fs::read_to_string(workspace.path("own/truth.tsv"))
        .unwrap()
        .lines()
        .count()
        - 1;
    assert_eq!(scores["tracks"].as_array().unwrap().len(), n_truth);

    let written = workspace.ok("impute --all-missing --output imputed").stdout;
    assert_eq!(written.lines().count(), n_truth);
    for file in written.lines() {
        assert!(workspace.path(file).metadata().unwrap().len() > 0, "{file}");
    }
    workspace.ok("info");
    workspace.is_whole();
}

/// What `make demo` does not show: a folder of the user's own tracks.
#[test]
fn the_demo_on_a_folder_of_tracks_ends_with_scores_files_and_what_to_try_next() {
    let workspace = Workspace::new();
    std::fs::create_dir(workspace.path("own")).unwrap();
    for biosample in 0..4 {
        for assay in 0..4 {
            // Peaks that an assay has everywhere, higher in some biosamples.
            let line = |i: usize| {
                let (start, height) = (20_000_000 + i * 250, (i + assay) % 7 * (1 + biosample));
                format!("chr21\t{start}\t{}\t{height}\n", start + 100)
            };
            let text: String = (0..400).map(line).collect();
            workspace.write(&format!("own/B{biosample}.A{assay}.bedGraph"), text);
        }
    }
    workspace.write("own/notes.txt", "not a track");
    workspace.write("regions.bed", "chr21\t20000000\t20100000\n");
    let demo = workspace
        .ok("demo --output demo --tracks own --assembly hg38 --regions regions.bed --passes 3 --format json")
        .says(&[
            "notes.txt: skipped",
            "ingested 16 tracks of 4,000 bins",
            "trained",
            "imputed",
            "try next",
        ]);
    let scores = demo.json();
    assert!(!scores["tracks"].as_array().unwrap().is_empty(), "{demo}");
    assert!(workspace.path("demo/demo.persea/persea.sqlite").exists());
    // What it proposes works.
    let proposed = demo.stderr.lines().find(|l| l.contains("persea impute"));
    workspace.ok(proposed.unwrap().trim().strip_prefix("persea ").unwrap());
    workspace
        .run("demo --output demo")
        .fails(&["demo already exists", "another --output"]);
}

#[test]
fn each_hint_works_as_it_is_printed() {
    let workspace = Workspace::new();
    // A name that a shell would split.
    let db = "my own.persea";
    let run = |words: &[&str]| {
        let mut all = words.to_vec();
        all.extend(["--db", db]);
        workspace.run_with(&all).succeeds()
    };
    let hints = |outcome: &Outcome| -> Vec<String> {
        let lines = outcome.stderr.lines();
        lines
            .filter_map(|l| {
                l.strip_prefix("next: ")
                    .or_else(|| l.strip_prefix("  or: "))
            })
            .map(str::to_string)
            .collect()
    };
    let follow = |hint: &str| {
        let output = std::process::Command::new("sh")
            .args(["-c", hint])
            .current_dir(workspace.path("."))
            .env("PATH", program_folder())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{hint}: {stderr}");
    };
    let created = run(&[
        "create",
        "--assembly",
        "simulated",
        "--chrom-sizes",
        "sim/chrom.sizes",
        "--chromosomes",
        "chr1",
    ]);
    let [ingest] = &hints(&created)[..] else {
        panic!("{created}")
    };
    // The one word that only the user knows.
    follow(&ingest.replace("MANIFEST", "sim/manifest.tsv"));
    let again = run(&["ingest", "sim/manifest.tsv"]);
    let [train] = &hints(&again)[..] else {
        panic!("{again}")
    };
    assert_eq!(train, "persea train --db 'my own.persea'");
    let small = format!("train {SMALL} --passes 1 --no-validate --hold S1:H3K4me3");
    let trained = run(&small.split(' ').collect::<Vec<_>>());
    let found = hints(&trained);
    assert_eq!(found.len(), 2, "{trained}");
    found.iter().for_each(|hint| follow(hint));
    let without = format!("train {SMALL} --passes 1 --no-validate --name all");
    let trained = run(&without.split(' ').collect::<Vec<_>>());
    assert_eq!(hints(&trained).len(), 1, "nothing to score: {trained}");
    run(&["export", "embedding", "--output", "ours.parquet"]);
    let imported = run(&["import", "embedding", "ours.parquet", "--name", "theirs"]);
    let [search] = &hints(&imported)[..] else {
        panic!("{imported}")
    };
    follow(search);
}

/// The folder of the program that is tested, and those of the system.
fn program_folder() -> String {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_persea"));
    let folder = program.parent().unwrap().display();
    format!("{folder}:{}", std::env::var("PATH").unwrap())
}

/// `persea … | head` must end quietly, whatever is printed.
#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    use std::process::{Command, Stdio};

    let workspace = Workspace::trained();
    for arguments in [
        "model show --format json",
        "model list",
        "evaluate --format json",
        "evaluate",
        "info --format json",
        "track list --format csv",
        "impute S1:H3K4me3 --output a.npz",
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_persea"))
            .args(arguments.split(' '))
            .current_dir(workspace.path(""))
            .env("PERSEA_DB", "x.persea")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Closed before anything was written to it.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments}: {stderr}");
        assert_eq!(stderr, "", "{arguments}");
    }
}
