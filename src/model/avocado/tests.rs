//! Models that the original trained and saved (`scripts/golden_avocado.py`), in and out.

use std::fs;
use std::path::{Path, PathBuf};

use super::{AvocadoPart, ImportOptions, export_avocado, import_avocado};
use crate::formats::KerasFile;
use crate::genome::{Assembly, GenomeAxis, Resolution};
use crate::model::TrainedModel;
use crate::store::{Database, NewDatabase, Precision, TrackRole};

const BIOSAMPLES: [&str; 3] = ["E003", "E017", "E116"];
const ASSAYS: [&str; 2] = ["H3K4me3", "H3K36me3"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/avocado")
}

fn part(chrom: &str, name: &str) -> AvocadoPart {
    let path = fixtures().join(name);
    AvocadoPart::parse(&format!("{chrom}={}", path.display())).unwrap()
}

fn options(name: &str) -> ImportOptions {
    ImportOptions {
        name: name.into(),
        precision: Precision::F32,
        replace: false,
        trained_on: None,
    }
}

fn database(chromosomes: &[&str]) -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let assembly = Assembly::from_chrom_sizes("toy", &fixtures().join("toy.chrom.sizes")).unwrap();
    let parts = NewDatabase {
        axis: GenomeAxis::whole_chromosomes(assembly, chromosomes).unwrap(),
        mask: vec![],
        genes: vec![],
        enhancers: vec![],
    };
    let db = Database::create(&folder.path().join("toy.persea"), &parts).unwrap();
    (folder, db)
}

fn import(db: &Database, parts: &[AvocadoPart], name: &str) -> crate::Result<TrainedModel> {
    import_avocado(db, parts, &options(name), &mut |_, _| {})?;
    TrainedModel::open(db, Some(name))
}

/// An array of `answers.npz`.
fn answer(name: &str) -> Vec<f32> {
    let mut npz =
        persea_files::NpzReader::new(std::fs::File::open(fixtures().join("answers.npz")).unwrap())
            .unwrap();
    let array = npz.array(name).unwrap();
    npyz::NpyFile::new(array).unwrap().into_vec().unwrap()
}

/// Bins of a region, side by side as the original lays an embedding.
fn embedding(db: &Database, model: &TrainedModel, region: usize) -> Vec<f32> {
    let n = model.axis().regions()[region].n_bins as usize;
    let block = model.block(db, region, 0, n).unwrap();
    let mut rows = Vec::new();
    for bin in 0..n {
        for scale in Resolution::ALL {
            let row = bin / scale.bins() as usize;
            rows.extend(block.scales[scale.index()].row(row).iter());
        }
    }
    rows
}

#[test]
fn an_imported_model_predicts_what_the_original_does_and_has_its_embeddings_bit_for_bit() {
    let (_folder, db) = database(&["chrT", "chrU", "chrV"]);
    let parts = [part("chrT", "chrT"), part("chrU", "chrU")];
    let model = import(&db, &parts, "avocado").unwrap();
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    for (region, chrom) in ["chrT", "chrU"].iter().enumerate() {
        let expected = answer(&format!("{chrom}.embedding"));
        assert_eq!(bits(&embedding(&db, &model, region)), bits(&expected));
        let n = model.axis().regions()[region].n_bins as usize;
        let block = model.block(&db, region, 0, n).unwrap();
        for (b, biosample) in BIOSAMPLES.iter().enumerate() {
            for (a, assay) in ASSAYS.iter().enumerate() {
                let mut ours = vec![0.0; n];
                model
                    .forward()
                    .predict(&block, &[(b, a)], &mut ours)
                    .unwrap();
                let theirs = answer(&format!("{chrom}.{biosample}.{assay}"));
                for (i, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                    let difference = (ours - theirs).abs();
                    assert!(
                        difference < 1e-5,
                        "{chrom} {biosample} {assay} bin {i}: {ours} {theirs}"
                    );
                }
            }
        }
    }
    let network = model.network();
    assert_eq!(
        network.biosamples.iter().copied().collect::<Vec<f32>>(),
        answer("chrT.biosamples")
    );
    assert_eq!(
        network.assays.iter().copied().collect::<Vec<f32>>(),
        answer("chrT.assays")
    );
    // What it was trained on, and what may be scored.
    let record = model.record();
    assert_eq!(
        (&record.biosamples[..], &record.assays[..]),
        (
            &BIOSAMPLES.map(String::from)[..],
            &ASSAYS.map(String::from)[..]
        )
    );
    let held: Vec<_> = record
        .tracks
        .iter()
        .filter(|t| t.role == TrackRole::Hold)
        .map(|t| (t.biosample.as_str(), t.assay.as_str()))
        .collect();
    assert_eq!(held, [("E116", "H3K36me3")]);
    assert_eq!(record.tracks.len(), 6);
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn the_layout_of_keras_2_and_float_sizes_give_the_same_model() {
    let (_folder, db) = database(&["chrT"]);
    let new = import(&db, &[part("chrT", "chrT")], "new").unwrap();
    let old = import(&db, &[part("chrT", "old")], "old").unwrap();
    assert_eq!(new.stored().checksum, old.stored().checksum);
    // It does not say what it was trained on: nothing of it may be scored.
    assert!(
        old.record()
            .tracks
            .iter()
            .all(|t| t.role == TrackRole::Train)
    );
    let refinement_options = ImportOptions {
        trained_on: Some(vec![("E003".into(), "H3K4me3".into())]),
        ..options("told")
    };
    let model = import_avocado(
        &db,
        &[part("chrT", "old")],
        &refinement_options,
        &mut |_, _| {},
    )
    .unwrap();
    let trained = model
        .record
        .tracks
        .iter()
        .filter(|t| t.role == TrackRole::Train);
    assert_eq!(trained.count(), 1);
    let wrong = ImportOptions {
        trained_on: Some(vec![("E999".into(), "H3K4me3".into())]),
        ..options("wrong")
    };
    let error = import_avocado(&db, &[part("chrT", "old")], &wrong, &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("E999"), "{error}");
}

#[test]
fn an_export_is_what_was_imported_array_by_array_and_comes_back_the_same() {
    let (folder, db) = database(&["chrT", "chrU"]);
    let parts = [part("chrT", "chrT"), part("chrU", "chrU")];
    let model = import(&db, &parts, "avocado").unwrap();
    let to = folder.path().join("out");
    let files = export_avocado(&db, &model, &to, &mut |_, _| {}).unwrap();
    assert_eq!(files[1].h5, folder.path().join("out.chrU.h5"));
    for (files, part) in files.iter().zip(&parts) {
        let (ours, theirs) = (
            KerasFile::open(&files.h5).unwrap(),
            KerasFile::open(&part.h5).unwrap(),
        );
        assert_eq!(ours.weights().len(), theirs.weights().len());
        for weight in theirs.weights() {
            let read = |file: &KerasFile| {
                let weight = file.weight(&weight.layer, &weight.name).unwrap();
                let (rows, cols) = weight.rows_and_cols();
                let mut out = vec![0f32; (rows * cols) as usize];
                file.read_rows(weight, 0..rows, &mut out).unwrap();
                let bits: Vec<u32> = out.iter().map(|v| v.to_bits()).collect();
                (weight.shape.clone(), bits)
            };
            // The padding rows among them.
            assert_eq!(read(&ours), read(&theirs), "{}", weight.layer);
        }
        let json = |path: &Path| -> serde_json::Value {
            serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
        };
        let (mut ours, mut theirs) = (json(&files.json), json(&part.json));
        for of in [&mut ours, &mut theirs] {
            let list = of["experiments"].as_array_mut().unwrap();
            list.sort_by_key(|pair| pair.to_string());
        }
        assert_eq!(ours, theirs);
    }
    let again: Vec<AvocadoPart> = files
        .iter()
        .zip(["chrT", "chrU"])
        .map(|(f, chrom)| AvocadoPart {
            chrom: chrom.into(),
            json: f.json.clone(),
            h5: f.h5.clone(),
        })
        .collect();
    let again = import(&db, &again, "again").unwrap();
    assert_eq!(again.stored().checksum, model.stored().checksum);
    assert_eq!(again.record().tracks, model.record().tracks);
}

/// What an import of changed files says.
fn refused(
    db: &Database,
    folder: &Path,
    name: &str,
    change: impl Fn(&mut serde_json::Value),
) -> String {
    let json = fs::read(fixtures().join(format!("{name}.json"))).unwrap();
    let mut json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    change(&mut json);
    fs::write(folder.join("changed.json"), json.to_string()).unwrap();
    fs::copy(
        fixtures().join(format!("{name}.h5")),
        folder.join("changed.h5"),
    )
    .unwrap();
    let path = folder.join("changed");
    let part = AvocadoPart::parse(&format!("chrT={}", path.display())).unwrap();
    let error = import(db, &[part], "refused").unwrap_err().to_string();
    assert!(db.list_models().unwrap().is_empty());
    error
}

#[test]
fn a_json_that_disagrees_with_its_h5_is_refused_with_both_numbers() {
    let (folder, db) = database(&["chrT"]);
    for (key, value, parts) in [
        ("n_nodes", 13.into(), ["dense_0", "17 × 13", "17 × 12"]),
        (
            "n_layers",
            1.into(),
            ["1 hidden layers", "dense_1", "changed.json"],
        ),
        ("n_layers", 3.into(), ["dense_2", "kernel", "changed.h5"]),
        (
            "n_25bp_factors",
            3.into(),
            ["genome_25bp_embedding", "407 × 3", "407 × 2"],
        ),
        (
            "n_genomic_positions",
            406.into(),
            ["genome_25bp_embedding", "406 × 2", "407 × 2"],
        ),
        (
            "celltypes",
            serde_json::json!(["a", "b"]),
            ["celltype_embedding", "2 × 3", "3 × 3"],
        ),
    ] {
        let error = refused(&db, folder.path(), "chrT", |json| json[key] = value.clone());
        for part in parts {
            assert!(error.contains(part), "{key}: {error}");
        }
    }
}

#[test]
fn models_of_joined_regions_and_of_other_chromosomes_are_refused_with_the_reason() {
    let (_folder, db) = database(&["chrT", "chrU", "chrV"]);
    // chrV has 200 bins, chrT 407: too many for one, too few for the other.
    for (chrom, name) in [("chrV", "chrT"), ("chrT", "chrU")] {
        let error = import(&db, &[part(chrom, name)], "m")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("not a model of that whole chromosome"),
            "{error}"
        );
        assert!(error.contains("joined regions"), "{error}");
    }
    let twice = [part("chrT", "chrT"), part("chrT", "chrT")];
    let error = import(&db, &twice, "m").unwrap_err().to_string();
    assert!(error.contains("chrT is named twice"), "{error}");
    let error = import(&db, &[part("chr9", "chrT")], "m").unwrap_err();
    assert!(error.to_string().contains("chr9"), "{error}");

    let (_folder, small) = database(&["chrU"]);
    let error = import(&small, &[part("chrT", "chrT")], "m")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("assembly toy and chromosomes chrT"),
        "{error}"
    );
}

#[test]
fn chromosomes_of_two_models_are_refused_by_what_differs() {
    let (folder, db) = database(&["chrT", "chrU"]);
    // chrU's files, one number of the network changed.
    for ext in ["json", "h5"] {
        fs::copy(
            fixtures().join(format!("chrU.{ext}")),
            folder.path().join(format!("other.{ext}")),
        )
        .unwrap();
    }
    let h5 = folder.path().join("other.h5");
    let keras = KerasFile::open(&h5).unwrap();
    let weight = keras.weight("dense_1", "kernel").unwrap();
    let mut numbers = vec![0f32; 144];
    keras.read_rows(weight, 0..12, &mut numbers).unwrap();
    drop(keras);
    let first: Vec<u8> = numbers[..4].iter().flat_map(|v| v.to_le_bytes()).collect();
    let mut bytes = fs::read(&h5).unwrap();
    let places: Vec<usize> = (0..bytes.len() - 16)
        .filter(|i| bytes[*i..*i + 16] == first)
        .collect();
    assert_eq!(places.len(), 1);
    bytes[places[0]] ^= 1;
    fs::write(&h5, bytes).unwrap();
    let other = AvocadoPart::parse(&format!("chrU={}", folder.path().join("other").display()));
    let error = import(&db, &[part("chrT", "chrT"), other.unwrap()], "m").unwrap_err();
    let error = error.to_string();
    assert!(error.contains("dense layers differ"), "{error}");
    assert!(
        error.contains("other.h5") && error.contains("chrT.h5"),
        "{error}"
    );
}

#[test]
fn files_of_something_else_and_damaged_ones_are_errors_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let h5 = folder.path().join("x.h5");
    let open = |bytes: &[u8]| {
        fs::write(&h5, bytes).unwrap();
        KerasFile::open(&h5)
    };
    for bytes in [&b""[..], b"\x89HDF", b"PK\x03\x04 a .keras file", b"{}"] {
        let error = open(bytes).err().unwrap().to_string();
        assert!(error.contains("no HDF5 file"), "{error}");
    }
    assert!(KerasFile::open(&folder.path().join("none.h5")).is_err());
    for name in ["old.h5", "chrU.h5"] {
        let whole = fs::read(fixtures().join(name)).unwrap();
        let read_all = |bytes: &[u8]| -> Result<(), crate::formats::FormatError> {
            let file = open(bytes)?;
            for weight in file.weights() {
                let (rows, cols) = weight.rows_and_cols();
                // As an import: what the JSON does not ask for is not read.
                if rows * cols < 10_000 {
                    let mut out = vec![0f32; (rows * cols) as usize];
                    file.read_rows(weight, 0..rows, &mut out)?;
                }
            }
            Ok(())
        };
        read_all(&whole).unwrap();
        for n_bytes in (0..whole.len() - 8).step_by(whole.len() / 100) {
            assert!(
                read_all(&whole[..n_bytes]).is_err(),
                "{name} cut at {n_bytes}"
            );
        }
        let mut n_found = 0;
        let step = 61;
        for at in (0..whole.len()).step_by(step) {
            for bit in [0x01, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= bit;
                // A number may have changed unseen; the structure may not.
                n_found += usize::from(read_all(&bytes).is_err());
            }
        }
        assert!(n_found > 50, "{name}: {n_found}");
    }
    // An HDF5 file without a model in it.
    let tracks = fixtures().join("chrT.h5");
    let mut bytes = fs::read(tracks).unwrap();
    let at = bytes.windows(11).position(|w| w == b"layer_names").unwrap();
    bytes[at] = b'L';
    let error = open(&bytes).err().unwrap().to_string();
    assert!(error.contains("layer_names"), "{error}");
}
