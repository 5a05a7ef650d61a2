//! Probes of an embedding, and evaluations that are stored with their model.

use serde_json::Value;

use super::workspace::{SMALL, Workspace};

/// The numbers of the stored evaluations, as `model show` has them.
fn stored(workspace: &Workspace, model: &str) -> Value {
    let shown = workspace.ok(&format!("model show {model} --format json"));
    shown.json()["evaluations"].clone()
}

/// The number, kind and model of each stored evaluation.
fn rows(workspace: &Workspace) -> Vec<(i64, String)> {
    let path = workspace.path("x.persea/persea.sqlite");
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT id, kind FROM evaluations ORDER BY id";
    let mut select = connection.prepare(sql).unwrap();
    let rows = select
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_probe_prints_the_embedding_beside_the_signal_and_is_stored_with_its_model() {
    let workspace = Workspace::trained();
    workspace.ok(&format!(
        "train {SMALL} --name other --seed 9 --passes 1 --no-validate --hold S1:H3K4me3,S3:H3K36me3"
    ));
    let line = "evaluate --probe --model base --against base,other --queries 100";
    let found = workspace.ok(&format!("{line} --format json")).json();
    let rows_of = found["representations"].as_array().unwrap();
    let names: Vec<&str> = rows_of
        .iter()
        .map(|r| r["representation"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "model",
            "signal_resolutions",
            "signal_windows",
            "signal_components"
        ]
    );
    // 12 tracks less 2 held out.
    assert_eq!(found["n_signal_tracks"], 10);
    let numbers: Vec<u64> = rows_of
        .iter()
        .map(|r| r["numbers"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [55, 30, 60, 55]);
    for row in rows_of {
        let of_track = |i: usize, name: &str| row["tracks"][i][name].as_f64().unwrap();
        for name in ["linear", "neighbours_random", "neighbours_active"] {
            let mean = (of_track(0, name) + of_track(1, name)) / 2.0;
            assert!((row[name].as_f64().unwrap() - mean).abs() < 1e-12);
            assert!(mean.abs() <= 1.0);
        }
    }
    assert_eq!(found["agreement"][0]["random"], 1.0);
    assert!(found["agreement"][1]["random"].as_f64().unwrap() < 1.0);

    let kept = &stored(&workspace, "base")["probe"];
    assert_eq!(
        (&kept["is_current"], &kept["settings"]["queries"]),
        (&true.into(), &100.into())
    );
    assert_eq!(kept["result"]["representations"][0]["numbers"], 55);
    let table = workspace.ok("model show base").stdout;
    for part in ["probe, 20", "factors of base", "base and other share"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    workspace.ok("report --no-evaluate --output r.html");
    let html = std::fs::read_to_string(workspace.path("r.html")).unwrap();
    for part in [
        "What the embedding knows",
        "factors of base",
        "ten nearest 5 kbp rows",
    ] {
        assert!(html.contains(part), "{part}");
    }
    workspace.is_whole();
}

#[test]
fn a_probe_has_the_same_bits_on_any_number_of_threads_and_as_table_and_tsv() {
    let workspace = Workspace::trained();
    let line = "evaluate --probe --queries 60 --seed 3";
    let one = workspace
        .ok(&format!("{line} --threads 1 --format json"))
        .stdout;
    let three = workspace
        .ok(&format!("{line} --threads 3 --format json"))
        .stdout;
    assert_eq!(one, three);
    let found: Value = serde_json::from_str(&one).unwrap();
    let rows = workspace.ok(&format!("{line} --format tsv")).tsv();
    assert_eq!(
        rows[0],
        [
            "representation",
            "numbers",
            "biosample",
            "assay",
            "linear",
            "neighbours_random",
            "neighbours_active"
        ]
    );
    // Four representations, two tracks and their mean.
    assert_eq!(rows.len(), 1 + 4 * 3);
    assert_eq!(rows[3][..4], ["model", "55", "mean", ""]);
    let mean: f64 = rows[3][4].parse().unwrap();
    assert_eq!(Some(mean), found["representations"][0]["linear"].as_f64());
    let table = workspace.ok(&format!("{line} --no-signal")).stdout;
    assert!(
        table.contains("factors of base") && !table.contains("six windows"),
        "{table}"
    );
    assert!(table.contains("means over 2 held-out tracks"), "{table}");
}

#[test]
fn tracks_that_the_model_read_are_refused() {
    let workspace = Workspace::trained();
    workspace
        .run("evaluate --probe --tracks S2:H3K4me3")
        .fails(&["model base has read S2:H3K4me3", "--tracks"]);
    workspace
        .run("evaluate --probe --tracks S9:H3K4me3")
        .fails(&["unknown track S9:H3K4me3"]);
    workspace
        .run("evaluate --probe --against none")
        .fails(&["unknown model none"]);
    workspace
        .run("evaluate --queries 100")
        .expect_misuse(&["--probe"]);
    assert!(rows(&workspace).is_empty());
}

#[test]
fn a_stored_evaluation_is_used_until_a_track_or_the_model_changes() {
    let workspace = Workspace::trained();
    let printed = workspace.ok("evaluate --format json").json();
    assert_eq!(rows(&workspace), [(1, "imputation".to_string())]);
    let kept = &stored(&workspace, "base")["imputation"];
    assert_eq!(kept["is_current"], true);
    let mse = |of: &Value| of["mean"]["measures"]["mse"].as_f64().unwrap();
    assert!((mse(&kept["result"]) - mse(&printed)).abs() < 1e-12);
    // Stored anew, the row would have another number.
    let report = || {
        workspace.ok("report --output r.html");
        std::fs::read_to_string(workspace.path("r.html")).unwrap()
    };
    let section = |html: String| -> String {
        let start = html.find("id=\"imputation\"").unwrap();
        let end = html.find("id=\"probe\"").unwrap();
        html[start..end].to_string()
    };
    let first = section(report());
    assert_eq!(rows(&workspace), [(1, "imputation".to_string())]);
    assert!(first.contains("95 % interval") && first.contains("gwcorr"));

    // A track that the baselines read is replaced.
    workspace.write(
        "again.tsv",
        "biosample\tassay\tpath\nS2\tH3K4me3\tsim/tracks/S4.H3K4me1.bigwig\n",
    );
    workspace.ok("ingest again.tsv");
    assert_eq!(
        stored(&workspace, "base")["imputation"]["is_current"],
        false
    );
    let table = workspace.ok("model show base").stdout;
    assert!(
        table.contains("a track or model has changed since"),
        "{table}"
    );
    assert_ne!(section(report()), first);
    assert_eq!(rows(&workspace), [(2, "imputation".to_string())]);
    assert_eq!(stored(&workspace, "base")["imputation"]["is_current"], true);

    // Another model of that name has no evaluation.
    workspace.ok(&format!(
        "train {SMALL} --name base --seed 77 --passes 1 --no-validate --replace --hold S1:H3K4me3,S3:H3K36me3"
    ));
    assert!(rows(&workspace).is_empty());
    assert_eq!(stored(&workspace, "base"), serde_json::json!({}));
    workspace.is_whole();
}

#[test]
fn an_encoder_is_compared_with_itself_without_each_biosample_and_a_model_without_one_is_refused() {
    let workspace = Workspace::trained();
    workspace.ok(
        "train --name encoder --encoder-passes 1 --encoder-nodes 8 --members 1 --refine-nodes 8 --passes 1 \
         --hold S1:H3K4me3,S3:H3K36me3 --threads 1",
    );
    let line = "evaluate --probe --leave-out-biosamples --queries 50 --no-signal";
    let found = workspace
        .ok(&format!("{line} --model encoder --format json"))
        .json();
    let fewer = &found["fewer_tracks"];
    let without = fewer["without"].as_array().unwrap();
    let names: Vec<&str> = (without.iter())
        .map(|of| of["biosample"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["S1", "S2", "S3", "S4"]);
    let mut shares: Vec<f64> = (without.iter())
        .flat_map(|of| [&of["random"], &of["active"]])
        .map(|share| share.as_f64().unwrap())
        .collect();
    shares.push(fewer["halves_recognised"].as_f64().unwrap());
    assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
    assert!(shares[..8].iter().any(|share| *share < 1.0), "{shares:?}");
    let table = workspace.ok(&format!("{line} --model encoder")).stdout;
    for part in ["without the tracks of S4", "recognises which half"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    workspace
        .run(&format!("{line} --model base"))
        .fails(&["model base has no encoder", "train a model persea"]);
    workspace.ok("track remove S4:H3K4me1");
    workspace
        .run(&format!("{line} --model encoder"))
        .fails(&["S4 H3K4me1", "has been removed"]);
}
