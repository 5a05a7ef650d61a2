//! A step's time and the memory a bin where the genome is small and where it is large.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Instant;

use anyhow::bail;
use persea::factorization::{
    Arithmetic, Backend, Device, FactorizationError, Sampling, Settings, TrackSource, Trained,
    Trainer, TrainingSet, TrainingTrack,
};
use persea::genome::{Assembly, BIN_BP, GenomeAxis, Mask};
use persea::model::{GenomeFactors, Network};

use crate::figures::median;
use crate::worker::{Worker, serve};
use crate::{Bench, machine, pilot};

/// Bins of the two genomes.
const GENOMES: [u64; 2] = [1_000_000, 30_000_000];
/// Bins of signal in memory, the same for both.
const WINDOW_BINS: u64 = 1 << 20;
/// Biosamples and assays, every experiment measured.
const TRACKS: (u32, u32) = (4, 5);
/// Steps a round.
const STEPS: usize = 100;

/// Signal that costs next to nothing to make.
struct Made;

impl TrackSource for Made {
    fn read(
        &self,
        track: usize,
        bins: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), FactorizationError> {
        for (value, bin) in out.iter_mut().zip(bins) {
            let mixed = (bin + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ track as u64);
            *value = (mixed >> 40) as f32 * (1.0 / 16_777_216.0);
        }
        Ok(())
    }
}

/// Step times of both genomes, in turns, in the second pass: in the first no row has anything to
/// catch up with.
pub fn run(bench: &Bench) -> anyhow::Result<()> {
    println!("a step of `small` (10,000 samples) by the size of the genome, 20 tracks");
    for sampling in ["sequential", "permuted"] {
        let mut workers = Vec::new();
        for n_bins in GENOMES {
            workers.push(Worker::ours(&[
                "genome-worker",
                sampling,
                &n_bins.to_string(),
            ])?);
        }
        for worker in &mut workers {
            worker.rate("pass")?;
        }
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..bench.rounds {
            for (worker, times) in workers.iter_mut().zip(&mut times) {
                times.push(1e3 / worker.rate("steps")?);
            }
        }
        let ratios: Vec<f64> = (times[1].iter().zip(&times[0]))
            .map(|(l, s)| l / s)
            .collect();
        println!(
            "  {sampling:<32} {:.2} ms at 1 M bins, {:.2} ms at 30 M: {:.2} × ({:.2} to {:.2}; wanted 1; load {})",
            median(&times[0]),
            median(&times[1]),
            median(&ratios),
            ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratios.iter().copied().fold(0.0, f64::max),
            machine::load(),
        );
        if let (Some(small), Some(large)) = (workers[0].peak_bytes(), workers[1].peak_bytes()) {
            println!(
                "  {:<32} {:.0} MB at 1 M bins, {:.0} MB at 30 M: {:.1} bytes a bin",
                format!("{sampling}, peak memory"),
                small as f64 / 1e6,
                large as f64 / 1e6,
                (large as f64 - small as f64) / (GENOMES[1] - GENOMES[0]) as f64,
            );
        }
    }
    Ok(())
}

/// Our worker: `pass` trains a whole pass, `steps` some steps; what is done is counted in steps,
/// what takes time is the median step, without the wait for signal.
pub fn work(sampling: &str, n_bins: u64) -> anyhow::Result<()> {
    let mut trainer = trainer(sampling, n_bins)?;
    serve(|words| {
        let mut seconds = Vec::new();
        let mut last: Option<Instant> = None;
        let most = match words {
            ["pass"] => usize::MAX,
            ["steps"] => STEPS,
            _ => bail!("no such task: {words:?}"),
        };
        trainer.run_pass(&mut |_, _| {
            // The first step of a call waits for the window.
            if let Some(last) = last {
                seconds.push(last.elapsed().as_secs_f64());
            }
            last = Some(Instant::now());
            Ok::<_, FactorizationError>(match seconds.len() < most {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            })
        })?;
        Ok((1.0, median(&seconds)))
    })
}

fn trainer(sampling: &str, n_bins: u64) -> anyhow::Result<Trainer> {
    let chromosomes = [("chr1".to_string(), n_bins * BIN_BP)];
    let assembly = Assembly::from_chromosomes("made", &chromosomes)?;
    let axis = GenomeAxis::whole_chromosomes(assembly, &[])?;
    let (b, a) = TRACKS;
    let tracks = (0..b).flat_map(|b| (0..a).map(move |a| (b, a)));
    let set = Arc::new(TrainingSet {
        mask: Mask::new(&axis, &[]),
        tracks: tracks
            .map(|(b, a)| TrainingTrack {
                biosample: (format!("b{b}"), b),
                assay: (format!("a{a}"), a),
            })
            .collect(),
        source: Box::new(Made),
        axis,
    });
    let options = pilot::options("small");
    let settings = Settings {
        sizes: options.sizes,
        sampling: match sampling {
            "permuted" => Sampling::Permuted,
            _ => Sampling::Sequential,
        },
        adam: options.adam(1),
        seed: 0,
        clip: None,
        window_bins: WINDOW_BINS,
        backend: Backend::Native,
        device: Device::Cpu,
        arithmetic: Arithmetic::F32,
    };
    let (b, a) = (b as usize, a as usize);
    let trained = Trained {
        biosamples: 0..b,
        assays: 0..a,
        genome: true,
        layers: true,
    };
    let network = Network::initial(&options.sizes, b, a, 0);
    let genome = GenomeFactors::initial(&options.sizes, &set.axis, 0);
    let active = (0..set.tracks.len()).collect();
    Ok(Trainer::new(
        set, settings, active, trained, &network, genome,
    )?)
}
