//! What the program says of itself.

use super::workspace::Workspace;

/// The verbs that `--help` lists.
fn verbs(workspace: &Workspace) -> Vec<String> {
    let help = workspace.ok("--help").stdout;
    let listed = help.split("Commands:").nth(1).unwrap();
    let listed = listed.split("\n\n").next().unwrap();
    // Long descriptions wrap, and go on further in.
    let names = listed
        .lines()
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "));
    let names = names.filter_map(|l| l.split_whitespace().next());
    names.filter(|n| *n != "help").map(str::to_string).collect()
}

#[test]
fn the_help_of_every_verb_ends_with_an_example_of_it() {
    let workspace = Workspace::new();
    let verbs = verbs(&workspace);
    for expected in [
        "simulate", "create", "ingest", "track", "impute", "evaluate", "model", "info", "check",
    ] {
        assert!(verbs.iter().any(|v| v == expected), "{expected}: {verbs:?}");
    }
    for verb in verbs {
        let help = workspace.ok(&format!("{verb} --help")).stdout;
        let example = help
            .split("Example")
            .nth(1)
            .unwrap_or_else(|| panic!("{verb}: {help}"));
        assert!(
            example.contains(&format!("persea {verb}")),
            "{verb}: {example}"
        );
    }
}

#[test]
fn training_verbs_are_there() {
    let verbs = verbs(&Workspace::new());
    for expected in ["demo", "train", "extend"] {
        assert!(verbs.iter().any(|v| v == expected), "{expected}: {verbs:?}");
    }
}

#[test]
fn misuse_exits_with_2_and_says_what_was_meant() {
    let workspace = Workspace::new();
    workspace.run("impuet").expect_misuse(&["impuet", "impute"]);
    workspace.run("ingest").expect_misuse(&["<MANIFEST>"]);
    workspace
        .run("ingest sim/manifest.tsv --format yaml")
        .expect_misuse(&["yaml", "json"]);
    workspace
        .run("ingest sim/manifest.tsv --threads 0")
        .expect_misuse(&["0", "--threads"]);
}

#[test]
fn completions_name_every_verb_in_every_shell() {
    let workspace = Workspace::new();
    let verbs = verbs(&workspace);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = workspace.ok(&format!("completions {shell}")).stdout;
        for verb in &verbs {
            assert!(script.contains(verb.as_str()), "{shell}: {verb}");
        }
    }
    workspace
        .run("completions csh")
        .expect_misuse(&["csh", "bash"]);
}

#[test]
fn man_writes_a_page_for_every_command() {
    let workspace = Workspace::new();
    workspace.ok("man pages");
    let page = |name: &str| std::fs::read_to_string(workspace.path(&format!("pages/{name}.1")));
    for verb in verbs(&workspace) {
        let text = page(&format!("persea-{verb}")).unwrap();
        assert!(text.contains(".SH OPTIONS"), "{verb}: {text}");
    }
    assert!(page("persea").unwrap().contains("similar"));
    assert!(page("persea-similar-position").unwrap().contains("exclude"));
}

#[test]
fn reference_writes_a_page_for_every_verb_that_help_lists() {
    let workspace = Workspace::new();
    workspace.ok("reference pages");
    let page = |name: &str| std::fs::read_to_string(workspace.path(&format!("pages/{name}.md")));
    let overview = page("overview").unwrap();
    for verb in verbs(&workspace) {
        assert!(
            overview.contains(&format!("[`{verb}`]({verb}.md)")),
            "{verb}"
        );
        assert!(
            page(&verb)
                .unwrap()
                .starts_with(&format!("# persea {verb}\n"))
        );
    }
    assert!(
        page("similar")
            .unwrap()
            .contains("## persea similar position")
    );
}

#[test]
fn the_glossary_defines_every_measure() {
    let glossary = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/src/reference/glossary.md"
    );
    let glossary = std::fs::read_to_string(glossary).unwrap();
    let targets = [
        persea::tasks::Target::Classification,
        persea::tasks::Target::Regression,
    ];
    let of_tasks = targets.map(|target| {
        let mut names = persea::tasks::measure_names(target).to_vec();
        names.push(persea::tasks::within_name(target));
        names
    });
    let measures = persea::evaluation::TrackMeasures::NAMES;
    for measure in measures.iter().chain(of_tasks.iter().flatten()) {
        let term = format!("`{measure}`");
        let defined = (glossary.lines())
            .filter(|line| line.starts_with("| "))
            .any(|line| {
                line.split(" | ")
                    .next()
                    .is_some_and(|cell| cell.contains(&term))
            });
        assert!(defined, "{measure} is not in the glossary");
    }
}
