//! Biosamples, assays, tracks and models that nobody knows: the nearest names are given.

use super::workspace::Workspace;

#[test]
fn a_track_that_is_not_there_is_refused_with_the_nearest_names() {
    let workspace = Workspace::ingested();
    workspace
        .run("track remove S11:H3K4me3")
        .fails(&["unknown biosample S11", "nearest: S1, S2, S3"]);
    workspace
        .run("track remove S1:H3K4me")
        .fails(&["unknown assay H3K4me", "H3K4me1", "H3K4me3"]);
    workspace.run("track remove S1:H3K4me1").fails(&[
        "unknown track S1 H3K4me1",
        "S1 has",
        "H3K27ac",
    ]);
    workspace
        .run("track remove S1")
        .expect_misuse(&["`S1` names no track", "BIOSAMPLE:ASSAY"]);
    workspace
        .run("track rename biosample S11 S5")
        .fails(&["unknown biosample S11", "nearest: S1, S2, S3"]);
    workspace
        .run("track rename assay H3K4me4 X")
        .fails(&["unknown assay H3K4me4", "H3K4me1"]);
    assert_eq!(workspace.tracks().len(), 12);
}

#[test]
fn a_name_that_is_taken_is_not_given_twice() {
    let workspace = Workspace::ingested();
    workspace
        .run("track rename biosample S1 S2")
        .fails(&["S2", "already"]);
    workspace
        .run("track rename assay H3K4me1 H3K4me3")
        .fails(&["H3K4me3", "already"]);
}

#[test]
fn a_model_that_is_not_there_is_refused() {
    let workspace = Workspace::ingested();
    for arguments in [
        "model show none",
        "model delete none",
        "model default none",
        "model diff none other",
        "evaluate --model none",
        "impute S1:H3K4me3 --model none --output a.bw",
    ] {
        workspace
            .run(arguments)
            .fails(&["unknown model none", "there is none yet"]);
    }
    workspace.run("evaluate").fails(&["model", "persea train"]);
}

mod of_models {
    use super::Workspace;

    #[test]
    fn an_experiment_that_the_model_does_not_know_is_refused_with_the_nearest_names() {
        let workspace = Workspace::trained();
        workspace
            .run("impute S11:H3K4me3 --output a.bw")
            .fails(&["unknown biosample S11", "nearest: S1, S2, S3"]);
        workspace
            .run("impute S1:h3k4me3 --output a.bw")
            .fails(&["unknown assay h3k4me3", "H3K4me3"]);
        workspace
            .run("impute S1 --output a.bw")
            .expect_misuse(&["`S1` names no track", "BIOSAMPLE:ASSAY"]);
        workspace.write("list.tsv", "biosample\tassay\nS1\tH3K4me3\nS1\tH3K4me2\n");
        workspace
            .run("impute --list list.tsv --output folder")
            .fails(&["list.tsv, line 3", "unknown assay H3K4me2", "H3K4me3"]);
        workspace
            .run("impute --output a.bw")
            .expect_misuse(&["which experiments?", "--all-missing"]);
        workspace
            .run("impute S1:H3K4me3 --output a.wig")
            .expect_misuse(&["a.wig", ".bedGraph", "--as"]);
        workspace
            .run("model show bse")
            .fails(&["unknown model bse", "base"]);
        assert!(!workspace.path("a.bw").exists());
    }

    #[test]
    fn tracks_to_hold_out_validate_or_score_that_are_not_there_are_refused() {
        let workspace = Workspace::trained();
        let train = "train --name m --preset small";
        workspace
            .run(&format!("{train} --hold S11:H3K4me3"))
            .fails(&["unknown biosample S11", "nearest: S1, S2, S3"]);
        workspace
            .run(&format!("{train} --hold S1:H3K4me2"))
            .fails(&["unknown assay H3K4me2", "H3K4me1"]);
        workspace
            .run(&format!("{train} --validate S1:H3K4me1"))
            .fails(&["--validate", "no track S1 H3K4me1"]);
        workspace
            .run(&format!("{train} --hold S1:H3K4me3 --validate S1:H3K4me3"))
            .fails(&["S1 H3K4me3", "both be held out and validate"]);
        workspace
            .run("evaluate --tracks S11:H3K4me3")
            .fails(&["S11", "H3K4me3"]);
        workspace
            .run("extend --biosamples S11")
            .fails(&["unknown biosample S11", "nearest: S1, S2, S3"]);
        workspace
            .run("extend --biosamples S1")
            .fails(&["knows the biosample S1 already"]);
        workspace.run("extend").fails(&["nothing to add"]);
    }

    #[test]
    fn a_truth_of_unknown_experiments_is_refused() {
        let workspace = Workspace::trained();
        workspace.write(
            "truth.tsv",
            "biosample\tassay\tpath\nS9\tH3K4me3\tsim/truth/S4.H3K4me3.bigwig\n",
        );
        workspace
            .run("evaluate --truth truth.tsv")
            .fails(&["S9", "unknown biosample"]);
    }
}
