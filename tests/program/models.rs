//! Models: listed, shown, compared, deleted, one of them the default.

use serde_json::json;

use super::workspace::{SMALL, Workspace};

#[test]
fn models_are_listed_shown_compared_made_default_and_deleted() {
    let workspace = Workspace::trained();
    workspace.ok(&format!(
        "train {SMALL} --name other --passes 1 --no-validate --seed 1"
    ));
    let list = workspace.ok("model list --format json").json();
    let names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["base", "other"]);
    assert_eq!(
        (&list[0]["trained_on"], &list[0]["held_out"]),
        (&json!(10), &json!(2))
    );
    assert_eq!(
        (&list[1]["trained_on"], &list[1]["held_out"]),
        (&json!(12), &json!(0))
    );
    let default = |name: &str| {
        let list = workspace.ok("model list --format json").json();
        let defaults = list
            .as_array()
            .unwrap()
            .iter()
            .filter(|m| m["default"] == true);
        let defaults: Vec<_> = defaults.map(|m| m["name"].clone()).collect();
        assert_eq!(defaults, [json!(name)]);
        assert_eq!(
            workspace.ok("model show --format json").json()["name"],
            name
        );
    };
    default("base");
    workspace.ok("model default other");
    default("other");

    let base = workspace.ok("model show base --format json").json();
    assert_eq!(base["tracks_hold"], json!(["S1:H3K4me3", "S3:H3K36me3"]));
    assert_eq!(base["tracks_train"].as_array().unwrap().len(), 10);
    assert_eq!(
        (&base["nodes"], &base["passes"], &base["seed"]),
        (&json!(16), &json!(3), &json!(0))
    );
    assert_eq!(base["training"]["curve"].as_array().unwrap().len(), 3);
    let shown = workspace.ok("model show base").stdout;
    for part in ["tracks_hold", "S1:H3K4me3, S3:H3K36me3", "final"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }

    let rows = workspace.ok("model diff base other --format tsv").tsv();
    assert_eq!(rows[0], ["what", "base", "other"]);
    let differ = |what: &str| rows.iter().find(|r| r[0] == what).map(|r| r[1..].to_vec());
    assert_eq!(differ("seed").unwrap(), ["0", "1"]);
    assert_eq!(differ("passes").unwrap(), ["3", "1"]);
    assert!(differ("tracks_hold").is_some() && differ("checksum").is_some());
    assert!(differ("nodes").is_none() && differ("assays").is_none());

    workspace.ok("model delete other");
    default("base");
    workspace
        .run("model show other")
        .fails(&["unknown model other", "base"]);
    workspace.is_whole();
}

#[test]
fn two_models_of_one_seed_are_alike_number_for_number() {
    let workspace = Workspace::ingested();
    for name in ["a", "b"] {
        workspace.ok(&format!(
            "train {SMALL} --name {name} --passes 2 --no-validate"
        ));
    }
    let diff = workspace
        .ok("model diff a b --format json")
        .says(&["the two models are identical"]);
    assert_eq!(diff.json(), json!([]));
}

#[test]
fn who_reads_while_another_process_replaces_the_model_sees_one_of_both_whole() {
    let workspace = Workspace::ingested();
    let train = |name: &str, seed: usize| {
        format!("train {SMALL} --name {name} --passes 1 --no-validate --seed {seed}")
    };
    let ask = |model: &str| {
        let similar = workspace.ok(&format!(
            "similar region chr1:10,001-11,000 -k 5 --exclude 1000 --format tsv --model {model}"
        ));
        workspace.ok(&format!(
            "impute S1:H3K4me3 --model {model} --arcsinh --output a.npy"
        ));
        let imputed = std::fs::read(workspace.path("a.npy")).unwrap();
        (similar.stdout, imputed)
    };
    let expected = [1, 2].map(|seed| {
        let name = format!("seed{seed}");
        workspace.ok(&train(&name, seed));
        ask(&name)
    });
    assert_ne!(expected[0].0, expected[1].0);
    assert_ne!(expected[0].1, expected[1].1);
    workspace.ok(&train("m", 1));
    for seed in [2, 1, 2, 1] {
        let mut writer = workspace.start(&format!("{} --replace", train("m", seed)));
        while !writer.has_ended() {
            // Two commands: the model may have been replaced between them.
            let (similar, imputed) = ask("m");
            assert!(expected.iter().any(|e| e.0 == similar), "{similar}");
            assert!(expected.iter().any(|e| e.1 == imputed));
        }
        writer.finish().succeeds();
        assert!(ask("m") == expected[seed - 1]);
    }
    workspace.is_whole();
}

#[test]
fn a_renamed_assay_is_renamed_in_models_too() {
    let workspace = Workspace::trained();
    let before = workspace.ok("evaluate --format tsv").tsv();
    workspace.ok("track rename assay H3K4me3 promoters");
    let after = workspace.ok("evaluate --format tsv").tsv();
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before[1].replace("H3K4me3", "promoters"), after[1]);
        assert_eq!(before[2..], after[2..]);
    }
    workspace.ok("impute S4:promoters --output a.npz");
    workspace
        .run("impute S4:H3K4me3 --output a.npz")
        .fails(&["unknown assay H3K4me3"]);
}

#[test]
fn tracks_removed_since_training_are_named() {
    let workspace = Workspace::trained();
    workspace.ok("track remove S1:H3K4me3,S2:H3K27ac");
    let scores = workspace.ok("evaluate --format json").says(&[
        "S1 H3K4me3 has been removed from the database, and was held out; it is not scored",
        "S2 H3K27ac has been removed from the database, and was trained on",
    ]);
    assert_eq!(scores.json()["tracks"].as_array().unwrap().len(), 1);
    workspace.ok("impute S1:H3K4me3 --output a.npz");
}
