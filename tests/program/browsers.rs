//! What genome browsers open: hubs, IGV's files, and bigBed of results.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use persea::formats::{bigbed_fields, bigbed_lines};
use serde_json::Value;

use super::exchanging::ask;
use super::read::read_bigwig;
use super::workspace::{SMALL, Workspace};

fn read(workspace: &Workspace, name: &str) -> String {
    fs::read_to_string(workspace.path(name)).unwrap()
}

/// The values of a setting in all stanzas of a trackDb.
fn settings<'a>(track_db: &'a str, key: &str) -> Vec<&'a str> {
    let of = |line: &'a str| line.trim().strip_prefix(key)?.strip_prefix(' ');
    track_db.lines().filter_map(of).collect()
}

/// Opens every bigWig and bigBed below a folder as Python's users do.
const OPENS: &str = r#"
import pathlib, sys
import pyBigWig
try:
    import pybigtools
except ImportError:
    pybigtools = None
n = [0, 0]
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.b[wb]")):
    file = pyBigWig.open(str(path))
    chroms = file.chroms()
    if path.suffix == ".bw":
        assert file.isBigWig() and file.header()["nBasesCovered"] > 0, path
        means = {c: file.stats(c, 0, size)[0] for c, size in chroms.items()}
    else:
        assert file.isBigBed() and b"table " in file.SQL(), path
        n_rows = sum(len(file.entries(c, 0, size) or []) for c, size in chroms.items())
        assert n_rows > 0, path
    if pybigtools:
        other = pybigtools.open(str(path))
        assert other.chroms() == chroms, path
        if path.suffix == ".bw":
            for c, size in chroms.items():
                values = [r[2] for r in other.records(c)]
                assert [r[2] for r in file.intervals(c) or []] == values, (path, c)
        else:
            assert sum(len(list(other.records(c))) for c in chroms) == n_rows, path
    n[path.suffix == ".bb"] += 1
print(*n)
"#;

#[test]
fn a_hub_names_the_files_that_it_has_and_they_hold_what_they_are_called() {
    let workspace = Workspace::trained();
    workspace.ok("similar position chr1:30,001 -k 5 --exclude 1000 --bed hits.bb");
    workspace.ok("diff S1 S2 --assay H3K27ac --min-z 2 --min-effect 0.1 --bed differs.bb");
    workspace.ok(
        "locus scan --promoters --assay H3K27ac --bed scan.bb --any-tss --matched 20 --caliper 5",
    );
    let printed = workspace.ok(
        "export hub hub --tracks both --assay H3K4me3,H3K36me3 --bigbed hits.bb --bigbed differs.bb \
         --bigbed scan.bb --email me@example.org --format json",
    );
    let printed: Value = serde_json::from_str(&printed.stdout).unwrap();
    // Of 4 biosamples and 2 assays, S4 H3K4me3 and S2 H3K36me3 were not measured.
    assert_eq!(printed[0]["measured"], 6);
    assert_eq!(printed[0]["imputed"], 8);
    assert_eq!(printed[0]["bigbed"], 3);
    assert_eq!(
        read(&workspace, "hub/genomes.txt"),
        "genome simulated\ntrackDb simulated/trackDb.txt\n"
    );
    assert!(read(&workspace, "hub/hub.txt").contains("email me@example.org\n"));

    let track_db = read(&workspace, "hub/simulated/trackDb.txt");
    assert_eq!(settings(&track_db, "compositeTrack"), ["faceted"]);
    let files: BTreeSet<&str> = settings(&track_db, "bigDataUrl").into_iter().collect();
    let there: BTreeSet<String> = fs::read_dir(workspace.path("hub/simulated"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".bw") || name.ends_with(".bb"))
        .collect();
    assert_eq!(files.len(), 6 + 8 + 3);
    assert!(there.iter().map(String::as_str).eq(files.iter().copied()));
    let names = settings(&track_db, "track");
    let metadata = read(&workspace, "hub/simulated/metadata.tsv");
    for line in metadata.lines().skip(1) {
        let key = line.split('\t').next().unwrap();
        assert!(names.contains(&format!("persea_{key}").as_str()), "{key}");
    }
    assert_eq!(metadata.lines().count(), 1 + 14);
    // Limits are an assay's own.
    let limits: BTreeSet<&str> = settings(&track_db, "viewLimits").into_iter().collect();
    assert!(limits.len() <= 2, "{limits:?}");
    let labels = settings(&track_db, "shortLabel");
    assert!(labels.contains(&"S1 H3K4me3") && labels.contains(&"imp S1 H3K4me3"));
    assert!(labels.iter().all(|label| label.chars().count() <= 17));

    workspace.ok("impute S1:H3K4me3 --output alone.bw");
    let same = |name: &str, other: &str| {
        let bits = |path: &str| -> Vec<u32> {
            let bases = read_bigwig(&workspace.path(path), "chr2");
            bases.iter().map(|v| v.to_bits()).collect()
        };
        bits(name) == bits(other)
    };
    assert!(same("hub/simulated/S1_H3K4me3_imputed.bw", "alone.bw"));
    assert!(!same("hub/simulated/S1_H3K4me3_measured.bw", "alone.bw"));

    let igv: Value = serde_json::from_str(&read(&workspace, "hub/igv.json")).unwrap();
    let session = read(&workspace, "hub/igv_session.xml");
    let tracks = igv["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 17);
    assert_eq!(igv["reference"]["fastaURL"], "simulated/chrom.sizes");
    for track in tracks {
        let url = track["url"].as_str().unwrap();
        assert!(workspace.path("hub").join(url).is_file(), "{url}");
        assert_eq!(session.matches(&format!("\"{url}\"")).count(), 2, "{url}");
    }
    if let Some(answer) = ask(
        "PERSEA_PYTHON",
        "pyBigWig",
        OPENS,
        &[&workspace.path("hub")],
    ) {
        assert_eq!(answer, "14 3\n");
    }
}

#[test]
fn a_hub_of_measured_tracks_needs_no_model_and_keeps_gaps() {
    let workspace = Workspace::ingested();
    let printed =
        workspace.ok("export hub hub S1:H3K4me3 --tracks measured --region chr1:1,001-2,000");
    assert!(printed.stderr.contains("has no assembly simulated"));
    let bases = read_bigwig(
        &workspace.path("hub/simulated/S1_H3K4me3_measured.bw"),
        "chr1",
    );
    assert!(bases[1_000..2_000].iter().any(|v| v.is_finite()));
    assert!(
        bases[..1_000]
            .iter()
            .chain(&bases[2_000..])
            .all(|v| v.is_nan())
    );
    workspace
        .run("export hub other S1:H3K4me3")
        .fails(&["no model"]);
    assert!(!workspace.path("other").exists());
}

#[test]
fn an_export_is_repeated_without_a_change_and_another_or_a_damaged_hub_is_not_replaced() {
    let workspace = Workspace::trained();
    let export = "export hub hub S1:H3K4me3 S1:H3K27ac --tracks both --format json";
    let first = workspace.ok(export);
    let file = workspace.path("hub/simulated/S1_H3K4me3_imputed.bw");
    let (bytes, modified) = (
        fs::read(&file).unwrap(),
        fs::metadata(&file).unwrap().modified().unwrap(),
    );
    let again = workspace
        .ok(export)
        .says(&["the hub is there already, with the same content"]);
    assert_eq!(again.json(), first.json());
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), modified);
    let refused = &["hub: is there already, and is not replaced"];
    workspace.run(&format!("{export} --arcsinh")).fails(refused);
    workspace
        .run("export hub hub S1:H3K4me3 --tracks both")
        .fails(refused);
    let mut damaged = bytes.clone();
    damaged[300] ^= 1;
    fs::write(&file, damaged).unwrap();
    workspace.run(export).fails(refused);
    fs::write(&file, bytes).unwrap();
    workspace.ok(export);
    // Another model's imputations are another hub.
    workspace.ok(&format!(
        "train {SMALL} --name base --replace --passes 1 --no-validate --seed 5"
    ));
    workspace.run(export).fails(refused);
}

#[test]
fn a_hub_replaces_nothing_and_a_failed_one_leaves_nothing() {
    let workspace = Workspace::trained();
    fs::create_dir(workspace.path("hub")).unwrap();
    workspace.write("hub/notes.txt", "mine");
    workspace
        .run("export hub hub S1:H3K4me3")
        .fails(&["hub: is there already, and is not replaced"]);
    assert_eq!(read(&workspace, "hub/notes.txt"), "mine");
    let n_before = fs::read_dir(workspace.path(".")).unwrap().count();
    workspace.write("no.bb", "chr1\t0\t10\n");
    workspace
        .run("export hub new S1:H3K4me3 --bigbed no.bb")
        .fails(&["no.bb", "no bigBed"]);
    workspace
        .run("export hub new S1:H3K4me3 --assay H3K36me3")
        .expect_misuse(&["no track has one of these"]);
    workspace
        .run("export hub nowhere/new S1:H3K4me3")
        .fails(&["cannot write nowhere/new"]);
    assert_eq!(
        fs::read_dir(workspace.path(".")).unwrap().count(),
        n_before + 1
    );
}

#[test]
fn results_as_bigbed_have_the_rows_of_the_bed_and_the_columns_of_the_table() {
    let workspace = Workspace::trained();
    let places = |text: &str, n: usize| -> BTreeSet<Vec<String>> {
        let fields = |line: &str| line.split('\t').take(n).map(String::from).collect();
        text.lines().map(fields).collect()
    };
    for (command, n_fields, n_standard) in [
        ("similar position chr1:30,001 -k 5 --exclude 1000", 13, 6),
        (
            "diff S1 S2 --assay H3K27ac --min-z 2 --min-effect 0.1",
            15,
            9,
        ),
        (
            "locus scan --promoters --assay H3K27ac --any-tss --matched 20 --caliper 5",
            16,
            6,
        ),
    ] {
        workspace.ok(&format!("{command} --bed a.bed"));
        workspace.ok(&format!("{command} --bed a.bb"));
        let bed = read(&workspace, "a.bed");
        let bigbed: &Path = &workspace.path("a.bb");
        let lines = bigbed_lines(bigbed).unwrap();
        assert!(bed.lines().count() > 0, "{command}");
        assert_eq!(places(&bed, 6), places(&lines, 6), "{command}");
        let fields = bigbed_fields(bigbed).unwrap();
        assert_eq!((fields.n_fields, fields.n_standard), (n_fields, n_standard));
        assert_eq!(fields.n_rows as usize, bed.lines().count());
    }
}
