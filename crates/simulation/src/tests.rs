//! Tests of the simulation as a whole: is the truth true, and is it hard enough?

use std::path::Path;

use super::activity::PromoterState;
use super::*;
use persea_genome::{Assembly, GenomeAxis};
use persea_signal::{Location, ReadOptions, open_signal};

fn config() -> SimulationConfig {
    SimulationConfig {
        n_biosamples: 7,
        n_groups: 2,
        n_chromosomes: 1,
        chromosome_bp: 2_500_000,
        ..SimulationConfig::default()
    }
}

fn arcsinh(simulation: &Simulation, track: &SimulatedTrack, kind: SignalKind) -> Vec<f64> {
    let bins = 0..simulation.axis().n_bins();
    let signal = simulation.signal(track, kind, bins).unwrap();
    signal.into_iter().map(|v| f64::from(v).asinh()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn mse(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>() / a.len() as f64
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    let products = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter()
            .zip(y)
            .map(|(x, y)| (x - mx) * (y - my))
            .sum::<f64>()
    };
    products(a, ma, b, mb) / (products(a, ma, a, ma) * products(b, mb, b, mb)).sqrt()
}

/// The mean of tracks, bin by bin.
fn average(tracks: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; tracks[0].len()];
    for track in tracks {
        sum.iter_mut().zip(track).for_each(|(s, v)| *s += v);
    }
    sum.into_iter().map(|s| s / tracks.len() as f64).collect()
}

#[test]
fn noise_free_signal_is_unbiased_and_correlates_with_the_observed_as_stated() {
    let simulation = Simulation::new(config()).unwrap();
    for track in simulation.tracks() {
        let observed = arcsinh(&simulation, track, SignalKind::Observed);
        let truth = arcsinh(&simulation, track, SignalKind::NoiseFree);
        let name = &simulation.assays()[track.assay].name;
        let r = correlation(&observed, &truth);
        assert!(
            (0.3..0.97).contains(&r),
            "{name} of S{}: {r}",
            track.biosample + 1
        );
        if name == "H3K4me3" && !simulation.biosamples()[track.biosample].is_quiet {
            assert!(r > 0.7, "{r}");
        }
        let bias = mean(&observed) - mean(&truth);
        assert!(
            bias.abs() < 0.012,
            "{name} of S{}: {bias}",
            track.biosample + 1
        );
    }
}

#[test]
fn depth_without_extra_noise_brings_the_observed_near_the_truth() {
    let r = |depth: f64, noise: f64| {
        let config = SimulationConfig {
            depth,
            noise,
            ..config()
        };
        let simulation = Simulation::new(config).unwrap();
        let track = &simulation.tracks()[4];
        correlation(
            &arcsinh(&simulation, track, SignalKind::Observed),
            &arcsinh(&simulation, track, SignalKind::NoiseFree),
        )
    };
    let (shallow, usual, deep) = (r(0.3, 2.0), r(1.0, 1.0), r(8.0, 0.0));
    assert!(
        shallow + 0.05 < usual && usual + 0.1 < deep,
        "{shallow} {usual} {deep}"
    );
}

#[test]
fn average_activity_is_beaten_by_the_truth_of_the_biosamples_own_group() {
    let simulation = Simulation::new(config()).unwrap();
    let n_assays = simulation.assays().len();
    let (mut of_average, mut of_group, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    // Marks that groups differ in; the quiet biosample is left out, for it differs in scale.
    for assay in [0, 2, 6] {
        let others = |kind: SignalKind, group: Option<usize>| -> Vec<Vec<f64>> {
            (1..5)
                .filter(|b| group.is_none_or(|g| simulation.biosamples()[*b].group == g))
                .map(|b| {
                    arcsinh(
                        &simulation,
                        &simulation.tracks()[b * n_assays + assay],
                        kind,
                    )
                })
                .collect()
        };
        let target = &simulation.tracks()[assay];
        let observed = arcsinh(&simulation, target, SignalKind::Observed);
        let group = simulation.biosamples()[0].group;
        of_average.push(mse(
            &average(&others(SignalKind::Observed, None)),
            &observed,
        ));
        of_group.push(mse(
            &average(&others(SignalKind::NoiseFree, Some(group))),
            &observed,
        ));
        floor.push(mse(
            &arcsinh(&simulation, target, SignalKind::NoiseFree),
            &observed,
        ));
    }
    let (of_average, of_group, floor) = (mean(&of_average), mean(&of_group), mean(&floor));
    assert!(of_group < 0.9 * of_average, "{of_group} {of_average}");
    assert!(floor < 0.9 * of_group, "{floor} {of_group}");
}

#[test]
fn expression_correlates_with_the_signal_at_the_promoter() {
    let simulation = Simulation::new(config()).unwrap();
    let n = simulation.biosamples().len();
    let k4me3 = arcsinh(&simulation, &simulation.tracks()[1], SignalKind::Observed);
    let expression = simulation.expression(0).unwrap();
    let (mut rpkm, mut signal, mut is_active) = (Vec::new(), Vec::new(), Vec::new());
    let truth = &simulation.chromosomes[0];
    let activity = simulation.activity(truth, 0);
    for (i, gene) in simulation.genes().iter().enumerate() {
        let bin = (gene.tss() / 25) as usize;
        signal.push(mean(
            &k4me3[bin.saturating_sub(20)..(bin + 20).min(k4me3.len())],
        ));
        rpkm.push(f64::from(expression[i * n]).asinh());
        is_active.push(f64::from(u8::from(
            activity.promoters[i].state == PromoterState::Active,
        )));
    }
    assert!(
        correlation(&rpkm, &signal) > 0.6,
        "{}",
        correlation(&rpkm, &signal)
    );
    assert!(
        correlation(&is_active, &signal) > 0.75,
        "{}",
        correlation(&is_active, &signal)
    );
}

#[test]
fn quiet_biosamples_are_quiet_in_every_assay() {
    let simulation = Simulation::new(config()).unwrap();
    let n_assays = simulation.assays().len();
    for assay in 0..n_assays {
        let variance = |b: usize| {
            let track = &simulation.tracks()[b * n_assays + assay];
            let values = arcsinh(&simulation, track, SignalKind::Observed);
            let m = mean(&values);
            values.iter().map(|v| (v - m).powi(2)).sum::<f64>() / values.len() as f64
        };
        assert!(simulation.biosamples()[5].is_quiet);
        let others = mean(&[0, 1, 2, 3, 4, 6].map(variance));
        assert!(
            variance(5) < 0.8 * others,
            "{}",
            simulation.assays()[assay].name
        );
    }
}

/// A track of the pilot regions, or nothing where the data do not exist.
fn real_track(name: &str) -> Option<Vec<f64>> {
    let shared = std::env::var_os("PERSEA_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        Into::into,
    );
    let pilot = shared.join("pilot");
    if !pilot.is_dir() {
        crate::skipped::skipped("data", format!("{} is not there", pilot.display()));
        return None;
    }
    let hg19 = Assembly::by_name("hg19").unwrap();
    let axis = GenomeAxis::from_bed(hg19, &pilot.join("pilot_regions.hg19.bed")).unwrap();
    let location = Location::parse(&format!("tracks/{name}.pilot.arcsinh.npz"), &pilot);
    let mut reader = open_signal(&location, None).unwrap();
    let mut values = vec![0.0; axis.n_bins() as usize];
    reader
        .read(&axis, &ReadOptions::default(), &mut |bin, piece| {
            for (value, read) in values[bin as usize..].iter_mut().zip(piece) {
                *value = f64::from(*read);
            }
            Ok(())
        })
        .unwrap();
    Some(values)
}

/// Mean, variance, median, 99 % quantile, autocorrelation at 25 and at 100 bp.
fn summary(values: &[f64]) -> [f64; 6] {
    let m = mean(values);
    let variance = values.iter().map(|v| (v - m).powi(2)).sum::<f64>() / values.len() as f64;
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let quantile = |share: f64| sorted[(share * (sorted.len() - 1) as f64) as usize];
    let lagged = |lag: usize| correlation(&values[..values.len() - lag], &values[lag..]);
    [
        m,
        variance,
        quantile(0.5),
        quantile(0.99),
        lagged(1),
        lagged(4),
    ]
}

#[test]
fn simulated_tracks_lie_among_the_real_ones_of_their_assay() {
    let real = [
        ("H3K4me1", ["E003", "E017", "E065", "E116"]),
        ("H3K4me3", ["E003", "E017", "E116", "E117"]),
        ("H3K9me3", ["E003", "E065", "E116", "E117"]),
    ];
    let assays: Vec<String> = real.iter().map(|(name, _)| name.to_string()).collect();
    let simulation = Simulation::new(SimulationConfig {
        assays,
        chromosome_bp: 5_000_000,
        ..config()
    })
    .unwrap();
    for (assay, (name, biosamples)) in real.iter().enumerate() {
        let mut low = [f64::INFINITY; 6];
        let mut high = [f64::NEG_INFINITY; 6];
        for biosample in biosamples {
            let Some(track) = real_track(&format!("{biosample}.{name}")) else {
                return;
            };
            for (i, value) in summary(&track).into_iter().enumerate() {
                low[i] = low[i].min(value);
                high[i] = high[i].max(value);
            }
        }
        let simulated: Vec<[f64; 6]> = (0..7)
            .map(|b| {
                let track = &simulation.tracks()[b * 3 + assay];
                summary(&arcsinh(&simulation, track, SignalKind::Observed))
            })
            .collect();
        for i in 0..6 {
            let mut values: Vec<f64> = simulated.iter().map(|s| s[i]).collect();
            values.sort_unstable_by(f64::total_cmp);
            // The median simulated track, within a fifth of the real range.
            let inside = low[i] / 1.2..high[i] * 1.2;
            assert!(
                inside.contains(&values[3]),
                "{name} {i}: {values:?} beside {inside:?}"
            );
        }
    }
}
