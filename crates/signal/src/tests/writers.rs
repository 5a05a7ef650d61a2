//! What is written: whole or not at all, valid, and as the reference tools read it.

use std::process::Command;

use super::super::create_signal;
use super::*;

fn write(file: &Path, format: Format, axis: &GenomeAxis, pieces: &[(u64, Vec<f32>)]) {
    let mut writer = create_signal(file, format, axis).unwrap();
    for (bin, values) in pieces {
        writer.write(*bin, values).unwrap();
    }
    writer.finish().unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect()
}

const WRITABLE: [(&str, Format); 5] = [
    ("a.bw", Format::BigWig),
    ("a.bedgraph", Format::BedGraph),
    ("a.bedgraph.gz", Format::BedGraph),
    ("a.npz", Format::Npz),
    ("a.npy", Format::Npy),
];

#[test]
fn a_writer_dropped_unfinished_leaves_nothing_and_what_stood_there_stays() {
    let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 1_000)]), &[]).unwrap();
    for (name, format) in WRITABLE {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        let mut writer = create_signal(&file, format, &axis).unwrap();
        writer.write(0, &[1.0; 40]).unwrap();
        drop(writer);
        assert!(names(dir.path()).is_empty(), "{name}");
        std::fs::write(&file, "before").unwrap();
        let mut writer = create_signal(&file, format, &axis).unwrap();
        writer.write(0, &[1.0; 40]).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"before", "{name}");
        writer.finish().unwrap();
        assert_eq!(names(dir.path()), [name]);
        assert_ne!(std::fs::read(&file).unwrap(), b"before", "{name}");
    }
}

#[test]
fn a_name_that_says_gzip_is_gzipped_or_refused() {
    let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 1_000)]), &[]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.bedGraph.gz", "a.bedGraph.bgz", "a.bedGraph.GZ"] {
        let file = dir.path().join(name);
        write(&file, Format::BedGraph, &axis, &[(0, vec![1.0; 40])]);
        assert_eq!(std::fs::read(&file).unwrap()[..2], [0x1f, 0x8b], "{name}");
        let (bins, _) = read_bins(&path(file), None, &axis, Missing::Zero).unwrap();
        assert_eq!(bins, [1.0; 40], "{name}");
    }
    for (name, format) in [("a.bw.gz", Format::BigWig), ("a.npz.bgz", Format::Npz)] {
        let refused = create_signal(&dir.path().join(name), format, &axis).err();
        let message = refused.unwrap().to_string();
        assert!(message.contains("is not written gzipped"), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_written_is_as_readable_as_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 1_000)]), &[]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    let mode = |file: &Path| std::fs::metadata(file).unwrap().permissions().mode();
    let file = dir.path().join("a.bw");
    write(&file, Format::BigWig, &axis, &[(0, vec![1.0; 40])]);
    assert_eq!(mode(&file), mode(&plain));
}

#[test]
fn bedgraph_lines_are_runs_of_equal_bins_with_the_last_one_clipped() {
    let toy = assembly(&[("chr1", 110), ("chr2", 500)]);
    let axis = GenomeAxis::new(toy, vec![region("chr2", 4, 2), region("chr1", 0, 5)]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.bedgraph");
    let pieces = [
        (2, vec![0.5, 0.5, 0.0]),
        (5, vec![1.0e-7, -3.25]),
        (0, vec![-3.25, -3.25]),
    ];
    write(&file, Format::BedGraph, &axis, &pieces);
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "chr1\t0\t50\t0.5\nchr1\t50\t75\t0.0\nchr1\t75\t100\t1e-7\nchr1\t100\t110\t-3.25\n\
         chr2\t100\t150\t-3.25\n"
    );
}

#[test]
fn bins_that_are_left_out_are_in_no_file_and_arrays_keep_the_axis_s_order() {
    let toy = assembly(&[("chr1", 1_000), ("chr2", 500)]);
    let axis = GenomeAxis::new(
        toy.clone(),
        vec![region("chr2", 0, 20), region("chr1", 0, 40)],
    )
    .unwrap();
    let dir = tempfile::tempdir().unwrap();
    // chr1 bins 3 and 4, then chr2 bins 10 and 11, which come first on the axis.
    let pieces = [(23, vec![1.0, 2.0]), (10, vec![3.0, 4.0])];
    for (name, format) in WRITABLE {
        let file = dir.path().join(name);
        write(&file, format, &axis, &pieces);
        let in_region = [region("chr2", 10, 2), region("chr1", 3, 2)];
        let part = GenomeAxis::new(toy.clone(), in_region.to_vec()).unwrap();
        if matches!(format, Format::Npz | Format::Npy) {
            let (bins, _) = read_bins(&path(&file), None, &part, Missing::Nan).unwrap();
            assert_eq!(bins, [3.0, 4.0, 1.0, 2.0], "{name}");
        } else {
            let (bins, report) = read_bins(&path(&file), None, &axis, Missing::Nan).unwrap();
            assert_eq!(
                (bins[10], bins[24], report.n_nan_bins),
                (3.0, 2.0, 56),
                "{name}"
            );
        }
    }
}

#[test]
fn pieces_out_of_order_and_infinite_values_are_refused() {
    let toy = assembly(&[("chr1", 1_000), ("chr2", 500)]);
    let axis = GenomeAxis::new(toy, vec![region("chr2", 0, 20), region("chr1", 0, 40)]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (name, format) in WRITABLE {
        let mut writer = create_signal(&dir.path().join(name), format, &axis).unwrap();
        writer.write(30, &[0.0; 5]).unwrap();
        for (bin, values, why) in [
            (34, &[0.0][..], "before bins already written"),
            (50, &[0.0; 11], "beyond the axis"),
            (u64::MAX, &[0.0], "beyond the axis"),
            (19, &[0.0; 2], "cross the end of a region"),
            (
                40,
                &[0.0, f32::NEG_INFINITY],
                "the value at chr1:526-550 is -inf",
            ),
            (40, &[f32::INFINITY], "the value at chr1:501-525 is inf"),
        ] {
            let message = writer.write(bin, values).unwrap_err().to_string();
            assert!(message.contains(why) && message.contains(name), "{message}");
        }
        writer.write(0, &[0.0; 20]).unwrap();
        let message = writer.write(35, &[0.0]).unwrap_err().to_string();
        assert!(message.contains("before bins"), "{message}");
    }
}

#[test]
fn a_bigwig_without_a_bin_is_still_one() {
    let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 1_000)]), &[]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.bw");
    write(&file, Format::BigWig, &axis, &[]);
    let (bins, report) = read_bins(&path(&file), None, &axis, Missing::Zero).unwrap();
    assert_eq!((bins, report.n_records), (vec![0.0; 40], 0));
}

/// bins 0..4,000 and 20,000..24,000 of a chromosome of 1 Mb, and the whole of a small one, in an
/// assembly of 300 chromosomes, which needs two levels of the chromosomes' tree.
fn gapped() -> (GenomeAxis, Vec<(u64, Vec<f32>)>) {
    let mut list = vec![("chr10".to_string(), 1_000_000), ("chr2".to_string(), 60)];
    list.extend((0..298).map(|i| (format!("scaffold_{i}"), 1_000 + i)));
    let assembly = Assembly::from_chromosomes("many", &list).unwrap();
    let axis = GenomeAxis::new(
        assembly,
        vec![
            region("chr10", 0, 4_000),
            region("chr10", 20_000, 4_000),
            region("chr2", 0, 3),
        ],
    )
    .unwrap();
    let values = |offset: f32| (0..4_000).map(|i| offset + (i % 7) as f32).collect();
    let pieces = vec![
        (0, values(0.0)),
        (4_000, values(100.0)),
        (8_000, vec![-5.0, 0.0, 9.0]),
    ];
    (axis, pieces)
}

#[test]
fn zoom_levels_hold_what_the_data_hold_and_nothing_in_gaps() {
    let (axis, pieces) = gapped();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.bw");
    write(&file, Format::BigWig, &axis, &pieces);
    let mut reader = bigtools::BigWigRead::open_file(&file).unwrap();
    let summary = reader.get_summary().unwrap();
    let sum: f64 = pieces[..2]
        .iter()
        .flat_map(|p| &p.1)
        .map(|v| 25.0 * f64::from(*v))
        .sum();
    // The last bin of chr2 has 10 bp.
    assert_eq!(summary.bases_covered, 2 * 4_000 * 25 + 60);
    assert_eq!((summary.min_val, summary.max_val), (-5.0, 106.0));
    assert_eq!(summary.sum, sum - 5.0 * 25.0 + 9.0 * 10.0);
    let levels: Vec<u32> = reader
        .info()
        .zoom_headers
        .iter()
        .map(|z| z.reduction_level)
        .collect();
    assert!(!levels.is_empty());
    for level in levels {
        let in_gap = reader
            .get_zoom_interval("chr10", 100_001, 499_999, level)
            .unwrap();
        assert_eq!(in_gap.count(), 0, "level {level}");
        let records: Vec<_> = reader
            .get_zoom_interval("chr10", 0, 1_000_000, level)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let covered: u64 = records.iter().map(|r| r.summary.bases_covered).sum();
        let of_zoom: f64 = records.iter().map(|r| r.summary.sum).sum();
        assert_eq!((covered, of_zoom), (200_000, sum), "level {level}");
        assert!(records.iter().all(|r| r.end - r.start <= level));
        assert!(records.windows(2).all(|w| w[0].end <= w[1].start));
    }
}

const PYBIGWIG: &str = r#"
import sys
try:
    import pyBigWig
except ImportError:
    print("no pyBigWig")
    sys.exit()
import math
b = pyBigWig.open(sys.argv[1])
chroms = b.chroms()
print(len(chroms), list(chroms.items())[:2], list(chroms.items())[-1])
h = b.header()
print(h["nBasesCovered"], h["minVal"], h["maxVal"], h["sumData"], h["nLevels"] > 0)
print(b.values("chr10", 24, 27), b.values("chr2", 49, 51), b.values("chr2", 59, 60))
print(b.intervals("chr10", 500000, 500060), b.intervals("chr10", 100000, 500000))
print(b.stats("chr10", 100000, 500000), b.stats("chr10", 0, 1000000), b.stats("chr10", 0, 1000000, exact=True))
print(b.stats("chr10", 0, 1000000, type="coverage"), b.stats("scaffold_297"))
"#;

#[test]
fn pybigwig_reads_what_we_write() {
    let (axis, pieces) = gapped();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.bw");
    write(&file, Format::BigWig, &axis, &pieces);
    let python = std::env::var_os("PERSEA_PYTHON").unwrap_or_else(|| "python3".into());
    let skipped = || {
        let python = python.display();
        let why = format!("{python} has no pyBigWig (PERSEA_PYTHON names another)");
        crate::skipped::skipped("python", why);
    };
    let Ok(output) = Command::new(&python)
        .arg("-c")
        .arg(PYBIGWIG)
        .arg(&file)
        .output()
    else {
        return skipped();
    };
    let text = String::from_utf8_lossy(&output.stdout);
    if text.starts_with("no pyBigWig") {
        return skipped();
    }
    assert_eq!(
        text,
        "300 [('chr10', 1000000), ('chr2', 60)] ('scaffold_297', 1297)\n\
         200060 -5 106 10599665 True\n\
         [0.0, 1.0, 1.0] [0.0, 9.0] [9.0]\n\
         ((500000, 500025, 100.0), (500025, 500050, 101.0), (500050, 500075, 102.0)) None\n\
         [None] [52.9985] [52.9985]\n\
         [0.2] [None]\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Writes one file of each format, and gives what a regular file would have held.
#[cfg(unix)]
fn written(file: &Path, format: Format) -> Vec<u8> {
    let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 1_000)]), &[]).unwrap();
    write(file, format, &axis, &[(0, vec![1.5; 40])]);
    std::fs::read(file).unwrap()
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_stays_and_what_it_leads_to_is_replaced_as_a_whole() {
    use std::os::unix::fs::symlink;
    for (name, format) in WRITABLE {
        let dir = tempfile::tempdir().unwrap();
        let expected = written(&dir.path().join(name), format);
        let elsewhere = dir.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        // A relative link to a link to a file; the file is there, and does not exist yet.
        let first = dir.path().join(format!("first.{name}"));
        let second = elsewhere.join(name);
        symlink(Path::new("elsewhere").join(name), &first).unwrap();
        symlink("target", &second).unwrap();
        for before in [Some("before"), None] {
            let target = elsewhere.join("target");
            match before {
                Some(text) => std::fs::write(&target, text).unwrap(),
                None => std::fs::remove_file(&target).unwrap(),
            }
            let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 1_000)]), &[]).unwrap();
            write(&first, format, &axis, &[(0, vec![1.5; 40])]);
            assert!(first.is_symlink() && second.is_symlink(), "{name}");
            assert!(!target.is_symlink(), "{name}");
            assert!(std::fs::read(&target).unwrap() == expected, "{name}");
            assert_eq!(names(&elsewhere).len(), 2, "{name}");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    symlink("round", dir.path().join("round")).unwrap();
    assert!(persea_files::write_text(&dir.path().join("round"), b"x").is_err());
    assert_eq!(names(dir.path()), ["round"]);
}

/// A node of the test's own; `None` where the system does not let this user make it.
#[cfg(unix)]
fn node(path: &Path, arguments: &[&str]) -> Option<std::fs::FileType> {
    let program = if arguments == ["p"] {
        "mkfifo"
    } else {
        "mknod"
    };
    let mut command = Command::new(program);
    command.arg(path);
    if program == "mknod" {
        command.args(arguments);
    }
    let made = command.output().unwrap().status.success();
    made.then(|| std::fs::symlink_metadata(path).unwrap().file_type())
}

#[cfg(unix)]
#[test]
fn a_pipe_gets_the_bytes_of_the_file_and_stays_a_pipe() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    for (name, format) in WRITABLE {
        let dir = tempfile::tempdir().unwrap();
        let regular = tempfile::tempdir().unwrap();
        let expected = written(&regular.path().join(name), format);
        let pipe = dir.path().join(name);
        node(&pipe, &["p"]).unwrap();
        let link = dir.path().join(format!("link.{name}"));
        symlink(name, &link).unwrap();
        for path in [&pipe, &link] {
            let from = pipe.clone();
            let reader = std::thread::spawn(move || std::fs::read(from).unwrap());
            let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 1_000)]), &[]).unwrap();
            write(path, format, &axis, &[(0, vec![1.5; 40])]);
            assert!(reader.join().unwrap() == expected, "{name}");
            let kind = std::fs::symlink_metadata(&pipe).unwrap().file_type();
            assert!(kind.is_fifo() && link.is_symlink(), "{name}");
            assert_eq!(names(dir.path()).len(), 2, "{name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_device_is_written_through_and_a_disk_or_a_socket_refused() {
    use std::os::unix::fs::FileTypeExt;
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("socket");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let refused = persea_files::write_text(&socket, b"x").unwrap_err();
    assert!(refused.to_string().contains("is a socket"), "{refused}");
    // Nodes of its own, never the machine's: what swallows all (1:3), and a disk that nobody has.
    let null = dir.path().join("null");
    let Some(made) = node(&null, &["c", "1", "3"]) else {
        crate::skipped::skipped("device", "this user may not make devices");
        return;
    };
    assert!(made.is_char_device());
    let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 1_000)]), &[]).unwrap();
    for (name, format) in WRITABLE {
        // A folder or container may forbid opening devices; then it is an error, no replacement.
        if let Ok(mut writer) = create_signal(&null, format, &axis) {
            writer.write(0, &[1.5; 40]).unwrap();
            writer.finish().unwrap();
        }
        let kind = std::fs::symlink_metadata(&null).unwrap().file_type();
        assert!(kind.is_char_device(), "{name}");
    }
    let disk = dir.path().join("disk");
    if node(&disk, &["b", "259", "4095"]).is_some() {
        let refused = persea_files::write_text(&disk, b"x").unwrap_err();
        assert!(refused.to_string().contains("is a disk"), "{refused}");
    }
}
