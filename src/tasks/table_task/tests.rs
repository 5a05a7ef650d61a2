//! Tables made by hand and by a rule, and the real one.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::*;

const HEADER: &str = "chrom\tchromStart\tchromEnd\tname\tchrTSS\tstartTSS\tendTSS\tValidConnection\tCellType\tRegulated\tdistanceToTSS\tDHS.RPM\tH3K27ac.RPM\tH3K27ac.RPM.expandedRegion\tCTCF.RPM\tH3K4me1.RPM\tH3K27me3.RPM\tmeasuredGeneUbiquitousExpressed\n";

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Pairs on eight chromosomes, every third of which is regulated: those that lie near and are open.
fn planted(cell_type: &str, shift: usize) -> String {
    let mut text = HEADER.to_string();
    for i in 0..240 {
        let regulated = i % 3 == 0;
        let start = 1_000_000 + i * 5_000;
        let distance = match regulated {
            true => 3_000 + (i * 37 + shift) % 20_000,
            false => 9_000 + (i * 91 + shift) % 400_000,
        };
        let open = if regulated { 4.0 } else { 2.5 } + (i % 7) as f64 / 4.0;
        writeln!(
            text,
            "chr{}\t{start}\t{}\tpair{i}\tchr{}\t{}\t{}\tTRUE\t{cell_type}\t{}\t{distance}\t{open}\t{open}\t{open}\t0\t1\tNA\tFALSE",
            1 + i % 8,
            start + 500,
            1 + i % 8,
            start + distance,
            start + distance + 1,
            if regulated { "TRUE" } else { "FALSE" },
        )
        .unwrap();
    }
    text
}

fn settings() -> RunSettings {
    RunSettings {
        bootstrap: 100,
        partitions: Some(1),
        ..RunSettings::default()
    }
}

fn table(train: &Path, test: Option<&Path>) -> TableSettings {
    TableSettings {
        preset: TablePreset::Crispr,
        train: train.to_path_buf(),
        test: test.map(Path::to_path_buf),
    }
}

#[test]
fn columns_become_features_and_scores_as_they_are_defined() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "{HEADER}\
         chr1\t1000\t1500\ta\tchr1\t3000\t3001\tTRUE\tK562\tTRUE\t2000\t4\t1\t9\t0\tNA\t\t1\n\
         chr1\t1000\t1500\tb\tchr1\t101250\t101251\tTRUE\tK562\tFALSE\tNA\t4\t1\t25\t0\t0\t0\tFALSE\n\
         chr1\t1000\t1500\tc\tchr1\t3000\t3001\tFALSE\tK562\tTRUE\t2000\t4\t1\t9\t0\t0\t0\t1\n\
         chr1\t1000\t1500\td\tchr1\t3000\t3001\tTRUE\tK562\tNA\t2000\t4\t1\t9\t0\t0\t0\t1\n"
    );
    let path = write(folder.path(), "pairs.tsv", &text);
    let read = Examples::read(&path, TablePreset::Crispr).unwrap();
    assert_eq!(read.labels, Some(vec![1.0, 0.0]));
    assert_eq!(read.lines, [2, 3]);
    let row = |i: usize| &read.values[i * 8..(i + 1) * 8];
    let ln = |v: f64| v.ln_1p();
    let first = [
        2000f64.log10(),
        ln(4.0),
        ln(1.0),
        ln(9.0),
        0.0,
        0.0,
        0.0,
        1.0,
    ];
    assert_eq!(row(0), first);
    // The middles are 1,250 and 101,250.5.
    assert_eq!(row(1)[0], 100_000.5f64.log10());
    // √(4 · 9) over 5 kb, which 2 kb counts as, and √(4 · 25) over the distance, in Mb.
    let scores = vec![
        ("distance", vec![-2000.0, -100_000.5]),
        (
            "activity by distance",
            vec![6.0 / 5000.0 * 1e6, 10.0 / 100_000.5 * 1e6],
        ),
    ];
    assert_eq!(read.scores, scores);
    let reasons: Vec<(&str, usize)> = (read.left_out.iter())
        .map(|l| (l.reason.as_str(), l.n))
        .collect();
    let expected = [
        ("ValidConnection is not TRUE", 1),
        ("without a label in Regulated", 1),
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn a_planted_rule_is_learned_and_the_predictor_reads_back_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let train = write(folder.path(), "train.tsv", &planted("K562", 0));
    let test = write(folder.path(), "test.tsv", &planted("HCT116", 11));
    let run = run_table(&settings(), &table(&train, Some(&test)), &mut |_| {}).unwrap();
    let value = |result: &RunResult, name: &str| {
        let row = result.row(name).unwrap();
        row.measure("average_precision").value.unwrap()
    };
    let result = &run.outcome.result;
    assert_eq!((result.n, result.n_positive), (240, Some(80)));
    assert_eq!((result.n_folds, result.n_units), (8, 8));
    assert!((value(result, "prior") - 1.0 / 3.0).abs() < 1e-9);
    let logistic = value(result, "logistic");
    assert!(logistic > value(result, "distance"), "{logistic}");
    assert!(logistic > 0.95, "{logistic}");
    // Nothing is learned for a score: it is the table's order, whatever the folds.
    let examples = Examples::read(&train, TablePreset::Crispr).unwrap();
    let labels: Vec<bool> = (0..240).map(|i| i % 3 == 0).collect();
    let expected = crate::measures::average_precision(&labels, &examples.scores[0].1).unwrap();
    assert!((value(result, "distance") - expected).abs() < 1e-12);
    let tested = run.test.unwrap();
    let scored = tested.result.unwrap();
    assert!(value(&scored, "predictor") > 0.95);
    let file = folder.path().join("predictor.json");
    run.predictor.write(&file).unwrap();
    let read = TablePredictor::read(&file).unwrap();
    assert_eq!(read, run.predictor);
    let again = read.test(&test, &settings()).unwrap();
    let bits =
        |t: &[TablePrediction]| -> Vec<u64> { t.iter().map(|p| p.probability.to_bits()).collect() };
    assert_eq!(bits(&again.predictions), bits(&tested.predictions));
    let own = read.test(&train, &settings()).unwrap();
    assert!(
        own.notes.iter().any(|n| n.contains("trained on")),
        "{:?}",
        own.notes
    );
}

#[test]
fn tables_without_labels_are_predicted_and_lacking_columns_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let train = write(folder.path(), "train.tsv", &planted("K562", 0));
    let without = |column: usize| -> String {
        let text = planted("WTC11", 3);
        let line = |line: &str| {
            let mut cells: Vec<&str> = line.split('\t').collect();
            cells.remove(column);
            cells.join("\t") + "\n"
        };
        text.lines().map(line).collect()
    };
    let unlabelled = write(folder.path(), "unlabelled.tsv", &without(9));
    let run = run_table(&settings(), &table(&train, Some(&unlabelled)), &mut |_| {}).unwrap();
    let test = run.test.unwrap();
    assert_eq!((test.result, test.predictions.len()), (None, 240));
    let lacking = write(folder.path(), "lacking.tsv", &without(14));
    let refused = run
        .predictor
        .test(&lacking, &settings())
        .unwrap_err()
        .to_string();
    assert!(refused.contains("`CTCF.RPM`"), "{refused}");
    // Trained for this table, the predictor does without the column and says so.
    let run = run_table(&settings(), &table(&train, Some(&lacking)), &mut |_| {}).unwrap();
    assert!(
        run.predictor
            .features
            .iter()
            .all(|f| f.column != "CTCF.RPM")
    );
    let notes = &run.outcome.result.notes;
    assert!(
        notes.iter().any(|n| n.contains("CTCF.RPM is not read")),
        "{notes:?}"
    );
    let refused = |text: &str| {
        let path = write(folder.path(), "bad.tsv", text);
        let run = run_table(&settings(), &table(&path, None), &mut |_| {});
        run.unwrap_err().to_string()
    };
    let bad = planted("K562", 0).replace("\t4\t4\t4\t0\t1\tNA", "\t4\t-4\t4\t0\t1\tNA");
    let message = refused(&bad);
    assert!(
        message.contains("line 2") && message.contains("negative"),
        "{message}"
    );
    let message = refused(&planted("K562", 0).replace("\tTRUE\t3", "\tmaybe\t3"));
    assert!(
        message.contains("`maybe`") && message.contains("Regulated"),
        "{message}"
    );
    let message = refused(&without(9));
    assert!(message.contains("`Regulated`"), "{message}");
}

#[test]
fn the_real_pairs_have_the_published_baselines_and_learning_beats_them() {
    let data = std::env::var_os("PERSEA_SHARED_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")),
        PathBuf::from,
    );
    let pairs = data.join("crispr/EPCrisprBenchmark_combined_data.training_K562.GRCh38.tsv.gz");
    if !pairs.is_file() {
        let why = format!("there is no file {}", pairs.display());
        crate::skipped::skipped("data", why);
        return;
    }
    let settings = RunSettings {
        bootstrap: 0,
        ..settings()
    };
    let run = run_table(&settings, &table(&pairs, None), &mut |_| {}).unwrap();
    let result = &run.outcome.result;
    let value = |name: &str| {
        let measured = result.row(name).unwrap().measure("average_precision");
        (measured.value.unwrap() * 1000.0).round() / 1000.0
    };
    assert_eq!((result.n, result.n_positive), (10_356, Some(471)));
    // As the source of the data computes them.
    assert_eq!(
        (value("distance"), value("activity by distance")),
        (0.438, 0.517)
    );
    assert!(value("logistic") > 0.57, "{}", value("logistic"));
    assert!(
        result
            .notes
            .iter()
            .any(|n| n.contains("no embedding covers"))
    );
}
