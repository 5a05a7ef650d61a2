//! Graphs: what they find, and that damaged ones are built anew.

use std::fs;
use std::path::PathBuf;

use crate::genome::{Interval, Region, Resolution};
use crate::model::TrainedModel;
use crate::search::{
    Annotation, Answer, GraphOptions, GraphVectors, Metric, Query, SampleAxis, SampleSum,
    SearchOptions, Searcher, build_graph, check_index, example_database, example_database_of,
    search_approximately, similar_samples, similar_samples_approximately,
};
use crate::store::{Database, Severity};

fn ask(database: &Database, query: Query, options: &SearchOptions) -> Result<Answer, String> {
    let model = TrainedModel::open(database, None).unwrap();
    let annotation = Annotation::read(database, model.axis()).unwrap();
    let searcher = Searcher::open(database, &model, Metric::Euclidean).unwrap();
    let queries = [query];
    let answers = search_approximately(
        database,
        &model,
        &searcher,
        &queries,
        options,
        200,
        None,
        &annotation,
    );
    answers.map(|mut a| a.remove(0)).map_err(|e| e.to_string())
}

fn region(start: u64, end: u64) -> Query {
    Query::region(Interval::new("chr1", start, end))
}

#[test]
fn the_graph_finds_most_of_what_the_exact_search_finds_at_the_same_distances() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let searcher = Searcher::open(&database, &model, Metric::Euclidean).unwrap();
    let (mut found, mut all) = (0, 0);
    for spread in [None, Some(Resolution::Kbp5)] {
        for start in (30_000..280_000).step_by(20_000) {
            let options = SearchOptions {
                exclude: Some(5_000),
                spread,
                ..SearchOptions::default()
            };
            let query = region(start, start + 1_000);
            let exact = searcher.search(&query, &options, None, &[]).unwrap();
            let answer = ask(&database, query, &options).unwrap();
            assert!(exact.is_exact && !answer.is_exact);
            assert_eq!(answer.hits.len(), 10);
            for hit in &answer.hits {
                all += 1;
                if let Some(same) = exact.hits.iter().find(|h| h.bins == hit.bins) {
                    assert_eq!(same.distance, hit.distance);
                    found += 1;
                }
            }
        }
    }
    assert!(found * 100 >= all * 90, "{found} of {all}");
}

#[test]
fn building_reports_an_audit_and_stores_it_with_the_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Region {
        name: None,
        chrom: "chr1".into(),
        first_bin: 0,
        n_bins: 8_000,
    };
    // Every second 5 kbp bin is the same as the first.
    let database = example_database_of(folder.path(), vec![whole], 3, &mut |genome| {
        let tables: [_; 3] = std::array::from_fn(|s| genome.scales[s].clone());
        for (s, rows) in [(0usize, 200usize), (1, 20), (2, 1)] {
            for coarse in (0..40).step_by(2) {
                for i in 0..rows {
                    let mut row = genome.scales[s].row_mut(coarse * rows + i);
                    row.assign(&tables[s].row(i));
                }
            }
        }
    })
    .unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let options = GraphOptions::default();
    let report = build_graph(&database, &model, GraphVectors::Kbp5, &options).unwrap();
    assert_eq!((report.n_vectors, report.n_distinct), (40, 21));
    assert_eq!((report.self_queries, report.self_missed), (21, 0));
    assert_eq!(report.recall, 1.0);
    let record = database
        .graph_record(model.stored().id, "5kbp")
        .unwrap()
        .unwrap();
    assert_eq!(record.parameters["connections"], 16);
    assert_eq!(record.audit["distinct"], 21);
    assert_eq!(record.model_checksum, model.stored().checksum);
    // All twenty of the set are found, and at no distance.
    let search = SearchOptions {
        k: 21,
        exclude: None,
        spread: None,
        ..SearchOptions::default()
    };
    let answer = ask(&database, region(0, 5_000), &search).unwrap();
    assert_eq!(answer.hits.iter().filter(|h| h.distance < 1e-6).count(), 20);
    // Built again it is the same, byte for byte.
    let read = || {
        fs::read(
            database
                .path()
                .join("index/model1.graph.5kbp/dump.hnsw.graph"),
        )
        .unwrap()
    };
    let before = read();
    build_graph(&database, &model, GraphVectors::Kbp5, &options).unwrap();
    assert_eq!(read(), before);
}

#[test]
fn a_graph_flipped_cut_short_or_of_another_model_is_built_anew() {
    let (_folder, database) = example_database().unwrap();
    let options = SearchOptions::default();
    let expected = ask(&database, region(40_000, 45_000), &options).unwrap();
    let folder = database.path().join("index/model1.graph.5kbp");
    let files: Vec<PathBuf> = (fs::read_dir(&folder).unwrap())
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(files.len(), 3);
    for file in &files {
        let whole = fs::read(file).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 8;
        for damaged in [flipped, whole[..whole.len() / 2].to_vec(), Vec::new()] {
            fs::remove_file(file).unwrap();
            fs::write(file, damaged).unwrap();
            let findings = check_index(&database).unwrap();
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert_eq!(findings[0].severity, Severity::Damage);
            let answer = ask(&database, region(40_000, 45_000), &options).unwrap();
            assert_eq!(answer, expected);
            assert_eq!(&fs::read(file).unwrap(), &whole);
            assert_eq!(check_index(&database).unwrap(), []);
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(
        ask(&database, region(40_000, 45_000), &options).unwrap(),
        expected
    );
    // A graph that is whole, and another model's of the same sizes.
    let whole: Vec<Vec<u8>> = files.iter().map(|f| fs::read(f).unwrap()).collect();
    let elsewhere = tempfile::tempdir().unwrap();
    let regions = database.axis().regions().to_vec();
    let other = example_database_of(elsewhere.path(), regions, 99, &mut |_| {}).unwrap();
    let theirs = ask(&other, region(40_000, 45_000), &options).unwrap();
    assert_ne!(theirs.hits, expected.hits);
    let their_folder = other.path().join("index/model1.graph.5kbp");
    for file in &files {
        fs::remove_file(file).unwrap();
        fs::copy(their_folder.join(file.file_name().unwrap()), file).unwrap();
    }
    assert_eq!(
        check_index(&database).unwrap()[0].severity,
        Severity::Damage
    );
    let answer = ask(&database, region(40_000, 45_000), &options).unwrap();
    assert_eq!(answer, expected);
    for (file, whole) in files.iter().zip(&whole) {
        assert_eq!(&fs::read(file).unwrap(), whole);
    }
}

#[test]
fn biosamples_are_found_by_a_graph_as_without_one() {
    let (_folder, database) = example_database().unwrap();
    let model = TrainedModel::open(&database, None).unwrap();
    let sum = SampleSum::parse("S1 - S2 + S3", SampleAxis::Biosamples, &model).unwrap();
    let profile = crate::search::Profile::Factors;
    for with_query in [false, true] {
        let k = 2;
        let exact = similar_samples(
            &database,
            &model,
            &sum,
            profile,
            Metric::Euclidean,
            k,
            with_query,
        )
        .unwrap();
        let found =
            similar_samples_approximately(&database, &model, &sum, k, 64, with_query).unwrap();
        assert_eq!(exact.len(), found.len());
        for (e, f) in exact.iter().zip(&found) {
            assert_eq!(e.name, f.name);
            assert!((e.distance - f.distance).abs() < 1e-12);
        }
    }
}

#[test]
fn what_a_graph_cannot_answer_is_refused() {
    let (_folder, database) = example_database().unwrap();
    let options = SearchOptions::default();
    let message = ask(&database, Query::position("chr1", 40_000), &options).unwrap_err();
    assert!(message.contains("250 bp and 5 kbp rows"), "{message}");
    let none = SearchOptions { k: 0, ..options };
    let message = ask(&database, region(40_000, 45_000), &none).unwrap_err();
    assert!(message.contains("k is 0"), "{message}");
    let model = TrainedModel::open(&database, None).unwrap();
    let options = GraphOptions {
        connections: 300,
        ..GraphOptions::default()
    };
    let refused = build_graph(&database, &model, GraphVectors::Assays, &options).unwrap_err();
    assert!(refused.to_string().contains("2 to 255 connections"));
}
