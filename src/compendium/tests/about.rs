//! Averages and metadata.

use std::fs;

use super::super::*;
use super::ramp;
use crate::store::test_support::{store_track, toy_database};

#[test]
fn the_average_leaves_out_its_biosample_and_what_was_not_trained_on() {
    let (_keep, db) = toy_database();
    let ramps: Vec<Vec<f32>> = (0..4).map(ramp).collect();
    for (i, values) in ramps.iter().enumerate() {
        store_track(&db, &format!("E{i}"), "x", values);
    }
    store_track(&db, "E0", "y", &[100.0; 200]);
    let training = [("E0", "x"), ("E1", "x"), ("E2", "x"), ("E0", "y")];
    let mut out = vec![0.0; 50];
    let n = average_activity(&db, "x", &training, "E1", 30..80, &mut out).unwrap();
    assert_eq!(n, 2);
    for (i, value) in out.iter().enumerate() {
        let expected = (f64::from(ramps[0][30 + i]) + f64::from(ramps[2][30 + i])) / 2.0;
        assert_eq!(*value, expected as f32);
    }
    // E3 is not among the training tracks, so all three are averaged.
    assert_eq!(
        average_activity(&db, "x", &training, "E3", 0..50, &mut out).unwrap(),
        3
    );
    let none = average_activity(&db, "y", &training, "E0", 0..50, &mut out).unwrap();
    assert_eq!(none, 0);
    let error = average_activity(&db, "x", &[("E00", "x")], "E1", 0..50, &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown biosample E00; nearest: E0, E1, E2"
    );
}

#[test]
fn metadata_finds_its_names_its_headers_and_what_it_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| {
        let path = folder.path().join("meta.tsv");
        fs::write(&path, text).unwrap();
        path
    };
    let (_keep, db) = toy_database();
    let path = write("assay\tclass\nx\tcore\nz\tother\n");
    let message = ingest_metadata(&db, &path).unwrap_err().to_string();
    assert!(
        message.contains("none of the 2 names in its column `assay`"),
        "{message}"
    );
    store_track(&db, "E003", "x", &[0.0; 200]);
    store_track(&db, "E017", "x", &[0.0; 200]);
    let report = ingest_metadata(&db, &path).unwrap();
    assert_eq!(
        (report.kind, report.updated, report.n_others),
        ("assay", vec!["x".into()], 1)
    );
    assert_eq!(db.assays().unwrap()[0].metadata["class"], "core");

    // Roadmap's way: a second header, columns of one name, columns without a name.
    let path = write(
        "Note\tEpigenome ID (EID)\tGROUP\t\tPool\tPool\tPool\r\n\
         \t\t\t\tInput\tH3K4me1\t\r\n\
         odd\tE003\tESC\tx\ti.gz\t\tlast\r\n\
         \tE999\tIMR\t\t\t\t\r\n",
    );
    let report = ingest_metadata(&db, &path).unwrap();
    assert_eq!(
        (report.kind, report.updated, report.n_others),
        ("biosample", vec!["E003".into()], 1)
    );
    let metadata = serde_json::to_value(&db.biosamples().unwrap()[0].metadata).unwrap();
    assert_eq!(
        metadata,
        serde_json::json!({"Note": "odd", "GROUP": "ESC", "Pool Input": "i.gz", "Pool": "last"})
    );

    // No name tells: the first column's names do.
    let path = write("what\tclass\nx\tactive\n");
    assert_eq!(ingest_metadata(&db, &path).unwrap().kind, "assay");
    for (text, why) in [
        (
            "biosample\tassay\nE003\tx\n",
            "a table is about one of them",
        ),
        (
            "biosample\tage\nE003\t1\nE003\t2\n",
            "line 3: E003 stands in line 2 already",
        ),
    ] {
        let message = ingest_metadata(&db, &write(text)).unwrap_err().to_string();
        assert!(message.contains(why), "{message}");
    }
}

#[test]
fn epigenomes_of_ihec_are_described_with_and_without_their_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ihec.csv");
    // IHEC's header, its names in the second column.
    let header =
        "EpiRR Ordering,EpiRR,Biospecimen Disease,Broad Colour,Curated Biospecimen Label\n";
    let row =
        |i: u32, id: &str, label: &str| format!("{i},{id},Healthy/None,\"185,126,30\",{label}\n");
    let text = [
        header.to_string(),
        row(1, "IHECRE00000001.6", "Brain"),
        row(2, "IHECRE00000002.7", "old"),
        row(3, "IHECRE00000002.10", "new"),
        row(4, "IHECRE00000003.1", "first"),
        row(5, "IHECRE00000003.2", "second"),
        row(6, "IHECRE00000004.1", "other"),
    ];
    fs::write(&path, text.concat()).unwrap();
    let (_keep, db) = toy_database();
    for name in [
        "IHECRE00000001",
        "IHECRE00000002",
        "IHECRE00000003.1",
        "IHECRE00000005",
    ] {
        store_track(&db, name, "x", &[0.0; 200]);
    }
    let report = ingest_metadata(&db, &path).unwrap();
    assert_eq!(
        (report.kind, report.column.as_str()),
        ("biosample", "EpiRR")
    );
    assert_eq!(
        report.updated,
        ["IHECRE00000001", "IHECRE00000002", "IHECRE00000003.1"]
    );
    assert_eq!(report.n_others, 1);
    let of = |name: &str| {
        let all = db.biosamples().unwrap();
        let found = all.into_iter().find(|b| b.name == name).unwrap();
        serde_json::to_value(found.metadata).unwrap()
    };
    assert_eq!(
        of("IHECRE00000001"),
        serde_json::json!({
            "EpiRR Ordering": "1", "EpiRR": "IHECRE00000001.6", "Biospecimen Disease": "Healthy/None",
            "Broad Colour": "185,126,30", "Curated Biospecimen Label": "Brain",
        })
    );
    // The newest version by its number; the version that the database names.
    assert_eq!(of("IHECRE00000002")["EpiRR"], "IHECRE00000002.10");
    assert_eq!(of("IHECRE00000002")["Curated Biospecimen Label"], "new");
    assert_eq!(of("IHECRE00000003.1")["Curated Biospecimen Label"], "first");
    assert_eq!(of("IHECRE00000005"), serde_json::json!({}));
}
