//! Similar positions, regions, genes, biosamples and assays.

use std::fs;

use persea::store::Database;
use serde_json::Value;

use super::workspace::Workspace;

/// The hits of a JSON answer as (chromosome, start, end, distance).
fn hits(answer: &Value) -> Vec<(String, u64, u64, f64)> {
    let hits = answer["hits"].as_array().unwrap();
    hits.iter()
        .map(|h| {
            (
                h["chrom"].as_str().unwrap().to_string(),
                h["start"].as_u64().unwrap(),
                h["end"].as_u64().unwrap(),
                h["distance"].as_f64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_position_is_answered_away_from_itself_and_once_for_each_5_kbp() {
    let workspace = Workspace::trained();
    let answer = workspace
        .ok("similar position chr1:30,010 -k 6 --exclude 4000 --format json")
        .json();
    assert_eq!(answer["query"]["kind"], "position");
    assert_eq!(answer["query"]["start"], 30_009);
    assert_eq!(answer["exact"], true);
    let hits = self::hits(&answer);
    assert_eq!(hits.len(), 6);
    assert!(hits.is_sorted_by(|a, b| a.3 <= b.3));
    let mut rows: Vec<(String, u64)> = hits.iter().map(|h| (h.0.clone(), h.1 / 5_000)).collect();
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), 6);
    for (chrom, start, end, _) in &hits {
        assert!(
            chrom == "chr2" || *end + 4_000 <= 30_009 || *start >= 34_010,
            "{start}"
        );
    }
    // The others' coordinates are those of JSON.
    let table = workspace
        .ok("similar position chr1:30,010 -k 6 --exclude 4000 --format tsv")
        .tsv();
    assert_eq!(
        &table[0][..5],
        ["rank", "chrom", "start", "end", "distance"]
    );
    for (row, hit) in table[1..].iter().zip(&hits) {
        assert_eq!(
            row[1..4],
            [hit.0.clone(), hit.1.to_string(), hit.2.to_string()]
        );
    }
    // The query itself, when nothing is excluded.
    let answer = workspace
        .ok("similar position chr1:30,010 -k 1 --exclude none --format json")
        .json();
    assert_eq!(self::hits(&answer)[0], ("chr1".into(), 30_000, 30_025, 0.0));
}

#[test]
fn hits_tell_what_lies_there() {
    let workspace = Workspace::trained();
    let line = "similar position chr1:30,010 -k 4 --exclude 0 --format json";
    let answer = workspace
        .ok(&format!("{line} --signal=S1:H3K4me3,S2:H3K27ac"))
        .json();
    for hit in answer["hits"].as_array().unwrap() {
        assert!(hit["annotation"].is_array());
        assert!(
            hit["nearest_tss"].is_string() && hit["tss_distance"].is_i64(),
            "{hit}"
        );
        assert!(
            (0.0..=100.0).contains(&hit["percentile"].as_f64().unwrap()),
            "{hit}"
        );
        // A hit lies in a gene exactly where its class says so.
        let in_gene = hit["in_gene"].as_array().unwrap();
        let classes = hit["annotation"].as_array().unwrap();
        assert_eq!(
            !in_gene.is_empty(),
            classes.contains(&"gene".into()),
            "{hit}"
        );
        assert!(hit["signal"]["S1:H3K4me3"].is_number());
        assert!(hit["signal"]["S2:H3K27ac"].is_number());
    }
    assert!(answer["query"]["signal"]["S1:H3K4me3"].is_number());
    let best = answer["hits"][0]["percentile"].as_f64().unwrap();
    assert_eq!(answer["close_match"], best < 1.0);
    let stored = super::read::stored(&workspace.path("x.persea"), "S1", "H3K4me3");
    let first = &answer["hits"][0];
    let bin = first["start"].as_u64().unwrap() as usize / 25;
    let offset = if first["chrom"] == "chr1" {
        0
    } else {
        super::made::CHROMOSOME_BINS
    };
    let shown = first["signal"]["S1:H3K4me3"].as_f64().unwrap();
    assert!((shown - f64::from(stored[offset + bin])).abs() < 1e-6);
    // A filter by class, and a file for a genome browser.
    workspace.ok("similar position chr1:30,010 -k 3 --exclude 0 --class gene --bed hits.bed");
    let bed = fs::read_to_string(workspace.path("hits.bed")).unwrap();
    assert_eq!(bed.lines().count(), 3);
    for line in bed.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(fields.len(), 6, "{line}");
        let score: f64 = fields[4].parse().unwrap();
        assert!((0.0..=1000.0).contains(&score));
    }
    workspace.write(
        "states.bed",
        "chr1\t1000\t6000\tEnh\nchr1\t6000\t12000\tTss\nchr2\t0\t9000\tQuies\n",
    );
    let line = "similar position chr1:30,010 -k 50 --exclude 0 --spread none --format json";
    let answer = workspace
        .ok(&format!("{line} --label states.bed=Enh,Tss"))
        .json();
    let found = hits(&answer);
    assert!(
        found.len() == 50
            && found
                .iter()
                .all(|h| h.0 == "chr1" && h.1 < 12_000 && h.2 > 1_000)
    );
    let answer = workspace
        .ok(&format!(
            "{line} --label states.bed=Enh,Tss --not-label states.bed=Tss"
        ))
        .json();
    assert!(hits(&answer).iter().all(|h| h.0 == "chr1" && h.1 < 6_000));
    workspace
        .run(&format!("{line} --label states.bed=Enhancer"))
        .expect_misuse(&["no interval with the label `Enhancer`", "Enh, Quies, Tss"]);
    workspace.ok("similar position chr1:30,010 -k 3 --exclude 0 --plot hits.svg");
    let svg = fs::read_to_string(workspace.path("hits.svg")).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.contains("query chr1:30010-30010"),
        "{svg:.300}"
    );
}

#[test]
fn a_distance_is_explained_by_shares_that_add_up_to_1_and_can_be_weighted() {
    let workspace = Workspace::trained();
    let line = "similar position chr1:30,010 -k 5 --exclude 0 --format json";
    // The model of the workspace has factors that are not made of tracks.
    workspace
        .run(&format!("{line} --explain"))
        .fails(&["model base", "not made of tracks by an encoder"]);
    workspace.ok(
        "train --name encoded --hold S1:H3K4me3,S3:H3K36me3 --passes 1 --encoder-passes 1 --members 1 \
         --refine-passes 1 --refine-nodes 8 --threads 1",
    );
    let line = format!("{line} --model encoded --explain --signal");
    let answer = workspace.ok(&line).json();
    let sum = |values: &Value| -> f64 {
        let list = values.as_array().unwrap().iter();
        list.map(|g| g["share"].as_f64().unwrap()).sum()
    };
    let mut apart = 0.0;
    for hit in answer["hits"].as_array().unwrap() {
        let explanation = &hit["explanation"];
        for what in ["assays", "biosamples", "tracks"] {
            assert!(
                (sum(&explanation[what]) - 1.0).abs() < 1e-9,
                "{explanation}"
            );
        }
        let of_resolutions = explanation["resolutions"].as_object().unwrap();
        let whole: f64 = of_resolutions.values().map(|v| v.as_f64().unwrap()).sum();
        assert!((whole - 1.0).abs() < 1e-9);
        // Held tracks were not read.
        let tracks = explanation["tracks"].as_array().unwrap();
        assert!(
            !tracks
                .iter()
                .any(|t| t["biosample"] == "S1" && t["assay"] == "H3K4me3")
        );
        for track in tracks {
            let name = format!(
                "{}:{}",
                track["biosample"].as_str().unwrap(),
                track["assay"].as_str().unwrap()
            );
            assert_eq!(track["hit"], hit["signal"][&name], "{name}");
            assert_eq!(track["query"], answer["query"]["signal"][&name], "{name}");
        }
        let assays = explanation["assays"].as_array().unwrap();
        apart += assays.iter().find(|a| a["assay"] == "H3K27ac").unwrap()["share"]
            .as_f64()
            .unwrap();
    }
    assert!(apart > 0.0);
    // An assay without weight makes no part of a distance; neither does a resolution.
    let weighted = workspace
        .ok(&format!("{line} --weights H3K27ac=0,5kbp=0"))
        .json();
    assert_eq!(weighted["query"]["weights"]["H3K27ac"], 0.0);
    for hit in weighted["hits"].as_array().unwrap() {
        let explanation = &hit["explanation"];
        let assays = explanation["assays"].as_array().unwrap();
        let own = assays.iter().find(|a| a["assay"] == "H3K27ac").unwrap();
        assert_eq!(own["share"], 0.0);
        assert_eq!(explanation["resolutions"]["5kbp"], 0.0);
        assert!((sum(&explanation["tracks"]) - 1.0).abs() < 1e-9);
        assert!(hit["percentile"].is_number());
    }
    assert_ne!(hits(&weighted), hits(&answer));
    let table = workspace
        .ok("similar position chr1:30,010 -k 2 --model encoded --explain --format tsv")
        .tsv();
    for column in [
        "assays_apart",
        "assays_alike",
        "biosamples_apart",
        "biosamples_alike",
    ] {
        assert!(table[0].contains(&column.to_string()), "{:?}", table[0]);
    }
    let at = table[0].iter().position(|c| c == "assays_apart").unwrap();
    assert!(table[1][at].contains("% (") && table[1][at].contains('→'));
    workspace
        .run("similar position chr1:30,010 --model encoded --weights H3K27ac")
        .expect_misuse(&["write it as NAME=WEIGHT"]);
    for (options, message) in [
        ("--weights H3K27ac=-1", "must be between 0"),
        ("--weights NOMARK=1", "neither a resolution nor an assay"),
        ("--metric cosine --explain", "metric euclidean"),
    ] {
        workspace
            .run(&format!(
                "similar position chr1:30,010 --model encoded {options}"
            ))
            .fails(&[message]);
    }
}

#[test]
fn regions_genes_and_batches_are_answered() {
    let workspace = Workspace::trained();
    let answer = workspace
        .ok("similar region chr1:10,001-11,000 -k 3 --exclude 1000 --format json")
        .json();
    assert_eq!(answer["query"]["resolution"], "250bp");
    assert!(hits(&answer).iter().all(|h| h.2 - h.1 <= 250));
    let answer = workspace
        .ok("similar region chr1:10,001-11,000 -k 3 --exclude none --align --format json")
        .json();
    let aligned = hits(&answer);
    assert_eq!(aligned[0], ("chr1".into(), 10_000, 11_000, 0.0));
    assert_eq!(answer["hits"][0]["strand"], "+");
    // How much was read is told of windows too.
    let read = &answer["read"];
    workspace
        .ok("similar region chr1:10,001-11,000 -k 3 --exclude none --align")
        .says(&[
            &format!("exact search: read {} rows at 250 bp", read["250bp"]),
            &format!("and {} at 25 bp", read["25bp"]),
        ]);
    let genes = workspace.ok("similar position chr1:30,010 -k 1 --exclude 0 --format json");
    let gene = genes.json()["hits"][0]["nearest_tss"]
        .as_str()
        .unwrap()
        .to_string();
    let answer = workspace
        .ok(&format!(
            "similar gene {gene} -k 2 --exclude 0 --format json"
        ))
        .json();
    assert_eq!(answer["query"]["gene"], gene.as_str());
    assert_eq!(answer["query"]["part"], "promoter");
    workspace.write(
        "queries.bed",
        "chr1\t1000\t2000\tone\nchr2\t30000\t30025\ttwo\n",
    );
    let answers = workspace
        .ok("similar position --batch queries.bed -k 2 --exclude 0 --format json")
        .json();
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["query"]["start"], 1_500);
    let table = workspace.ok("similar region --batch queries.bed -k 2 --exclude 0 --format csv");
    assert!(table.stdout.starts_with("query,rank,"), "{table}");
}

#[test]
fn a_vector_of_ones_own_is_answered_and_one_that_does_not_fit_refused() {
    let workspace = Workspace::trained();
    let numbers = |n: usize| vec!["0.01"; n].join(" ");
    // The preset small: 5 + 20 + 30 factors.
    workspace.write("v.txt", numbers(55));
    let answer = workspace
        .ok("similar vector v.txt -k 2 --format json")
        .json();
    assert_eq!(hits(&answer).len(), 2);
    // Far from every embedding, all random pairs are nearer.
    workspace.write("far.txt", vec!["1000"; 55].join(" "));
    workspace
        .ok("similar vector far.txt -k 1")
        .says(&["no close match", "100,000 random pairs"]);
    let pooled = "similar vector v.txt -k 2 --resolution 5kbp --format json";
    let exact = workspace.ok(pooled).json();
    let found = workspace.ok(&format!("{pooled} --approximate")).json();
    assert_eq!(found["exact"], false);
    assert_eq!(hits(&found), hits(&exact));
    workspace.write("v.txt", numbers(54));
    workspace
        .run("similar vector v.txt")
        .fails(&["54 numbers where the model's embeddings have 55"]);
    workspace.write("v.txt", numbers(54) + " nan");
    workspace
        .run("similar vector v.txt")
        .fails(&["number 55 of the vector is NaN"]);
    workspace.write("v.txt", "0.1 x");
    workspace
        .run("similar vector v.txt")
        .fails(&["`x` is not a number"]);
}

#[test]
fn biosamples_and_assays_are_compared_and_added() {
    let workspace = Workspace::trained();
    let answer = workspace.ok("similar biosample S1 --format json").json();
    let names: Vec<&str> = (answer["hits"].as_array().unwrap().iter())
        .map(|h| h["biosample"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 3);
    assert!(!names.contains(&"S1"));
    let answer = workspace.ok("similar assay H3K4me3 --profiles imputed --bins 500 --format json");
    assert_eq!(answer.json()["query"]["compared"], "imputed");
    assert_eq!(answer.json()["query"]["metric"], "euclidean");
    workspace
        .ok("similar biosample S1 -k 4")
        .says(&["3 of the model's 4 biosamples", "--with-query"]);
    workspace
        .run("similar biosample S9")
        .fails(&["unknown biosample S9", "nearest: S1"]);
    workspace
        .run("similar assay H3K4me3 -k 0")
        .fails(&["k is 0"]);
    workspace
        .run("similar assay H3K4me3 -k 5")
        .fails(&["no more than the 4 assays"]);
}

#[test]
fn bad_questions_are_refused_with_the_reason() {
    let workspace = Workspace::trained();
    for (line, parts) in [
        (
            "similar position chr1:70,000",
            &["beyond the end of chr1"][..],
        ),
        ("similar position chr9:1", &["`chr9` is not in assembly"]),
        (
            "similar gene NOGENE",
            &["gene NOGENE is not found", "nearest"],
        ),
        ("similar position chr1:100 -k 0", &["k is 0"]),
        (
            "similar position chr1:100 -k 5000",
            &["no more than the 4802 rows of 25bp"],
        ),
        (
            "similar position chr1:100 --exclude 0 --chromosomes chr1 --inside chr2.bed",
            &["the filter allows nothing", "chromosomes leaves 2401 bins"],
        ),
        (
            "similar position chr1:100 --model no",
            &["unknown model no"],
        ),
        (
            "similar position chr1:100 --approximate",
            &["single bins are searched exactly"],
        ),
    ] {
        workspace.write("chr2.bed", "chr2\t0\t1000\n");
        workspace.run(line).fails(parts);
    }
    workspace
        .run("similar position chr1")
        .expect_misuse(&["is not a position"]);
    workspace
        .run("similar position chr1:5 --exclude much")
        .expect_misuse(&["a number of bp, or none"]);
    workspace
        .run("similar position")
        .expect_misuse(&["--batch"]);
    Workspace::ingested()
        .run("similar position chr1:100")
        .fails(&["there is no model"]);
}

#[test]
fn damaged_factors_are_not_indexed_and_what_was_indexed_before_still_answers() {
    let workspace = Workspace::trained();
    let line = "similar position chr1:30,010 -k 6 --exclude 0 --format json";
    let expected = workspace.ok(line).json();
    let connection = rusqlite::Connection::open(workspace.path("x.persea/persea.sqlite")).unwrap();
    let n_damaged = connection
        .execute(
            "UPDATE model_chunks SET data = zeroblob(length(data)) WHERE tensor IN \
             (SELECT id FROM model_tensors WHERE name LIKE 'genome%')",
            [],
        )
        .unwrap();
    drop(connection);
    assert!(n_damaged > 0);
    workspace.run("check").fails(&[]);
    // The index has its own checksums, and was made of the numbers as they were.
    assert_eq!(workspace.ok(line).json(), expected);
    fs::remove_dir_all(workspace.path("x.persea/index")).unwrap();
    workspace.run(line).fails(&["damaged"]);
    workspace.run("index --graph 250bp").fails(&["damaged"]);
}

#[test]
fn a_damaged_index_is_found_by_check_and_written_anew_with_a_word() {
    let workspace = Workspace::trained();
    let line = "similar position chr1:30,010 -k 6 --exclude 0 --format json";
    let listed = workspace.ok("index --format tsv").tsv();
    assert_eq!(listed.len(), 1 + 17);
    workspace.ok("check");
    let expected = workspace.ok(line).json();
    let file = workspace.path("x.persea/index/model1.factors.25bp");
    let mut bytes = fs::read(&file).unwrap();
    for byte in &mut bytes[4_096..] {
        *byte ^= 0x10;
    }
    fs::write(&file, &bytes).unwrap();
    workspace.run("check").fails(&[]);
    let outcome = workspace
        .ok(line)
        .says(&["model1.factors.25bp", "written anew"]);
    assert_eq!(outcome.json(), expected);
    workspace.ok("check");
    fs::write(&file, &bytes[..5_000]).unwrap();
    let outcome = workspace.ok(line).says(&["written anew"]);
    assert_eq!(outcome.json(), expected);
}

#[test]
fn a_graph_is_audited_and_a_damaged_one_built_anew() {
    let workspace = Workspace::trained();
    let built = workspace.ok("index --graph 250bp --format json").json();
    let value = |what: &str| {
        let rows = built.as_array().unwrap();
        let row = rows.iter().find(|r| r["what"] == what).unwrap();
        row["value"].clone()
    };
    assert_eq!(value("n_vectors"), 482);
    assert!(value("recall_at_10").as_f64().unwrap() > 0.9);
    let line = "similar region chr1:10,001-11,000 -k 3 --exclude 1000 --approximate --format json";
    // Nothing but JSON on stdout, whatever the graph's library has to say.
    let expected = workspace.ok(line).json();
    assert_eq!(expected["exact"], false);
    let file = workspace.path("x.persea/index/model1.graph.250bp/dump.hnsw.graph");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let outcome = workspace.ok(line).says(&["built anew"]);
    assert_eq!(outcome.json(), expected);
}

#[test]
fn hits_are_kept_where_a_group_of_biosamples_has_more_signal() {
    let workspace = Workspace::trained();
    workspace.ok("ingest --metadata sim/biosamples.tsv");
    let database = Database::open(&workspace.path("x.persea")).unwrap();
    let biosamples = database.biosamples().unwrap();
    let group = biosamples[0].metadata["group"].as_str().unwrap();
    let is_in = |name: &str| {
        let known = biosamples.iter().find(|b| b.name == name).unwrap();
        known.metadata["group"].as_str() == Some(group)
    };
    let ask = "similar position chr1:30,010 --exclude none --spread none --signal --format json";
    let all = workspace.ok(&format!("{ask} -k 100")).json();
    let answer = workspace.ok(&format!("{ask} -k 20 --higher-in group={group}"));
    assert!(
        answer.stderr.contains("of the 100 nearest"),
        "{}",
        answer.stderr
    );
    // By hand, from the signal that is shown: the difference of means of each assay, then their mean.
    let higher: Vec<(u64, u64)> = (all["hits"].as_array().unwrap().iter())
        .filter(|hit| {
            let mut assays = std::collections::BTreeMap::<&str, [Vec<f64>; 2]>::new();
            for (track, value) in hit["signal"].as_object().unwrap() {
                let (biosample, assay) = track.split_once(':').unwrap();
                let sides = assays.entry(assay).or_default();
                sides[usize::from(is_in(biosample))].push(value.as_f64().unwrap());
            }
            let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
            let both = assays
                .values()
                .filter(|s| s.iter().all(|side| !side.is_empty()));
            both.map(|[out, inside]| mean(inside) - mean(out))
                .sum::<f64>()
                > 0.0
        })
        .map(|hit| (hit["start"].as_u64().unwrap(), hit["end"].as_u64().unwrap()))
        .take(20)
        .collect();
    assert!(!higher.is_empty() && higher.len() < 100);
    let kept: Vec<(u64, u64)> = (hits(&answer.json()).iter().map(|h| (h.1, h.2))).collect();
    assert_eq!(kept, higher);
    workspace
        .run(&format!("{ask} --higher-in group=nothing"))
        .fails(&["group=nothing", "no biosample has it; there are", group]);
    workspace
        .run(&format!("{ask} --higher-in tissue=blood"))
        .fails(&["has no `tissue`; it has group"]);
}
