//! Names that people know find a biosample in every command that takes one, and outputs show labels.

use super::annotation::shared_data;
use super::workspace::Workspace;

/// S1 and S3 as Roadmap's table would describe them.
fn described() -> Workspace {
    let workspace = Workspace::trained();
    workspace.write(
        "metadata.tsv",
        "Epigenome ID (EID)\tEpigenome Mnemonic\tStandardized Epigenome name\n\
         S1\tBLD.GM12878\tGM12878 Lymphoblastoid Cells\n\
         S3\tLNG.IMR90\tIMR90 fetal lung fibroblasts Cell Line\n",
    );
    workspace.ok("ingest --metadata metadata.tsv");
    workspace
}

#[test]
fn a_name_that_people_know_answers_as_the_name_in_the_database_does() {
    let workspace = described();
    for command in [
        "similar biosample S1 --format json",
        "similar position chr1:30,010 -k 2 --signal=S1:H3K27ac --format json",
        "diff S1 S3 --assay H3K27ac --format json",
        "evaluate --tracks S1:H3K4me3 --format json",
        "select biosamples -k 1 --require S1 --no-store --resamples 0 --format json",
        "select assays -k 1 --for-biosample S1 --no-store --resamples 0 --format json",
    ] {
        let by_name = workspace.ok(command);
        let known = command.replace("S1", "GM12878").replace("S3", "imr-90");
        let by_other = workspace.ok(&known);
        assert_eq!(by_other.stdout, by_name.stdout, "{command}");
        let said = "GM12878 is S1 (GM12878 Lymphoblastoid Cells)";
        assert!(by_other.stderr.contains(said), "{by_other}");
    }
    // Figures and signal files are the same to the last byte.
    for command in [
        "plot tracks chr1:30,000-35,000 --biosample S1 --output OUT.svg",
        "plot tracks chr1:30,000-35,000 --tracks S1:H3K4me3 --output OUT.svg",
        "impute S1:H3K4me3 --output OUT.bedGraph",
    ] {
        let output = command.split("OUT").nth(1).unwrap();
        workspace.ok(&command.replace("OUT", "a"));
        workspace.ok(&command.replace("OUT", "b").replace("S1", "GM12878"));
        let [a, b] =
            ["a", "b"].map(|n| std::fs::read(workspace.path(&format!("{n}{output}"))).unwrap());
        assert!(a == b, "{command}");
    }
}

#[test]
fn outputs_show_the_label_beside_the_name() {
    let workspace = described();
    let listed = workspace.ok("track list --format tsv").tsv();
    assert_eq!(&listed[0][..3], ["biosample", "label", "assay"]);
    let row = listed.iter().find(|row| row[0] == "S1").unwrap();
    assert_eq!(row[1], "GM12878 Lymphoblastoid Cells");
    let row = listed.iter().find(|row| row[0] == "S2").unwrap();
    assert_eq!(row[1], "");
    let similar = workspace.ok("similar biosample GM12878 --format tsv").tsv();
    assert_eq!(&similar[0][..3], ["rank", "biosample", "label"]);
    let imr90 = similar.iter().find(|row| row[1] == "S3").unwrap();
    assert_eq!(imr90[2], "IMR90 fetal lung fibroblasts Cell Line");
}

#[test]
fn a_biosample_is_renamed_and_its_tracks_are_removed_by_the_name_that_people_know() {
    let workspace = described();
    workspace
        .ok("track remove GM12878:H3K27ac")
        .says(&["removed S1 H3K27ac"]);
    assert!(!workspace.tracks().contains(&"S1 H3K27ac".to_string()));
    workspace.ok("track rename biosample IMR90 lung");
    assert!(workspace.tracks().iter().any(|t| t.starts_with("lung ")));
    workspace.is_whole();
}

#[test]
fn ihecs_table_describes_epigenomes_with_and_without_their_version() {
    let table = shared_data().join("metadata/IHEC_sample_metadata_harmonization.v2.0.csv");
    if !table.exists() {
        super::skipped::skipped("data", format!("there is no {}", table.display()));
        return;
    }
    let workspace = Workspace::ingested();
    workspace.ok("track rename biosample S1 IHECRE00001032");
    workspace.ok("track rename biosample S2 IHECRE00002063.1");
    workspace
        .ok(&format!("ingest --metadata {}", table.display()))
        .says(&["2 biosamples described by", "(2277 rows are of others)"]);
    let listed = workspace.ok("track list --format json").json();
    let label = |name: &str| {
        let mut all = listed.as_array().unwrap().iter();
        all.find(|t| t["biosample"] == name).unwrap()["label"].clone()
    };
    assert_eq!(label("IHECRE00001032"), "Brain");
    assert_eq!(label("IHECRE00002063.1"), "Brain Amygdala");
    for (name, track) in [
        ("IHECRE00001032.6", "IHECRE00001032 H3K27ac"),
        ("IHECRE00002063", "IHECRE00002063.1 H3K27ac"),
    ] {
        assert!(workspace.tracks().contains(&track.to_string()), "{track}");
        workspace.ok(&format!("track remove {name}:H3K27ac"));
        assert!(!workspace.tracks().contains(&track.to_string()), "{track}");
    }
}
