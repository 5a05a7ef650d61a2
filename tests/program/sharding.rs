//! Work that several jobs share: shards of a compendium, of imputations and of evaluations.

use std::fs;
use std::path::Path;
use std::time::Duration;

use persea::store::Database;
use serde_json::Value;

use super::workspace::{SMALL, Workspace, is_whole, tracks};

const CREATE: &str = "--assembly simulated --chrom-sizes sim/chrom.sizes --regions sim/regions.bed \
                      --genes sim/genes.gtf.gz --enhancers sim/enhancers.bed --mask sim/mask.bed";

/// Four shards of the compendium, `1.persea` to `4.persea`.
fn shards(workspace: &Workspace) -> &'static str {
    for i in 1..=4 {
        workspace.ok(&format!("create --db {i}.persea {CREATE}"));
        workspace.ok(&format!(
            "ingest sim/manifest.tsv --shard {i}/4 --db {i}.persea"
        ));
    }
    "1.persea 2.persea 3.persea 4.persea"
}

/// All files of a folder by name, but for records of shards.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|e| (e.file_name().into_string().unwrap(), e.path()))
        .filter(|(name, _)| !name.ends_with(".json"))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn merged_shards_and_a_single_database_have_equal_rows_arrays_factors_and_answers() {
    let workspace = Workspace::created();
    workspace.ok("ingest sim/manifest.tsv");
    let shards = shards(&workspace);
    let sizes = (1..=4).map(|i| tracks(&workspace.path(&format!("{i}.persea"))).len());
    assert_eq!(sizes.collect::<Vec<_>>(), [3, 3, 3, 3]);
    let merged = workspace.ok(&format!("merge m.persea {shards} --format json"));
    assert_eq!(merged.json()[0]["merged"], 12, "{merged}");
    is_whole(&workspace.path("m.persea"));
    workspace
        .ok("diff databases m.persea x.persea")
        .says(&["no difference found"]);

    for database in ["m.persea", "x.persea"] {
        workspace.ok(&format!(
            "train {SMALL} --db {database} --name base --passes 2 --no-validate \
             --hold S1:H3K4me3,S3:H3K36me3"
        ));
        workspace.ok(&format!("evaluate --db {database} --format json"));
    }
    workspace.ok("diff databases m.persea x.persea");
    for question in [
        "similar biosample S1 --format json",
        "similar position chr1:30,001 -k 5 --format json",
        "evaluate --format json",
        "locus chr1:10,001-12,000 --assay H3K4me3 --format json",
        "track list --format tsv",
    ] {
        let of = |database: &str| {
            let found = workspace.ok(&format!("{question} --db {database}"));
            let lines = found.stdout.lines().map(str::to_string);
            // When a track was stored is no answer.
            let dated = |line: &str| {
                line.split('\t')
                    .any(|c| c.starts_with("20") && c.ends_with('Z'))
            };
            lines.filter(|l| !dated(l)).collect::<Vec<_>>()
        };
        assert_eq!(of("m.persea"), of("x.persea"), "{question}");
    }
    for database in ["m", "x"] {
        workspace.ok(&format!(
            "impute S1:H3K4me3 --db {database}.persea --output {database}.bw"
        ));
    }
    let bytes = |name: &str| fs::read(workspace.path(name)).unwrap();
    assert_eq!(bytes("m.bw"), bytes("x.bw"));
}

#[test]
fn a_difference_of_two_databases_is_listed_and_exits_with_1() {
    let workspace = Workspace::trained();
    workspace.ok("backup copy.persea");
    workspace.ok("diff databases x.persea copy.persea");
    workspace.ok("track remove S2:H3K4me1 --db copy.persea");
    let found = workspace.run("diff databases x.persea copy.persea --format json");
    assert_eq!(found.code, Some(1), "{found}");
    let found = found.json();
    assert_eq!(found[0]["what"], "track S2 H3K4me1");
    assert_eq!(found[0]["how"], "is only in the first");
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    workspace
        .run("diff databases x.persea nowhere.persea")
        .fails(&["nowhere.persea"]);
}

#[test]
fn a_merge_is_repeated_without_a_change_and_takes_what_is_new() {
    let workspace = Workspace::created();
    shards(&workspace);
    workspace.ok("merge x.persea 1.persea 2.persea");
    assert_eq!(workspace.tracks().len(), 6);
    let again = workspace.ok("merge x.persea 1.persea 2.persea --format json");
    assert_eq!(
        (&again.json()[0]["merged"], &again.json()[0]["unchanged"]),
        (&Value::from(0), &Value::from(6))
    );
    // An ingest of a shard may be repeated as well.
    let again = workspace.ok("ingest sim/manifest.tsv --shard 3/4 --db 3.persea --format json");
    assert_eq!(again.json()[0]["unchanged"], 3);
    workspace.ok("merge x.persea 1.persea 2.persea 3.persea 4.persea");
    assert_eq!(workspace.tracks().len(), 12);
    workspace.is_whole();
    let everything = workspace.ok("ingest sim/manifest.tsv --format json");
    assert_eq!(everything.json()[0]["unchanged"], 12, "{everything}");
}

#[test]
fn a_damaged_shard_and_a_track_with_two_contents_are_refused_by_name() {
    let workspace = Workspace::created();
    let shards = shards(&workspace);
    let array = |database: &str| {
        let database = Database::open(&workspace.path(database)).unwrap();
        let track = database.tracks().unwrap().swap_remove(0);
        let folder = database.path().join("signal.zarr").join(&track.array);
        (track, folder)
    };
    let (track, folder) = array("3.persea");
    let shard = walk(&folder).into_iter().max_by_key(|(n, _)| *n).unwrap().1;
    let whole = fs::read(&shard).unwrap();
    let mut bytes = whole.clone();
    bytes[20] ^= 1;
    fs::write(&shard, bytes).unwrap();
    let name = format!("{} {}", track.biosample, track.assay);
    workspace
        .run(&format!("merge new.persea {shards}"))
        .fails(&["3.persea cannot be merged", &name, "nothing was merged"]);
    assert!(!workspace.path("new.persea").exists());
    workspace
        .run(&format!("merge x.persea {shards}"))
        .fails(&["3.persea cannot be merged"]);
    assert_eq!(workspace.tracks(), [""; 0]);
    workspace.is_whole();
    fs::write(&shard, whole).unwrap();

    // The same experiment from another file.
    let (track, _) = array("4.persea");
    let manifest = fs::read_to_string(workspace.path("sim/manifest.tsv")).unwrap();
    let path = manifest.lines().nth(1).unwrap().split('\t').nth(2).unwrap();
    workspace.write(
        "other.tsv",
        format!(
            "biosample\tassay\tpath\n{}\t{}\tsim/{path}\n",
            track.biosample, track.assay
        ),
    );
    workspace.ok("ingest other.tsv --db 1.persea");
    workspace.run(&format!("merge x.persea {shards}")).fails(&[
        "1.persea and 4.persea disagree",
        &format!("track {} {}", track.biosample, track.assay),
    ]);
    assert_eq!(workspace.tracks(), [""; 0]);
    workspace
        .run("merge 1.persea 1.persea")
        .fails(&["cannot be a shard as well"]);
}

/// All files below a folder, with their lengths.
fn walk(folder: &Path) -> Vec<(u64, std::path::PathBuf)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(walk(&entry.path())),
            false => found.push((entry.metadata().unwrap().len(), entry.path())),
        }
    }
    found
}

#[test]
fn a_merge_that_is_killed_leaves_the_target_as_it_was_and_is_repeated() {
    let workspace = Workspace::created();
    let shards = shards(&workspace);
    let mut n_interrupted = 0;
    for delay in [1, 3, 6, 10, 15, 25] {
        let merge = workspace.start(&format!("merge x.persea {shards}"));
        std::thread::sleep(Duration::from_millis(delay));
        merge.kill();
        workspace.is_undamaged();
        let n = workspace.tracks().len();
        assert!(n == 0 || n == 12, "{n}");
        n_interrupted += usize::from(n == 0);
    }
    assert!(n_interrupted > 0);
    workspace.ok(&format!("merge x.persea {shards}"));
    workspace.is_whole();
    assert_eq!(workspace.tracks().len(), 12);
    let arrays = fs::read_dir(workspace.path("x.persea/signal.zarr")).unwrap();
    let arrays = arrays.map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(arrays.filter(|n| n.starts_with("track_")).count(), 12);
}

#[test]
fn shards_of_imputations_are_one_jobs_files_and_only_what_is_missing_is_done_again() {
    let workspace = Workspace::trained();
    workspace.ok("impute --all-missing --output one");
    for i in 1..=3 {
        workspace.ok(&format!(
            "impute --all-missing --shard {i}/3 --output parts"
        ));
    }
    let (one, parts) = (workspace.path("one"), workspace.path("parts"));
    assert_eq!(files(&parts), files(&one));
    let n = files(&one).len();
    assert_eq!(n, 4);
    let repeat = |options: &str, imputed: usize, before: usize| {
        workspace
            .ok(&format!(
                "impute --all-missing --shard 1/3 --output parts {options}"
            ))
            .says(&[&format!(
                "{imputed} experiments imputed, {before} had been imputed before"
            )]);
    };
    repeat("", 0, 2);
    // One that was removed, and one with a flipped bit.
    let record = fs::read_to_string(workspace.path("parts/shard-1-of-3.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let names: Vec<&String> = record["files"].as_object().unwrap().keys().collect();
    fs::remove_file(parts.join(names[0])).unwrap();
    repeat("", 1, 1);
    let mut bytes = fs::read(parts.join(names[1])).unwrap();
    bytes[100] ^= 1;
    fs::write(parts.join(names[1]), bytes).unwrap();
    repeat("", 1, 1);
    assert_eq!(files(&parts), files(&one));
    // Another scale is another file.
    repeat("--arcsinh", 2, 0);
    assert_ne!(files(&parts), files(&one));
    // So is another model's; a damaged record is as none.
    repeat("", 2, 0);
    workspace.write("parts/shard-1-of-3.json", "{\"files\": 7");
    repeat("", 2, 0);
    assert_eq!(files(&parts), files(&one));
    workspace
        .ok("impute S1:H3K4me3 --shard 2/2 --output parts")
        .says(&["shard 2/2 has no experiment"]);
    workspace
        .run("impute --all-missing --shard 4/3 --output parts")
        .expect_misuse(&["4/3", "1/4"]);
}

#[test]
fn shards_of_an_evaluation_are_put_together_as_one_job_would_have_made_it() {
    let workspace = Workspace::trained();
    let whole = workspace
        .ok("evaluate --format json --baselines scaled_average")
        .json();
    workspace.ok("model show base");
    for i in 1..=3 {
        let part = workspace.ok(&format!(
            "evaluate --format json --baselines scaled_average --shard {i}/3"
        ));
        workspace.write(&format!("{i}.json"), part.stdout);
    }
    let merge = "evaluate --format json --baselines scaled_average --merge";
    let merged = workspace
        .ok(&format!("{merge} 2.json,3.json,1.json"))
        .json();
    assert_close(&merged, &whole, "");
    workspace
        .run(&format!("{merge} 1.json,2.json"))
        .fails(&["part 3 is missing"]);
    workspace
        .run(&format!("{merge} 1.json,2.json,2.json"))
        .fails(&["is the same part as 2.json"]);
    workspace
        .run("evaluate --merge 1.json,2.json,3.json")
        .fails(&["1.json is of other options"]);
    workspace.write("x.json", "[1, 2");
    workspace
        .run(&format!("{merge} 1.json,x.json,3.json"))
        .fails(&["x.json is not what"]);
}

/// Numbers in text lose at most their last digit.
fn assert_close(a: &Value, b: &Value, at: &str) {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-12 * b.abs().max(1e-3), "{at}: {a} {b}");
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{at}");
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                assert_close(a, b, &format!("{at}[{i}]"));
            }
        }
        (Value::Object(a), Value::Object(b)) => {
            let keys = |of: &serde_json::Map<String, Value>| of.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(a), keys(b), "{at}");
            for (key, a) in a {
                assert_close(a, &b[key], &format!("{at}.{key}"));
            }
        }
        _ => assert_eq!(a, b, "{at}"),
    }
}
