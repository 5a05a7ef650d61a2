//! Tests of reading tables.

use std::io::Write;

use super::*;

fn table(name: &str, text: impl AsRef<[u8]>, may_be_bed: bool) -> Result<Table, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    Table::read_any(&path, may_be_bed).map_err(|e| e.to_string())
}

fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
    (line, cells.iter().map(|c| c.to_string()).collect())
}

#[test]
fn one_table_reads_the_same_however_it_was_saved() {
    let plain = "biosample\tassay\tpath\nB 1\tA\tx.bw\n\nB2\tA\ty.bw\n";
    let expected = table("m.tsv", plain, false).unwrap();
    assert_eq!(expected.header, ["biosample", "assay", "path"]);
    assert_eq!(
        expected.rows,
        [row(2, &["B 1", "A", "x.bw"]), row(4, &["B2", "A", "y.bw"])]
    );
    let gzip = |text: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    };
    let (head, tail) = plain.split_at(20);
    for (name, text) in [
        ("a byte order mark", format!("\u{feff}{plain}").into_bytes()),
        ("CR LF", plain.replace('\n', "\r\n").into_bytes()),
        ("CR", plain.replace('\n', "\r").into_bytes()),
        ("no end", plain.trim_end().as_bytes().to_vec()),
        (
            "empty columns behind the last",
            plain.replace('\n', "\t\t\n").into_bytes(),
        ),
        ("commas", plain.replace('\t', ",").into_bytes()),
        (
            "quotes",
            plain
                .replace("B 1", "\"B 1\"")
                .replace('\t', " ,")
                .into_bytes(),
        ),
        ("gzip", gzip(plain.as_bytes())),
        (
            "two gzip members",
            [gzip(head.as_bytes()), gzip(tail.as_bytes())].concat(),
        ),
        (
            "zeros behind gzip",
            [gzip(plain.as_bytes()), vec![0; 99]].concat(),
        ),
    ] {
        let read = table("m.tsv", &text, false).unwrap();
        assert_eq!(read.header, expected.header, "{name}");
        assert_eq!(read.rows, expected.rows, "{name}");
        assert_eq!(
            read.checksum,
            blake3::hash(&text).to_hex().to_string(),
            "{name}"
        );
    }
    let below = table("m.tsv", format!("\n \n\t\t\n{plain}"), false).unwrap();
    assert_eq!((below.header_line, below.rows[0].0), (4, 5));
}

#[test]
fn a_hash_begins_a_name_or_a_comment() {
    let text = "# made by hand, of two donors\n#biosample,assay\n#1 donor,A\n# B,A\n#C\nD,A\n";
    let read = table("m.csv", text, false).unwrap();
    assert_eq!(read.header, ["biosample", "assay"]);
    assert_eq!(read.rows, [row(3, &["#1 donor", "A"]), row(6, &["D", "A"])]);
    let read = table("m.tsv", "## v1\n# by hand\nbiosample\tassay\nB\tA\n", false).unwrap();
    assert_eq!(
        (read.header[0].as_str(), read.header_line),
        ("biosample", 3)
    );
}

#[test]
fn a_header_is_distinguished_from_the_lines_of_a_bed() {
    let read = table(
        "l.txt",
        "gene_id\tE000\tE003\nG1\t1.5\t2\t\nG2\t0\t\n",
        true,
    )
    .unwrap();
    assert_eq!(read.columns().unwrap(), ["gene_id", "E000", "E003"]);
    assert_eq!(
        read.rows,
        [row(2, &["G1", "1.5", "2"]), row(3, &["G2", "0", ""])]
    );
    let text =
        "track name=\"a, b\"\n#by hand\nchr1\t0\t40000\t1\n# half\nchr1\t40000\t80000\t0\t\n";
    let bed = table("l.bed", text, true).unwrap();
    assert!(bed.columns().is_none());
    assert_eq!(bed.rows[1], row(5, &["chr1", "40000", "80000", "0"]));
    let named = table("l.bed", "#chrom\tstart\tend\tlabel\nchr1\t0\t5\t1\n", true).unwrap();
    assert_eq!(named.header[0], "chrom");
    let commented = table("l.bed", "#chr1\t0\t5\t1\nchr1\t5\t9\t1\n", true).unwrap();
    assert!(commented.columns().is_none() && commented.rows.len() == 1);
    let quoted = table("l.csv", "bin,label\n\"(1, 2]\",1\n", true).unwrap();
    assert_eq!(quoted.rows[0].1, ["(1, 2]", "1"]);
    assert_eq!(
        table("l.bed", "\tchr1\nchr1\t0\t5\n\t7\t9\n", true)
            .unwrap()
            .rows
            .len(),
        2
    );
}

#[test]
fn other_encodings_are_decoded_in_a_note_and_refused_in_a_name() {
    let text = b"biosample\tnote\nB\tGr\xf6\xdfe 1\nM\xfcller\tx\n";
    let read = table("m.tsv", text, false).unwrap();
    assert_eq!(read.rows[0].1[1], "Gr\u{f6}\u{df}e 1");
    assert_eq!(read.n_foreign(), 2);
    assert!(
        read.check_names(&[1])
            .unwrap_err()
            .to_string()
            .contains("line 2")
    );
    let message = read.check_names(&[0]).unwrap_err().to_string();
    assert!(
        message.contains("line 3") && message.contains("UTF-8"),
        "{message}"
    );
    let utf16: Vec<u8> = "\u{feff}biosample\tassay\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let message = table("m.tsv", utf16, false).unwrap_err();
    assert!(message.contains("m.tsv: is UTF-16"), "{message}");
}

#[test]
fn quoted_cells_reach_over_lines_and_open_quotes_are_named() {
    let text = "id,note\n1,\"a\r\nb, c\"\n\n2,d\n";
    let read = table("m.csv", text, false).unwrap();
    assert_eq!(read.rows, [row(2, &["1", "a\nb, c"]), row(5, &["2", "d"])]);
    for text in ["id,note\n1,\"a\n2,b\n", "id,note\n1,\"a\n2,\"b\"\n3,c\n"] {
        let message = table("m.csv", text, false).unwrap_err();
        assert!(
            message.contains("line 2: the quote that opens column 2"),
            "{message}"
        );
    }
    let mut endless = "id\tnote\n1\t\"a\n".to_string();
    endless.push_str(&"2\tb\n".repeat(2_000));
    assert!(
        table("m.tsv", endless, false)
            .unwrap_err()
            .contains("line 2")
    );
}

#[test]
fn an_empty_table_is_refused() {
    for text in ["", "\n\n", "\u{feff}", ",,,\n"] {
        let message = table("m.csv", text, false).unwrap_err();
        assert!(message.contains("it is empty"), "{text:?}: {message}");
    }
}

#[test]
fn a_gzipped_endless_line_is_refused_without_being_unpacked() {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..64 {
        out.write_all(&zeros).unwrap();
    }
    let message = table("m.tsv.gz", out.finish().unwrap(), false).unwrap_err();
    assert!(message.contains("line 1: is endless"), "{message}");
}
