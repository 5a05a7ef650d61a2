//! A small database for fuzz targets, and everything that can be read of one.

use std::fs;
use std::path::{Path, PathBuf};

use persea::model::TrainedModel;
use persea::store::{
    Database, EvaluationKind, Example, LabelColumn, NewEvaluation, NewProjection, NewRun,
    NewSelection, NewTask, ProjectionColumn, StoreError,
};
use persea_genome::Interval;
use serde_json::json;

/// What is compared of a database.
#[derive(Debug, PartialEq)]
pub struct Answers {
    tracks: Vec<String>,
    signal: Vec<u32>,
    models: Vec<String>,
}

/// Tracks, signal and models; `None` where anything of them fails.
pub fn answers(database: &Database) -> Option<Answers> {
    let tracks = database.tracks().ok()?;
    let mut signal = Vec::new();
    for track in &tracks {
        let mut bins = vec![0.0; database.axis().n_bins() as usize];
        let whole = 0..bins.len() as u64;
        database.signal(track).ok()?.read(whole, &mut bins).ok()?;
        signal.extend(bins.iter().map(|v| v.to_bits()));
    }
    let mut models = Vec::new();
    for model in database.list_models().ok()? {
        TrainedModel::open(database, Some(&model.record.name)).ok()?;
        models.push(format!("{} {}", model.record.name, model.checksum));
    }
    let name = |t: &persea::store::Track| format!("{} {}", t.biosample, t.assay);
    Some(Answers {
        tracks: tracks.iter().map(name).collect(),
        signal,
        models,
    })
}

/// Reads whatever is stored, each part whether or not the others can be read. What is read is not looked at: no
/// content may make a reader panic, hang or take memory without bound.
pub fn read_everything(database: &Database) {
    let _ = database.check();
    let _ = database.info();
    let _ = (database.mask(), database.genes(), database.enhancers());
    let _ = (database.biosamples(), database.assays());
    let tracks = database.tracks().unwrap_or_default();
    for track in &tracks {
        let _ = database.coverage(track);
        let mut bins = vec![0.0; (database.axis().n_bins() as usize).min(1 << 16)];
        let whole = 0..bins.len() as u64;
        let _ = database
            .signal(track)
            .and_then(|signal| signal.read(whole, &mut bins));
    }
    for stored in database.list_models().unwrap_or_default() {
        for tensor in &stored.tensors {
            let _ = database.read_whole_tensor(&stored, &tensor.name, tensor.region);
        }
        let _ = database.evaluations(&stored);
        let _ = database.graph_record(stored.id, "250bp");
        if let Ok(model) = TrainedModel::open(database, Some(&stored.record.name)) {
            let _ = model.genome_factors(database);
            for (region, of) in model.axis().regions().iter().enumerate() {
                let n_bins = of.n_bins.min(100) as usize;
                let _ = model.block(database, region, of.first_bin, n_bins);
            }
        }
    }
    for task in database.list_tasks().unwrap_or_default() {
        let _ = database.task_examples(&task);
        for labels in &task.labels {
            let _ = database.task_labels(&task, &labels.biosample);
        }
    }
    for run in database.list_runs().unwrap_or_default() {
        let _ = database.run_columns(&run);
    }
    let _ = database.selections();
    for projection in database.list_projections().unwrap_or_default() {
        let _ = database.projection_columns(&projection);
    }
}

/// Makes the database of the last fixture's tracks and models in a folder, brought up to date, with a task, a run, a
/// selection, a projection and an evaluation.
///
/// # Panics
/// If it cannot be made.
pub fn make(folder: &Path) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/databases/schema_10");
    copy(&fixture.join("signal.zarr"), &folder.join("signal.zarr"));
    let packed = fs::File::open(fixture.join("persea.sqlite.gz")).expect("the fixture is there");
    let mut file = fs::File::create(folder.join("persea.sqlite")).expect("a file can be made");
    std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut file).expect("it is gzipped");
    drop(file);
    fill(folder).expect("the fixture can be added to");
    // The log's content goes into the file.
    let connection = rusqlite::Connection::open(folder.join("persea.sqlite"));
    let connection = connection.expect("it can be opened");
    let checkpoint = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    checkpoint.expect("nobody else has it open");
}

fn fill(folder: &Path) -> Result<(), StoreError> {
    let database = Database::open(folder)?;
    let example = |start: u64| Example {
        name: format!("e{start}"),
        place: Some(Interval::new("chr1", start, start + 250)),
        strand: None,
        partner: Some(Interval::new("chr1", 0, 100)),
        fold: None,
    };
    database.save_task(
        &NewTask {
            name: "t".into(),
            kind: "classification".into(),
            sources: json!({ "files": [] }),
            examples: vec![example(0), example(500)],
            columns: vec![LabelColumn {
                biosample: "S1".into(),
                unit: "label".into(),
                values: vec![0.0, 1.0],
            }],
        },
        false,
    )?;
    database.save_run(&NewRun {
        key: "k".into(),
        task: "t".into(),
        settings: json!({ "seed": 1 }),
        result: json!({ "auc": 0.5 }),
        columns: vec![("score".into(), vec![0.25, 0.75])],
    })?;
    database.save_selection(&NewSelection {
        kind: "biosamples".into(),
        settings: json!({ "k": 1 }),
        result: json!({ "chosen": ["S1"] }),
    })?;
    let models = database.list_models()?;
    let model = models.first().expect("the fixture has models");
    database.save_projection(&NewProjection {
        name: "p".into(),
        axis: "genome".into(),
        method: "pca".into(),
        model: model.record.name.clone(),
        model_checksum: model.checksum.clone(),
        settings: json!({}),
        result: json!({}),
        columns: vec![
            ("x".into(), ProjectionColumn::Numbers(vec![1.0, 2.0])),
            (
                "label".into(),
                ProjectionColumn::Texts(vec!["a".into(), "b".into()]),
            ),
        ],
    })?;
    database.save_evaluation(
        model,
        &NewEvaluation {
            kind: EvaluationKind::Imputation,
            settings: json!({}),
            basis: json!({ "model": model.checksum, "tracks": [] }),
            result: json!({ "mse": 1 }),
        },
    )
}

/// Each file below a folder, with its bytes.
///
/// # Panics
/// If one cannot be read.
pub fn files_below(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    let entries = fs::read_dir(folder).expect("it is a folder");
    let mut entries: Vec<_> = entries.map(|e| e.expect("it can be read").path()).collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => files_below(&path, found),
            false => {
                let bytes = fs::read(&path).expect("it can be read");
                found.push((path, bytes));
            }
        }
    }
}

/// Copies a folder.
///
/// # Panics
/// If it cannot be read or written.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("it is a folder") {
        let path = entry.expect("it can be read").path();
        let target = to.join(path.file_name().expect("entries have names"));
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(fs::copy(&path, &target).expect("a file can be copied")),
        }
    }
}
