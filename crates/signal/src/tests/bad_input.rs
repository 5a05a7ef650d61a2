//! Files that must be refused, and what the refusal says.

use super::super::bigwig::BigWigFile;
use super::super::runs::Run;
use super::*;

fn toy() -> Assembly {
    assembly(&[("chr1", 1_000), ("chr2", 500)])
}

fn axis() -> GenomeAxis {
    GenomeAxis::whole_chromosomes(toy(), &[]).unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> Location {
        let file = self.0.path().join(name);
        std::fs::write(&file, content).unwrap();
        path(file)
    }

    fn bigwig(&self, of: &Assembly, runs: &[(u32, u32, u32, f32)]) -> Location {
        let file = self.0.path().join("a.bw");
        let mut out = BigWigFile::create(&file, of).unwrap();
        for (rank, start, end, value) in runs.iter().copied() {
            out.add(Run {
                rank,
                start,
                end,
                value,
            })
            .unwrap();
        }
        out.finish().unwrap();
        path(file)
    }
}

#[test]
fn text_that_is_wrong_is_refused_with_its_line_and_what_to_do() {
    let folder = Folder::new();
    for (name, text, why) in [
        (
            "a.bedgraph",
            "chr1 0 10 1\nchr1 10 20 x\n",
            "line 2: `x` in column 4 is not a number",
        ),
        (
            "a.bedgraph",
            "# r\n\nchr1 0 10 1\nchr1 5 20 1\n",
            "line 4: overlaps the line before, which ends at 10",
        ),
        (
            "a.bedgraph",
            "chr1 20 30 1\nchr1 5 10 1\n",
            "line 2: is out of order: sort",
        ),
        (
            "a.bedgraph",
            "chr1 0 1 1\nchr2 0 1 1\nchr1 5 10 1\n",
            "line 3: is out of order: sort",
        ),
        (
            "a.bedgraph",
            "chr1 0 10\n",
            "line 1: it has 3 columns and no column 4",
        ),
        (
            "a.bedgraph",
            "chr1 0\n",
            "line 1: expected at least chromosome, start and end",
        ),
        (
            "a.bedgraph",
            "chr1 10 10 1\n",
            "line 1: chr1 10 10 is empty",
        ),
        (
            "a.bedgraph",
            "chr1 -5 10 1\n",
            "line 1: `-5` is not a position",
        ),
        (
            "a.bedgraph",
            "chr1 1e3 10 1\n",
            "line 1: `1e3` is not a position",
        ),
        (
            "a.bedgraph",
            "chr1 0 99999999999999999999 1\n",
            "is not a position",
        ),
        (
            "a.bedgraph",
            "chr1 0 10 1\nchr1 990 1001 1\n",
            "line 2: chr1 990 1001 ends beyond the chromosome's 1000 bp of toy",
        ),
        (
            "a.bedgraph",
            "chr9 0 10 1\n",
            "line 1: chromosome `chr9` is not in assembly toy (it has chr1, chr2",
        ),
        (
            "a.bedgraph",
            "chr1 0 10 inf\n",
            "line 1: the value at chr1 0 10 is infinite",
        ),
        ("a.bedgraph", "chr1 0 10 1e39\n", "beyond float32 (`1e39`)"),
        ("a.bedgraph", "", "a.bedgraph: is empty"),
        (
            "a.bedgraph",
            "track type=bedGraph\n",
            "a.bedgraph: is empty",
        ),
        (
            "a.narrowPeak",
            "chr1 0 10 p 0 . -Infinity\n",
            "line 1: the value at chr1 0 10 is infinite",
        ),
        (
            "a.narrowPeak",
            "chr1 0 10 p 0 .\n",
            "no column 7 (a narrowPeak's signalValue)",
        ),
        (
            "a.broadPeak",
            "chr1\t0\t10\tp\t0\t.\t.\n",
            "`.` in column 7 is not a number",
        ),
        (
            "a.bed",
            "chr1 0 10 peak_1\n",
            "give a score in column 5 where column 4 is a name",
        ),
        (
            "a.bed",
            "chr1 0 10 p 3\nchr1 0 10\n",
            "line 2: it has 3 columns where the lines before have 5",
        ),
        (
            "a.bed",
            "chr1 0 10 p 0 . 5.5 3 2 5\nchr1 20 30 p 0 . 5.5 3 2\n",
            "line 2: it has 9 columns where the lines before have 10",
        ),
        (
            "a.bed",
            "chr1 0 10 p 0 . 5.5 3 2\nchr1 20 30 p 0 . 20 30 0\n",
            "line 2: its columns are those of a BED of 9 columns, and the lines before are of a broadPeak",
        ),
        (
            "a.bed",
            "chr1 0 10 p 0 . 5.5 x\n",
            "line 1: its 8 columns are those of no BED, narrowPeak",
        ),
        (
            "a.bed",
            "chr1 0 1 m 0 + 0 1 0,0,0 9 50 1 2 3 4 5 6 7\nchr1 0 1 h 0 + 0 1 0,0,0 9 50 1 2 3 4 5 6 7\n",
            "line 2: is about the modification h, and the lines before about m",
        ),
        (
            "a.bedgraph",
            "track type=wiggle_0\nfixedStep chrom=chr1 start=1 step=25 span=25\n1\n",
            "line 2: this is a wiggle, which is not read: make a bigWig of it",
        ),
        (
            "a.txt",
            "variableStep chrom=chr1\n1 5\n",
            "line 1: this is a wiggle",
        ),
        ("a.bed", "chr1 0 1001\n", "line 1: chr1 0 1001 ends beyond"),
        (
            "a.bed",
            "MT 0 10\n",
            "line 1: chromosome `MT` is not in assembly toy",
        ),
    ] {
        let message = refusal(&folder.put(name, text), None, &axis());
        assert!(message.contains(why), "{text:?}: {message}");
        assert!(message.contains(name), "{text:?}: {message}");
    }
}

#[test]
fn text_that_is_none_is_refused() {
    let folder = Folder::new();
    let endless = vec![b'x'; 17 << 20];
    let message = refusal(&folder.put("a.bed", endless), None, &axis());
    assert!(message.contains("line 1: is endless"), "{message}");
    let file = folder.put("a.bedgraph.gz", [0x1f, 0x8b, 8, 0, 1, 2, 3]);
    let message = refusal(&file, None, &axis());
    assert!(message.contains("line 1: cannot be read"), "{message}");
    let bigwig = folder.bigwig(&toy(), &[(0, 0, 10, 1.0)]);
    let message = refusal(&bigwig, Some(Format::BedGraph), &axis());
    assert!(message.contains("is a bigWig, not text"), "{message}");
}

#[test]
fn a_gzipped_file_that_was_cut_short_is_refused() {
    use std::io::Write;
    let folder = Folder::new();
    let text: String = (0..40)
        .map(|i| format!("chr1\t{}\t{}\t{}\n", i * 25, i * 25 + 25, i * i))
        .collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(text.as_bytes()).unwrap();
    let bytes = gz.finish().unwrap();
    for n in [20, bytes.len() / 2, bytes.len() - 1] {
        let message = refusal(&folder.put("a.bedgraph.gz", &bytes[..n]), None, &axis());
        assert!(message.contains("is the file complete"), "{message}");
    }
}

#[test]
fn a_peak_file_without_a_line_is_a_track_of_zeros_without_records() {
    let folder = Folder::new();
    for name in ["a.narrowPeak", "a.bed", "a.broadPeak"] {
        let file = folder.put(name, "");
        let (bins, report) = read_bins(&file, None, &axis(), Missing::ByFormat).unwrap();
        assert_eq!(bins, [0.0; 60]);
        assert_eq!(report, ReadReport::default());
    }
}

#[test]
fn a_file_that_is_missing_or_of_no_known_format_is_refused() {
    let folder = Folder::new();
    let missing = path(folder.0.path().join("none.bw"));
    let message = refusal(&missing, None, &axis());
    assert!(
        message.contains("cannot read") && message.contains("none.bw"),
        "{message}"
    );
    let message = refusal(&folder.put("track.dat", "gene value\n"), None, &axis());
    assert!(
        message.contains("give it as one of bigwig, bedgraph"),
        "{message}"
    );
}

#[test]
fn a_file_without_a_telling_name_is_known_by_its_first_bytes() {
    let folder = Folder::new();
    let Location::Path(file) = folder.bigwig(&toy(), &[(0, 0, 25, 2.0)]) else {
        return;
    };
    let (bins, _) = read_bins(
        &folder.put("track", std::fs::read(file).unwrap()),
        None,
        &axis(),
        Missing::Zero,
    )
    .unwrap();
    assert_eq!(bins[..2], [2.0, 0.0]);
    let (bins, _) = read_bins(
        &folder.put("array", npy(&[1.5; 60])),
        None,
        &axis(),
        Missing::Zero,
    )
    .unwrap();
    assert_eq!(bins, [1.5; 60]);
}

#[test]
fn what_is_no_bigwig_is_refused_with_what_it_is() {
    let folder = Folder::new();
    for (content, why) in [
        (&b""[..], "is empty, not a bigWig"),
        (b"chr1\t0\t10\t1\n", "is not a bigWig"),
        (b"<!DOCTYPE html>", "is not a bigWig but a web page"),
        (b"\x1f\x8b\x08\x00\x00", "is gzipped"),
        (b"\xeb\xf2\x89\x87rest", "is a bigBed, not a bigWig"),
        (b"\x26\xfc\x8f\x88\x04\x00", "is truncated"),
    ] {
        let message = refusal(&folder.put("a.bw", content), None, &axis());
        assert!(message.contains(why), "{message}");
    }
    if let Some(file) = shared("formats/test.bigBed") {
        let message = refusal(&path(file), Some(Format::BigWig), &axis());
        assert!(message.contains("is a bigBed"), "{message}");
    }
}

#[test]
fn a_bigwig_of_another_assembly_or_naming_is_refused() {
    let folder = Folder::new();
    for (chromosomes, why) in [
        (
            &[("chr1", 900), ("chr2", 500)][..],
            "has a chr1 of 900 bp where toy has 1000 bp",
        ),
        (
            &[("1", 900), ("2", 500)],
            "has a 1 of 900 bp where toy has 1000 bp",
        ),
        (
            &[("chrI", 300), ("chrII", 300)],
            "has none of the chromosomes covered (chr1, chr2); it has chrI, chrII",
        ),
    ] {
        let file = folder.bigwig(&assembly(chromosomes), &[(0, 0, 10, 1.0)]);
        let message = refusal(&file, None, &axis());
        assert!(message.contains(why), "{message}");
    }
}

#[test]
fn sequences_with_other_names_are_matched_and_those_that_are_lacking_passed_over() {
    let folder = Folder::new();
    let of = assembly(&[("1", 1_000), ("chr2", 500), ("chrEBV", 300)]);
    let file = folder.bigwig(&of, &[(0, 0, 25, 2.0), (1, 0, 25, 3.0), (2, 0, 25, 4.0)]);
    let text = folder.put("a.bedgraph", "1 0 25 2\nchr2 0 25 3\nchrEBV 0 25 4\n");
    let peaks = folder.put(
        "a.narrowPeak",
        "chrEBV 0 25 p 0 . 4 1 1 1\n1 0 25 p 0 . 2 1 1 1\nchr2 0 25 p 0 . 3 1 1 1\n",
    );
    for file in [file, text, peaks] {
        let (bins, report) = read_bins(&file, None, &axis(), Missing::Zero).unwrap();
        assert_eq!(
            (bins[0], bins[40], report.n_records),
            (2.0, 3.0, 2),
            "{file}"
        );
        assert_eq!(bins.iter().sum::<f32>(), 5.0, "{file}");
        let [matched, passed_over] = report.notes.as_slice() else {
            panic!("{file}: {:?}", report.notes);
        };
        assert!(matched.contains("`1` is chr1"), "{matched}");
        assert!(passed_over.starts_with("1 of "), "{passed_over}");
        assert!(passed_over.contains("chrEBV"), "{passed_over}");
    }
}

#[test]
fn a_format_is_known_by_its_columns_whatever_the_name() {
    use std::io::Write;
    let folder = Folder::new();
    let gzip = |text: &str| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    };
    let narrow = "chr1\t0\t25\tp\t1000\t.\t12.5\t8\t6\t5\n";
    let broad = "chr1\t0\t25\tp\t1000\t.\t12.5\t8\t6\n";
    let gapped = "chr1\t0\t25\tp\t1000\t.\t0\t25\t0\t1\t25\t0\t12.5\t8\t6\n";
    let methyl = "chr1\t0\t25\t.\t1000\t+\t0\t25\t0,255,0\t40\t12.5\n";
    for (name, text, value) in [
        ("ENCFF000AAA.bed.gz", narrow, 12.5),
        ("b.bed.gz", broad, 12.5),
        ("g.bed.gz", gapped, 12.5),
        ("m.bed.gz", methyl, 12.5),
        ("peaks.txt", narrow, 12.5),
        ("peaks.bedGraph", narrow, 12.5),
        ("scores.bed.gz", "chr1\t0\t25\tp\t3\t+\n", 3.0),
        ("signal.dat", "chr1\t0\t25\t2.5\n", 2.5),
    ] {
        let file = folder.put(name, gzip(text));
        let (bins, _) = read_bins(&file, None, &axis(), Missing::Zero).unwrap();
        assert_eq!(bins[..2], [value, 0.0], "{name}");
    }
    // Who says what a file is is believed.
    let file = folder.put("n.bed", narrow);
    let (bins, _) = read_bins(&file, Some(Format::Bed), &axis(), Missing::Zero).unwrap();
    assert_eq!(bins[0], 1_000.0);
    let bigwig = folder.bigwig(&toy(), &[(0, 0, 25, 2.0)]);
    let Location::Path(path) = &bigwig else {
        return;
    };
    let named = folder.put("a.bedGraph", std::fs::read(path).unwrap());
    let (bins, _) = read_bins(&named, None, &axis(), Missing::Zero).unwrap();
    assert_eq!(bins[0], 2.0);
    let packed = folder.put("a.bw.gz", {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(&std::fs::read(path).unwrap()).unwrap();
        out.finish().unwrap()
    });
    let message = refusal(&packed, None, &axis());
    assert!(message.contains("is gzipped"), "{message}");
}

#[test]
fn covered_chromosomes_that_a_bigwig_lacks_have_no_data() {
    let folder = Folder::new();
    let file = folder.bigwig(&assembly(&[("chr2", 500)]), &[(0, 0, 500, 3.0)]);
    let (bins, report) = read_bins(&file, None, &axis(), Missing::Nan).unwrap();
    assert_eq!(shown(&bins[..40]), [-9_999.0; 40]);
    assert_eq!(bins[40..], [3.0; 20]);
    assert_eq!(report.n_nan_bins, 40);
}

#[test]
fn an_infinite_value_in_a_bigwig_is_refused_with_its_place() {
    let folder = Folder::new();
    let file = folder.bigwig(&toy(), &[(0, 0, 10, 1.0), (1, 30, 40, f32::INFINITY)]);
    let message = refusal(&file, None, &axis());
    assert!(
        message.contains("a.bw: the value at chr2:31-40 is inf"),
        "{message}"
    );
    // Only regions asked for are examined.
    let axis = GenomeAxis::new(toy(), vec![region("chr1", 0, 40)]).unwrap();
    assert!(read_bins(&file, None, &axis, Missing::Zero).is_ok());
}

#[test]
fn a_bigwig_cut_anywhere_before_its_zooms_is_refused() {
    let folder = Folder::new();
    let runs: Vec<_> = (0..100)
        .map(|i| (0, 10 * i, 10 * i + 7, i as f32))
        .collect();
    let Location::Path(file) = folder.bigwig(&toy(), &runs) else {
        return;
    };
    let bytes = std::fs::read(file).unwrap();
    let index = u64::from_le_bytes(bytes[24..32].try_into().unwrap()) as usize;
    for n in 0..index + 48 + 4 + 32 {
        let message = refusal(&folder.put("b.bw", &bytes[..n]), None, &axis());
        let expected = ["is truncated", "is empty", "is not a bigWig", "is damaged"];
        assert!(
            expected.iter().any(|t| message.contains(t)),
            "{n} bytes: {message}"
        );
        assert!(message.contains("b.bw"), "{message}");
    }
}

/// Whatever byte of a bigWig is damaged, reading it ends, without a panic; and what is refused is
/// refused by name.
#[test]
fn a_bigwig_with_any_byte_damaged_is_read_or_refused_and_never_panics() {
    let folder = Folder::new();
    let runs: Vec<_> = (0..100)
        .map(|i| (0, 10 * i, 10 * i + 7, i as f32))
        .collect();
    let Location::Path(file) = folder.bigwig(&toy(), &runs) else {
        return;
    };
    let bytes = std::fs::read(file).unwrap();
    let mut n_refused = 0;
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bad = bytes.clone();
            bad[at] ^= flip;
            let location = folder.put("b.bw", bad);
            let mut sink = |_: u64, _: &[f32]| Ok(());
            let reader = open_signal(&location, Some(Format::BigWig));
            let result =
                reader.and_then(|mut r| r.read(&axis(), &ReadOptions::default(), &mut sink));
            if let Err(error) = result {
                n_refused += 1;
                assert!(error.to_string().contains("b.bw"), "byte {at}: {error}");
            }
        }
    }
    // Data, index and chromosomes: most of such a small file's bytes matter.
    assert!(
        n_refused > bytes.len() / 2,
        "{n_refused} of {}",
        bytes.len()
    );
}

/// bigtools finds a chromosome by its name, and would read the other one's blocks, whose lengths nobody checked.
#[test]
fn a_bigwig_that_lists_a_chromosome_twice_is_refused() {
    let folder = Folder::new();
    let Location::Path(file) = folder.bigwig(&toy(), &[(0, 0, 25, 1.0)]) else {
        return;
    };
    let mut bytes = std::fs::read(file).unwrap();
    let at = bytes.windows(4).position(|w| w == b"chr2").unwrap();
    bytes[at..at + 4].copy_from_slice(b"chr1");
    let message = refusal(&folder.put("b.bw", bytes), None, &axis());
    assert!(message.contains("it lists chr1 twice"), "{message}");
}

#[test]
fn an_index_that_runs_in_a_circle_is_refused() {
    let folder = Folder::new();
    let runs: Vec<_> = (0..30).map(|i| (0, 10 * i, 10 * i + 7, i as f32)).collect();
    let Location::Path(file) = folder.bigwig(&toy(), &runs) else {
        return;
    };
    let mut bytes = std::fs::read(file).unwrap();
    let index = u64::from_le_bytes(bytes[24..32].try_into().unwrap()) as usize;
    // The root becomes an inner node whose only child is itself.
    bytes[index + 48] = 0;
    bytes[index + 68..index + 76].copy_from_slice(&(index as u64 + 48).to_le_bytes());
    let message = refusal(&folder.put("b.bw", bytes), None, &axis());
    assert!(message.contains("runs in a circle"), "{message}");
}

#[test]
fn peaks_and_unwritable_folders_cannot_be_written_to() {
    let folder = Folder::new();
    let create = |name: &str, format| {
        let file = folder.0.path().join(name);
        match super::super::create_signal(&file, format, &axis()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    };
    assert!(create("a.bed", Format::Bed).contains("holds peaks, not a track"));
    for format in [Format::BigWig, Format::BedGraph, Format::Npz] {
        let message = create("none/a", format);
        assert!(
            message.contains("cannot write") && message.contains("none/a"),
            "{message}"
        );
    }
}
