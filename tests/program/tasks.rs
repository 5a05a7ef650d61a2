//! Downstream tasks through the program: labels in, runs, what is kept of them, the page.

use serde_json::{Value, json};

use super::workspace::Workspace;

/// Windows of 1 kb on both chromosomes, every third one positive, in three folds.
fn labels(workspace: &Workspace) {
    let mut text = String::from("chrom\tstart\tend\tlabel\tfold\n");
    for chrom in ["chr1", "chr2"] {
        for i in 0..50 {
            let (start, label) = (i * 1_200, u8::from(i % 3 == 0));
            text.push_str(&format!(
                "{chrom}\t{start}\t{}\t{label}\t{}\n",
                start + 1_000,
                i / 17
            ));
        }
    }
    workspace.write("labels.tsv", text);
    workspace
        .ok("task import custom labels.tsv --biosample S1 --name mine")
        .says(&["mine: 100 examples, 100 of them in the database's regions"]);
}

#[test]
fn labels_are_imported_listed_shown_and_removed() {
    let workspace = Workspace::ingested();
    let imported = workspace.ok("task import expression sim/expression.tsv --format json");
    let report = imported.json();
    assert_eq!(report["labels"].as_array().unwrap().len(), 4);
    assert_eq!(report["unknown_genes"], json!([]));
    workspace.ok("task import interaction sim/interactions.tsv");
    workspace.ok("task import fire sim/fire.tsv");
    workspace.ok("task import replication sim/replication.tsv");
    let rows = workspace.ok("task list --format tsv").tsv();
    let names: Vec<&str> = rows[1..].iter().map(|r| r[0].as_str()).collect();
    assert_eq!(names, ["expression", "fire", "interaction", "replication"]);
    let shown = workspace.ok("task show fire --format json").json();
    assert_eq!(
        (&shown["kind"], &shown["labels"][0]["biosample"]),
        (&json!("fire"), &json!("S1"))
    );
    workspace
        .run("task import fire sim/fire.tsv")
        .fails(&["there is a task fire already", "--replace"]);
    workspace.ok("task import fire sim/fire.tsv --replace");
    workspace.ok("task remove fire");
    workspace
        .run("task show fire")
        .fails(&["unknown task fire", "nearest"]);
    workspace.is_whole();
}

#[test]
fn a_run_is_printed_kept_repeated_and_exported() {
    let workspace = Workspace::ingested();
    labels(&workspace);
    let command = "task run mine --features signal,average,signal+average --learner logistic \
                   --folds column --bootstrap 50";
    let run = workspace.ok(&format!("{command} --format json")).json();
    assert_eq!(run["run"], json!(1));
    let rows = run["result"]["rows"].as_array().unwrap();
    let names: Vec<&Value> = rows.iter().map(|r| &r["name"]).collect();
    assert_eq!(
        names,
        ["signal", "average", "signal+average", "prior", "genes"]
    );
    let prior = &rows[3]["measures"]["average_precision"]["value"];
    assert!((prior.as_f64().unwrap() - 0.34).abs() < 1e-12, "{prior}");
    let table = workspace.ok(command).says(&["stored as run 2"]).stdout;
    for part in [
        "average_precision",
        "paired differences",
        "100 examples, 34 positive; 3 folds",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let tsv = workspace
        .ok(&format!("{command} --format tsv --no-store"))
        .tsv();
    assert_eq!((tsv.len(), tsv[1][0].as_str()), (6, "signal"));
    assert_eq!(
        workspace
            .ok("task runs --format json")
            .json()
            .as_array()
            .unwrap()
            .len(),
        2
    );
    workspace
        .ok("task rerun 1")
        .says(&["run 1: the same numbers, to the bit"]);
    let predictions = workspace.ok("task export 1 --format tsv").tsv();
    assert_eq!(predictions.len(), 101);
    assert_eq!(
        predictions[0][..6],
        ["example", "biosample", "label", "fold", "unit", "signal"]
    );
    assert_eq!(predictions[1][..3], ["chr1:1-1000", "S1", "1.0"]);
    // The printed measure is that of the predictions that are kept.
    let of = |i: usize| -> Vec<f64> {
        predictions[1..]
            .iter()
            .map(|r| r[i].parse().unwrap())
            .collect()
    };
    let classes: Vec<bool> = of(2).iter().map(|l| *l > 0.5).collect();
    let expected = persea::measures::average_precision(&classes, &of(5)).unwrap();
    let printed = rows[0]["measures"]["average_precision"]["value"]
        .as_f64()
        .unwrap();
    assert!((expected - printed).abs() < 1e-12);
    // Other labels: the numbers cannot be repeated, and nothing pretends that they can.
    workspace.ok("task import custom labels.tsv --biosample S2 --name mine --replace");
    workspace
        .run("task rerun 1")
        .fails(&["task mine has changed since run 1"]);
    workspace.is_whole();
}

#[test]
fn the_report_is_one_file_with_figures_and_everything_that_repeats_the_run() {
    let workspace = Workspace::ingested();
    labels(&workspace);
    workspace.ok(
        "task run mine --features signal --learner gbm --folds column --bootstrap 50 --importance",
    );
    workspace.ok("task run mine --features signal --learner ridge --folds column --regression --bootstrap 50");
    workspace.ok("task report --all --output report.html");
    let html = std::fs::read_to_string(workspace.path("report.html")).unwrap();
    for part in [
        "<!doctype html>",
        "<svg",
        "Precision and recall",
        "ROC",
        "label against prediction",
        "what shuffling a group costs",
        "train_biosamples",
        "BLAKE3 of task mine",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for elsewhere in ["<script", "href=\"http", "src=\"", "@import"] {
        assert!(!html.contains(elsewhere), "{elsewhere}");
    }
    workspace.ok("task report 1 --output report.md");
    let markdown = std::fs::read_to_string(workspace.path("report.md")).unwrap();
    assert!(markdown.contains("| features | learner |") && markdown.contains("**signal**"));
    workspace
        .run("task report 1 --output report.pdf")
        .expect_misuse(&["neither .html nor .md"]);
    workspace
        .run("task report 9 --output report.md")
        .fails(&["unknown run 9"]);
}

#[test]
fn a_suite_goes_on_where_it_was_and_prints_every_row() {
    let workspace = Workspace::ingested();
    labels(&workspace);
    let suite = r#"
name = "small"
[[import]]
kind = "expression"
files = ["expression.tsv"]
[[run]]
task = "mine"
features = ["signal", "average"]
learners = ["logistic", "gbm"]
folds = [{ kind = "column" }]
bootstrap = 20
"#;
    workspace.write("small.toml", suite);
    workspace.ok("task suite small.toml --data sim").says(&[
        "expression: ",
        "small: 2 runs, 0 of them done before, 0 failed",
    ]);
    let again = workspace.ok("task suite small.toml --data sim --format tsv");
    let rows = again.tsv();
    assert_eq!(rows.len(), 1 + 2 * 4, "{again}");
    again.says(&["2 of them done before"]);
    workspace.ok("task suite pilot --print");
    workspace.write("bad.toml", suite.replace("learners", "learner"));
    workspace
        .run("task suite bad.toml")
        .fails(&["bad.toml", "learner"]);
}

#[test]
fn misuse_of_runs_exits_with_2() {
    let workspace = Workspace::ingested();
    workspace
        .run("task run mine --features embeding")
        .expect_misuse(&["unknown feature set `embeding`", "nearest: embedding"]);
    workspace
        .run("task run mine --features signal --learner tree")
        .expect_misuse(&["tree", "gbm"]);
    workspace
        .run("task run mine --features signal --train-biosamples S1")
        .expect_misuse(&["--test-biosamples"]);
    workspace
        .run("task run mine --features signal")
        .fails(&["unknown task mine"]);
}

#[cfg(feature = "torch")]
#[test]
fn every_feature_set_is_made_for_a_trained_model() {
    let workspace = Workspace::trained();
    labels(&workspace);
    let sets = "embedding,embedding+biosample-factors,hidden,signal,all-signal,all-signal-pca,\
                imputed,completed,average,denoised,hidden+signal";
    let command = format!(
        "task run mine --features {sets} --learner ridge --folds column --bootstrap 0 --format json"
    );
    let run = workspace.ok(&command).json();
    let rows = run["result"]["rows"].as_array().unwrap();
    let n = |name: &str| {
        let row = rows.iter().find(|r| r["name"] == name).unwrap();
        row["n_features"].as_u64().unwrap()
    };
    // Four assays, of which S1 has three tracks or four; the small network has 55 genome factors.
    assert_eq!(
        (
            n("embedding"),
            n("embedding+biosample-factors"),
            n("hidden")
        ),
        (55, 87, 16)
    );
    assert_eq!((n("imputed"), n("completed"), n("all-signal")), (4, 4, 12));
    assert_eq!(n("denoised"), n("signal"));
    assert_eq!(run["result"]["model"][0], json!("base"));
}
