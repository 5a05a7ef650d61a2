//! What is known beside signal: genes, enhancers, masks, metadata.

use std::path::PathBuf;

use persea::store::Database;

use super::workspace::Workspace;

#[test]
fn genes_enhancers_and_masks_are_counted_by_info() {
    let workspace = Workspace::new();
    workspace.write("mask.bed", "chr1\t0\t30\n");
    workspace.write("more.bed", "chr2\t60000\t60010\n");
    workspace
        .ok(
            "create --assembly simulated --chrom-sizes sim/chrom.sizes --chromosomes chr1,chr2 \
             --genes sim/genes.gtf.gz --enhancers sim/enhancers.bed --mask mask.bed more.bed",
        )
        .says(&["next: persea ingest"]);
    let info = workspace.ok("info --format json").json();
    // 0–30 touches two bins, the last bin of chr2 is one more.
    assert_eq!(info["masked_bins"], 3);
    let lines = std::fs::read_to_string(workspace.path("sim/enhancers.bed")).unwrap();
    assert_eq!(info["enhancers"], lines.lines().count());
    assert!(info["genes"].as_u64().unwrap() > 0);
}

#[test]
fn gaps_of_known_assemblies_are_masked_and_of_others_it_is_said() {
    let workspace = Workspace::new();
    // hg19's first gap on chr21 ends at 9,411,193: within the eighth bin.
    workspace.write("r.bed", "chr21\t9411000\t9412000\n");
    workspace
        .ok("create --assembly hg19 --regions r.bed")
        .says(&["8 masked", "8 of them in gaps"]);
    assert_eq!(workspace.ok("info --format json").json()["masked_bins"], 8);
    workspace
        .ok("create --assembly hg19 --regions r.bed --keep-gaps --db kept.persea")
        .says(&["0 masked"]);
    workspace
        .ok("create --assembly simulated --chrom-sizes sim/chrom.sizes --chromosomes chr1 --db s.persea")
        .says(&["gaps of simulated are not known"]);
}

#[test]
fn annotation_that_cannot_be_read_is_refused_by_file_and_line() {
    let create = "create --assembly simulated --chrom-sizes sim/chrom.sizes --chromosomes chr1";
    let workspace = Workspace::new();
    workspace.write("mask.bed", "chr1\t0\t30\nchr1\t50\n");
    workspace
        .run(&format!("{create} --mask mask.bed"))
        .fails(&["mask.bed, line 2"]);
    workspace
        .run(&format!("{create} --genes nowhere.gtf"))
        .fails(&["nowhere.gtf", "No such file"]);
    workspace.write(
        "genes.gtf",
        "chr1\tx\tgene\t1\tend\t.\t+\t.\tgene_id \"a\";\n",
    );
    workspace
        .run(&format!("{create} --genes genes.gtf"))
        .fails(&["genes.gtf, line 1"]);
    assert!(!workspace.path("x.persea").exists());
}

#[test]
fn metadata_describes_biosamples_and_assays() {
    let workspace = Workspace::ingested();
    workspace
        .ok("ingest --metadata sim/biosamples.tsv")
        .says(&["4 biosamples described by sim/biosamples.tsv"]);
    workspace.write("assays.csv", "assay,kind\nH3K4me3,narrow\nH3K9me3,broad\n");
    workspace
        .ok("ingest --metadata assays.csv")
        .says(&["1 assays described", "1 rows are of others"]);
    let database = Database::open(&workspace.path("x.persea")).unwrap();
    let groups: Vec<_> = (database.biosamples().unwrap().iter())
        .map(|b| b.metadata["group"].as_str().unwrap().to_string())
        .collect();
    assert_eq!(groups, ["group1", "group2", "group1", "group2"]);
    let assays = database.assays().unwrap();
    let described = assays.iter().find(|a| a.name == "H3K4me3").unwrap();
    assert_eq!(described.metadata["kind"], "narrow");
}

#[test]
fn metadata_about_nothing_that_is_in_is_refused() {
    let workspace = Workspace::ingested();
    workspace.write("others.tsv", "biosample\tgroup\nE003\tESC\n");
    workspace.run("ingest --metadata others.tsv").fails(&[
        "others.tsv",
        "none of the 1 names",
        "S1, S2, S3, S4",
    ]);
    workspace.write("twice.tsv", "biosample\tgroup\nS1\tx\nS1\ty\n");
    workspace
        .run("ingest --metadata twice.tsv")
        .fails(&["twice.tsv, line 3", "S1 stands in line 2 already"]);
}

#[test]
fn roadmaps_metadata_table_is_read_as_it_is() {
    let table = shared_data().join("roadmap/Consolidated_EpigenomeIDs_summary_Table.tsv");
    if !table.exists() {
        println!("skipped: there is no {}", table.display());
        return;
    }
    let workspace = Workspace::ingested();
    workspace.ok("track rename biosample S1 E003");
    workspace.ok("track rename biosample S2 E116");
    workspace
        .ok(&format!("ingest --metadata {}", table.display()))
        .says(&["2 biosamples described"]);
    let database = Database::open(&workspace.path("x.persea")).unwrap();
    let biosamples = database.biosamples().unwrap();
    let of = |name: &str| &biosamples.iter().find(|b| b.name == name).unwrap().metadata;
    assert_eq!(of("E003")["GROUP"], "ESC");
    assert_eq!(of("E116")["GROUP"], "ENCODE2012");
    assert!(of("S3").is_empty());
}

/// The folder of real data, which need not be there.
pub fn shared_data() -> PathBuf {
    std::env::var_os("PERSEA_SHARED_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")),
        PathBuf::from,
    )
}
