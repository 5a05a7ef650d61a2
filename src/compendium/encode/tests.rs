//! The portal's table: what is taken of it, and why the rest is left.

use std::path::Path;

use super::*;
use crate::compendium::Replicates;
use crate::genome::Assembly;

/// The portal's header, as of 2026.
const HEADER: &str = "File accession|File format|File type|File format type|Output type|File assembly|\
    Experiment accession|Assay|Donor(s)|Biosample term id|Biosample term name|Biosample type|\
    Biosample organism|Biosample treatments|Biosample treatments amount|Biosample treatments duration|\
    Biosample genetic modifications methods|Biosample genetic modifications categories|\
    Biosample genetic modifications targets|Experiment target|Experiment date released|\
    Biological replicate(s)|md5sum|File download URL|File Status|File analysis title|\
    File analysis status|Audit WARNING|Audit NOT_COMPLIANT|Audit ERROR";

/// A row: a released, merged p-value of K562 H3K27ac on GRCh38, but for what is given.
fn row(accession: &str, given: &[(&str, &str)]) -> String {
    let field = |name: &str| {
        let own = given.iter().find(|(column, _)| *column == name);
        match (own, name) {
            (Some((_, value)), _) => (*value).to_string(),
            (None, "File accession") => accession.to_string(),
            (None, "File format") => "bigWig".to_string(),
            (None, "Output type") => "signal p-value".to_string(),
            (None, "File assembly") => "GRCh38".to_string(),
            (None, "Experiment accession") => "ENCSR001PRS".to_string(),
            (None, "Assay") => "Histone ChIP-seq".to_string(),
            (None, "Donor(s)") => "/human-donors/ENCDO000AAA/".to_string(),
            (None, "Biosample term name") => "K562".to_string(),
            (None, "Biosample organism") => "Homo sapiens".to_string(),
            (None, "Experiment target") => "H3K27ac-human".to_string(),
            (None, "Experiment date released") => "2020-01-01".to_string(),
            (None, "Biological replicate(s)") => "1, 2".to_string(),
            (None, "md5sum") => "00000000000000000000000000000001".to_string(),
            (None, "File Status" | "File analysis status") => "released".to_string(),
            (None, "File analysis title") => "ENCODE4 v1.6.0 GRCh38".to_string(),
            _ => String::new(),
        }
    };
    let fields: Vec<String> = HEADER.split('|').map(field).collect();
    fields.join("\t")
}

fn read(rows: &[String]) -> PortalTable {
    read_text(&format!(
        "{}\n{}\n",
        HEADER.replace('|', "\t"),
        rows.join("\n")
    ))
    .unwrap()
}

fn read_text(text: &str) -> Result<PortalTable, crate::compendium::CompendiumError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metadata.tsv");
    std::fs::write(&path, text).unwrap();
    PortalTable::read(&path)
}

fn chosen(table: &PortalTable, assembly: &str, options: &ChoiceOptions) -> Choice {
    choose(table, &Assembly::by_name(assembly).unwrap(), options)
}

/// Accession, biosample and assay of what is taken.
fn taken(choice: &Choice) -> Vec<(&str, &str, &str)> {
    let files = choice.taken.iter().map(|chosen| &chosen.file);
    files
        .map(|f| (f.accession.as_str(), f.biosample.as_str(), f.assay.as_str()))
        .collect()
}

/// Why a file is left.
fn reason<'a>(choice: &'a Choice, accession: &str) -> &'a str {
    let left = choice.left.iter().find(|l| l.accession == accession);
    left.map_or("", |l| l.reason.as_str())
}

/// Rows of our own of what a search of the portal gives.
fn search() -> Vec<String> {
    const E: &str = "Experiment accession";
    const T: &str = "Experiment target";
    const B: &str = "Biosample term name";
    const O: &str = "Output type";
    const A: &str = "Assay";
    const R: &str = "Biological replicate(s)";
    const F: &str = "File format";
    const S: &str = "File Status";
    const V: &str = "File analysis title";
    vec![
        row("ENCFF001PRS", &[]),
        row("ENCFF002PRS", &[(R, "1")]),
        row("ENCFF003PRS", &[(R, "2")]),
        row("ENCFF004PRS", &[(O, "fold change over control")]),
        row(
            "ENCFF005PRS",
            &[("File assembly", "hg19"), (V, "ENCODE3 hg19")],
        ),
        row("ENCFF006PRS", &[(S, "archived"), (V, "ENCODE3 GRCh38")]),
        row(
            "ENCFF007PRS",
            &[(F, "bed narrowPeak"), (O, "replicated peaks")],
        ),
        row(
            "ENCFF008PRS",
            &[(F, "bigBed narrowPeak"), (O, "replicated peaks")],
        ),
        row("ENCFF009PRS", &[(F, "bam"), (O, "alignments")]),
        row(
            "ENCFF010PRS",
            &[(F, "fastq"), (O, "reads"), ("File assembly", "")],
        ),
        row(
            "ENCFF011PRS",
            &[
                (E, "ENCSR002PRS"),
                (B, "CD4-positive, alpha-beta T cell"),
                (T, "H3K4me3-human"),
                (R, "1"),
            ],
        ),
        row(
            "ENCFF012PRS",
            &[
                (E, "ENCSR003PRS"),
                (B, "\"naive\" B cell"),
                (T, "H3K4me3-human"),
                (R, "1"),
            ],
        ),
        row(
            "ENCFF013PRS",
            &[
                (E, "ENCSR004PRS"),
                (A, "DNase-seq"),
                (T, ""),
                (O, "read-depth normalized signal"),
                (R, "1"),
            ],
        ),
        row(
            "ENCFF014PRS",
            &[(E, "ENCSR005PRS"), (A, "ATAC-seq"), (T, "")],
        ),
        row(
            "ENCFF015PRS",
            &[
                (E, "ENCSR006PRS"),
                (A, "TF ChIP-seq"),
                (T, "CTCF-human"),
                ("Audit WARNING", "low read depth"),
            ],
        ),
        row(
            "ENCFF016PRS",
            &[
                (E, "ENCSR007PRS"),
                (A, "TF ChIP-seq"),
                (T, "CTCF-human"),
                (V, "ENCODE4 v2.1.1 GRCh38"),
            ],
        ),
        row(
            "ENCFF017PRS",
            &[
                (E, "ENCSR008PRS"),
                ("Biosample treatments", "dexamethasone"),
            ],
        ),
        row(
            "ENCFF018PRS",
            &[
                (E, "ENCSR009PRS"),
                (A, "polyA plus RNA-seq"),
                (T, ""),
                (O, "plus strand signal of unique reads"),
            ],
        ),
        row(
            "ENCFF020PRS",
            &[
                (E, "ENCSR010PRS"),
                (A, "Control ChIP-seq"),
                (T, ""),
                (O, "control normalized signal"),
            ],
        ),
        row(
            "ENCFF021PRS",
            &[(E, "ENCSR011PRS"), (B, "HepG2"), (S, "revoked")],
        ),
        row(
            "ENCFF022PRS",
            &[
                (E, "ENCSR012PRS"),
                (B, "HepG2"),
                (T, "H3K4me3-human"),
                (V, "ENCODE3 GRCh38"),
            ],
        ),
        row(
            "ENCFF023PRS",
            &[(E, "ENCSR012PRS"), (B, "HepG2"), (T, "H3K4me3-human")],
        ),
        row(
            "ENCFF024PRS",
            &[
                (E, "ENCSR013PRS"),
                (B, "heart"),
                (T, "H3K4me3-mouse"),
                ("File assembly", "mm10"),
                ("Biosample organism", "Mus musculus"),
            ],
        ),
        row(
            "ENCFF025PRS",
            &[(E, "ENCSR014PRS"), (B, "liver"), (S, "in progress")],
        ),
        row(
            "ENCFF026PRS",
            &[
                (E, "ENCSR015PRS"),
                (B, "liver"),
                (T, "H3K36me3-human"),
                (R, "1"),
            ],
        ),
    ]
}

#[test]
fn of_a_search_one_released_file_an_experiment_is_taken_and_each_other_has_its_reason() {
    let table = read(&search());
    let choice = chosen(&table, "hg38", &ChoiceOptions::default());
    assert_eq!(
        taken(&choice),
        [
            ("ENCFF001PRS", "K562", "H3K27ac"),
            ("ENCFF011PRS", "CD4-positive, alpha-beta T cell", "H3K4me3"),
            ("ENCFF012PRS", "\"naive\" B cell", "H3K4me3"),
            ("ENCFF013PRS", "K562", "DNase-seq"),
            ("ENCFF014PRS", "K562", "ATAC-seq"),
            ("ENCFF015PRS", "K562", "CTCF"),
            ("ENCFF016PRS", "K562", "CTCF"),
            ("ENCFF017PRS", "K562 treated with dexamethasone", "H3K27ac"),
            ("ENCFF023PRS", "HepG2", "H3K4me3"),
            ("ENCFF026PRS", "liver", "H3K36me3"),
        ]
    );
    let peaks: Vec<&str> = choice.peaks.iter().map(|f| f.accession.as_str()).collect();
    assert_eq!(peaks, ["ENCFF007PRS"]);
    for (accession, why) in [
        (
            "ENCFF002PRS",
            "replicate 1; ENCFF001PRS has replicates 1, 2",
        ),
        (
            "ENCFF004PRS",
            "output type fold change over control, not signal p-value",
        ),
        ("ENCFF005PRS", "assembly hg19; the database has hg38"),
        ("ENCFF006PRS", "status archived, not released"),
        ("ENCFF008PRS", "ENCFF007PRS has the peaks that are kept"),
        ("ENCFF009PRS", "format bam, not bigWig or narrowPeak"),
        ("ENCFF010PRS", "format fastq, not bigWig or narrowPeak"),
        (
            "ENCFF018PRS",
            "output type plus strand signal of unique reads, not signal p-value",
        ),
        ("ENCFF020PRS", "it is a control"),
        ("ENCFF021PRS", "status revoked, not released"),
        (
            "ENCFF022PRS",
            "analysis ENCODE3 GRCh38; ENCODE4 v1.6.0 GRCh38 is newer",
        ),
        (
            "ENCFF024PRS",
            "organism Mus musculus; the database's assembly is of Homo sapiens",
        ),
        ("ENCFF025PRS", "status in progress, not released"),
    ] {
        assert_eq!(reason(&choice, accession), why, "{accession}");
    }
    // No file is passed over in silence.
    assert_eq!(
        choice.taken.len() + choice.peaks.len() + choice.left.len(),
        table.files.len()
    );
    let units: Vec<&str> = choice.taken.iter().map(|c| c.unit.as_str()).collect();
    assert_eq!(
        (units[0], units[3]),
        ("−log10 p", "read-depth normalized signal")
    );
    let audited = &choice.taken[5].file.origin;
    assert_eq!(audited.audit.as_deref(), Some("WARNING: low read depth"));
    assert_eq!(audited.experiment.as_deref(), Some("ENCSR006PRS"));
    assert_eq!(audited.donor.as_deref(), Some("/human-donors/ENCDO000AAA/"));
    assert_eq!(
        choice.notes,
        [
            "DNase-seq has no released signal p-value on hg38; its read-depth normalized signal is taken",
            "polyA plus RNA-seq has no released signal p-value on hg38 and is left out",
        ]
    );
}

#[test]
fn two_experiments_are_named_until_the_user_decides() {
    let table = read(&search());
    let choice = chosen(&table, "hg38", &ChoiceOptions::default());
    let [ambiguous] = &choice.ambiguous[..] else {
        panic!("{:?}", choice.ambiguous);
    };
    assert_eq!(ambiguous.experiment.to_string(), "K562 CTCF");
    for part in [
        "ENCFF015PRS",
        "ENCFF016PRS",
        "`prefer` newest",
        "`replicates` mean",
    ] {
        assert!(ambiguous.message.contains(part), "{}", ambiguous.message);
    }
    let newest = ChoiceOptions {
        prefer: Prefer::Newest,
        ..ChoiceOptions::default()
    };
    // Released on one day; the analysis of the second is the newer.
    let choice = chosen(&table, "hg38", &newest);
    assert!(choice.ambiguous.is_empty());
    assert_eq!(
        reason(&choice, "ENCFF015PRS"),
        "experiment ENCSR007PRS is newer"
    );
    let mean = ChoiceOptions {
        replicates: Replicates::Mean,
        ..ChoiceOptions::default()
    };
    let choice = chosen(&table, "hg38", &mean);
    assert!(choice.ambiguous.is_empty());
    assert_eq!(taken(&choice).iter().filter(|t| t.2 == "CTCF").count(), 2);
}

#[test]
fn an_output_type_that_was_asked_for_is_the_only_one() {
    let table = read(&search());
    let of = |output_type: &str| ChoiceOptions {
        output_type: Some(output_type.into()),
        ..ChoiceOptions::default()
    };
    let choice = chosen(&table, "hg38", &of("signal p-value"));
    assert!(taken(&choice).iter().all(|t| t.2 != "DNase-seq"));
    assert!(
        choice
            .notes
            .contains(&"DNase-seq has no released signal p-value on hg38 and is left out".into())
    );
    let choice = chosen(&table, "hg38", &of("fold change over control"));
    assert_eq!(taken(&choice), [("ENCFF004PRS", "K562", "H3K27ac")]);
    assert_eq!(choice.taken[0].unit, "fold change over control");
}

#[test]
fn the_newest_analysis_is_found_by_its_numbers() {
    const V: &str = "File analysis title";
    let table = read(&[
        row("ENCFF101PRS", &[(V, "ENCODE4 v1.9.0 GRCh38")]),
        row("ENCFF102PRS", &[(V, "ENCODE4 v1.10.0 GRCh38")]),
        row("ENCFF103PRS", &[(V, "ENCODE4 v1.10.0-beta GRCh38")]),
        row("ENCFF104PRS", &[(V, "Lab custom GRCh38")]),
        row("ENCFF105PRS", &[(V, "")]),
        row("ENCFF102PRS", &[]),
    ]);
    let choice = chosen(&table, "hg38", &ChoiceOptions::default());
    assert_eq!(taken(&choice), [("ENCFF102PRS", "K562", "H3K27ac")]);
    assert_eq!(choice.left.len(), 5);
    assert_eq!(choice.left[4].reason, "line 3 lists it already");
}

#[test]
fn single_replicates_without_a_merged_file_are_averaged_or_named() {
    let target = ("Experiment target", "NKX2-1-human");
    let rows = [
        row("ENCFF111PRS", &[target, ("Biological replicate(s)", "1")]),
        row("ENCFF112PRS", &[target, ("Biological replicate(s)", "2")]),
    ];
    let choice = chosen(&read(&rows), "hg38", &ChoiceOptions::default());
    assert_eq!(choice.ambiguous[0].experiment.to_string(), "K562 NKX2-1");
    // Which experiment is newer decides nothing here.
    assert!(!choice.ambiguous[0].message.contains("prefer"));
    let mean = ChoiceOptions {
        replicates: Replicates::Mean,
        ..ChoiceOptions::default()
    };
    let choice = chosen(&read(&rows), "hg38", &mean);
    assert_eq!((choice.taken.len(), choice.ambiguous.len()), (2, 0));
}

#[test]
fn an_older_table_of_mice_is_read_by_the_names_of_its_columns() {
    let header = "File accession\tFile format\tOutput type\tExperiment accession\tAssay\t\
                  Biosample term name\tBiosample treatments\tBiosample treatments amount\t\
                  Experiment target\tAssembly\tFile Status";
    let line = |accession: &str, format: &str, output: &str, of: &str, dose: &str| {
        let treatment = if dose.is_empty() { "" } else { "LPS" };
        format!(
            "{accession}\t{format}\t{output}\t{of}\tHistone ChIP-seq\tmacrophage\t{treatment}\t{dose}\t\
             H3K4me1-mouse\tmm10-minimal\treleased"
        )
    };
    let text = [
        format!("\u{feff}{header}"),
        line("ENCFF121PRS", "bigWig", "signal p-value", "ENCSR121PRS", ""),
        line(
            "ENCFF122PRS",
            "bigWig",
            "signal p-value",
            "ENCSR122PRS",
            "1 ng/mL",
        ),
        line(
            "ENCFF123PRS",
            "bigWig",
            "signal p-value",
            "ENCSR123PRS",
            "10 ng/mL",
        ),
        line(
            "ENCFF124PRS",
            "bigBed narrowPeak",
            "replicated peaks",
            "ENCSR121PRS",
            "",
        ),
    ];
    let table = read_text(&(text.join("\r\n") + "\r\n")).unwrap();
    let choice = chosen(&table, "mm10", &ChoiceOptions::default());
    assert_eq!(
        taken(&choice),
        [
            ("ENCFF121PRS", "macrophage", "H3K4me1"),
            (
                "ENCFF122PRS",
                "macrophage treated with LPS (1 ng/mL)",
                "H3K4me1"
            ),
            (
                "ENCFF123PRS",
                "macrophage treated with LPS (10 ng/mL)",
                "H3K4me1"
            ),
        ]
    );
    assert_eq!(choice.peaks[0].accession, "ENCFF124PRS");
}

#[test]
fn a_modified_genome_is_another_biosample_and_a_tag_on_the_target_is_not() {
    let modified = |category: &'static str, target: &'static str| {
        [
            ("Biosample genetic modifications methods", "CRISPR"),
            ("Biosample genetic modifications categories", category),
            ("Biosample genetic modifications targets", target),
            ("Experiment target", "eGFP-ZNF24-human"),
        ]
    };
    let table = read(&[
        row("ENCFF131PRS", &modified("insertion", "ZNF24-human")),
        row("ENCFF132PRS", &modified("deletion", "GATA1-human")),
    ]);
    let names: Vec<&str> = table.files.iter().map(|f| f.biosample.as_str()).collect();
    assert_eq!(
        names,
        ["K562", "K562 modified (CRISPR, deletion, GATA1-human)"]
    );
}

#[test]
fn a_table_that_is_not_the_portals_is_refused_with_the_column_that_it_lacks() {
    let message = |text: &str| read_text(text).unwrap_err().to_string();
    let text = message("biosample\tassay\tpath\nK562\tH3K4me3\ta.bw\n");
    assert!(text.contains("no column `File accession`"), "{text}");
    let text = message(&format!(
        "{}\n{}\n",
        HEADER.replace('|', "\t"),
        row("../../etc/passwd", &[])
    ));
    assert!(
        text.contains("line 2") && text.contains("is not an accession"),
        "{text}"
    );
}

#[test]
fn a_copy_is_found_by_its_accession_and_its_ending() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "ENCFF001PRS.bigWig.part",
        "ENCFF001PRS.bw",
        "ENCFF007PRS.bed.gz",
        "ENCFF004PRS.bam",
    ];
    for name in names {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let table = read(&search());
    let copies = LocalCopies::of(folder.path()).unwrap();
    let found = |accession: &str| {
        let file = table
            .files
            .iter()
            .find(|f| f.accession == accession)
            .unwrap();
        copies
            .find(file)
            .and_then(Path::file_name)
            .map(|n| n.to_owned())
    };
    assert_eq!(found("ENCFF001PRS").unwrap(), "ENCFF001PRS.bw");
    assert_eq!(found("ENCFF007PRS").unwrap(), "ENCFF007PRS.bed.gz");
    assert_eq!(found("ENCFF004PRS"), None);
    assert!(LocalCopies::of(&folder.path().join("none")).is_ok());
}

#[test]
fn peaks_are_listed_for_an_evaluation_and_a_bigbed_is_unpacked_beside_itself() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats");
    let bigbed = folder.path().join("ENCFF008PRS.bigBed");
    std::fs::copy(fixtures.join("peaks.bigBed"), &bigbed).unwrap();
    let table = read(&search());
    let local = |accession: &str, path: &Path| LocalFile {
        file: (table.files.iter())
            .find(|f| f.accession == accession)
            .unwrap()
            .clone(),
        path: path.to_path_buf(),
    };
    let bed = folder.path().join("ENCFF007PRS.bed.gz");
    let to = folder.path().join("metadata.peaks.tsv");
    write_peaks(&to, &[local("ENCFF008PRS", &bigbed)]).unwrap();
    // Of another table of the same name: the rows there are stay.
    let mut other = local("ENCFF007PRS", &bed);
    other.file.assay = "CTCF".into();
    write_peaks(&to, &[other]).unwrap();
    let text = folder.path().join("ENCFF008PRS.narrowPeak");
    let expected = format!(
        "biosample\tassay\tpath\tformat\n\
         K562\tCTCF\t{}\tnarrowpeak\n\
         K562\tH3K27ac\t{}\tnarrowpeak\n",
        bed.display(),
        text.display()
    );
    assert_eq!(std::fs::read_to_string(&to).unwrap(), expected);
    let expected = std::fs::read(fixtures.join("peaks.bigBed.txt")).unwrap();
    assert_eq!(std::fs::read(&text).unwrap(), expected);
    std::fs::write(&to, "the user's\n").unwrap();
    let refused = write_peaks(&to, &[local("ENCFF008PRS", &bigbed)]).unwrap_err();
    assert!(refused.to_string().contains("move it"), "{refused}");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "the user's\n");
}
