//! Storing evaluations of models.

use serde_json::{Value, json};

use super::super::test_support::*;
use super::super::{Database, EvaluationKind, NewEvaluation, StoreError};
use super::models::store_model;

fn new(settings: Value, result: Value) -> NewEvaluation {
    NewEvaluation {
        kind: EvaluationKind::Probe,
        settings,
        basis: json!({"model": "x"}),
        result,
    }
}

#[test]
fn an_evaluation_reads_back_is_replaced_by_its_like_and_goes_with_its_model() {
    let (folder, database) = toy_database();
    let model = store_model(&database, "m", 1);
    let first = new(json!({"seed": 0}), json!({"linear": 0.5}));
    database.save_evaluation(&model, &first).unwrap();
    database
        .save_evaluation(&model, &new(json!({"seed": 1}), json!({"linear": 0.1})))
        .unwrap();
    let again = new(json!({"seed": 0}), json!({"linear": null}));
    database.save_evaluation(&model, &again).unwrap();
    let stored = database.evaluations(&model).unwrap();
    let found: Vec<_> = stored.iter().map(|s| (&s.settings, &s.result)).collect();
    assert_eq!(
        found,
        [
            (&again.settings, &again.result),
            (&json!({"seed": 1}), &json!({"linear": 0.1}))
        ]
    );
    assert_eq!(stored[0].made_by, env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (stored[0].kind, &stored[0].basis),
        (again.kind, &again.basis)
    );
    assert!(database.check().unwrap().is_empty());

    let copy = folder.path().join("copy.persea");
    database.backup(&copy, &mut |_| {}).unwrap();
    let copied = Database::open(&copy).unwrap();
    assert_eq!(copied.evaluations(&model).unwrap(), stored);

    database.delete_model("m").unwrap();
    assert!(database.evaluations(&model).unwrap().is_empty());
    let error = database.save_evaluation(&model, &first).unwrap_err();
    assert!(error.to_string().contains("removed or replaced"), "{error}");
    assert!(database.check().unwrap().is_empty());
}

#[test]
fn a_changed_result_is_refused_and_named_by_the_check() {
    let (_folder, database) = toy_database();
    let model = store_model(&database, "m", 1);
    let whole = new(json!({}), json!({"linear": 0.5}));
    database.save_evaluation(&model, &whole).unwrap();
    // Whoever writes past Persea and brings the table's digest up to date as well.
    database
        .write_in(&["evaluations"], |t| {
            Ok(t.execute("UPDATE evaluations SET result = '{\"linear\": 0.9}'", [])?)
        })
        .unwrap();
    let error = database.evaluations(&model).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let findings = database.check().unwrap();
    assert!(
        findings
            .iter()
            .any(|f| f.what.contains("table evaluations")),
        "{findings:?}"
    );
}
