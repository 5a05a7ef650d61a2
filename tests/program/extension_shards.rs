//! New regions of a model with an encoder that several jobs embed.

use std::fs;
use std::time::Duration;

use super::workspace::{SMALL, Workspace, is_whole};

/// A database of one chromosome of 40,001 bins, and the default model `core` of 3,000 of them. What it lacks are two
/// regions, the second of three stretches: 16,000 bins lie between the places where they may be divided.
fn with_core() -> Workspace {
    let workspace = Workspace::new();
    workspace.ok(
        "simulate --output long --biosamples 3 --groups 2 --assays 3 --chromosomes 1 \
         --chromosome-bp 1000000 --missing 0 --seed 3",
    );
    workspace.ok(
        "create --assembly simulated --chrom-sizes long/chrom.sizes --regions long/regions.bed",
    );
    workspace.ok("ingest long/manifest.tsv");
    workspace.write("core.bed", "chr1\t200000\t275000\n");
    workspace.write("all.bed", "chr1\t0\t1000000\n");
    workspace.ok(
        "train --nodes 16 --batch-size 500 --members 2 --refine-nodes 32 --threads 1 --name core \
         --passes 2 --no-validate --regions core.bed",
    );
    workspace
}

fn embed(workspace: &Workspace, n: usize) -> String {
    let files = (1..=n).map(|i| {
        workspace.ok(&format!(
            "extend --model core --regions all.bed --shard {i}/{n} --output {i}.factors --threads {i}"
        ));
        format!("{i}.factors")
    });
    files.collect::<Vec<_>>().join(",")
}

#[test]
fn parts_that_jobs_embed_become_the_model_that_one_job_makes_to_the_bit() {
    let workspace = with_core();
    workspace.ok("backup one.persea");
    workspace.ok("backup inplace.persea");
    workspace.ok("extend --model core --regions all.bed --name all --db one.persea");
    let files = embed(&workspace, 3);
    let size = |name: &str| fs::metadata(workspace.path(name)).unwrap().len();
    // Each has at least a stretch of 5,000 bins with 9 tracks' factors.
    assert!((1..=3).all(|i| size(&format!("{i}.factors")) > 100_000));

    let merge = "extend --model core --regions all.bed --name all --merge";
    workspace
        .run(&format!("{merge} 1.factors,2.factors"))
        .fails(&["1.factors is one of 3 parts, and part 3 is missing"]);
    workspace
        .run(&format!("{merge} 1.factors,2.factors,2.factors"))
        .fails(&["2.factors is the same part as 2.factors"]);
    workspace.ok(&format!("{merge} {files}"));
    workspace
        .ok("diff databases x.persea one.persea")
        .says(&["no difference found"]);
    workspace.is_whole();

    // Repeated, both do nothing.
    let (before, whole) = (
        workspace.checksum("all"),
        fs::read(workspace.path("2.factors")),
    );
    workspace
        .ok("extend --model core --regions all.bed --shard 2/3 --output 2.factors")
        .says(&["had been embedded before"]);
    workspace
        .ok(&format!("{merge} {files}"))
        .says(&["has these factors already"]);
    assert_eq!(workspace.checksum("all"), before);
    let whole = whole.unwrap();
    assert_eq!(fs::read(workspace.path("2.factors")).unwrap(), whole);

    // In place of the model, and again.
    let inplace =
        format!("extend --model core --regions all.bed --db inplace.persea --merge {files}");
    workspace.ok(&inplace);
    workspace.ok(&inplace).says(&["has these factors already"]);
    workspace
        .ok("extend --model core --regions all.bed --shard 2/3 --output 2.factors --db inplace.persea")
        .says(&["had been embedded before"]);
    workspace
        .ok("extend --model core --regions all.bed --shard 2/3 --output new.factors --db inplace.persea")
        .says(&["covers these regions already"]);
    workspace.ok("extend --model core --regions all.bed --db one.persea");
    for database in ["inplace.persea", "one.persea"] {
        is_whole(&workspace.path(database));
        workspace.ok(&format!(
            "impute S1:H3K4me3 --model core --db {database} --output {database}.bw"
        ));
    }
    let bytes = |name: &str| fs::read(workspace.path(name)).unwrap();
    assert_eq!(bytes("inplace.persea.bw"), bytes("one.persea.bw"));

    // A damaged part is made anew; factors of another content are not what the model has.
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    workspace.write("2.factors", &bytes);
    workspace.run(&inplace).fails(&["2.factors is damaged"]);
    workspace
        .run(&format!(
            "extend --model core --regions all.bed --name third --merge {files}"
        ))
        .fails(&["2.factors is damaged"]);
    workspace.run("model show third").fails(&["third"]);
    workspace
        .ok("extend --model core --regions all.bed --shard 2/3 --output 2.factors")
        .says(&["shard 2/3: 16,000 bins embedded"]);
    assert_eq!(fs::read(workspace.path("2.factors")).unwrap(), whole);
}

#[test]
fn parts_of_other_regions_another_model_or_another_program_are_refused_by_name() {
    let workspace = with_core();
    let files = embed(&workspace, 2);
    workspace.write("less.bed", "chr1\t0\t900000\n");
    let merge = |more: &str| workspace.run(&format!("extend --name all {more} --merge {files}"));
    merge("--model core --regions less.bed").fails(&["1.factors is of other regions"]);
    workspace.ok(
        "train --nodes 16 --batch-size 500 --members 2 --refine-nodes 32 --threads 1 --name other \
         --passes 2 --no-validate --regions core.bed --seed 1",
    );
    merge("--model other --regions all.bed").fails(&["1.factors is of another model"]);
    workspace.ok(&format!(
        "train {SMALL} --name avocado --passes 1 --no-validate --regions core.bed"
    ));
    merge("--model avocado --regions all.bed").fails(&["model avocado has no encoder"]);
    workspace
        .run("extend --model avocado --regions all.bed --shard 1/2 --output 9.factors")
        .fails(&["model avocado has no encoder", "without --shard or --merge"]);
    merge("--model core --regions all.bed --name other").expect_misuse(&["--name"]);
    workspace
        .run(&format!(
            "extend --model core --regions all.bed --name other --merge {files}"
        ))
        .fails(&["model", "other", "choose another name"]);
    workspace.write(
        "x.factors",
        "not factors, but long enough to be read as if they were: 0123456789",
    );
    workspace
        .run("extend --model core --regions all.bed --name all --merge 1.factors,x.factors")
        .fails(&["x.factors was not written by an extension with --shard"]);
    workspace
        .run("extend --model core --regions all.bed --shard 1/2")
        .expect_misuse(&["--output"]);
    workspace
        .run("extend --model core --biosamples S1 --regions all.bed --shard 1/2 --output 1.factors")
        .expect_misuse(&["--biosamples"]);
    assert!(!workspace.path("9.factors").exists());
    workspace.is_whole();
}

#[test]
fn a_killed_job_leaves_no_part_and_a_killed_merge_the_model_as_it_was() {
    let workspace = with_core();
    let files = embed(&workspace, 2);
    let whole = fs::read(workspace.path("1.factors")).unwrap();
    let mut n_interrupted = 0;
    for delay in [1, 4, 8, 15, 30, 60] {
        fs::remove_file(workspace.path("1.factors")).unwrap();
        let job =
            workspace.start("extend --model core --regions all.bed --shard 1/2 --output 1.factors");
        std::thread::sleep(Duration::from_millis(delay));
        job.kill();
        match fs::read(workspace.path("1.factors")) {
            Ok(bytes) => assert_eq!(bytes, whole),
            Err(_) => n_interrupted += 1,
        }
        workspace.ok("extend --model core --regions all.bed --shard 1/2 --output 1.factors");
        assert_eq!(fs::read(workspace.path("1.factors")).unwrap(), whole);
    }
    assert!(n_interrupted > 0);
    let core = workspace.checksum("core");
    for delay in [1, 4, 8, 15, 30] {
        let merge = workspace.start(&format!(
            "extend --model core --regions all.bed --name all{delay} --merge {files}"
        ));
        std::thread::sleep(Duration::from_millis(delay));
        merge.kill();
        workspace.is_undamaged();
        assert_eq!(workspace.checksum("core"), core);
    }
    workspace.ok(&format!(
        "extend --model core --regions all.bed --merge {files}"
    ));
    workspace.is_whole();
    assert_ne!(workspace.checksum("core"), core);
}
