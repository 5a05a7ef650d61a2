//! Figures and the report, through the program.

use std::fs;

use super::workspace::Workspace;

fn text(workspace: &Workspace, name: &str) -> String {
    fs::read_to_string(workspace.path(name)).unwrap()
}

#[test]
fn tracks_at_a_locus_are_drawn_with_what_each_row_is() {
    let workspace = Workspace::trained();
    let outcome = workspace.ok("plot tracks chr1:20,000-40,000 --output t.svg");
    assert_eq!(outcome.stdout.trim(), "t.svg");
    let svg = text(&workspace, "t.svg");
    // The held-out tracks by default.
    for part in [
        ">S1<",
        ">H3K36me3<",
        "observed",
        "imputed, held out",
        "average of",
        "position on chr1",
        "arcsinh(",
    ] {
        assert!(svg.contains(part), "{part}");
    }
    workspace.ok("plot tracks chr1:20,000-40,000 --assay H3K4me3 --rows observed --output one.pdf");
    assert!(
        fs::read(workspace.path("one.pdf"))
            .unwrap()
            .starts_with(b"%PDF")
    );
    workspace
        .run("plot tracks NOGENE --output t.svg")
        .fails(&["NOGENE"]);
    workspace
        .run("plot tracks chr1:1-2000 --tracks S1:nothing --output t.svg")
        .fails(&["S1:nothing", "S1:"]);
    workspace
        .run("plot tracks chr1:1-2000 --output t.gif")
        .expect_misuse(&["t.gif", ".svg"]);
    workspace
        .run("plot tracks chr1:99,000,000-99,100,000 --output t.svg")
        .fails(&["chr1"]);
}

#[test]
fn factors_similarity_coverage_and_losses_are_drawn() {
    let workspace = Workspace::trained();
    workspace.ok("plot factors chr1:1-60,000 --output f.svg");
    assert!(text(&workspace, "f.svg").contains("250 bp"));
    workspace.ok("plot similarity biosamples --output s.svg");
    assert!(text(&workspace, "s.svg").contains("cosine of factors"));
    workspace.ok("plot coverage --output c.svg");
    let svg = text(&workspace, "c.svg");
    for part in [
        "12 of 16 experiments",
        "measured, held out (2)",
        "not measured (4)",
    ] {
        assert!(svg.contains(part), "{part}");
    }
    workspace.ok("plot loss --output l.svg --theme dark");
    assert!(text(&workspace, "l.svg").contains("mean squared error"));
    workspace
        .run("plot similarity biosamples --colour anatomy --output s.svg")
        .fails(&["anatomy"]);
    workspace
        .run("plot projection mine --output p.svg")
        .fails(&["mine"]);
}

#[test]
fn a_gallery_holds_all_there_are_numbers_for_and_says_what_there_is_not() {
    let workspace = Workspace::trained();
    workspace.ok("project biosamples");
    let rows = workspace
        .ok("plot gallery --output figures --as png --dpi 50 --format json")
        .json();
    let rows = rows.as_array().unwrap();
    assert!(rows.len() >= 7, "{rows:?}");
    for row in rows {
        let file = row["file"].as_str().unwrap();
        assert!(!file.is_empty(), "{row}");
        assert!(
            fs::read(workspace.path(file))
                .unwrap()
                .starts_with(b"\x89PNG")
        );
    }
    // Without a model there is less to see.
    let bare = Workspace::ingested();
    let rows = bare
        .ok("plot gallery --output figures --format json")
        .json();
    assert_eq!(rows.as_array().unwrap().len(), 2);
}

#[test]
fn a_report_is_one_page_with_scores_pictures_and_similar_positions() {
    let workspace = Workspace::trained();
    let outcome = workspace.ok("report --output report.html");
    assert_eq!(outcome.stdout.trim(), "report.html");
    let html = text(&workspace, "report.html");
    for part in [
        "What is in it",
        "S1 H3K4me3",
        "calibrated average",
        "Genome positions",
        "nearest gene",
        "No downstream task",
    ] {
        assert!(html.contains(part), "{part}");
    }
    let html = html.replace("http://www.w3.org/2000/svg", "");
    for never in ["<script", "http:", "https:", "NaN"] {
        assert!(!html.contains(never), "{never}");
    }
    let bare = Workspace::ingested();
    bare.ok("report --output bare.html");
    assert!(text(&bare, "bare.html").contains("No model yet"));
    bare.run("report --output bare.txt")
        .expect_misuse(&["bare.txt", ".html"]);
}
