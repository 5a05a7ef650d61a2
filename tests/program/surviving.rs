//! Kills, full disks and hostile inputs: what is left behind, what still works, what reaches a terminal.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::workspace::{Outcome, SMALL, Workspace, copy_folder, start};

/// All files and folders below a folder.
pub fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The simulated compendium is a link, and read only.
        if path.is_dir() && !path.is_symlink() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found
}

/// What only an unfinished command has a use for.
pub fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let is_left = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_lock = name.ends_with(".lock") && name != "readers.lock" && name != "writers.lock";
        is_lock
            || name.starts_with(".persea")
            || name.ends_with(".part")
            || name.ends_with(".new")
            || name.contains(".creating-")
            || name.contains(".copying-")
            || path
                .parent()
                .is_some_and(|p| p.ends_with("x.persea/writing"))
    };
    below(folder).into_iter().filter(is_left).collect()
}

/// Kills a command at instants all over its run, then runs it to its end; whatever it left is gone then.
fn killed_all_over(workspace: &Workspace, command: &str, again: &dyn Fn()) {
    let began = Instant::now();
    workspace.ok(command);
    let whole = began.elapsed();
    again();
    let n = 12;
    for i in 0..n {
        let running = workspace.start(command);
        std::thread::sleep(whole * (2 * i + 1) / (2 * n));
        running.kill();
    }
    // The last of them may have come to its end.
    again();
    workspace.ok(command);
    let left = leftovers(&workspace.path("."));
    assert!(left.is_empty(), "{command}: {left:?}");
}

#[test]
fn what_killed_commands_leave_is_removed_by_the_next_one() {
    let workspace = Workspace::trained();
    let remove = |name: &str| {
        let path = workspace.path(name);
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_file(&path);
    };
    killed_all_over(
        &workspace,
        "simulate --output other --biosamples 3 --assays 3 --chromosomes 1 --chromosome-bp 400000",
        &|| remove("other"),
    );
    killed_all_over(
        &workspace,
        "create --db new.persea --assembly simulated --chrom-sizes sim/chrom.sizes --genes sim/genes.gtf.gz",
        &|| remove("new.persea"),
    );
    killed_all_over(&workspace, "backup copy.persea", &|| remove("copy.persea"));
    killed_all_over(&workspace, "index", &|| remove("x.persea/index"));
    killed_all_over(&workspace, "impute --all-missing --output imputed", &|| {
        remove("imputed")
    });
    killed_all_over(&workspace, "export completed --output all.zarr", &|| {
        remove("all.zarr")
    });
    killed_all_over(&workspace, "export genome --output factors.parquet", &|| {});
    workspace.is_whole();
}

#[test]
fn ingest_and_training_that_were_killed_leave_nothing_once_they_are_repeated() {
    let workspace = Workspace::created();
    killed_all_over(&workspace, "ingest sim/manifest.tsv", &|| {
        fs::remove_dir_all(workspace.path("x.persea")).unwrap();
        let other = Workspace::created();
        copy_folder(&other.path("x.persea"), &workspace.path("x.persea"));
    });
    let train = format!("train {SMALL} --name m --passes 2 --no-validate --replace");
    killed_all_over(&workspace, &train, &|| {});
    workspace.is_whole();
}

#[test]
fn an_import_that_makes_its_database_can_be_repeated_after_a_kill_at_any_instant() {
    let workspace = Workspace::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/avocado");
    let from = from.display();
    let command = format!(
        "import avocado chrT={from}/chrT chrU={from}/chrU --assembly toy --chrom-sizes {from}/toy.chrom.sizes"
    );
    let began = Instant::now();
    workspace.ok(&command);
    let whole = began.elapsed();
    fs::remove_dir_all(workspace.path("x.persea")).unwrap();
    let n = 25;
    for i in 0..n {
        let running = workspace.start(&command);
        std::thread::sleep(whole * (2 * i + 1) / (2 * n));
        running.kill();
        // Either it is not there, or it is there with its model.
        if workspace.path("x.persea").exists() {
            let models = workspace.ok("model list --format json").json();
            assert_eq!(models.as_array().unwrap().len(), 1, "kill {i}");
            workspace.is_whole();
            fs::remove_dir_all(workspace.path("x.persea")).unwrap();
        }
    }
    workspace.ok(&command);
    workspace.is_whole();
    assert_eq!(leftovers(&workspace.path(".")), Vec::<PathBuf>::new());
}

#[test]
fn a_sweep_beside_live_commands_takes_nothing_from_them() {
    let workspace = Workspace::trained();
    let formats = ["bw", "bedGraph", "npz"];
    let running: Vec<_> = (0..6)
        .map(|i| {
            let ending = formats[i % 3];
            workspace.start(&format!("impute S1:H3K4me3 --output {i}.{ending}"))
        })
        .collect();
    // Each of these sweeps the folder as it begins.
    for i in 0..6 {
        workspace.ok(&format!("export assays --output {i}.tsv"));
    }
    for run in running {
        run.finish().succeeds();
    }
    assert_eq!(leftovers(&workspace.path(".")), Vec::<PathBuf>::new());
}

/// The file's header says this schema.
fn set_version(workspace: &Workspace, version: i32) {
    let file = workspace.path("x.persea/persea.sqlite");
    let mut bytes = fs::read(&file).unwrap();
    // SQLite's file format, 1.3: the user version is the big-endian integer at 60.
    bytes[60..64].copy_from_slice(&version.to_be_bytes());
    fs::write(&file, bytes).unwrap();
}

#[test]
fn a_flipped_bit_in_the_schemas_number_is_named_and_nothing_is_written() {
    let workspace = Workspace::ingested();
    let file = workspace.path("x.persea/persea.sqlite");
    let whole = fs::read(&file).unwrap();
    let version = i32::from_be_bytes(whole[60..64].try_into().unwrap());
    for bit in 0..32 {
        set_version(&workspace, version ^ (1 << bit));
        let damaged = fs::read(&file).unwrap();
        let commands: &[&str] = match bit {
            0..5 => &["info", "check", "ingest sim/manifest.tsv", "track list"],
            _ => &["info"],
        };
        for command in commands {
            let outcome = workspace.run(command);
            assert_eq!(outcome.code, Some(1), "bit {bit}: {outcome}");
            let text = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(text.contains("restore a backup"), "bit {bit}: {outcome}");
            for sql in ["CREATE", "SELECT", "STRICT"] {
                assert!(!text.contains(sql), "bit {bit}: {outcome}");
            }
            assert!(text.len() < 700, "bit {bit}: {outcome}");
        }
        assert_eq!(fs::read(&file).unwrap(), damaged, "bit {bit}");
    }
    set_version(&workspace, version);
    workspace.is_whole();
}

#[test]
fn a_lost_table_is_named_without_a_page_of_sql() {
    let workspace = Workspace::ingested();
    let connection = rusqlite::Connection::open(workspace.path("x.persea/persea.sqlite")).unwrap();
    connection
        .execute_batch("ALTER TABLE track_sources RENAME TO lost")
        .unwrap();
    drop(connection);
    let outcome = workspace.run("track list");
    let outcome = outcome.fails(&["is damaged", "persea check"]);
    assert!(!outcome.stderr.contains("SELECT"), "{outcome}");
}

/// Genes whose names would steer a terminal or run in a spreadsheet.
const HOSTILE: [&str; 3] = ["a\u{1b}]0;owned\u{7}", "b\u{9b}31m", "=HYPERLINK(\"x\")"];

#[test]
fn names_in_files_are_no_commands_to_a_terminal_or_a_spreadsheet() {
    let workspace = Workspace::new();
    let mut genes = String::new();
    for (i, name) in HOSTILE.iter().enumerate() {
        let start = 1000 + 9000 * i;
        let end = start + 500;
        let name = name.replace('"', "'");
        genes += &format!(
            "chr1\tx\tgene\t{start}\t{end}\t.\t+\t.\tgene_id \"G{i}\"; gene_name \"{name}\";\n"
        );
    }
    workspace.write("genes.gtf", genes);
    workspace.ok(
        "create --assembly simulated --chrom-sizes sim/chrom.sizes --regions sim/regions.bed --genes genes.gtf",
    );
    workspace.ok("ingest sim/manifest.tsv");
    workspace.ok(&format!("train {SMALL} --name m --passes 1 --no-validate"));
    let sites: String = (0..3)
        .map(|i| format!("chr1\t{0}\t{0}5\n", 100 + 900 * i))
        .collect();
    workspace.write("sites.bed", sites);
    let mut seen = String::new();
    for format in ["table", "json", "tsv", "csv"] {
        for command in [
            "annotate sites.bed",
            "similar position chr1:1,100 --exclude none -k 20",
        ] {
            let outcome = workspace.ok(&format!("{command} --format {format}"));
            for text in [&outcome.stdout, &outcome.stderr] {
                let control = text
                    .chars()
                    .find(|c| c.is_control() && !"\n\r\t".contains(*c));
                assert_eq!(control, None, "{outcome}");
            }
            let is_separated = matches!(format, "tsv" | "csv");
            for cell in outcome
                .stdout
                .split(['\n', '\t', ','])
                .filter(|_| is_separated)
            {
                assert!(!cell.trim_start_matches('"').starts_with('='), "{outcome}");
            }
            seen += &outcome.stdout;
        }
    }
    assert!(
        seen.contains("owned") && seen.contains("HYPERLINK"),
        "{seen}"
    );
}

#[test]
fn names_in_refused_files_do_not_steer_the_terminal() {
    let workspace = Workspace::created();
    let steering = "\u{1b}[2J\u{1b}]0;owned\u{7}";
    for (name, text, command) in [
        (
            "m.tsv",
            format!("biosample\tassay\tpath\n{steering}\tA\tsim/tracks/S1.H3K4me3.bigwig\n"),
            "ingest m.tsv",
        ),
        (
            "m2.tsv",
            format!("biosample\tassay\tpath\nS\tA\t{steering}.bw\n"),
            "ingest m2.tsv",
        ),
        (
            "bad.bed",
            format!("{steering}\t0\t100\n"),
            "create --db y.persea --assembly simulated --chrom-sizes sim/chrom.sizes --regions bad.bed",
        ),
        (
            "s.toml",
            format!("title = \"{steering}\"\n[[{steering}]]\n"),
            "task suite s.toml",
        ),
    ] {
        workspace.write(name, text);
        let outcome = workspace.run(command);
        assert_ne!(outcome.code, Some(0), "{outcome}");
        assert!(!outcome.stderr.contains(['\u{1b}', '\u{7}']), "{outcome}");
        assert!(!outcome.stdout.contains(['\u{1b}', '\u{7}']), "{outcome}");
    }
}

/// The commands that read each kind of file, with `FILE` in its place.
const READERS: &[&str] = &[
    "ingest FILE",
    "ingest sim/manifest.tsv --metadata FILE",
    "create --db y.persea --assembly toy --chrom-sizes FILE",
    "create --db y.persea --assembly hg38 --regions FILE",
    "create --db y.persea --assembly hg38 --chromosomes chr21 --genes FILE",
    "create --db y.persea --assembly hg38 --chromosomes chr21 --enhancers FILE",
    "create --db y.persea --assembly hg38 --chromosomes chr21 --mask FILE",
    "create --db y.persea --assembly hg38 --chromosomes chr21 --chromosome-aliases FILE",
    "train --name z --model avocado --hold-folds FILE --fold 0",
    "train --name z --model avocado --regions FILE",
    "extend --name e --regions FILE",
    "impute --list FILE --output out",
    "evaluate --truth FILE",
    "evaluate --peaks FILE",
    "evaluate --regions FILE",
    "evaluate --folds FILE",
    "annotate FILE",
    "annotate FILE --enrichment",
    "locus scan FILE --assay H3K4me3",
    "similar position --batch FILE",
    "similar position chr1:5,000 --inside FILE",
    "similar position chr1:5,000 --outside FILE",
    "similar vector FILE",
    "select biosamples -k 2 --matrix FILE",
    "select biosamples -k 2 --expression FILE",
    "select biosamples -k 2 --cost FILE --budget 3",
    "select evaluate -k 2 --expression FILE",
    "select positions -k 2 --given FILE",
    "select positions -k 2 --inside FILE",
    "select positions -k 2 --outside FILE",
    "task import expression FILE",
    "task import interaction FILE",
    "task suite FILE",
    "import avocado chr1=m --trained-on FILE",
];

/// Runs with 4 GB of address space: a reader without a bound dies of it, or of its time.
fn run_bounded(workspace: &Workspace, command: &str) -> (Option<i32>, String, Duration) {
    let program = env!("CARGO_BIN_EXE_persea");
    let script = format!("ulimit -v 4000000; exec timeout 60 {program} --threads 1 {command}");
    let began = Instant::now();
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(workspace.path("."))
        .env("PERSEA_DB", "x.persea")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), stderr, began.elapsed())
}

#[test]
fn every_reader_refuses_what_never_ends() {
    let workspace = Workspace::trained();
    // A line of 2 GB in 2 MB, under every name that is known by its ending.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..2_000 {
        std::io::Write::write_all(&mut packed, &[b'x'; 1 << 20]).unwrap();
    }
    workspace.write("endless.gz", packed.finish().unwrap());
    let refused = |command: &str, why: &[&str]| {
        let (code, stderr, took) = run_bounded(&workspace, command);
        assert!(matches!(code, Some(1 | 2)), "{command}: {code:?} {stderr}");
        assert!(
            why.iter().any(|why| stderr.contains(why)),
            "{command}: {stderr}"
        );
        assert!(took < Duration::from_secs(30), "{command}: {took:?}");
    };
    for command in READERS {
        refused(
            &command.replace("FILE", "/dev/zero"),
            &["/dev/zero: is not a regular file"],
        );
        refused(
            &command.replace("FILE", "endless.gz"),
            &["endless.gz, line 1: is endless"],
        );
    }
    for (json, h5) in [("/dev/zero", "x"), ("sim/regions.bed", "/dev/zero")] {
        for (ending, target) in [("json", json), ("h5", h5)] {
            let link = workspace.path(&format!("m.{ending}"));
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(target, link).unwrap();
        }
        refused(
            "import avocado chr1=m",
            &["not a regular file", "No such file", "not JSON"],
        );
    }
    std::os::unix::fs::symlink("/dev/zero", workspace.path("zero.npy")).unwrap();
    refused("similar vector zero.npy", &["not a regular file"]);
    refused(
        "select biosamples -k 2 --matrix zero.npy",
        &["not a regular file"],
    );
}

#[test]
fn files_of_endlessly_many_short_lines_take_a_bounded_part_of_the_memory() {
    let workspace = Workspace::trained();
    let gene = "chr1\tx\tgene\t1000\t2000\t.\t+\t.\tgene_id \"G1\"; gene_name \"A\";\n";
    let peak = "chr1\t0\t25\t.\t0\t.\t5\t-1\t-1\t-1\n";
    // Each is larger than what of it fits into 2 GiB.
    for (name, line, n) in [
        ("rows.gz", "chr1\t0\t25\n", 24),
        ("sites.vcf.gz", "chr1\t100\t.\tA\tG\t.\t.\t.\n", 13),
        ("genes.gtf.gz", gene, 5),
        ("peaks.narrowPeak.gz", peak, 70),
    ] {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let block = line.repeat(100_000);
        for _ in 0..10 * n {
            std::io::Write::write_all(&mut packed, block.as_bytes()).unwrap();
        }
        workspace.write(name, packed.finish().unwrap());
    }
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\nS9\tCTCF\tpeaks.narrowPeak.gz\n",
    );
    let create = "create --db y.persea --assembly simulated --chrom-sizes sim/chrom.sizes";
    for command in [
        "ingest rows.gz",
        "ingest m.tsv",
        "task import interaction rows.gz",
        &format!("{create} --regions rows.gz"),
        &format!("{create} --genes genes.gtf.gz"),
        &format!("{create} --chromosome-aliases rows.gz"),
        "annotate rows.gz",
        "annotate sites.vcf.gz",
    ] {
        let (code, stderr, _) = run_bounded(&workspace, command);
        assert_eq!(code, Some(1), "{command}: {stderr}");
        assert!(
            stderr.contains("take 2 GiB of memory"),
            "{command}: {stderr}"
        );
    }
}

/// An archive of one array of zeros, `n` by `n` of float32.
fn zeros_npz(path: &Path, n: u64) {
    use std::io::Write;
    let mut npz = persea_files::NpzWriter::new(fs::File::create(path).unwrap());
    npz.begin("arr_0", persea_files::Packing::Deflated).unwrap();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {n}), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    npz.write_all(b"\x93NUMPY\x01\x00").unwrap();
    npz.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    npz.write_all(header.as_bytes()).unwrap();
    let row = vec![0u8; 4 * n as usize];
    for _ in 0..n {
        npz.write_all(&row).unwrap();
    }
    npz.finish().unwrap();
}

#[test]
fn an_archive_that_unpacks_to_far_more_than_is_wanted_is_refused_by_its_shape() {
    let workspace = Workspace::trained();
    zeros_npz(&workspace.path("bomb.npz"), 20_000);
    assert!(fs::metadata(workspace.path("bomb.npz")).unwrap().len() < 10_000_000);
    fs::copy(workspace.path("bomb.npz"), workspace.path("track.npz")).unwrap();
    workspace.write("m.tsv", "biosample\tassay\tpath\nS9\tCTCF\ttrack.npz\n");
    for command in [
        "select biosamples -k 2 --matrix bomb.npz",
        "similar vector bomb.npz",
        "ingest m.tsv",
        "task import expression bomb.npz",
    ] {
        let (code, stderr, took) = run_bounded(&workspace, command);
        assert!(matches!(code, Some(1 | 2)), "{command}: {code:?} {stderr}");
        assert!(!stderr.contains("memory"), "{command}: {stderr}");
        assert!(took < Duration::from_secs(20), "{command}: {took:?}");
    }
}

/// Answers of the commands that only read.
fn answers(folder: &Path) -> Vec<(String, Value)> {
    let commands = [
        "info",
        "check",
        "track list",
        "model list",
        "model show base",
        "similar position chr1:30,000 --exclude none",
        "similar gene GENE1-1 --exclude none",
        "similar biosample S1",
        "similar assay H3K4me3",
        "evaluate",
        "locus chr1:20,001-21,000 --assay H3K4me3",
    ];
    let answer = |command: &&str| -> Option<(String, Value)> {
        let outcome: Outcome = start(folder, &format!("{command} --format json")).finish();
        // A command that this compendium has no answer to has none on a full disk either.
        let value = match outcome.code {
            Some(0) => outcome.json(),
            _ => Value::Null,
        };
        Some((command.to_string(), value))
    };
    commands.iter().filter_map(answer).collect()
}

#[test]
fn on_a_full_disk_everything_that_only_reads_gives_the_same_answers() {
    let workspace = Workspace::trained();
    // Without files of the index, which the first search would write.
    let _ = fs::remove_dir_all(workspace.path("x.persea/index"));
    let Some(disk) = super::full_disk::on_small_disk(&workspace, 16 << 20) else {
        return;
    };
    disk.fill_but(0);
    let full = answers(disk.path());
    disk.free();
    let expected = answers(disk.path());
    assert!(
        expected
            .iter()
            .filter(|(_, value)| !value.is_null())
            .count()
            >= 9,
        "{expected:?}"
    );
    for ((command, full), (_, expected)) in full.iter().zip(&expected) {
        // Nothing can be written to a full disk.
        let mut pair = [full.clone(), expected.clone()];
        for value in &mut pair {
            if let Some(object) = value.as_object_mut() {
                object.retain(|key, _| key != "read_only");
            }
        }
        assert_eq!(pair[0], pair[1], "{command}");
    }
}

#[test]
fn a_log_that_a_kill_left_on_a_full_disk_is_read_with_what_is_in_it() {
    let workspace = Workspace::created();
    let database = persea::store::Database::open(&workspace.path("x.persea")).unwrap();
    workspace.ok("ingest sim/manifest.tsv");
    // Copied while it is open, so that the log is there, as after a kill.
    let Some(disk) = super::full_disk::on_small_disk(&workspace, 8 << 20) else {
        return;
    };
    drop(database);
    let inside = disk.path().join("x.persea");
    let _ = fs::remove_file(inside.join("persea.sqlite-shm"));
    let log = fs::metadata(inside.join("persea.sqlite-wal")).unwrap();
    assert!(log.len() > 32, "the log has been put away");
    disk.fill_but(0);
    let tracks = start(disk.path(), "track list --format json")
        .finish()
        .succeeds();
    assert_eq!(tracks.json().as_array().unwrap().len(), 12, "{tracks}");
    start(disk.path(), "info").finish().succeeds();
    disk.free();
    super::workspace::is_whole(&inside);
    start(disk.path(), "track remove S1:H3K4me3")
        .finish()
        .succeeds();
}
