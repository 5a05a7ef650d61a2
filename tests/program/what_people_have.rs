//! Inputs as people have them: peaks by ENCODE, chromosomes by Ensembl, names by consortia.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use super::workspace::{SMALL, Workspace};

/// A folder with a database of a toy assembly, 600 bins.
fn toy() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("sizes", "chr1\t10000\nchr2\t5000\n");
    workspace.ok("create --assembly toy --chrom-sizes sizes");
    workspace
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

/// A number of a track, as `track list` prints it.
fn of_track(workspace: &Workspace, biosample: &str, assay: &str, column: &str) -> f64 {
    let tracks = workspace.ok("track list --format json").json();
    let found = (tracks.as_array().unwrap().iter())
        .find(|t| t["biosample"] == biosample && t["assay"] == assay);
    found.unwrap()[column].as_f64().unwrap()
}

#[test]
fn peaks_of_encode_are_read_by_their_columns() {
    let workspace = toy();
    let peaks = "chr1\t100\t300\tp1\t1000\t.\t12.5\t8.1\t6.2\t50\n\
                 chr1\t1000\t1200\tp2\t1000\t.\t3.25\t8.1\t6.2\t50\n";
    workspace.write("ENCFF000AAA.bed.gz", gzip(peaks));
    workspace.write("same.narrowPeak", peaks);
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\ttransform\tmissing\n\
         B\tas_bed\tENCFF000AAA.bed.gz\tnone\t0\nB\tas_narrowPeak\tsame.narrowPeak\tnone\t0\n",
    );
    workspace.ok("ingest m.tsv");
    // Eight bins of each peak: 8 (12.5 + 3.25) / 600.
    for assay in ["as_bed", "as_narrowPeak"] {
        assert!((of_track(&workspace, "B", assay, "mean") - 0.21).abs() < 1e-6);
    }
    workspace.write("x.bed", "chr1\t0\t25\nchr1\t50\t75\tp\t9\t+\n");
    workspace.write("m.tsv", "biosample\tassay\tpath\nB\tA\tx.bed\n");
    let columns = "line 2: it has 6 columns where the lines before have 3";
    workspace.run("ingest m.tsv").fails(&["x.bed", columns]);
}

#[test]
fn a_wiggle_a_bigbed_and_a_bucket_are_named_for_what_they_are() {
    let workspace = toy();
    workspace.write(
        "x.bedGraph",
        "track type=wiggle_0\nfixedStep chrom=chr1 start=1 step=25\n1\n",
    );
    workspace.write("x.bw", b"\xeb\xf2\x89\x87rest");
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\nB\tA\tx.bedGraph\nB\tB\ts3://bucket/x.bw\nB\tC\tx.bw\n",
    );
    workspace.run("ingest m.tsv").fails(&[
        "line 2: this is a wiggle",
        "wigToBigWig",
        "s3://bucket/x.bw: s3:// is not a scheme that is read",
        "is a bigBed",
        "bigBedToBed",
    ]);
}

#[test]
fn sequences_that_the_assembly_lacks_are_passed_over_and_counted_in_every_format() {
    let workspace = toy();
    workspace.write(
        "a.narrowPeak",
        "chrEBV\t100\t200\tp\t0\t.\t9\t1\t1\t1\nchr2\t0\t100\tp\t0\t.\t5\t1\t1\t1\n",
    );
    workspace.write(
        "b.bedGraph",
        "chr2\t0\t100\t5\nchr2_ML143377v1_fix\t0\t25\t9\n",
    );
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\ttransform\tmissing\n\
         B\tA\ta.narrowPeak\tnone\t0\nB\tB\tb.bedGraph\tnone\t0\n",
    );
    workspace.ok("ingest m.tsv").says(&[
        "1 of 2 records are passed over: they lie on a sequence that toy lacks (chrEBV)",
        "(chr2_ML143377v1_fix)",
    ]);
    for assay in ["A", "B"] {
        assert!((of_track(&workspace, "B", assay, "mean") - 20.0 / 600.0).abs() < 1e-6);
    }
    workspace.write("gaps.bed", "chr1\t0\t100\nchrEBV\t0\t100\n");
    let create = "create --db y.persea --assembly toy --chrom-sizes sizes";
    let created = workspace.ok(&format!("{create} --mask gaps.bed"));
    created.says(&["(chrEBV)", "4 masked"]);
}

#[test]
fn chromosomes_are_known_by_their_other_names() {
    let workspace = Workspace::new();
    workspace.write("sizes", "chr1\t10000\nchrM\t5000\n");
    workspace.write(
        "chromAlias.txt",
        "# ucsc\trefseq\nchr1\tNC_000001.11\nchrM\tNC_012920.1\n",
    );
    workspace.write(
        "genes.gtf",
        "1\tx\tgene\t100\t200\t.\t+\t.\tgene_id \"G\";\n",
    );
    workspace.write("r.bed", "1\t0\t10000\nMT\t0\t5000\n");
    workspace
        .ok(
            "create --assembly toy --chrom-sizes sizes --chromosome-aliases chromAlias.txt \
             --genes genes.gtf --regions r.bed",
        )
        .says(&["2 regions", "600 bins", "1 genes", "`1` is chr1"]);
    workspace.write(
        "a.bedGraph",
        "NC_000001.11\t0\t100\t5\nNC_012920.1\t0\t100\t3\n",
    );
    workspace.write("b.bedGraph", "CHR1\t0\t100\t5\nMT\t0\t100\t3\n");
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\ttransform\tmissing\n\
         B\tA\ta.bedGraph\tnone\t0\nB\tB\tb.bedGraph\tnone\t0\n",
    );
    workspace
        .ok("ingest m.tsv")
        .says(&["`NC_000001.11` is chr1", "`CHR1` is chr1"]);
    for assay in ["A", "B"] {
        assert!((of_track(&workspace, "B", assay, "mean") - 32.0 / 600.0).abs() < 1e-6);
    }
    workspace.is_whole();
}

#[test]
fn regions_follow_the_assembly_and_not_human_names() {
    let workspace = Workspace::new();
    let fly = "chr2L\t23513\nchr2R\t25286\nchr3L\t28110\nchr3R\t32079\nchr4\t1348\nchrX\t23542\n\
               chrY\t3667\nchrM\t19524\nchrUn_CP007071v1\t999\n";
    let yeast: String = [
        "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "M",
    ]
    .iter()
    .map(|name| format!("chr{name}\t2000\n"))
    .collect();
    for (name, sizes, n) in [("fly", fly, "7 regions"), ("yeast", &yeast, "10 regions")] {
        workspace.write("sizes", sizes);
        workspace
            .ok(&format!(
                "create --db {name} --assembly {name} --chrom-sizes sizes"
            ))
            .says(&[n, "covering chr"]);
    }
    workspace
        .ok("create --db mouse --assembly GRCm39 --chromosomes 19")
        .says(&[
            "mm39 (1 regions, 2,456,801 bins",
            "are not known and not masked",
        ]);
}

/// Two biosamples of other names beside C and D, each with two assays but for the first.
fn named(workspace: &Workspace, first: &str, second: &str) {
    let mut manifest = String::from("biosample\tassay\tpath\tmissing\n");
    let rows = [
        (first, "y"),
        (second, "x"),
        (second, "y"),
        ("D", "x"),
        ("D", "y"),
    ];
    for (i, (biosample, assay)) in rows.into_iter().enumerate() {
        let level = i + 1;
        workspace.write(
            &format!("{i}.bedGraph"),
            format!("chr1\t0\t5000\t{level}\nchr2\t0\t1000\t{}\n", 2 * level),
        );
        manifest += &format!("{biosample}\t{assay}\t{i}.bedGraph\t0\n");
    }
    workspace.write("m.tsv", manifest);
    workspace.ok("ingest m.tsv");
    workspace.ok(&format!("train --name m {SMALL} --passes 1 --no-validate"));
}

#[test]
fn a_name_that_ingest_took_can_be_named_in_every_command() {
    let first = "CD4-positive, alpha-beta T cell";
    let second = "GM12878:rep1/a \"b\"";
    let workspace = toy();
    named(&workspace, first, second);
    let ok = |arguments: &[&str]| workspace.run_with(arguments).succeeds();
    ok(&["impute", &format!("{first}:x"), "--output", "o.npy"]);
    let both = format!("{first}:y,{second}:x");
    ok(&["impute", &both, "--output", "several", "--as", "npy"]);
    assert_eq!(fs::read_dir(workspace.path("several")).unwrap().count(), 2);
    let train = [
        "train",
        "--name",
        "h",
        "--preset",
        "small",
        "--passes",
        "1",
        "--no-validate",
    ];
    ok(&[&train[..], &["--dry-run", "--hold", &both]].concat());
    ok(&[
        "plot",
        "tracks",
        "chr1:1-1000",
        "--tracks",
        &both,
        "--output",
        "t.svg",
    ]);
    workspace.write("list.csv", format!("biosample,assay\n\"{first}\",x\n"));
    ok(&["impute", "--list", "list.csv", "--output", "listed"]);
    ok(&[
        "select",
        "biosamples",
        "-k",
        "1",
        "--for-assay",
        "x",
        "--exclude",
        second,
    ]);
    ok(&["track", "rename", "biosample", second, "a:b, c"]);
    ok(&["track", "remove", "a:b, c:x"]);
    assert_eq!(workspace.tracks().len(), 4);
    workspace
        .run_with(&[
            "impute",
            "CD4-positive, alpha T cell:x",
            "--output",
            "o.npy",
        ])
        .fails(&["unknown biosample CD4-positive, alpha T cell"]);
}

#[test]
fn experiments_never_share_a_file() {
    let workspace = toy();
    let pairs = [("x.y", "y.A"), ("x", "A"), ("a/b", "y.A"), ("a_b", "y.A")];
    let mut manifest = String::from("biosample\tassay\tpath\tmissing\n");
    for (i, (biosample, assay)) in pairs.into_iter().enumerate() {
        workspace.write(
            &format!("{i}.bedGraph"),
            format!("chr1\t0\t5000\t{}\n", i + 1),
        );
        manifest += &format!("{biosample}\t{assay}\t{i}.bedGraph\t0\n");
    }
    workspace.write("m.tsv", manifest);
    workspace.ok("ingest m.tsv");
    workspace.ok(&format!("train --name m {SMALL} --passes 1 --no-validate"));
    workspace.ok("impute --all-missing --output imputed");
    let mut files: Vec<String> = fs::read_dir(workspace.path("imputed"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["a%2Fb.A.bw", "a_b.A.bw", "x%2Ey.A.bw", "x.y.A.bw"]);
}

#[test]
fn an_output_is_what_its_name_says_and_never_replaces_an_input() {
    let workspace = toy();
    named(&workspace, "B", "C");
    for name in ["o.bedGraph.gz", "o.bedGraph.bgz", "o.bedGraph.GZ"] {
        workspace.ok(&format!("impute B:x --output {name}"));
        assert_eq!(
            fs::read(workspace.path(name)).unwrap()[..2],
            [0x1f, 0x8b],
            "{name}"
        );
    }
    for name in ["o.bw.gz", "o.npz.bgz"] {
        workspace
            .run(&format!("impute B:x --output {name}"))
            .fails(&[name, "is not written gzipped"]);
        assert!(!workspace.path(name).exists());
    }
    let before = fs::read(workspace.path("3.bedGraph")).unwrap();
    workspace
        .run("impute B:x --output ./3.bedGraph")
        .fails(&["3.bedGraph", "track D x was read from"]);
    workspace.write("sites.npz", "chr1\t0\t100\n");
    workspace
        .run("annotate sites.npz --embedding ./sites.npz")
        .fails(&["sites.npz: is an input of this command too"]);
    assert_eq!(fs::read(workspace.path("3.bedGraph")).unwrap(), before);
    assert_eq!(
        fs::read(workspace.path("sites.npz")).unwrap(),
        b"chr1\t0\t100\n"
    );
}

#[test]
fn genes_are_those_of_their_own_features_and_odd_ones_are_counted() {
    let workspace = Workspace::new();
    workspace.write("sizes", "chr1\t10000\nchr2\t5000\n");
    for (name, text, says) in [
        (
            "mixed.gtf",
            "chr1\tx\tgene\t100\t200\t.\t+\t.\tgene_id \"G1\";\n\
             chr2\tx\texon\t100\t200\t.\t+\t.\tgene_id \"mCherry\";\n",
            "2 genes",
        ),
        (
            "sgd.gff3",
            "chr1\tx\tgene\t100\t199\t.\t+\t.\tID=a\nchr1\tx\ttRNA_gene\t1000\t1099\t.\t+\t.\tID=b\n\
             chr1\tx\tsnoRNA_gene\t2000\t2099\t.\t+\t.\tID=c\nchr1\tx\tgene\t9\t99\t.\t?\t.\tID=d\n",
            "3 genes",
        ),
        (
            "entrez.bed",
            "chr1\t99\t199\t653635\t0\t+\t99\t199\t0\t1\t100,\t0,\n",
            "1 genes",
        ),
    ] {
        workspace.write(name, text);
        let create =
            format!("create --db {name}.db --assembly toy --chrom-sizes sizes --genes {name}");
        let created = workspace.ok(&create).says(&[says]);
        let odd = "1 genes are left out because they cannot be used; line 4: strand `?`";
        assert_eq!(
            created.stderr.contains(odd),
            name == "sgd.gff3",
            "{}",
            created.stderr
        );
    }
}

#[test]
fn one_file_for_two_experiments_is_said() {
    let workspace = toy();
    workspace.write("a.bedGraph", "chr1\t0\t100\t5\n");
    workspace.write("copy.bedGraph", "chr1\t0\t100\t5\n");
    workspace.write(
        "m.tsv",
        "biosample\tassay\tpath\nB\tA\ta.bedGraph\nC\tA\tcopy.bedGraph\nB\tA\t./a.bedGraph\n",
    );
    workspace.ok("ingest m.tsv --replicates mean").says(&[
        "lines 2 and 4 name the same file",
        "B A and C A were read from files of the same content",
    ]);
}

#[test]
fn signs_of_a_second_transform_are_warned_of() {
    let workspace = Workspace::new();
    workspace.write("sizes", "chr1\t300000\n");
    workspace.ok("create --assembly toy --chrom-sizes sizes");
    let bins = |scale: f64| -> String {
        let line = |i: u32| {
            format!(
                "chr1\t{}\t{}\t{:?}\n",
                25 * i,
                25 * i + 25,
                scale * f64::from(i)
            )
        };
        (1..11_000).map(line).collect()
    };
    workspace.write("low.bedGraph", bins(0.000_93));
    workspace.write("high.bedGraph", bins(0.0093));
    workspace.write("x.arcsinh.bedGraph", bins(0.0094));
    let manifest = |transform: &str| {
        let rows = ["low", "high", "x.arcsinh"];
        let row = |name: &&str| format!("B\t{name}\t{name}.bedGraph\t{transform}\n");
        let rows: String = rows.iter().map(row).collect();
        format!("biosample\tassay\tpath\ttransform\n{rows}")
    };
    workspace.write("m.tsv", manifest("arcsinh"));
    let ingested = workspace.ok("ingest m.tsv");
    let ingested = ingested.says(&[
        "B low: none of its values is above 12",
        "B x.arcsinh: its name says",
    ]);
    assert!(!ingested.stderr.contains("B high"), "{}", ingested.stderr);
    workspace.write("m.tsv", manifest("none"));
    let ingested = workspace.ok("ingest m.tsv");
    assert!(
        !ingested.stderr.contains("transformed"),
        "{}",
        ingested.stderr
    );
}

/// Serves a bedGraph to whoever knows the password, by ranges, until the test ends.
fn guarded_server(body: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let (mut range, mut knows) = (None, false);
            while let Some(Ok(line)) = lines.next() {
                let lower = line.to_ascii_lowercase();
                if lower.is_empty() {
                    break;
                }
                if let Some(bytes) = lower.strip_prefix("range: bytes=") {
                    let (from, to) = bytes.split_once('-').unwrap();
                    range = Some((from.parse().unwrap(), to.parse::<usize>().unwrap()));
                }
                // me:s3cret in base 64.
                knows |=
                    lower.starts_with("authorization:") && line.ends_with("Basic bWU6czNjcmV0");
            }
            let (from, to): (usize, usize) = range.unwrap_or((0, body.len()));
            let to = to.min(body.len() - 1);
            let mut stream = stream;
            let answer = match knows {
                true => format!(
                    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{to}/{}\r\n\
                     Content-Length: {}\r\nConnection: close\r\n\r\n{}",
                    body.len(),
                    to + 1 - from,
                    &body[from..=to]
                ),
                false => {
                    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        .into()
                }
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn a_password_in_a_url_is_used_and_neither_stored_nor_printed() {
    let workspace = toy();
    let port = guarded_server("chr1\t0\t100\t5\n");
    let at = |user: &str| format!("http://me:{user}@127.0.0.1:{port}/x.bedGraph?token=t0ken");
    workspace.write(
        "m.tsv",
        format!(
            "biosample\tassay\tpath\nB\tA\t{}\nB\tB\t{}\n",
            at("s3cret"),
            at("wr0ng")
        ),
    );
    let ingested = workspace
        .run("ingest m.tsv -vv")
        .fails(&["denies access (401)"]);
    let listed = workspace.ok("track list --format json");
    let location = listed.json()[0]["location"].clone();
    assert_eq!(location, format!("http://127.0.0.1:{port}/x.bedGraph?…"));
    let mut printed = vec![ingested.stderr.into_bytes(), listed.stdout.into_bytes()];
    for entry in walk(&workspace.path("x.persea")) {
        printed.push(fs::read(entry).unwrap());
    }
    for bytes in printed {
        for secret in [&b"s3cret"[..], b"wr0ng", b"t0ken"] {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret));
        }
    }
}

/// All files of a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(walk(&path)),
            false => files.push(path),
        }
    }
    files
}

#[test]
fn names_have_limits_at_the_door() {
    let workspace = toy();
    workspace.write("a.bedGraph", "chr1\t0\t100\t5\n");
    for (name, why) in [
        ("x".repeat(256), "is longer than 255 bytes"),
        ("\u{1b}[31mred".to_string(), "control character"),
    ] {
        workspace.write(
            "m.tsv",
            format!("biosample\tassay\tpath\n{name}\tA\ta.bedGraph\n"),
        );
        let refused = workspace.run("ingest m.tsv").fails(&["m.tsv, line 2", why]);
        assert!(refused.stderr.len() < 400 && !refused.stderr.contains('\u{1b}'));
    }
    workspace.write("m.tsv", "biosample\tassay\tpath\n=1+1\tA\ta.bedGraph\n");
    workspace.ok("ingest m.tsv");
    let listed = workspace.ok("track list --format csv").stdout;
    assert!(listed.contains("\n'=1+1,A,"), "{listed}");
}
