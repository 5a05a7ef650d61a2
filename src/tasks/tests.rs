//! Whole runs on a small world whose truth is known: windows are active or not, one assay shows
//! it, the other is noise.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::*;
use crate::genome::{Assembly, GenomeAxis, Interval, Region, Resolution};
use crate::imputation::impute_track;
use crate::model::TrainedModel;
use crate::store::test_support::store_track;
use crate::store::{Database, Example, LabelColumn, NewDatabase, NewTask, TrackRole};

mod planted;
mod refused;
mod world;

use world::*;

#[test]
fn signal_that_tells_beats_the_baselines_and_the_run_repeats_to_the_bit() {
    let world = World::new();
    let mut settings = settings(&["signal", "average", "signal+average"], Learner::Gbm);
    settings.importance = true;
    let outcome = world.run(&settings).unwrap();
    let result = &outcome.result;
    assert_eq!((result.n, result.n_folds, result.n_units), (240, 5, 6));
    assert_eq!(result.fold_kind, FoldKind::Chromosomes);
    assert!(primary(&outcome, "signal") > 0.95);
    let prior = primary(&outcome, "prior");
    assert!((prior - result.n_positive.unwrap() as f64 / 240.0).abs() < 1e-12);
    // What is active elsewhere is mostly active here.
    assert!(primary(&outcome, "average") > prior + 0.2);
    assert!(primary(&outcome, "other biosamples") > prior + 0.2);
    assert!(primary(&outcome, "signal") > primary(&outcome, "average"));
    // It is the one assay that tells.
    let importance = &result.row("signal").unwrap().importance;
    let drop = |group: &str| {
        importance
            .iter()
            .find(|i| i.group == group)
            .unwrap()
            .drop
            .unwrap()
    };
    assert!(drop("signal told") > 0.3 && drop("signal noise") < 0.1);
    // Signal against the prior: better in every resampling.
    let compared = result
        .comparisons
        .iter()
        .find(|c| c.a == "signal" && c.b == "prior");
    let compared = compared.unwrap();
    assert!(compared.low.unwrap() > 0.3);
    // Six chromosomes are too few for a test.
    assert_eq!(compared.p, None);

    let id = outcome.store(&world.database).unwrap();
    let stored = world.database.read_run(id).unwrap();
    let (again, different) = rerun(&world.database, &stored, &mut |_| {}).unwrap();
    assert_eq!(different, Vec::<String>::new());
    assert_eq!(again.result.rows[0].measures, result.rows[0].measures);
    let kept = predictions(&world.database, &stored).unwrap();
    assert_eq!(
        (kept.rows.len(), kept.names.len()),
        (240, result.rows.len())
    );
    assert_eq!(kept.rows[0].example, World::examples()[0].2.name);

    // A run of other labels is another run.
    world.task("marked", |_, w, _| f64::from(u8::from(w % 2 == 0)));
    let refused = rerun(&world.database, &stored, &mut |_| {}).unwrap_err();
    assert!(
        refused.to_string().contains("task marked has changed"),
        "{refused}"
    );
    // Its examples are not those that the run knew by name.
    let kept = predictions(&world.database, &stored).unwrap();
    assert_eq!(kept.rows[0].example, "example 0");
}

/// What a fold's own labels are must not change what is predicted there.
#[test]
fn no_learner_sees_the_labels_of_the_fold_that_it_predicts() {
    let world = World::new();
    let truth = |c, w, b| f64::from(u8::from(active(c, w, b)));
    for learner in [Learner::Gbm, Learner::Logistic, Learner::Forest] {
        let mut settings = settings(&["signal+average"], learner);
        settings.folds.kind = FoldKind::Column;
        settings.tune = learner == Learner::Logistic;
        settings.calibrate = Calibration::Platt;
        settings.select = Some(3);
        settings.bootstrap = 0;
        world.task("marked", truth);
        let before = world.run(&settings).unwrap();
        // The fold of the first and fourth chromosome is turned upside down.
        world.task("marked", |c, w, b| {
            if c % 3 == 0 {
                1.0 - truth(c, w, b)
            } else {
                truth(c, w, b)
            }
        });
        let after = world.run(&settings).unwrap();
        let fold = column(&before, "fold");
        let (old, new) = (
            column(&before, "signal+average"),
            column(&after, "signal+average"),
        );
        for i in 0..fold.len() {
            if fold[i] == 0.0 {
                assert_eq!(old[i].to_bits(), new[i].to_bits(), "{learner:?}");
            }
        }
        assert_ne!(old, new, "{learner:?}: other folds did learn from it");
    }
}

#[test]
fn features_of_a_model_are_what_the_model_says_of_the_window() {
    let world = World::new();
    world.model("m", &[], json!({}));
    let model = TrainedModel::open(&world.database, Some("m")).unwrap();
    let request = features::Request {
        biosamples: vec!["S2".into()],
        assays: vec![],
        poolings: vec![Pooling::Mean],
        reach: windows::Reach {
            upstream: 80,
            downstream: 80,
        },
    };
    let examples: Vec<Example> = World::examples().into_iter().map(|(_, _, e)| e).collect();
    let maker = features::Maker::new(&world.database, Some(&model), &request, &examples).unwrap();
    let make = |term: &Term| maker.make(term, "S2").unwrap();
    // The 45th example: window 5 of the second chromosome, bins 2400 + 300 to 320.
    let (row, first) = (45, 2_700usize);
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-5, "{a} {b}");

    let embedding = make(&Term::Embedding);
    let factors = model.genome_factors(&world.database).unwrap();
    let sizes = model.config().sizes;
    assert_eq!(embedding.columns.len(), sizes.embedding());
    let mut at = 0;
    for scale in Resolution::ALL {
        for c in 0..sizes.genome_factors(scale) {
            let of_bin = |bin: u64| {
                let place = model.axis().locate(bin);
                let row = model.axis().row(scale, place.region, place.chrom_bin);
                f64::from(factors.scales[scale.index()][[row as usize, c]])
            };
            let mean = (first as u64..first as u64 + 20).map(of_bin).sum::<f64>() / 20.0;
            close(f64::from(embedding.row(row)[at]), mean);
            at += 1;
        }
    }

    let mean_of = |assay: &str| {
        let experiment = crate::compendium::Experiment::new("S2", assay);
        let track = impute_track(&world.database, &model, &experiment).unwrap();
        track[first..first + 20]
            .iter()
            .map(|v| f64::from(*v))
            .sum::<f64>()
            / 20.0
    };
    let imputed = make(&Term::Imputed);
    for (i, assay) in ["noise", "told", "unmeasured"].into_iter().enumerate() {
        close(f64::from(imputed.row(row)[i]), mean_of(assay));
    }
    let denoised = make(&Term::Denoised);
    assert_eq!(denoised.columns.len(), 2);
    assert_eq!(denoised.row(row), &imputed.row(row)[..2]);
    let (completed, signal) = (make(&Term::Completed), make(&Term::Signal));
    assert_eq!(completed.row(row)[..2], *signal.row(row));
    assert_eq!(completed.row(row)[2], imputed.row(row)[2]);

    // The output is linear in the last hidden layer: the mean activations give the mean imputation.
    let hidden = make(&Term::Hidden);
    let output = &model.network().output;
    let sum: f64 = (hidden.row(row).iter().zip(output.weight.column(0)))
        .map(|(h, w)| f64::from(*h) * f64::from(*w))
        .sum();
    let mean = ["noise", "told", "unmeasured"]
        .map(mean_of)
        .iter()
        .sum::<f64>()
        / 3.0;
    close(sum + f64::from(output.bias[0]), mean);
    assert_ne!(hidden, maker.make(&Term::Hidden, "S1").unwrap());
    assert_eq!(
        make(&Term::BiosampleFactors).columns.len(),
        sizes.biosample_factors
    );
}

#[test]
fn a_fold_without_positives_is_undefined_and_said() {
    let world = World::new();
    world.task("two", |c, w, b| match c {
        0 | 1 | 3 => f64::from(u8::from(active(c, w, b))),
        _ => 0.0,
    });
    let mut settings = settings(&["signal"], Learner::Logistic);
    settings.task = "two".into();
    settings.folds.kind = FoldKind::Column;
    let outcome = world.run(&settings).unwrap();
    // Chromosomes c and f are the third fold.
    let row = outcome.result.row("signal").unwrap();
    assert_eq!(row.folds[2].n_positive, Some(0));
    assert_eq!(row.folds[2].measures["average_precision"], None);
    assert_eq!(row.folds[2].measures["auroc"], None);
    assert!(row.folds[0].measures["average_precision"].is_some());
    assert!(
        outcome
            .result
            .notes
            .iter()
            .any(|n| n.contains("fold 2 has no positive"))
    );
}

#[test]
fn a_baseline_that_tells_nothing_is_left_out_and_said() {
    let world = World::new();
    // Nothing is positive elsewhere.
    world.task("alone", |c, w, b| match b {
        0 => f64::from(u8::from(active(c, w, b))),
        _ => 0.0,
    });
    let mut settings = settings(&["signal"], Learner::Logistic);
    settings.task = "alone".into();
    let outcome = world.run(&settings).unwrap();
    assert!(primary(&outcome, "signal") > 0.95);
    assert!(outcome.result.row("other biosamples").is_none());
    let notes = outcome.result.notes.join("\n");
    assert!(
        notes.contains("baseline other biosamples is left out: no feature varies"),
        "{notes}"
    );
}

#[test]
fn across_biosamples_the_labels_of_the_tested_are_not_learned_from() {
    let world = World::new();
    let mut settings = settings(&["signal"], Learner::Logistic);
    settings.train_biosamples = vec!["S1".into(), "S2".into()];
    settings.test_biosamples = vec!["S3".into()];
    let before = world.run(&settings).unwrap();
    assert_eq!(before.result.n, 240);
    assert!(primary(&before, "signal") > 0.95);
    let row = before.result.row("signal").unwrap();
    let parts: Vec<&str> = row.subsets.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(parts, ["variable", "S3"]);
    // Where biosamples differ, what the others do is of little help and the signal is.
    let of = |row: &str| {
        before.result.row(row).unwrap().subsets[0].measures["auroc"]
            .value
            .unwrap()
    };
    assert!(of("signal") > of("other biosamples") + 0.2);
    // Without the labels of S3, folds need not change here: they are spread by all labels, so the
    // column is used.
    settings.folds.kind = FoldKind::Column;
    let before = world.run(&settings).unwrap();
    world.task("marked", |c, w, b| match b {
        2 => f64::from(u8::from(w % 3 == 0)),
        _ => f64::from(u8::from(active(c, w, b))),
    });
    let after = world.run(&settings).unwrap();
    assert_eq!(column(&before, "signal"), column(&after, "signal"));
    assert_ne!(column(&before, "label"), column(&after, "label"));
}

#[test]
fn inductive_runs_train_where_the_network_was_trained_and_test_where_it_was_extended_to() {
    let world = World::new();
    let extended = json!({"extensions": [{"added": "regions", "names": 2}]});
    world.model("extended", &[], extended);
    world.model("whole", &[], json!({}));
    let mut settings = settings(&["embedding", "signal"], Learner::Logistic);
    settings.model = Some("extended".into());
    settings.inductive = true;
    let outcome = world.run(&settings).unwrap();
    // Chromosomes e and f.
    assert_eq!(outcome.result.n, 80);
    let examples = column(&outcome, "example");
    assert!(examples.iter().all(|e| *e >= 160.0));
    settings.model = Some("whole".into());
    world.refuses(&settings, &["saw all of its regions", "option `regions`"]);
}

#[test]
fn a_suite_does_everything_once_and_tells_what_failed() {
    let world = World::new();
    let text = r#"
        name = "small"
        [[run]]
        task = "marked"
        features = ["signal", "average"]
        learners = ["logistic", "ridge"]
        bootstrap = 20
        [[run]]
        task = "marked"
        biosamples = ["S1"]
        features = ["signal"]
        folds = [{ kind = "regions", n = 77 }]
    "#;
    let suite = Suite::parse(text, Path::new("small.toml")).unwrap();
    let go = |stop: bool| {
        let stop = AtomicBool::new(stop);
        run_suite(
            &world.database,
            &suite,
            Path::new("."),
            None,
            &stop,
            &|_| {},
        )
    };
    assert!(go(true).unwrap_err().to_string().contains("stopped"));
    let first = go(false).unwrap();
    // Three biosamples by two learners, and the one that cannot be.
    assert_eq!(first.len(), 7);
    assert!(
        first[..6]
            .iter()
            .all(|r| r.outcome.is_ok() && !r.done_before)
    );
    let message = first[6].outcome.as_ref().unwrap_err();
    assert!(message.contains("77 folds"), "{message}");
    // Features that learners share are those that each would have made for itself.
    let stored = world.database.list_runs().unwrap();
    assert_eq!(stored.len(), 6);
    for run in &stored {
        let (_, different) = rerun(&world.database, run, &mut |_| {}).unwrap();
        assert!(different.is_empty(), "{different:?}");
    }
    let second = go(false).unwrap();
    assert!(second[..6].iter().all(|r| r.done_before));
    assert_eq!(world.database.list_runs().unwrap().len(), 6);
    let wrong = text.replace("\"marked\"", "\"unknown\"");
    let suite = Suite::parse(&wrong, Path::new("small.toml")).unwrap();
    let stop = AtomicBool::new(false);
    let refused = run_suite(
        &world.database,
        &suite,
        Path::new("."),
        None,
        &stop,
        &|_| {},
    );
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("unknown task unknown")
    );
}

#[test]
fn examples_that_nothing_covers_are_counted_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let assembly = Assembly::from_chromosomes("toy", &[("a".into(), 250_000)]).unwrap();
    let region = |first_bin| Region {
        name: None,
        chrom: "a".into(),
        first_bin,
        n_bins: 400,
    };
    let parts = NewDatabase {
        axis: GenomeAxis::new(assembly, vec![region(0), region(1_000)]).unwrap(),
        mask: vec![],
        genes: vec![],
        enhancers: vec![],
    };
    let database = Database::create(&folder.path().join("x.persea"), &parts).unwrap();
    let values: Vec<f32> = (0..800).map(noise).collect();
    store_track(&database, "S1", "told", &values);
    let examples: Vec<Example> = (0..60u64)
        .map(|i| Example {
            name: format!("w{i}"),
            place: Some(Interval::new("a", i * 1_000, i * 1_000 + 500)),
            ..Example::default()
        })
        .collect();
    let task = NewTask {
        name: "marked".into(),
        kind: "custom".into(),
        sources: json!([]),
        columns: vec![LabelColumn {
            biosample: "S1".into(),
            unit: "label".into(),
            values: (0..60)
                .map(|i| if i == 3 { f64::NAN } else { f64::from(i % 2) })
                .collect(),
        }],
        examples,
    };
    database.save_task(&task, false).unwrap();
    let mut settings = settings(&["signal"], Learner::Logistic);
    settings.folds = FoldSettings {
        kind: FoldKind::Blocks,
        n: Some(4),
        seed: 0,
    };
    let outcome = run(&database, &settings, &mut |_| {}).unwrap();
    // Bins 0–400 and 1000–1400 are covered: windows 0–9 and 25–34, of which the fourth has no label.
    assert_eq!(outcome.result.n, 19);
    let left_out = &outcome.result.left_out;
    assert_eq!((left_out[0].n, left_out[0].names[0].as_str()), (40, "w10"));
    assert_eq!((left_out[1].n, left_out[1].names[0].as_str()), (1, "w3"));
}
