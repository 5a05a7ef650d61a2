//! What an encoder reads, worked out by hand, and that a row's factors depend on nothing else.

use ndarray::Array2;

use super::*;
use crate::genome::{Assembly, GenomeAxis, Region, Resolution};
use crate::model::{Dense, TrackScale};
use crate::random::{Purpose, fill_uniform, generator};

const PLAIN: TrackScale = TrackScale {
    mean: 0.0,
    deviation: 1.0,
};

fn axis(regions: &[(u64, u64)]) -> GenomeAxis {
    let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 1_000_000)]).unwrap();
    let region = |(first_bin, n_bins): &(u64, u64)| Region {
        name: None,
        chrom: "chr1".into(),
        first_bin: *first_bin,
        n_bins: *n_bins,
    };
    GenomeAxis::new(assembly, regions.iter().map(region).collect()).unwrap()
}

/// Signal of a bin of the chromosome: something without a pattern.
fn signal(track: usize, bin: u64) -> f32 {
    ((bin * 7919 + track as u64 * 104_729) % 1009) as f32 / 100.0
}

fn describe(
    axis: &GenomeAxis,
    scales: &[TrackScale],
    value: impl Fn(usize, u64) -> f32,
) -> Vec<(Stretch, Surroundings)> {
    let of = |stretch: Stretch| {
        let read = |track: usize, bins: std::ops::Range<u64>, out: &mut [f32]| {
            for (out, bin) in out.iter_mut().zip(bins) {
                *out = value(track, axis.locate(bin).chrom_bin);
            }
            Ok::<(), ()>(())
        };
        let found = Surroundings::describe(
            &stretch,
            &stretch.region_bins,
            ReadTracks::each(scales),
            read,
        )
        .unwrap();
        (stretch, found)
    };
    Stretch::all(axis).into_iter().map(of).collect()
}

#[test]
fn windows_of_a_small_region_are_those_worked_out_by_hand() {
    // Bins 395 to 424 of the chromosome: 5 kbp rows 1 (5 bins) and 2 (25 bins); value = bin − 395.
    let axis = axis(&[(395, 30)]);
    let found = describe(&axis, &[PLAIN], |_, bin| (bin - 395) as f32);
    let (stretch, all) = &found[0];
    assert_eq!(found.len(), 1);
    assert_eq!(stretch.rows(Resolution::Kbp5), 1..3);
    assert_eq!([0, 1, 2].map(|s| all.n_rows(s, 1)), [2, 4, 30]);
    // 5 kbp, row 2: bins 400 to 424 hold 5 to 29: mean 17; rows of 250 bp have means 9.5, 19.5 and,
    // of the five bins that are left, 27; maximum 29; deviation √((25² − 1) / 12) = √52; the row
    // before holds 0 to 4, mean 2; there is none after, so the row's own mean; all bins: 14.5.
    let row = &all.values[0][7..14];
    let expected = [17.0, 27.0, 29.0, 52f32.sqrt(), 2.0, 17.0, 14.5];
    row.iter()
        .zip(expected)
        .for_each(|(found, expected)| assert!((found - expected).abs() < 1e-5, "{row:?}"));
    // 30 bins of the 200 + 2 × 600 around a whole row have data.
    assert!((all.seen[0][1] - 30.0 / 1400.0).abs() < 1e-7);
    // 250 bp, row 40 (bins 400 to 409, values 5 to 14): mean 9.5, maximum 14; before 2; after 19.5;
    // 20 bins on either side: all; so are the wider windows.
    assert_eq!(
        &all.values[1][7..14],
        &[9.5, 14.0, 2.0, 19.5, 14.5, 14.5, 14.5]
    );
    // 25 bp, bin 396 (value 1): itself, 0 to 2, 0 to 6, 0 to 21.
    assert_eq!(&all.values[2][4..8], &[1.0, 1.0, 3.0, 10.5]);
    assert!((all.seen[2][1] - 22.0 / 41.0).abs() < 1e-7);
}

#[test]
fn bins_without_data_are_left_out_of_windows_and_lower_the_share_that_has_data() {
    let axis = axis(&[(0, 400)]);
    let found = describe(&axis, &[PLAIN], |_, bin| match bin {
        0..200 => f32::NAN,
        _ => 3.0,
    });
    let all = &found[0].1;
    assert!(all.values[0][..7].iter().take(5).all(|v| v.is_nan()));
    // The row after has data, and so has the wide window.
    assert_eq!(&all.values[0][5..7], &[3.0, 3.0]);
    assert_eq!(all.seen[0], [200.0 / 1400.0, 200.0 / 1400.0]);
    // Inputs are 0 there.
    let scale = InputScale {
        mean: vec![1.0; 7],
        deviation: vec![2.0; 7],
    };
    let mut rows = vec![f32::NAN; 8];
    input_rows(
        (&scale, 0),
        &all.values[0][..7],
        &all.seen[0][..1],
        None,
        &mut rows,
    );
    assert_eq!(rows[..7], [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    input_rows(
        (&scale, 0),
        &all.values[0][..7],
        &all.seen[0][..1],
        Some(&[0.0]),
        &mut rows,
    );
    assert_eq!(rows, [0.0; 8]);
}

#[test]
fn a_number_counts_half_at_the_saturation_and_is_clipped_where_there_is_none() {
    let of = |saturation| [0.0f32, 1.0, -4.0, 12.0, 1e6].map(|v| super::saturated(v, saturation));
    assert_eq!(of(4)[..4], [0.0, 0.8, -2.0, 3.0]);
    assert!(of(4)[4] > 3.99 && of(4)[4] <= 4.0);
    assert_eq!(of(0), [0.0, 1.0, -4.0, 12.0, 12.0]);
}

/// An encoder of two tracks with numbers drawn from a seed.
pub(crate) fn drawn(seed: u64) -> Encoder {
    let config = EncoderConfig {
        pools: Vec::new(),
        saturation: 4,
        standardised: true,
        axes: false,
        tracks: 2,
        nodes: 12,
        codes: [4, 3, 2],
    };
    let mut rng = generator(seed, Purpose::Initial, 0);
    let mut numbers = |n: usize| {
        let mut values = vec![0f32; n];
        fill_uniform(&mut rng, 0.5, &mut values);
        values
    };
    let mut matrix = |rows: usize, cols: usize| {
        Array2::from_shape_vec((rows, cols), numbers(rows * cols)).unwrap()
    };
    let mut layer = |inputs: usize, outputs: usize| Dense {
        weight: matrix(inputs, outputs),
        bias: matrix(1, outputs).into_iter().collect(),
    };
    let layers = [0, 1, 2].map(|s| [layer(config.inputs(s), 12), layer(12, 12)]);
    let maps = [0, 1, 2].map(|s| {
        let (hidden, inputs) = (
            layer(12, config.codes[s]),
            layer(config.inputs(s), config.codes[s]),
        );
        CodeMap {
            hidden: hidden.weight.into_iter().collect(),
            inputs: inputs.weight.into_iter().collect(),
            bias: hidden.bias.to_vec(),
            axes: Vec::new(),
        }
    });
    let encoder = Encoder {
        input_scales: [0, 1, 2].map(|s| InputScale {
            mean: vec![1.0; config.described(s)],
            deviation: vec![2.0; config.described(s)],
        }),
        scales: vec![
            TrackScale {
                mean: 4.0,
                deviation: 3.0,
            };
            2
        ],
        config,
        layers,
        maps,
    };
    encoder.check().unwrap();
    encoder
}

#[test]
fn a_bin_far_from_every_edge_has_the_same_bits_whether_its_region_is_embedded_alone_or_inside_a_longer_one()
 {
    let encoder = drawn(3);
    // 40,000 bins from bin 17 on; and 5,000 of them, from bin 20,123 on.
    let embed = |first: u64, n: u64| {
        let axis = axis(&[(first, n)]);
        let mut rows: [std::collections::BTreeMap<u64, Vec<u32>>; 3] = Default::default();
        for (stretch, surroundings) in describe(&axis, &encoder.scales, signal) {
            let codes = encoder.encode(&surroundings);
            for resolution in Resolution::ALL {
                let width = encoder.factors(resolution);
                let bits = codes[resolution.index()]
                    .chunks_exact(width)
                    .map(|c| c.iter().map(|v| v.to_bits()).collect());
                rows[resolution.index()].extend(stretch.rows(resolution).zip(bits));
            }
        }
        rows
    };
    let (long, short) = (embed(17, 39_900), embed(20_123, 5_000));
    // 20 kb are 800 bins.
    let mut compared = 0;
    for bin in 20_123 + 800..25_123 - 800 {
        for resolution in Resolution::ALL {
            let row = bin / resolution.bins();
            let (long, short) = (&long[resolution.index()], &short[resolution.index()]);
            assert_eq!(long[&row], short[&row], "{resolution} row {row}");
            compared += 1;
        }
    }
    assert_eq!(compared, 10_200);
    // Beside an edge they differ, or the test would compare constants.
    assert_ne!(long[0][&20_123], short[0][&20_123]);
}

#[test]
fn an_encoder_whose_shapes_disagree_or_that_is_not_finite_is_refused() {
    let mut encoder = drawn(1);
    encoder.maps[2].bias.push(0.0);
    assert!(encoder.check().is_err());
    let mut encoder = drawn(1);
    encoder.layers[0][1].weight[[0, 0]] = f32::NAN;
    assert!(encoder.check().is_err());
    let mut encoder = drawn(1);
    encoder.scales.pop();
    assert!(encoder.check().is_err());
}

#[test]
fn a_pool_is_read_as_the_mean_of_its_tracks_that_have_data() {
    let axis = axis(&[(0, 30)]);
    let wide = TrackScale {
        mean: 2.0,
        deviation: 2.0,
    };
    // In standard deviations the second track is the bin's number, and the third three times that; it has none in bin 3.
    let value = |track: usize, bin: u64| match track {
        0 => 7.0,
        1 => 2.0 + 2.0 * bin as f32,
        _ if bin == 3 => f32::NAN,
        _ => 3.0 * bin as f32,
    };
    let scales = [PLAIN, wide, PLAIN];
    let tracks = ReadTracks {
        scales: &scales,
        pools: &[1, 0, 0],
    };
    assert_eq!(
        (tracks.n_inputs(), tracks.members()),
        (2, vec![vec![1, 2], vec![0]])
    );
    let stretch = &Stretch::all(&axis)[0];
    let read = |track: usize, bins: std::ops::Range<u64>, out: &mut [f32]| {
        (out.iter_mut().zip(bins)).for_each(|(out, bin)| *out = value(track, bin));
        Ok::<(), ()>(())
    };
    let found = Surroundings::describe(stretch, &stretch.region_bins, tracks, read).unwrap();
    for bin in 0..30 {
        let described = &found.values[2][bin * WINDOWS[2] * 2..][..2];
        let expected = if bin == 3 { 3.0 } else { 2.0 * bin as f32 };
        assert!(
            (described[0] - expected).abs() < 1e-6 && described[1] == 7.0,
            "{bin}"
        );
    }
    let mut config = EncoderConfig {
        tracks: 2,
        pools: vec![1, 0, 0],
        nodes: 1,
        codes: [1; 3],
        saturation: 4,
        standardised: true,
        axes: true,
    };
    assert!(config.check().is_ok() && config.n_read() == 3);
    config.pools = vec![0, 0, 0];
    assert!(
        config
            .check()
            .unwrap_err()
            .to_string()
            .contains("pool 1 of the encoder has no track")
    );
    config.pools = vec![0, 1, 2];
    assert!(config.check().is_err());
}
