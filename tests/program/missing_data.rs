//! Bins without data: missing in their track, and in no answer.

use std::fmt::Write as _;
use std::path::Path;

use persea::compendium::AverageActivity;
use persea::store::Database;
use serde_json::Value;

use super::read::{CHROMOSOME_BP, bins, stored};
use super::workspace::{SMALL, Workspace};

/// Bins of a chromosome of the workspace.
const N: usize = 2_401;

/// A measured track of the simulated compendium that training holds out below, and the others of its assay.
const GAP: (&str, &str) = ("S1", "H3K4me3");

fn row<'a>(list: &'a Value, (biosample, assay): (&str, &str)) -> &'a Value {
    let rows = list.as_array().unwrap().iter();
    let mut rows = rows.filter(|t| t["biosample"] == biosample && t["assay"] == assay);
    rows.next().unwrap()
}

/// A workspace with all tracks in, one of which lacks chr2 and some stretches of chr1.
fn with_a_gap() -> Workspace {
    let workspace = Workspace::ingested();
    let values = stored(&workspace.path("x.persea"), GAP.0, GAP.1);
    let mut text = String::new();
    for (bin, value) in values[..N].iter().enumerate() {
        if !(500..600).contains(&bin) {
            let (start, end) = (bin * 25, ((bin + 1) * 25).min(CHROMOSOME_BP as usize));
            writeln!(text, "chr1\t{start}\t{end}\t{:?}", value.sinh()).unwrap();
        }
    }
    workspace.write("gap.bedGraph", text);
    let manifest = format!(
        "biosample\tassay\tpath\n{}\t{}\tgap.bedGraph\n",
        GAP.0, GAP.1
    );
    workspace.write("gap.tsv", manifest);
    workspace.ok("ingest gap.tsv").says(&[
        "S1 H3K4me3: 47.9 % of the regions' bins have data",
        "there are none on chr2",
    ]);
    workspace
}

#[test]
fn replicates_are_averaged_where_they_have_data_and_bins_without_count_once() {
    let workspace = Workspace::new();
    workspace.write("sizes", "chr1\t10000\nchr2\t5000\n");
    workspace.write("r1.bedGraph", "chr1\t0\t100\t10\n");
    workspace.write("r2.bedGraph", "chr1\t0\t50\t20\n");
    workspace.ok("create --assembly toy --chrom-sizes sizes --chromosomes chr1,chr2");
    // Whether the manifest says so or leaves it to the format.
    for missing in ["nan", "missing", ""] {
        let line = |file: &str| format!("B\tA\t{file}\tnone\t{missing}\n");
        let rows = [line("r1.bedGraph"), line("r2.bedGraph")].concat();
        workspace.write(
            "m.tsv",
            format!("biosample\tassay\tpath\ttransform\tmissing\n{rows}"),
        );
        workspace.ok("ingest m.tsv --replicates mean --threads 1");
        let list = workspace.ok("track list --format json").json();
        let track = row(&list, ("B", "A"));
        // 15, 15, 10 and 10; of 600 bins, 596 have no data.
        assert_eq!(
            (&track["mean"], &track["maximum"]),
            (&12.5.into(), &15.0.into())
        );
        assert_eq!(
            (&track["covered_bins"], &track["nan_bins"]),
            (&4.into(), &596.into())
        );
        assert!((track["coverage"].as_f64().unwrap() - 4.0 / 600.0).abs() < 1e-12);
        let values = stored(&workspace.path("x.persea"), "B", "A");
        assert_eq!(values[..4], [15.0, 15.0, 10.0, 10.0]);
        assert!(values[4..].iter().all(|v| v.is_nan()));
    }
    // Zero, said: 50 / 600.
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\ttransform\tmissing\nB\tA\tr1.bedGraph\tnone\tzero\nB\tA\tr2.bedGraph\tnone\tzero\n",
    );
    workspace.ok("ingest m.tsv --replicates mean");
    let list = workspace.ok("track list --format json").json();
    let mean = row(&list, ("B", "A"))["mean"].as_f64().unwrap();
    // (10 + 20) / 2 twice, (10 + 0) / 2 twice.
    assert!((mean - 40.0 / 600.0).abs() < 1e-12, "{mean}");
    workspace.is_whole();
}

#[test]
fn a_track_that_lacks_a_chromosome_is_missing_there_alone() {
    let workspace = with_a_gap();
    let list = workspace.ok("track list --format json").json();
    for track in list.as_array().unwrap() {
        let is_gap = (track["biosample"] == GAP.0) && (track["assay"] == GAP.1);
        let covered = if is_gap { N - 100 } else { 2 * N };
        assert_eq!(track["covered_bins"], covered, "{track}");
    }
    let info = workspace.ok("info --format json").json();
    assert_eq!(info["tracks_with_gaps"], 1);

    // Average activity where the track has no data is that of a compendium without it; elsewhere it is the
    // complete one's.
    let complete = Workspace::ingested();
    let without = Workspace::ingested();
    without.ok("track remove S1:H3K4me3");
    let average = |workspace: &Workspace| {
        let database = Database::open(&workspace.path("x.persea")).unwrap();
        let tracks = database.tracks().unwrap();
        let pairs: Vec<(&str, &str)> = (tracks.iter())
            .map(|t| (t.biosample.as_str(), t.assay.as_str()))
            .collect();
        let average = AverageActivity::open(&database, GAP.1, &pairs, "none of them");
        let mut values = vec![0f32; 2 * N];
        average
            .unwrap()
            .unwrap()
            .read(0..2 * N as u64, &mut values)
            .unwrap();
        values
    };
    let (found, complete, without) = (average(&workspace), average(&complete), average(&without));
    let has_data = |bin: usize| bin < N && !(500..600).contains(&bin);
    for bin in 0..2 * N {
        let expected = if has_data(bin) {
            complete[bin]
        } else {
            without[bin]
        };
        assert!((found[bin] - expected).abs() < 1e-6, "bin {bin}");
    }

    // Sites: of the track nothing is known on chr2, and the others' average is without it.
    workspace.write("sites.bed", "chr1\t5000\t6000\nchr2\t5000\t6000\n");
    let sites = workspace
        .ok("annotate sites.bed --assay H3K4me3 --measured-only --format json")
        .json();
    let text = sites.to_string();
    assert!(text.contains("null"), "{text}");
    workspace
        .ok("plot tracks chr2:5,001-6,000 --tracks S1:H3K4me3 --tracks S2:H3K4me3 --output t.svg");
    workspace.is_whole();
}

#[test]
fn a_held_track_is_scored_where_it_has_data_as_the_complete_track_is_there() {
    let (gap, complete) = (with_a_gap(), Workspace::ingested());
    // The held track is never read: both trainings are the same.
    for workspace in [&gap, &complete] {
        workspace.ok(&format!(
            "train --name m {SMALL} --passes 2 --no-validate --hold S1:H3K4me3"
        ));
    }
    assert_eq!(gap.checksum("m"), complete.checksum("m"));
    let scores = gap
        .ok("evaluate --model m --format json --baselines ridge")
        .json();
    let track = row(&scores["tracks"], GAP);
    // The complete one's score, on the bins where the other has data.
    complete.write("with_data.bed", "chr1\t0\t12500\nchr1\t15000\t60010\n");
    let there = complete
        .ok("evaluate --model m --format json --regions with_data.bed")
        .json();
    let expected = row(&there["tracks"], GAP);
    assert_eq!(track["n_bins"], there["n_bins"]);
    assert!(track["n_bins"].as_u64().unwrap() < scores["n_bins"].as_u64().unwrap() / 2);
    for predictor in ["measures", "average_activity"] {
        for measure in [
            "mse",
            "mse1obs",
            "msegene",
            "mseprom",
            "gwcorr",
            "gwspear",
            "specificity",
        ] {
            let (a, b) = (&track[predictor][measure], &expected[predictor][measure]);
            match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => assert!(
                    (a - b).abs() < 1e-5 * b.abs().max(1.0),
                    "{measure}: {a} {b}"
                ),
                _ => assert_eq!(a, b, "{measure}"),
            }
        }
    }
    assert!(track["ridge"]["mse"].as_f64().unwrap() > 0.0);
}

#[test]
fn everything_works_on_a_compendium_with_gaps_and_no_answer_is_a_number_made_of_none() {
    let workspace = Workspace::new();
    workspace.ok(
        "simulate --output gaps --biosamples 4 --groups 2 --assays 4 --chromosomes 2 --chromosome-bp 400010 \
         --missing 0.25 --seed 3 --uncovered 0.3",
    );
    workspace.ok(
        "create --assembly gaps --chrom-sizes gaps/chrom.sizes --regions gaps/regions.bed \
         --genes gaps/genes.gtf.gz --enhancers gaps/enhancers.bed --mask gaps/mask.bed",
    );
    workspace.ok("ingest gaps/manifest.tsv");
    let list = workspace.ok("track list --format json").json();
    let shares: Vec<f64> = (list.as_array().unwrap().iter())
        .map(|t| t["coverage"].as_f64().unwrap())
        .collect();
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    assert!((0.5..0.9).contains(&mean), "{shares:?}");
    workspace.ok(
        "train --name both --preset small --nodes 16 --members 1 --refine-nodes 16 --batch-size 500 --threads 1 --passes 2",
    );
    let scores = workspace
        .ok("evaluate --model both --truth gaps/truth.tsv --format json --baselines ridge,boosted")
        .json();
    for track in scores["tracks"].as_array().unwrap() {
        // The truth is complete, so every predictor is scored on every bin.
        assert_eq!(track["n_bins"], scores["n_bins"]);
        for predictor in [
            "measures",
            "average_activity",
            "nearest_biosample",
            "additive",
            "ridge",
            "boosted",
        ] {
            let mse = track[predictor]["mse"].as_f64();
            assert!(
                mse.is_some_and(|e| e > 0.0 && e < 20.0),
                "{predictor}: {track}"
            );
        }
    }
    let first = &scores["tracks"][0];
    let pair = format!(
        "{}:{}",
        first["biosample"].as_str().unwrap(),
        first["assay"].as_str().unwrap()
    );
    workspace.ok(&format!("impute {pair} --model both --output imputed.npy"));
    let file = std::fs::File::open(workspace.path("imputed.npy")).unwrap();
    let imputed: Vec<f32> = npyz::NpyFile::new(file).unwrap().into_vec().unwrap();
    assert!(imputed.iter().all(|v| v.is_finite()));

    // A measured track leaves with its gaps.
    let track = list
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["coverage"].as_f64().unwrap() < 1.0)
        .unwrap();
    let (biosample, assay) = (
        track["biosample"].as_str().unwrap(),
        track["assay"].as_str().unwrap(),
    );
    let held = stored(&workspace.path("x.persea"), biosample, assay);
    for (format, end) in [("bigwig", "bigwig"), ("bedgraph", "bedgraph")] {
        workspace.ok(&format!(
            "export completed --model both --output {format} --as {format} --arcsinh"
        ));
        let file = std::fs::read_dir(workspace.path(format)).unwrap();
        let name = format!("{biosample}.{assay}");
        let path = file
            .map(|f| f.unwrap().path())
            .find(|p| p.file_name().unwrap().to_string_lossy().starts_with(&name))
            .unwrap_or_else(|| panic!("{name} {end}"));
        let bases = match format {
            "bigwig" => bases_of_bigwig(&path, "chr1", 400_010),
            _ => bases_of_bedgraph(&path, "chr1", 400_010),
        };
        for (bin, (written, stored)) in bins(&bases).iter().zip(&held).enumerate() {
            assert!(
                written == stored || (written.is_nan() && stored.is_nan()),
                "{format} {bin}"
            );
        }
    }

    for command in [
        "qc --format json",
        "index",
        "similar position chr1:200,000 -k 3 --format json",
        "locus chr1:200,001-205,000 --assay H3K4me3 --format json",
        "diff S1 S2 --assay H3K4me3 --window 250 --format json",
        "select biosamples -k 2 --similarity observed --format json",
        "select evaluate --k 1,2 --format json",
        "report --output report.html",
        "check",
    ] {
        let outcome = workspace.run(command);
        let says = outcome.stderr.to_lowercase();
        // What too small a compendium does not allow is refused in words; nothing is not a number.
        assert!(matches!(outcome.code, Some(0 | 1)), "{outcome}");
        assert!(
            !says.contains("not a finite number") && !says.contains("a bug"),
            "{outcome}"
        );
        assert!(!outcome.stdout.contains("NaN"), "{outcome}");
        if !command.starts_with("select evaluate") && !command.starts_with("diff") {
            assert_eq!(outcome.code, Some(0), "{outcome}");
        }
    }
    workspace.ok("task import expression gaps/expression.tsv");
    workspace
        .ok("task run expression --biosample S1 --features signal,signal-scales,average --learner ridge")
        .says(&["examples lack a feature"]);
}

fn bases_of_bigwig(path: &Path, chrom: &str, length: u32) -> Vec<f32> {
    let mut file = bigtools::BigWigRead::open_file(path).unwrap();
    let mut bases = vec![f32::NAN; length as usize];
    for value in file.get_interval(chrom, 0, length).unwrap() {
        let value = value.unwrap();
        bases[value.start as usize..value.end as usize].fill(value.value);
    }
    bases
}

fn bases_of_bedgraph(path: &Path, chrom: &str, length: usize) -> Vec<f32> {
    let mut bases = vec![f32::NAN; length];
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (start, end): (usize, usize) = (fields[1].parse().unwrap(), fields[2].parse().unwrap());
        if fields[0] == chrom {
            bases[start..end].fill(fields[3].parse().unwrap());
        }
    }
    bases
}
