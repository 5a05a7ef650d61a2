//! Tracks brought to their assay's reference: `ingest --normalise`, and what is imputed then.

use serde_json::Value;

use super::read::{read_npz, stored};
use super::workspace::{SMALL, Workspace, is_whole};

/// A database of tracks over 24,000 bins: the usual compendium has too few peaks in common.
fn ingested() -> Workspace {
    let workspace = Workspace::new();
    workspace.ok(
        "simulate --output big --biosamples 6 --groups 1 --assays 2 --chromosomes 1 --chromosome-bp 600000 \
         --missing 0.3 --seed 3",
    );
    create(&workspace, "x.persea");
    // Of a biosample and an assay that have other tracks.
    let all = std::fs::read_to_string(workspace.path("big/manifest.tsv")).unwrap();
    let but_one = all
        .lines()
        .filter(|line| !line.starts_with("S6\tH3K4me3\t"));
    let but_one: Vec<&str> = but_one.collect();
    assert_eq!(but_one.len(), 1 + 11);
    workspace.write("big/manifest.tsv", but_one.join("\n") + "\n");
    workspace.ok("ingest big/manifest.tsv");
    workspace
}

fn create(workspace: &Workspace, database: &str) {
    workspace.ok(&format!(
        "create --db {database} --assembly simulated --chrom-sizes big/chrom.sizes --mask big/mask.bed"
    ));
}

fn rows(workspace: &Workspace, database: &str) -> Vec<Value> {
    let listed = workspace.ok(&format!("track list --db {database} --format json"));
    listed.json().as_array().unwrap().clone()
}

#[test]
fn tracks_are_normalised_and_what_is_imputed_for_a_measured_one_is_in_its_own_unit() {
    let workspace = ingested();
    let before = rows(&workspace, "x.persea");
    let outcome = workspace.ok("ingest --normalise --format json");
    let n = outcome.json()[0]["normalised"].as_u64().unwrap();
    assert_eq!(n as usize, before.len(), "{outcome}");
    let again = workspace.ok("ingest big/manifest.tsv --normalise --format json");
    let counts = &again.json()[0];
    assert_eq!(
        (&counts["unchanged"], &counts["normalised"]),
        (&n.into(), &0.into())
    );
    let info = workspace.ok("info --format json").json();
    assert_eq!(info["tracks_normalised"], n);

    let after = rows(&workspace, "x.persea");
    let laws: Vec<(String, f64, f64)> = (after.iter())
        .filter_map(|t| {
            let name = format!("{}:{}", t["biosample"].as_str()?, t["assay"].as_str()?);
            Some((name, t["factor"].as_f64()?, t["exponent"].as_f64()?))
        })
        .collect();
    assert_eq!(laws.len() as u64, n);
    for (then, now) in before.iter().zip(&after) {
        let is_normalised = now["factor"].is_number();
        assert_eq!(is_normalised, then["checksum"] != now["checksum"], "{now}");
        assert_eq!(then["nan_bins"], now["nan_bins"]);
    }

    workspace.ok(&format!("train {SMALL} --name n --passes 1 --no-validate"));
    let (name, factor, exponent) = &laws[0];
    let (biosample, assay) = name.split_once(':').unwrap();
    workspace.ok(&format!("impute {name} --output stored.npz --arcsinh"));
    let outcome = workspace.ok(&format!("impute {name} --output signal.npz"));
    assert!(!outcome.stderr.contains("reference"), "{outcome}");
    let pairs = (read_npz(&workspace.path("stored.npz")).into_iter())
        .zip(read_npz(&workspace.path("signal.npz")));
    for (stored, signal) in pairs {
        let size = f64::from(stored.abs());
        let transformed = ((size / factor).powf(1.0 / exponent)).copysign(f64::from(stored));
        let expected = transformed.sinh();
        assert!(
            (f64::from(signal) - expected).abs() <= 2e-6 * expected.abs(),
            "{stored} {signal}"
        );
    }
    // A measured track leaves as it came.
    workspace.ok("export completed --output files --as npz");
    let came = workspace.path("raw.persea");
    create(&workspace, "raw.persea");
    workspace.ok("ingest big/manifest.tsv --db raw.persea");
    let left = read_npz(&workspace.path(&format!("files/{biosample}.{assay}.npz")));
    for (came, left) in stored(&came, biosample, assay).iter().zip(&left) {
        let came = f64::from(*came).sinh();
        let is_same = (f64::from(*left) - came).abs() <= 1e-5 * came.abs();
        assert!(is_same || (left.is_nan() && came.is_nan()), "{came} {left}");
    }

    // Of a normalised assay, but without a track.
    let assays: Vec<&str> = laws
        .iter()
        .filter_map(|(name, ..)| name.split(':').nth(1))
        .collect();
    let missing = (1..=6)
        .flat_map(|b| assays.iter().map(move |a| format!("S{b}:{a}")))
        .find(|name| !workspace.tracks().contains(&name.replace(':', " ")))
        .unwrap();
    workspace
        .ok(&format!("impute {missing} --output missing.npz"))
        .says(&["on the scale of the assay's reference"]);
}

#[test]
fn a_backup_and_a_merge_keep_what_was_normalised_and_a_shard_is_not_normalised() {
    let workspace = ingested();
    workspace
        .run("ingest big/manifest.tsv --normalise --shard 1/2")
        .expect_misuse(&["`persea merge`", "persea ingest --normalise"]);
    workspace.ok("ingest big/manifest.tsv --normalise");
    workspace.ok("backup copy.persea");
    workspace
        .ok("diff databases x.persea copy.persea")
        .says(&["no difference found"]);
    workspace.ok("merge merged.persea x.persea");
    workspace
        .ok("diff databases x.persea merged.persea")
        .says(&["no difference found"]);
    is_whole(&workspace.path("merged.persea"));
    let laws = |database: &str| -> Vec<Value> {
        let rows = rows(&workspace, database);
        rows.iter().map(|t| t["factor"].clone()).collect()
    };
    assert!(laws("x.persea").iter().any(Value::is_number));
    assert_eq!(laws("x.persea"), laws("merged.persea"));
}

#[test]
fn qc_measures_each_track_beside_its_assay_and_normalising_brings_it_there() {
    let workspace = ingested();
    let sizes = |workspace: &Workspace| {
        let answer = workspace.ok("qc --format json").json();
        let tracks = answer["tracks"].as_array().unwrap();
        let of = |t: &Value| t["peaks"]["log2_ratio"].as_f64();
        let found: Vec<f64> = tracks.iter().filter_map(of).map(f64::abs).collect();
        assert!(found.len() >= 3, "{answer}");
        found.iter().sum::<f64>() / found.len() as f64
    };
    let before = sizes(&workspace);
    workspace.ok("ingest --normalise");
    let after = sizes(&workspace);
    // Over windows of 250 bp, where the law is of bins of 25 bp.
    assert!(after < 0.5 * before, "{before} {after}");
    let header = &workspace.ok("qc --format tsv").tsv()[0];
    for column in ["background", "background_z", "peaks", "peaks_z"] {
        assert!(header.iter().any(|c| c == column), "{header:?}");
    }
}
