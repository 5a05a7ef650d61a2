//! Training and imputation on the pilot compendium, beside the original Avocado.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::bail;
use persea::compendium::{Experiment, TracksOnAxis};
use persea::factorization::{
    Cast, Device, FactorizationError, Settings, Trained, Trainer, TrainingSet,
};
use persea::genome::Mask;
use persea::imputation::{Stream, missing_experiments, spans};
use persea::model::{GenomeFactors, Network, TrainedModel};
use persea::store::Database;

use crate::figures::{Rounds, megabytes};
use crate::worker::{Worker, serve};
use crate::{Bench, pilot};

/// Both sides on one preset.
struct Sides {
    ours: Worker,
    peer: Option<Worker>,
}

impl Sides {
    fn start(preset: &str, database: &Path) -> anyhow::Result<Self> {
        let ours = Worker::ours(&["worker", preset, &database.to_string_lossy()])?;
        let peer = match std::env::var_os("PERSEA_PEER_PYTHON") {
            None => {
                println!(
                    "  skipped: the peer; set PERSEA_PEER_PYTHON to a Python with avocado-epigenome, keras and tensorflow"
                );
                None
            }
            Some(python) => {
                let mut command = Command::new(python);
                command
                    .arg(concat!(
                        env!("CARGO_MANIFEST_DIR"),
                        "/scripts/bench_peer.py"
                    ))
                    .arg(pilot::shared_data().join("../peers"))
                    .arg(pilot::shared_data().join("pilot/tracks"))
                    .arg(preset.trim_end_matches("-bf16"));
                match Worker::start(command) {
                    Ok(peer) => Some(peer),
                    Err(error) => {
                        println!("  skipped: the peer; {error:#}");
                        None
                    }
                }
            }
        };
        Ok(Sides { ours, peer })
    }

    /// Has both do a task in turns, after one that is not counted.
    fn run(&mut self, bench: &Bench, task: &str) -> anyhow::Result<Rounds> {
        let mut rounds = Rounds::default();
        self.ours.rate(task)?;
        if let Some(peer) = &mut self.peer {
            peer.rate(task)?;
        }
        for _ in 0..bench.rounds {
            rounds.ours.push(self.ours.rate(task)?);
            if let Some(peer) = &mut self.peer {
                rounds.peer.push(peer.rate(task)?);
            }
        }
        Ok(rounds)
    }

    fn print_memory(&self, what: &str) {
        let peer = self.peer.as_ref().map(|p| megabytes(p.peak_bytes()));
        let peer = peer.map_or(String::new(), |p| format!(", peer {p}"));
        println!("  {what:<32} {}{peer}", megabytes(self.ours.peak_bytes()));
    }
}

/// The pilot database in a folder of its own; `None`, said so, where there is no shared data.
fn database() -> anyhow::Result<Option<tempfile::TempDir>> {
    if !pilot::shared_data().join("pilot").is_dir() {
        println!(
            "  skipped: there is no {}",
            pilot::shared_data().join("pilot").display()
        );
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    pilot::make(&folder.path().join("pilot.persea"))?;
    Ok(Some(folder))
}

/// Samples a second, steps only.
pub fn training(bench: &Bench) -> anyhow::Result<()> {
    println!("training on the pilot compendium, 20 tracks over 1,126,469 bins");
    let Some(folder) = database()? else {
        return Ok(());
    };
    for (preset, task, target) in [
        ("small", "train 100", 10.0),
        ("paper", "train 2", 1.3),
        ("paper-bf16", "train 2", 3.0),
    ] {
        let mut sides = Sides::start(preset, &folder.path().join("pilot.persea"))?;
        let rounds = sides.run(bench, task)?;
        rounds.print(preset, "samples/s", target);
        sides.print_memory(&format!("{preset}, peak memory"));
    }
    Ok(())
}

/// Imputed bins a second, computing only: factors are read from the database, nothing is written.
pub fn imputation(bench: &Bench) -> anyhow::Result<()> {
    println!("imputation over the pilot regions, no file written");
    let Some(folder) = database()? else {
        return Ok(());
    };
    let tasks = [
        ("small", "impute 1126469 1", "one experiment", 4.0),
        ("small", "impute 1126469 5", "five experiments", 4.0),
        (
            "paper",
            "impute 80000 1",
            "one experiment, 80,000 bins",
            1.5,
        ),
    ];
    for (preset, task, what, target) in tasks {
        let mut sides = Sides::start(preset, &folder.path().join("pilot.persea"))?;
        let rounds = sides.run(bench, task)?;
        rounds.print(&format!("{preset}, {what}"), "bins/s", target);
        sides.print_memory(&format!("{preset}, peak memory"));
    }
    Ok(())
}

/// Our worker: `train STEPS`, `impute BINS EXPERIMENTS`.
pub fn work(preset: &str, path: &Path) -> anyhow::Result<()> {
    let database = Database::open(path)?;
    let mut trainer = None;
    let mut model = None;
    serve(|words| match words {
        ["train", steps] => {
            let trainer = match &mut trainer {
                Some(trainer) => trainer,
                none => none.insert(self::trainer(&database, preset)?),
            };
            train(trainer, steps.parse()?)
        }
        ["impute", bins, experiments] => {
            let model = match &model {
                Some(model) => model,
                None => model.insert(TrainedModel::open(&database, Some(preset))?),
            };
            impute(&database, model, bins.parse()?, experiments.parse()?)
        }
        _ => bail!("no such task: {words:?}"),
    })
}

/// The training of a preset; `-bf16` behind its name: with bfloat16 products.
fn trainer(database: &Database, preset: &str) -> anyhow::Result<Trainer> {
    let options = pilot::options(preset);
    let axis = database.axis().clone();
    let cast = Cast::new(database.tracks()?, &options)?;
    let (b, a) = (cast.biosamples.len(), cast.assays.len());
    let set = Arc::new(TrainingSet {
        mask: Mask::new(&axis, &database.mask_intervals()?),
        source: Box::new(TracksOnAxis::open(database, &axis, &cast.training)?),
        tracks: cast.tracks,
        axis,
    });
    let settings = Settings {
        sizes: options.sizes,
        sampling: options.sampling,
        adam: options.adam(1),
        seed: options.seed,
        clip: options.clip,
        window_bins: options.cache_bytes / 4 / set.tracks.len() as u64,
        backend: options.backend,
        device: Device::Cpu,
        arithmetic: options.arithmetic,
    };
    let trained = Trained {
        biosamples: 0..b,
        assays: 0..a,
        genome: true,
        layers: true,
    };
    let network = Network::initial(&options.sizes, b, a, options.seed);
    let genome = GenomeFactors::initial(&options.sizes, &set.axis, options.seed);
    let active = (0..set.tracks.len()).collect();
    Ok(Trainer::new(
        set, settings, active, trained, &network, genome,
    )?)
}

/// Trains some steps on; samples and seconds.
fn train(trainer: &mut Trainer, steps: usize) -> anyhow::Result<(f64, f64)> {
    let (mut samples, mut done) = (0, 0);
    let began = Instant::now();
    while done < steps {
        trainer.run_pass(&mut |_, report| {
            samples += report.samples;
            done += 1;
            Ok::<_, FactorizationError>(match done < steps {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            })
        })?;
    }
    Ok((samples as f64, began.elapsed().as_secs_f64()))
}

/// Imputes the first bins of some missing experiments; bins and seconds.
fn impute(
    database: &Database,
    model: &TrainedModel,
    n_bins: u64,
    n_experiments: usize,
) -> anyhow::Result<(f64, f64)> {
    let experiments: Vec<Experiment> = (missing_experiments(database, model)?.into_iter())
        .take(n_experiments)
        .collect();
    let (mut left, mut parts) = (n_bins, Vec::new());
    for span in spans(model.axis(), &[])? {
        let length = left.min(span.end - span.start);
        if length > 0 {
            parts.push(span.start..span.start + length);
        }
        left -= length;
    }
    let (mut done, mut sum) = (0, 0f64);
    let began = Instant::now();
    let stream = Stream::new(database, model);
    stream.run::<persea::Error>(&experiments, &parts, &mut |_, _, values| {
        done += values.len();
        sum += f64::from(values[0]);
        Ok(())
    })?;
    let seconds = began.elapsed().as_secs_f64();
    anyhow::ensure!(sum.is_finite(), "an imputed value is not finite");
    Ok((done as f64, seconds))
}
