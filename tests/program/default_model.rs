//! The default model: trained, imputed from, scored, extended, and distinguished from the faithful one.

use super::read::{read_npz, stored};
use super::workspace::Workspace;

/// The default model, small enough for a test.
const PERSEA: &str = "--nodes 16 --batch-size 500 --members 2 --refine-nodes 32 --threads 1";

fn bits(workspace: &Workspace, file: &str) -> Vec<u32> {
    let values = read_npz(&workspace.path(file));
    values.iter().map(|v| v.to_bits()).collect()
}

fn train(workspace: &Workspace, more: &str) {
    workspace.ok(&format!("train {PERSEA} --name m --passes 3 {more}"));
}

const HOLD: &str = "--no-validate --hold S1:H3K4me3,S3:H3K36me3";

#[test]
fn it_is_trained_scored_and_imputed_from_and_beats_average_activity() {
    let workspace = Workspace::ingested();
    train(&workspace, HOLD);
    let shown = workspace.ok("model show m --format json").json();
    assert_eq!(
        (&shown["kind"], &shown["refinement_members"]),
        (&"persea".into(), &2.into())
    );
    assert_eq!(shown["tracks_train"].as_array().unwrap().len(), 10);
    let scores = workspace.ok("evaluate --model m --format json").json();
    let mse = |of: &str| scores["mean"][of]["mse"].as_f64().unwrap();
    assert!(mse("measures") < mse("average_activity"), "{scores}");
    workspace.ok("impute S1:H3K4me3 --model m --output a.npz");
    // A training track: imputed from the others, its own signal masked.
    workspace.ok("impute S1:H3K27ac --model m --output b.npz");
    assert_ne!(bits(&workspace, "a.npz"), bits(&workspace, "b.npz"));
    workspace.is_whole();
}

#[test]
fn one_seed_gives_one_model_and_a_piece_is_imputed_as_the_whole_is() {
    let workspace = Workspace::ingested();
    train(&workspace, HOLD);
    workspace.ok("impute S1:H3K4me3 --model m --output a.npz");
    workspace.ok(&format!("train {PERSEA} --name again --passes 3 {HOLD}"));
    workspace.ok("impute S1:H3K4me3 --model again --output b.npz");
    assert_eq!(bits(&workspace, "a.npz"), bits(&workspace, "b.npz"));
    workspace.ok(&format!(
        "train {PERSEA} --name other --passes 3 --seed 1 {HOLD}"
    ));
    workspace.ok("impute S1:H3K4me3 --model other --output c.npz");
    assert_ne!(bits(&workspace, "a.npz"), bits(&workspace, "c.npz"));
}

#[test]
fn a_new_biosample_is_imputed_from_its_tracks_and_old_predictions_keep_every_bit() {
    let workspace = Workspace::ingested();
    train(&workspace, "--no-validate --hold S4:H3K4me1,S4:H3K36me3");
    workspace.ok("impute S1:H3K36me3 --model m --arcsinh --output before.npz");
    workspace.ok("extend --model m --biosamples S4 --tracks S4:H3K4me1 --passes 2");
    workspace.ok("impute S1:H3K36me3 --model m --arcsinh --output after.npz");
    assert_eq!(
        bits(&workspace, "before.npz"),
        bits(&workspace, "after.npz")
    );
    let scores = workspace.ok("evaluate --model m --format json").json();
    assert_eq!(scores["tracks"][0]["biosample"], "S4");
}

#[test]
fn uncertainty_is_written_beside_and_covers_what_evaluate_reports() {
    let workspace = Workspace::ingested();
    train(
        &workspace,
        "--hold S1:H3K4me3 --validate S2:H3K4me1,S3:H3K27ac",
    );
    let written =
        workspace.ok("impute S1:H3K4me3 --model m --arcsinh --uncertainty --output a.npz");
    assert_eq!(
        written.stdout,
        "a.npz\na.sd.npz\na.q05.npz\na.q25.npz\na.q75.npz\na.q95.npz\n"
    );
    let read = |what: &str| read_npz(&workspace.path(&format!("a.{what}.npz")));
    assert!(read("sd").iter().all(|v| *v > 0.0 && v.is_finite()));
    let quantiles = ["q05", "q25", "q75", "q95"].map(read);
    for bin in 0..quantiles[0].len() {
        assert!(
            quantiles
                .windows(2)
                .all(|pair| pair[0][bin] <= pair[1][bin]),
            "{bin}"
        );
    }
    // The share of the held-out track between the files is what `evaluate` reports.
    let path = workspace.path("x.persea");
    let observed = stored(&path, "S1", "H3K4me3");
    let mask = persea::store::Database::open(&path)
        .unwrap()
        .mask()
        .unwrap();
    let kept: Vec<usize> = (0..observed.len())
        .filter(|bin| !mask.is_masked(*bin as u64))
        .collect();
    let scores = workspace.ok("evaluate --model m --format json").json();
    let reported = &scores["tracks"][0]["intervals"]["all"];
    for (name, low, high) in [("coverage_50", 1, 2), ("coverage_90", 0, 3)] {
        let inside = |bin: &usize| {
            quantiles[low][*bin] <= observed[*bin] && observed[*bin] <= quantiles[high][*bin]
        };
        let share = kept.iter().filter(|bin| inside(bin)).count() as f64 / kept.len() as f64;
        let reported = reported[name].as_f64().unwrap();
        assert!(
            (share - reported).abs() < 1e-9,
            "{name}: {share} {reported}"
        );
    }
    let rows = workspace.ok("evaluate --model m --format tsv").tsv();
    let column = rows[0].iter().position(|c| c == "coverage_50").unwrap();
    assert!(rows[1][2] == "model" && rows[1][column].parse::<f64>().unwrap() > 0.0);
    assert!(rows[2][2] != "model" && rows[2][column].is_empty());
    train(&workspace, "--no-validate --replace");
    let run = workspace.run("impute S1:H3K4me3 --model m --uncertainty --output b.npz");
    run.fails(&["model m cannot tell how uncertain it is"]);
    assert!(!workspace.path("b.npz").exists());
}

#[test]
fn a_missing_input_track_is_named() {
    let workspace = Workspace::ingested();
    train(&workspace, HOLD);
    workspace.ok("track remove S2:H3K4me1");
    let run = workspace.run("impute S1:H3K4me3 --model m --output a.npz");
    run.fails(&["S2 H3K4me1 has been removed from the database"]);
    // Its factors are read no tracks for.
    workspace.ok("model show m");
}

#[test]
fn its_options_are_refused_where_they_cannot_be() {
    let workspace = Workspace::ingested();
    let run = workspace.run("train --members 0 --no-validate");
    run.fails(&["members must be between 1 and 64"]);
    let run = workspace.run("train --refine-passes 0 --no-validate");
    run.fails(&["at least one pass"]);
}
