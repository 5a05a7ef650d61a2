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
    for part in [
        "| features | learner |",
        "signal",
        "### Fold by fold",
        "BLAKE3 of task mine",
    ] {
        assert!(markdown.contains(part), "{part}: {markdown}");
    }
    workspace
        .run("task report 1 --output report.pdf")
        .expect_misuse(&["does not end in .html or .md"]);
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
        "small: 2 runs, 0 of them stored earlier, 0 failed",
    ]);
    let again = workspace.ok("task suite small.toml --data sim --format tsv");
    let rows = again.tsv();
    assert_eq!(rows.len(), 1 + 2 * 4, "{again}");
    again.says(&["2 of them stored earlier"]);
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

#[test]
fn labels_that_cannot_be_are_refused_with_file_and_line() {
    let workspace = Workspace::ingested();
    let header = "chrom\tstart\tend\tlabel\n";
    let good = "chr1\t0\t1000\t1\nchr1\t1000\t2000\t0\n";
    for (text, parts) in [
        (
            format!("{header}{good}chr1\t2k\t3000\t0\n"),
            &["bad.tsv, line 4", "`2k` is not a position"][..],
        ),
        (
            format!("{header}{good}chr1\t0\t1000\t0\n"),
            &["line 4", "bad.tsv, line 2 already"],
        ),
        (
            format!("{header}{good}chr2\t900000000\t900001000\t0\n"),
            &["line 4", "beyond chr2", "another assembly"],
        ),
        (
            format!("{header}{good}chr1\t2000\t3000\tmaybe\n"),
            &["line 4", "`maybe` is not a label"],
        ),
        (
            format!("chrom\tstart\tend\tfireness\n{good}"),
            &["line 1", "no column for the label", "--columns label="],
        ),
        (header.to_string(), &["a header and no labels"]),
    ] {
        workspace.write("bad.tsv", text);
        workspace
            .run("task import custom bad.tsv --biosample S1")
            .fails(parts);
    }
    assert_eq!(workspace.ok("task list --format tsv").tsv().len(), 1);
}

#[test]
fn what_cannot_be_learned_is_refused_with_the_reason() {
    let workspace = Workspace::ingested();
    labels(&workspace);
    let import = |name: &str, biosample: &str, n: u32, label: &dyn Fn(u32) -> u32| {
        let mut text = String::from("chrom\tstart\tend\tlabel\tfold\n");
        for i in 0..n {
            let start = i * 1_200;
            let (end, label, fold) = (start + 1_000, label(i), i * 4 / n);
            text.push_str(&format!("chr1\t{start}\t{end}\t{label}\t{fold}\n"));
        }
        workspace.write("more.tsv", text);
        workspace.ok(&format!(
            "task import custom more.tsv --biosample {biosample} --name {name}"
        ));
    };
    import("ones", "S1", 40, &|_| 1);
    import("few", "S1", 3, &|i| i % 2);
    import("elsewhere", "nowhere", 40, &|i| i % 2);
    import("corner", "S1", 40, &|i| u32::from(i < 30 && i % 2 == 0));
    let learned = "--features signal --learner logistic --bootstrap 20";
    for (run, parts) in [
        (
            format!("ones {learned} --threshold 0.5"),
            &["one class only"][..],
        ),
        (
            format!("few {learned} --folds blocks --n-folds 5"),
            &["3 examples", "5 folds"],
        ),
        (
            format!("elsewhere {learned} --folds column"),
            &["nowhere has no track"],
        ),
    ] {
        workspace.run(&format!("task run {run}")).fails(parts);
    }
    let table =
        |rows: usize, cell: &str| format!("x\ty\n{}", format!("{cell}\t{cell}\n").repeat(rows));
    workspace.write("short.tsv", table(99, "1"));
    workspace
        .run("task run mine --features published --matrix short.tsv")
        .fails(&["short.tsv has 99 rows", "100 examples"]);
    workspace.write("missing.tsv", table(100, "NA"));
    workspace
        .run("task run mine --features published --matrix missing.tsv")
        .fails(&["all features are missing"]);
    // The last fold has no positive: nothing is 0 that is not known.
    let run = workspace.ok(&format!(
        "task run corner {learned} --folds column --format json"
    ));
    let result = &run.json()["result"];
    let fold = &result["rows"][0]["folds"][3];
    assert_eq!(fold["n_positive"], json!(0));
    assert_eq!(fold["measures"]["average_precision"], Value::Null);
    assert!(result["rows"][0]["measures"]["average_precision"]["value"].is_f64());
    assert!(
        result["notes"]
            .to_string()
            .contains("fold 3 has no positive")
    );
}

#[test]
fn suites_that_ship_are_printed_and_say_what_they_need() {
    let workspace = Workspace::ingested();
    for (suite, data) in [
        ("pilot", "pilot/labels/pilot_expression.tsv"),
        ("published", "RNAseq.E017.y.npy"),
        ("targetfinder", "targetfinder/K562/predictions-gbm.csv.gz"),
    ] {
        let text = workspace.ok(&format!("task suite {suite} --print")).stdout;
        assert!(text.contains(data), "{text}");
        workspace
            .run(&format!("task suite {suite} --data nowhere"))
            .fails(&["nowhere"]);
    }
}

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

#[test]
fn a_table_of_pairs_is_learned_stored_exported_and_used_without_a_database() {
    let workspace = Workspace::ingested();
    let table = |cell_type: &str| {
        let mut text = String::from(
            "chrom\tchromStart\tchromEnd\tchrTSS\tstartTSS\tendTSS\tCellType\tRegulated\tdistanceToTSS\tDHS.RPM\tH3K27ac.RPM.expandedRegion\n",
        );
        for i in 0..120 {
            let (near, start, chrom) = (i % 3 == 0, 1_000 + i * 100, 1 + i % 6);
            let distance = if near {
                2_000 + i * 10
            } else {
                30_000 + i * 500
            };
            let (end, tss, open) = (start + 50, start + distance, i % 5);
            text.push_str(&format!(
                "chr{chrom}\t{start}\t{end}\tchr{chrom}\t{tss}\t{}\t{cell_type}\t{near}\t{distance}\t{open}\t2\n",
                tss + 1
            ));
        }
        text
    };
    workspace.write("k562.tsv", table("K562"));
    workspace.write("other.tsv", table("HCT116"));
    let run = workspace
        .ok("task run crispr --train k562.tsv --test other.tsv --save-predictor p.json --predictions p.tsv --bootstrap 50 --format json")
        .json();
    let rows = run["result"]["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|r| r["name"].as_str().unwrap()).collect();
    let expected = [
        "logistic",
        "gbm",
        "forest",
        "prior",
        "distance",
        "activity by distance",
    ];
    assert_eq!(names, expected);
    let of_test = &run["test"]["result"]["rows"][0];
    assert_eq!(of_test["name"], json!("predictor"));
    assert_eq!(
        of_test["measures"]["average_precision"]["value"],
        json!(1.0)
    );
    let id = run["run"].as_i64().unwrap();
    workspace.ok(&format!("task export {id} --predictor q.json"));
    let read = |name: &str| std::fs::read(workspace.path(name)).unwrap();
    assert_eq!(read("p.json"), read("q.json"));
    let runs = workspace.ok("task runs --format json").json();
    assert_eq!(
        (&runs[0]["task"], &runs[0]["train"]),
        (&json!("crispr"), &json!("K562"))
    );
    workspace.ok(&format!("task rerun {id}"));
    workspace.ok(&format!("task export {id} --format tsv"));
    workspace.ok(&format!("task report {id} --output report.html"));
    // No database is needed to predict.
    std::fs::rename(workspace.path("x.persea"), workspace.path("y.persea")).unwrap();
    let again = workspace
        .ok("task run crispr --predictor p.json --test other.tsv --predictions again.tsv --bootstrap 50 --format json")
        .json();
    assert_eq!(again["test"]["result"]["n"], json!(120));
    assert_eq!(read("p.tsv"), read("again.tsv"));
    std::fs::rename(workspace.path("y.persea"), workspace.path("x.persea")).unwrap();
    workspace.write("k562.tsv", table("K562").replace("\t2000\t", "\t2001\t"));
    workspace
        .run(&format!("task rerun {id}"))
        .fails(&["table k562.tsv", "has changed"]);
    workspace
        .run("task run unknown --train k562.tsv")
        .expect_misuse(&["no preset of tables", "crispr"]);
    workspace
        .run("task run crispr --train k562.tsv --tune")
        .expect_misuse(&["--n-folds"]);
}
