//! Ingest: idempotent, resumable, a changed file replaced as a whole; tracks listed, renamed and
//! removed.

use std::fs;

use serde_json::{Value, json};

use super::workspace::{Outcome, Workspace};

/// The one row of counts that `ingest --format json` prints.
fn counts(outcome: &Outcome) -> [u64; 6] {
    let row = &outcome.json()[0];
    [
        "ingested",
        "replaced",
        "unchanged",
        "failed",
        "without_file",
        "not_reached",
    ]
    .map(|name| row[name].as_u64().unwrap())
}

#[test]
fn ingesting_again_changes_nothing() {
    let workspace = Workspace::created();
    let first = workspace.ok("ingest sim/manifest.tsv --format json");
    assert_eq!(counts(&first), [12, 0, 0, 0, 0, 0]);
    let before = workspace.ok("track list --format json").stdout;
    let second = workspace.ok("ingest sim/manifest.tsv --format json");
    assert_eq!(counts(&second), [0, 0, 12, 0, 0, 0]);
    assert_eq!(workspace.ok("track list --format json").stdout, before);
    workspace.is_whole();
}

#[test]
fn a_file_that_was_only_moved_or_touched_is_not_read_again() {
    let workspace = Workspace::ingested();
    fs::create_dir(workspace.path("moved")).unwrap();
    fs::copy(
        workspace.path("sim/tracks/S1.H3K4me3.bigwig"),
        workspace.path("moved/a.bw"),
    )
    .unwrap();
    workspace.write("m.tsv", "biosample\tassay\tpath\nS1\tH3K4me3\tmoved/a.bw\n");
    let again = workspace.ok("ingest m.tsv --format json");
    assert_eq!(counts(&again), [0, 0, 1, 0, 0, 0]);
    let tracks = workspace.ok("track list --format json").json();
    let location = track(&tracks, "S1", "H3K4me3")["location"]
        .as_str()
        .unwrap();
    assert!(location.ends_with("moved/a.bw"), "{location}");
}

fn track<'a>(tracks: &'a Value, biosample: &str, assay: &str) -> &'a Value {
    (tracks.as_array().unwrap().iter())
        .find(|t| t["biosample"] == biosample && t["assay"] == assay)
        .unwrap()
}

#[test]
fn a_changed_file_replaces_its_track_and_no_other() {
    let workspace = Workspace::created();
    let manifest = "biosample\tassay\tpath\nS1\tCTCF\ta.bedGraph\nS2\tCTCF\tb.bedGraph\n";
    workspace.write("m.tsv", manifest);
    workspace.write("a.bedGraph", "chr1\t0\t60010\t1\n");
    workspace.write("b.bedGraph", "chr1\t0\t60010\t2\n");
    workspace.ok("ingest m.tsv");
    let before = workspace.ok("track list --format json").json();
    workspace.write("a.bedGraph", "chr1\t0\t60010\t3\nchr2\t0\t60010\t3\n");
    let outcome = workspace.ok("ingest m.tsv --format json");
    assert_eq!(counts(&outcome), [0, 1, 1, 0, 0, 0]);
    let after = workspace.ok("track list --format json").json();
    assert_eq!(track(&after, "S2", "CTCF"), track(&before, "S2", "CTCF"));
    // arcsinh 1 on half of the bins, where alone it has data, then arcsinh 3 on all.
    let mean = |tracks: &Value| track(tracks, "S1", "CTCF")["mean"].as_f64().unwrap();
    assert!((mean(&before) - 1f64.asinh()).abs() < 1e-6);
    assert_eq!(track(&before, "S1", "CTCF")["coverage"], 0.5);
    assert_eq!(track(&after, "S1", "CTCF")["coverage"], 1.0);
    assert!((mean(&after) - 3f64.asinh()).abs() < 1e-6);
    workspace.is_whole();
}

#[test]
fn another_multiplier_or_transform_replaces_the_track_too() {
    let workspace = Workspace::created();
    // Half of the bins have data, and the mean is over them.
    workspace.write("a.bedGraph", "chr1\t0\t60010\t1\n");
    for (columns, mean) in [
        ("1\tarcsinh", 1f64.asinh()),
        ("3\tarcsinh", 3f64.asinh()),
        ("3\tnone", 3.0),
    ] {
        workspace.write(
            "m.tsv",
            format!(
                "biosample\tassay\tpath\tmultiplier\ttransform\nS1\tCTCF\ta.bedGraph\t{columns}\n"
            ),
        );
        workspace.ok("ingest m.tsv");
        let tracks = workspace.ok("track list --format json").json();
        let found = tracks[0]["mean"].as_f64().unwrap();
        assert!((found - mean).abs() < 1e-6, "{columns}: {found}");
    }
}

/// A track that comes through a pipe lets the test say when it is being read.
#[cfg(unix)]
#[test]
fn an_interrupted_ingest_keeps_what_is_in_and_goes_on_by_the_same_command() {
    let workspace = Workspace::created();
    let server = SlowServer::start("chr1\t0\t60010\t1\n");
    workspace.write(
        "m.tsv",
        format!(
            "biosample\tassay\tpath\n\
             S1\tH3K4me3\tsim/tracks/S1.H3K4me3.bigwig\n\
             S2\tH3K4me3\t{}\n\
             S3\tH3K4me3\tsim/tracks/S3.H3K4me3.bigwig\n",
            server.url
        ),
    );
    let mut running = workspace.start("ingest m.tsv --threads 1 --format json");
    // The program asks for the second track after it has stored the first.
    server.asked.recv().unwrap();
    running.interrupt();
    running.wait_for("stopping after the tracks under way; run the same command to go on");
    server.answer.send(()).unwrap();
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_eq!(counts(&outcome), [1, 0, 0, 0, 0, 2], "{outcome}");
    assert_eq!(workspace.tracks(), ["S1 H3K4me3"]);
    workspace.is_whole();
    let again = workspace.ok("ingest m.tsv --threads 1 --format json");
    assert_eq!(counts(&again), [2, 0, 1, 0, 0, 0]);
    workspace.is_whole();
}

/// Serves one bedGraph by byte ranges. It reports the first request, and answers nothing before it may.
struct SlowServer {
    url: String,
    asked: std::sync::mpsc::Receiver<()>,
    answer: std::sync::mpsc::Sender<()>,
}

impl SlowServer {
    fn start(content: &'static str) -> Self {
        use std::io::{BufRead, BufReader, Write};

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/slow.bedGraph", listener.local_addr().unwrap());
        let (report, asked) = std::sync::mpsc::channel();
        let (answer, may_answer) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                if n == 0 && (report.send(()).is_err() || may_answer.recv().is_err()) {
                    return;
                }
                let (mut first, mut last) = (0, content.len() - 1);
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                for line in lines.map_while(Result::ok) {
                    if line.is_empty() {
                        break;
                    }
                    if let Some((_, range)) = line.to_lowercase().split_once("range: bytes=") {
                        let (from, to) = range.split_once('-').unwrap();
                        first = from.trim().parse().unwrap();
                        last = to.trim().parse::<usize>().unwrap().min(last);
                    }
                }
                let total = content.len();
                let head = match first < total {
                    true => format!(
                        "206 Partial Content\r\nContent-Range: bytes {first}-{last}/{total}"
                    ),
                    false => format!("416 no\r\nContent-Range: bytes */{total}"),
                };
                let body = content.get(first..=last).unwrap_or("");
                // The program may have gone.
                let _ = write!(
                    stream,
                    "HTTP/1.1 {head}\r\nETag: \"one\"\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        SlowServer { url, asked, answer }
    }
}

#[test]
fn an_ingest_that_is_killed_leaves_a_whole_database() {
    let workspace = Workspace::created();
    // At whatever it happens to be doing.
    for milliseconds in [5, 10, 20, 40] {
        let running = workspace.start("ingest sim/manifest.tsv");
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        running.kill();
        workspace.is_undamaged();
    }
    workspace.ok("ingest sim/manifest.tsv");
    assert_eq!(workspace.tracks().len(), 12);
    workspace.is_whole();
}

#[test]
fn what_a_killed_ingest_left_is_noted_by_check_and_swept_by_the_next_writer() {
    let workspace = Workspace::ingested();
    // As a kill between the bytes and the row that makes them real leaves it.
    let arrays = workspace.path("x.persea/signal.zarr");
    let mut some = fs::read_dir(&arrays).unwrap().map(|e| e.unwrap().path());
    let some = some.find(|p| p.is_dir()).unwrap();
    let left = arrays.join("track_99_0badcafe");
    super::workspace::copy_folder(&some, &left);
    let check = workspace
        .ok("check --format json")
        .says(&["x.persea: no damage found"]);
    assert_eq!(check.json()[0]["severity"], "note", "{check}");
    workspace.ok("track remove S1:H3K4me3");
    assert!(!left.exists());
    workspace.is_whole();
}

#[test]
fn rows_without_a_file_are_left_out_and_reported() {
    let workspace = Workspace::created();
    workspace.write(
        "m.csv",
        "biosample,assay,path\nS1,H3K4me3,sim/tracks/S1.H3K4me3.bigwig\nS2,H3K4me3,missing\nS3,H3K4me3,\n",
    );
    let outcome = workspace.ok("ingest m.csv --format json");
    assert_eq!(counts(&outcome), [1, 0, 0, 0, 2, 0]);
    outcome.says(&[
        "m.csv, line 3: S2 H3K4me3 names no file",
        "line 4: S3 H3K4me3",
    ]);
}

#[test]
fn replicates_are_averaged_before_the_transform_when_asked_to() {
    let workspace = Workspace::created();
    workspace.write("a.bedGraph", "chr1\t0\t60010\t1\nchr2\t0\t60010\t1\n");
    workspace.write("b.bedGraph", "chr1\t0\t60010\t4\nchr2\t0\t60010\t4\n");
    workspace.write(
        "m.tsv",
        "cell\tassay\tfile\tnote\nS1\tCTCF\ta.bedGraph\tx\nS1\tCTCF\tb.bedGraph\ty\n",
    );
    let columns = "--columns biosample=cell,path=file";
    workspace
        .run(&format!("ingest m.tsv {columns}"))
        .fails(&["line 3", "--replicates mean"]);
    workspace.ok(&format!("ingest m.tsv {columns} --replicates mean"));
    let tracks = workspace.ok("track list --format json").json();
    let mean = tracks[0]["mean"].as_f64().unwrap();
    assert!((mean - 2.5f64.asinh()).abs() < 1e-6, "{mean}");
}

#[test]
fn tracks_are_listed_renamed_and_removed() {
    let workspace = Workspace::ingested();
    let rows = workspace.ok("track list --format tsv").tsv();
    assert_eq!(rows.len(), 13);
    assert_eq!(rows[0][..3], ["biosample", "assay", "mean"]);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    let table = workspace.ok("track list").stdout;
    assert_eq!(table.lines().count(), 13);

    workspace.ok("track rename biosample S1 liver");
    workspace.ok("track rename assay H3K4me3 promoters");
    let tracks = workspace.tracks();
    assert!(tracks.contains(&"liver promoters".into()), "{tracks:?}");
    assert!(
        !tracks
            .iter()
            .any(|t| t.contains("S1") || t.contains("H3K4me3"))
    );
    workspace.ok("track remove liver:promoters,S2:promoters S3:promoters");
    let tracks = workspace.tracks();
    assert_eq!(tracks.len(), 9);
    assert!(
        !tracks.iter().any(|t| t.contains("promoters")),
        "{tracks:?}"
    );
    // An assay goes with its last track, and comes back with it.
    let info = workspace.ok("info --format json").json();
    assert_eq!((&info["assays"], &info["tracks"]), (&json!(3), &json!(9)));
    workspace.is_whole();
    let outcome = workspace.ok("ingest sim/manifest.tsv --format json");
    assert_eq!(
        counts(&outcome)[0],
        5,
        "S1's three under the old name, and S2's and S3's"
    );
}

#[test]
fn info_says_what_is_in_and_check_that_it_is_whole() {
    let workspace = Workspace::ingested();
    let info = workspace.ok("info --format json").json();
    for (name, value) in [
        ("assembly", json!("simulated")),
        ("regions", json!(2)),
        ("bins", json!(4802)),
        ("biosamples", json!(4)),
        ("assays", json!(4)),
        ("tracks", json!(12)),
        ("experiments_missing", json!(4)),
        ("models", json!([])),
    ] {
        assert_eq!(info[name], value, "{name}");
    }
    workspace.ok("info");
    workspace.ok("check").says(&["x.persea: no damage found"]);
}

#[test]
fn a_copy_of_the_closed_folder_is_the_database() {
    let workspace = Workspace::ingested();
    super::workspace::copy_folder(&workspace.path("x.persea"), &workspace.path("copy.persea"));
    fs::remove_dir_all(workspace.path("x.persea")).unwrap();
    let check = workspace.ok("check --db copy.persea --format json");
    assert_eq!(check.json(), json!([]));
    let tracks = workspace
        .ok("track list --db copy.persea --format json")
        .json();
    assert_eq!(tracks.as_array().unwrap().len(), 12);
}

#[test]
fn tracks_are_stored_as_counts_of_a_step_where_that_is_asked_for_and_the_error_is_shown() {
    let workspace = Workspace::created();
    workspace.ok("ingest sim/manifest.tsv --values u16 --shard 1/2");
    workspace.ok("ingest sim/manifest.tsv --values f32 --shard 2/2");
    let tracks = workspace.ok("track list --format json").json();
    let shown = |name: &str, error: f64| {
        let rows = tracks.as_array().unwrap().iter();
        rows.filter(|t| t["values"] == name && t["greatest_error"] == error)
            .count()
    };
    assert_eq!(
        (shown("u16 1/512", 1.0 / 1024.0), shown("f32", 0.0)),
        (6, 6)
    );
    let info = workspace.ok("info --format json").json();
    assert_eq!(info["tracks_as_u16"], 6);
    assert_eq!(info["greatest_error"], 1.0 / 1024.0);
    let again = workspace.ok("ingest sim/manifest.tsv --format json");
    assert_eq!(counts(&again), [0, 0, 12, 0, 0, 0]);
    workspace.is_whole();
    for (options, says) in [
        ("--step 1/512", "--values"),
        ("--values f32 --step 1/512", "--step is of --values u16"),
        ("--values u16 --step 1/500", "power of two"),
        ("--values u8", "u16"),
    ] {
        let line = format!("ingest sim/manifest.tsv {options}");
        workspace.run(&line).expect_misuse(&[says]);
    }
}

#[test]
fn a_dry_run_sums_the_files_and_reads_none() {
    let workspace = Workspace::created();
    let manifest = "ingest sim/manifest.tsv --dry-run --format json";
    let rows = workspace.ok(manifest).json();
    let value = |rows: &serde_json::Value, what: &str, unit: &str| {
        let mut rows = rows.as_array().unwrap().iter();
        let row = rows.find(|r| r["what"].as_str().unwrap().starts_with(what) && r["unit"] == unit);
        row.unwrap()["value"].as_f64().unwrap()
    };
    let files = fs::read_dir(workspace.path("sim/tracks")).unwrap();
    let bytes: u64 = files.map(|f| f.unwrap().metadata().unwrap().len()).sum();
    let n_tracks = value(&rows, "tracks", "");
    assert!((value(&rows, "files here", "GB") * 1e9 - bytes as f64).abs() < 1.0);
    assert_eq!(value(&rows, "tracks stored already", ""), 0.0);
    assert!((value(&rows, "sum", "minutes") - bytes as f64 / 20e6 / 60.0).abs() < 1e-9);
    assert!(workspace.tracks().is_empty());
    workspace.ok("ingest sim/manifest.tsv");
    let rows = workspace.ok(manifest).json();
    assert_eq!(value(&rows, "tracks stored already", ""), n_tracks);
    assert_eq!(value(&rows, "sum", "GB on disk"), 0.0);
    workspace.write("m.tsv", "biosample\tassay\tpath\nS1\tH3K4me3\tnowhere.bw\n");
    workspace
        .run("ingest m.tsv --dry-run")
        .fails(&["m.tsv, line 2", "No such file"]);
}
