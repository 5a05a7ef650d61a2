//! How a query grows with the genome: synthetic factors over chromosomes of hg38.
//!
//! The 5 kbp bins of the pilot factors drawn anew for each 5 kbp of the genome, with noise of 10 % of
//! each factor's own spread; and, as the worst case, factors without any structure: each normal and
//! independent of all others. `PERSEA_SEARCH_GENOMES` lists the sizes (`chr21`, `chr1`, `chr1-2`,
//! `all`), `PERSEA_BENCH_FOLDER` says where the databases are made (28 GB for `all`).

use std::time::Instant;

use anyhow::{bail, ensure};
use persea::genome::{Assembly, GenomeAxis, Resolution};
use persea::model::{GenomeFactors, TrainedModel};
use persea::search::{Metric, SearchOptions, Searcher, write_index};
use persea::store::{Database, Model, ModelRecord, NewDatabase};

use crate::machine;
use crate::search::{Trained, quantile, queries, time_each, trained};

/// Queries of a round.
const QUERIES: u64 = 300;
/// 5 kbp bins made at once.
const AT_ONCE: u64 = 1_000;

pub fn run() -> anyhow::Result<()> {
    println!("search by the size of the genome, k = 10, 50 kb excluded, one hit for each 5 kbp");
    let Some(trained) = trained()? else {
        return Ok(());
    };
    let wanted = std::env::var("PERSEA_SEARCH_GENOMES").unwrap_or("chr21,chr1,chr1-2".into());
    for size in wanted.split(',') {
        for is_drawn in [true, false] {
            // Without structure everything is examined: the smaller sizes tell.
            if size != "all" || is_drawn {
                measure(&trained, size, is_drawn)?;
            }
        }
    }
    Ok(())
}

fn measure(trained: &Trained, size: &str, is_drawn: bool) -> anyhow::Result<()> {
    let chromosomes: Vec<String> = match size {
        "chr21" | "chr1" => vec![size.into()],
        "chr1-2" => vec!["chr1".into(), "chr2".into()],
        "all" => (1..=22)
            .map(|i| format!("chr{i}"))
            .chain(["chrX".into()])
            .collect(),
        _ => bail!("there is no size `{size}`: chr21, chr1, chr1-2, all"),
    };
    let folder = match std::env::var_os("PERSEA_BENCH_FOLDER") {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let names: Vec<&str> = chromosomes.iter().map(String::as_str).collect();
    let axis = GenomeAxis::whole_chromosomes(Assembly::by_name("hg38")?, &names)?;
    let n_bins = axis.n_bins();
    let database = Database::create(
        &folder.path().join("genome.persea"),
        &NewDatabase {
            axis: axis.clone(),
            mask: Vec::new(),
            genes: Vec::new(),
            enhancers: Vec::new(),
        },
    )?;
    let began = Instant::now();
    let bytes = make(trained, &database, &axis, is_drawn)?;
    let stored = began.elapsed().as_secs_f64();
    let model = TrainedModel::open(&database, Some("synthetic"))?;
    let began = Instant::now();
    write_index(&database, &model, Metric::Euclidean)?;
    let what = match is_drawn {
        true => "drawn from the pilot's",
        false => "independent normal",
    };
    println!(
        "  {size}, {what}: {:.1} M bins, {:.1} GB stored in {stored:.0} s, index written in {:.0} s",
        n_bins as f64 / 1e6,
        bytes as f64 / 1e9,
        began.elapsed().as_secs_f64()
    );
    let searcher = Searcher::open(&database, &model, Metric::Euclidean)?;
    let options = SearchOptions::default();
    let n = if is_drawn { QUERIES } else { 20 };
    let bins = queries(n_bins, n);
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        let (seconds, [coarse, sketches, middle, fine_sketches, fine]) = pool.install(|| {
            time_each(&searcher, &bins, &options, None)?;
            time_each(&searcher, &bins, &options, None)
        })?;
        println!(
            "    {threads} threads: p50 {:.2} ms, p95 {:.2} ms; rows read {coarse:.0} of {}, {sketches:.0} sketched and {middle:.0} of {}, {fine_sketches:.0} sketched and {fine:.0} of {n_bins}; load {}",
            1e3 * quantile(&seconds, 0.5),
            1e3 * quantile(&seconds, 0.95),
            axis.n_rows(Resolution::Kbp5),
            axis.n_rows(Resolution::Bp250),
            machine::load(),
        );
    }
    Ok(())
}

/// Stores a model of synthetic factors; the bytes of its genome factors.
fn make(
    trained: &Trained,
    database: &Database,
    axis: &GenomeAxis,
    is_drawn: bool,
) -> anyhow::Result<u64> {
    let source = trained.model.genome_factors(&trained.database)?;
    let own = trained.model.record();
    let record = ModelRecord {
        name: "synthetic".into(),
        regions: axis.regions().to_vec(),
        tracks: Vec::new(),
        ..own.clone()
    };
    let blocks = whole_blocks(&trained.model);
    ensure!(!blocks.is_empty(), "the pilot has no whole 5 kbp bin");
    let spread = Resolution::ALL.map(|scale| moments(&source, scale));
    let lock = database.lock_model("synthetic")?;
    let mut writer = database.begin_model(&lock, &record, false)?;
    copy_dense(trained, &mut |name, rows, cols, values| {
        Ok(writer.tensor(name, rows, cols, None, values)?)
    })?;
    let mut noise = Noise(0x1234_5678_9abc_def1);
    let mut bytes = 0;
    for (r, region) in axis.regions().iter().enumerate() {
        let mut at = region.first_bin / 200;
        let end = (region.end_bin() - 1) / 200 + 1;
        while at < end {
            let stop = end.min(at + AT_ONCE);
            let mut parts: [Vec<f32>; 3] = Default::default();
            for coarse in at..stop {
                let block = blocks[(noise.next() % blocks.len() as u64) as usize];
                let n_bins = (region.end_bin() - coarse * 200).min(200);
                for scale in Resolution::ALL {
                    let s = scale.index();
                    let table = &source.scales[s];
                    let n = n_bins.div_ceil(scale.bins()) as usize;
                    for i in 0..n {
                        let row = table.row(block[s] as usize + i);
                        for (x, (mean, deviation)) in row.iter().zip(&spread[s]) {
                            let normal = noise.normal();
                            parts[s].push(match is_drawn {
                                true => x + 0.1 * deviation * normal,
                                false => mean + deviation * normal,
                            });
                        }
                    }
                }
            }
            for scale in Resolution::ALL {
                let part = &parts[scale.index()];
                let cols = source.scales[scale.index()].ncols() as u64;
                let rows = region.n_rows(scale);
                writer.tensor(&format!("genome_{scale}"), rows, cols, Some(r as u32), part)?;
                bytes += 4 * part.len() as u64;
            }
            at = stop;
        }
    }
    let _: Model = writer.commit()?;
    Ok(bytes)
}

/// The first rows, at each scale, of every whole 5 kbp bin.
fn whole_blocks(model: &TrainedModel) -> Vec<[u64; 3]> {
    let axis = model.axis();
    let mut blocks = Vec::new();
    for (r, region) in axis.regions().iter().enumerate() {
        let mut bin = region.first_bin.div_ceil(200) * 200;
        while bin + 200 <= region.end_bin() {
            blocks.push(Resolution::ALL.map(|scale| axis.row(scale, r, bin)));
            bin += 200;
        }
    }
    blocks
}

/// Mean and standard deviation of each factor.
fn moments(source: &GenomeFactors, scale: Resolution) -> Vec<(f32, f32)> {
    let table = &source.scales[scale.index()];
    let n = table.nrows() as f64;
    (table.columns().into_iter())
        .map(|column| {
            let sum: f64 = column.iter().map(|x| f64::from(*x)).sum();
            let mean = sum / n;
            let squares: f64 = column.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum();
            (mean as f32, (squares / n).sqrt() as f32)
        })
        .collect()
}

/// Takes a tensor's name, rows, columns and values.
type Put<'a> = dyn FnMut(&str, u64, u64, &[f32]) -> anyhow::Result<()> + 'a;

fn copy_dense(trained: &Trained, put: &mut Put<'_>) -> anyhow::Result<()> {
    let stored = trained.model.stored();
    for tensor in stored.tensors.iter().filter(|t| t.region.is_none()) {
        let values = trained
            .database
            .read_whole_tensor(stored, &tensor.name, None)?;
        put(&tensor.name, tensor.rows, tensor.cols, &values)?;
    }
    Ok(())
}

/// Fast pseudo-random numbers (xorshift64*).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Nearly normal: the sum of four uniform numbers, with the variance of 1.
    fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|i| (bits >> (16 * i)) & 0xffff).sum();
        // Four uniform numbers have the variance 4 / 12.
        (sum as f32 / 65_536.0 - 2.0) * 1.732_050_8
    }
}
