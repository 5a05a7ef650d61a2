//! Signal files that cannot be used: each is refused by name, with what to do, and costs none of
//! the tracks beside it.

use std::fs;
use std::path::Path;

use persea::formats::{Format, create_signal};
use persea::genome::{Assembly, GenomeAxis};

use super::made::{CHROMOSOME_BINS, write_npz};
use super::workspace::{Outcome, Workspace};

const GOOD: &str = "sim/tracks/S1.H3K4me3.bigwig";

/// Ingests a good track and a bad one, and returns what was said once it is certain that the good
/// one is in and the database whole.
fn ingest_beside_a_good_one(workspace: &Workspace, file: &str) -> Outcome {
    workspace.write(
        "manifest.tsv",
        format!("biosample\tassay\tpath\nS9\tCTCF\t{file}\nS1\tH3K4me3\t{GOOD}\n"),
    );
    let outcome = workspace.run("ingest manifest.tsv --format json");
    assert_eq!(outcome.json()[0]["ingested"], 1, "{outcome}");
    assert_eq!(outcome.json()[0]["failed"], 1, "{outcome}");
    assert_eq!(workspace.tracks(), ["S1 H3K4me3"]);
    workspace.is_whole();
    // Which track and which file, whatever the reason.
    outcome.fails(&["S9 CTCF", file])
}

/// As [`ingest_beside_a_good_one`], with the bad file made of the given bytes.
fn refused(file: &str, content: impl AsRef<[u8]>, why: &[&str]) {
    let workspace = Workspace::created();
    workspace.write(file, content);
    ingest_beside_a_good_one(&workspace, file).says(why);
}

#[test]
fn a_missing_file_is_named() {
    let workspace = Workspace::created();
    ingest_beside_a_good_one(&workspace, "nowhere.bw").says(&["cannot read", "No such file"]);
}

#[test]
fn a_folder_in_place_of_a_file_is_refused() {
    let workspace = Workspace::created();
    fs::create_dir(workspace.path("folder.bw")).unwrap();
    ingest_beside_a_good_one(&workspace, "folder.bw");
}

#[test]
fn an_empty_bigwig_is_refused() {
    refused("empty.bw", b"", &["is empty, not a bigWig"]);
}

#[test]
fn a_bigwig_truncated_anywhere_is_refused_with_the_advice_to_fetch_it_again() {
    let whole = fs::read(Workspace::new().path(GOOD)).unwrap();
    for share in [10, 50, 90] {
        let cut = &whole[..whole.len() * share / 100];
        refused("cut.bw", cut, &["truncated", "fetch it again"]);
    }
}

#[test]
fn a_file_that_is_no_bigwig_is_refused_whatever_its_name_says() {
    refused(
        "text.bw",
        "chr1\t0\t25\t1\n".repeat(20),
        &["is not a bigWig"],
    );
    refused(
        "page.bw",
        format!("<!DOCTYPE html><html>{}</html>", " ".repeat(100)),
        &["web page", "downloaded"],
    );
}

#[test]
fn an_unknown_ending_asks_for_the_format() {
    refused(
        "signal.dat",
        "gene\tvalue\n",
        &[
            "neither its name nor its content tells its format",
            "bedgraph",
        ],
    );
}

#[test]
fn a_file_of_another_assembly_is_refused_with_its_first_unknown_line() {
    refused(
        "a.bedGraph",
        "chr9\t0\t25\t1\n",
        &["line 1", "chromosome `chr9` is not in assembly simulated"],
    );
    refused(
        "b.narrowPeak",
        "chr1\t0\t25\tp\t0\t.\t1\nchr9\t0\t25\tp\t0\t.\t1\nchr8\t0\t25\tp\t0\t.\t1\n",
        &["line 2", "`chr9`", "2 of 3 records"],
    );
}

/// A bigWig of zeros on another assembly.
fn bigwig_of(path: &Path, sizes: &str, scratch: &Path) {
    fs::write(scratch, sizes).unwrap();
    let assembly = Assembly::from_chrom_sizes("other", scratch).unwrap();
    let axis = GenomeAxis::whole_chromosomes(assembly, &[]).unwrap();
    let mut writer = create_signal(path, Format::BigWig, &axis).unwrap();
    for region in 0..axis.regions().len() {
        let bins = axis.region_bins(region);
        let zeros = vec![0.0; (bins.end - bins.start) as usize];
        writer.write(bins.start, &zeros).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_bigwig_of_another_assembly_is_recognised_by_its_lengths_or_names() {
    let workspace = Workspace::created();
    bigwig_of(
        &workspace.path("a.bw"),
        "chr1\t60010\nchr2\t61000\n",
        &workspace.path("sizes"),
    );
    ingest_beside_a_good_one(&workspace, "a.bw").says(&[
        "chr2 of 61000 bp",
        "60010 bp",
        "another assembly",
    ]);
    let workspace = Workspace::created();
    bigwig_of(
        &workspace.path("a.bw"),
        "scaffold7\t60010\n",
        &workspace.path("sizes"),
    );
    ingest_beside_a_good_one(&workspace, "a.bw")
        .says(&["none of the chromosomes covered", "scaffold7"]);
}

#[test]
fn an_unsorted_bedgraph_is_refused_with_its_line_and_the_command_that_sorts() {
    refused(
        "a.bedGraph",
        "chr1\t100\t125\t1\nchr1\t0\t25\t1\n",
        &["line 2", "out of order", "sort -k1,1 -k2,2n"],
    );
    refused(
        "b.bedGraph",
        "chr1\t0\t25\t1\nchr2\t0\t25\t1\nchr1\t50\t75\t1\n",
        &["line 3", "out of order"],
    );
}

#[test]
fn an_overlapping_bedgraph_is_refused_with_its_line() {
    refused(
        "a.bedGraph",
        "chr1\t0\t50\t1\nchr1\t49\t75\t1\n",
        &["line 2", "overlaps the line before, which ends at 50"],
    );
}

#[test]
fn a_bedgraph_beyond_its_chromosome_or_without_numbers_is_refused_with_its_line() {
    refused(
        "a.bedGraph",
        "chr1\t60000\t60025\t1\n",
        &["line 1", "beyond", "60010 bp"],
    );
    refused(
        "b.bedGraph",
        "# made by hand\nchr1\t0\t25\tmuch\n",
        &["line 2", "`much`", "not a number"],
    );
    refused("c.bedGraph", "chr1\t0\n", &["line 1", "start and end"]);
    refused("d.bedGraph", "", &["empty"]);
}

#[test]
fn an_npz_of_the_wrong_length_says_how_many_bins_there_are() {
    let workspace = Workspace::created();
    write_npz(&workspace.path("a.npz"), &[0f32; 100]);
    ingest_beside_a_good_one(&workspace, "a.npz").says(&[
        "the array `arr_0` has 100 values",
        &format!("expected {}", 2 * CHROMOSOME_BINS),
    ]);
}

#[test]
fn an_npz_of_the_wrong_dtype_says_which_are_right() {
    let workspace = Workspace::created();
    write_npz(&workspace.path("a.npz"), &[0i64; 2 * CHROMOSOME_BINS]);
    ingest_beside_a_good_one(&workspace, "a.npz").says(&["dtype `<i8`", "float32", "astype"]);
}

#[test]
fn an_npz_that_is_no_archive_is_refused() {
    refused(
        "a.npz",
        b"PK\x03\x04 and no more",
        &["not a whole .npz archive"],
    );
}

#[test]
fn infinite_signal_is_refused_with_its_coordinate() {
    refused(
        "a.bedGraph",
        "chr1\t0\t25\t1\nchr1\t25\t50\tinf\n",
        &["line 2", "infinite", "must be finite"],
    );
    let workspace = Workspace::created();
    let mut values = [0f32; 2 * CHROMOSOME_BINS];
    values[CHROMOSOME_BINS + 2] = f32::INFINITY;
    write_npz(&workspace.path("a.npz"), &values);
    // The third bin of the second chromosome, as browsers count.
    ingest_beside_a_good_one(&workspace, "a.npz").says(&["chr2:51-75", "inf", "must be finite"]);
}

#[test]
fn nan_is_a_bin_without_data_and_negative_signal_is_kept_with_a_warning() {
    let workspace = Workspace::created();
    let mut values = [1f32; 2 * CHROMOSOME_BINS];
    values[7] = f32::NAN;
    values[8..10].fill(-1.0);
    write_npz(&workspace.path("a.npz"), &values);
    workspace.write("m.tsv", "biosample\tassay\tpath\nS9\tCTCF\ta.npz\n");
    workspace.ok("ingest m.tsv").says(&["2 bins are negative"]);
    let tracks = workspace.ok("track list --format json").json();
    assert_eq!(
        (&tracks[0]["nan_bins"], &tracks[0]["negative_bins"]),
        (&1.into(), &2.into())
    );
}

#[test]
fn an_empty_peak_file_is_a_track_of_zeros_with_a_warning() {
    let workspace = Workspace::created();
    workspace.write("none.narrowPeak", "");
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\nS9\tCTCF\tnone.narrowPeak\n",
    );
    workspace
        .ok("ingest m.tsv")
        .says(&["none.narrowPeak has no signal", "is it empty?", "all 0"]);
    let tracks = workspace.ok("track list --format json").json();
    assert_eq!(
        (&tracks[0]["mean"], &tracks[0]["maximum"]),
        (&0.0.into(), &0.0.into())
    );
}
