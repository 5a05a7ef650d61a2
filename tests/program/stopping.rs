//! Training interrupted, killed, resumed; two of one name.
#![cfg(unix)]

use super::workspace::{SMALL, Workspace};

/// Enough passes that a stop always comes in time; with a checkpoint after every step they last.
const LONG: &str = "--passes 20";

#[test]
fn an_interrupted_training_resumes_to_the_same_model_bit_for_bit() {
    let workspace = Workspace::ingested();
    let train = format!("train {SMALL} {LONG} --patience 20 --searches 2");
    workspace.ok(&format!("{train} --name undisturbed"));

    // Once while it looks for the best length, once in the final training.
    let mut running = workspace.start(&format!("{train} --name m --checkpoint-every 0"));
    running.wait_for("checkpoint at step 25");
    running.interrupt();
    running.wait_for("stopping after this step with a checkpoint");
    running
        .finish()
        .fails(&["stopped at step", "persea train --name m --resume"]);
    workspace.run("model show m").fails(&["unknown model m"]);
    workspace.is_whole();

    let resume = "train --name m --resume --threads 1";
    let mut running = workspace.start(&format!("{resume} --checkpoint-every 0"));
    running.wait_for("final pass 1");
    running.interrupt();
    running.finish().fails(&["stopped at step", "--resume"]);
    workspace.is_whole();

    workspace.ok(resume);
    assert_eq!(workspace.checksum("m"), workspace.checksum("undisturbed"));
    let curve = |model: &str| {
        let model = workspace
            .ok(&format!("model show {model} --format json"))
            .json();
        model["training"]["curve"].clone()
    };
    assert_eq!(curve("m"), curve("undisturbed"));
    workspace.run(resume).fails(&["no checkpoint of model m"]);
    workspace.is_whole();
}

#[test]
fn a_second_interrupt_quits_at_once_on_the_last_checkpoint() {
    let workspace = Workspace::ingested();
    // Steps of a second or so, so that the second comes before the first is obeyed.
    let mut running = workspace.start(
        "train --preset small --layers 2 --nodes 2048 --batch-size 4802 --passes 1000 \
         --no-validate --name m --checkpoint-every 0 --threads 1",
    );
    running.wait_for("checkpoint at step 1");
    running.interrupt();
    running.wait_for("press Ctrl-C again to quit at once");
    running.interrupt();
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    outcome.says(&["quit"]);
    workspace.is_whole();
    let mut running = workspace.start("train --name m --resume --checkpoint-every 0");
    running.wait_for("checkpoint at step 2");
    running.kill();
    workspace.is_whole();
}

#[test]
fn a_training_that_is_killed_leaves_a_whole_database_and_resumes_to_the_same_model() {
    let workspace = Workspace::ingested();
    let train = format!("train {SMALL} {LONG} --no-validate");
    workspace.ok(&format!("{train} --name undisturbed"));
    let mut running = workspace.start(&format!("{train} --name m --checkpoint-every 0"));
    running.wait_for("checkpoint at step 12");
    running.kill();
    workspace.is_whole();
    assert_eq!(workspace.ok("info --format json").json()["tracks"], 12);
    // Nor is what was done thrown away by the command that began it.
    workspace.run(&format!("{train} --name m")).fails(&[
        "earlier training of m stopped at step",
        "--resume",
        "--replace",
    ]);
    workspace.ok("train --name m --resume --threads 1");
    assert_eq!(workspace.checksum("m"), workspace.checksum("undisturbed"));
    workspace.is_whole();
}

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_one_before_it() {
    let workspace = Workspace::ingested();
    let train = format!("train {SMALL} {LONG} --no-validate");
    workspace.ok(&format!("{train} --name undisturbed"));
    let mut running = workspace.start(&format!("{train} --name m --checkpoint-every 0"));
    running.wait_for("checkpoint at step 12");
    running.kill();
    let folder = std::fs::read_dir(workspace.path("x.persea/checkpoints")).unwrap();
    let folder = folder
        .map(|e| e.unwrap().path())
        .find(|p| p.is_dir())
        .unwrap();
    let mut kept: Vec<_> = (std::fs::read_dir(folder).unwrap())
        .map(|e| e.unwrap().path())
        .filter(|p| p.file_name().unwrap() != "writing")
        .collect();
    kept.sort();
    // The last two; the kill may come when a new one is written and the oldest not yet removed.
    assert!((2..=3).contains(&kept.len()), "{kept:?}");
    let newest = kept.last().unwrap();
    let bytes = std::fs::read(newest).unwrap();
    std::fs::write(newest, &bytes[..bytes.len() / 2]).unwrap();
    workspace
        .ok("train --name m --resume --threads 1")
        .says(&["the checkpoint before it is used"]);
    assert_eq!(workspace.checksum("m"), workspace.checksum("undisturbed"));
}

#[test]
fn resuming_after_the_tracks_have_changed_is_refused() {
    let workspace = Workspace::ingested();
    let mut running = workspace.start(&format!(
        "train {SMALL} {LONG} --no-validate --name m --checkpoint-every 0"
    ));
    running.wait_for("checkpoint at step 2");
    running.kill();
    workspace.ok("track remove S1:H3K4me3");
    workspace
        .run("train --name m --resume")
        .fails(&["training tracks have changed", "without --resume"]);
}

#[test]
fn a_second_training_of_the_same_name_is_refused_and_others_are_not_hindered() {
    let workspace = Workspace::ingested();
    let train = format!("train {SMALL} --no-validate");
    let mut first = workspace.start(&format!(
        "{train} --name m --passes 100000 --checkpoint-every 0"
    ));
    first.wait_for("checkpoint at step 1");
    let holder = format!("model m is being written by process {}", first.id());
    for second in [
        format!("{train} --name m --passes 1"),
        format!("{train} --name m --passes 1 --replace"),
        "train --name m --resume".to_string(),
        "model delete m".to_string(),
    ] {
        workspace
            .run(&second)
            .fails(&[&holder, "wait until it is done, or stop it"]);
    }
    // Training blocks neither readers nor other writers.
    workspace.ok(&format!("{train} --name other --passes 1"));
    workspace.ok("impute S1:H3K4me1 --model other --output a.npz");
    workspace.ok("track remove S4:H3K4me1");
    workspace.ok("ingest sim/manifest.tsv");
    workspace.ok("check");
    first.interrupt();
    first.finish().fails(&["stopped at step"]);
    workspace.is_whole();
}

#[test]
fn an_interrupted_extension_leaves_the_model_as_it_was() {
    let workspace = Workspace::ingested();
    workspace.ok(&format!(
        "train {SMALL} --name m --passes 1 --no-validate --hold S4:H3K4me1,S4:H3K36me3"
    ));
    let before = workspace.checksum("m");
    let mut running = workspace.start("extend --model m --biosamples S4 --passes 100000");
    running.wait_for("pass 2");
    running.interrupt();
    running.finish().fails(&[
        "stopping; the model stays as it was",
        "stopped; model m is as it was",
    ]);
    assert_eq!(workspace.checksum("m"), before);
    workspace.is_whole();
}

#[test]
fn a_long_command_says_how_far_it_is_where_stderr_is_no_terminal() {
    let workspace = Workspace::ingested();
    let run = |every: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_persea"))
            .args(
                "simulate --biosamples 6 --assays 6 --chromosomes 2 --chromosome-bp 2000010"
                    .split(' '),
            )
            .args(["--output", every])
            .current_dir(workspace.path("."))
            .env("PERSEA_PROGRESS", every)
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let lines = run("0.001");
    let is_line = |line: &&str| line.starts_with("writing: ") && line.contains(" % after ");
    assert!(lines.lines().any(|line| is_line(&line)), "{lines}");
    assert!(!run("0").contains("writing: "));
}
