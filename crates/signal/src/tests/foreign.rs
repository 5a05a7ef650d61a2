//! bigWig files of kinds that we do not write.

use super::*;

/// A bigWig by hand: one chromosome of 200 bp, its sections not compressed, of every kind.
fn by_hand(big_endian: bool) -> Vec<u8> {
    let put = |out: &mut Vec<u8>, number: u64, n: usize| {
        let bytes = number.to_be_bytes();
        let bytes = &bytes[8 - n..];
        if big_endian {
            out.extend(bytes);
        } else {
            out.extend(bytes.iter().rev());
        }
    };
    let section = |start: u64, end: u64, step: u64, span: u64, kind: u8, items: &[&[u64]]| {
        let mut out = Vec::new();
        for number in [0, start, end, step, span] {
            put(&mut out, number, 4);
        }
        out.extend([kind, 0]);
        put(&mut out, items.len() as u64, 2);
        for number in items.iter().flat_map(|item| item.iter()) {
            put(&mut out, *number, 4);
        }
        out
    };
    let value = |v: f32| u64::from(v.to_bits());
    let sections = [
        // bedGraph, variable step, fixed step.
        (
            0,
            40,
            section(
                0,
                40,
                0,
                0,
                1,
                &[&[0, 25, value(1.0)], &[30, 40, value(2.5)]],
            ),
        ),
        (
            50,
            85,
            section(50, 85, 0, 10, 2, &[&[50, value(5.0)], &[75, value(7.5)]]),
        ),
        (
            100,
            155,
            section(100, 155, 50, 5, 3, &[&[value(-5.0)], &[value(10.0)]]),
        ),
    ];
    let chrom_tree = 64;
    let data = chrom_tree + 32 + 4 + 4 + 8;
    let index = data + 8 + sections.iter().map(|s| s.2.len() as u64).sum::<u64>();
    let mut out = Vec::new();
    for (number, n) in [
        (0x888F_FC26, 4),
        (4, 2),
        (0, 2),
        (chrom_tree, 8),
        (data, 8),
        (index, 8),
        (0, 4),
        (0, 8),
        (0, 8),
        (0, 4),
        (0, 8),
        // Chromosomes.
        (0x78CA_8C91, 4),
        (1, 4),
        (4, 4),
        (8, 4),
        (1, 8),
        (0, 8),
    ] {
        put(&mut out, number, n);
    }
    out.extend([1, 0]);
    put(&mut out, 1, 2);
    out.extend(b"chr1");
    put(&mut out, 0, 4);
    put(&mut out, 200, 4);
    put(&mut out, 3, 8);
    for section in &sections {
        out.extend(&section.2);
    }
    for (number, n) in [
        (0x2468_ACE0, 4),
        (3, 4),
        (3, 8),
        (0, 4),
        (0, 4),
        (0, 4),
        (155, 4),
        (index, 8),
        (1, 4),
        (0, 4),
    ] {
        put(&mut out, number, n);
    }
    out.extend([1, 0]);
    put(&mut out, 3, 2);
    let mut offset = data + 8;
    for (start, end, bytes) in &sections {
        for number in [0, *start, 0, *end] {
            put(&mut out, number, 4);
        }
        put(&mut out, offset, 8);
        put(&mut out, bytes.len() as u64, 8);
        offset += bytes.len() as u64;
    }
    out
}

#[test]
fn every_kind_of_section_in_either_byte_order_is_read() {
    let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 200)]), &[]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for big_endian in [false, true] {
        let file = dir.path().join("a.bw");
        std::fs::write(&file, by_hand(big_endian)).unwrap();
        let (bins, report) = read_bins(&path(&file), None, &axis, Missing::Zero).unwrap();
        // 25/25; 10·2.5/25; 10·5/25; 10·7.5/25; 5·−5/25; nothing; 5·10/25; nothing.
        assert_eq!(bins, [1.0, 1.0, 2.0, 3.0, -1.0, 0.0, 2.0, 0.0]);
        assert_eq!(report.n_records, 6);
    }
}

#[test]
fn intervals_that_overlap_inside_a_bigwig_are_refused() {
    let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 200)]), &[]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.bw");
    let mut bytes = by_hand(false);
    let second = bytes
        .windows(4)
        .position(|w| w == 30u32.to_le_bytes())
        .unwrap();
    bytes[second] = 24;
    std::fs::write(&file, bytes).unwrap();
    let message = refusal(&path(&file), None, &axis);
    assert!(
        message.contains("a.bw: damaged: the interval chr1 24 40"),
        "{message}"
    );
}
