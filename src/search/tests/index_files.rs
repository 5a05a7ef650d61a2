//! Missing, stale and damaged index files: rebuilt or refused, never believed.

use std::fs;
use std::path::PathBuf;

use crate::genome::Region;
use crate::model::TrainedModel;
use crate::search::{
    Metric, Query, Searcher, check_index, example_database, example_database_of, similar,
    write_index,
};
use crate::store::{Database, Severity};

/// The files of models; that of the annotation has tests of its own.
fn index_files(database: &Database) -> Vec<PathBuf> {
    let entries = fs::read_dir(database.path().join("index")).unwrap();
    let of_a_model = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("model")
    };
    let mut files: Vec<PathBuf> = (entries.map(|e| e.unwrap().path()))
        .filter(of_a_model)
        .collect();
    files.sort();
    files
}

/// What the whole index answers.
fn answer(database: &Database, metric: Metric) -> Vec<(u64, f64)> {
    let query = similar(database).query(Query::position("chr1", 40_000));
    let answer = query.metric(metric).exclude(1_000).k(20).run().unwrap();
    let hits = answer.hits.iter();
    hits.map(|h| (h.bins.start, h.distance)).collect()
}

#[test]
fn the_first_search_writes_the_index_and_the_next_ones_use_it() {
    let (_folder, database) = example_database().unwrap();
    assert_eq!(check_index(&database).unwrap(), []);
    let first = answer(&database, Metric::Euclidean);
    let written = index_files(&database);
    assert_eq!(written.len(), 17);
    let times: Vec<_> = written
        .iter()
        .map(|f| fs::metadata(f).unwrap().modified().unwrap())
        .collect();
    assert_eq!(answer(&database, Metric::Euclidean), first);
    let after: Vec<_> = written
        .iter()
        .map(|f| fs::metadata(f).unwrap().modified().unwrap())
        .collect();
    assert_eq!(times, after);
    assert_eq!(check_index(&database).unwrap(), []);
}

#[test]
fn any_file_flipped_or_cut_short_is_found_by_check_and_put_right_by_the_next_search() {
    let (_folder, database) = example_database().unwrap();
    let expected = answer(&database, Metric::Euclidean);
    for file in index_files(&database) {
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        flipped[4_096 + 7] ^= 0x40;
        let mut header = whole.clone();
        header[100] ^= 1;
        for damaged in [
            flipped,
            header,
            whole[..whole.len() - 3].to_vec(),
            Vec::new(),
        ] {
            // As a new file: the old one may still be mapped.
            fs::remove_file(&file).unwrap();
            fs::write(&file, damaged).unwrap();
            let findings = check_index(&database).unwrap();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert_eq!(findings[0].what, format!("index/{name}"));
            assert_eq!(findings[0].severity, Severity::Damage);
            assert_eq!(answer(&database, Metric::Euclidean), expected);
            write_index(
                &database,
                &TrainedModel::open(&database, None).unwrap(),
                Metric::Cosine,
            )
            .unwrap();
            assert_eq!(fs::read(&file).unwrap(), whole, "{name}");
        }
        fs::remove_file(&file).unwrap();
        let findings = check_index(&database).unwrap();
        // An older index has no random pairs, and lacks nothing.
        match file.to_string_lossy().ends_with("random_pairs") {
            true => assert_eq!(findings, []),
            false => assert_eq!(findings[0].severity, Severity::Note),
        }
        assert_eq!(answer(&database, Metric::Euclidean), expected);
        assert_eq!(fs::read(&file).unwrap(), whole);
    }
}

#[test]
fn an_open_searcher_refuses_a_block_that_is_damaged() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    write_index(&database, &model, Metric::Euclidean).unwrap();
    let file = database.path().join(format!(
        "index/model{}.factors.5kbp_rows",
        model.stored().id
    ));
    let mut bytes = fs::read(&file).unwrap();
    bytes[4_096] ^= 1;
    fs::write(&file, bytes).unwrap();
    let searcher = Searcher::open(&database, &model, Metric::Euclidean).unwrap();
    let query = Query::position("chr1", 40_000);
    let error = searcher
        .search(&query, &Default::default(), None, &[])
        .unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("factors.5kbp_rows is damaged"),
        "{message}"
    );
    assert!(message.contains("persea index"), "{message}");
}

#[test]
fn an_index_of_another_model_is_stale_and_not_used() {
    let regions = vec![Region {
        name: None,
        chrom: "chr1".into(),
        first_bin: 0,
        n_bins: 3_000,
    }];
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [a, b] = [0, 1].map(|i| {
        let folder = folders[i].path();
        example_database_of(folder, regions.clone(), i as u64, &mut |_| {}).unwrap()
    });
    let expected = answer(&b, Metric::Euclidean);
    assert_ne!(answer(&a, Metric::Euclidean), expected);
    for file in index_files(&a) {
        fs::copy(
            &file,
            b.path().join("index").join(file.file_name().unwrap()),
        )
        .unwrap();
    }
    let findings = check_index(&b).unwrap();
    assert_eq!(findings.len(), 17);
    assert!(findings.iter().all(|f| f.message.contains("another model")));
    assert_eq!(answer(&b, Metric::Euclidean), expected);
    assert_eq!(check_index(&b).unwrap(), []);
}

#[test]
fn files_of_models_that_are_no_more_are_swept() {
    let (_folder, database) = example_database().unwrap();
    answer(&database, Metric::Euclidean);
    let theirs = database.path().join("index/notes.txt");
    fs::write(&theirs, "the user's").unwrap();
    fs::write(database.path().join("index/model99.factors.25bp"), "old").unwrap();
    let findings = check_index(&database).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].what, "index/model99.factors.25bp");
    let model = TrainedModel::open(&database, None).unwrap();
    let files = write_index(&database, &model, Metric::Network).unwrap();
    assert!(files.iter().all(|f| f.bytes > 4_096));
    assert_eq!(check_index(&database).unwrap(), []);
    assert!(theirs.exists());
}

#[test]
fn the_same_numbers_give_the_same_bytes() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let read = || {
        write_index(&database, &model, Metric::Network).unwrap();
        let files = index_files(&database);
        files
            .iter()
            .map(|f| fs::read(f).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(read(), read());
}
