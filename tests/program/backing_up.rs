//! `backup`, while other commands write.

use super::workspace::{Workspace, is_whole, tracks};

#[test]
fn a_backup_is_a_database_of_its_own() {
    let workspace = Workspace::ingested();
    let report = workspace.ok("backup copies.persea --format json").json();
    assert_eq!(report["tracks"], 12);
    assert_eq!(report["models"], 0);
    let copy = workspace.path("copies.persea");
    is_whole(&copy);
    assert_eq!(tracks(&copy), workspace.tracks());
    workspace
        .run("backup copies.persea")
        .fails(&["copies.persea", "exists"]);
}

#[test]
fn a_backup_during_an_ingest_has_the_tracks_that_were_in() {
    let workspace = Workspace::created();
    let ingest = workspace.start("ingest sim/manifest.tsv");
    let mut before = 0;
    for i in 0..3 {
        workspace.ok(&format!("backup copy{i}.persea"));
        let copy = workspace.path(&format!("copy{i}.persea"));
        is_whole(&copy);
        let n_tracks = tracks(&copy).len();
        assert!(n_tracks >= before);
        before = n_tracks;
    }
    ingest.finish().succeeds();
    assert_eq!(workspace.tracks().len(), 12);
    workspace.is_whole();
}

#[test]
fn a_backup_during_a_training_has_the_models_that_were_in_and_disturbs_it_not() {
    let workspace = Workspace::trained();
    let small = super::workspace::SMALL;
    let training = workspace.start(&format!(
        "train {small} --name second --passes 40 --no-validate --checkpoint-every 0.001"
    ));
    for i in 0..3 {
        let copy = format!("copy{i}.persea");
        let report = workspace.ok(&format!("backup {copy} --format json")).json();
        assert!(report["models"].as_u64() >= Some(1), "{report}");
        is_whole(&workspace.path(&copy));
        workspace.ok(&format!(
            "impute S1:H3K4me3 --model base --db {copy} --output a{i}.bw"
        ));
    }
    training.finish().succeeds();
    workspace.is_whole();
    workspace.ok("impute S1:H3K4me3 --model second --output b.bw");
}
