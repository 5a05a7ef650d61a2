//! How lists of names are read.

use super::*;

fn known(biosamples: &[&str], assays: &[&str]) -> Known {
    let sorted = |names: &[&str]| {
        let mut names: Vec<String> = names.iter().map(|n| n.to_string()).collect();
        names.sort();
        names
    };
    Known {
        biosamples: sorted(biosamples),
        assays: sorted(assays),
        called: BiosampleNames::default(),
    }
}

fn pairs(known: &Known, text: &str) -> Result<Vec<(String, String)>, String> {
    known.pairs(&[text.to_string()]).map_err(|e| e.to_string())
}

fn pair(biosample: &str, assay: &str) -> (String, String) {
    (biosample.to_string(), assay.to_string())
}

#[test]
fn names_may_hold_commas_colons_slashes_and_quotes() {
    let t_cell = "CD4-positive, alpha-beta T cell";
    let known = known(
        &[t_cell, "GM12878:rep1", "a/b", "\"naive\" B"],
        &["x", "y:2"],
    );
    let text = format!("{t_cell}:x,GM12878:rep1:y:2, a/b:x,\"naive\" B:x");
    assert_eq!(
        pairs(&known, &text).unwrap(),
        [
            pair(t_cell, "x"),
            pair("GM12878:rep1", "y:2"),
            pair("a/b", "x"),
            pair("\"naive\" B", "x")
        ]
    );
    let names = known.list(&[format!("a/b,{t_cell}")]).unwrap();
    assert_eq!(names, ["a/b", t_cell]);
    // As the command line hands it on, split at commas.
    let parts: Vec<String> = text.split(',').map(str::to_string).collect();
    assert_eq!(known.pairs(&parts).unwrap().len(), 4);
}

#[test]
fn what_is_unknown_is_read_as_it_was_meant() {
    let known = known(&["E003", "a:b"], &["x", "y"]);
    assert_eq!(
        pairs(&known, "E003:x,E004:x,a:c:y").unwrap(),
        [pair("E003", "x"), pair("E004", "x"), pair("a:c", "y")]
    );
    let message = pairs(&known, "E003:x,E003").unwrap_err();
    assert!(message.contains("`E003` names no track"), "{message}");
    assert!(pairs(&known, "").unwrap().is_empty());
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let known = known(&["a", "b", "a:x,b"], &["x"]);
    let message = pairs(&known, "a:x,b:x").unwrap_err();
    assert!(message.contains("more than one way"), "{message}");
}

/// The example's S1 to S3 as Roadmap's table would describe them.
fn roadmap() -> (tempfile::TempDir, Known) {
    let (folder, database) = persea::compendium::example_compendium().unwrap();
    for (name, mnemonic, label) in [
        ("S1", "BLD.GM12878", "GM12878 Lymphoblastoid Cells"),
        ("S2", "ESC.H1", "H1 Cells"),
        ("S3", "ESDR.CD184", "HUES64, CD184+ Endoderm Cultured Cells"),
        ("S4", "ESC.HUES", "HUES64 Cells"),
    ] {
        let metadata = serde_json::json!({
            "Epigenome Mnemonic": mnemonic, "Standardized Epigenome name": label,
        });
        let metadata = metadata.as_object().unwrap();
        database.update_biosample(name, metadata).unwrap();
    }
    let known = Known::of(&database).unwrap();
    (folder, known)
}

#[test]
fn biosamples_are_found_by_what_people_call_them() {
    let (_folder, known) = roadmap();
    assert_eq!(
        pairs(&known, "GM12878:H3K4me3,S2:H3K27ac, h1:H3K27me3").unwrap(),
        [
            pair("S1", "H3K4me3"),
            pair("S2", "H3K27ac"),
            pair("S2", "H3K27me3")
        ]
    );
    // A label may hold a comma.
    let list = ["HUES64, CD184+ Endoderm Cultured Cells,GM12878".to_string()];
    assert_eq!(known.biosamples(&list).unwrap(), ["S3", "S1"]);
    let list = ["GM12878,H3K4me3,H1:H3K27ac".to_string()];
    assert_eq!(known.list(&list).unwrap(), ["S1", "H3K4me3", "S2:H3K27ac"]);
    assert_eq!(known.sum("GM12878 - H1 + S3").unwrap(), "S1 - S2 + S3");
    assert_eq!(known.biosample("K562").unwrap(), "K562");
    assert_eq!(known.labels()["S2"], "H1 Cells");
}

#[test]
fn what_several_biosamples_are_called_is_refused_with_their_labels() {
    let (_folder, known) = roadmap();
    let of_one = known.biosample("HUES64").unwrap_err().to_string();
    let of_list = known.biosamples(&["S1,HUES64".into()]).unwrap_err();
    let of_pairs = known.pairs(&["HUES64:H3K4me3".into()]).unwrap_err();
    let of_sum = known.sum("S1 - HUES64").unwrap_err();
    for message in [
        of_one,
        of_list.to_string(),
        of_pairs.to_string(),
        of_sum.to_string(),
    ] {
        assert!(
            message.contains("`HUES64` may be any of 2 biosamples"),
            "{message}"
        );
        assert!(message.contains("S4 (HUES64 Cells)"), "{message}");
    }
}

#[test]
fn an_assay_is_no_biosample() {
    let (_folder, known) = roadmap();
    let list = ["H3K4me3,H1".to_string()];
    assert_eq!(known.assays(&list).unwrap(), ["H3K4me3", "H1"]);
}
