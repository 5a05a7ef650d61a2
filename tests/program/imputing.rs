//! Imputed tracks as files.

use std::fs;
use std::process::Command;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::exchanging::ask;
use super::made::CHROMOSOME_BINS;
use super::read::{bins, read_bedgraph, read_bigwig, read_npz};
use super::skipped::skipped;
use super::workspace::Workspace;

#[test]
fn bigwig_bedgraph_and_npz_hold_the_same_numbers() {
    let workspace = Workspace::trained();
    for name in ["a.bw", "a.bedGraph", "a.npz"] {
        let printed = workspace
            .ok(&format!("impute S1:H3K4me3 --output {name}"))
            .stdout;
        assert_eq!(printed.trim(), name);
    }
    let array = read_npz(&workspace.path("a.npz"));
    assert_eq!(array.len(), 2 * CHROMOSOME_BINS);
    assert!(array.iter().all(|v| v.is_finite()));
    for (chrom, array) in ["chr1", "chr2"].iter().zip(array.chunks(CHROMOSOME_BINS)) {
        // The last bin, of 10 bp, included.
        assert_eq!(bins(&read_bigwig(&workspace.path("a.bw"), chrom)), array);
        assert_eq!(
            bins(&read_bedgraph(&workspace.path("a.bedGraph"), chrom)),
            array
        );
    }
}

#[test]
fn the_default_is_the_hyperbolic_sine_of_the_arcsinh_scale() {
    let workspace = Workspace::trained();
    workspace.ok("impute S1:H3K4me3 --output signal.npz");
    workspace.ok("impute S1:H3K4me3 --output arcsinh.npz --arcsinh");
    let signal = read_npz(&workspace.path("signal.npz"));
    let arcsinh = read_npz(&workspace.path("arcsinh.npz"));
    assert_ne!(signal, arcsinh);
    for (s, a) in signal.iter().zip(&arcsinh) {
        let expected = f64::from(*a).sinh();
        assert!(
            (f64::from(*s) - expected).abs() <= 1e-6 * expected.abs(),
            "{s} {expected}"
        );
    }
}

#[test]
fn a_track_stored_without_a_transform_is_imputed_without_one() {
    let workspace = Workspace::created();
    let manifest = fs::read_to_string(workspace.path("sim/manifest.tsv")).unwrap();
    let mut rows = String::new();
    for (i, line) in manifest.lines().enumerate() {
        let added = if i == 0 { "transform" } else { "none" };
        rows += &format!("{}\t{added}\n", line.replace("tracks/", "sim/tracks/"));
    }
    workspace.write("m.tsv", rows);
    workspace.ok("ingest m.tsv");
    workspace.ok(&format!(
        "train {} --name m --passes 1 --no-validate",
        super::workspace::SMALL
    ));
    workspace.ok("impute S1:H3K4me1 --output a.npz");
    workspace.ok("impute S1:H3K4me1 --output b.npz --arcsinh");
    assert_eq!(
        read_npz(&workspace.path("a.npz")),
        read_npz(&workspace.path("b.npz"))
    );
}

#[test]
fn a_region_holds_the_bins_that_it_touches_and_no_others() {
    let workspace = Workspace::trained();
    workspace.ok("impute S1:H3K4me3 --output all.npz");
    let all = read_npz(&workspace.path("all.npz"));
    // 1-based and inclusive: bases 1000 to 1999, bins 40 to 79.
    workspace.ok("impute S1:H3K4me3 --output a.npz --region chr1:1,001-2,000");
    assert_eq!(read_npz(&workspace.path("a.npz")), all[40..80]);
    // One base more touches one bin more, on either side.
    workspace.ok("impute S1:H3K4me3 --output a.npz --region chr1:1,000-2,001");
    assert_eq!(read_npz(&workspace.path("a.npz")), all[39..81]);
    workspace.ok("impute S1:H3K4me3 --output a.npz --region chr2");
    assert_eq!(read_npz(&workspace.path("a.npz")), all[CHROMOSOME_BINS..]);
    // Beyond the chromosome's end there is nothing: up to it there is.
    workspace.ok("impute S1:H3K4me3 --output a.npz --region chr1:60,001-61,000");
    assert_eq!(read_npz(&workspace.path("a.npz")), all[2400..2401]);
    // Several, in any order, overlapping.
    workspace.ok(
        "impute S1:H3K4me3 --output a.bw --region chr2:26-50 --region chr1:76-100 --region chr1:51-100",
    );
    let bases = read_bigwig(&workspace.path("a.bw"), "chr1");
    assert!(bases[..50].iter().chain(&bases[100..]).all(|v| v.is_nan()));
    assert_eq!(bins(&bases)[2..4], all[2..4]);
    let bases = read_bigwig(&workspace.path("a.bw"), "chr2");
    assert_eq!(bins(&bases)[1], all[CHROMOSOME_BINS + 1]);
    assert!(bases[50..].iter().all(|v| v.is_nan()));
}

#[test]
fn a_list_imputes_every_experiment_on_it_once() {
    let workspace = Workspace::trained();
    workspace.write(
        "list.tsv",
        "assay\tbiosample\tnote\nH3K4me3\tS1\t\nH3K36me3\tS2\ttwice\nH3K36me3\tS2\ttwice\n",
    );
    let written = workspace
        .ok("impute --list list.tsv --output folder --as npz")
        .stdout;
    assert_eq!(
        written.lines().collect::<Vec<_>>(),
        ["folder/S1.H3K4me3.npz", "folder/S2.H3K36me3.npz"]
    );
    workspace.ok("impute S1:H3K4me3 --output one.npz");
    assert_eq!(
        read_npz(&workspace.path("one.npz")),
        read_npz(&workspace.path("folder/S1.H3K4me3.npz"))
    );
}

#[test]
fn all_missing_imputes_what_nobody_measured() {
    let workspace = Workspace::trained();
    let written = workspace.ok("impute --all-missing --output folder").stdout;
    let mut files: Vec<&str> = written.lines().collect();
    files.sort_unstable();
    assert_eq!(
        files,
        [
            "folder/S1.H3K4me1.bw",
            "folder/S2.H3K36me3.bw",
            "folder/S4.H3K27ac.bw",
            "folder/S4.H3K4me3.bw"
        ]
    );
    let n_files = fs::read_dir(workspace.path("folder")).unwrap().count();
    assert_eq!(n_files, 4, "and nothing else is left there");
    for file in files {
        assert!(
            bins(&read_bigwig(&workspace.path(file), "chr1"))
                .iter()
                .all(|v| v.is_finite())
        );
    }
}

#[test]
fn several_experiments_go_to_a_folder_and_each_differs() {
    let workspace = Workspace::trained();
    workspace.ok("impute S1:H3K4me3,S2:H3K4me3 S1:H3K36me3 --output folder --as npy");
    let read = |name: &str| fs::read(workspace.path(&format!("folder/{name}.npy"))).unwrap();
    let files = [read("S1.H3K4me3"), read("S2.H3K4me3"), read("S1.H3K36me3")];
    assert!(files.iter().all(|f| f.len() == files[0].len()));
    assert!(files[0] != files[1] && files[0] != files[2] && files[1] != files[2]);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let workspace = Workspace::trained();
    workspace
        .run("impute S1:H3K4me3 --output nowhere/a.bw")
        .fails(&["cannot write nowhere/a.bw", "No such file"]);
    workspace.write("file", "");
    workspace
        .run("impute --all-missing --output file")
        .fails(&["cannot make file"]);
}

/// What Python reads of the npz of two experiments, the npz of one, and the Zarr group of two.
const TABLES: &str = r#"
import sys
import numpy as np, zarr
two = np.load(sys.argv[1])
print(sorted(two))
print(two["signal"].shape, two["signal"].dtype, list(two["columns"]))
print(list(two["biosample"]), list(two["assay"]), list(two["unit"]), list(two["statistic"]))
print(list(two["chrom"]), list(two["start"]), list(two["end"]))
one = np.load(sys.argv[2])
print(sorted(one), one["biosample"], one["assay"], one["unit"], one["assembly"], one["model"])
print(list(one["chrom"]) == list(two["chrom"]), list(one["start"]) == list(two["start"]))
print((one["arr_0"] == two["signal"][:, 0]).all())
group = zarr.open_group(sys.argv[3], mode="r")
for name in ["signal", "chrom", "start", "end"]:
    print(name, (np.asarray(group[name][:]) == two[name]).all(), group[name].metadata.dimension_names)
print(list(group["experiment"][:]), list(group["biosample"][:]), list(group["unit"][:]))
print(group.attrs["assembly"], group.attrs["bin_bp"], group.attrs["columns"][1]["assay"])
"#;

#[test]
fn several_experiments_become_one_table_with_coordinates_names_and_units() {
    let workspace = Workspace::trained();
    let regions = "--region chr2:26-75 --region chr1:60,001-60,010 --arcsinh";
    for name in ["two.npz", "two.zarr", "two.parquet"] {
        let printed = workspace.ok(&format!(
            "impute S2:H3K36me3 S1:H3K4me3 --output {name} {regions}"
        ));
        assert_eq!(printed.stdout.trim(), name);
    }
    workspace.ok(&format!("impute S2:H3K36me3 --output one.npz {regions}"));
    let one = read_npz(&workspace.path("one.npz"));
    assert_eq!(one.len(), 3);

    let file = fs::File::open(workspace.path("two.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let metadata = reader.metadata().file_metadata();
    let pairs = metadata.key_value_metadata().unwrap();
    let value = |key: &str| pairs.iter().find(|p| p.key == key).unwrap().value.clone();
    assert_eq!(value("bin_bp").unwrap(), "25");
    let columns: serde_json::Value = serde_json::from_str(&value("columns").unwrap()).unwrap();
    assert_eq!(columns[0]["column"], "S2.H3K36me3");
    assert_eq!(columns[1]["biosample"], "S1");
    assert_eq!(columns[1]["statistic"], "imputed");
    let rows: Vec<Vec<(String, Field)>> = (reader.get_row_iter(None).unwrap())
        .map(|row| row.unwrap().into_columns())
        .collect();
    // In the order of the regions: the last bin of chr1, which has 10 bp, and two of chr2.
    let names: Vec<&String> = rows[0].iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["chrom", "start", "end", "S2.H3K36me3", "S1.H3K4me3"]
    );
    let places: Vec<String> = (rows.iter())
        .map(|row| format!("{}:{}-{}", row[0].1, row[1].1, row[2].1))
        .collect();
    assert_eq!(
        places,
        ["\"chr1\":60000-60010", "\"chr2\":25-50", "\"chr2\":50-75"]
    );
    let signal: Vec<f32> = (rows.iter())
        .map(|row| match row[3].1 {
            Field::Float(value) => value,
            ref other => panic!("{other}"),
        })
        .collect();
    assert_eq!(signal, one);

    workspace
        .run("impute S2:H3K36me3 --output two.zarr")
        .fails(&["two.zarr: is there already"]);
    let [two, one, zarr] = ["two.npz", "one.npz", "two.zarr"].map(|name| workspace.path(name));
    if let Some(answer) = ask("PERSEA_PYTHON", "zarr", TABLES, &[&two, &one, &zarr]) {
        assert_eq!(
            answer,
            "['assay', 'biosample', 'chrom', 'columns', 'end', 'signal', 'start', 'statistic', 'unit']\n\
             (3, 2) float32 [np.str_('S2.H3K36me3'), np.str_('S1.H3K4me3')]\n\
             [np.str_('S2'), np.str_('S1')] [np.str_('H3K36me3'), np.str_('H3K4me3')] \
             [np.str_('arcsinh'), np.str_('arcsinh')] [np.str_('imputed'), np.str_('imputed')]\n\
             [np.str_('chr1'), np.str_('chr2'), np.str_('chr2')] \
             [np.int64(60000), np.int64(25), np.int64(50)] [np.int64(60010), np.int64(50), np.int64(75)]\n\
             ['arr_0', 'assay', 'assembly', 'biosample', 'chrom', 'end', 'model', 'start', 'statistic', 'unit'] \
             S2 H3K36me3 arcsinh simulated base\n\
             True True\n\
             True\n\
             signal True ('bin', 'experiment')\n\
             chrom True ('bin',)\n\
             start True ('bin',)\n\
             end True ('bin',)\n\
             ['S2.H3K36me3', 'S1.H3K4me3'] ['S2', 'S1'] ['arcsinh', 'arcsinh']\n\
             simulated 25 H3K4me3\n"
        );
    }
}

#[test]
fn a_region_may_be_a_gene_or_a_file_of_them() {
    let workspace = Workspace::trained();
    workspace.ok("impute S1:H3K4me3 --output all.npz");
    let all = read_npz(&workspace.path("all.npz"));
    let database = persea::store::Database::open(&workspace.path("x.persea")).unwrap();
    let gene = database.genes().unwrap().remove(0);
    let axis = database.axis();
    let bins = axis.bins_within(&gene.interval).remove(0);
    let (first, end) = (bins.start as usize, bins.end as usize);
    let region = |region: &str| {
        workspace.ok(&format!(
            "impute S1:H3K4me3 --output a.npz --region {region}"
        ));
        read_npz(&workspace.path("a.npz"))
    };
    assert_eq!(region(&gene.name), all[first..end]);
    workspace.write("a.bed", "chr1\t1000\t1050\tx\nchr1\t1050\t1075\n");
    assert_eq!(region("a.bed"), all[40..43]);
    workspace.write(
        "list.txt",
        format!("# mine\nchr1:1,001-1,025\n{}\n", gene.name),
    );
    let listed = region("list.txt");
    assert_eq!(
        listed.len(),
        end - first + usize::from(!(first..end).contains(&40))
    );
    workspace.ok("export embedding --region a.bed --output e.tsv");
    let table = fs::read_to_string(workspace.path("e.tsv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 3);
    workspace.write("list.txt", "chr1:1,001-1,025\nnowhere\n");
    workspace
        .run("impute S1:H3K4me3 --output a.npz --region list.txt")
        .fails(&["list.txt", "line 2", "nowhere"]);
    workspace
        .run("impute S1:H3K4me3 --output a.npz --region nowhere")
        .fails(&["nowhere"]);
}

#[test]
fn the_recipe_of_the_book_makes_a_summarized_experiment_in_r() {
    let has = Command::new("Rscript")
        .args(["-e", "library(SummarizedExperiment)"])
        .output();
    if !has.is_ok_and(|output| output.status.success()) {
        return skipped("r", "there is no R with SummarizedExperiment".to_string());
    }
    let workspace = Workspace::trained();
    workspace.write("list.tsv", "biosample\tassay\nS2\tH3K36me3\nS1\tH3K4me3\n");
    workspace.ok("impute --list list.tsv --region chr1:1,001-2,000 --output signal.tsv");
    let book = fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/reference/formats.md"),
    )
    .unwrap();
    let recipe = book.split("```r\n").nth(1).unwrap();
    let recipe = recipe.split("```").next().unwrap();
    let more =
        "cat(start(rowRanges(experiments))[1:2], experiments$assay, assay(experiments)[2, 1])";
    workspace.write("recipe.R", format!("{recipe}\n{more}\n"));
    let output = Command::new("Rscript")
        .arg("recipe.R")
        .current_dir(workspace.path("."))
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("dim: 40 2"), "{out}");
    workspace.ok("impute S2:H3K36me3 --region chr1:1,001-2,000 --output one.npz");
    let second = read_npz(&workspace.path("one.npz"))[1];
    let last = out.lines().last().unwrap();
    let (before, value) = last.rsplit_once(' ').unwrap();
    assert_eq!(before, "1001 1026 H3K36me3 H3K4me3");
    let value: f32 = value.parse().unwrap();
    assert!(
        (value - second).abs() <= 1e-5 * second.abs(),
        "{value} {second}"
    );
}

#[test]
fn a_dry_run_says_time_and_disk_and_writes_nothing() {
    let workspace = Workspace::trained();
    for (output, experiments) in [("a.npz", 1u64), ("a.tsv", 2), ("folder", 2)] {
        let named = ["S1:H3K4me3", "S2:H3K4me3"][..experiments as usize].join(" ");
        let rows = workspace
            .ok(&format!(
                "impute {named} --output {output} --dry-run --format json"
            ))
            .json();
        let value = |what: &str, unit: &str| {
            let mut rows = rows.as_array().unwrap().iter();
            let row = rows.find(|r| r["what"] == what && r["unit"] == unit);
            row.unwrap()["value"].as_f64().unwrap()
        };
        assert_eq!(value("experiments", ""), experiments as f64);
        assert_eq!(
            value("bins of an experiment", "25 bp"),
            2.0 * CHROMOSOME_BINS as f64
        );
        assert!(value("sum", "minutes") > 0.0);
        assert!(!workspace.path(output).exists());
        // All bins are few here, so that the trial is the whole.
        workspace.ok(&format!("impute {named} --output {output}"));
        let path = workspace.path(output);
        let bytes: u64 = match path.is_dir() {
            true => (fs::read_dir(&path).unwrap())
                .map(|entry| entry.unwrap().metadata().unwrap().len())
                .sum(),
            false => path.metadata().unwrap().len(),
        };
        let estimated = value("sum", "GB on disk") * 1e9;
        assert!(
            (estimated / bytes as f64 - 1.0).abs() < 0.05,
            "{estimated} {bytes}"
        );
    }
}
