//! Compares simulated tracks with the real ones of the pilot regions: the tables of
//! `docs/src/method/simulation.md`.
//!
//! `cargo run --release --no-default-features --example simulation_statistics`

use std::path::{Path, PathBuf};

use persea::formats::{Location, ReadOptions, open_signal};
use persea::genome::{Assembly, GenomeAxis};
use persea::simulation::{SignalKind, SimulatedTrack, Simulation, SimulationConfig};

const ASSAYS: [&str; 5] = ["H3K4me1", "H3K4me3", "H3K9me3", "H3K27me3", "H3K36me3"];
const LAGS: [usize; 5] = [1, 4, 10, 40, 200];
const SHARES: [f64; 5] = [0.05, 0.5, 0.95, 0.99, 0.999];

/// An arcsinh track and its assay.
type Track = (String, Vec<f32>);

fn main() -> persea::Result<()> {
    let data = std::env::var_os("PERSEA_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let simulation = Simulation::new(SimulationConfig {
        seed: 1,
        assays: ASSAYS.map(String::from).to_vec(),
        n_chromosomes: 6,
        chromosome_bp: 4_700_000,
        ..SimulationConfig::default()
    })?;
    println!("ranges over tracks; arcsinh scale; r: between biosamples, same assay (mean)\n");
    println!(
        "| assay | tracks | mean | variance | 5 % | 50 % | 95 % | 99 % | 99.9 % | r at 25 bp | 100 bp | 250 bp | 1 kb | 5 kb | r |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    if data.join("pilot").is_dir() {
        let (axis, tracks) = real_tracks(&data.join("pilot"))?;
        print_table("real", &axis, &tracks);
    } else {
        println!("skipped: {} is not there", data.display());
    }
    let mut tracks = Vec::new();
    for track in simulation.tracks() {
        let assay = simulation.assays()[track.assay].name.clone();
        tracks.push((assay, arcsinh(&simulation, track, SignalKind::Observed)?));
    }
    print_table("simulated", simulation.axis(), &tracks);
    print_difficulty(&simulation, &tracks)
}

fn arcsinh(
    simulation: &Simulation,
    track: &SimulatedTrack,
    kind: SignalKind,
) -> persea::Result<Vec<f32>> {
    let signal = simulation.signal(track, kind, 0..simulation.axis().n_bins())?;
    Ok(signal.into_iter().map(f32::asinh).collect())
}

/// How near average activity comes to the held-out tracks, and how near anything can.
fn print_difficulty(simulation: &Simulation, tracks: &[Track]) -> persea::Result<()> {
    let mut sums = [0.0; 4];
    let mut n = 0.0;
    for (i, target) in simulation
        .tracks()
        .iter()
        .enumerate()
        .filter(|(_, t)| !t.is_measured)
    {
        let observed = &tracks[i].1;
        let others: Vec<&[f32]> = simulation
            .tracks()
            .iter()
            .zip(tracks)
            .filter(|(t, _)| t.is_measured && t.assay == target.assay)
            .map(|(_, t)| t.1.as_slice())
            .collect();
        let average: Vec<f32> = (0..observed.len())
            .map(|bin| others.iter().map(|o| o[bin]).sum::<f32>() / others.len() as f32)
            .collect();
        let truth = arcsinh(simulation, target, SignalKind::NoiseFree)?;
        let mse = |guess: &[f32]| {
            let squares = guess
                .iter()
                .zip(observed)
                .map(|(g, o)| f64::from(g - o).powi(2));
            squares.sum::<f64>() / observed.len() as f64
        };
        let found = [
            mse(&average),
            correlation(&average, observed),
            mse(&truth),
            correlation(&truth, observed),
        ];
        sums.iter_mut()
            .zip(found)
            .for_each(|(sum, value)| *sum += value);
        n += 1.0;
    }
    let [average, average_r, floor, floor_r] = sums.map(|sum| sum / n);
    println!(
        "\n{n} simulated tracks held out: average activity mse {average:.4}, r {average_r:.3};"
    );
    println!("noise-free truth mse {floor:.4}, r {floor_r:.3}");
    Ok(())
}

fn real_tracks(pilot: &Path) -> persea::Result<(GenomeAxis, Vec<Track>)> {
    let bed = pilot.join("pilot_regions.hg19.bed");
    let axis = GenomeAxis::from_bed(Assembly::by_name("hg19")?, &bed)?;
    let mut tracks = Vec::new();
    for assay in ASSAYS {
        for biosample in ["E003", "E017", "E065", "E116", "E117"] {
            let name = format!("tracks/{biosample}.{assay}.pilot.arcsinh.npz");
            if !pilot.join(&name).is_file() {
                continue;
            }
            let mut values = vec![0.0; axis.n_bins() as usize];
            let location = Location::parse(&name, pilot);
            let options = ReadOptions::default();
            open_signal(&location, None)?.read(&axis, &options, &mut |bin, piece| {
                values[bin as usize..bin as usize + piece.len()].copy_from_slice(piece);
                Ok(())
            })?;
            tracks.push((assay.to_string(), values));
        }
    }
    Ok((axis, tracks))
}

fn print_table(kind: &str, axis: &GenomeAxis, tracks: &[Track]) {
    for assay in ASSAYS {
        let of_assay: Vec<&[f32]> = tracks
            .iter()
            .filter(|t| t.0 == assay)
            .map(|t| t.1.as_slice())
            .collect();
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); 2 + SHARES.len() + LAGS.len()];
        for values in &of_assay {
            for (column, value) in columns.iter_mut().zip(describe(axis, values)) {
                column.push(value);
            }
        }
        let mut r = Vec::new();
        for (i, a) in of_assay.iter().enumerate() {
            r.extend(of_assay[i + 1..].iter().map(|b| correlation(a, b)));
        }
        print!("| {assay} | {kind}");
        for column in columns {
            let low = column.iter().copied().fold(f64::INFINITY, f64::min);
            let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            print!(" | {low:.2}–{high:.2}");
        }
        println!(" | {:.2} |", r.iter().sum::<f64>() / r.len() as f64);
    }
}

/// Mean, variance, quantiles, autocorrelations (inside regions).
fn describe(axis: &GenomeAxis, values: &[f32]) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = values
        .iter()
        .map(|v| (f64::from(*v) - mean).powi(2))
        .sum::<f64>()
        / n;
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let quantile = |share: f64| f64::from(sorted[(share * (n - 1.0)).round() as usize]);
    let lagged = |lag: usize| {
        let (mut here, mut there) = (Vec::new(), Vec::new());
        for region in 0..axis.regions().len() {
            let bins = axis.region_bins(region);
            let part = &values[bins.start as usize..bins.end as usize];
            here.extend_from_slice(&part[..part.len() - lag]);
            there.extend_from_slice(&part[lag..]);
        }
        correlation(&here, &there)
    };
    let mut all = vec![mean, variance];
    all.extend(SHARES.map(quantile));
    all.extend(LAGS.map(lagged));
    all
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let n = a.len() as f64;
    let mean = |list: &[f32]| list.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (f64::from(*x) - ma, f64::from(*y) - mb);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    ab / (aa * bb).sqrt()
}
