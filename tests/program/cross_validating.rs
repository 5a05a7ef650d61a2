//! A whole cross-validation in one command.

use super::workspace::Workspace;

const FOLDS: &str =
    "fold\tbiosample\tassay\none\tS1\tH3K4me3\none\tS3\tH3K36me3\ntwo\tS2\tH3K4me1\n";
const TRAINING: &str = "-- --nodes 8 --batch-size 500 --members 1 --refine-passes 1 --refine-nodes 16 --passes 1 --no-validate";

#[test]
fn every_fold_is_trained_and_scored_and_done_again_from_what_is_there() {
    let workspace = Workspace::ingested();
    workspace.write("folds.tsv", FOLDS);
    let command =
        format!("evaluate --folds folds.tsv --seeds 0,1 --threads 1 --format json {TRAINING}");
    let first = workspace
        .ok(&command)
        .says(&["fold one, seed 0", "fold two, seed 1"]);
    let found = first.json();
    assert_eq!(found["runs"].as_array().unwrap().len(), 4);
    assert_eq!(found["tracks"], 3);
    assert_eq!(
        found["runs"][0]["evaluation"]["tracks"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let mse = &found["overall"]["model"]["mse"];
    assert_eq!(mse["tracks"], 3);
    assert!(
        mse["standard_error"].as_f64().unwrap() > 0.0
            && mse["between_seeds"].as_f64().unwrap() > 0.0
    );
    assert!(found["by_assay"]["H3K4me1"]["average_activity"]["mse"]["mean"].is_number());
    // One peak stratum at least, of every predictor, and every track's own peaks among them.
    let strata = found["by_peaks"].as_array().unwrap();
    assert!(strata.iter().any(|s| s["peaks_only"] == true));
    assert!(strata[0]["mse"]["calibrated_average"]["mean"].is_number());
    // Nothing is trained again, and the table says the same.
    let models = workspace.checksum("folds.one.0");
    let again = workspace.ok(&command).json();
    assert_eq!(again, found);
    assert_eq!(workspace.checksum("folds.one.0"), models);
    let table = workspace.ok(&command.replace("--format json ", "")).stdout;
    assert!(
        table.contains("4 trainings")
            && table.contains("of 3 tracks")
            && table.contains("own peaks"),
        "{table}"
    );
    // Other options under the same names would not be the same cross-validation.
    workspace
        .run(&command.replace("--refine-nodes 16", "--refine-nodes 8"))
        .fails(&["folds.one.0", "trained with other options"]);
    workspace.is_whole();
}

#[test]
fn what_the_folds_decide_cannot_be_said() {
    let workspace = Workspace::ingested();
    workspace.write("folds.tsv", FOLDS);
    workspace
        .run("evaluate --folds folds.tsv -- --seed 3")
        .expect_misuse(&["--seed cannot follow `--`"]);
    workspace
        .run("evaluate --folds folds.tsv -- --no-such-option")
        .expect_misuse(&["no-such-option"]);
}
