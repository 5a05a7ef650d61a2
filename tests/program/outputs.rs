//! Outputs that are no plain files.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;

use super::workspace::Workspace;

#[test]
fn an_output_that_is_a_link_stays_one_whatever_command_writes_it() {
    let workspace = Workspace::trained();
    fs::create_dir(workspace.path("elsewhere")).unwrap();
    for (command, ending) in [
        ("impute S1:H3K4me3 --output", "bw"),
        ("impute S1:H3K4me3 --output", "bedgraph.gz"),
        ("impute S1:H3K4me3 --output", "npz"),
        ("export genome --resolution 5kbp --output", "parquet"),
        ("export biosamples --output", "tsv"),
        ("export biosamples --output", "h5ad"),
        ("similar position chr1:30,010 -k 3 --exclude 0 --bed", "bed"),
        ("plot coverage --output", "svg"),
        ("plot coverage --output", "png"),
        ("report --no-evaluate --output", "html"),
    ] {
        let target = workspace.path(&format!("elsewhere/target.{ending}"));
        let link = workspace.path(&format!("link.{ending}"));
        let _ = fs::remove_file(&link);
        fs::write(&target, "before").unwrap();
        symlink(format!("elsewhere/target.{ending}"), &link).unwrap();
        workspace.ok(&format!("{command} link.{ending}"));
        assert!(link.is_symlink() && !target.is_symlink(), "{command}");
        let written = fs::read(&target).unwrap();
        assert!(!written.is_empty() && written != b"before", "{command}");
    }
}

#[test]
fn a_simulation_makes_the_folders_above_its_own() {
    let workspace = Workspace::new();
    workspace.ok(
        "simulate --output a/b --biosamples 2 --assays 2 --groups 1 --chromosomes 1 --chromosome-bp 50000",
    );
    assert!(workspace.path("a/b/manifest.tsv").is_file());
    fs::write(workspace.path("file"), "").unwrap();
    let refused = workspace.run("simulate --output file/b --biosamples 2 --assays 2 --groups 1");
    refused.fails(&["file"]);
}
