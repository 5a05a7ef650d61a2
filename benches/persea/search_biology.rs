//! Does the search find biology? Neighbours of promoters and enhancers on other chromosomes: the
//! share that is annotated likewise, beside the same search by the stored signal (at 25 bp, and at the
//! three resolutions) and by average activity, and chance. Intervals are over
//! queries. And how far the neighbours of two models that differ in their seed agree.
//!
//! Needs `PERSEA_SEARCH_DATABASE` made with genes and enhancers, and `PERSEA_SEARCH_SECOND`, another
//! model of it (of another seed).

use std::collections::{BTreeMap, HashMap, HashSet};

use persea::genome::{GenomeAxis, Resolution};
use persea::model::TrainedModel;
use persea::random::{Purpose, below, generator};
use persea::search::{Allowed, Annotation, Class, Filter, Metric, Query, SearchOptions, Searcher};
use persea::store::Database;

use crate::search::trained;

/// Queries of each class.
const QUERIES: usize = 300;
const K: usize = 10;
/// Resamples of the queries.
const RESAMPLES: usize = 2000;

pub fn run() -> anyhow::Result<()> {
    println!("neighbours on other chromosomes, k = {K}, one for each 5 kbp");
    let Some(trained) = trained()? else {
        return Ok(());
    };
    let (database, model) = (&trained.database, &trained.model);
    let axis = model.axis();
    let annotation = Annotation::read(database, axis)?;
    if annotation.genes().is_empty() {
        println!("  skipped: the database has no genes");
        return Ok(());
    }
    let searchers: Vec<Searcher> = Metric::ALL
        .iter()
        .map(|metric| Searcher::open(database, model, *metric))
        .collect::<Result<_, _>>()?;
    let signal = Signal::read(database, axis, false)?;
    let scales = signal.at_three_resolutions();
    let average = Signal::read(database, axis, true)?;
    let others = [
        ("stored signal", &signal),
        ("signal at three resolutions", &scales),
        ("average activity", &average),
    ];
    let mut elsewhere: HashMap<String, Allowed> = HashMap::new();
    for region in axis.regions() {
        if !elsewhere.contains_key(&region.chrom) {
            let others = axis.regions().iter().map(|r| r.chrom.clone());
            let filter = Filter {
                chromosomes: others.filter(|c| *c != region.chrom).collect(),
                ..Filter::default()
            };
            if let Some(allowed) = searchers[0].allow(&filter, &annotation)? {
                elsewhere.insert(region.chrom.clone(), allowed);
            }
        }
    }
    let options = SearchOptions {
        k: K,
        exclude: None,
        ..SearchOptions::default()
    };
    for class in [Class::Promoter, Class::Enhancer] {
        let of_class = annotation.bins(class);
        let bins: Vec<u64> = (0..axis.n_bins())
            .filter(|b| of_class.contains(*b))
            .collect();
        let mut rng = generator(5, Purpose::Bins, class as u64);
        let asked: Vec<u64> = (0..QUERIES)
            .map(|_| bins[below(&mut rng, bins.len() as u32) as usize])
            .collect();
        // Hits of the query's class, for each query.
        let mut found: Vec<(String, Vec<usize>)> = Vec::new();
        let chance = bins.len() as f64 / axis.n_bins() as f64;
        for searcher in &searchers {
            let mut same = Vec::new();
            for bin in &asked {
                let interval = axis.bin_interval(*bin);
                let query = Query::position(&interval.chrom, interval.start);
                let allowed = elsewhere.get(&interval.chrom);
                let answer = searcher.search(&query, &options, allowed, &[])?;
                let hits = answer.hits.iter();
                same.push(hits.filter(|h| of_class.contains(h.bins.start)).count());
            }
            found.push((format!("factors, {}", searcher.metric()), same));
        }
        for (what, vectors) in others {
            let same = asked.iter().map(|bin| {
                let chrom = axis.bin_interval(*bin).chrom;
                let hits = vectors.nearest(*bin, &elsewhere[&chrom]);
                hits.iter().filter(|b| of_class.contains(**b)).count()
            });
            found.push((what.into(), same.collect()));
        }
        println!("  {}: by chance {:.1} %", class.name(), 100.0 * chance);
        for (what, same) in found {
            let (share, [low, high]) = share(&same);
            println!(
                "    {what:<28} {:.1} %, {:.1} × chance (95 %: {:.1} to {:.1})",
                100.0 * share,
                share / chance,
                low / chance,
                high / chance
            );
        }
    }
    let Ok(second) = std::env::var("PERSEA_SEARCH_SECOND") else {
        println!("  skipped: the agreement of two seeds; PERSEA_SEARCH_SECOND names no model");
        return Ok(());
    };
    let second = TrainedModel::open(database, Some(&second))?;
    let mut rng = generator(6, Purpose::Bins, 0);
    let asked: Vec<u64> = (0..QUERIES)
        .map(|_| u64::from(below(&mut rng, axis.n_bins() as u32)))
        .collect();
    for searcher in &searchers {
        let other = Searcher::open(database, &second, searcher.metric())?;
        let mut shared = 0;
        for bin in &asked {
            let interval = axis.bin_interval(*bin);
            let query = Query::position(&interval.chrom, interval.start);
            let allowed = elsewhere.get(&interval.chrom);
            let rows = |searcher: &Searcher| -> anyhow::Result<HashSet<u64>> {
                let answer = searcher.search(&query, &options, allowed, &[])?;
                Ok(answer
                    .hits
                    .iter()
                    .map(|h| row(axis, h.bins.start))
                    .collect())
            };
            shared += rows(searcher)?.intersection(&rows(&other)?).count();
        }
        println!(
            "  two seeds, {}: {:.1} % of the 5 kbp bins of the hits in common (chance {:.2} %)",
            searcher.metric(),
            100.0 * shared as f64 / (QUERIES * K) as f64,
            100.0 * K as f64 / axis.n_rows(Resolution::Kbp5) as f64,
        );
    }
    Ok(())
}

/// The share of hits that are of the query's class, with the 95 % interval of resampled queries.
fn share(same: &[usize]) -> (f64, [f64; 2]) {
    let of = |total: usize| total as f64 / (same.len() * K) as f64;
    let mut rng = generator(7, Purpose::Bins, 0);
    let mut resampled: Vec<usize> = (0..RESAMPLES)
        .map(|_| {
            let draws = 0..same.len();
            draws
                .map(|_| same[below(&mut rng, same.len() as u32) as usize])
                .sum()
        })
        .collect();
    resampled.sort_unstable();
    let at = |quantile: f64| of(resampled[(quantile * (RESAMPLES - 1) as f64).round() as usize]);
    (of(same.iter().sum()), [at(0.025), at(0.975)])
}

fn row(axis: &GenomeAxis, bin: u64) -> u64 {
    let at = axis.locate(bin);
    axis.row(Resolution::Kbp5, at.region, at.chrom_bin)
}

/// Signal, one vector a bin.
struct Signal {
    width: usize,
    values: Vec<f32>,
    /// Each bin's row at 5 kbp, and at 250 bp.
    rows: Vec<u64>,
    fine_rows: Vec<u64>,
}

impl Signal {
    /// Every track, or each assay's mean over its tracks.
    fn read(database: &Database, axis: &GenomeAxis, is_average: bool) -> anyhow::Result<Self> {
        let n_bins = axis.n_bins() as usize;
        let mut columns: BTreeMap<String, (Vec<f32>, f32)> = BTreeMap::new();
        let mut track_values = vec![0f32; n_bins];
        for track in database.tracks()? {
            let signal = database.signal(&track)?;
            signal.read(0..n_bins as u64, &mut track_values)?;
            let name = match is_average {
                true => track.assay.clone(),
                false => format!("{} {}", track.biosample, track.assay),
            };
            let (sum, n) = columns
                .entry(name)
                .or_insert_with(|| (vec![0.0; n_bins], 0.0));
            *n += 1.0;
            // A bin without data is what the track is in the mean.
            for (s, v) in sum.iter_mut().zip(&track_values) {
                *s += if v.is_nan() { track.mean as f32 } else { *v };
            }
        }
        let width = columns.len();
        let mut values = vec![0f32; n_bins * width];
        for (j, (column, n)) in columns.values().enumerate() {
            for (i, v) in column.iter().enumerate() {
                values[i * width + j] = v / n;
            }
        }
        Ok(Signal {
            width,
            values,
            rows: (0..axis.n_bins()).map(|b| row(axis, b)).collect(),
            fine_rows: (0..axis.n_bins())
                .map(|b| {
                    let at = axis.locate(b);
                    axis.row(Resolution::Bp250, at.region, at.chrom_bin)
                })
                .collect(),
        })
    }

    /// Of other vectors of the same bins.
    fn with(&self, width: usize, values: Vec<f32>) -> Self {
        Signal {
            width,
            values,
            rows: self.rows.clone(),
            fine_rows: self.fine_rows.clone(),
        }
    }

    /// Each bin's signal, and its means over the 250 bp and the 5 kbp row, each number in standard
    /// deviations.
    fn at_three_resolutions(&self) -> Self {
        let (w, n) = (self.width, self.rows.len());
        let mut values = vec![0f32; n * 3 * w];
        let own: Vec<u64> = (0..n as u64).collect();
        for (s, rows) in [&own, &self.fine_rows, &self.rows].into_iter().enumerate() {
            let n_rows = rows.last().map_or(0, |r| *r as usize + 1);
            let (mut sums, mut counts) = (vec![0f64; n_rows * w], vec![0f64; n_rows]);
            for (row, vector) in rows.iter().zip(self.values.chunks_exact(w)) {
                counts[*row as usize] += 1.0;
                let sums = &mut sums[*row as usize * w..][..w];
                sums.iter_mut()
                    .zip(vector)
                    .for_each(|(s, v)| *s += f64::from(*v));
            }
            for (bin, row) in rows.iter().enumerate() {
                for j in 0..w {
                    let mean = sums[*row as usize * w + j] / counts[*row as usize];
                    values[bin * 3 * w + s * w + j] = mean as f32;
                }
            }
        }
        for j in 0..3 * w {
            let column = || values.iter().skip(j).step_by(3 * w).map(|v| f64::from(*v));
            let mean = column().sum::<f64>() / n as f64;
            let deviation = (column().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
            for v in values.iter_mut().skip(j).step_by(3 * w) {
                *v = ((f64::from(*v) - mean) / deviation.max(1e-6)) as f32;
            }
        }
        self.with(3 * w, values)
    }

    /// The nearest allowed bins, one for each 5 kbp, by looking at all.
    fn nearest(&self, bin: u64, allowed: &Allowed) -> Vec<u64> {
        let of = |b: u64| &self.values[b as usize * self.width..][..self.width];
        let query = of(bin);
        let mut best: HashMap<u64, (f32, u64)> = HashMap::new();
        for other in 0..self.rows.len() as u64 {
            if !allowed.contains(other) {
                continue;
            }
            let pairs = query.iter().zip(of(other));
            let distance: f32 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
            let entry = best
                .entry(self.rows[other as usize])
                .or_insert((f32::INFINITY, 0));
            if distance < entry.0 {
                *entry = (distance, other);
            }
        }
        let mut all: Vec<(f32, u64)> = best.into_values().collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all.into_iter().take(K).map(|(_, b)| b).collect()
    }
}
