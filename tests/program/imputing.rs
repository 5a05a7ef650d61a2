//! Imputed tracks as files.

use std::fs;

use super::made::CHROMOSOME_BINS;
use super::read::{bins, read_bedgraph, read_bigwig, read_npz};
use super::workspace::Workspace;

#[test]
fn bigwig_bedgraph_and_npz_hold_the_same_numbers() {
    let workspace = Workspace::trained();
    for name in ["a.bw", "a.bedGraph", "a.npz"] {
        let printed = workspace
            .ok(&format!("impute S1:H3K4me3 --output {name}"))
            .stdout;
        assert_eq!(printed.trim(), name);
    }
    let array = read_npz(&workspace.path("a.npz"));
    assert_eq!(array.len(), 2 * CHROMOSOME_BINS);
    assert!(array.iter().all(|v| v.is_finite()));
    for (chrom, array) in ["chr1", "chr2"].iter().zip(array.chunks(CHROMOSOME_BINS)) {
        // The last bin, of 10 bp, included.
        assert_eq!(bins(&read_bigwig(&workspace.path("a.bw"), chrom)), array);
        assert_eq!(
            bins(&read_bedgraph(&workspace.path("a.bedGraph"), chrom)),
            array
        );
    }
}

#[test]
fn the_default_is_the_hyperbolic_sine_of_the_arcsinh_scale() {
    let workspace = Workspace::trained();
    workspace.ok("impute S1:H3K4me3 --output signal.npz");
    workspace.ok("impute S1:H3K4me3 --output arcsinh.npz --arcsinh");
    let signal = read_npz(&workspace.path("signal.npz"));
    let arcsinh = read_npz(&workspace.path("arcsinh.npz"));
    assert_ne!(signal, arcsinh);
    for (s, a) in signal.iter().zip(&arcsinh) {
        let expected = f64::from(*a).sinh();
        assert!(
            (f64::from(*s) - expected).abs() <= 1e-6 * expected.abs(),
            "{s} {expected}"
        );
    }
}

#[test]
fn a_track_stored_without_a_transform_is_imputed_without_one() {
    let workspace = Workspace::created();
    let manifest = fs::read_to_string(workspace.path("sim/manifest.tsv")).unwrap();
    let mut rows = String::new();
    for (i, line) in manifest.lines().enumerate() {
        let added = if i == 0 { "transform" } else { "none" };
        rows += &format!("{}\t{added}\n", line.replace("tracks/", "sim/tracks/"));
    }
    workspace.write("m.tsv", rows);
    workspace.ok("ingest m.tsv");
    workspace.ok(&format!(
        "train {} --name m --passes 1 --no-validate",
        super::workspace::SMALL
    ));
    workspace.ok("impute S1:H3K4me1 --output a.npz");
    workspace.ok("impute S1:H3K4me1 --output b.npz --arcsinh");
    assert_eq!(
        read_npz(&workspace.path("a.npz")),
        read_npz(&workspace.path("b.npz"))
    );
}

#[test]
fn a_region_holds_the_bins_that_it_touches_and_no_others() {
    let workspace = Workspace::trained();
    workspace.ok("impute S1:H3K4me3 --output all.npz");
    let all = read_npz(&workspace.path("all.npz"));
    // 1-based and inclusive: bases 1000 to 1999, bins 40 to 79.
    workspace.ok("impute S1:H3K4me3 --output a.npz --region chr1:1,001-2,000");
    assert_eq!(read_npz(&workspace.path("a.npz")), all[40..80]);
    // One base more touches one bin more, on either side.
    workspace.ok("impute S1:H3K4me3 --output a.npz --region chr1:1,000-2,001");
    assert_eq!(read_npz(&workspace.path("a.npz")), all[39..81]);
    workspace.ok("impute S1:H3K4me3 --output a.npz --region chr2");
    assert_eq!(read_npz(&workspace.path("a.npz")), all[CHROMOSOME_BINS..]);
    // Beyond the chromosome's end there is nothing: up to it there is.
    workspace.ok("impute S1:H3K4me3 --output a.npz --region chr1:60,001-61,000");
    assert_eq!(read_npz(&workspace.path("a.npz")), all[2400..2401]);
    // Several, in any order, overlapping.
    workspace.ok(
        "impute S1:H3K4me3 --output a.bw --region chr2:26-50 --region chr1:76-100 --region chr1:51-100",
    );
    let bases = read_bigwig(&workspace.path("a.bw"), "chr1");
    assert!(bases[..50].iter().chain(&bases[100..]).all(|v| v.is_nan()));
    assert_eq!(bins(&bases)[2..4], all[2..4]);
    let bases = read_bigwig(&workspace.path("a.bw"), "chr2");
    assert_eq!(bins(&bases)[1], all[CHROMOSOME_BINS + 1]);
    assert!(bases[50..].iter().all(|v| v.is_nan()));
}

#[test]
fn a_list_imputes_every_experiment_on_it_once() {
    let workspace = Workspace::trained();
    workspace.write(
        "list.tsv",
        "assay\tbiosample\tnote\nH3K4me3\tS1\t\nH3K36me3\tS2\ttwice\nH3K36me3\tS2\ttwice\n",
    );
    let written = workspace
        .ok("impute --list list.tsv --output folder --as npz")
        .stdout;
    assert_eq!(
        written.lines().collect::<Vec<_>>(),
        ["folder/S1.H3K4me3.npz", "folder/S2.H3K36me3.npz"]
    );
    workspace.ok("impute S1:H3K4me3 --output one.npz");
    assert_eq!(
        read_npz(&workspace.path("one.npz")),
        read_npz(&workspace.path("folder/S1.H3K4me3.npz"))
    );
}

#[test]
fn all_missing_imputes_what_nobody_measured() {
    let workspace = Workspace::trained();
    let written = workspace.ok("impute --all-missing --output folder").stdout;
    let mut files: Vec<&str> = written.lines().collect();
    files.sort_unstable();
    assert_eq!(
        files,
        [
            "folder/S1.H3K4me1.bw",
            "folder/S2.H3K36me3.bw",
            "folder/S4.H3K27ac.bw",
            "folder/S4.H3K4me3.bw"
        ]
    );
    let n_files = fs::read_dir(workspace.path("folder")).unwrap().count();
    assert_eq!(n_files, 4, "and nothing else is left there");
    for file in files {
        assert!(
            bins(&read_bigwig(&workspace.path(file), "chr1"))
                .iter()
                .all(|v| v.is_finite())
        );
    }
}

#[test]
fn several_experiments_go_to_a_folder_and_each_differs() {
    let workspace = Workspace::trained();
    workspace.ok("impute S1:H3K4me3,S2:H3K4me3 S1:H3K36me3 --output folder --as npy");
    let read = |name: &str| fs::read(workspace.path(&format!("folder/{name}.npy"))).unwrap();
    let files = [read("S1.H3K4me3"), read("S2.H3K4me3"), read("S1.H3K36me3")];
    assert!(files.iter().all(|f| f.len() == files[0].len()));
    assert!(files[0] != files[1] && files[0] != files[2] && files[1] != files[2]);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let workspace = Workspace::trained();
    workspace
        .run("impute S1:H3K4me3 --output nowhere/a.bw")
        .fails(&["cannot write nowhere/a.bw", "No such file"]);
    workspace.write("file", "");
    workspace
        .run("impute --all-missing --output file")
        .fails(&["cannot make file"]);
}
