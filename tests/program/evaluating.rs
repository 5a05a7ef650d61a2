//! Scores of tracks kept out of training, beside the baselines.

use serde_json::Value;

use super::read::{mse, read_npz, stored};
use super::workspace::Workspace;

const MEASURES: [&str; 18] = [
    "mse",
    "mse1obs",
    "mse1imp",
    "mseprom",
    "msegene",
    "mseenh",
    "msevar",
    "gwcorr",
    "gwspear",
    "match1",
    "catch1obs",
    "catch1imp",
    "aucobs1",
    "aucimp1",
    "catchpeakobs",
    "recall10fdr",
    "specificity",
    "departure_correlation",
];

fn names(value: &Value) -> Vec<(&str, &str)> {
    let tracks = value["tracks"].as_array().unwrap().iter();
    tracks
        .map(|t| {
            (
                t["biosample"].as_str().unwrap(),
                t["assay"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn scores_come_as_json_of_one_shape() {
    let workspace = Workspace::trained();
    let scores = workspace.ok("evaluate --model base --format json").json();
    assert_eq!(scores["model"], "base");
    assert_eq!(names(&scores), [("S1", "H3K4me3"), ("S3", "H3K36me3")]);
    for track in scores["tracks"].as_array().unwrap() {
        for predictor in ["measures", "average_activity", "calibrated_average"] {
            for measure in MEASURES {
                let value = &track[predictor][measure];
                assert!(
                    value.is_f64() || value.is_null(),
                    "{predictor} {measure}: {value}"
                );
            }
            assert!(track[predictor]["mse"].as_f64().unwrap() > 0.0);
            // No peaks were given: undefined, and never 0.
            assert!(track[predictor]["catchpeakobs"].is_null());
        }
    }
    for predictor in ["measures", "average_activity", "calibrated_average"] {
        let of_tracks = scores["tracks"].as_array().unwrap().iter();
        let sum: f64 = of_tracks
            .map(|t| t[predictor]["mse"].as_f64().unwrap())
            .sum();
        let mean = scores["mean"][predictor]["mse"].as_f64().unwrap();
        assert!(
            (mean - sum / 2.0).abs() < 1e-12,
            "{predictor}: {mean} {sum}"
        );
    }
}

#[test]
fn errors_are_those_of_the_imputed_files_and_of_the_other_biosamples_mean() {
    let workspace = Workspace::trained();
    let scores = workspace
        .ok("evaluate --format json --tracks S1:H3K4me3")
        .json();
    assert_eq!(names(&scores), [("S1", "H3K4me3")]);
    let scored = |predictor: &str| scores["tracks"][0][predictor]["mse"].as_f64().unwrap();

    let database = workspace.path("x.persea");
    let observed = stored(&database, "S1", "H3K4me3");
    workspace.ok("impute S1:H3K4me3 --arcsinh --output a.npz");
    let imputed = read_npz(&workspace.path("a.npz"));
    assert!((scored("measures") - mse(&imputed, &observed)).abs() < 1e-6);

    let others = [
        stored(&database, "S2", "H3K4me3"),
        stored(&database, "S3", "H3K4me3"),
    ];
    let average: Vec<f32> = (others[0].iter().zip(&others[1]))
        .map(|(a, b)| (a + b) / 2.0)
        .collect();
    assert!((scored("average_activity") - mse(&average, &observed)).abs() < 1e-6);
}

#[test]
fn scores_come_as_a_table_and_as_tsv_with_a_row_a_track_and_predictor() {
    let workspace = Workspace::trained();
    let table = workspace.ok("evaluate").stdout;
    for part in [
        "biosample",
        "gwcorr",
        "S1",
        "H3K36me3",
        "calibrated_average",
        "means over 2 tracks, 4,802 bins",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let rows = workspace.ok("evaluate --format tsv").tsv();
    let json = workspace.ok("evaluate --format json").json();
    let column = rows[0].iter().position(|c| c == "mse").unwrap();
    let row = |wanted: [&str; 3]| rows.iter().find(|r| r[..3] == wanted).unwrap();
    for (i, (biosample, assay)) in names(&json).into_iter().enumerate() {
        for (name, predictor) in [
            ("model", "measures"),
            ("average_activity", "average_activity"),
        ] {
            let found: f64 = row([biosample, assay, name])[column].parse().unwrap();
            assert_eq!(found, json["tracks"][i][predictor]["mse"].as_f64().unwrap());
        }
    }
    let mean: f64 = row(["mean", "", "model"])[column].parse().unwrap();
    assert_eq!(mean, json["mean"]["measures"]["mse"].as_f64().unwrap());
}

#[test]
fn tracks_that_were_never_ingested_are_scored_from_another_manifest() {
    let workspace = Workspace::trained();
    let scores = workspace
        .ok("evaluate --truth sim/truth.tsv --format json")
        .json();
    let mut scored = names(&scores);
    scored.sort_unstable();
    assert_eq!(
        scored,
        [
            ("S1", "H3K4me1"),
            ("S2", "H3K36me3"),
            ("S4", "H3K27ac"),
            ("S4", "H3K4me3")
        ]
    );
    // They were not ingested by that.
    assert_eq!(workspace.tracks().len(), 12);
    // The same numbers as when the track had been held out of training, and was in.
    workspace.write(
        "held.tsv",
        "cell\tassay\tpath\nS1\tH3K4me3\tsim/tracks/S1.H3K4me3.bigwig\n",
    );
    let given = workspace
        .ok("evaluate --truth held.tsv --columns biosample=cell --format json")
        .json();
    let held = workspace
        .ok("evaluate --tracks S1:H3K4me3 --format json")
        .json();
    for predictor in ["measures", "average_activity", "calibrated_average"] {
        let mse = |scores: &Value| scores["tracks"][0][predictor]["mse"].as_f64().unwrap();
        assert!((mse(&given) - mse(&held)).abs() < 1e-9, "{predictor}");
    }
}

#[test]
fn called_peaks_give_the_measures_that_need_them() {
    let workspace = Workspace::trained();
    workspace.write(
        "peaks.narrowPeak",
        "chr1\t1000\t2000\t.\t0\t.\t5\t3\t2\t500\n",
    );
    workspace.write(
        "peaks.tsv",
        "biosample\tassay\tpath\nS1\tH3K4me3\tpeaks.narrowPeak\n",
    );
    let scores = workspace
        .ok("evaluate --peaks peaks.tsv --format json")
        .json();
    assert!(scores["tracks"][0]["measures"]["catchpeakobs"].is_f64());
    assert!(scores["tracks"][0]["measures"]["recall10fdr"].is_f64());
    assert!(scores["tracks"][1]["measures"]["catchpeakobs"].is_null());
}

#[test]
fn baselines_that_learn_stand_beside_the_others_when_asked_for() {
    let workspace = Workspace::trained();
    let plain = workspace.ok("evaluate --format json").json();
    assert!(plain["mean"].get("ridge").is_none() && plain["mean"].get("boosted").is_none());
    let line = "evaluate --baselines factors,scaled_average,ridge,boosted";
    let scores = workspace.ok(&format!("{line} --format json")).json();
    assert_eq!(
        scores["tracks"][0]["measures"],
        plain["tracks"][0]["measures"]
    );
    for predictor in ["factors", "scaled_average", "ridge", "boosted"] {
        let mse = |of: &Value| of[predictor]["mse"].as_f64().unwrap();
        let tracks = scores["tracks"].as_array().unwrap();
        let mean = tracks.iter().map(mse).sum::<f64>() / tracks.len() as f64;
        assert!((mean - mse(&scores["mean"])).abs() < 1e-12);
        // That something is learnt, a unit test says; a constant would have no correlation.
        let shape = &scores["mean"][predictor]["gwcorr"];
        assert!(shape.is_f64(), "{predictor}: {shape}");
    }
    let table = workspace.ok(&format!("{line} --format tsv")).stdout;
    assert!(
        table.contains("\tridge\t") && table.contains("\tboosted\t"),
        "{table}"
    );
    // Settings are chosen on training tracks: another track in the place of the one that is scored changes the
    // score and no choice.
    let choices = scores["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 4);
    for choice in &choices[2..] {
        assert_eq!(choice["tried"].as_array().unwrap().len(), 12, "{choice}");
        let compared_on = choice["compared_on"].as_array().unwrap();
        assert!(!compared_on.is_empty());
        for held in ["S1:H3K4me3", "S3:H3K36me3"] {
            assert!(compared_on.iter().all(|track| track != held), "{choice}");
        }
    }
    workspace.write(
        "other.tsv",
        "biosample\tassay\tpath\nS1\tH3K4me3\tsim/tracks/S2.H3K27ac.bigwig\n",
    );
    let other = workspace
        .ok(&format!("{line} --truth other.tsv --format json"))
        .json();
    assert_eq!(other["choices"], scores["choices"]);
    let mse = |of: &Value| of["tracks"][0]["ridge"]["mse"].as_f64().unwrap();
    assert!(mse(&other) != mse(&scores));
    workspace
        .run("evaluate --baselines forest")
        .expect_misuse(&["forest"]);
}

#[test]
fn imputation_from_stored_factors_is_on_the_scale_of_the_track() {
    let workspace = Workspace::trained();
    workspace.ok(
        "train --name encoded --hold S1:H3K4me3,S3:H3K36me3 --passes 2 --encoder-passes 1 --members 1 --refine-passes 1 \
         --refine-nodes 8",
    );
    let line = "evaluate --model encoded --baselines factors --format json";
    let scores = workspace.ok(line).json();
    let of = |measure: &str| scores["mean"]["factors"][measure].as_f64().unwrap();
    // The network predicts standardised signal. Brought to the track's scale it errs little more than after the
    // best change of scale.
    let (mse, shape_mse) = (of("mse"), of("shape_mse"));
    assert!(mse < 1.5 * shape_mse, "{mse} {shape_mse}");
}

#[test]
fn the_model_is_set_against_each_competitor_track_by_track() {
    let workspace = Workspace::trained();
    let scores = workspace.ok("evaluate --format json").json();
    let paired = scores["paired"].as_array().unwrap();
    let found = (paired.iter())
        .find(|p| p["competitor"] == "average_activity" && p["measure"] == "mse")
        .unwrap();
    let difference = |t: &Value| {
        let of = |predictor: &str| t[predictor]["mse"].as_f64().unwrap();
        of("measures") - of("average_activity")
    };
    let tracks = scores["tracks"].as_array().unwrap();
    let all: Vec<f64> = tracks.iter().map(difference).collect();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    assert!((found["difference"].as_f64().unwrap() - mean).abs() < 1e-12);
    let wins = all.iter().filter(|d| **d < 0.0).count();
    assert_eq!(
        (found["wins"].as_u64(), found["tracks"].as_u64()),
        (Some(wins as u64), Some(2))
    );
    // Bins that are 0 everywhere are counted, and none of them is more than is scored.
    assert!(scores["n_zero_bins"].as_u64().unwrap() <= scores["n_bins"].as_u64().unwrap());
    let table = workspace.ok("evaluate").stdout;
    assert!(
        table.contains("better on") && table.contains("of 2"),
        "{table}"
    );
}

#[test]
fn the_challenges_definitions_score_counts_on_the_signal_scale() {
    let workspace = Workspace::trained();
    let scores = workspace.ok("evaluate --challenge --format json").json();
    assert_eq!(scores["definitions"], "challenge");
    assert_eq!(scores["scale"], "signal");
    for track in scores["tracks"].as_array().unwrap() {
        let overlap = track["measures"]["match1"].as_f64().unwrap();
        assert_eq!(overlap.fract(), 0.0, "{overlap} bins");
    }
    workspace
        .run("evaluate --challenge --folds folds.tsv")
        .expect_misuse(&["--challenge"]);
}

#[test]
fn errors_by_who_has_a_peak_add_up_to_the_whole() {
    let workspace = Workspace::trained();
    let scores = workspace.ok("evaluate --format json").json();
    for track in scores["tracks"].as_array().unwrap() {
        let strata = track["peaks"].as_array().unwrap();
        let of = |own: bool| strata.iter().filter(move |s| s["peaks_only"] == own);
        let n_bins = |s: &Value| s["n_bins"].as_f64().unwrap();
        let all: f64 = of(false).map(n_bins).sum();
        assert_eq!(all, scores["n_bins"].as_f64().unwrap());
        let peaks: f64 = of(true).map(n_bins).sum();
        // 1 %, and more where bins tie for the last places.
        assert!(
            peaks >= (all / 100.0).round() && peaks < all / 10.0,
            "{peaks}"
        );
        for (name, key) in [
            ("model", "measures"),
            ("average_activity", "average_activity"),
        ] {
            let sum: f64 = of(false)
                .map(|s| n_bins(s) * s["mse"][name].as_f64().unwrap())
                .sum();
            let mse = track[key]["mse"].as_f64().unwrap();
            assert!((sum / all - mse).abs() < 1e-6 * mse.max(1.0), "{name}");
        }
    }
}

#[test]
fn the_signal_scale_scores_other_numbers() {
    let workspace = Workspace::trained();
    let of = |scale: &str| {
        let scores = workspace
            .ok(&format!("evaluate --scale {scale} --format json"))
            .json();
        scores["mean"]["measures"]["mse"].as_f64().unwrap()
    };
    assert_ne!(of("signal"), of("arcsinh"));
}

#[test]
fn a_truth_manifest_with_faults_is_refused_like_any_other() {
    let workspace = Workspace::trained();
    workspace
        .run("evaluate --truth nowhere.tsv")
        .fails(&["nowhere.tsv", "No such file"]);
    workspace.write(
        "truth.tsv",
        "biosample\tassay\tpath\nS1\tH3K4me1\tnowhere.bw\n",
    );
    workspace
        .run("evaluate --truth truth.tsv")
        .fails(&["nowhere.bw", "No such file"]);
    workspace
        .run("evaluate --truth sim/truth.tsv --columns cell=biosample")
        .expect_misuse(&["`cell` is not a column"]);
}

#[test]
fn regions_given_are_all_that_is_scored() {
    let workspace = Workspace::trained();
    workspace.write("one.bed", "chr1\t0\t60010\n");
    workspace.write("two.bed", "chr2\t0\t60010\n");
    let error = |regions: &str| {
        let line = format!("evaluate --tracks S1:H3K4me3 --format json {regions}");
        let scores = workspace.ok(&line).json();
        let mse = scores["tracks"][0]["measures"]["mse"].as_f64().unwrap();
        (scores["n_bins"].as_f64().unwrap(), mse)
    };
    let (whole, one, two) = (
        error(""),
        error("--regions one.bed"),
        error("--regions two.bed"),
    );
    assert_eq!(whole.0, one.0 + two.0);
    let mean = (one.0 * one.1 + two.0 * two.1) / whole.0;
    assert!((whole.1 - mean).abs() < 1e-9, "{} {mean}", whole.1);
    workspace.write("beyond.bed", "chr1\t60010\t60020\n");
    workspace
        .run("evaluate --regions beyond.bed")
        .fails(&["beyond.bed"]);
}

#[test]
fn a_dry_run_says_how_long_scoring_takes_and_stores_nothing() {
    let workspace = Workspace::ingested();
    workspace.ok("train --model avocado --preset small --no-validate --passes 1 --hold S1:H3K4me3 --threads 1");
    let rows = workspace.ok("evaluate --dry-run --format json").json();
    let value = |what: &str, unit: &str| {
        let mut rows = rows.as_array().unwrap().iter();
        let row = rows.find(|r| r["what"] == what && r["unit"] == unit);
        row.unwrap()["value"].as_f64().unwrap()
    };
    assert_eq!(value("tracks", ""), 1.0);
    assert!(value("sum", "minutes") > 0.0 && value("sum", "GB of memory") > 0.0);
    let shown = workspace.ok("model show model --format json").stdout;
    assert!(!shown.contains("mse1obs"), "{shown}");
    workspace.ok("evaluate");
    let shown = workspace.ok("model show model --format json").stdout;
    assert!(shown.contains("mse1obs"), "{shown}");
}
