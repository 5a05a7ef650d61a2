//! ENCODE's table of files as a manifest: what is taken, kept and checked.

use std::fs;

use serde_json::Value;

use super::file_server::FileServer;
use super::workspace::Workspace;

const HEADER: [&str; 16] = [
    "File accession",
    "File format",
    "Output type",
    "File assembly",
    "Experiment accession",
    "Assay",
    "Donor(s)",
    "Biosample term name",
    "Biosample type",
    "Experiment target",
    "Biological replicate(s)",
    "md5sum",
    "File download URL",
    "File Status",
    "File analysis title",
    "Audit WARNING",
];

/// A table of two experiments of S1: a merged file beside a single replicate, and peaks of the first. The
/// copies of the merged files and of the peaks are in `files`.
fn table(workspace: &Workspace, second_md5: Option<&str>) {
    fs::create_dir_all(workspace.path("files")).unwrap();
    let copy = |from: &str, to: &str| {
        let to = workspace.path(&format!("files/{to}"));
        fs::copy(workspace.path(from), &to).unwrap();
        persea::formats::md5(&to).unwrap()
    };
    let first = copy("sim/tracks/S1.H3K4me3.bigwig", "ENCFF001PRS.bigWig");
    let second = copy("sim/tracks/S1.H3K27ac.bigwig", "ENCFF002PRS.bigWig");
    let second = second_md5.unwrap_or(&second);
    fs::write(
        workspace.path("files/ENCFF004PRS.narrowPeak"),
        "chr1\t1000\t1500\tp\t0\t.\t5\t-1\t-1\t10\n",
    )
    .unwrap();
    let peaks = persea::formats::md5(&workspace.path("files/ENCFF004PRS.narrowPeak")).unwrap();
    let row =
        |accession: &str, format: &str, output: &str, of: &str, replicates: &str, md5: &str| {
            let target = if of == "ENCSR001PRS" {
                "H3K4me3-human"
            } else {
                "H3K27ac-human"
            };
            let audit = if of == "ENCSR001PRS" {
                "low read depth"
            } else {
                ""
            };
            [
                accession,
                format,
                output,
                "simulated",
                of,
                "Histone ChIP-seq",
                "/human-donors/ENCDO000AAA/",
                "S1",
                "cell line",
                target,
                replicates,
                md5,
                "",
                "released",
                "ENCODE4 v1.6.0",
                audit,
            ]
            .join("\t")
        };
    let p = "signal p-value";
    let lines = [
        HEADER.join("\t"),
        row("ENCFF001PRS", "bigWig", p, "ENCSR001PRS", "1, 2", &first),
        row("ENCFF003PRS", "bigWig", p, "ENCSR001PRS", "1", ""),
        row("ENCFF002PRS", "bigWig", p, "ENCSR002PRS", "1, 2", second),
        row(
            "ENCFF004PRS",
            "bed narrowPeak",
            "replicated peaks",
            "ENCSR001PRS",
            "1, 2",
            &peaks,
        ),
    ];
    workspace.write("metadata.tsv", lines.join("\n") + "\n");
}

#[test]
fn the_portals_table_is_ingested_and_what_it_says_is_kept() {
    let workspace = Workspace::created();
    table(&workspace, None);
    let outcome = workspace.ok("ingest --encode metadata.tsv --files files --format json");
    assert_eq!(outcome.json()[0]["ingested"], 2);
    for said in [
        "taken ENCFF001PRS: S1 H3K4me3, signal p-value (ENCSR001PRS); audit: WARNING: low read depth",
        "left ENCFF003PRS: replicate 1; ENCFF001PRS has replicates 1, 2",
        "peaks ENCFF004PRS: S1 H3K4me3, replicated peaks (ENCSR001PRS)",
    ] {
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    }
    let tracks = workspace.ok("track list --format json").json();
    let of = |assay: &str| -> Value {
        let mut all = tracks.as_array().unwrap().iter();
        all.find(|t| t["assay"] == assay).unwrap().clone()
    };
    let track = of("H3K4me3");
    assert_eq!(track["accession"], "ENCFF001PRS");
    assert_eq!(track["experiment"], "ENCSR001PRS");
    assert_eq!(track["donor"], "/human-donors/ENCDO000AAA/");
    assert_eq!(track["audit"], "WARNING: low read depth");
    assert_eq!(track["unit"], "−log10 p");
    assert_eq!(of("H3K27ac")["audit"], Value::Null);
    // The manifest of peaks is one that an evaluation takes.
    let peaks = fs::read_to_string(workspace.path("files/metadata.peaks.tsv")).unwrap();
    let rows: Vec<&str> = peaks.lines().collect();
    assert_eq!(rows[0], "biosample\tassay\tpath\tformat");
    assert!(
        rows[1].starts_with("S1\tH3K4me3\t") && rows[1].ends_with("\tnarrowpeak"),
        "{peaks}"
    );
    // A second run finds all as it was, however the folder is named.
    fs::create_dir(workspace.path("other")).unwrap();
    for folder in ["files", "other/../files", "./files/"] {
        let again = format!("ingest --encode metadata.tsv --files {folder} --format json");
        assert_eq!(workspace.ok(&again).json()[0]["unchanged"], 2, "{folder}");
    }
    workspace.is_whole();
}

#[test]
fn what_is_known_of_a_file_is_kept_until_its_content_changes() {
    let workspace = Workspace::created();
    table(&workspace, None);
    workspace.ok("ingest --encode metadata.tsv --files files");
    let accession = || {
        let listed = workspace.ok("track list --format json").json();
        let mut all = listed.as_array().unwrap().iter();
        all.find(|t| t["assay"] == "H3K4me3").unwrap()["accession"].clone()
    };
    let copy = workspace.path("files/ENCFF001PRS.bigWig");
    workspace.write(
        "manifest.tsv",
        "biosample\tassay\tpath\tunit\nS1\tH3K4me3\tfiles/ENCFF001PRS.bigWig\t−log10 p\n",
    );
    // The same bytes, written anew.
    let bytes = fs::read(&copy).unwrap();
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, bytes).unwrap();
    workspace.ok("ingest manifest.tsv");
    assert_eq!(accession(), "ENCFF001PRS");
    fs::copy(workspace.path("sim/tracks/S2.H3K4me3.bigwig"), &copy).unwrap();
    let replaced = workspace.ok("ingest manifest.tsv --format json");
    assert_eq!(replaced.json()[0]["replaced"], 1);
    assert_eq!(accession(), Value::Null);
    workspace.is_whole();
}

#[test]
fn a_copy_of_another_md5_is_refused_and_the_others_are_ingested() {
    let workspace = Workspace::created();
    let other = "00000000000000000000000000000001";
    table(&workspace, Some(other));
    workspace
        .run("ingest --encode metadata.tsv --files files")
        .fails(&["S1 H3K27ac", "ENCFF002PRS.bigWig", other, "Remove it"]);
    assert_eq!(workspace.tracks(), ["S1 H3K4me3"]);
}

#[test]
fn a_dry_run_prints_a_manifest_that_ingest_reads() {
    let workspace = Workspace::created();
    table(&workspace, None);
    let printed = workspace.ok("ingest --encode metadata.tsv --files files --dry-run");
    assert!(workspace.tracks().is_empty());
    assert!(!workspace.path("files/metadata.peaks.tsv").exists());
    workspace.write("manifest.tsv", &printed.stdout);
    workspace.ok("ingest manifest.tsv");
    assert_eq!(workspace.tracks(), ["S1 H3K27ac", "S1 H3K4me3"]);
    let json = workspace
        .ok("ingest --encode metadata.tsv --files files --dry-run --format json")
        .json();
    assert_eq!(json["left"][0]["accession"], "ENCFF003PRS");
    assert_eq!(json["taken"][0]["ambiguous"], false);
}

/// A table whose files are on a server, and in no folder: two signal files and peaks.
fn remote(workspace: &Workspace, server: &FileServer, md5: [&str; 3]) {
    let of = [
        (
            "ENCFF001PRS",
            "bigWig",
            "signal p-value",
            "ENCSR001PRS",
            "H3K4me3-human",
        ),
        (
            "ENCFF002PRS",
            "bigWig",
            "signal p-value",
            "ENCSR002PRS",
            "H3K27ac-human",
        ),
        (
            "ENCFF004PRS",
            "bed narrowPeak",
            "replicated peaks",
            "ENCSR001PRS",
            "H3K4me3-human",
        ),
    ];
    let mut text = HEADER.join("\t") + "\n";
    for ((accession, format, output, experiment, target), md5) in of.into_iter().zip(md5) {
        let url = server.url(accession);
        text.push_str(&format!(
            "{accession}\t{format}\t{output}\tsimulated\t{experiment}\tHistone ChIP-seq\t\tS1\t\t{target}\t\
             1, 2\t{md5}\t{url}\treleased\tENCODE4 v1.6.0\t\n"
        ));
    }
    workspace.write("metadata.tsv", text);
}

#[test]
fn files_are_fetched_and_one_of_another_md5_is_not_kept() {
    let workspace = Workspace::created();
    let paths = ["S1.H3K4me3", "S1.H3K27ac"]
        .map(|name| workspace.path(&format!("sim/tracks/{name}.bigwig")));
    let peaks = workspace.write("peaks", "chr1\t1000\t1500\tp\t0\t.\t5\t-1\t-1\t10\n");
    let content = |path: &std::path::Path| fs::read(path).unwrap();
    let server = FileServer::start(vec![
        ("ENCFF001PRS", content(&paths[0])),
        ("ENCFF002PRS", content(&paths[1])),
        ("ENCFF004PRS", content(&peaks)),
    ]);
    let fits = [&paths[0], &paths[1], &peaks].map(|path| persea::formats::md5(path).unwrap());
    let other = "00000000000000000000000000000001";
    remote(&workspace, &server, [&fits[0], other, &fits[2]]);
    let command = "ingest --encode metadata.tsv --files files";
    workspace.run(command).fails(&[
        "S1 H3K27ac",
        "/ENCFF002PRS",
        other,
        &fits[1],
        "it is not kept",
    ]);
    assert_eq!(workspace.tracks(), ["S1 H3K4me3"]);
    let listed = || {
        let entries = fs::read_dir(workspace.path("files")).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let kept = [
        "ENCFF001PRS.bigWig",
        "ENCFF004PRS.bed.gz",
        "metadata.peaks.tsv",
    ];
    assert_eq!(listed(), kept);
    assert_eq!(
        content(&workspace.path("files/ENCFF001PRS.bigWig")),
        content(&paths[0])
    );

    // The table is mended: what is here is not fetched again.
    remote(&workspace, &server, [&fits[0], &fits[1], &fits[2]]);
    let before = server.n_sent("ENCFF001PRS");
    workspace.ok(command);
    assert_eq!(workspace.tracks(), ["S1 H3K27ac", "S1 H3K4me3"]);
    assert_eq!(server.n_sent("ENCFF001PRS"), before);
    workspace.is_whole();
}

#[test]
fn a_fetch_that_is_killed_continues_where_it_was() {
    const PART: usize = 8 << 20;
    let workspace = Workspace::created();
    let signal = workspace.path("sim/tracks/S1.H3K4me3.bigwig");
    let line = b"chr1\t1000\t1500\tp\t0\t.\t5\t-1\t-1\t10\n";
    let peaks = line.repeat(9 * (1 << 20) / line.len());
    let path = workspace.write("peaks", &peaks);
    let mut server = FileServer::start(vec![
        ("ENCFF001PRS", fs::read(&signal).unwrap()),
        ("ENCFF002PRS", fs::read(&signal).unwrap()),
        ("ENCFF004PRS", peaks.clone()),
    ]);
    let [signal, whole] = [&signal, &path].map(|path| persea::formats::md5(path).unwrap());
    remote(&workspace, &server, [&signal, &signal, &whole]);
    let command = "ingest --encode metadata.tsv --files files";
    // The second part of the peaks is asked for and never comes.
    let asked = server.hold("ENCFF004PRS", PART);
    let running = workspace.start(command);
    asked
        .recv_timeout(std::time::Duration::from_secs(60))
        .unwrap();
    running.kill();
    let part = workspace.path("files/ENCFF004PRS.bed.gz.part");
    assert_eq!(fs::metadata(&part).unwrap().len(), PART as u64);
    server.release();
    let before = server.n_sent("ENCFF004PRS");
    workspace.ok(command);
    // One byte tells the length; the rest was left.
    let sent = server.n_sent("ENCFF004PRS") - before;
    assert_eq!(sent, 1 + (peaks.len() - PART) as u64);
    let fetched = fs::read(workspace.path("files/ENCFF004PRS.bed.gz")).unwrap();
    assert!(fetched == peaks && !part.exists());
    workspace.is_whole();
}
