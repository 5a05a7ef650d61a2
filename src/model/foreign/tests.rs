//! Small embeddings of two regions, worked out by hand.

use super::*;
use crate::model::TrainedModel;
use crate::search::Query;

fn database(folder: &Path) -> Database {
    let regions = [("chr1", 0, 400), ("chr2", 200, 100)].map(|(chrom, first_bin, n_bins)| Region {
        name: None,
        chrom: chrom.into(),
        first_bin,
        n_bins,
    });
    crate::search::example_database_of(folder, regions.to_vec(), 7, &mut |_| {}).unwrap()
}

fn options(name: &str) -> EmbeddingOptions {
    EmbeddingOptions {
        name: name.into(),
        coordinates: None,
        dataset: None,
        precision: Precision::F32,
        replace: false,
    }
}

/// Windows of a width over chr1:0-10000 and chr2:5000-7500, with two numbers that count them.
fn table(width: u64) -> String {
    let mut text = String::from("chrom\tstart\tend\tx\ty\n");
    for (chrom, from, to) in [("chr1", 0, 10_000), ("chr2", 5_000, 7_500)] {
        for i in from / width..(to as f64 / width as f64).ceil() as u64 {
            let start = i * width;
            text.push_str(&format!("{chrom}\t{start}\t{}\t{i}\t-{i}\n", start + width));
        }
    }
    text
}

fn embedding_of(database: &Database, name: &str, region: usize, bin: u64) -> Vec<f32> {
    let model = TrainedModel::open_embedding(database, Some(name)).unwrap();
    let block = model.block(database, region, bin, 1).unwrap();
    let rows = block.scales.iter().flat_map(|s| s.row(0).to_vec());
    rows.filter(|v| *v != 0.0).collect()
}

#[test]
fn windows_become_rows_of_the_coarsest_resolution_that_they_fit() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let cases = [
        (5, Resolution::Bp25),
        (25, Resolution::Bp25),
        (100, Resolution::Bp25),
        (250, Resolution::Bp250),
        (500, Resolution::Bp250),
        (5_000, Resolution::Kbp5),
    ];
    for (width, resolution) in cases {
        let path = folder.path().join("x.tsv");
        std::fs::write(&path, table(width)).unwrap();
        let name = format!("of-{width}");
        let imported = import_embedding(&database, &path, &options(&name), &mut |_, _| {}).unwrap();
        assert_eq!((imported.resolution, imported.window), (resolution, width));
        assert_eq!((imported.width, imported.n_outside), (2, 0));
        // Chromosome bin 237: base 5,925.
        let expected = match width {
            // The mean of windows 1,185 to 1,189.
            5 => 1_187.0,
            _ => (5_925 / width) as f32,
        };
        for region in [0, 1] {
            assert_eq!(
                embedding_of(&database, &name, region, 237),
                [expected, -expected]
            );
        }
    }
}

#[test]
fn a_foreign_model_is_searched_and_imputes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let path = folder.path().join("x.tsv");
    std::fs::write(&path, table(25)).unwrap();
    import_embedding(&database, &path, &options("theirs"), &mut |_, _| {}).unwrap();
    let found = crate::search::similar(&database)
        .model("theirs")
        .query(Query::position("chr1", 5_925))
        .k(1)
        .run()
        .unwrap();
    // Bin 237 of chr2 has the same numbers.
    let hit = &found.hits[0];
    assert_eq!(
        (hit.interval.chrom.as_str(), hit.interval.start),
        ("chr2", 5_925)
    );
    assert_eq!(hit.distance, 0.0);
    let model = TrainedModel::open_embedding(&database, Some("theirs")).unwrap();
    assert_eq!(model.record().kind_name(), "embedding");
    let refused = model.biosample("S1").unwrap_err().to_string();
    assert!(refused.contains("imputes nothing"), "{refused}");
    // Whatever needs more than positions' factors opens no embedding, and does without where it can.
    let refused = TrainedModel::open(&database, Some("theirs"))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("model theirs is another program's embedding"),
        "{refused}"
    );
    assert!(
        TrainedModel::open_if_any(&database, None)
            .unwrap()
            .is_some()
    );
    database.set_default_model("theirs").unwrap();
    assert!(TrainedModel::open(&database, None).is_err());
    assert!(
        TrainedModel::open_if_any(&database, None)
            .unwrap()
            .is_none()
    );
}

#[test]
fn windows_that_do_not_fit_are_refused_with_their_row() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let path = folder.path().join("x.tsv");
    let refused = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let imported = import_embedding(&database, &path, &options("x"), &mut |_, _| {});
        imported.unwrap_err().to_string()
    };
    let contains = |message: String, part: &str| assert!(message.contains(part), "{message}");
    contains(refused(&table(128)), "128 bp");
    let good = table(25);
    contains(
        refused(&good.replace("chr1\t50\t75", "chr1\t50\t100")),
        "window 3",
    );
    contains(
        refused(&good.replace("chr1\t50\t75", "chr1\t25\t50")),
        "overlaps",
    );
    contains(refused(&good.replace("\t7\t-7", "\t7\tNaN")), "row 8");
    contains(refused(&good.replace("\t7\t-7", "\t7\tx")), "`x`");
    contains(refused("chrom\tstart\tend\n"), "no column of numbers");
    let gap = good
        .replace("chr2\t5000\t5025\t200\t-200\n", "")
        .replace("chr1\t0\t25\t0\t-0\n", "");
    contains(refused(&gap), "covers no region");
    // One region covered, the other not: it is left out and said.
    std::fs::write(&path, good.replace("chr2\t5000\t5025\t200\t-200\n", "")).unwrap();
    let imported = import_embedding(&database, &path, &options("x"), &mut |_, _| {}).unwrap();
    assert_eq!(imported.uncovered.len(), 1);
    assert!(
        imported.uncovered[0].starts_with("chr2"),
        "{:?}",
        imported.uncovered
    );
    assert_eq!(imported.model.record.regions.len(), 1);
}
