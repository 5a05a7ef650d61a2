//! Exact search on the pilot factors, beside approximate and exact peers; and its growth with the
//! genome.
//!
//! `PERSEA_SEARCH_DATABASE` names a pilot database with a trained model (and
//! `PERSEA_SEARCH_MODEL` which); without, one is made and trained with the paper's factor sizes and a
//! network of 64 units. `PERSEA_ANN_PYTHON` names a Python with numpy, hnswlib, faiss-cpu and
//! usearch; without, Persea's figures stand alone.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};
use npyz::WriterBuilder;
use persea::genome::Resolution;
use persea::model::TrainedModel;
use persea::random::{Purpose, below, generator};
use persea::search::{Allowed, Metric, Query, RowsRead, SearchOptions, Searcher, write_index};
use persea::store::Database;

use crate::figures::{median, number};
use crate::{Bench, machine, pilot};

/// Queries of a round.
const QUERIES: u64 = 1_000;

/// A database with a model to search.
pub struct Trained {
    pub database: Database,
    pub model: TrainedModel,
    _folder: Option<tempfile::TempDir>,
}

/// The database that is named, or a new one; `None`, said so, where there is no shared data.
pub fn trained() -> anyhow::Result<Option<Trained>> {
    let name = std::env::var("PERSEA_SEARCH_MODEL").ok();
    if let Some(path) = std::env::var_os("PERSEA_SEARCH_DATABASE") {
        let database = Database::open(Path::new(&path))?;
        let model = TrainedModel::open(&database, name.as_deref())?;
        return Ok(Some(Trained {
            database,
            model,
            _folder: None,
        }));
    }
    if !pilot::shared_data().join("pilot").is_dir() {
        println!(
            "  skipped: there is no {}",
            pilot::shared_data().join("pilot").display()
        );
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("pilot.persea");
    pilot::make(&path)?;
    let database = Database::open(&path)?;
    pilot::train_factors(&database, "factors")?;
    let model = TrainedModel::open(&database, Some("factors"))?;
    Ok(Some(Trained {
        database,
        model,
        _folder: Some(folder),
    }))
}

/// Bins to ask for.
pub fn queries(n_bins: u64, n: u64) -> Vec<u64> {
    let mut rng = generator(11, Purpose::Bins, 0);
    (0..n)
        .map(|_| u64::from(below(&mut rng, n_bins as u32)))
        .collect()
}

fn position(searcher: &Searcher, bin: u64) -> Query {
    let interval = searcher.axis().bin_interval(bin);
    Query::position(&interval.chrom, interval.start)
}

/// Each query's seconds, one after another, and the rows read in the mean.
pub fn time_each(
    searcher: &Searcher,
    bins: &[u64],
    options: &SearchOptions,
    allowed: Option<&Allowed>,
) -> anyhow::Result<(Vec<f64>, [f64; 5])> {
    let queries: Vec<Query> = bins.iter().map(|b| position(searcher, *b)).collect();
    let mut seconds = Vec::with_capacity(queries.len());
    let mut read = RowsRead::default();
    for query in &queries {
        let began = Instant::now();
        let answer = searcher.search(query, options, allowed, &[])?;
        seconds.push(began.elapsed().as_secs_f64());
        ensure!(!answer.hits.is_empty(), "no hit");
        read.kbp5 += answer.read.kbp5;
        read.bp250 += answer.read.bp250;
        read.bp25 += answer.read.bp25;
        read.sketches_250bp += answer.read.sketches_250bp;
        read.sketches_25bp += answer.read.sketches_25bp;
    }
    let n = queries.len() as f64;
    let mean = [
        read.kbp5,
        read.sketches_250bp,
        read.bp250,
        read.sketches_25bp,
        read.bp25,
    ];
    let mean = mean.map(|r| r as f64 / n);
    Ok((seconds, mean))
}

/// The share of sorted figures.
pub fn quantile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (share * (sorted.len().max(1) - 1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// The pilot factors: nothing excluded, the surroundings excluded, a hundredth allowed.
pub fn run(bench: &Bench) -> anyhow::Result<()> {
    println!("search of the pilot factors, k = 10, one query after another on one thread");
    let Some(trained) = trained()? else {
        return Ok(());
    };
    let Trained {
        database, model, ..
    } = &trained;
    let began = Instant::now();
    let files = write_index(database, model, Metric::Euclidean)?;
    let bytes: u64 = files.iter().map(|f| f.bytes).sum();
    let n_bins = model.axis().n_bins();
    println!(
        "  {:<44} {:.1} s, {:.0} bytes a position",
        "index written in",
        began.elapsed().as_secs_f64(),
        bytes as f64 / n_bins as f64
    );
    let searcher = Searcher::open(database, model, Metric::Euclidean)?;
    let bins = queries(n_bins, QUERIES);
    let plain = SearchOptions {
        exclude: None,
        spread: None,
        ..SearchOptions::default()
    };
    let apart = SearchOptions::default();
    let scattered: Vec<u64> = (0..n_bins)
        .filter(|b| b.wrapping_mul(0x9e37_79b9) % 6_700_417 < 67_004)
        .collect();
    let stretches: Vec<u64> = (0..n_bins).filter(|b| (b / 200) % 100 == 7).collect();
    let cases = [
        ("nothing excluded", &plain, None),
        ("50 kb excluded, one hit for each 5 kbp", &apart, None),
        (
            "1 % allowed, scattered bins",
            &plain,
            Some(searcher.allow_bins(&scattered)?),
        ),
        (
            "1 % allowed, stretches of 5 kb",
            &plain,
            Some(searcher.allow_bins(&stretches)?),
        ),
    ];
    let mut ours = Vec::new();
    for (what, options, allowed) in &cases {
        time_each(&searcher, &bins, options, allowed.as_ref())?;
        let mut rates = Vec::new();
        let mut worked = Vec::new();
        let mut timed = (Vec::new(), [0.0; 5]);
        for _ in 0..bench.rounds {
            let before = machine::processor_seconds();
            timed = time_each(&searcher, &bins, options, allowed.as_ref())?;
            if let (Some(before), Some(after)) = (before, machine::processor_seconds()) {
                worked.push(bins.len() as f64 / (after - before));
            }
            rates.push(timed.0.len() as f64 / timed.0.iter().sum::<f64>());
        }
        let [coarse, sketches, middle, fine_sketches, fine] = timed.1;
        println!(
            "  {what:<44} {:>6} queries/s, {} a processor second, p50 {:.0} µs, p95 {:.0} µs; rows read {coarse:.0}; {sketches:.0} sketched, {middle:.0}; {fine_sketches:.0} sketched, {fine:.0}; load {}",
            number(median(&rates)),
            number(median(&worked)),
            1e6 * quantile(&timed.0, 0.5),
            1e6 * quantile(&timed.0, 0.95),
            machine::load(),
        );
        ours.push([median(&rates), median(&worked)]);
    }
    for metric in [Metric::Network, Metric::Cosine] {
        let searcher = Searcher::open(database, model, metric)?;
        for (what, options) in [("nothing excluded", &plain), ("50 kb excluded", &apart)] {
            time_each(&searcher, &bins, options, None)?;
            let (seconds, [_, sketches, middle, fine_sketches, fine]) =
                time_each(&searcher, &bins, options, None)?;
            println!(
                "  {:<44} {:>6} queries/s; {sketches:.0} sketched, {middle:.0}; {fine_sketches:.0} sketched, {fine:.0}",
                format!("{metric}, {what}"),
                number(seconds.len() as f64 / seconds.iter().sum::<f64>()),
            );
        }
    }
    peers(&searcher, &bins, &scattered, &stretches, &ours)
}

/// The peers on the same vectors.
fn peers(
    searcher: &Searcher,
    bins: &[u64],
    scattered: &[u64],
    stretches: &[u64],
    ours: &[[f64; 2]],
) -> anyhow::Result<()> {
    let Some(python) = std::env::var_os("PERSEA_ANN_PYTHON") else {
        println!(
            "  skipped: the peers; set PERSEA_ANN_PYTHON to a Python with numpy, hnswlib, faiss-cpu and usearch"
        );
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    let axis = searcher.axis();
    let width = searcher.embedding(0)?.len() as u64;
    let mut all = Vec::with_capacity((axis.n_bins() * width) as usize);
    for bin in 0..axis.n_bins() {
        all.extend(searcher.embedding(bin)?);
    }
    let mut asked = Vec::new();
    for bin in bins {
        asked.extend(searcher.embedding(*bin)?);
    }
    write_npy(&path("embedding.npy"), &all, &[axis.n_bins(), width])?;
    write_npy(&path("queries.npy"), &asked, &[bins.len() as u64, width])?;
    drop(all);
    let signed = |bins: &[u64]| bins.iter().map(|b| *b as i64).collect::<Vec<_>>();
    for (name, bins) in [("scattered.npy", scattered), ("stretches.npy", stretches)] {
        write_npy(&path(name), &signed(bins), &[bins.len() as u64])?;
    }
    let row = |bin: u64| {
        let at = axis.locate(bin);
        axis.row(Resolution::Kbp5, at.region, at.chrom_bin) as i64
    };
    let rows: Vec<i64> = (0..axis.n_bins()).map(row).collect();
    write_npy(&path("rows.npy"), &rows, &[rows.len() as u64])?;
    let mut excluded = Vec::new();
    for bin in bins {
        let mut near = axis.bin_interval(*bin);
        near.start = near.start.saturating_sub(50_000);
        near.end += 50_000;
        let range = axis
            .bins_within(&near)
            .into_iter()
            .find(|r| r.contains(bin));
        let range = range.context("a bin lies near itself")?;
        excluded.extend([range.start as i64, range.end as i64]);
    }
    write_npy(&path("excluded.npy"), &excluded, &[bins.len() as u64, 2])?;
    let peer = pilot::shared_data().join("../peers/ann_peer.py");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/search_peer.py");
    let run = |script: &Path, arguments: &[PathBuf]| -> anyhow::Result<Vec<serde_json::Value>> {
        let output = Command::new(&python).arg(script).args(arguments).output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {stderr}", script.display());
        let text = String::from_utf8(output.stdout)?;
        Ok(text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?)
    };
    let print = |lines: &[serde_json::Value], ours: [f64; 2]| {
        for line in lines {
            let ratio = |key: &str, ours: f64| match line[key].as_f64() {
                Some(theirs) => format!("{:.1} ×", ours / theirs),
                None => "-".into(),
            };
            println!(
                "  {line}: ours is {}, by processor time {}; load {}",
                ratio("queries_per_second", ours[0]),
                ratio("queries_per_processor_second", ours[1]),
                machine::load()
            );
        }
    };
    let (embedding, queries) = (path("embedding.npy"), path("queries.npy"));
    let mut files = vec![
        embedding.clone(),
        queries.clone(),
        path("rows.npy"),
        path("excluded.npy"),
    ];
    files.extend([path("scattered.npy"), path("stretches.npy")]);
    let lines = run(&own, &files)?;
    // Each line beside our figure of the same case.
    for line in &lines {
        let name = line["name"].as_str().unwrap_or_default();
        let case = match name {
            n if n.contains("scattered") => 2,
            n if n.contains("stretches") => 3,
            n if n.contains("suffices") => 1,
            _ => 0,
        };
        print(std::slice::from_ref(line), ours[case]);
    }
    if std::env::var_os("PERSEA_ANN_ALL").is_some() {
        println!(" ann_peer.py, nothing excluded:");
        print(&run(&peer, &[embedding, queries])?, ours[0]);
    }
    Ok(())
}

fn write_npy<T: npyz::AutoSerialize + Copy>(
    path: &Path,
    values: &[T],
    shape: &[u64],
) -> anyhow::Result<()> {
    let file = std::io::BufWriter::new(File::create(path)?);
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .writer(file)
        .begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()?;
    std::io::stdout().flush()?;
    Ok(())
}
