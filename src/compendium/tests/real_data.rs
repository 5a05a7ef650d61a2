//! Real manifests and metadata, read where they lie; skipped where they do not.

use std::path::PathBuf;

use super::super::*;
use super::names;
use crate::genome::{Assembly, GenomeAxis};
use crate::store::test_support::store_track;
use crate::store::{Database, NewDatabase, Transform};

/// A file or folder of the shared data; `None`, having said so, where it is absent.
fn shared(path: &str) -> Option<PathBuf> {
    let data = std::env::var_os("PERSEA_SHARED_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")),
        PathBuf::from,
    );
    let path = data.join(path);
    if path.exists() {
        return Some(path);
    }
    crate::skipped::skipped("data", format!("{} is not there", path.display()));
    None
}

fn new_database(axis: GenomeAxis) -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let parts = NewDatabase {
        axis,
        mask: vec![],
        genes: vec![],
        enhancers: vec![],
    };
    let db = Database::create(&folder.path().join("real.persea"), &parts).unwrap();
    (folder, db)
}

#[test]
fn the_pilot_manifest_is_ingested_as_it_is() {
    let Some(pilot) = shared("pilot") else {
        return;
    };
    let hg19 = Assembly::by_name("hg19").unwrap();
    let axis = GenomeAxis::from_bed(hg19, &pilot.join("pilot_regions.hg19.bed")).unwrap();
    assert_eq!(axis.n_bins(), 1_126_469);
    let (_folder, db) = new_database(axis);
    let manifest = Manifest::read(&pilot.join("manifest.tsv"), &ColumnMap::default()).unwrap();
    let report = ingest(&db, &manifest, &IngestOptions::default()).unwrap();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    assert_eq!((report.ingested.len(), report.warnings.len()), (20, 0));
    assert_eq!(db.biosamples().unwrap().len(), 5);
    assert_eq!(
        assay_scale(&db, "H3K36me3").unwrap(),
        (Transform::None, None)
    );

    // The track's own npz, read by another crate.
    let npz = pilot.join("tracks/E003.H3K36me3.pilot.arcsinh.npz");
    let mut npz = persea_files::NpzReader::new(std::fs::File::open(npz).unwrap()).unwrap();
    let array = npz.array("arr_0").unwrap();
    let expected: Vec<f32> = npyz::NpyFile::new(array).unwrap().into_vec().unwrap();
    let track = db.track("E003", "H3K36me3").unwrap().unwrap();
    let mut values = vec![0.0; expected.len()];
    db.signal(&track)
        .unwrap()
        .read(0..1_126_469, &mut values)
        .unwrap();
    assert!(values == expected);
    let mean = expected.iter().map(|v| f64::from(*v)).sum::<f64>() / 1_126_469.0;
    assert!((track.mean - mean).abs() < 1e-9);

    let again = ingest(&db, &manifest, &IngestOptions::default()).unwrap();
    assert_eq!(again.skipped.len(), 20);
}

#[test]
fn the_targetfinder_manifest_is_ingested_by_its_own_columns() {
    let Some(peaks) = shared("targetfinder/peaks-chr20-22") else {
        return;
    };
    let columns = ColumnMap::parse("biosample=cell,path=file").unwrap();
    let manifest = Manifest::read(&peaks.join("manifest.tsv"), &columns).unwrap();
    assert_eq!(manifest.skipped.len(), 13);
    assert_eq!(
        (manifest.skipped[0].line, manifest.skipped[0].assay.as_str()),
        (176, "DNase-seq")
    );
    let message = manifest.tracks(Replicates::Refuse).unwrap_err().to_string();
    assert!(
        message.contains("line 14: GM12878 CREB1 stands in line 13 already"),
        "{message}"
    );

    let hg19 = Assembly::by_name("hg19").unwrap();
    let chroms = ["chr20", "chr21", "chr22"];
    let axis = GenomeAxis::whole_chromosomes(hg19, &chroms).unwrap();
    let (_folder, db) = new_database(axis);
    // All rows that are odd in some way, and a few that are not: reading 386 tracks takes long.
    let (tracks, _) = manifest.tracks(Replicates::Mean).unwrap();
    assert_eq!(tracks.len(), 386);
    let odd = ["POLR3G", "H1B", "XRCC4", "CREB1", "CEBPD"];
    let mut some = manifest.clone();
    some.rows.retain(|row| odd.contains(&row.assay.as_str()));
    let options = IngestOptions {
        replicates: Replicates::Mean,
        ..IngestOptions::default()
    };
    let report = ingest(&db, &some, &options).unwrap();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    assert_eq!(report.without_file.len(), 13);
    let empty: Vec<&String> = report
        .warnings
        .iter()
        .filter(|w| w.contains("is it empty?"))
        .collect();
    assert_eq!(empty.len(), 4, "{:?}", report.warnings);
    let same = report
        .warnings
        .iter()
        .filter(|w| w.contains("name the same file"));
    assert_eq!(same.count(), 3);
    let all = names(&report.ingested);
    assert!(all.contains(&"IMR90 H1B".to_string()), "{all:?}");
    let track = db.track("IMR90", "H1B").unwrap().unwrap();
    assert_eq!((track.mean, track.maximum), (0.0, 0.0));
    assert!(db.track("K562", "CEBPD").unwrap().unwrap().mean > 0.0);
}

#[test]
fn roadmaps_own_table_is_metadata_as_it_is() {
    let Some(table) = shared("roadmap/Consolidated_EpigenomeIDs_summary_Table.tsv") else {
        return;
    };
    let (_keep, db) = crate::store::test_support::toy_database();
    for biosample in ["E003", "E017", "E129"] {
        store_track(&db, biosample, "H3K4me1", &[0.0; 200]);
    }
    let report = ingest_metadata(&db, &table).unwrap();
    assert_eq!(
        (report.kind, report.column.as_str()),
        ("biosample", "Epigenome ID (EID)")
    );
    assert_eq!(report.updated.len(), 3);
    assert_eq!(report.n_others, 124);
    let biosamples = db.biosamples().unwrap();
    let h1 = &biosamples[0].metadata;
    assert_eq!(h1["GROUP"], "ESC");
    assert_eq!(h1["SEX (Male, Female, Mixed, Unknown)"], "Male");
    assert_eq!(h1["Standardized Epigenome name"], "H1 Cells");
    let input = h1["Pool Filenames Input"].as_str().unwrap();
    assert!(input.starts_with("UCSD.H1.Input.YL328"), "{input}");
}
