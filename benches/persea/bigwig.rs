//! Imputing to a bigWig beside writing the same values from memory: what the writer alone can do.

use std::path::Path;
use std::time::Instant;

use persea::compendium::Experiment;
use persea::formats::{Format, create_signal};
use persea::imputation::{
    Output, SignalScale, Stream, missing_experiments, spans, write_experiments,
};
use persea::model::TrainedModel;
use persea::store::{Database, Transform};

use crate::figures::Rounds;
use crate::{Bench, pilot};

/// The share of the writer's own rate that imputation should reach.
const WANTED: f64 = 0.85;

/// With a database of one's own (`PERSEA_BIGWIG_DATABASE`, `PERSEA_BIGWIG_MODEL`), or the pilot's
/// and the faithful model of preset `small`.
pub fn run(bench: &Bench) -> anyhow::Result<()> {
    println!("an experiment imputed to a bigWig, beside the writer alone with the same values");
    let folder = tempfile::tempdir()?;
    let own = std::env::var_os("PERSEA_BIGWIG_DATABASE");
    let (path, name) = match &own {
        Some(path) => (
            Path::new(path).to_path_buf(),
            std::env::var("PERSEA_BIGWIG_MODEL").ok(),
        ),
        None if pilot::shared_data().join("pilot").is_dir() => {
            let path = folder.path().join("pilot.persea");
            pilot::make(&path)?;
            (path, Some("small".into()))
        }
        None => {
            println!("  skipped: there is no {}", pilot::shared_data().display());
            return Ok(());
        }
    };
    let database = Database::open(&path)?;
    let model = TrainedModel::open(&database, name.as_deref())?;
    let all = missing_experiments(&database, &model)?;
    for n in [1, 4] {
        let experiments: Vec<Experiment> = all.iter().take(n).cloned().collect();
        if experiments.len() == n {
            measure(bench, &database, &model, &experiments, folder.path())?;
        }
    }
    Ok(())
}

fn measure(
    bench: &Bench,
    database: &Database,
    model: &TrainedModel,
    experiments: &[Experiment],
    folder: &Path,
) -> anyhow::Result<()> {
    let spans = spans(model.axis(), &[])?;
    let transforms = database.tracks()?;
    let mut pieces: Vec<(usize, u64, Vec<f32>)> = Vec::new();
    Stream::new(database, model).run::<persea::Error>(
        experiments,
        &spans,
        &mut |i, first, values| {
            let assay = &experiments[i].assay;
            let transform = transforms.iter().find(|t| t.assay == *assay);
            let transform = transform.map_or(Transform::Arcsinh, |t| t.transform);
            let signal = values.iter().map(|v| transform.invert(*v)).collect();
            pieces.push((i, first, signal));
            Ok(())
        },
    )?;
    let bins: usize = pieces.iter().map(|p| p.2.len()).sum();
    let outputs: Vec<Output> = (experiments.iter().enumerate())
        .map(|(i, experiment)| Output {
            experiment: experiment.clone(),
            path: folder.join(format!("{i}.bigWig")),
            uncertainty: None,
        })
        .collect();
    let mut rounds = Rounds::default();
    for _ in 0..bench.rounds {
        let began = Instant::now();
        let format = Format::BigWig;
        write_experiments(
            database,
            model,
            &outputs,
            format,
            &spans,
            SignalScale::Signal,
            &mut |_| {},
        )?;
        rounds
            .ours
            .push(bins as f64 / began.elapsed().as_secs_f64());
        let began = Instant::now();
        // One file after another, on as many threads as imputation has.
        let write = |i: usize| -> Result<(), persea::Error> {
            let path = folder.join(format!("{i}.alone.bigWig"));
            let mut writer = create_signal(&path, format, model.axis())?;
            for (_, first, values) in pieces.iter().filter(|p| p.0 == i) {
                writer.write(*first, values)?;
            }
            Ok(writer.finish()?)
        };
        let n = std::thread::available_parallelism()?.get();
        for some in (0..experiments.len()).collect::<Vec<_>>().chunks(n) {
            std::thread::scope(|scope| {
                let running: Vec<_> = (some.iter())
                    .map(|i| scope.spawn(move || write(*i)))
                    .collect();
                running.into_iter().try_for_each(|thread| {
                    thread
                        .join()
                        .map_err(|_| anyhow::anyhow!("a writer panicked"))??;
                    anyhow::Ok(())
                })
            })?;
        }
        rounds
            .peer
            .push(bins as f64 / began.elapsed().as_secs_f64());
    }
    let what = format!("{}, {} files", model.record().name, experiments.len());
    rounds.print(&what, "bins/s", WANTED);
    Ok(())
}
