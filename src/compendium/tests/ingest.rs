//! Ingest: what is stored, skipped, replaced, refused.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::super::*;
use super::{asinh, folder_with, names, ramp, read, run, write_npy};
use crate::store::test_support::{
    SmallDisk, read_track as stored, store_track, toy_axis, toy_database, toy_parts, toy_track,
};
use crate::store::{Database, StoreError, Transform};

#[test]
fn ingest_stores_the_arcsinh_and_a_second_one_skips_all() {
    let folder = folder_with(
        "biosample assay path multiplier\nE003 x a.npy 1\nE017 x b.npy 10\nE003 y missing 1\nE017 y \t1\n",
    );
    let (_keep, db) = toy_database();
    let report = run(&db, &folder);
    assert_eq!(names(&report.ingested), ["E003 x", "E017 x"]);
    assert!(
        report.failed.is_empty() && report.warnings.is_empty(),
        "{report:?}"
    );
    let lines: Vec<(u64, &str)> = report
        .without_file
        .iter()
        .map(|s| (s.line, s.assay.as_str()))
        .collect();
    assert_eq!(lines, [(4, "y"), (5, "y")]);
    assert_eq!(stored(&db, "E003", "x"), asinh(&ramp(0)));
    let times_ten: Vec<f32> = ramp(1)
        .iter()
        .map(|v| (f64::from(*v) * 10.0).asinh() as f32)
        .collect();
    assert_eq!(stored(&db, "E017", "x"), times_ten);
    let track = db.track("E017", "x").unwrap().unwrap();
    assert_eq!(track.multiplier, 10.0);
    assert_eq!(
        track.location,
        folder.path().join("b.npy").display().to_string()
    );

    let before: Vec<String> = db.tracks().unwrap().into_iter().map(|t| t.array).collect();
    let report = run(&db, &folder);
    assert_eq!(names(&report.skipped), ["E003 x", "E017 x"]);
    let after: Vec<String> = db.tracks().unwrap().into_iter().map(|t| t.array).collect();
    assert_eq!(before, after);
}

#[test]
fn what_has_changed_is_replaced_and_what_was_only_touched_or_moved_is_not() {
    let folder = folder_with("biosample assay path\nE003 x a.npy\nE017 x b.npy\n");
    let (_keep, db) = toy_database();
    run(&db, &folder);
    let array = |biosample: &str| db.track(biosample, "x").unwrap().unwrap().array;
    let (a, b) = (array("E003"), array("E017"));

    // Content.
    write_npy(&folder.path().join("a.npy"), &ramp(9));
    let report = run(&db, &folder);
    assert_eq!(names(&report.replaced), ["E003 x"]);
    assert_eq!(names(&report.skipped), ["E017 x"]);
    assert_eq!(stored(&db, "E003", "x"), asinh(&ramp(9)));
    assert_ne!(array("E003"), a);

    // Touched, moved.
    let bytes = fs::read(folder.path().join("b.npy")).unwrap();
    fs::remove_file(folder.path().join("b.npy")).unwrap();
    fs::write(folder.path().join("b2.npy"), bytes).unwrap();
    let manifest = folder.path().join("m.tsv");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("b.npy", "b2.npy")).unwrap();
    let report = run(&db, &folder);
    assert_eq!(names(&report.skipped), ["E003 x", "E017 x"]);
    assert_eq!(array("E017"), b);
    assert!(
        db.track("E017", "x")
            .unwrap()
            .unwrap()
            .location
            .ends_with("b2.npy")
    );

    // The way it is read; both rows, for an assay has one transform.
    let text = "biosample assay path transform\nE003 x a.npy none\nE017 x b2.npy none\n";
    fs::write(&manifest, text.replace(' ', "\t")).unwrap();
    let report = run(&db, &folder);
    assert_eq!(names(&report.replaced), ["E003 x", "E017 x"]);
    assert_eq!(stored(&db, "E003", "x"), ramp(9));
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn one_bad_track_loses_none_of_the_others() {
    let folder = folder_with(
        "biosample assay path\nE001 x a.npy\nE002 x nowhere.npy\nE003 x cut.npy\nE004 x inf.npy\nE005 x b.npy\n",
    );
    let whole = fs::read(folder.path().join("a.npy")).unwrap();
    fs::write(folder.path().join("cut.npy"), &whole[..500]).unwrap();
    let mut values = ramp(0);
    values[141] = f32::INFINITY;
    write_npy(&folder.path().join("inf.npy"), &values);
    let (_keep, db) = toy_database();
    let report = run(&db, &folder);
    assert_eq!(names(&report.ingested), ["E001 x", "E005 x"]);
    let failed: Vec<String> = report
        .failed
        .iter()
        .map(|(e, why)| format!("{e}: {why}"))
        .collect();
    assert_eq!(failed.len(), 3, "{failed:?}");
    assert!(
        failed[0].starts_with("E002 x") && failed[0].contains("nowhere.npy"),
        "{failed:?}"
    );
    assert!(
        failed[1].starts_with("E003 x") && failed[1].contains("cut.npy"),
        "{failed:?}"
    );
    // The second bin of chr1's bins 10-70, as browsers count.
    assert!(
        failed[2].contains("inf.npy") && failed[2].contains("chr1:276-300"),
        "{failed:?}"
    );
    assert_eq!(db.tracks().unwrap().len(), 2);
    assert!(db.check().unwrap().is_empty());
    assert_eq!(fs::read_dir(db.path().join("writing")).unwrap().count(), 0);
}

#[test]
fn a_multiplier_that_makes_values_infinite_is_refused_with_the_coordinate() {
    let folder = folder_with(
        "biosample assay path multiplier transform\nE001 x a.npy 1e39 none\nE001 y a.npy 1e39 arcsinh\n",
    );
    let (_keep, db) = toy_database();
    let report = run(&db, &folder);
    assert_eq!(names(&report.ingested), ["E001 y"], "its arcsinh is finite");
    let message = report.failed[0].1.to_string();
    // The first bin is 0, the second 0.7e39, beyond f32.
    assert!(
        message.contains("a.npy: the signal at chr2:26-50 times 1e39"),
        "{message}"
    );
}

#[test]
fn missing_and_negative_values_are_counted_and_reported() {
    let folder = folder_with("biosample assay path\nE001 x odd.npy\n");
    let mut values = ramp(0);
    values[3] = f32::NAN;
    values[4] = -2.0;
    write_npy(&folder.path().join("odd.npy"), &values);
    let (_keep, db) = toy_database();
    let report = run(&db, &folder);
    let track = db.track("E001", "x").unwrap().unwrap();
    assert_eq!((track.n_nan_bins, track.n_negative_bins), (1, 1));
    assert_eq!(report.warnings.len(), 1, "{report:?}");
    assert!(report.warnings[0].contains("E001 x: 1 bins are negative"));
    let stored = stored(&db, "E001", "x");
    assert!(stored[3].is_nan());
    assert_eq!(stored[4], (-2.0f64).asinh() as f32);
}

#[test]
fn replicates_are_averaged_before_the_transform() {
    let folder = folder_with(
        "biosample assay path multiplier\nE001 x a.npy 1\nE001 x b.npy 2\nE002 x a.npy 1\nE001 x c.npy 1\nE002 x a.npy 1\n",
    );
    let manifest = read(&folder).unwrap();
    let (_keep, db) = toy_database();
    let options = IngestOptions {
        replicates: Replicates::Mean,
        ..IngestOptions::default()
    };
    let report = ingest(&db, &manifest, &options).unwrap();
    assert_eq!(names(&report.ingested), ["E001 x", "E002 x"]);
    assert_eq!(report.warnings.len(), 2, "{:?}", report.warnings);
    assert!(report.warnings[0].contains("E002 x: lines 4 and 6 name the same file"));
    assert!(report.warnings[1].contains("E001 x and E002 x were read from files of the same"));
    let (a, b, c) = (ramp(0), ramp(1), ramp(2));
    let expected: Vec<f32> = (0..200)
        .map(|i| {
            let sum = f64::from(a[i]) + 2.0 * f64::from(b[i]) + f64::from(c[i]);
            (sum / 3.0).asinh() as f32
        })
        .collect();
    assert_eq!(stored(&db, "E001", "x"), expected);
    assert_eq!(stored(&db, "E002", "x"), asinh(&a));
    let track = db.track("E001", "x").unwrap().unwrap();
    assert_eq!(track.sources.len(), 3);
    assert!(track.location.contains("a.npy + "));
    let again = ingest(&db, &manifest, &options).unwrap();
    assert_eq!(again.skipped.len(), 2);
    write_npy(&folder.path().join("c.npy"), &ramp(5));
    let again = ingest(&db, &manifest, &options).unwrap();
    assert_eq!(names(&again.replaced), ["E001 x"]);
}

/// The toy axis is chr2 (40 bins), bins 200 to 299 and 10 to 69 of chr1.
fn text_folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn the_mean_of_replicates_is_over_those_that_have_the_bin() {
    let folder = text_folder(&[
        (
            "m.tsv",
            "biosample\tassay\tpath\ttransform\nB\tA\tr1.bedGraph\tnone\nB\tA\tr2.bedGraph\tnone\nB\tA\tr3.bedGraph\tnone\n",
        ),
        ("r1.bedGraph", "chr2\t0\t100\t10\n"),
        ("r2.bedGraph", "chr2\t0\t50\t20\nchr2\t200\t225\t4\n"),
        ("r3.bedGraph", "chr2\t0\t25\t60\nchr2\t212\t225\t8\n"),
    ]);
    let (_keep, db) = toy_database();
    let options = IngestOptions {
        replicates: Replicates::Mean,
        ..IngestOptions::default()
    };
    let manifest = read(&folder).unwrap();
    let report = ingest(&db, &manifest, &options).unwrap();
    assert_eq!(report.ingested.len(), 1);
    let values = stored(&db, "B", "A");
    assert_eq!(values[..4], [30.0, 15.0, 10.0, 10.0]);
    assert_eq!(values[8], 6.0);
    assert_eq!(values.iter().filter(|v| v.is_nan()).count(), 195);
    let track = db.track("B", "A").unwrap().unwrap();
    // Once a bin, however many replicates lack or have it.
    assert_eq!((track.n_nan_bins, track.covered_bins), (195, Some(5)));
    assert!((track.mean - 71.0 / 5.0).abs() < 1e-12);
    let warned =
        "2.5 % of the regions' bins have data; the others are missing; there are none on chr1; if";
    assert!(
        report.warnings.iter().any(|w| w.contains(warned)),
        "{report:?}"
    );
    assert_eq!(ingest(&db, &manifest, &options).unwrap().skipped.len(), 1);
}

#[test]
fn what_a_file_does_not_cover_is_missing_by_its_format_or_as_the_manifest_says() {
    let folder = text_folder(&[
        (
            "m.tsv",
            "biosample\tassay\tpath\tmissing\nB\tdense\ta.bedGraph\t\nB\tzero\ta.bedGraph\tzero\n\
             B\tpeaks\tp.narrowPeak\t\nB\tpeaks0\tp.narrowPeak\t0\nB\tpeaksnan\tp.narrowPeak\tmissing\n\
             B\tnone\tempty.narrowPeak\t\nB\telsewhere\telse.bedGraph\t\n",
        ),
        ("a.bedGraph", "chr1\t5000\t5050\t2\n"),
        ("p.narrowPeak", "chr1\t5000\t5050\tp\t0\t.\t2\t1\t1\t1\n"),
        ("empty.narrowPeak", ""),
        ("else.bedGraph", "chr1\t0\t25\t2\n"),
    ]);
    let (_keep, db) = toy_database();
    let report = run(&db, &folder);
    // Without data in any region there is nothing to store.
    assert_eq!(report.failed.len(), 1, "{report:?}");
    let why = report.failed[0].1.to_string();
    assert!(
        why.contains("B elsewhere: none of its bins has data"),
        "{why}"
    );
    let two = asinh(&[2.0])[0];
    // What chr2, the bins of the interval, and the rest of chr1 hold.
    let of = |assay: &str| {
        let values = stored(&db, "B", assay);
        assert_eq!(values[40..42], [two; 2]);
        let shown = |v: f32| if v.is_nan() { None } else { Some(v) };
        assert!(values[..40].iter().all(|v| shown(*v) == shown(values[0])));
        assert!(values[42..].iter().all(|v| shown(*v) == shown(values[42])));
        (shown(values[0]), shown(values[42]))
    };
    assert_eq!(of("dense"), (None, None));
    assert_eq!(of("zero"), (Some(0.0), Some(0.0)));
    // Between called peaks there is no signal; of a chromosome that the file lacks nothing is known.
    assert_eq!(of("peaks"), (None, Some(0.0)));
    assert_eq!(of("peaks0"), (Some(0.0), Some(0.0)));
    assert_eq!(of("peaksnan"), (None, None));
    assert_eq!(stored(&db, "B", "none"), [0.0; 200]);
    let track = db.track("B", "peaks").unwrap().unwrap();
    assert_eq!(track.covered_bins, Some(160));
    let warned = "B peaks: 80.0 % of the regions' bins have data; the others are missing; there are none on chr2";
    assert!(
        report.warnings.iter().any(|w| w.contains(warned)),
        "{report:?}"
    );
    // For that track alone.
    let complete = db.track("B", "zero").unwrap().unwrap();
    assert_eq!(complete.covered_bins, Some(200));
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn tracks_that_are_in_count_when_units_are_compared() {
    let (_keep, db) = toy_database();
    let first = folder_with("biosample assay path unit\nE001 x a.npy fold\nE002 x b.npy fold\n");
    run(&db, &first);
    let second = folder_with("biosample assay path unit\nE003 x a.npy pvalue\n");
    let error = ingest(&db, &read(&second).unwrap(), &IngestOptions::default()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("line 2: x has transform arcsinh, unit pvalue"),
        "{message}"
    );
    assert!(
        message.contains("track of E001 has transform arcsinh, unit fold"),
        "{message}"
    );
    // Replacing all of them is not a mixture.
    let third =
        folder_with("biosample assay path unit\nE001 x a.npy pvalue\nE002 x b.npy pvalue\n");
    assert_eq!(run(&db, &third).replaced.len(), 2);
    let scale = assay_scale(&db, "x").unwrap();
    assert_eq!(scale, (Transform::Arcsinh, Some("pvalue".into())));
    store_track(&db, "E009", "x", &[0.0; 200]);
    assert!(
        assay_scale(&db, "x")
            .unwrap_err()
            .to_string()
            .contains("differ in unit")
    );
    assert_eq!(db.check().unwrap().len(), 1);
    let message = assay_scale(&db, "X2").unwrap_err().to_string();
    assert_eq!(message, "unknown assay X2; nearest: x");
}

#[test]
fn a_stop_keeps_what_is_in_and_the_next_ingest_goes_on() {
    let folder = folder_with("biosample assay path\nE001 x a.npy\nE002 x b.npy\nE003 x c.npy\n");
    let (_keep, db) = toy_database();
    let stop = AtomicBool::new(false);
    let seen = Mutex::new(Vec::new());
    let progress = |event: IngestEvent<'_>| {
        seen.lock().unwrap().push(format!("{event:?}"));
        if let IngestEvent::Began { experiment } = event
            && experiment.biosample == "E002"
        {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let options = IngestOptions {
        threads: 1,
        progress: Some(&progress),
        stop: Some(&stop),
        ..IngestOptions::default()
    };
    let report = ingest(&db, &read(&folder).unwrap(), &options).unwrap();
    assert_eq!(names(&report.ingested), ["E001 x"]);
    assert_eq!((report.n_left, report.failed.len()), (2, 0));
    let seen = seen.into_inner().unwrap();
    assert!(seen[0].contains("n_tracks: 3"), "{seen:?}");
    assert!(
        seen.iter()
            .any(|e| e.contains("Done") && e.contains("Ingested")),
        "{seen:?}"
    );
    let report = run(&db, &folder);
    assert_eq!(names(&report.skipped), ["E001 x"]);
    assert_eq!(names(&report.ingested), ["E002 x", "E003 x"]);
}

#[test]
fn a_track_that_another_process_writes_fails_alone() {
    let folder = folder_with("biosample assay path\nE001 x a.npy\nE002 x b.npy\n");
    let (_keep, db) = toy_database();
    let other = Database::open(db.path()).unwrap();
    let _busy = other.begin_track(toy_track("E001", "x")).unwrap();
    let report = run(&db, &folder);
    assert_eq!(names(&report.ingested), ["E002 x"]);
    let (experiment, error) = &report.failed[0];
    assert_eq!(experiment.to_string(), "E001 x");
    assert!(
        matches!(error, CompendiumError::Store(StoreError::Locked { .. })),
        "{error}"
    );
}

#[test]
fn a_full_disk_stops_the_ingest_with_one_reason() {
    let Some(disk) = SmallDisk::mount(3_000) else {
        return;
    };
    let db = Database::create(&disk.path().join("toy.persea"), &toy_parts()).unwrap();
    let folder = folder_with("biosample assay path\nE001 x a.npy\nE002 x b.npy\nE003 x c.npy\n");
    disk.fill();
    let options = IngestOptions {
        threads: 1,
        ..IngestOptions::default()
    };
    let report = ingest(&db, &read(&folder).unwrap(), &options).unwrap();
    assert_eq!((report.failed.len(), report.n_left), (1, 2));
    assert!(
        report.failed[0].1.to_string().contains("no space is left"),
        "{report:?}"
    );
    disk.empty();
    assert_eq!(run(&db, &folder).ingested.len(), 3);
    assert!(db.check().unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn sums_of_replicates_do_not_depend_on_the_order_of_regions(
        order in Just(vec![0usize, 1, 2]).prop_shuffle(),
        values in proptest::collection::vec(-5.0f64..5.0, 200),
    ) {
        let axis = toy_axis();
        let folder = tempfile::tempdir().unwrap();
        let mut sums = super::super::read::Sums::new(folder.path()).unwrap();
        for round in 0..2 {
            for region in &order {
                let bins = axis.region_bins(*region);
                let piece: Vec<f64> = values[bins.start as usize..bins.end as usize]
                    .iter()
                    .map(|v| v * f64::from(round + 1))
                    .collect();
                sums.add(bins.start, &piece).unwrap();
            }
        }
        let total = sums.plus(0, &[f64::NAN; 200]).unwrap();
        for (total, value) in total.iter().zip(&values) {
            prop_assert!((total.sum - 3.0 * value).abs() < 1e-12);
            prop_assert_eq!(total.n, 2.0);
        }
    }
}
