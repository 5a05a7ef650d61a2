//! Manifests that contradict themselves or the database: refused before anything is read, by line.

use super::workspace::{Outcome, Workspace};

const A: &str = "sim/tracks/S1.H3K4me3.bigwig";
const B: &str = "sim/tracks/S2.H3K4me3.bigwig";

/// Ingests a manifest that must be refused as a whole.
fn refused(manifest: impl AsRef<[u8]>, why: &[&str]) -> Outcome {
    let workspace = Workspace::created();
    workspace.write("m.tsv", manifest);
    let outcome = workspace.run("ingest m.tsv").fails(why).says(&["m.tsv"]);
    assert!(workspace.tracks().is_empty(), "{outcome}");
    outcome
}

#[test]
fn a_repeated_experiment_names_both_lines_and_the_option_for_replicates() {
    refused(
        format!("biosample\tassay\tpath\nS1\tH3K4me3\t{A}\nS1\tH3K4me3\t{B}\n"),
        &["line 3", "S1 H3K4me3", "line 2", "--replicates mean"],
    );
}

#[test]
fn an_unknown_column_is_named_beside_the_known_ones() {
    refused(
        format!("biosample\tassay\tpath\tcolour\nS1\tH3K4me3\t{A}\tred\n"),
        &[
            "line 1",
            "unknown column `colour`",
            "multiplier",
            "--columns",
        ],
    );
    refused(
        format!("cell\tassay\tpath\nS1\tH3K4me3\t{A}\n"),
        &["line 1", "no column `biosample`", "cell", "--columns"],
    );
}

#[test]
fn a_bad_number_is_named_with_its_line() {
    let row = |multiplier: &str| {
        format!(
            "biosample\tassay\tpath\tmultiplier\nS1\tH3K4me3\t{A}\t1\n\nS2\tH3K4me3\t{B}\t{multiplier}\n"
        )
    };
    for number in ["1,5", "abc", "-1", "0", "inf"] {
        // A blank line counts too.
        refused(row(number), &["line 4", &format!("`{number}`"), "above 0"]);
    }
}

#[test]
fn fields_that_name_nothing_known_are_refused_with_what_would_do() {
    let row = |column: &str, value: &str| {
        format!("biosample\tassay\tpath\t{column}\nS1\tH3K4me3\t{A}\t{value}\n")
    };
    refused(
        row("format", "bam"),
        &["line 2", "`bam` is not a format", "bigwig"],
    );
    refused(
        row("transform", "log"),
        &["line 2", "`log`", "arcsinh and none"],
    );
    refused(
        row("missing", "drop"),
        &["line 2", "`drop`", "zero, or missing"],
    );
    refused(
        row("unit", "x\ty"),
        &["line 2", "it has 5 fields, the header 4"],
    );
    refused(
        "biosample\tassay\tpath\n\tH3K4me3\ta.bw\n",
        &["line 2", "biosample is empty"],
    );
}

#[test]
fn a_manifest_that_is_missing_empty_or_all_header_is_refused() {
    refused("", &["it is empty", "header"]);
    refused("biosample\tassay\tpath\n", &["no row names a file"]);
    Workspace::created()
        .run("ingest nowhere.tsv")
        .fails(&["cannot read nowhere.tsv", "No such file"]);
}

#[test]
fn a_manifest_in_another_encoding_says_what_to_save_it_as() {
    refused(
        b"biosample\tassay\tpath\nS1\tH3K4me3\ta.bw\nS\xe9\tH3K4me3\tb.bw\n",
        &["line 3", "no UTF-8 text", "save the table as UTF-8"],
    );
}

#[test]
fn units_mixed_within_one_assay_are_refused_with_both_lines() {
    refused(
        format!(
            "biosample\tassay\tpath\tunit\nS1\tH3K4me3\t{A}\t-log10 p\nS2\tH3K4me3\t{B}\tfold change\n"
        ),
        &[
            "line 3",
            "H3K4me3 has unit fold change",
            "line 2 -log10 p",
            "need the same",
        ],
    );
}

#[test]
fn units_mixed_with_those_of_the_database_are_refused() {
    let workspace = Workspace::ingested();
    workspace.write(
        "m.tsv",
        format!("biosample\tassay\tpath\tunit\nS9\tH3K4me3\t{A}\tfold change\n"),
    );
    workspace.run("ingest m.tsv").fails(&[
        "m.tsv, line 2",
        "fold change",
        "the database's track of S1",
        "need the same",
    ]);
    assert_eq!(workspace.tracks().len(), 12);
}

#[test]
fn columns_that_map_nothing_are_misuse() {
    let workspace = Workspace::created();
    workspace
        .run("ingest sim/manifest.tsv --columns cell=biosample")
        .expect_misuse(&["`cell` is not a column", "biosample"]);
}

#[test]
fn a_signal_that_its_multiplier_makes_too_large_is_refused_with_its_coordinate() {
    let workspace = Workspace::created();
    workspace.write("a.bedGraph", "chr1\t50\t75\t1e30\n");
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\tmultiplier\ttransform\nS9\tCTCF\ta.bedGraph\t1e30\tnone\n",
    );
    workspace.run("ingest m.tsv").fails(&[
        "S9 CTCF",
        "chr1:51-75",
        "times 1e30 is too large",
        "multiplier",
    ]);
    assert!(workspace.tracks().is_empty());
}
