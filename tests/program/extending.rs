//! New biosamples, assays and regions under a frozen network.

use std::collections::BTreeMap;

use serde_json::json;

use super::made::CHROMOSOME_BINS;
use super::read::read_npz;
use super::workspace::{SMALL, Workspace};

/// Every experiment of the given names on the arcsinh scale, bit by bit.
fn predictions(
    workspace: &Workspace,
    biosamples: &[&str],
    assays: &[&str],
    more: &str,
) -> BTreeMap<String, Vec<u32>> {
    let mut list = String::from("biosample\tassay\n");
    for biosample in biosamples {
        for assay in assays {
            list += &format!("{biosample}\t{assay}\n");
        }
    }
    workspace.write("list.tsv", list);
    let written = workspace
        .ok(&format!(
            "impute --list list.tsv --output predictions --as npz --arcsinh {more}"
        ))
        .stdout;
    let bits = |file: &str| {
        read_npz(&workspace.path(file))
            .iter()
            .map(|v| v.to_bits())
            .collect()
    };
    written
        .lines()
        .map(|file| (file.to_string(), bits(file)))
        .collect()
}

fn tracks(workspace: &Workspace, role: &str) -> Vec<String> {
    let model = workspace.ok("model show m --format json").json();
    let mut tracks: Vec<String> =
        serde_json::from_value(model[format!("tracks_{role}")].clone()).unwrap();
    tracks.sort();
    tracks
}

fn train(workspace: &Workspace, more: &str) {
    workspace.ok(&format!(
        "train {SMALL} --name m --passes 3 --no-validate {more}"
    ));
}

#[test]
fn a_new_biosample_is_added_from_its_tracks_and_old_predictions_keep_every_bit() {
    let workspace = Workspace::ingested();
    train(&workspace, "--hold S4:H3K4me1,S4:H3K36me3");
    let (old, assays) = (
        ["S1", "S2", "S3"],
        ["H3K27ac", "H3K36me3", "H3K4me1", "H3K4me3"],
    );
    let before = predictions(&workspace, &old, &assays, "");
    workspace
        .run("impute S4:H3K27ac --output a.npz")
        .fails(&["unknown biosample S4"]);
    workspace
        .ok("extend --model m --biosamples S4 --tracks S4:H3K4me1 --passes 4")
        .says(&["model m: 4 biosamples, 4 assays, 2 regions"]);
    assert_eq!(predictions(&workspace, &old, &assays, ""), before);
    workspace.ok("impute S4:H3K27ac --output a.npz");
    assert_eq!(tracks(&workspace, "extend"), ["S4:H3K4me1"]);
    assert_eq!(tracks(&workspace, "hold"), ["S4:H3K36me3"]);
    assert_eq!(tracks(&workspace, "train").len(), 10);
    // What was held out and not learnt from is scored.
    let scores = workspace.ok("evaluate --model m --format json").json();
    assert_eq!(scores["tracks"][0]["biosample"], "S4");
    assert_eq!(scores["tracks"].as_array().unwrap().len(), 1);
    workspace.is_whole();
}

#[test]
fn a_new_assay_is_added_from_its_tracks_and_old_predictions_keep_every_bit() {
    let workspace = Workspace::ingested();
    train(&workspace, "--hold S1:H3K36me3,S3:H3K36me3,S4:H3K36me3");
    let (biosamples, old) = (["S1", "S2", "S3", "S4"], ["H3K27ac", "H3K4me1", "H3K4me3"]);
    let before = predictions(&workspace, &biosamples, &old, "");
    workspace.ok("extend --model m --name n --assays H3K36me3 --hold S4:H3K36me3 --passes 4");
    // The old model is still there, as it was; the new one is beside it.
    assert_eq!(
        predictions(&workspace, &biosamples, &old, "--model m"),
        before
    );
    assert_eq!(
        predictions(&workspace, &biosamples, &old, "--model n"),
        before
    );
    let model = workspace.ok("model show n --format json").json();
    assert_eq!(model["assays"].as_array().unwrap().len(), 4);
    assert_eq!(
        model["tracks_extend"],
        json!(["S1:H3K36me3", "S3:H3K36me3"])
    );
    assert_eq!(model["tracks_hold"], json!(["S4:H3K36me3"]));
    workspace.ok("impute S2:H3K36me3 --model n --output a.npz");
    workspace
        .run("impute S2:H3K36me3 --model m --output a.npz")
        .fails(&["unknown assay H3K36me3"]);
}

#[test]
fn new_regions_are_added_and_old_predictions_keep_every_bit() {
    let workspace = Workspace::ingested();
    // The half of chr1 that a 250 bp bin and a 5 kbp bin straddle.
    workspace.write("old.bed", "chr1\t0\t30125\n");
    workspace.write("new.bed", "chr1\t20000\t60010\nchr2\t1000\t2000\n");
    train(&workspace, "--regions old.bed --hold S1:H3K4me3");
    let (biosamples, assays) = (
        ["S1", "S2", "S3", "S4"],
        ["H3K27ac", "H3K36me3", "H3K4me1", "H3K4me3"],
    );
    let before = predictions(&workspace, &biosamples, &assays, "");
    assert_eq!(before.values().next().unwrap().len(), 30125 / 25);
    workspace
        .run("impute S1:H3K4me3 --output a.npz --region chr2:1,001-1,100")
        .fails(&["is not covered", "no region of chr2"]);
    workspace.ok("extend --model m --regions new.bed --passes 2");
    let after = predictions(&workspace, &biosamples, &assays, "--region chr1:1-30,125");
    assert_eq!(after, before);
    workspace.ok("impute S1:H3K4me3 --output a.npz");
    assert_eq!(
        read_npz(&workspace.path("a.npz")).len(),
        CHROMOSOME_BINS + 40
    );
    // A track that was held out is not learnt from in new regions either.
    assert_eq!(tracks(&workspace, "hold"), ["S1:H3K4me3"]);
    workspace
        .run("extend --model m --regions new.bed")
        .fails(&["covers these regions already"]);
    let scores = workspace.ok("evaluate --model m --format json").json();
    assert_eq!(scores["n_bins"], CHROMOSOME_BINS + 40);
    workspace.is_whole();
}

#[test]
fn everything_new_at_once_is_added_by_all() {
    let workspace = Workspace::ingested();
    train(
        &workspace,
        "--hold S4:H3K4me1,S4:H3K36me3,S1:H3K36me3,S3:H3K36me3",
    );
    let before = predictions(&workspace, &["S1", "S2", "S3"], &["H3K27ac", "H3K4me1"], "");
    workspace.ok("extend --model m --all --passes 2");
    let after = predictions(&workspace, &["S1", "S2", "S3"], &["H3K27ac", "H3K4me1"], "");
    assert_eq!(after, before);
    let model = workspace.ok("model show m --format json").json();
    assert_eq!(model["biosamples"], json!(["S1", "S2", "S3", "S4"]));
    assert_eq!(model["assays"].as_array().unwrap().len(), 4);
}

#[test]
fn what_nothing_shows_is_not_added() {
    let workspace = Workspace::ingested();
    train(&workspace, "--hold S4:H3K4me1,S4:H3K36me3");
    workspace
        .run("extend --model m --biosamples S4 --hold S4:H3K4me1,S4:H3K36me3")
        .fails(&["biosample S4 has no track"]);
    workspace
        .run("extend --model m --biosamples S4 --tracks S4:H3K27ac")
        .fails(&["S4"]);
    workspace
        .run("extend --model m --name m2 --biosamples S4 --hold S11:H3K4me1")
        .fails(&["unknown biosample S11"]);
    let model = workspace.ok("model show m --format json").json();
    assert_eq!(model["biosamples"], json!(["S1", "S2", "S3"]));
}
