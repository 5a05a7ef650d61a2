//! One signal in every format gives the same bins.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::super::bigwig::BigWigFile;
use super::super::runs::Run;
use super::*;

const SIZES: [(&str, u64); 3] = [("chr2", 2_013), ("chr1", 1_000), ("chr10", 60)];

/// A signal: intervals in order, by chromosome rank.
type Signal = Vec<(usize, u64, u64, f32)>;

/// Intervals of quarters, whose sums are exact in any order; some NaN, some gaps.
fn signal() -> impl Strategy<Value = Signal> {
    let interval = (0u64..60, 1u64..90, -8i32..40, 0u8..12);
    let chromosome = proptest::collection::vec(interval, 0..30);
    proptest::collection::vec(chromosome, 3).prop_map(|chromosomes| {
        let mut signal = Vec::new();
        for (rank, intervals) in chromosomes.into_iter().enumerate() {
            let mut at = 0;
            for (gap, length, quarters, chance) in intervals {
                let start = at + if chance < 6 { 0 } else { gap };
                let end = (start + length).min(SIZES[rank].1);
                if start < end {
                    let value = if chance == 0 {
                        f32::NAN
                    } else {
                        quarters as f32 / 4.0
                    };
                    signal.push((rank, start, end, value));
                }
                at = start + length;
            }
        }
        signal
    })
}

/// Regions in any order, which may overlap or meet.
fn regions() -> impl Strategy<Value = Vec<Region>> {
    let one = (0usize..3, 0.0..1.0f64, 0.0..1.0f64).prop_map(|(rank, from, share)| {
        let (chrom, length) = SIZES[rank];
        let n = length.div_ceil(25);
        let first = (from * n as f64) as u64;
        region(chrom, first, ((share * (n - first) as f64) as u64).max(1))
    });
    proptest::collection::vec(one, 1..5)
}

/// The bins by the rule's own words, base by base; `missing` says of a chromosome what its uncovered bases
/// count as.
fn by_the_rule(
    signal: &Signal,
    axis: &GenomeAxis,
    missing: impl Fn(usize) -> Missing,
) -> (Vec<f32>, u64, u64) {
    let assembly = axis.assembly();
    let mut bases: Vec<Vec<f32>> = SIZES
        .iter()
        .map(|(_, length)| vec![f32::NAN; *length as usize])
        .collect();
    let mut touched = bases.clone();
    for (rank, start, end, value) in signal {
        bases[*rank][*start as usize..*end as usize].fill(*value);
        touched[*rank][*start as usize..*end as usize].fill(1.0);
    }
    let (mut n_nan, mut n_negative) = (0, 0);
    let mut bins = Vec::new();
    for bin in 0..axis.n_bins() {
        let interval = axis.bin_interval(bin);
        let rank = assembly.rank(&interval.chrom).unwrap();
        let range = interval.start as usize..interval.end as usize;
        let covered: Vec<f64> = bases[rank][range.clone()]
            .iter()
            .filter(|v| !v.is_nan())
            .map(|v| f64::from(*v))
            .collect();
        let has_nan = touched[rank][range].iter().filter(|t| **t == 1.0).count() > covered.len();
        let divisor = match missing(rank) {
            Missing::Nan => covered.len() as f64,
            _ => interval.len() as f64,
        };
        let mean = if covered.is_empty() && (has_nan || missing(rank) == Missing::Nan) {
            n_nan += 1;
            f32::NAN
        } else if covered.is_empty() {
            0.0
        } else {
            (covered.iter().sum::<f64>() / divisor) as f32
        };
        n_negative += u64::from(mean < 0.0);
        bins.push(mean);
    }
    (bins, n_nan, n_negative)
}

fn write_bigwig(file: &Path, signal: &Signal, assembly: &Assembly) {
    let mut out = BigWigFile::create(file, assembly).unwrap();
    for (rank, start, end, value) in signal {
        let (rank, start, end) = (*rank as u32, *start as u32, *end as u32);
        out.add(Run {
            rank,
            start,
            end,
            value: *value,
        })
        .unwrap();
    }
    out.finish().unwrap();
}

fn lines(signal: &Signal, line: impl Fn(&str, u64, u64, f32) -> String) -> Vec<String> {
    signal
        .iter()
        .map(|(rank, start, end, value)| line(SIZES[*rank].0, *start, *end, *value))
        .collect()
}

fn write_lines(file: &Path, lines: &[String]) {
    let mut text = String::from("track type=any\n# a remark\n\n");
    for line in lines {
        writeln!(text, "{line}").unwrap();
    }
    if file.extension().is_some_and(|end| end == "gz") {
        use std::io::Write;
        // Two members, as bgzip makes them.
        let (first, second) = text.split_at(text.len() / 2);
        let mut bytes = Vec::new();
        for part in [first, second] {
            let level = flate2::Compression::fast();
            let mut gz = flate2::write::GzEncoder::new(&mut bytes, level);
            gz.write_all(part.as_bytes()).unwrap();
            gz.finish().unwrap();
        }
        std::fs::write(file, bytes).unwrap();
    } else {
        std::fs::write(file, text).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_signal_gives_the_same_bins_in_every_format(
        signal in signal(),
        regions in regions(),
        missing in prop_oneof![Just(Missing::Nan), Just(Missing::Zero), Just(Missing::ByFormat)],
    ) {
        let axis = GenomeAxis::new(assembly(&SIZES), regions).unwrap();
        let of_dense = |_| if missing == Missing::Zero { Missing::Zero } else { Missing::Nan };
        // Peaks are 0 in between on the chromosomes that have one, and on all where no line is.
        let of_peaks = |rank: usize| match missing {
            Missing::ByFormat if signal.is_empty() || signal.iter().any(|i| i.0 == rank) => Missing::Zero,
            Missing::ByFormat => Missing::Nan,
            given => given,
        };
        let dense = by_the_rule(&signal, &axis, of_dense);
        let called = by_the_rule(&signal, &axis, of_peaks);
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);

        let mut files = vec!["a.bw", "a.narrowPeak", "a.broadPeak.gz", "a.bed.gz"];
        write_bigwig(&file("a.bw"), &signal, axis.assembly());
        let bedgraph = lines(&signal, |c, s, e, v| format!("{c}\t{s}\t{e}\t{v:?}"));
        if !signal.is_empty() {
            files.extend(["a.bedGraph", "a.bdg.gz"]);
            write_lines(&file("a.bedGraph"), &bedgraph);
            write_lines(&file("a.bdg.gz"), &bedgraph);
        }
        let peak = |c: &str, s: u64, e: u64, v: f32| format!("{c}\t{s}\t{e}\tp\t0\t.\t{v}\t-1\t-1\t-1");
        let mut peaks = lines(&signal, peak);
        peaks.reverse();
        write_lines(&file("a.narrowPeak"), &peaks);
        write_lines(&file("a.broadPeak.gz"), &peaks);
        let scores = lines(&signal, |c, s, e, v| format!("{c} {s}  {e} name {v} +"));
        write_lines(&file("a.bed.gz"), &scores);
        for name in files {
            let (values, report) = read_bins(&path(file(name)), None, &axis, missing).unwrap();
            let is_dense = ["a.bw", "a.bedGraph", "a.bdg.gz"].contains(&name);
            let (bins, n_nan, n_negative) = if is_dense { &dense } else { &called };
            prop_assert_eq!(shown(&values), shown(bins), "{}", name);
            prop_assert_eq!(report.n_nan_bins, *n_nan, "{}", name);
            prop_assert_eq!(report.n_negative_bins, *n_negative, "{}", name);
        }

        // Arrays hold bins: the same ones, as all regions together and by chromosome.
        let (bins, ..) = dense;
        std::fs::write(file("a.npy"), npy(&bins)).unwrap();
        put_npz(&file("all.npz"), &[("arr_0", npy(&bins))]);
        let mut covered = Vec::new();
        let mut whole = Vec::new();
        for (chrom, _) in SIZES {
            let of_chrom: Vec<u64> = (0..axis.n_bins())
                .filter(|bin| axis.bin_interval(*bin).chrom == chrom)
                .collect();
            let values: Vec<f32> = of_chrom.iter().map(|bin| bins[*bin as usize]).collect();
            covered.push((chrom, npy(&values)));
            let n_bins = axis.assembly().chromosome(chrom).unwrap().n_bins();
            let mut values = vec![7.0; n_bins as usize];
            for bin in of_chrom {
                values[axis.locate(bin).chrom_bin as usize] = bins[bin as usize];
            }
            whole.push((chrom, npy(&values)));
        }
        put_npz(&file("covered.npz"), &covered);
        put_npz(&file("whole.npz"), &whole);
        for name in ["a.npy", "all.npz", "covered.npz", "whole.npz"] {
            let (values, _) = read_bins(&path(file(name)), None, &axis, missing).unwrap();
            prop_assert_eq!(shown(&values), shown(&bins), "{}", name);
        }
    }
}

#[test]
fn what_one_writer_writes_every_reader_of_it_reads_back() {
    let parts = vec![
        region("chr1", 20, 20),
        region("chr2", 60, 21),
        region("chr2", 3, 5),
    ];
    let axis = GenomeAxis::new(assembly(&SIZES), parts).unwrap();
    let bins: Vec<f32> = (0..axis.n_bins())
        .map(|i| match i % 11 {
            3 | 4 => f32::NAN,
            _ => (i % 7) as f32 / 3.0 - 0.5,
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.bw", "a.bedgraph", "a.bedgraph.gz", "a.npz", "a.npy"] {
        let file = dir.path().join(name);
        let format = Format::guess(&path(&file)).unwrap();
        let mut writer = super::super::create_signal(&file, format, &axis).unwrap();
        for region in axis.sorted_regions() {
            let range = axis.region_bins(*region);
            let middle = range.start + 2;
            for part in [range.start..middle, middle..range.end] {
                let values = &bins[part.start as usize..part.end as usize];
                writer.write(part.start, values).unwrap();
            }
        }
        writer.finish().unwrap();
        let (values, report) = read_bins(&path(&file), None, &axis, Missing::ByFormat).unwrap();
        assert_eq!(shown(&values), shown(&bins), "{name}");
        assert_eq!(
            report.n_negative_bins,
            bins.iter().filter(|b| **b < 0.0).count() as u64
        );
    }
}
