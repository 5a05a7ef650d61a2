//! `import` and `export`: models of the original Avocado in and out, factors and completed compendia
//! out. What other programs make of the files is asked of them where they are there: of the packages
//! that `PERSEA_PYTHON` has, and of Keras in `PERSEA_PEER_PYTHON`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use parquet::file::reader::{FileReader, SerializedFileReader};
use persea::model::{NamedAxis, NamedTable, TrainedModel};
use persea::store::Database;

use super::skipped::skipped;
use super::workspace::{Workspace, is_whole};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/avocado")
}

/// A workspace whose database is the imported model of two chromosomes.
fn imported() -> Workspace {
    let workspace = Workspace::new();
    let from = fixtures().display().to_string();
    workspace.ok(&format!(
        "import avocado chrT={from}/chrT chrU={from}/chrU.h5 --assembly toy --chrom-sizes {from}/toy.chrom.sizes"
    ));
    workspace
}

/// An array of an archive.
fn array(npz: &Path, name: &str) -> Vec<f32> {
    super::read::read_npz_array(npz, name)
}

/// Asks another program's Python; `None`, having said so, where it does not exist.
pub fn ask(variable: &str, needs: &str, script: &str, arguments: &[&Path]) -> Option<String> {
    let python = std::env::var(variable).unwrap_or_else(|_| "python3".into());
    let has = Command::new(&python)
        .args(["-c", &format!("import {needs}")])
        .output();
    if !has.is_ok_and(|o| o.status.success()) {
        let need = match variable {
            "PERSEA_PYTHON" => "python",
            _ => "peer",
        };
        skipped(
            need,
            format!("{python} has no {needs} ({variable} names another)"),
        );
        return None;
    }
    let output = Command::new(&python)
        .args(["-c", script])
        .args(arguments)
        .env("TF_CPP_MIN_LOG_LEVEL", "3")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{err}");
    Some(out)
}

#[test]
fn an_imported_model_imputes_what_the_original_does() {
    let workspace = imported();
    is_whole(&workspace.path("x.persea"));
    let list = workspace.ok("model list --format json").json();
    assert_eq!(list[0]["name"], "avocado");
    assert_eq!(list[0]["held_out"], 1);
    workspace.ok("impute E116:H3K36me3 --arcsinh --output a.npy");
    let file = fs::File::open(workspace.path("a.npy")).unwrap();
    let ours: Vec<f32> = npyz::NpyFile::new(file).unwrap().into_vec().unwrap();
    let answers = fixtures().join("answers.npz");
    let theirs = ["chrT", "chrU"].map(|c| array(&answers, &format!("{c}.E116.H3K36me3")));
    for (ours, theirs) in ours.iter().zip(theirs.concat()) {
        assert!((ours - theirs).abs() < 1e-5, "{ours} {theirs}");
    }
    workspace.ok("impute --all-missing --output imputed");
    assert_eq!(fs::read_dir(workspace.path("imputed")).unwrap().count(), 6);
}

#[test]
fn what_cannot_be_imported_is_refused_and_leaves_nothing() {
    let workspace = Workspace::new();
    let from = fixtures().display().to_string();
    let toy = format!("--assembly toy --chrom-sizes {from}/toy.chrom.sizes");
    let import = |parts: &str, rest: &str| workspace.run(&format!("import avocado {parts} {rest}"));
    import("chrT", &toy).expect_misuse(&["chr1=NAME"]);
    import(&format!("chrT={from}/chrT"), "").fails(&["x.persea"]);
    import(&format!("chrT={from}/none"), &toy).fails(&["none.json", "cannot read"]);
    import(&format!("chrV={from}/chrT"), &toy).fails(&["whole chromosome", "joined regions"]);
    import(&format!("chr1={from}/chrT"), "--assembly hg19").fails(&["whole chromosome"]);
    assert!(!workspace.path("x.persea").exists());
    for (name, content) in [
        ("a.h5", &b"not HDF5 at all"[..]),
        ("b.h5", b"\x89HDF\r\n\x1a\n"),
    ] {
        workspace.write(name, content);
        let json = name.replace(".h5", ".json");
        fs::copy(fixtures().join("chrT.json"), workspace.path(&json)).unwrap();
        let path = workspace.path(name);
        import(&format!("chrT={}", path.display()), &toy).fails(&[name]);
    }
    let whole = fs::read(fixtures().join("chrT.h5")).unwrap();
    workspace.write("b.h5", &whole[..whole.len() / 2]);
    let path = workspace.path("b");
    import(&format!("chrT={}", path.display()), &toy).fails(&["b.h5", "damaged"]);
    assert!(!workspace.path("x.persea").exists());
    // Into a database: a name that is taken, chromosomes that it does not cover.
    import(&format!("chrT={from}/chrT"), &toy).succeeds();
    import(&format!("chrT={from}/chrT"), &toy).expect_misuse(&["x.persea", "--assembly"]);
    import(&format!("chrT={from}/chrT"), "").fails(&["avocado", "already"]);
    import(&format!("chrT={from}/old"), "--replace --precision f16").succeeds();
    import(&format!("chrU={from}/chrU"), "--name other").fails(&["persea create", "chrU"]);
    workspace.is_whole();
}

/// A bedGraph of a chromosome's bins.
fn bed_graph(values: &[(&str, Vec<f32>)]) -> String {
    let mut text = String::new();
    for (chrom, values) in values {
        let length = if *chrom == "chrT" {
            407 * 25 - 11
        } else {
            10_000
        };
        for (i, value) in values.iter().enumerate() {
            let end = ((i + 1) * 25).min(length);
            text.push_str(&format!("{chrom}\t{}\t{end}\t{value}\n", i * 25));
        }
    }
    text
}

#[test]
fn an_imported_model_is_scored_and_extended_as_a_native_one() {
    let workspace = imported();
    let tracks = ["chrT", "chrU"].map(|c| (c, fixtures().join(format!("tracks/{c}.npz"))));
    let mut manifest = String::from("biosample\tassay\tpath\ttransform\n");
    for (name, like) in [
        ("E116:H3K36me3", "E116.H3K36me3"),
        ("E116:H3K4me3", "E116.H3K4me3"),
        ("E003:H3K36me3", "E003.H3K36me3"),
        ("NEW:H3K36me3", "E017.H3K36me3"),
        ("NEW:H3K4me3", "E017.H3K4me3"),
    ] {
        let values: Vec<(&str, Vec<f32>)> = tracks
            .iter()
            .map(|(c, npz)| (*c, array(npz, like)))
            .collect();
        let file = format!("{}.bedGraph", name.replace(':', "."));
        workspace.write(&file, bed_graph(&values));
        let (b, a) = name.split_once(':').unwrap();
        manifest.push_str(&format!("{b}\t{a}\t{file}\tnone\n"));
    }
    workspace.write("manifest.tsv", manifest);
    workspace.ok("ingest manifest.tsv");
    // What the original was not trained on is scored, the rest is not.
    let scores = workspace.ok("evaluate --format json");
    assert!(!scores.stderr.contains("removed"), "{scores}");
    let scores = scores.json();
    assert_eq!(scores["tracks"].as_array().unwrap().len(), 1);
    assert_eq!(scores["tracks"][0]["biosample"], "E116");
    assert!(
        scores["tracks"][0]["measures"]["mse"].as_f64() < Some(1.0),
        "{scores}"
    );
    let before = array_of(&workspace, "E003:H3K4me3", "avocado");
    workspace.ok("extend --biosamples NEW --name wider --passes 60 --threads 1");
    assert_eq!(array_of(&workspace, "E003:H3K4me3", "wider"), before);
    let new = array_of(&workspace, "NEW:H3K4me3", "wider");
    let truth = tracks.map(|(_, npz)| array(&npz, "E017.H3K4me3")).concat();
    let error = |of: &[f32]| -> f32 {
        let squares = of.iter().zip(&truth).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f32>() / truth.len() as f32
    };
    let mean = truth.iter().sum::<f32>() / truth.len() as f32;
    assert!(
        error(&new) < 0.6 * error(&vec![mean; truth.len()]),
        "{}",
        error(&new)
    );
    workspace.ok("export avocado --model wider --output wider");
    workspace.is_whole();
}

fn array_of(workspace: &Workspace, experiment: &str, model: &str) -> Vec<f32> {
    workspace.ok(&format!(
        "impute {experiment} --model {model} --arcsinh --output of.npy"
    ));
    let file = fs::File::open(workspace.path("of.npy")).unwrap();
    npyz::NpyFile::new(file).unwrap().into_vec().unwrap()
}

#[test]
fn keras_and_the_original_load_what_is_exported() {
    let workspace = imported();
    let files = workspace
        .ok("export avocado --output out --format json")
        .json();
    assert_eq!(files[1]["h5"], "out.chrU.h5");
    let script = r#"
import json, sys
import keras, numpy as np
answers = np.load(sys.argv[2])
for chrom in ["chrT", "chrU"]:
    d = json.load(open(f"{sys.argv[1]}.{chrom}.json"))
    model = keras.models.load_model(f"{sys.argv[1]}.{chrom}.h5")
    n = d["n_genomic_positions"]
    bins = np.arange(n).reshape(-1, 1)
    rows = {l.name: l.get_weights()[0].shape[0] for l in model.layers if "genome" in l.name and l.get_weights()}
    assert rows["genome_250bp_embedding"] == int(n / 10) + 1, rows
    assert rows["genome_5kbp_embedding"] == int(n / 200) + 1, rows
    for i, b in enumerate(d["celltypes"]):
        for j, a in enumerate(d["assays"]):
            x = {"celltype_input": np.full((n, 1), i), "assay_input": np.full((n, 1), j),
                 "genome_25bp_input": bins, "genome_250bp_input": bins // 10, "genome_5kbp_input": bins // 200}
            y = model.predict(x, batch_size=1000, verbose=0).ravel()
            assert np.array_equal(y, answers[f"{chrom}.{b}.{a}"]), (chrom, b, a)
try:
    import avocado
except ImportError:
    sys.exit(print("keras agreed"))
loaded = avocado.Avocado.load(f"{sys.argv[1]}.chrT")
assert np.array_equal(loaded.genome_embedding.astype("float32"), answers["chrT.embedding"])
assert ["E003", "H3K4me3"] in loaded.experiments
print("keras and avocado agreed")
"#;
    let answers = fixtures().join("answers.npz");
    let answer = ask(
        "PERSEA_PEER_PYTHON",
        "keras",
        script,
        &[&workspace.path("out"), &answers],
    );
    assert!(answer.is_none_or(|t| t.contains("agreed")));
}

#[test]
fn factors_are_the_same_in_every_format() {
    let workspace = imported();
    let rows = "--region chrT:5,001-7,500 --region chrU:1-600";
    for ending in ["npz", "parquet", "tsv", "h5ad"] {
        workspace.ok(&format!(
            "export genome --resolution 250bp {rows} --output g.{ending}"
        ));
        workspace.ok(&format!("export embedding --output e.{ending}"));
        workspace.ok(&format!("export biosamples --output b.{ending}"));
        workspace.ok(&format!("export assays --output other --as {ending}"));
    }
    // The embedding is the original's own, chromosome after chromosome.
    let answers = fixtures().join("answers.npz");
    let expected = ["chrT", "chrU"]
        .map(|c| array(&answers, &format!("{c}.embedding")))
        .concat();
    assert_eq!(array(&workspace.path("e.npz"), "factors"), expected);
    let text = fs::read_to_string(workspace.path("e.tsv")).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|l| l.split('\t').collect()).collect();
    assert_eq!(lines[0][..4], ["chrom", "start", "end", "25bp_0"]);
    assert_eq!(lines[1][..3], ["chrT", "0", "25"]);
    // The last bin ends with its chromosome.
    assert_eq!(lines[407][..3], ["chrT", "10150", "10164"]);
    assert_eq!(lines[408][..3], ["chrU", "0", "25"]);
    let read: Vec<f32> = lines[1..]
        .iter()
        .flat_map(|l| l[3..].iter().map(|v| v.parse::<f32>().unwrap()))
        .collect();
    assert_eq!(read, expected);
    // 250 bp rows that the regions touch, in Parquet.
    let file = fs::File::open(workspace.path("g.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None).unwrap() {
        let cells: Vec<String> = row
            .unwrap()
            .get_column_iter()
            .map(|(_, value)| value.to_string())
            .collect();
        rows.push(cells);
    }
    assert_eq!(rows.len(), 10 + 3);
    assert_eq!(rows[0][..3], ["\"chrT\"", "5000", "5250"]);
    assert_eq!(rows[12][..3], ["\"chrU\"", "500", "750"]);
    let factors = array(&workspace.path("g.npz"), "factors");
    let numbers: Vec<f32> = rows
        .iter()
        .flat_map(|r| r[3..].iter().map(|v| v.parse::<f32>().unwrap()))
        .collect();
    assert_eq!(numbers, factors);
    // Row 20 of chrT's table: columns 2 to 4 of an embedding there.
    assert_eq!(factors[..3], expected[200 * 10 + 2..200 * 10 + 5]);
    let text = fs::read_to_string(workspace.path("b.tsv")).unwrap();
    assert!(
        text.starts_with("biosample\tbiosample_0\tbiosample_1\tbiosample_2\nE003\t"),
        "{text}"
    );
    workspace
        .run("export genome --output g.xlsx")
        .expect_misuse(&[".parquet", "--as"]);
    workspace
        .run("export genome --region chrV:1-100 --output g.tsv")
        .fails(&["chrV"]);
    assert!(!workspace.path("g.xlsx").exists());
}

#[test]
fn archives_carry_no_time_so_that_the_same_numbers_are_the_same_bytes() {
    let workspace = imported();
    let export = |name: &str| {
        workspace.ok(&format!(
            "export embedding --region chrT:1-20,000 --output {name}"
        ));
        std::fs::read(workspace.path(name)).unwrap()
    };
    let first = export("first.npz");
    // Times in an archive have a resolution of two seconds.
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert_eq!(first, export("second.npz"));
}

#[test]
fn h5ad_files_open_in_anndata_with_biosamples_as_obs_and_their_metadata() {
    let workspace = Workspace::new();
    let from = fixtures().display().to_string();
    workspace.ok(&format!(
        "import avocado chrT={from}/chrT --assembly toy --chrom-sizes {from}/toy.chrom.sizes"
    ));
    // A track makes a biosample known, and metadata are kept with it.
    workspace.write("a.bedGraph", "chrT\t0\t100\t1.5\n");
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\nE017\tH3K4me3\ta.bedGraph\n",
    );
    workspace.ok("ingest m.tsv");
    workspace.write(
        "b.tsv",
        "biosample\tgroup\tin/out\tåge\nE017\tlung\tin\tgrün\n",
    );
    workspace.ok("ingest --metadata b.tsv");
    for what in [
        "biosamples",
        "assays",
        "embedding",
        "genome --resolution 5kbp",
    ] {
        let name = what.split(' ').next().unwrap();
        workspace.ok(&format!("export {what} --output {name}.h5ad"));
    }
    // Whatever the machine has: the file is HDF5 that another reader reads.
    let path = workspace.path("biosamples.h5ad");
    let file = hdf5_reader::Hdf5File::open(&path).unwrap();
    let names = file.dataset("/obs/_index").unwrap().read_strings().unwrap();
    assert_eq!(names, ["E003", "E017", "E116"]);
    let groups = file.dataset("/obs/group").unwrap().read_strings().unwrap();
    assert_eq!(groups, ["", "lung", ""]);
    let x: Vec<f32> = file
        .dataset("/X")
        .unwrap()
        .read_array()
        .unwrap()
        .iter()
        .copied()
        .collect();
    assert_eq!(x, array(&fixtures().join("answers.npz"), "chrT.biosamples"));
    let script = r#"
import sys, warnings
warnings.simplefilter("error", FutureWarning)
import anndata, numpy as np
folder, answers = sys.argv[1], np.load(sys.argv[2])
b = anndata.read_h5ad(f"{folder}/biosamples.h5ad")
assert b.shape == (3, 3) and list(b.obs_names) == ["E003", "E017", "E116"], b
assert list(b.var_names) == ["biosample_0", "biosample_1", "biosample_2"], b.var_names
assert list(b.obs["group"]) == ["", "lung", ""] and list(b.obs["åge"]) == ["", "grün", ""], b.obs
assert list(b.obs["in|out"]) == ["", "in", ""], b.obs
assert np.array_equal(b.X, answers["chrT.biosamples"])
assert b.uns["model"] == "avocado" and b.uns["assembly"] == "toy", b.uns
a = anndata.read_h5ad(f"{folder}/assays.h5ad")
assert np.array_equal(a.X, answers["chrT.assays"])
e = anndata.read_h5ad(f"{folder}/embedding.h5ad")
assert np.array_equal(e.X, answers["chrT.embedding"])
assert e.obs["start"].dtype == "int64" and list(e.obs["end"][-2:]) == [10150, 10164], e.obs
assert e.obs_names[3] == "chrT:75-100", e.obs_names
g = anndata.read_h5ad(f"{folder}/genome.h5ad", backed="r")
assert g.shape == (3, 5), g
print("agreed")
"#;
    let folder = path.parent().unwrap();
    let answers = fixtures().join("answers.npz");
    let answer = ask("PERSEA_PYTHON", "anndata", script, &[folder, &answers]);
    assert!(answer.is_none_or(|t| t.contains("agreed")));
}

#[test]
fn a_completed_compendium_is_measured_where_measured_and_imputed_elsewhere() {
    let workspace = Workspace::trained();
    let region = "--region chr1:10,001-30,000 --region chr2:50,001-60,010";
    let report = workspace.ok(&format!(
        "export completed {region} --arcsinh --output c.zarr --format json"
    ));
    let report = report.json();
    assert_eq!(
        (&report[0]["measured"], &report[0]["imputed"]),
        (&12.into(), &4.into())
    );
    assert_eq!(report[0]["bins"], 800 + 401);
    workspace
        .run("export completed --output c.zarr")
        .fails(&["c.zarr", "already"]);
    workspace.ok(&format!(
        "export completed {region} --arcsinh --output files --as npy"
    ));
    let table = fs::read_to_string(workspace.path("files/provenance.tsv")).unwrap();
    let db = Database::open(&workspace.path("x.persea")).unwrap();
    let model = TrainedModel::open(&db, None).unwrap();
    let mut n_files = 0;
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let file = fs::File::open(workspace.path("files").join(fields[2])).unwrap();
        let values: Vec<f32> = npyz::NpyFile::new(file).unwrap().into_vec().unwrap();
        assert_eq!(values.len(), 1_201);
        let experiment = persea::compendium::Experiment::new(fields[0], fields[1]);
        let whole = match db.track(fields[0], fields[1]).unwrap() {
            Some(track) => {
                assert_eq!(fields[3], "measured");
                assert_eq!(
                    (fields[4], fields[5]),
                    (&track.location[..], &track.checksum[..])
                );
                let mut out = vec![0.0; 4_802];
                db.signal(&track).unwrap().read(0..4_802, &mut out).unwrap();
                out
            }
            None => {
                assert_eq!((fields[3], fields[4]), ("imputed", "model base"));
                persea::imputation::impute_track(&db, &model, &experiment).unwrap()
            }
        };
        // Bins 400 to 1,200 of chr1, and the last 401 of chr2 (2,401 bins each).
        let expected = [&whole[400..1_200], &whole[2_401 + 2_000..]].concat();
        assert_eq!(values, expected, "{line}");
        n_files += 1;
    }
    assert_eq!(n_files, 16);
    // As signal, in a browser's format.
    workspace.ok("export completed --region chr2 --output tracks");
    assert_eq!(fs::read_dir(workspace.path("tracks")).unwrap().count(), 17);
    let script = r#"
import csv, sys
import numpy as np, zarr
root = zarr.open_group(sys.argv[1], mode="r")
signal, measured = root["signal"], root["measured"]
assert signal.shape == (4, 4, 1201) and signal.metadata.dimension_names == ("biosample", "assay", "bin")
assert int(measured[:].sum()) == 12
assert [r["n_bins"] for r in root.attrs["regions"]] == [800, 401], root.attrs["regions"]
assert root.attrs["regions"][1]["end"] == 60010 and root.attrs["scale"] == "as stored"
names = root.attrs["biosamples"], root.attrs["assays"]
for row, told in zip(csv.DictReader(open(sys.argv[2] + "/provenance.tsv"), delimiter="\t"), root.attrs["provenance"]):
    i, j = names[0].index(row["biosample"]), names[1].index(row["assay"])
    assert np.array_equal(signal[i, j], np.load(sys.argv[2] + "/" + row["file"])), row
    assert (measured[i, j] == 1) == (row["source"] == "measured")
    assert (told["biosample"], told["source"], told["checksum"]) == (row["biosample"], row["source"], row["checksum"])
print("agreed")
"#;
    let (zarr, files) = (workspace.path("c.zarr"), workspace.path("files"));
    let answer = ask("PERSEA_PYTHON", "zarr", script, &[&zarr, &files]);
    assert!(answer.is_none_or(|t| t.contains("agreed")));
}

#[test]
fn half_precision_goes_all_the_way_and_the_numbers_are_those_rounded() {
    let workspace = Workspace::trained();
    let small = super::workspace::SMALL;
    let train = |name: &str, rest: &str| {
        workspace.ok(&format!(
            "train {small} --name {name} --passes 2 --no-validate --seed 4 {rest}"
        ));
    };
    train("full", "");
    train("half", "--precision f16");
    for name in ["full", "half"] {
        workspace.ok(&format!(
            "export embedding --model {name} --output {name}.npz"
        ));
    }
    let (full, half) = (
        array(&workspace.path("full.npz"), "factors"),
        array(&workspace.path("half.npz"), "factors"),
    );
    let rounded: Vec<f32> = full
        .iter()
        .map(|v| half::f16::from_f32(*v).to_f32())
        .collect();
    assert_eq!(half, rounded);
    assert_ne!(full, half);
    let info = workspace.ok("info --format json").json();
    let bytes = |name: &str| {
        let models = info["models"].as_array().unwrap();
        let model = models.iter().find(|m| m["name"] == name).unwrap();
        model["bytes"].as_u64().unwrap()
    };
    assert!(bytes("half") * 10 < bytes("full") * 7, "{info}");
    workspace.ok("impute S1:H3K4me3 --model half --output a.bw");
    workspace.ok("export avocado --model half --output half");
    workspace.is_whole();
    // Its factors of biosamples stay what they were.
    let db = Database::open(&workspace.path("x.persea")).unwrap();
    let of = |name| TrainedModel::open(&db, Some(name)).unwrap();
    let (full, half) = (of("full"), of("half"));
    assert_eq!(full.network(), half.network());
    let table = NamedTable::new(&db, &half, NamedAxis::Biosamples).unwrap();
    assert_eq!(persea::formats::TableSource::shape(&table).n_rows, 4);
}

#[test]
fn an_embedding_is_searched_and_commands_that_need_a_network_refuse_it() {
    let workspace = Workspace::trained();
    workspace.ok("export embedding --output ours.parquet");
    workspace
        .ok("import embedding ours.parquet --name theirs")
        .says(&["model theirs", "numbers per window"]);
    let hits = |model: &str| {
        let answer = workspace
            .ok(&format!(
                "similar position chr1:30,000 --model {model} --k 3 --format json"
            ))
            .json();
        let hits = answer["hits"].as_array().unwrap();
        let place = |hit: &serde_json::Value| (hit["chrom"].clone(), hit["start"].clone());
        hits.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(hits("theirs"), hits("base"));
    for command in [
        "impute S1:H3K4me3 --output x.bw",
        "evaluate",
        "extend --all",
        "select biosamples --k 2",
        "report --output r.html",
        "similar biosample S1",
        "project biosamples --output p.svg",
        "plot similarity --output s.svg",
        "export completed --output c.zarr",
        "export biosamples --output b.tsv",
        "export avocado --output a",
        "qc --models theirs",
    ] {
        let named = match command.contains("theirs") {
            true => command.to_string(),
            false => format!("{command} --model theirs"),
        };
        workspace.run(&named).fails(&[
            "model theirs is another program's embedding",
            "imputes nothing",
        ]);
    }
}
