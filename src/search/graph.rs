//! Graphs (HNSW, by `hnsw_rs`): approximate neighbours of pooled rows, biosamples and assays.
//!
//! A graph is built from distinct vectors (equal ones crowd each other out of a graph's short lists
//! and are put back into the answer), then audited: a sample of its own vectors must find
//! themselves, and the neighbours found are compared with the exact ones. Parameters, audit and the files'
//! checksums are stored in the database. `hnsw_rs` believes what it reads, and may end the process over
//! damage, so files are verified before it sees them; what does not match is built anew.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use hnsw_rs::api::AnnT;
use hnsw_rs::hnswio::{HnswIo, ReloadOptions};
use hnsw_rs::prelude::{Distance, Hnsw};
use serde_json::json;

use super::SearchError;
use super::best::{Best, Found};
use crate::random::{Purpose, below, generator};
use crate::store::{Database, GraphRecord, Model};

/// The name of the dump; `hnsw_rs` adds `.hnsw.graph` and `.hnsw.data`.
const DUMP: &str = "dump";
const FILES: [&str; 3] = ["dump.hnsw.graph", "dump.hnsw.data", "members"];
/// Layers that a graph may have: what the format allows.
const LAYERS: usize = 16;
/// Vectors that look for themselves in the audit, and those whose neighbours are compared.
const SELF_QUERIES: usize = 1_000;
const RECALL_QUERIES: usize = 200;
const RECALL_K: usize = 10;

/// What a graph is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphVectors {
    /// The mean embeddings of 250 bp rows.
    Bp250,
    /// The mean embeddings of 5 kbp rows.
    Kbp5,
    /// The factors of biosamples.
    Biosamples,
    /// The factors of assays.
    Assays,
}

impl GraphVectors {
    /// The name in the database, in `index/` and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            GraphVectors::Bp250 => "250bp",
            GraphVectors::Kbp5 => "5kbp",
            GraphVectors::Biosamples => "biosamples",
            GraphVectors::Assays => "assays",
        }
    }
}

/// How a graph is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphOptions {
    /// Neighbours kept for each vector and layer.
    pub connections: usize,
    /// Candidates kept while a vector is put in.
    pub ef_construction: usize,
}

impl Default for GraphOptions {
    fn default() -> Self {
        GraphOptions {
            connections: 16,
            ef_construction: 200,
        }
    }
}

/// What came of building a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphReport {
    /// Vectors, equal ones included.
    pub n_vectors: usize,
    /// Different vectors: what is in the graph.
    pub n_distinct: usize,
    /// How long building took.
    pub seconds: f64,
    /// Bytes of its files.
    pub bytes: u64,
    /// How many vectors looked for themselves with `ef` candidates, and how many did not find
    /// themselves.
    pub self_queries: usize,
    /// See above.
    pub self_missed: usize,
    /// Of the 10 nearest of a sample, the share that was found with `ef` candidates.
    pub recall: f64,
    /// The candidates of the audit.
    pub ef: usize,
}

/// The squared Euclidean distance, in lanes.
#[derive(Debug, Clone, Copy, Default)]
struct SquaredLanes;

impl Distance<f32> for SquaredLanes {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        let mut lanes = [0f32; 16];
        let (x, x_rest) = a.as_chunks::<16>();
        let (y, y_rest) = b.as_chunks::<16>();
        for (x, y) in x.iter().zip(y) {
            for ((lane, p), q) in lanes.iter_mut().zip(x).zip(y) {
                *lane += (p - q) * (p - q);
            }
        }
        let rest = x_rest.iter().zip(y_rest).map(|(p, q)| (p - q) * (p - q));
        lanes.iter().sum::<f32>() + rest.sum::<f32>()
    }
}

/// Vectors of one length, one after another.
#[derive(Debug, Clone)]
pub(super) struct Vectors {
    pub numbers: Vec<f32>,
    pub cols: usize,
}

impl Vectors {
    fn len(&self) -> usize {
        self.numbers.len() / self.cols.max(1)
    }

    pub fn row(&self, i: usize) -> &[f32] {
        &self.numbers[i * self.cols..(i + 1) * self.cols]
    }
}

fn folder(database: &Database, model: &Model, of: GraphVectors) -> PathBuf {
    let name = format!("model{}.graph.{}", model.id, of.name());
    database.index_folder().join(name)
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> SearchError {
    let path = path.to_path_buf();
    move |source| SearchError::Io {
        path: path.clone(),
        source,
    }
}

/// Builds a graph, audits it, stores it in place of an older one. Whoever calls holds the index's
/// lock.
pub(super) fn build(
    database: &Database,
    model: &Model,
    of: GraphVectors,
    vectors: &Vectors,
    options: &GraphOptions,
) -> crate::Result<GraphReport> {
    if !(2..=255).contains(&options.connections) || options.ef_construction == 0 {
        return Err(SearchError::Graph(format!(
            "a graph keeps 2 to 255 connections and at least one candidate, not {} and {}",
            options.connections, options.ef_construction
        ))
        .into());
    }
    if let Some(i) = vectors.numbers.iter().position(|x| !x.is_finite()) {
        return Err(SearchError::Graph(format!(
            "vector {} of {} has a number that is not finite; no graph can be built of it",
            i / vectors.cols.max(1),
            of.name()
        ))
        .into());
    }
    let began = Instant::now();
    let (firsts, members) = distinct(vectors);
    let graph = Hnsw::<f32, SquaredLanes>::new(
        options.connections,
        firsts.len(),
        LAYERS,
        options.ef_construction,
        SquaredLanes,
    );
    // One after another: in parallel the graph would depend on how threads meet.
    for (id, first) in firsts.iter().enumerate() {
        graph.insert((vectors.row(*first), id));
    }
    let seconds = began.elapsed().as_secs_f64();
    let mut report = audit(&graph, vectors, &firsts);
    report.seconds = seconds;
    let place = folder(database, model, of);
    let temporary = PathBuf::from(format!("{}.new", place.display()));
    let _ = fs::remove_dir_all(&temporary);
    fs::create_dir_all(&temporary).map_err(io(&temporary))?;
    graph
        .file_dump(&temporary, DUMP)
        .map_err(|e| SearchError::Graph(e.to_string()))?;
    let members: Vec<u8> = members.iter().flat_map(|m| m.to_le_bytes()).collect();
    fs::write(temporary.join(FILES[2]), members).map_err(io(&temporary))?;
    let mut checksums = serde_json::Map::new();
    for name in FILES {
        let path = temporary.join(name);
        File::open(&path)
            .and_then(|f| f.sync_all())
            .map_err(io(&path))?;
        report.bytes += fs::metadata(&path).map_err(io(&path))?.len();
        checksums.insert(name.into(), json!(checksum(&path)?));
    }
    // The old record does not vouch for the new files, nor the new one for the old files: a kill
    // in between leaves a graph that is built anew.
    let _ = fs::remove_dir_all(&place);
    fs::rename(&temporary, &place).map_err(io(&place))?;
    database.sync_index()?;
    database.record_graph(
        model.id,
        &GraphRecord {
            vectors: of.name().into(),
            model_checksum: model.checksum.clone(),
            parameters: json!({
                "connections": options.connections,
                "ef_construction": options.ef_construction,
                "layers": LAYERS,
                "distance": "squared euclidean",
            }),
            audit: json!({
                "vectors": report.n_vectors,
                "distinct": report.n_distinct,
                "seconds": report.seconds,
                "bytes": report.bytes,
                "self_queries": report.self_queries,
                "self_missed": report.self_missed,
                "recall": report.recall,
                "k": RECALL_K,
                "ef": report.ef,
            }),
            checksums: checksums.into(),
        },
    )?;
    Ok(report)
}

/// The first of each set of equal vectors, and for each vector the number of its set.
fn distinct(vectors: &Vectors) -> (Vec<usize>, Vec<u32>) {
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    let (mut firsts, mut members) = (Vec::new(), Vec::new());
    for i in 0..vectors.len() {
        let next = firsts.len() as u32;
        let id = *known
            .entry(bytemuck::cast_slice(vectors.row(i)))
            .or_insert(next);
        if id == next {
            firsts.push(i);
        }
        members.push(id);
    }
    (firsts, members)
}

/// Do vectors find themselves, and their neighbours?
fn audit(graph: &Hnsw<'_, f32, SquaredLanes>, vectors: &Vectors, firsts: &[usize]) -> GraphReport {
    let n = firsts.len();
    let ef = 64;
    let mut rng = generator(0, Purpose::Bins, 1);
    let mut sample = |most: usize| -> Vec<usize> {
        match n <= most {
            true => (0..n).collect(),
            false => (0..most)
                .map(|_| below(&mut rng, n as u32) as usize)
                .collect(),
        }
    };
    let asked = sample(SELF_QUERIES);
    let finds_itself = |id: &&usize| {
        let found = graph.search(vectors.row(firsts[**id]), 1, ef);
        found.first().is_none_or(|f| f.d_id != **id)
    };
    let self_missed = asked.iter().filter(finds_itself).count();
    let k = RECALL_K.min(n);
    let (mut right, mut all) = (0, 0);
    for id in sample(RECALL_QUERIES) {
        let query = vectors.row(firsts[id]);
        let mut best = Best::new(k);
        for (other, first) in firsts.iter().enumerate() {
            best.offer(Found {
                distance: SquaredLanes.eval(query, vectors.row(*first)),
                order: other as u64,
                place: other as u64,
            });
        }
        let exact = best.into_sorted();
        let found = graph.search(query, k, ef);
        let is_found = |e: &&Found| found.iter().any(|f| f.d_id as u64 == e.place);
        right += exact.iter().filter(is_found).count();
        all += exact.len();
    }
    GraphReport {
        n_vectors: vectors.len(),
        n_distinct: n,
        seconds: 0.0,
        bytes: 0,
        self_queries: asked.len(),
        self_missed,
        recall: right as f64 / all.max(1) as f64,
        ef,
    }
}

fn checksum(path: &Path) -> Result<String, SearchError> {
    let mut hasher = blake3::Hasher::new();
    let mut file = File::open(path).map_err(io(path))?;
    std::io::copy(&mut file, &mut hasher).map_err(io(path))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Whether the files of a graph are those that were recorded, of this model.
pub(super) fn verify(
    database: &Database,
    model: &Model,
    of: GraphVectors,
) -> crate::Result<GraphRecord> {
    let place = folder(database, model, of);
    let stale = |why: &str| SearchError::Stale {
        path: place.clone(),
        why: why.to_string(),
    };
    let record = database
        .graph_record(model.id, of.name())?
        .ok_or_else(|| stale("nothing is recorded of it"))?;
    if record.model_checksum != model.checksum {
        return Err(stale("it was made of another model").into());
    }
    for name in FILES {
        let path = place.join(name);
        if record.checksums[name].as_str() != Some(&checksum(&path)?) {
            return Err(SearchError::Damaged {
                path,
                why: "its checksum does not match".into(),
            }
            .into());
        }
    }
    Ok(record)
}

/// Whether there is anything of a graph.
pub(super) fn exists(database: &Database, model: &Model, of: GraphVectors) -> bool {
    folder(database, model, of).exists()
}

/// A graph that has been verified and loaded.
pub(super) struct Graph<'a> {
    graph: Hnsw<'a, f32, SquaredLanes>,
    /// The vectors of each set of equal ones.
    sets: Vec<Vec<u32>>,
}

/// Loads a graph, its vectors memory-mapped, and works with it.
pub(super) fn with_loaded<T>(
    database: &Database,
    model: &Model,
    of: GraphVectors,
    work: impl FnOnce(&Graph<'_>) -> crate::Result<T>,
) -> crate::Result<T> {
    verify(database, model, of)?;
    let place = folder(database, model, of);
    let path = place.join(FILES[2]);
    let members = fs::read(&path).map_err(io(&path))?;
    let mut sets: Vec<Vec<u32>> = Vec::new();
    for (i, id) in members.as_chunks::<4>().0.iter().enumerate() {
        let id = u32::from_le_bytes(*id) as usize;
        if sets.len() <= id {
            sets.resize(id + 1, Vec::new());
        }
        sets[id].push(i as u32);
    }
    let mut reader = HnswIo::new_with_options(&place, DUMP, ReloadOptions::new(true));
    let graph = reader
        .load_hnsw::<f32, SquaredLanes>()
        .map_err(|e| SearchError::Graph(format!("{}: {e}", place.display())))?;
    work(&Graph { graph, sets })
}

impl Graph<'_> {
    /// The places of the nearest vectors, nearest first as the graph has them, until `keep` says
    /// that it has enough. More and more are asked for, up to all.
    pub fn neighbours(
        &self,
        query: &[f32],
        k: usize,
        ef: usize,
        mut keep: impl FnMut(&[u32]) -> bool,
    ) {
        let n = self.sets.len();
        let mut asked = k.max(1).min(n);
        let mut seen = HashSet::new();
        loop {
            for neighbour in self.graph.search(query, asked, ef.max(asked)) {
                let set = self.sets.get(neighbour.d_id).map_or(&[][..], Vec::as_slice);
                if seen.insert(neighbour.d_id) && keep(set) {
                    return;
                }
            }
            if asked == n {
                return;
            }
            asked = (4 * asked).min(n);
        }
    }
}
