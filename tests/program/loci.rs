//! Biosamples at loci: `locus`, `diff`, `annotate`, `qc`.

use std::fs;

use super::made::{CHROMOSOME_BINS, write_npz};
use super::workspace::Workspace;

/// Numbers that look random, from 0 to 1.
struct Noise(u64);

impl Noise {
    fn draw(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }
}

/// Puts tracks, which hold what is stored, into the database.
fn ingest(workspace: &Workspace, tracks: &[(&str, &str, Vec<f32>)]) {
    let mut manifest = String::from("biosample\tassay\tpath\ttransform\n");
    for (biosample, assay, values) in tracks {
        let name = format!("{biosample}.{assay}.npz");
        write_npz(&workspace.path(&name), values);
        manifest.push_str(&format!("{biosample}\t{assay}\t{name}\tnone\n"));
    }
    workspace.write("made.tsv", manifest);
    workspace.ok("ingest made.tsv");
}

const N_BINS: usize = 2 * CHROMOSOME_BINS;

/// Four biosamples with one assay: what all do, and noise. `B` has 4 more in bins 1000 to 1040 of chr1.
fn planted() -> Workspace {
    let workspace = Workspace::created();
    let mut noise = Noise(7);
    let common: Vec<f32> = (0..N_BINS / 20 + 1).map(|_| 2.0 * noise.draw()).collect();
    let mut track = |more: f32| -> Vec<f32> {
        let value = |i: usize| {
            common[i / 20]
                + noise.draw()
                + if (1_000..1_040).contains(&i) {
                    more
                } else {
                    0.0
                }
        };
        (0..N_BINS).map(value).collect()
    };
    let tracks = [("A", 0.0), ("B", 4.0), ("C", 0.0), ("D", 0.0)];
    let tracks: Vec<_> = tracks
        .iter()
        .map(|(b, more)| (*b, "P", track(*more)))
        .collect();
    ingest(&workspace, &tracks);
    workspace
}

#[test]
fn the_biosample_that_does_the_unexpected_at_a_locus_stands_out() {
    let workspace = planted();
    // Sixty candidates: of so few none is of another's activity to within the default caliper.
    let line = "locus chr1:25,001-26,000 --assay P --exclude 2000 --caliper 2 --format json";
    let answer = workspace.ok(line).json();
    assert_eq!(answer["locus"]["start"], 25_000);
    assert_eq!(answer["columns"].as_array().unwrap().len(), 40);
    let rows = answer["biosamples"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    // The tree puts the higher branch first.
    assert_eq!(rows[0]["biosample"], "B");
    assert!(rows[0]["departure"].as_f64().unwrap() > 3.0 && rows[0]["z"].as_f64().unwrap() > 10.0);
    assert!(rows[0]["p"].as_f64().unwrap() < 0.1);
    assert_eq!(answer["strongest"], "B");
    assert!(rows[0]["z_without_strongest"].is_null());
    for row in rows {
        assert_eq!(row["source"], "measured");
        let (signal, average) = (
            row["signal"].as_f64().unwrap(),
            row["average"].as_f64().unwrap(),
        );
        assert!((row["departure"].as_f64().unwrap() - (signal - average)).abs() < 1e-9);
        let values: Vec<f64> = (row["values"].as_array().unwrap().iter())
            .map(|v| v.as_f64().unwrap())
            .collect();
        let mean = values.iter().sum::<f64>() / 40.0;
        assert!((mean - signal).abs() < 1e-4, "{mean} {signal}");
        assert!(row["global_similarity"].as_f64().unwrap() > 0.5);
        // B moves the others' average; without it they depart no more than usual.
        if row["biosample"] != "B" {
            assert!(row["z"].as_f64().unwrap() < -1.0, "{row}");
            assert!(
                row["z_without_strongest"].as_f64().unwrap().abs() < 3.0,
                "{row}"
            );
        }
    }
    // The others have the mean of B and two of their own for an average.
    let sum: f64 = rows.iter().map(|r| r["signal"].as_f64().unwrap()).sum();
    let c = rows.iter().find(|r| r["biosample"] == "C").unwrap();
    let average = (sum - c["signal"].as_f64().unwrap()) / 3.0;
    assert!((c["average"].as_f64().unwrap() - average).abs() < 1e-9);
    assert_eq!(answer["clusters"][0]["biosamples"][0], "B");
}

#[test]
fn a_locus_is_drawn_and_written_as_a_table() {
    let workspace = planted();
    let outcome = workspace.ok(
        "locus chr1:25,001-26,000 --assay P --exclude 2000 --flank 500 --values v.tsv --plot l.svg --format tsv",
    );
    let table = outcome.tsv();
    assert_eq!(table[0][..4], ["biosample", "source", "cluster", "signal"]);
    assert_eq!(table.len(), 5);
    outcome.says(&["matched in width, average activity"]);
    let values = fs::read_to_string(workspace.path("v.tsv")).unwrap();
    let header: Vec<&str> = values.lines().next().unwrap().split('\t').collect();
    assert_eq!(header.len(), 5 + 80);
    assert_eq!(header[5], "chr1:24500-24525");
    let svg = fs::read_to_string(workspace.path("l.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("P at chr1:25,001–26,000"));
    workspace
        .run("locus chr1:25,001-26,000 --assay P --plot l.doc")
        .expect_misuse(&[".svg"]);
}

#[test]
fn loci_are_ranked_by_surprise() {
    let workspace = planted();
    let bed: String = (0..50)
        .map(|i| format!("chr1\t{}\t{}\tsite{i}\n", 1_000 * i, 1_000 * i + 1_000))
        .collect();
    workspace.write("loci.bed", bed + "chr2\t0\t1000\tother\n");
    let outcome = workspace.ok("locus scan loci.bed --assay P -k 3 --caliper 2 --format tsv");
    let table = outcome.tsv();
    assert_eq!(table.len(), 4);
    let column = |name: &str| table[0].iter().position(|c| c == name).unwrap();
    assert_eq!(table[1][column("name")], "site25");
    assert_eq!(table[1][column("biosample")], "B");
    outcome.says(&["51 loci compared", "ranking"]);
    let each = workspace
        .ok("locus scan loci.bed --assay P -k 3 --caliper 2 --each --format json")
        .json();
    assert_eq!(each.as_array().unwrap().len(), 12);
    let promoters = workspace
        .ok("locus scan --promoters --assay P -k 2 --caliper 2 --format json")
        .json();
    assert!(promoters[0]["name"].is_string());
    workspace
        .run("locus scan --assay P")
        .expect_misuse(&["--promoters"]);
    workspace
        .run("locus scan loci.bed --assay P -k 0")
        .expect_misuse(&["-k is 0"]);
}

#[test]
fn where_two_biosamples_differ_is_found() {
    let workspace = planted();
    let answer = workspace
        .ok("diff B A --assay P --window 250 --bed d.bed --format json")
        .json();
    let region = &answer["regions"][0];
    assert_eq!(answer["n_regions"], 1, "{answer}");
    assert_eq!(
        (region["start"].as_u64(), region["end"].as_u64()),
        (Some(25_000), Some(26_000))
    );
    assert_eq!(region["more_in"], "B");
    assert!((region["effect"].as_f64().unwrap() - 4.0).abs() < 0.5);
    // The other way round it is the same region.
    let other = workspace
        .ok("diff A B --assay P --window 250 --format json")
        .json();
    assert_eq!(other["regions"][0]["more_in"], "B");
    assert!(other["regions"][0]["effect"].as_f64().unwrap() < -3.5);
    let bed = fs::read_to_string(workspace.path("d.bed")).unwrap();
    assert!(bed.starts_with("chr1\t25000\t26000\tB\t"), "{bed}");
    let none = workspace
        .ok("diff A C --assay P --window 250 --format json")
        .json();
    assert_eq!(none["n_regions"], 0);
}

#[test]
fn sites_of_beds_and_vcfs_are_annotated() {
    let workspace = planted();
    workspace.write("s.bed", "chr1\t25100\t25200\tmine\nchr2\t10\t20\n");
    let table = workspace.ok("annotate s.bed --format tsv").tsv();
    assert_eq!(table.len(), 1 + 2 * 4);
    let column = |name: &str| table[0].iter().position(|c| c == name).unwrap();
    let number = |row: usize, name: &str| table[row][column(name)].parse::<f64>().unwrap();
    assert_eq!(table[2][column("biosample")], "B");
    let specificity = number(2, "specificity");
    assert!((number(2, "signal") - number(2, "average") - specificity).abs() < 1e-9);
    assert!(specificity > 3.0);
    assert!(table[1][column("tss_distance")].parse::<i64>().is_ok());
    // A variant's base lies in one bin.
    workspace.write(
        "v.vcf",
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\nchr1\t25001\trs1\tA\tG\n",
    );
    let variants = workspace.ok("annotate v.vcf --format json").json();
    assert_eq!(
        (variants[1]["start"].as_u64(), variants[1]["name"].as_str()),
        (Some(25_000), Some("rs1"))
    );
    let wide = workspace
        .ok("annotate v.vcf --reach 500 --format json")
        .json();
    assert_ne!(variants[1]["signal"], wide[1]["signal"]);
    workspace
        .run("annotate s.bed --embedding e.npz")
        .fails(&["there is no model", "train"]);
    workspace
        .run("annotate s.bed --assay Q")
        .fails(&["unknown assay Q", "P"]);
    workspace
        .run("annotate nothing.bed")
        .fails(&["nothing.bed"]);
}

#[test]
fn enrichment_is_of_the_sites_that_have_more() {
    let workspace = planted();
    let bed: String = (0..4)
        .map(|i| format!("chr1\t{}\t{}\n", 25_000 + 250 * i, 25_250 + 250 * i))
        .collect();
    workspace.write("s.bed", bed);
    let line =
        "annotate s.bed --enrichment --match width --replicates 200 --block 250 --format json";
    let answer = workspace.ok(line).json();
    assert_eq!(
        (answer["n_sites"].as_u64(), answer["matched_in"].as_str()),
        (Some(4), Some("width"))
    );
    let z = |b: &str| {
        let list = answer["experiments"].as_array().unwrap();
        list.iter().find(|e| e["biosample"] == b).unwrap()["z"]
            .as_f64()
            .unwrap()
    };
    assert!(z("B") > 5.0 && z("A") < 4.0, "{answer}");
    assert_eq!(workspace.ok(line).json(), answer);
    // Four blocks are too few for a p, and one clump of sites says nothing of its own spread.
    assert!(answer["experiments"][0]["p"].is_null());
    assert_eq!(answer["n_blocks"], 4);
    let clump = workspace
        .ok(&line.replace("--block 250", "--block 1000000"))
        .says(&["fewer than ten blocks"]);
    assert_eq!(clump.json()["n_blocks"], 1);
    assert!(clump.json()["experiments"][0]["z"].is_null());
    // Sites all over the chromosome: no enrichment, and a p that is one.
    let bed: String = (0..30)
        .map(|i| format!("chr1\t{}\t{}\n", 1_000 * i, 1_000 * i + 250))
        .collect();
    workspace.write("s.bed", bed);
    let spread = workspace
        .ok(&line.replace("--block 250", "--block 1000"))
        .json();
    assert_eq!(spread["n_blocks"], 30);
    // One seed, one answer; another seed, other draws and another p.
    let line = line.replace("--block 250", "--block 1000");
    assert_eq!(workspace.ok(&line).json(), spread);
    assert_ne!(workspace.ok(&format!("{line} --seed 1")).json(), spread);
    assert!(
        spread["experiments"][0]["p"].as_f64().unwrap() > 0.01,
        "{spread}"
    );
}

/// Five biosamples × three assays of one hidden activity each; the tracks of assay Q in b0 and b3 swapped.
#[test]
fn qc_names_two_tracks_that_are_swapped() {
    let workspace = Workspace::created();
    let mut noise = Noise(3);
    let mut level = || -> Vec<f32> { (0..N_BINS / 10 + 1).map(|_| noise.draw()).collect() };
    let activity: Vec<Vec<f32>> = (0..5).map(|_| level()).collect();
    let assays: Vec<Vec<f32>> = (0..3).map(|_| level()).collect();
    let names = ["b0", "b1", "b2", "b3", "b4"];
    let mut noise = Noise(4);
    let mut tracks = Vec::new();
    for (b, name) in names.iter().enumerate() {
        for (a, assay) in ["P", "Q", "R"].iter().enumerate() {
            let of = match (*assay, b) {
                ("Q", 0) => 3,
                ("Q", 3) => 0,
                _ => b,
            };
            let value = |i: usize| 2.0 * activity[of][i / 10] + assays[a][i / 10];
            let values: Vec<f32> = (0..N_BINS).map(|i| value(i) + 0.5 * noise.draw()).collect();
            tracks.push((*name, *assay, values));
        }
    }
    ingest(&workspace, &tracks);
    let table = workspace.ok("qc --format tsv --groups 10").tsv();
    let verdict = |b: &str, a: &str| {
        let row = table.iter().find(|r| r[0] == b && r[1] == a).unwrap();
        row.last().unwrap().clone()
    };
    assert!(
        verdict("b0", "Q").contains("swapped with b3 Q?"),
        "{table:?}"
    );
    assert!(verdict("b3", "Q").contains("swapped with b0 Q?"));
    assert_eq!(verdict("b1", "P"), "");
    let answer = workspace.ok("qc --format json").json();
    assert_eq!(answer["tracks"].as_array().unwrap().len(), 15);
    workspace.run("qc --models nothing").fails(&["nothing"]);
    workspace
        .run("qc --windows 10")
        .expect_misuse(&["at least 1000"]);
}

#[test]
fn identical_biosamples_neither_surprise_nor_differ() {
    let workspace = Workspace::created();
    let mut noise = Noise(9);
    let values: Vec<f32> = (0..N_BINS).map(|_| noise.draw()).collect();
    let tracks: Vec<_> = ["A", "B", "C"].map(|b| (b, "P", values.clone())).into();
    ingest(&workspace, &tracks);
    let answer = workspace
        .ok("locus chr1:25,001-26,000 --assay P --exclude 2000 --format json")
        .json();
    for row in answer["biosamples"].as_array().unwrap() {
        assert!(row["z"].is_null() && row["p"] == 1.0, "{row}");
        assert_eq!(row["cluster"], 1);
    }
    let answer = workspace.ok("diff A B --assay P --format json").json();
    assert_eq!(answer["n_regions"], 0);
    let answer = workspace.ok("qc --format json").json();
    for track in answer["tracks"].as_array().unwrap() {
        assert!(track["flags"].as_array().unwrap().is_empty(), "{track}");
    }
}

#[test]
fn questions_that_cannot_be_answered_are_refused_with_the_reason() {
    let workspace = planted();
    for (line, parts) in [
        (
            "locus chr1:1-1000 --assay H3K4me9",
            &["unknown assay H3K4me9", "P"][..],
        ),
        ("locus NOGENE --assay P", &["gene NOGENE is not found"]),
        (
            "locus chr1:900,000-900,100 --assay P",
            &["beyond the end of chr1"],
        ),
        ("locus chr9 --assay P", &["chr9"]),
        (
            "locus chr1:1-1000 --assay P --model m",
            &["unknown model m"],
        ),
        (
            "locus chr1:1-1000 --assay P --clusters 9",
            &["9 clusters of 4", "1 to 4"],
        ),
        ("locus chr1:1-1000 --assay P --matched 5", &["too few"]),
        // All else lies within 50 kb of it or is as long: nothing is left to match.
        ("locus chr1:1-60,000 --assay P", &["left to match"]),
        ("diff A A --assay P", &["one biosample"]),
        ("diff A Z --assay P", &["unknown biosample Z", "nearest"]),
        (
            "diff A B --assay P --window 10000",
            &["too few", "--window"],
        ),
        ("diff A B --assay P --window 3", &["25 bp or more"]),
    ] {
        workspace.run(line).fails(parts);
    }
    let one = Workspace::created();
    let mut noise = Noise(1);
    ingest(
        &one,
        &[("A", "P", (0..N_BINS).map(|_| noise.draw()).collect())],
    );
    one.run("locus chr1:1-1000 --assay P")
        .fails(&["measured in 1 biosample", "at least two"]);
    one.run("qc").fails(&["1 track"]);
    one.run("diff A B --assay P")
        .fails(&["unknown biosample B"]);
    let none = Workspace::created();
    none.run("qc").fails(&["0 tracks"]);
    none.run("locus chr1:1-1000 --assay P")
        .fails(&["unknown assay P"]);
}

#[test]
fn what_was_not_measured_is_imputed_and_marked() {
    let workspace = Workspace::trained();
    let answer = workspace
        .ok("locus chr1:25,001-26,000 --assay H3K27ac --exclude 2000 --format json")
        .json();
    assert_eq!(answer["model"], "base");
    let rows = answer["biosamples"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    let measured = workspace.tracks();
    for row in rows {
        let name = format!("{} H3K27ac", row["biosample"].as_str().unwrap());
        let source = if measured.contains(&name) {
            "measured"
        } else {
            "imputed"
        };
        assert_eq!(row["source"], source);
    }
    // What is imputed is compared where that is asked for alone.
    let of = |source: &str| {
        let row = rows.iter().find(|r| r["source"] == source).unwrap();
        row["biosample"].as_str().unwrap().to_string()
    };
    let pair = format!(
        "diff {} {} --assay H3K27ac --window 250",
        of("measured"),
        of("imputed")
    );
    workspace
        .run(&pair)
        .fails(&["was not measured", "--count-imputed"]);
    workspace.ok(&format!("{pair} --count-imputed"));
    let only = workspace
        .ok("locus chr1:25,001-26,000 --assay H3K27ac --exclude 2000 --measured-only --format json")
        .json();
    let n = measured.iter().filter(|t| t.ends_with("H3K27ac")).count();
    assert_eq!(only["biosamples"].as_array().unwrap().len(), n);
    assert!(n < 4);
    // Embeddings: of positions, and of positions in each biosample.
    workspace.write("s.bed", "chr1\t25100\t25200\tmine\nchr2\t10\t20\n");
    workspace.ok("annotate s.bed --assay H3K27ac --embedding e.tsv --hidden h.tsv --format tsv");
    let rows = |name: &str| {
        fs::read_to_string(workspace.path(name))
            .unwrap()
            .lines()
            .count()
    };
    assert_eq!((rows("e.tsv"), rows("h.tsv")), (1 + 2, 1 + 2 * 4));
    // A model speaks for what it held out.
    let answer = workspace.ok("qc --models base --format json").json();
    let held: Vec<&serde_json::Value> = (answer["tracks"].as_array().unwrap().iter())
        .filter(|t| t["model"] == "base")
        .collect();
    assert_eq!(held.len(), 2);
    assert!(
        held.iter()
            .all(|t| t["agreement_with_model"].as_f64().is_some())
    );
}
