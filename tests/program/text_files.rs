//! One rule for every file of text: what one command reads every command reads.

use std::io::Write;

use super::workspace::Workspace;

const SIZES: &[u8] = b"chr1\t10000\nchr2\t5000\n";

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

/// A block of bgzip.
fn block(text: &[u8]) -> Vec<u8> {
    let header = flate2::GzBuilder::new().extra(&b"BC\x02\0\0\0"[..]);
    let mut out = header.write(Vec::new(), flate2::Compression::fast());
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

fn with_mark(text: &[u8]) -> Vec<u8> {
    [b"\xef\xbb\xbf", text].concat()
}

/// A folder with a database of a toy assembly, 600 bins.
fn toy() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("sizes", SIZES);
    workspace.ok("create --db x.persea --assembly toy --chrom-sizes sizes --chromosomes chr1,chr2");
    workspace
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_name() {
    let workspace = toy();
    workspace.write("marked", with_mark(SIZES));
    let created = workspace.ok("create --db m.persea --assembly toy --chrom-sizes marked");
    assert!((created.stdout + &created.stderr).contains("600"));
    workspace.write("x.bedGraph", with_mark(b"chr1\t0\t100\t4\n"));
    workspace.write(
        "m.tsv",
        with_mark(b"biosample\tassay\tpath\nB\tA\tx.bedGraph\n"),
    );
    workspace.ok("ingest m.tsv --db x.persea");
    assert_eq!(workspace.tracks(), ["B A"]);
    workspace.write("r.bed", with_mark(b"chr1\t0\t1000\n"));
    workspace.ok("create --db r.persea --assembly toy --chrom-sizes sizes --regions r.bed");
    let gene = b"chr1\th\tgene\t100\t200\t.\t+\t.\tgene_id \"G1\"; gene_name \"A\";\n";
    workspace.write("g.gtf", with_mark(gene));
    workspace.ok(
        "create --db g.persea --assembly toy --chrom-sizes sizes --chromosomes chr1 --genes g.gtf",
    );
    let utf16: Vec<u8> = "\u{feff}chr1\t10000\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    workspace.write("wide", utf16);
    workspace
        .run("create --db w.persea --assembly toy --chrom-sizes wide")
        .fails(&["wide", "UTF-16", "save it as UTF-8"]);
}

#[test]
fn a_cut_file_is_refused_and_a_padded_one_is_read() {
    let workspace = toy();
    let lines = b"chr1\t0\t100\t4\nchr1\t100\t200\t8\n";
    workspace.write("cut.bedGraph.gz", block(lines));
    workspace.write("padded.bedGraph.gz", [gzip(lines), vec![0; 500]].concat());
    // Known by its content, whatever the name.
    workspace.write("packed.bedGraph", gzip(lines));
    let row = |name: &str| format!("B\t{name}\t{name}\n");
    let rows = [
        row("padded.bedGraph.gz"),
        row("packed.bedGraph"),
        row("cut.bedGraph.gz"),
    ];
    workspace.write(
        "m.tsv",
        format!("biosample\tassay\tpath\n{}", rows.concat()),
    );
    workspace
        .run("ingest m.tsv --db x.persea")
        .fails(&["cut.bedGraph.gz", "bgzip without its end block"]);
    let mut tracks = workspace.tracks();
    tracks.sort();
    assert_eq!(tracks, ["B packed.bedGraph", "B padded.bedGraph.gz"]);
    workspace.write("mask.bed.gz", block(b"chr1\t0\t100\n"));
    workspace
        .run("create --db k.persea --assembly toy --chrom-sizes sizes --chromosomes chr1 --mask mask.bed.gz")
        .fails(&["mask.bed.gz", "bgzip without its end block"]);
    assert!(!workspace.path("k.persea").exists());
}

#[test]
fn a_name_may_begin_with_a_hash() {
    let workspace = toy();
    workspace.write("x.bedGraph", "chr1\t0\t100\t4\n");
    let rows = "#1 donor\tA\tx.bedGraph\nB\tA\tx.bedGraph\n# B\tC\tx.bedGraph\n";
    workspace.write(
        "m.tsv.gz",
        gzip(format!("biosample\tassay\tpath\n{rows}").as_bytes()),
    );
    workspace.ok("ingest m.tsv.gz --db x.persea").says(&[
        "`#1 donor` is read as a name",
        "1 rows that begin with `# ` are passed over",
    ]);
    let mut tracks = workspace.tracks();
    tracks.sort();
    assert_eq!(tracks, ["#1 donor A", "B A"]);
}

#[cfg(unix)]
#[test]
fn what_never_ends_is_refused() {
    let workspace = toy();
    workspace
        .run("ingest /dev/zero --db x.persea")
        .fails(&["/dev/zero", "not a regular file"]);
    let mut endless = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..40 {
        endless.write_all(&[b'1'; 1 << 20]).unwrap();
    }
    workspace.write("endless.gz", endless.finish().unwrap());
    for arguments in [
        "ingest endless.gz --db x.persea",
        "create --db y.persea --assembly toy --chrom-sizes endless.gz",
        "create --db y.persea --assembly toy --chrom-sizes sizes --genes endless.gz",
        "create --db y.persea --assembly toy --chrom-sizes sizes --regions endless.gz",
        "task import custom endless.gz --db x.persea --biosample B",
        "task suite endless.gz --db x.persea",
    ] {
        workspace
            .run(arguments)
            .fails(&["endless.gz", "line 1: is endless"]);
    }
}
