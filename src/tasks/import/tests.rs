//! Label files, good and bad, as users have them.

use super::*;
use crate::genome::{Gene, GenomeAxis, Strand};
use crate::store::NewDatabase;
use crate::store::test_support::store_track;

struct LabelledWindow {
    folder: tempfile::TempDir,
    database: Database,
}

impl LabelledWindow {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let list = [
            ("chr1".to_string(), 1_000_000),
            ("chr2".to_string(), 500_000),
        ];
        let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
        let gene = |id: &str, name: &str, start, strand| Gene {
            id: id.into(),
            name: name.into(),
            interval: Interval::new("chr1", start, start + 1_000),
            strand,
            transcript_starts: Vec::new(),
        };
        let parts = NewDatabase {
            axis: GenomeAxis::whole_chromosomes(assembly, &["chr1"]).unwrap(),
            mask: vec![],
            genes: vec![
                gene("ENSG01", "ALPHA", 10_000, Strand::Forward),
                gene("ENSG02", "BETA", 20_000, Strand::Reverse),
                gene("ENSG03", "GAMMA", 30_000, Strand::Forward),
            ],
            enhancers: vec![],
        };
        let database = Database::create(&folder.path().join("x.persea"), &parts).unwrap();
        store_track(&database, "E003", "H3K4me3", &[0.0; 40_000]);
        store_track(&database, "E116", "H3K4me3", &[0.0; 40_000]);
        LabelledWindow { folder, database }
    }

    fn import(
        &self,
        kind: TaskKind,
        name: &str,
        text: &str,
        options: &ImportOptions,
    ) -> crate::Result<ImportReport> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let options = ImportOptions {
            replace: true,
            ..options.clone()
        };
        import(&self.database, kind, &[path], &options)
    }

    fn refuses(&self, kind: TaskKind, name: &str, text: &str, parts: &[&str]) {
        let error = self.import(kind, name, text, &ImportOptions::default());
        let message = error.unwrap_err().to_string();
        for part in parts {
            assert!(message.contains(part), "`{part}` is missing: {message}");
        }
    }

    fn labels(&self, task: &str, biosample: &str) -> Vec<f64> {
        let task = self.database.read_task(task).unwrap();
        self.database.task_labels(&task, biosample).unwrap().values
    }

    fn examples(&self, task: &str) -> Vec<crate::store::Example> {
        let task = self.database.read_task(task).unwrap();
        self.database.task_examples(&task).unwrap()
    }
}

#[test]
fn genes_are_found_by_identifier_version_or_name_and_the_unknown_are_named() {
    let place = LabelledWindow::new();
    let text = "gene_id\tE003\tE116\nENSG01.4\t1.5\t0\nBETA\tNA\t2\nENSG99\t1\t1\n";
    let report = place
        .import(
            TaskKind::Expression,
            "m.tsv",
            text,
            &ImportOptions::default(),
        )
        .unwrap();
    assert_eq!(
        (report.n_examples, report.unknown_genes.as_slice()),
        (2, &["ENSG99".to_string()][..])
    );
    assert_eq!(
        (report.labels.len(), report.labels[0].n, report.labels[1].n),
        (2, 1, 2)
    );
    let examples = place.examples("expression");
    assert_eq!(
        examples[0].place,
        Some(Interval::new("chr1", 10_000, 10_001))
    );
    // Read downwards: it starts with its last base.
    assert_eq!(
        examples[1].place,
        Some(Interval::new("chr1", 20_999, 21_000))
    );
    assert_eq!(examples[1].strand, Some(Strand::Reverse));
    assert_eq!(place.labels("expression", "E116"), [0.0, 2.0]);
}

#[test]
fn columns_of_two_units_stay_apart_and_the_rest_is_reported() {
    let place = LabelledWindow::new();
    let text = "gene_id\tchrom\tstart\tend\tstrand\ttss\tE003_RPKM\tE116_arcsinh_rnaseq\tE116_row\n\
                ENSG01\tchr1\t10001\t11000\t+\t10000\t3\t0.25\t7\n\
                NEW\tchr1\t50001\t51000\t-\t50999\t4\tNA\t8\n";
    let report = place
        .import(
            TaskKind::Expression,
            "m.tsv",
            text,
            &ImportOptions::default(),
        )
        .unwrap();
    assert_eq!(report.ignored_columns, ["E116_row"]);
    assert_eq!(
        (
            report.labels[0].unit.as_str(),
            report.labels[1].unit.as_str()
        ),
        ("rpkm", "arcsinh_rnaseq")
    );
    // A gene that the annotation lacks has its own coordinates.
    assert_eq!(
        place.examples("expression")[1].place,
        Some(Interval::new("chr1", 50_999, 51_000))
    );
    assert_eq!(report.n_moved, 0);
    let moved = text.replace("\t10000\t3", "\t10004\t3");
    let report = place
        .import(
            TaskKind::Expression,
            "m.tsv",
            &moved,
            &ImportOptions::default(),
        )
        .unwrap();
    assert_eq!(report.n_moved, 1);
}

#[test]
fn bad_labels_are_refused_with_their_line() {
    let place = LabelledWindow::new();
    use TaskKind::{Custom, Expression, Fire, Interaction, Replication};
    let bed = "chr1\t0\t40000\t1\nchr1\t40000\t80000\t0\n";
    for (kind, name, text, parts) in [
        (
            Expression,
            "a.tsv",
            "gene_id\tE003\tnote\nENSG01\t1\tgood\n",
            &[
                "line 2",
                "column `note` is unknown",
                "option `label-column`",
            ][..],
        ),
        (
            Expression,
            "a.tsv",
            "gene_id\tchrom\nENSG01\tchr1\n",
            &["no column of labels"],
        ),
        (
            Expression,
            "a.tsv",
            "gene_id\tE003\nENSG01\t1\nENSG01\t2\n",
            &["line 3", "stands in", "line 2 already"],
        ),
        (
            Expression,
            "a.tsv",
            "gene_id\tE003\nENSG01\t-1\n",
            &["line 2", "negative"],
        ),
        (
            Expression,
            "a.tsv",
            "gene_id\tE003\nNOPE\t1\n",
            &["nothing is labelled", "1 of unknown genes"],
        ),
        (
            Fire,
            "E003.tsv",
            "chrom\tstart\tend\tfire_or_not\nchr1\t0\t40000\t1\n",
            &[
                "line 1",
                "no column for the label",
                "option `columns` label=COLUMN",
            ],
        ),
        (
            Fire,
            "E003.tsv",
            "chrom\tstart\tend\tlabel\nchr1\t0\t40000\t2\n",
            &["line 2", "neither 0 nor 1"],
        ),
        (
            Fire,
            "E003.tsv",
            "chrom\tstart\tend\tlabel\nchr1\tx\t40000\t1\n",
            &["line 2", "`x` is not a position"],
        ),
        (
            Fire,
            "E003.tsv",
            "chrom\tstart\tend\tlabel\nchr1\t5\t5\t1\n",
            &["line 2", "is empty"],
        ),
        (
            Fire,
            "E003.tsv",
            "chrom\tstart\tend\tlabel\n9\t0\t5\t1\n",
            &["line 2", "chr1"],
        ),
        (
            Replication,
            "E003.tsv",
            "chrom\tstart\tend\tlabel\nchr1\t0\t40000\t0.1\nchr2\t480000\t520000\t0.2\n",
            &["line 3", "beyond chr2", "another assembly"],
        ),
        (
            Replication,
            "E003.tsv",
            "chrom\tstart\tend\tlabel\nchr1\t0\t40000\tlate\n",
            &["line 2", "`late` is not a label"],
        ),
        (
            Replication,
            "labels.tsv",
            "chrom\tstart\tend\tlabel\nchr1\t0\t40000\t1\n",
            &["of which biosample", "option `biosample`"],
        ),
        (
            Interaction,
            "a.csv",
            "enhancer_name,promoter_name,label\nK|chr1:1-2,K|chr2:5-9,1\n",
            &["line 2", "two chromosomes"],
        ),
        (
            Interaction,
            "a.csv",
            "enhancer_name,promoter_name,label\nK|chr1,K|chr1:5-9,1\n",
            &["line 2", "names no place"],
        ),
        (
            Interaction,
            "a.csv",
            "enhancer_name,promoter_name,label\nK|chr1:1-2,K|chr1:5-9,0.5\n",
            &["line 2", "neither 0 nor 1", "option `unit`"],
        ),
        (Interaction, "a.bed", bed, &["no header"]),
        (
            Custom,
            "E003.bed",
            "chr1\t0\t40000\tname\t.\tx\n",
            &["fourth or fifth field"],
        ),
    ] {
        place.refuses(kind, name, text, parts);
    }
    assert!(place.database.list_tasks().unwrap().is_empty());
}

#[test]
fn windows_come_from_tables_and_bed_lines_alike() {
    let place = LabelledWindow::new();
    let table = "chrom\tstart\tend\tlabel\tfold\nchr1\t0\t40000\t1\tx\nchr2\t0\t40000\t0\ty\n";
    let report = place
        .import(
            TaskKind::Fire,
            "f.E116.tsv",
            table,
            &ImportOptions::default(),
        )
        .unwrap();
    assert_eq!(report.labels[0].biosample, "E116");
    assert_eq!(
        (report.n_covered, report.outside.as_slice()),
        (Some(1), &["chr2:1-40000".to_string()][..])
    );
    assert_eq!(place.examples("fire")[1].fold.as_deref(), Some("y"));
    let named = ImportOptions {
        biosample: Some("E003".into()),
        name: Some("mine".into()),
        ..ImportOptions::default()
    };
    let bed = "chr1\t0\t40000\tpeak1\t7.5\nchr1\t40000\t80000\tpeak2\t0\n";
    place
        .import(TaskKind::Custom, "x.bed", bed, &named)
        .unwrap();
    assert_eq!(place.labels("mine", "E003"), [7.5, 0.0]);
    assert_eq!(place.examples("mine")[0].name, "peak1");
    // A browser's table counts from 1.
    let one_based = ImportOptions {
        one_based: true,
        ..named
    };
    let text = "chrom\tstart\tend\tlabel\nchr1\t1\t40000\t1\nchr1\t40001\t80000\t0\n";
    place
        .import(TaskKind::Custom, "x.tsv", text, &one_based)
        .unwrap();
    assert_eq!(
        place.examples("mine")[0].place,
        Some(Interval::new("chr1", 0, 40_000))
    );
    let zero = text.replace("chr1\t1\t", "chr1\t0\t");
    let refused = place.import(TaskKind::Custom, "x.tsv", &zero, &one_based);
    assert!(refused.unwrap_err().to_string().contains("count from 1"));
}

#[test]
fn pairs_of_several_biosamples_are_one_task() {
    let place = LabelledWindow::new();
    let text = "enhancer_name,promoter_name,label,prediction\n\
                IMR90|chr1:100-300,IMR90|chr1:5000-5400,1,0\n\
                K562|chr1:100-300,K562|chr1:5000-5400,0,0\n\
                K562|chr1:700-900,K562|chr1:5000-5400,0,1\n";
    let options = ImportOptions {
        rename: vec![("IMR90".into(), "E116".into())],
        ..ImportOptions::default()
    };
    let report = place
        .import(TaskKind::Interaction, "p.csv", text, &options)
        .unwrap();
    assert_eq!((report.n_examples, report.labels.len()), (2, 2));
    assert_eq!(place.labels("interaction", "K562"), [0.0, 0.0]);
    let of_renamed = place.labels("interaction", "E116");
    assert!(of_renamed[0] == 1.0 && of_renamed[1].is_nan());
    let example = &place.examples("interaction")[0];
    assert_eq!(example.place, Some(Interval::new("chr1", 5_000, 5_400)));
    assert_eq!(example.partner, Some(Interval::new("chr1", 100, 300)));
    assert!(report.notes.iter().any(|n| n.contains("no track of K562")));
    let coordinates = "eid\tcell\tchrom\tenh_start\tenh_end\tprom_start\tprom_end\tlabel\n\
                       E003\tH1\tchr1\t100\t300\t5000\t5400\t1\n";
    let none = ImportOptions::default();
    place
        .import(TaskKind::Interaction, "p.tsv", coordinates, &none)
        .unwrap();
    assert_eq!(place.labels("interaction", "E003"), [1.0]);
    let pairs = "chrom\tstart\tend\tstart2\tend2\tlabel\tbiosample\nchr1\t5\t9\t50\t90\t1\tE003\n";
    let pairs = pairs
        .replace("start\tend", "start\tend\tchrom2")
        .replace("5\t9\t", "5\t9\tchr1\t");
    place
        .import(TaskKind::Custom, "c.tsv", &pairs, &none)
        .unwrap();
    assert_eq!(
        place.examples("custom")[0].partner,
        Some(Interval::new("chr1", 50, 90))
    );
}

#[test]
fn a_task_is_replaced_only_on_request() {
    let place = LabelledWindow::new();
    let path = place.folder.path().join("E003.bed");
    std::fs::write(&path, "chr1\t0\t40000\t1\n").unwrap();
    let go = || {
        import(
            &place.database,
            TaskKind::Fire,
            std::slice::from_ref(&path),
            &ImportOptions::default(),
        )
    };
    assert!(
        go().unwrap()
            .notes
            .iter()
            .any(|n| n.contains("both classes"))
    );
    assert!(go().unwrap_err().to_string().contains("option `replace`"));
}

/// The real files, as they stand.
#[test]
fn the_shared_labels_are_imported_as_they_stand() {
    let data = std::env::var("PERSEA_SHARED_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").to_string());
    let data = Path::new(&data);
    if !data.join("pilot").is_dir() {
        let why = format!("there is no folder {}", data.join("pilot").display());
        crate::skipped::skipped("data", why);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let assembly = Assembly::by_name("hg19").unwrap();
    let genes = data.join("annotation/genes.gencode_v10.hg19.gtf.gz");
    let parts = NewDatabase {
        genes: crate::genome::read_genes(&genes, &assembly).unwrap().genes,
        axis: GenomeAxis::from_bed(assembly, &data.join("pilot/pilot_regions.hg19.bed")).unwrap(),
        mask: vec![],
        enhancers: vec![],
    };
    let database = Database::create(&folder.path().join("x.persea"), &parts).unwrap();
    let n_bins = database.axis().n_bins() as usize;
    for biosample in ["E003", "E116"] {
        store_track(&database, biosample, "H3K4me3", &vec![0.0; n_bins]);
    }
    let go = |kind, name: &str, file: &str, biosample: Option<&str>| {
        let options = ImportOptions {
            name: Some(name.into()),
            biosample: biosample.map(str::to_string),
            ..ImportOptions::default()
        };
        import(&database, kind, &[data.join(file)], &options).unwrap()
    };
    let labels = |report: &ImportReport| -> Vec<(String, usize)> {
        report
            .labels
            .iter()
            .map(|l| (l.biosample.clone(), l.n))
            .collect()
    };
    let pilot = go(
        TaskKind::Expression,
        "pilot",
        "pilot/labels/pilot_expression.tsv",
        None,
    );
    assert_eq!(
        (pilot.n_examples, pilot.n_covered, pilot.n_moved),
        (376, Some(376), 0)
    );
    assert_eq!(pilot.labels[4].biosample, "E017");
    assert_eq!(
        (pilot.labels[4].n, pilot.labels[4].unit.as_str()),
        (295, "arcsinh_rnaseq")
    );
    let roadmap = go(
        TaskKind::Expression,
        "roadmap",
        "roadmap/57epigenomes.RPKM.pc.gz",
        None,
    );
    assert_eq!((roadmap.n_examples, roadmap.labels.len()), (19_795, 57));
    assert_eq!(
        (roadmap.n_covered, roadmap.outside.len()),
        (Some(376), 19_419)
    );
    assert!(roadmap.unknown_genes.is_empty());
    let fire = go(
        TaskKind::Fire,
        "fire",
        "pilot/labels/pilot_fire.E116.tsv",
        None,
    );
    assert_eq!(
        (labels(&fire), fire.labels[0].n_above_0),
        (vec![("E116".into(), 662)], 50)
    );
    let genome = go(
        TaskKind::Fire,
        "genome",
        "pilot/labels/fire.E116.genome40kb.hg19.tsv.gz",
        None,
    );
    assert_eq!((genome.n_examples, genome.n_covered), (72_036, Some(662)));
    let h1 = go(
        TaskKind::Replication,
        "h1",
        "pilot/labels/pilot_reptiming.E003_H1.tsv",
        None,
    );
    assert_eq!(
        (labels(&h1), h1.n_covered),
        (vec![("E003".into(), 521)], Some(521))
    );
    let koren = "pilot/labels/pilot_reptiming.LCL_koren.tsv";
    let lcl = go(TaskKind::Replication, "lcl", koren, Some("E116"));
    assert_eq!(labels(&lcl), [("E116".into(), 363)]);
    let pairs = go(
        TaskKind::Interaction,
        "pairs",
        "pilot/labels/pilot_pei.tsv",
        None,
    );
    assert_eq!((pairs.n_examples, pairs.n_covered), (1_003, Some(1_003)));
    let nhek = go(
        TaskKind::Interaction,
        "nhek",
        "targetfinder/NHEK/training.csv.gz",
        Some("NHEK"),
    );
    assert_eq!(
        (nhek.labels[0].n, nhek.labels[0].n_above_0),
        (26_891, 1_291)
    );
    let gm = go(
        TaskKind::Interaction,
        "gm",
        "targetfinder/GM12878/predictions-gbm.csv.gz",
        None,
    );
    assert_eq!((gm.labels[0].n, gm.labels[0].n_above_0), (44_313, 2_113));
}
