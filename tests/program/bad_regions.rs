//! Regions off the grid, overlapping, unsorted, beyond the chromosome's end.

use persea::store::Database;

use super::workspace::Workspace;

const CREATE: &str =
    "create --assembly simulated --chrom-sizes sim/chrom.sizes --regions regions.bed";

#[test]
fn regions_are_rounded_to_bins_merged_where_they_meet_and_kept_in_the_files_order() {
    let workspace = Workspace::new();
    workspace.write(
        "regions.bed",
        "chr2\t1003\t1101\tfirst\n\
         chr1\t5000\t5051\n\
         chr1\t5060\t5100\n\
         chr1\t5100\t5125\n\
         chr1\t60001\t60010\n\
         chr1\t0\t1\n",
    );
    workspace.ok(CREATE);
    let database = Database::open(&workspace.path("x.persea")).unwrap();
    let regions: Vec<(&str, u64, u64)> = (database.axis().regions().iter())
        .map(|r| (r.chrom.as_str(), r.first_bin, r.n_bins))
        .collect();
    // 1003–1101 touches bins 40 to 44; 5000–5051 touches 200 to 202, 5060–5100 202 and 203,
    // and 5100–5125 is bin 204; the last bin of a chromosome of 60,010 bp is 10 bp wide.
    assert_eq!(
        regions,
        [
            ("chr2", 40, 5),
            ("chr1", 200, 5),
            ("chr1", 2400, 1),
            ("chr1", 0, 1)
        ]
    );
    let info = workspace.ok("info --format json").json();
    assert_eq!((&info["regions"], &info["bins"]), (&4.into(), &12.into()));
    // And they can be filled.
    workspace.ok("ingest sim/manifest.tsv");
    workspace.is_whole();
}

#[test]
fn a_region_beyond_the_chromosomes_end_is_refused_with_its_line() {
    let workspace = Workspace::new();
    workspace.write("regions.bed", "chr1\t0\t100\nchr1\t60000\t60011\n");
    workspace.run(CREATE).fails(&[
        "regions.bed, line 2",
        "chr1 60000 60011 ends beyond",
        "60010 bp of simulated",
    ]);
    assert!(!workspace.path("x.persea").exists());
}

#[test]
fn regions_that_make_no_sense_are_refused_with_their_line() {
    for (line, why) in [
        ("chr1\t100\t100", "is empty"),
        ("chr1\t100\t50", "is empty"),
        ("chr1\t-5\t50", "`-5` is not a position"),
        ("chr1\t1e3\t2e3", "`1e3` is not a position"),
        ("chr1\t0", "start and end"),
    ] {
        let workspace = Workspace::new();
        workspace.write("regions.bed", format!("chr1\t0\t25\n{line}\n"));
        workspace.run(CREATE).fails(&["regions.bed, line 2", why]);
    }
    let workspace = Workspace::new();
    workspace.write("regions.bed", "# none\n");
    workspace.run(CREATE).fails(&["regions.bed", "no region"]);
}

#[test]
fn assemblies_and_chromosomes_that_are_unknown_are_refused_with_what_would_do() {
    let workspace = Workspace::new();
    workspace
        .run("create --assembly hg99")
        .fails(&["`hg99`", "hg19, hg38", "chrom.sizes"]);
    workspace
        .run("create --assembly hg38 --chromosomes 23")
        .fails(&["`23` is not in assembly hg38"]);
    workspace.write("sizes", "chr1\tlong\n");
    workspace
        .run("create --assembly x --chrom-sizes sizes")
        .fails(&["sizes, line 1", "`long`"]);
    workspace.write("sizes", "scaffold1\t5000\n");
    workspace
        .run("create --assembly x --chrom-sizes sizes")
        .expect_misuse(&["no chromosomes are given", "--chromosomes"]);
    assert!(!workspace.path("x.persea").exists());
}

#[test]
fn a_region_to_impute_that_cannot_be_is_refused_with_the_reason() {
    let workspace = Workspace::trained();
    for (region, why) in [
        ("chr1:70,000-80,000", "beyond"),
        ("chr9:1-100", "`chr9` is not in assembly simulated"),
        ("chr1:200-100", "ends before it starts"),
        ("chr1:0-100", "count from 1"),
        ("chr1:a-b", "`a` is not a position"),
    ] {
        workspace
            .run(&format!(
                "impute S1:H3K4me3 --output a.bw --region {region}"
            ))
            .fails(&[why]);
        assert!(!workspace.path("a.bw").exists());
    }
}
