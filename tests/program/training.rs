//! Training: what decides its result, what it keeps aside, what it says beforehand.

use serde_json::{Value, json};

use super::workspace::{SMALL, Workspace};

fn show(workspace: &Workspace, model: &str) -> Value {
    workspace
        .ok(&format!("model show {model} --format json"))
        .json()
}

#[test]
fn one_seed_gives_one_model_and_two_seeds_give_two() {
    let workspace = Workspace::ingested();
    for (name, seed) in [("a", 5), ("b", 5), ("c", 6)] {
        workspace.ok(&format!(
            "train {SMALL} --name {name} --passes 2 --seed {seed}"
        ));
    }
    let checksum = |name: &str| workspace.checksum(name);
    assert_eq!(checksum("a").len(), 64);
    assert_eq!(checksum("a"), checksum("b"));
    assert_ne!(checksum("a"), checksum("c"));
}

#[test]
fn every_sampling_precision_and_schedule_trains_and_is_its_own_model() {
    let workspace = Workspace::ingested();
    let variants = [
        "--sampling sequential",
        "--sampling permuted",
        "--sampling random",
        "--schedule constant",
        "--precision f16",
        "--clip 0.01",
        "--learning-rate 0.01",
        "--factors-25bp 3 --biosample-factors 4 --assay-factors 4 --layers 2",
    ];
    let mut checksums = Vec::new();
    for (i, variant) in variants.iter().enumerate() {
        workspace.ok(&format!(
            "train {SMALL} --name m{i} --passes 2 --no-validate {variant}"
        ));
        checksums.push(workspace.checksum(&format!("m{i}")));
    }
    checksums.sort();
    checksums.dedup();
    assert_eq!(checksums.len(), variants.len());
    // Half precision and other sizes are imputed from as well.
    for i in [4, 7] {
        workspace.ok(&format!("impute S1:H3K4me3 --model m{i} --output m{i}.npz"));
    }
}

#[test]
fn validation_tracks_are_drawn_named_or_not_used() {
    let workspace = Workspace::ingested();
    workspace.ok(&format!(
        "train {SMALL} --name drawn --passes 3 --searches 2 --hold S1:H3K4me3"
    ));
    let drawn = show(&workspace, "drawn");
    let validate = drawn["tracks_validate"].as_array().unwrap();
    assert!(
        !validate.is_empty() && !validate.contains(&json!("S1:H3K4me3")),
        "{validate:?}"
    );
    let stages = |model: &Value, stage: &str| -> Vec<bool> {
        let curve = model["training"]["curve"].as_array().unwrap().iter();
        let of_stage = curve.filter(|p| p["stage"] == stage);
        of_stage.map(|p| p["held_out"].is_f64()).collect()
    };
    // The search looks at them; the final training, on all tracks, is as long as was best.
    assert_eq!(stages(&drawn, "search"), [true; 6]);
    assert_eq!(json!(stages(&drawn, "final").len()), drawn["passes"]);
    assert!(stages(&drawn, "final").iter().all(|validated| !validated));

    workspace.ok(&format!(
        "train {SMALL} --name named --passes 3 --validate S2:H3K4me3,S3:H3K27ac"
    ));
    let named = show(&workspace, "named");
    assert_eq!(
        named["tracks_validate"],
        json!(["S2:H3K4me3", "S3:H3K27ac"])
    );
    assert_eq!(named["tracks_train"].as_array().unwrap().len(), 10);

    workspace.ok(&format!(
        "train {SMALL} --name whole --passes 3 --no-validate"
    ));
    let whole = show(&workspace, "whole");
    assert_eq!(whole["tracks_validate"], json!([]));
    assert_eq!(
        (&whole["passes"], stages(&whole, "search").len()),
        (&json!(3), 0)
    );
    workspace
        .run("train --validate S2:H3K4me3 --no-validate")
        .expect_misuse(&["--validate", "--no-validate"]);
}

#[test]
fn a_fold_of_a_file_is_held_out() {
    let workspace = Workspace::ingested();
    workspace.write(
        "folds.tsv",
        "fold\tbiosample\tassay\n0\tS1\tH3K4me3\n0\tS2\tH3K27ac\n1\tS3\tH3K4me1\n",
    );
    workspace.ok(&format!(
        "train {SMALL} --name m --passes 1 --no-validate --hold-folds folds.tsv --fold 0 --hold S4:H3K4me1"
    ));
    let held = show(&workspace, "m")["tracks_hold"].clone();
    assert_eq!(held, json!(["S1:H3K4me3", "S2:H3K27ac", "S4:H3K4me1"]));
    workspace
        .run("train --name n --hold-folds folds.tsv --fold 2")
        .fails(&["folds.tsv", "no fold `2`", "0, 1"]);
    workspace
        .run("train --name n --hold-folds nowhere.tsv --fold 2")
        .fails(&["cannot read nowhere.tsv"]);
    workspace.write("folds.tsv", "biosample\tassay\nS1\tH3K4me3\n");
    workspace
        .run("train --name n --hold-folds folds.tsv --fold 0")
        .fails(&["folds.tsv, line 1", "no column `fold`"]);
    workspace
        .run("train --name n --hold-folds folds.tsv")
        .expect_misuse(&["--fold"]);
}

#[test]
fn held_out_tracks_decide_nothing() {
    // One database has another signal in the held-out track: the models are the same.
    let workspace = Workspace::ingested();
    let train = format!("train {SMALL} --passes 3 --hold S1:H3K4me3");
    workspace.ok(&format!("{train} --name a"));
    workspace.write("other.bedGraph", "chr1\t0\t60010\t900\n");
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\nS1\tH3K4me3\tother.bedGraph\n",
    );
    workspace.ok("ingest m.tsv");
    workspace.ok(&format!("{train} --name b"));
    assert_eq!(workspace.checksum("a"), workspace.checksum("b"));
}

#[test]
fn a_dry_run_says_memory_disk_and_time_and_trains_nothing() {
    let workspace = Workspace::ingested();
    let rows = workspace
        .ok("train --preset small --dry-run --format json --threads 1")
        .json();
    let rows = rows.as_array().unwrap();
    let unit = |unit: &str| rows.iter().filter(|r| r["unit"] == unit).count();
    assert!(
        unit("GB of memory") >= 4 && unit("GB on disk") == 3 && unit("hours") == 4,
        "{rows:?}"
    );
    let value = |what: &str| {
        let row = rows
            .iter()
            .find(|r| r["what"].as_str().unwrap().starts_with(what));
        row.unwrap()["value"].as_f64().unwrap()
    };
    assert_eq!((value("training tracks"), value("bins")), (12.0, 4802.0));
    assert!(value("measured speed") > 0.0 && value("a pass") > 0.0);
    let sum = |unit: &str| {
        let row = (rows.iter()).find(|r| r["what"] == "sum, at most" && r["unit"] == unit);
        row.unwrap()["value"].as_f64().unwrap()
    };
    let hours = rows.iter().filter(|r| r["unit"] == "hours");
    let hours: f64 = hours
        .filter(|r| r["what"] != "a pass")
        .map(|r| r["value"].as_f64().unwrap())
        .sum();
    assert!((sum("minutes") - 60.0 * hours).abs() < 1e-6, "{rows:?}");
    assert_eq!(sum("GB on disk"), value("model") + value("checkpoints"));
    assert_eq!(workspace.ok("model list --format json").json(), json!([]));
}

#[test]
fn options_that_cannot_be_are_refused_before_anything_is_trained() {
    let workspace = Workspace::ingested();
    for (options, why) in [
        ("--learning-rate 0", "learning rate"),
        ("--learning-rate nan", "learning rate"),
        ("--clip -1", "above 0"),
        ("--passes 0", "at least one pass"),
        ("--nodes 0", "nodes"),
        ("--batch-size 0", "batch"),
        ("--device cuda:99 --backend native", "torch for cuda:99"),
        ("--arithmetic bf16", "torch for bf16"),
        ("--device tpu", "`tpu` is not a device"),
        ("--regions nowhere.bed", "nowhere.bed"),
    ] {
        let options = options.replace("--clip -1", "--clip=-1");
        workspace
            .run(&format!("train --preset small --name m {options}"))
            .fails(&[why]);
    }
    let empty = Workspace::created();
    empty
        .run("train --preset small")
        .fails(&["no track to train on", "ingest"]);
}

#[test]
fn a_region_that_the_database_does_not_cover_is_not_trained_on() {
    let workspace = Workspace::new();
    workspace.write("regions.bed", "chr1\t0\t30000\n");
    workspace.ok("create --assembly simulated --chrom-sizes sim/chrom.sizes --regions regions.bed");
    workspace.ok("ingest sim/manifest.tsv");
    workspace.write("more.bed", "chr1\t20000\t40000\n");
    workspace
        .run("train --preset small --regions more.bed")
        .fails(&["chr1:20001-40000", "not covered by the database"]);
}

#[test]
fn a_model_is_not_replaced_unasked() {
    let workspace = Workspace::trained();
    let before = show(&workspace, "base");
    workspace
        .run(&format!(
            "train {SMALL} --name base --passes 1 --no-validate"
        ))
        .fails(&["there is a model base already", "--replace", "(--name)"]);
    assert_eq!(show(&workspace, "base"), before);
    workspace.ok(&format!(
        "train {SMALL} --name base --passes 1 --no-validate --replace"
    ));
    assert_eq!(show(&workspace, "base")["passes"], 1);
    workspace.is_whole();
}

#[test]
fn training_does_not_depend_on_the_number_of_threads_that_ingested() {
    let one = Workspace::created();
    one.ok("ingest sim/manifest.tsv --threads 1");
    let two = Workspace::created();
    two.ok("ingest sim/manifest.tsv --threads 2");
    for workspace in [&one, &two] {
        workspace.ok(&format!("train {SMALL} --name m --passes 1 --no-validate"));
    }
    assert_eq!(one.checksum("m"), two.checksum("m"));
}
