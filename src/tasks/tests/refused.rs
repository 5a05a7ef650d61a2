//! Runs that are refused, with the reason.

use super::*;

#[test]
fn features_that_have_seen_the_label_are_refused() {
    let world = World::new();
    let mut task = NewTask {
        name: "expression".into(),
        kind: "expression".into(),
        sources: json!([]),
        examples: World::examples().into_iter().map(|(_, _, e)| e).collect(),
        columns: vec![],
    };
    let values = World::examples()
        .into_iter()
        .map(|(c, w, _)| f64::from(u8::from(active(c, w, 0))));
    task.columns.push(LabelColumn {
        biosample: "S1".into(),
        unit: "rpkm".into(),
        values: values.collect(),
    });
    world.database.save_task(&task, false).unwrap();
    let of_task = |features: &[&str]| RunSettings {
        task: "expression".into(),
        ..settings(features, Learner::Logistic)
    };
    // Another biosample's RNA-seq: genome factors are shared by all.
    world.model("leaking", &[("S3", "RNA-seq", TrackRole::Train)], json!({}));
    let leaking = RunSettings {
        model: Some("leaking".into()),
        ..of_task(&["embedding"])
    };
    world.refuses(
        &leaking,
        &["RNA-seq of S3", "know the answer", "Train a model without"],
    );
    world.model("clean", &[("S3", "RNA-seq", TrackRole::Hold)], json!({}));
    let clean = RunSettings {
        model: Some("clean".into()),
        ..of_task(&["embedding"])
    };
    assert!(world.run(&clean).is_ok());
    let values: Vec<f32> = (0..BINS * 6).map(noise).collect();
    store_track(&world.database, "S2", "CAGE", &values);
    world.refuses(
        &of_task(&["all-signal"]),
        &["would hold CAGE", "option `assays`"],
    );
    let named = RunSettings {
        assays: vec!["told".into()],
        ..of_task(&["all-signal"])
    };
    assert!(world.run(&named).is_ok());
}

#[test]
fn labels_that_cannot_be_learned_are_refused_with_the_reason() {
    let world = World::new();
    let plain = || settings(&["signal"], Learner::Logistic);
    world.task("same", |_, _, _| 1.0);
    let same = |target| RunSettings {
        task: "same".into(),
        target,
        ..plain()
    };
    world.refuses(&same(None), &["all of the 240 labels", "one class only"]);
    world.refuses(
        &same(Some(Target::Regression)),
        &["all 240 labels are equal"],
    );
    let mut folds = plain();
    folds.folds.n = Some(241);
    world.refuses(&folds, &["240 examples", "241 folds"]);
    folds.folds.n = Some(7);
    world.refuses(&folds, &["6 units", "7 folds"]);
    let elsewhere = RunSettings {
        test_biosamples: vec!["S4".into()],
        train_biosamples: vec!["S4".into()],
        ..plain()
    };
    world.refuses(&elsewhere, &["S4", "nearest"]);
    // All positives in one fold: without it, nothing is positive.
    world.task("corner", |c, w, _| f64::from(u8::from(c == 2 && w < 9)));
    let corner = RunSettings {
        task: "corner".into(),
        ..plain()
    };
    world.refuses(&corner, &["one class", "choose fewer or other folds"]);
}

#[test]
fn features_that_cannot_be_made_are_refused_with_the_reason() {
    let world = World::new();
    // S4 has labels and no track.
    let mut task = NewTask {
        name: "other".into(),
        kind: "custom".into(),
        sources: json!([]),
        examples: World::examples().into_iter().map(|(_, _, e)| e).collect(),
        columns: vec![],
    };
    task.columns.push(LabelColumn {
        biosample: "S4".into(),
        unit: "label".into(),
        values: (0..240).map(|i| f64::from(i % 2)).collect(),
    });
    world.database.save_task(&task, false).unwrap();
    let mut other = RunSettings {
        task: "other".into(),
        train_biosamples: vec![],
        test_biosamples: vec![],
        ..settings(&["signal"], Learner::Logistic)
    };
    world.refuses(&other, &["`signal` cannot be made", "S4 has no track"]);
    other.features = vec!["all-signal".parse().unwrap()];
    assert!(world.run(&other).is_ok());

    let folder = tempfile::tempdir().unwrap();
    let matrix = |rows: usize, cell: &dyn Fn(usize) -> String| {
        let mut text = String::from("x\ty\n");
        for i in 0..rows {
            text.push_str(&format!("{}\t{}\n", cell(i), cell(i + 1)));
        }
        let path = folder.path().join("m.tsv");
        std::fs::write(&path, text).unwrap();
        RunSettings {
            matrices: vec![MatrixSource {
                name: String::new(),
                path,
                drop: vec![],
            }],
            ..settings(&["published"], Learner::Gbm)
        }
    };
    let number = |i: usize| i.to_string();
    world.refuses(&matrix(239, &number), &["239 rows", "240 examples"]);
    world.refuses(
        &matrix(240, &|_| "NA".into()),
        &["all features are missing"],
    );
    assert!(world.run(&matrix(240, &number)).is_ok());
    let none = settings(&["published:x"], Learner::Gbm);
    world.refuses(&none, &["option `matrix`"]);
    world.refuses(
        &settings(&["embedding"], Learner::Gbm),
        &["no model", "persea train"],
    );
}
