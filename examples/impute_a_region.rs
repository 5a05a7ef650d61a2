//! Trains a small model and imputes an experiment that nobody ran: a stretch of it in memory, then
//! as a bedGraph.
//!
//! `cargo run --release --example impute_a_region`

use std::error::Error;
use std::time::Duration;

use persea::compendium::{ColumnMap, IngestOptions, Manifest, ingest};
use persea::factorization::{
    CurvePoint, Device, Listener, RunOptions, StepReport, TrainOptions, TrainingProgress, fit,
};
use persea::formats::Format;
use persea::genome::Interval;
use persea::imputation::{
    Output, SignalScale, Stream, missing_experiments, spans, write_experiments,
};
use persea::model::{Architecture, Preset, Sizes, TrainedModel};
use persea::simulation::{Simulation, SimulationConfig, WriteOptions};
use persea::store::{Database, NewDatabase};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let simulation = Simulation::new(SimulationConfig {
        n_chromosomes: 1,
        ..SimulationConfig::default()
    })?;
    let files = folder.path().join("simulated");
    simulation.write(&files, &WriteOptions::default(), &|_, _| {})?;
    let parts = NewDatabase {
        axis: simulation.axis().clone(),
        mask: simulation.mask(),
        genes: simulation.genes(),
        enhancers: simulation.enhancers(),
    };
    let database = Database::create(&folder.path().join("example.persea"), &parts)?;
    let manifest = Manifest::read(&files.join("manifest.tsv"), &ColumnMap::default())?;
    ingest(&database, &manifest, &IngestOptions::default())?;

    // How long to train is found on tracks held back; then all tracks are trained on.
    let options = TrainOptions {
        name: "example".into(),
        architecture: Architecture::Avocado,
        encoder: None,
        refinement: None,
        sizes: Sizes {
            batch_size: 2_000, // the genome is small, and so are its steps
            ..Sizes::preset(Preset::Small)
        },
        cosine: false,
        passes: 12,
        patience: 3,
        searches: 1,
        seed: 1,
        ..TrainOptions::default()
    };
    let run_options = RunOptions {
        device: Device::Cpu,
        checkpoint_every: Duration::from_secs(600),
        replace: false,
    };
    fit(&database, &options, run_options, false, &mut Curve)?;

    // An experiment that is not in the database, over 10 kb: values come a piece at a time.
    let model = TrainedModel::open(&database, Some("example"))?;
    let missing = missing_experiments(&database, &model)?;
    let experiment = missing.first().ok_or("every experiment is measured")?;
    let region = Interval::parse_browser("chr1:200,001-210,000")?;
    let bins = spans(model.axis(), std::slice::from_ref(&region))?;
    let mut highest = (0, f32::MIN);
    Stream::new(&database, &model).run::<persea::Error>(
        std::slice::from_ref(experiment),
        &bins,
        &mut |_, first, values| {
            for (bin, value) in (first..).zip(values) {
                if *value > highest.1 {
                    highest = (bin, *value);
                }
            }
            Ok(())
        },
    )?;
    println!(
        "{experiment}: highest of {region} is {:.3} (arcsinh) at {}",
        highest.1,
        model.axis().bin_interval(highest.0)
    );

    // The same as a file, on the signal's own scale (−log10 p).
    let output = Output {
        experiment: experiment.clone(),
        path: folder.path().join("imputed.bedGraph"),
        uncertainty: None,
    };
    write_experiments(
        &database,
        &model,
        std::slice::from_ref(&output),
        Format::BedGraph,
        &bins,
        SignalScale::Signal,
        &mut |_| {},
    )?;
    let text = std::fs::read_to_string(&output.path)?;
    for line in text.lines().take(5) {
        println!("{line}");
    }
    println!("… {} lines in all", text.lines().count());
    Ok(())
}

/// Prints the loss curve.
struct Curve;

impl Listener for Curve {
    fn step(&mut self, _: &TrainingProgress, _: &StepReport) -> std::ops::ControlFlow<()> {
        std::ops::ControlFlow::Continue(())
    }

    fn pass(&mut self, point: &CurvePoint) {
        if let Some(held_out) = point.held_out {
            let (pass, loss) = (point.pass, point.loss);
            println!("pass {pass:2}: loss {loss:.4}, on tracks kept aside {held_out:.4}");
        }
    }

    fn checkpoint(&mut self, _: u64) {}
}
