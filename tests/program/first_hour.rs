//! A first hour from files to scored imputations, the commands as a user types them.

use super::workspace::{SMALL, Workspace};

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
            "search pass 1: loss",
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

#[test]
fn the_demo_ends_with_scores_files_and_what_to_try_next() {
    let workspace = Workspace::new();
    let demo = workspace
        .ok("demo --output demo --passes 1 --format json")
        .says(&[
            "simulated",
            "ingested",
            "trained",
            "imputed",
            "try next",
            "persea impute",
        ]);
    let scores = demo.json();
    assert!(!scores["tracks"].as_array().unwrap().is_empty());
    assert!(workspace.path("demo/demo.persea/persea.sqlite").exists());
    // What it proposes works.
    let proposed = demo
        .stderr
        .lines()
        .find(|l| l.contains("persea impute"))
        .unwrap();
    workspace.ok(proposed.trim().strip_prefix("persea ").unwrap());
    workspace
        .run("demo --output demo")
        .fails(&["demo exists already", "another --output"]);
}
