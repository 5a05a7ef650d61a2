//! Projections: of the genome, biosamples and assays; stored, listed, drawn.

use std::fs;

use super::workspace::Workspace;

#[test]
fn a_sample_of_the_genome_is_projected_drawn_and_stored() {
    let workspace = Workspace::trained();
    let line = "project genome --method umap --sample 300 --epochs 50 --output genome.svg";
    let outcome = workspace.ok(line);
    assert!(outcome.stderr.contains("300 of "), "{outcome}");
    assert!(outcome.stderr.contains("drawn at random"), "{outcome}");
    assert!(outcome.stdout.contains("trustworthiness"), "{outcome}");
    let svg = fs::read_to_string(workspace.path("genome.svg")).unwrap();
    for part in [
        "Genome positions: UMAP",
        "UMAP 1",
        "promoter (",
        "trustworthiness",
    ] {
        assert!(svg.contains(part), "{part}");
    }
    let list = workspace.ok("project list --format json").json();
    assert_eq!(list[0]["name"], "genome-umap");
    assert_eq!(
        (&list[0]["points"], &list[0]["stale"]),
        (&300.into(), &false.into())
    );
    // The same points again, to the bit, whatever the number of threads.
    let first = workspace.ok("project show genome-umap --format tsv").tsv();
    assert_eq!(first[0], ["chrom", "start", "end", "x", "y", "annotation"]);
    assert_eq!(first.len(), 301);
    workspace.ok(&format!("{line} --threads 1 --name again"));
    assert_eq!(workspace.ok("project show again --format tsv").tsv(), first);
    workspace.ok(&format!("{line} --seed 1 --name other"));
    assert_ne!(workspace.ok("project show other --format tsv").tsv(), first);
    workspace.ok("plot projection genome-umap --theme dark --output dark.png --dpi 60");
    assert!(
        fs::read(workspace.path("dark.png"))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
    workspace.ok("project remove again");
    workspace
        .run("project show again")
        .fails(&["again", "genome-umap"]);
    workspace.is_whole();
}

#[test]
fn the_genome_is_projected_around_a_locus_of_classes_and_at_labelled_positions() {
    let workspace = Workspace::trained();
    // `--scale` is the earlier name of `--resolution`.
    let json = workspace
        .ok("project genome --around chr1:30,000 --reach 5000 --scale 250bp --sample all --format json")
        .json();
    let points = json["points"].as_array().unwrap();
    assert!((38..=41).contains(&points.len()), "{}", points.len());
    for point in points {
        let start = point["start"].as_u64().unwrap();
        assert!(
            point["chrom"] == "chr1" && (24_750..35_000).contains(&start),
            "{point}"
        );
    }
    assert!(json["trustworthiness"].as_f64().is_some());
    let shares: f64 = json["explained"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|v| v.as_f64())
        .sum();
    assert!(shares > 0.5 && shares <= 1.0 + 1e-9, "{shares}");
    workspace.write(
        "places.bed",
        "chr1\t30000\t30025\tmine\nchr2\t20000\t20100\tyours\nchr1\t40000\t40025\n",
    );
    let json = workspace
        .ok("project genome --bed places.bed --format json --no-store")
        .json();
    let labels: Vec<&str> = json["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["labels"]["label"].as_str().unwrap())
        .collect();
    assert_eq!(labels, ["mine", "not labelled", "yours"]);
    let json = workspace
        .ok("project genome --class promoter,gene --balance --sample 40 --method tsne --perplexity 5 --epochs 100 --format json --name classes")
        .json();
    let of = |class: &str| {
        let all = json["points"].as_array().unwrap().iter();
        all.filter(|p| p["labels"]["annotation"] == class).count()
    };
    assert_eq!((of("promoter"), of("gene")), (20, 20));
    let names: Vec<String> = workspace
        .ok("project list --format tsv")
        .tsv()
        .into_iter()
        .skip(1)
        .map(|r| r[0].clone())
        .collect();
    assert_eq!(names, ["classes", "genome-pca"]);
}

#[test]
fn biosamples_and_assays_are_projected_with_their_metadata() {
    let workspace = Workspace::trained();
    workspace.write(
        "meta.tsv",
        "biosample\tGROUP\tCOLOR\nS1\tBlood\t#55A354\nS2\tESC\t#924965\nS3\tBlood\t#55A354\n",
    );
    workspace.ok("ingest --metadata meta.tsv");
    let table = workspace
        .ok("project biosamples --output b.svg --format tsv")
        .tsv();
    assert_eq!(table[0][..3], ["name", "x", "y"]);
    assert!(table[0].contains(&"GROUP".to_string()));
    assert_eq!(table.len(), 5);
    let svg = fs::read_to_string(workspace.path("b.svg")).unwrap();
    for part in [
        "#55a354",
        "Blood (2)",
        "not known (1)",
        "S4",
        "% of variance",
    ] {
        assert!(svg.contains(part), "{part}");
    }
    workspace.ok("project assays --method umap --neighbours 3 --epochs 20");
}

#[test]
fn what_cannot_be_projected_is_refused_with_what_to_do() {
    let workspace = Workspace::trained();
    workspace.run("project biosamples --method umap").fails(&[
        "4 points have no 15 neighbours",
        "--neighbours 4",
        "--method pca",
    ]);
    workspace
        .run("project biosamples --method tsne")
        .fails(&["4 points", "--perplexity 1"]);
    workspace
        .run("project genome --output genome.jpg")
        .expect_misuse(&["genome.jpg", ".pdf"]);
    workspace
        .run("project genome --around chr9:1-100")
        .fails(&["chr9"]);
    workspace
        .run("project genome --sample 0")
        .expect_misuse(&["0"]);
    workspace
        .run("project genome --sample 2 --no-store")
        .fails(&["2 points cannot be projected"]);
    workspace
        .run("project genome --model none")
        .fails(&["none", "base"]);
    workspace.write("empty.bed", "# nothing\n");
    workspace
        .run("project genome --bed empty.bed")
        .fails(&["empty.bed", "no position"]);
    workspace.write("beyond.bed", "chr1\t1\t99000000\tx\n");
    workspace
        .run("project genome --bed beyond.bed")
        .fails(&["beyond.bed", "1"]);
    workspace
        .run("project biosamples --colour anatomy --output b.svg")
        .expect_misuse(&["anatomy"]);
    assert!(workspace.ok("project list --format tsv").tsv().len() == 1);
}
