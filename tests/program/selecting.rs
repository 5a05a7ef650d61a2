//! Choosing what to measure next.

use std::fs;

use serde_json::Value;

use super::workspace::Workspace;

fn names(answer: &Value) -> Vec<String> {
    let chosen = answer["chosen"].as_array().unwrap();
    let name = |c: &Value| c["name"].as_str().unwrap().to_string();
    chosen.iter().map(name).collect()
}

/// Five items, the first three alike.
const MATRIX: &str = "name\ta\tb\tc\td\te\n\
    a\t1\t0.9\t0.8\t0\t0\nb\t0.9\t1\t0.9\t0\t0\nc\t0.8\t0.9\t1\t0\t0.1\n\
    d\t0\t0\t0\t1\t0.5\ne\t0\t0\t0.1\t0.5\t1\n";

#[test]
fn biosamples_for_an_assay_are_chosen_stored_and_chosen_again() {
    let workspace = Workspace::trained();
    let answer = workspace
        .ok("select biosamples -k 2 --for-assay H3K4me3 --given none --plot c.svg --format json")
        .json();
    let chosen = names(&answer);
    assert_eq!(chosen.len(), 2);
    assert_eq!(answer["selection"], 1);
    let shares: Vec<f64> = (answer["chosen"].as_array().unwrap().iter())
        .map(|c| c["coverage"].as_f64().unwrap())
        .collect();
    assert!(shares[0] < shares[1] && shares[1] <= 1.0);
    // Every biosample is represented by one of the two, or by none.
    let represented: usize = (answer["chosen"].as_array().unwrap().iter())
        .map(|c| c["represents"].as_array().unwrap().len())
        .sum();
    assert!((2..=4).contains(&represented));
    assert_eq!(answer["bound_is_reached"], true);
    assert_eq!(answer["curve"].as_array().unwrap().len(), 3);
    let svg = fs::read_to_string(workspace.path("c.svg")).unwrap();
    assert!(svg.contains("coverage") && svg.contains("90 % band"));
    assert!(svg.contains(&format!("chosen: 1 {}, 2 {}", chosen[0], chosen[1])));

    let table = workspace.ok("select show 1 --format tsv").tsv();
    assert_eq!(table[0][1], "biosample");
    assert_eq!([&table[1][1], &table[2][1]], [&chosen[0], &chosen[1]]);
    workspace
        .ok("select repeat 1")
        .says(&["selection 1 again: the same numbers, to the bit"]);
    let list = workspace.ok("select list --format json").json();
    assert_eq!(list[0]["kind"], "biosamples");
    workspace.is_whole();
    workspace.ok("select remove 1");
    workspace
        .run("select show 1")
        .fails(&["unknown selection 1", "persea select list"]);
}

#[test]
fn what_is_measured_covers_and_is_not_chosen() {
    let workspace = Workspace::trained();
    let answer = workspace
        .ok("select experiments -k 2 --no-store --format json")
        .json();
    let given = answer["given"].as_array().unwrap();
    assert_eq!(given.len(), 12);
    for name in names(&answer) {
        assert!(given.iter().all(|g| g["name"] != name.as_str()), "{name}");
    }
    assert_eq!(answer["selection"], Value::Null);
    for kind in ["imputed", "observed", "factors"] {
        let answer = workspace
            .ok(&format!(
                "select biosamples -k 1 --for-assay H3K4me3 --similarity {kind} --bins 500 --format json"
            ))
            .json();
        assert_eq!(names(&answer).len(), 1);
    }
}

#[test]
fn what_is_left_to_measure_is_proposed_however_little_it_is() {
    let workspace = Workspace::trained();
    let tracks = workspace.tracks();
    let has = |b: &str, assay: &str| tracks.contains(&format!("{b} {assay}"));
    let biosamples = ["S1", "S2", "S3", "S4"];
    let mut n_asked = 0;
    for assay in ["H3K4me3", "H3K36me3", "H3K27me3", "H3K9me3", "H3K4me1"] {
        let left: Vec<&str> = biosamples.into_iter().filter(|b| !has(b, assay)).collect();
        if left.is_empty() || left.len() == 4 {
            continue;
        }
        n_asked += 1;
        for given in ["", "--given measured"] {
            let line = format!(
                "select biosamples -k 4 --for-assay {assay} {given} --no-store --format json"
            );
            let run = workspace.ok(&line);
            let mut chosen = names(&run.json());
            chosen.sort();
            assert_eq!(chosen, left, "{assay}");
            run.says(&["left to measure for", "fewer than the 4 asked for"]);
        }
    }
    assert!(n_asked > 0, "{tracks:?}");
    // Of experiments: the four that are missing, of ten.
    let missing = names(
        &workspace
            .ok("select experiments -k 10 --no-store --format json")
            .json(),
    );
    assert_eq!(missing.len(), 4);
    for name in missing {
        assert!(!tracks.contains(&name.replace(':', " ")), "{name}");
    }
    // Nothing left is an error that says what to do.
    let (biosample, assay) = tracks[0].split_once(' ').unwrap();
    let others: Vec<&str> = (biosamples.into_iter())
        .filter(|b| !has(b, assay) && *b != biosample)
        .collect();
    let exclude = match others.as_slice() {
        [] => String::new(),
        others => format!("--exclude {}", others.join(",")),
    };
    workspace
        .run(&format!(
            "select biosamples -k 1 --for-assay {assay} {exclude}"
        ))
        .fails(&["nothing is left", "none"]);
}

#[test]
fn a_reference_that_is_no_biosample_is_not_chosen() {
    let workspace = Workspace::created();
    let rename = |text: &str| text.replace("\tb", "\tE000").replace("\nb\t", "\nE000\t");
    workspace.write("m.tsv", rename(MATRIX));
    // b was chosen first: it represents a and c.
    let run = workspace.ok("select biosamples --matrix m.tsv -k 2 --given none --format json");
    assert!(!names(&run.json()).contains(&"E000".to_string()));
    run.says(&["E000 is a reference (Universal Human Reference RNA) and no biosample"]);
    workspace
        .run("select biosamples --matrix m.tsv -k 2 --given none --require E000")
        .fails(&["E000 is required and excluded"]);
}

#[test]
fn a_choice_by_signal_says_how_stable_it_is() {
    let workspace = Workspace::trained();
    for kind in ["imputed", "observed"] {
        let line = format!("select biosamples -k 2 --similarity {kind} --bins 1000 --format json");
        let answer = workspace.ok(&line).json();
        let stability = &answer["stability"];
        assert_eq!(stability["n_resamples"], 100, "{stability}");
        assert!(stability["n_units"].as_u64().unwrap() >= 40, "{stability}");
        for chosen in answer["chosen"].as_array().unwrap() {
            let share = chosen["stability"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&share) && share >= stability["same"].as_f64().unwrap());
        }
        workspace
            .ok(&line.replace("--format json", "--resamples 20"))
            .says(&["stability:", "of 20 resamples of", "blocks of the genome"]);
        let none = workspace.ok(&format!("{line} --resamples 0")).json();
        assert_eq!(none["stability"], Value::Null);
    }
    // Experiments by observed signal: the product of biosamples' and assays'.
    let answer = workspace
        .ok("select experiments -k 2 --similarity observed --bins 1000 --format json")
        .json();
    assert_eq!(answer["n_items"], 16);
    assert_eq!(answer["stability"]["n_resamples"], 100);
    // Other bins are drawn with another seed.
    let of_seed = |seed: u64| {
        let line = format!(
            "select biosamples -k 2 --similarity observed --bins 300 --resamples 0 --seed {seed} --format json"
        );
        workspace.ok(&line).json()["everything"].clone()
    };
    assert_eq!(of_seed(1), of_seed(1));
    let values = |seed: u64| {
        workspace
        .ok(&format!("select biosamples -k 2 --similarity observed --bins 300 --resamples 0 --seed {seed} --format json"))
        .json()["chosen"][0]["value"].clone()
    };
    assert_ne!(values(1), values(2));
}

#[test]
fn similarities_are_compared_on_an_assay_that_the_model_has_not_seen() {
    let workspace = Workspace::ingested();
    let tracks = workspace.tracks();
    let of = |assay: &str| -> Vec<String> {
        let having = tracks.iter().filter(|t| t.ends_with(&format!(" {assay}")));
        having.map(|t| t.replace(' ', ":")).collect()
    };
    let assay = tracks[0].split_once(' ').unwrap().1;
    workspace.ok(&format!(
        "train --name without --model avocado --preset small --nodes 16 --batch-size 500 --threads 1 --passes 2 \
         --no-validate --hold {}",
        of(assay).join(",")
    ));
    workspace.ok(
        "train --name all --model avocado --preset small --nodes 16 --batch-size 500 --threads 1 --passes 1 --no-validate",
    );
    let run = workspace
        .ok("select evaluate -k 1 --models all,without --bins 1000 --random 5 --format json");
    let found = run.json();
    let rows = found["rows"].as_array().unwrap();
    for by in [
        "factors, cosine",
        "imputed, squared-correlation",
        "observed, squared-correlation",
    ] {
        assert!(rows.iter().any(|r| r["similarity"] == by), "{by}");
    }
    // Only the assay that a model was trained without is scored.
    for row in rows {
        assert_eq!(row["n"], 1);
        assert_eq!(row["repetitions"][0]["of"], assay);
    }
    assert_eq!(found["left_out"].as_array().unwrap().len(), 3);
    run.says(&["is left out: every model was trained on tracks of it"]);
    workspace
        .run("select evaluate -k 1 --models all --bins 1000 --random 5")
        .fails(&["no assay can be scored", "was trained on tracks of it"]);
    workspace
        .run("select evaluate -k 1 --similarity factors")
        .fails(&["trained on no track of the assay", "models"]);
}

#[test]
fn a_matrix_of_ones_own_is_chosen_from_with_costs_requirements_and_without_a_database() {
    let workspace = Workspace::created();
    workspace.write("m.tsv", MATRIX);
    workspace.write("costs.tsv", "name\tcost\na\t1\nb\t5\nc\t1\nd\t1\ne\t1\n");
    let ask = |more: &str| {
        let line = format!("select biosamples --matrix m.tsv --format json --given none {more}");
        workspace.ok(&line).json()
    };
    assert_eq!(names(&ask("-k 2")), ["b", "d"]);
    assert_eq!(names(&ask("-k 2 --exclude b,d")), ["c", "e"]);
    assert_eq!(names(&ask("-k 2 --require e")), ["e", "b"]);
    let cheap = ask("--cost costs.tsv --budget 2");
    assert_eq!(names(&cheap), ["c", "d"]);
    assert_eq!(cheap["curve"].as_array().unwrap().len(), 1);
    let given = workspace
        .ok("select biosamples --matrix m.tsv -k 1 --given b,d --format json")
        .json();
    assert_eq!(names(&given), ["e"]);
    for objective in [
        "saturated-coverage",
        "graph-cut",
        "sum-of-distances",
        "minimum-distance",
    ] {
        assert_eq!(
            names(&ask(&format!("-k 3 --objective {objective}"))).len(),
            3
        );
    }
}

#[test]
fn expression_is_compared_and_a_choice_put_to_the_proof() {
    let workspace = Workspace::ingested();
    let mut table = String::from("gene\tA1\tA2\tA3\tB1\tB2\tB3\n");
    for g in 0..60 {
        let of = |kind: usize, i: usize| ((g * (7 + 4 * kind)) % 23) as f64 + 0.01 * i as f64;
        let row: Vec<String> = (0..6).map(|i| of(i / 3, i).to_string()).collect();
        table += &format!("G{g}\t{}\n", row.join("\t"));
    }
    workspace.write("rpkm.tsv", table);
    let answer = workspace
        .ok("select biosamples -k 2 --expression rpkm.tsv --format json")
        .json();
    let chosen = names(&answer);
    assert_ne!(chosen[0][..1], chosen[1][..1], "{chosen:?}");
    let rows = workspace
        .ok("select evaluate --expression rpkm.tsv -k 2 --replicates 5 --random 10 --format json")
        .json();
    let row = &rows["rows"][0];
    assert_eq!(
        (&row["predictor"], &row["chooser"]),
        (&"nearest".into(), &"greedy".into())
    );
    assert!(row["difference"].as_f64().unwrap() <= 0.0);
    // Three ways to choose, three to predict.
    let rows = workspace.ok("select evaluate -k 1 --random 5 --bins 1000 --format tsv");
    assert_eq!(rows.tsv().len(), 10);
    workspace
        .ok("select evaluate -k 1 --random 5 --bins 1000")
        .says(&["least error beside chance"]);
}

#[test]
fn positions_keep_their_distance_and_stay_out_of_what_is_masked() {
    let workspace = Workspace::trained();
    workspace.write("unmappable.bed", "chr1\t0\t30000\n");
    let answer = workspace
        .ok(
            "select positions -k 8 --probe-width 50 --spacing 2000 --ground 300 --outside unmappable.bed \
             --bed probes.bed --plot p.svg --random 5 --format json",
        )
        .json();
    let chosen = answer["chosen"].as_array().unwrap();
    let places: Vec<(String, u64, u64)> = chosen
        .iter()
        .map(|c| {
            let at = |key: &str| c[key].as_u64().unwrap();
            (
                c["chrom"].as_str().unwrap().to_string(),
                at("start"),
                at("end"),
            )
        })
        .collect();
    assert_eq!(places.len(), 8);
    for (i, a) in places.iter().enumerate() {
        assert!(a.2 - a.1 <= 50 && (a.0 != "chr1" || a.1 >= 30_000), "{a:?}");
        for b in &places[..i] {
            let gap = a.1.max(b.1).saturating_sub(a.2.min(b.2));
            assert!(a.0 != b.0 || gap >= 2_000, "{a:?} {b:?}");
        }
    }
    let coverage = |i: usize| chosen[i]["coverage"].as_f64().unwrap();
    assert!((1..8).all(|i| coverage(i) >= coverage(i - 1)));
    assert!(coverage(7) <= answer["bound"].as_f64().unwrap());
    let bed = fs::read_to_string(workspace.path("probes.bed")).unwrap();
    assert_eq!(bed.lines().count(), 8);
    assert!(workspace.path("p.svg").exists());
    workspace.ok("select repeat 1").says(&["to the bit"]);
    let more = workspace
        .ok("select positions -k 3 --spacing 2000 --ground 300 --given probes.bed --format json")
        .json();
    assert!(more["before"].as_f64().unwrap() > 0.0);
    for c in more["chosen"].as_array().unwrap() {
        let (chrom, start) = (c["chrom"].as_str().unwrap(), c["start"].as_u64().unwrap());
        for b in &places {
            assert!(chrom != b.0 || start.abs_diff(b.1) >= 2_050, "{c} {b:?}");
        }
    }
    workspace
        .run("select positions -k 5000 --spacing 2000 --ground 100 --random 0")
        .fails(&["k is 5000", "fit beside each other"]);
    workspace.write("nothing.bed", "chr1\t0\t10\n");
    workspace
        .run("select positions -k 1 --inside nothing.bed --ground 100")
        .fails(&["no position is left"]);
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let workspace = Workspace::trained();
    workspace.write("m.tsv", MATRIX);
    workspace.write("crooked.tsv", "name\ta\tb\na\t1\t0.5\nb\t0.4\t1\n");
    workspace.write("nan.tsv", "name\ta\tb\na\t1\tnan\nb\tnan\t1\n");
    workspace.write("one.tsv", "name\ta\na\t1\n");
    workspace.write("negative.tsv", "name\tcost\na\t-1\n");
    workspace.write("short.tsv", "name\tcost\na\t1\nb\t1\n");
    for (line, why) in [
        ("biosamples -k 9", "k is 9, and 4 are left to choose from"),
        (
            "biosamples -k 1 --exclude S1,S2,S3,S4",
            "nothing is left to choose from",
        ),
        (
            "biosamples -k 2 --require S1 --exclude S1",
            "S1 is required and excluded",
        ),
        (
            "biosamples -k 1 --require S9",
            "unknown biosample S9; the nearest names are",
        ),
        (
            "biosamples -k 1 --for-assay H3K4me9",
            "unknown assay H3K4me9; the nearest names are H3K4me",
        ),
        ("biosamples -k 1 --given measured", "--for-assay"),
        ("assays -k 1 --for-biosample X", "unknown biosample X"),
        (
            "biosamples -k 1 --matrix crooked.tsv",
            "not symmetric: b and a",
        ),
        ("biosamples -k 1 --matrix nan.tsv", "not a finite number"),
        (
            "biosamples -k 1 --matrix one.tsv",
            "nothing to choose between",
        ),
        (
            "biosamples -k 1 --matrix m.tsv --objective feature-based",
            "needs features",
        ),
        (
            "biosamples --matrix m.tsv --cost negative.tsv --budget 1",
            "line 2: the cost of a is -1",
        ),
        (
            "biosamples --matrix m.tsv --cost short.tsv --budget 1",
            "the cost of c is missing",
        ),
        ("biosamples -k 1 --kernel rbf --gamma -1", "gamma is -1"),
        ("biosamples -k 0", "k is 0"),
    ] {
        workspace.run(&format!("select {line}")).fails(&[why]);
    }
    workspace
        .run("select biosamples -k 1 --plot c.gif")
        .expect_misuse(&["c.gif"]);
    workspace
        .run("select biosamples -k 1 --budget 3")
        .expect_misuse(&["--cost"]);
}

/// The pilot compendium, which is not everywhere.
#[test]
fn what_is_chosen_without_an_assay_predicts_it_on_real_tracks() {
    let shared = std::env::var_os("PERSEA_SHARED_DATA").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        std::path::PathBuf::from,
    );
    let table = shared.join("roadmap/57epigenomes.RPKM.pc.gz");
    if !table.exists() {
        super::skipped::skipped("data", format!("there is no {}", table.display()));
        return;
    }
    let workspace = Workspace::created();
    let rows = workspace
        .ok(&format!(
            "select evaluate --expression {} -k 5 --replicates 4 --random 10 --format json",
            table.display()
        ))
        .json();
    let greedy = |row: &&Value| row["chooser"] == "greedy";
    let rows = rows["rows"].as_array().unwrap();
    assert_eq!(rows.iter().filter(greedy).count(), 3);
    for row in rows.iter().filter(greedy) {
        assert!(row["difference"].as_f64().unwrap() < 0.0, "{row}");
    }
}
