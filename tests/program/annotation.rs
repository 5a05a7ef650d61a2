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
    // Without transcripts a gene has one TSS.
    assert_eq!(info["tss"], info["genes"]);
}

#[test]
fn each_transcripts_tss_is_a_promoter_of_classes_and_loci_and_none_of_the_published_measures() {
    let workspace = Workspace::new();
    // A gene of 40 kb whose second transcript starts 30 kb downstream of the first.
    let gene = "chr1\tx\tgene\t10001\t50000\t.\t+\t.\tgene_id \"G1\"; gene_name \"TWO\";\n";
    let transcript = |id: &str, start: u64| {
        format!(
            "chr1\tx\ttranscript\t{start}\t50000\t.\t+\t.\tgene_id \"G1\"; transcript_id \"{id}\";\n"
        )
    };
    let (first, second) = (transcript("t1", 10_001), transcript("t2", 40_001));
    workspace.write("one.gtf", gene);
    workspace.write("two.gtf", format!("{gene}{first}{second}"));
    let create =
        "create --assembly simulated --chrom-sizes sim/chrom.sizes --chromosomes chr1,chr2";
    let tracks = "ingest sim/manifest.tsv";
    for name in ["one", "two"] {
        workspace.ok(&format!("{create} --genes {name}.gtf --db {name}.persea"));
        workspace.ok(&format!("{tracks} --db {name}.persea"));
    }
    let info = |name: &str| {
        workspace
            .ok(&format!("info --format json --db {name}.persea"))
            .json()
    };
    assert_eq!(
        (&info("one")["tss"], &info("two")["tss"]),
        (&1.into(), &2.into())
    );
    assert_eq!(info("two")["genes"], 1);
    // Loci: the bins of both starts, and 1 kb on either side.
    let scanned = |name: &str| -> Vec<(u64, u64)> {
        let line = format!(
            "locus scan --promoters --assay H3K4me3 --measured-only --format json --db {name}.persea"
        );
        let found = workspace.ok(&line).json();
        let mut places: Vec<(u64, u64)> = (found.as_array().unwrap().iter())
            .map(|l| (l["start"].as_u64().unwrap(), l["end"].as_u64().unwrap()))
            .collect();
        places.sort_unstable();
        places
    };
    assert_eq!(scanned("one"), [(9_000, 11_025)]);
    assert_eq!(scanned("two"), [(9_000, 11_025), (39_000, 41_025)]);
    workspace
        .ok("locus TWO --assay H3K4me3 --measured-only --db two.persea")
        .says(&["other transcripts of TWO start at chr1:40,001"]);
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
        super::skipped::skipped("data", format!("there is no {}", table.display()));
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
