//! An open database: what it holds as tables, its factors and signal as arrays.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use persea::genome::{Gene, GenomeAxis, Interval};
use persea::model::TrainedModel;
use persea::search::{Annotation, GenePart, Metric, Searcher, find_gene};
use persea::store::{SignalArray, Track};
use pyo3::prelude::*;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use crate::array::Array;
use crate::errors::{self, ClosedError, of};
use crate::intervals::{self, Coordinates};
use crate::search::{self, Request};
use crate::table::{Column, Table};
use crate::{fork, logs};

/// A model that has been opened, and what was made of it.
struct OpenModel {
    model: TrainedModel,
    searchers: Mutex<HashMap<&'static str, Arc<Searcher>>>,
    annotation: OnceLock<Arc<Annotation>>,
}

struct Inner {
    database: persea::store::Database,
    /// By name; a model that was replaced meanwhile has another checksum.
    models: Mutex<HashMap<String, Arc<OpenModel>>>,
    /// By the track's number, which none of another content has.
    signals: Mutex<HashMap<i64, Arc<SignalArray>>>,
    genes: OnceLock<Vec<Gene>>,
}

/// An open database. `persea.Database` wraps it.
#[pyclass(frozen, module = "persea._persea")]
pub struct Database {
    path: PathBuf,
    inner: Mutex<Option<Arc<Inner>>>,
}

impl Drop for Database {
    fn drop(&mut self) {
        // In a forked process the files and locks are the parent's: they are left alone.
        if fork::is_forked() {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(inner.take());
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn model(&self, name: Option<&str>) -> PyResult<Arc<OpenModel>> {
        let stored = self.database.read_model(name).map_err(of)?;
        let name = stored.record.name.clone();
        if let Some(open) = locked(&self.models).get(&name) {
            let known = open.model.stored();
            if (known.id, &known.checksum) == (stored.id, &stored.checksum) {
                return Ok(Arc::clone(open));
            }
        }
        let model = TrainedModel::open_embedding(&self.database, Some(&name)).map_err(of)?;
        let open = Arc::new(OpenModel {
            model,
            searchers: Mutex::default(),
            annotation: OnceLock::new(),
        });
        locked(&self.models).insert(name, Arc::clone(&open));
        Ok(open)
    }

    fn searcher(&self, model: &OpenModel, metric: Metric) -> PyResult<Arc<Searcher>> {
        // Held while the index is opened, so that two threads do not write it.
        let mut searchers = locked(&model.searchers);
        if let Some(searcher) = searchers.get(metric.name()) {
            return Ok(Arc::clone(searcher));
        }
        let searcher = Searcher::open(&self.database, &model.model, metric).map_err(of)?;
        let searcher = Arc::new(searcher);
        searchers.insert(metric.name(), Arc::clone(&searcher));
        Ok(searcher)
    }

    fn annotation(&self, model: &OpenModel) -> PyResult<Arc<Annotation>> {
        if let Some(annotation) = model.annotation.get() {
            return Ok(Arc::clone(annotation));
        }
        let annotation = Annotation::read(&self.database, model.model.axis()).map_err(of)?;
        Ok(Arc::clone(
            model.annotation.get_or_init(|| Arc::new(annotation)),
        ))
    }

    fn genes(&self) -> PyResult<&[Gene]> {
        if let Some(genes) = self.genes.get() {
            return Ok(genes);
        }
        let genes = self.database.genes().map_err(of)?;
        Ok(self.genes.get_or_init(|| genes))
    }

    fn track(&self, biosample: &str, assay: &str) -> PyResult<Track> {
        self.database
            .track(biosample, assay)
            .map_err(of)?
            .ok_or_else(|| {
                errors::StoreError::new_err(format!(
                    "there is no track {biosample} {assay}; `tracks()` lists all"
                ))
            })
    }

    fn signal(&self, track: &Track) -> PyResult<Arc<SignalArray>> {
        if let Some(signal) = locked(&self.signals).get(&track.id) {
            return Ok(Arc::clone(signal));
        }
        let signal = Arc::new(self.database.signal(track).map_err(of)?);
        locked(&self.signals).insert(track.id, Arc::clone(&signal));
        Ok(signal)
    }

    /// The axis of a model, or the database's own.
    fn with_axis<T>(
        &self,
        model: Option<&str>,
        work: impl FnOnce(&GenomeAxis) -> PyResult<T>,
    ) -> PyResult<T> {
        match model {
            None => work(self.database.axis()),
            Some(name) => work(self.model(Some(name))?.model.axis()),
        }
    }
}

impl Database {
    fn inner(&self) -> PyResult<Arc<Inner>> {
        fork::refuse()?;
        locked(&self.inner).clone().ok_or_else(|| {
            ClosedError::new_err(format!(
                "the database {} has been closed; open it again with persea.open",
                self.path.display()
            ))
        })
    }

    /// Works without the interpreter, then hands log messages over.
    fn apart<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Inner) -> PyResult<T> + Send,
    ) -> PyResult<T> {
        let inner = self.inner()?;
        let result = py.detach(move || work(&inner));
        logs::hand_over(py)?;
        result
    }
}

/// Names with what is known of them, one row each.
fn named<'a>(rows: impl Iterator<Item = (&'a String, &'a Map<String, Value>)>) -> PyResult<Table> {
    let object = |(name, metadata): (&String, &Map<String, Value>)| {
        let mut object = Map::new();
        object.insert("name".into(), json!(name));
        let others = metadata.iter().filter(|(key, _)| *key != "name");
        object.extend(others.map(|(key, value)| (key.clone(), value.clone())));
        object
    };
    Table::of_objects(&rows.map(object).collect::<Vec<_>>())
}

fn table_of_intervals(intervals: &[Interval]) -> PyResult<Table> {
    Table::new(vec![
        (
            "chrom",
            Column::texts(intervals.iter().map(|i| i.chrom.as_str())),
        ),
        ("start", Column::counts(intervals.iter().map(|i| i.start))),
        ("end", Column::counts(intervals.iter().map(|i| i.end))),
    ])
}

#[pymethods]
impl Database {
    #[new]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        fork::refuse()?;
        logs::collect();
        let path = std::path::absolute(&path)?;
        let database = py
            .detach(|| persea::store::Database::open(&path))
            .map_err(of)?;
        logs::hand_over(py)?;
        let inner = Inner {
            database,
            models: Mutex::default(),
            signals: Mutex::default(),
            genes: OnceLock::new(),
        };
        Ok(Database {
            path,
            inner: Mutex::new(Some(Arc::new(inner))),
        })
    }

    #[getter]
    fn path(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    #[getter]
    fn closed(&self) -> bool {
        locked(&self.inner).is_none()
    }

    /// Closes the database. Calls that run in other threads end first; arrays stay valid.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        fork::refuse()?;
        let inner = locked(&self.inner).take();
        py.detach(|| drop(inner));
        Ok(())
    }

    #[getter]
    fn is_read_only(&self) -> PyResult<bool> {
        Ok(self.inner()?.database.is_read_only())
    }

    #[getter]
    fn assembly(&self) -> PyResult<String> {
        Ok(self.inner()?.database.axis().assembly().name().to_string())
    }

    #[getter]
    fn n_bins(&self) -> PyResult<u64> {
        Ok(self.inner()?.database.axis().n_bins())
    }

    fn chromosomes(&self) -> PyResult<Vec<(String, u64)>> {
        let inner = self.inner()?;
        let list = inner.database.axis().assembly().chromosomes();
        Ok(list.iter().map(|c| (c.name.clone(), c.length)).collect())
    }

    #[pyo3(signature = (model = None))]
    fn regions(&self, py: Python<'_>, model: Option<String>) -> PyResult<Table> {
        self.apart(py, |inner| {
            inner.with_axis(model.as_deref(), |axis| {
                let all = 0..axis.regions().len();
                let intervals: Vec<Interval> = all.map(|i| axis.region_interval(i)).collect();
                let names = axis.regions().iter().map(|r| r.name.clone()).collect();
                Table::new(vec![
                    ("name", Column::Texts(names)),
                    (
                        "chrom",
                        Column::texts(intervals.iter().map(|i| i.chrom.as_str())),
                    ),
                    ("start", Column::counts(intervals.iter().map(|i| i.start))),
                    ("end", Column::counts(intervals.iter().map(|i| i.end))),
                    (
                        "n_bins",
                        Column::counts(axis.regions().iter().map(|r| r.n_bins)),
                    ),
                ])
            })
        })
    }

    fn tracks(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, |inner| {
            let n_bins = inner.database.axis().n_bins();
            let tracks = inner.database.tracks().map_err(of)?;
            let numbers = |of: fn(&Track) -> f64| {
                Column::Numbers(tracks.iter().map(|t| Some(of(t))).collect())
            };
            let covered = |t: &Track| t.covered_bins.unwrap_or(n_bins);
            Table::new(vec![
                (
                    "biosample",
                    Column::texts(tracks.iter().map(|t| t.biosample.as_str())),
                ),
                (
                    "assay",
                    Column::texts(tracks.iter().map(|t| t.assay.as_str())),
                ),
                ("mean", numbers(|t| t.mean)),
                ("variance", numbers(|t| t.variance)),
                ("maximum", numbers(|t| t.maximum)),
                ("covered_bins", Column::counts(tracks.iter().map(covered))),
                (
                    "negative_bins",
                    Column::counts(tracks.iter().map(|t| t.n_negative_bins)),
                ),
                (
                    "transform",
                    Column::texts(tracks.iter().map(|t| t.transform.name())),
                ),
                ("multiplier", numbers(|t| t.multiplier)),
                (
                    "unit",
                    Column::Texts(tracks.iter().map(|t| t.unit.clone()).collect()),
                ),
                (
                    "location",
                    Column::texts(tracks.iter().map(|t| t.location.as_str())),
                ),
                (
                    "checksum",
                    Column::texts(tracks.iter().map(|t| t.checksum.as_str())),
                ),
                (
                    "ingested",
                    Column::texts(tracks.iter().map(|t| t.ingested.as_str())),
                ),
            ])
        })
    }

    fn genes(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, |inner| {
            let genes = inner.genes()?;
            let strands = genes.iter().map(|g| g.strand.symbol().to_string());
            Table::new(vec![
                (
                    "gene_id",
                    Column::texts(genes.iter().map(|g| g.id.as_str())),
                ),
                ("name", Column::texts(genes.iter().map(|g| g.name.as_str()))),
                (
                    "chrom",
                    Column::texts(genes.iter().map(|g| g.interval.chrom.as_str())),
                ),
                (
                    "start",
                    Column::counts(genes.iter().map(|g| g.interval.start)),
                ),
                ("end", Column::counts(genes.iter().map(|g| g.interval.end))),
                ("strand", Column::texts(strands)),
                ("tss", Column::counts(genes.iter().map(Gene::tss))),
            ])
        })
    }

    fn biosamples(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, |inner| {
            let all = inner.database.biosamples().map_err(of)?;
            named(all.iter().map(|b| (&b.name, &b.metadata)))
        })
    }

    fn assays(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, |inner| {
            let all = inner.database.assays().map_err(of)?;
            named(all.iter().map(|a| (&a.name, &a.metadata)))
        })
    }

    fn models(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, |inner| {
            let models = inner.database.list_models().map_err(of)?;
            let bins = |m: &persea::store::Model| m.record.regions.iter().map(|r| r.n_bins).sum();
            Table::new(vec![
                (
                    "name",
                    Column::texts(models.iter().map(|m| m.record.name.as_str())),
                ),
                (
                    "kind",
                    Column::texts(models.iter().map(|m| m.record.kind.name())),
                ),
                (
                    "is_default",
                    Column::Truths(models.iter().map(|m| Some(m.is_default)).collect()),
                ),
                (
                    "biosamples",
                    Column::counts(models.iter().map(|m| m.record.biosamples.len() as u64)),
                ),
                (
                    "assays",
                    Column::counts(models.iter().map(|m| m.record.assays.len() as u64)),
                ),
                ("bins", Column::counts(models.iter().map(bins))),
                ("seed", Column::counts(models.iter().map(|m| m.record.seed))),
                (
                    "created",
                    Column::texts(models.iter().map(|m| m.created.as_str())),
                ),
                (
                    "checksum",
                    Column::texts(models.iter().map(|m| m.checksum.as_str())),
                ),
            ])
        })
    }

    fn tasks(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, |inner| {
            let tasks = inner.database.list_tasks().map_err(of)?;
            let labelled = |t: &persea::store::Task| {
                let names: Vec<&str> = t.labels.iter().map(|l| l.biosample.as_str()).collect();
                names.join(",")
            };
            Table::new(vec![
                ("name", Column::texts(tasks.iter().map(|t| t.name.as_str()))),
                ("kind", Column::texts(tasks.iter().map(|t| t.kind.as_str()))),
                (
                    "examples",
                    Column::counts(tasks.iter().map(|t| t.n_examples)),
                ),
                ("biosamples", Column::texts(tasks.iter().map(labelled))),
                (
                    "imported",
                    Column::texts(tasks.iter().map(|t| t.imported.as_str())),
                ),
                (
                    "checksum",
                    Column::texts(tasks.iter().map(|t| t.checksum.as_str())),
                ),
            ])
        })
    }

    fn runs(&self, py: Python<'_>) -> PyResult<Table> {
        self.apart(py, |inner| {
            let runs = inner.database.list_runs().map_err(of)?;
            Table::new(vec![
                ("run", Column::Integers(runs.iter().map(|r| r.id).collect())),
                ("task", Column::texts(runs.iter().map(|r| r.task.as_str()))),
                (
                    "created",
                    Column::texts(runs.iter().map(|r| r.created.as_str())),
                ),
                (
                    "settings",
                    Column::texts(runs.iter().map(|r| r.settings.to_string())),
                ),
                (
                    "result",
                    Column::texts(runs.iter().map(|r| r.result.to_string())),
                ),
            ])
        })
    }

    /// A task's examples with one biosample's labels.
    fn labels(&self, py: Python<'_>, task: String, biosample: String) -> PyResult<Table> {
        self.apart(py, |inner| {
            let task = inner.database.read_task(&task).map_err(of)?;
            let examples = inner.database.task_examples(&task).map_err(of)?;
            let labels = inner.database.task_labels(&task, &biosample).map_err(of)?;
            let chrom = |i: &Option<Interval>| i.as_ref().map(|i| i.chrom.clone());
            let start = |i: &Option<Interval>| i.as_ref().map(|i| i.start as i64);
            let end = |i: &Option<Interval>| i.as_ref().map(|i| i.end as i64);
            let strand = |e: &persea::store::Example| e.strand.map(|s| s.symbol().to_string());
            let label = |v: &f64| Some(*v).filter(|v| !v.is_nan());
            Table::new(vec![
                (
                    "name",
                    Column::texts(examples.iter().map(|e| e.name.as_str())),
                ),
                (
                    "chrom",
                    Column::Texts(examples.iter().map(|e| chrom(&e.place)).collect()),
                ),
                (
                    "start",
                    Column::MaybeIntegers(examples.iter().map(|e| start(&e.place)).collect()),
                ),
                (
                    "end",
                    Column::MaybeIntegers(examples.iter().map(|e| end(&e.place)).collect()),
                ),
                (
                    "strand",
                    Column::Texts(examples.iter().map(strand).collect()),
                ),
                (
                    "partner_start",
                    Column::MaybeIntegers(examples.iter().map(|e| start(&e.partner)).collect()),
                ),
                (
                    "partner_end",
                    Column::MaybeIntegers(examples.iter().map(|e| end(&e.partner)).collect()),
                ),
                (
                    "fold",
                    Column::Texts(examples.iter().map(|e| e.fold.clone()).collect()),
                ),
                (
                    "label",
                    Column::Numbers(labels.values.iter().map(label).collect()),
                ),
            ])
        })
    }

    /// The place that a text names: a region as a browser writes it, or a gene.
    fn locate(&self, py: Python<'_>, text: String, part: &str) -> PyResult<Coordinates> {
        let Some(part) = GenePart::from_name(part) else {
            return Err(errors::value(format!(
                "`{part}` is no part of a gene; it is promoter, body or tss"
            )));
        };
        self.apart(py, move |inner| {
            let axis = inner.database.axis();
            let interval = match text.contains(':') || axis.assembly().resolve(&text).is_ok() {
                true => Interval::parse_browser(&text).map_err(of)?,
                false => part.interval(find_gene(&text, axis, inner.genes()?).map_err(of)?),
            };
            let place = (interval.chrom, interval.start, interval.end);
            let interval = intervals::interval(axis, &place)?;
            Ok((interval.chrom, interval.start, interval.end))
        })
    }

    /// Where the rows of a scale lie that a place touches.
    #[pyo3(signature = (place, resolution, model = None))]
    fn bins(
        &self,
        py: Python<'_>,
        place: Coordinates,
        resolution: &str,
        model: Option<String>,
    ) -> PyResult<Table> {
        let scale = intervals::resolution(resolution)?;
        self.apart(py, |inner| {
            let open = inner.model(model.as_deref()).ok();
            let axis = match (&open, &model) {
                (Some(open), _) => open.model.axis(),
                // Without a model the database's own axis; a name that is unknown is an error.
                (None, None) => inner.database.axis(),
                (None, Some(_)) => {
                    inner.model(model.as_deref())?;
                    inner.database.axis()
                }
            };
            let bins = intervals::bins(axis, &place)?;
            let rows = bins
                .iter()
                .flat_map(|b| intervals::intervals_of_rows(axis, scale, b));
            table_of_intervals(&rows.collect::<Vec<_>>())
        })
    }

    /// The factors of the rows of a scale that a place touches, `[rows, factors]`.
    #[pyo3(signature = (place, resolution, model = None))]
    fn factors(
        &self,
        py: Python<'_>,
        place: Coordinates,
        resolution: &str,
        model: Option<String>,
    ) -> PyResult<Array> {
        let scale = intervals::resolution(resolution)?;
        self.apart(py, |inner| {
            let open = inner.model(model.as_deref())?;
            let searcher = inner.searcher(&open, Metric::Euclidean)?;
            let bins = intervals::bins(searcher.axis(), &place)?;
            let rows: Vec<_> = (bins.iter())
                .map(|b| intervals::rows(searcher.axis(), scale, b))
                .collect();
            let cols = searcher.widths()[scale.index()];
            if let [one] = rows.as_slice()
                && let Some(lent) = searcher.stored_rows(scale, one.clone()).map_err(of)?
            {
                return Ok(Array::lent(&searcher, lent, cols));
            }
            let n: u64 = rows.iter().map(|r| r.end - r.start).sum();
            let mut numbers = vec![0f32; n as usize * cols];
            let mut left = numbers.as_mut_slice();
            for rows in rows {
                let (now, rest) = left.split_at_mut((rows.end - rows.start) as usize * cols);
                searcher.copy_factors(scale, rows, now).map_err(of)?;
                left = rest;
            }
            Ok(Array::of_f32(numbers, vec![n as usize, cols]))
        })
    }

    /// The embeddings of the bins that a place touches, `[bins, factors]`.
    #[pyo3(signature = (place, model = None))]
    fn embedding(
        &self,
        py: Python<'_>,
        place: Coordinates,
        model: Option<String>,
    ) -> PyResult<Array> {
        self.apart(py, |inner| {
            let open = inner.model(model.as_deref())?;
            let searcher = inner.searcher(&open, Metric::Euclidean)?;
            let ranges = intervals::bins(searcher.axis(), &place)?;
            let cols: usize = searcher.widths().iter().sum();
            let n: u64 = ranges.iter().map(|r| r.end - r.start).sum();
            let mut numbers = vec![0f32; n as usize * cols];
            let mut left = numbers.as_mut_slice();
            for bins in ranges {
                let (now, rest) = left.split_at_mut((bins.end - bins.start) as usize * cols);
                searcher.copy_embeddings(bins, now).map_err(of)?;
                left = rest;
            }
            Ok(Array::of_f32(numbers, vec![n as usize, cols]))
        })
    }

    /// The mean embedding of each of some places, `[places, factors]`.
    #[pyo3(signature = (places, model = None))]
    fn mean_embeddings(
        &self,
        py: Python<'_>,
        places: Vec<Coordinates>,
        model: Option<String>,
    ) -> PyResult<Array> {
        self.apart(py, |inner| {
            let open = inner.model(model.as_deref())?;
            let searcher = inner.searcher(&open, Metric::Euclidean)?;
            let cols: usize = searcher.widths().iter().sum();
            let mut numbers = vec![0f32; places.len() * cols];
            (numbers.par_chunks_mut(cols.max(1)).zip(&places)).try_for_each(|(row, place)| {
                let bins = intervals::bins(searcher.axis(), place)?;
                row.copy_from_slice(&searcher.mean_embedding(&bins).map_err(of)?);
                Ok::<(), PyErr>(())
            })?;
            Ok(Array::of_f32(numbers, vec![places.len(), cols]))
        })
    }

    /// The stored signal of a track in the bins that a place touches, `[bins]`; NaN in bins without data
    /// or outside the covered regions.
    fn signal(
        &self,
        py: Python<'_>,
        place: Coordinates,
        biosample: String,
        assay: String,
        invert: bool,
    ) -> PyResult<Array> {
        self.apart(py, |inner| {
            let track = inner.track(&biosample, &assay)?;
            let signal = inner.signal(&track)?;
            let axis = inner.database.axis();
            let interval = intervals::interval(axis, &place)?;
            let ranges = intervals::bins(axis, &place)?;
            let first = interval.start / persea::genome::BIN_BP;
            let n = interval.end.div_ceil(persea::genome::BIN_BP) - first;
            let mut numbers = vec![f32::NAN; n as usize];
            for bins in ranges {
                let at = (axis.locate(bins.start).chrom_bin - first) as usize;
                let length = (bins.end - bins.start) as usize;
                signal
                    .read(bins, &mut numbers[at..at + length])
                    .map_err(of)?;
            }
            if invert {
                numbers
                    .iter_mut()
                    .for_each(|v| *v = track.transform.invert(*v));
            }
            Ok(Array::of_f32(numbers, vec![n as usize]))
        })
    }

    /// The mean stored signal of tracks over each of some places, `[places, tracks]`; NaN where a track has
    /// no data.
    fn mean_signals(
        &self,
        py: Python<'_>,
        places: Vec<Coordinates>,
        tracks: Vec<(String, String)>,
    ) -> PyResult<Array> {
        self.apart(py, |inner| {
            let axis = inner.database.axis();
            let ranges: Vec<_> = (places.iter())
                .map(|place| intervals::bins(axis, place))
                .collect::<PyResult<_>>()?;
            let mut arrays = Vec::new();
            for (biosample, assay) in &tracks {
                arrays.push(inner.signal(&inner.track(biosample, assay)?)?);
            }
            let mut numbers = vec![f32::NAN; places.len() * tracks.len()];
            (numbers.par_chunks_mut(tracks.len().max(1)).zip(&ranges)).try_for_each(
                |(row, ranges)| {
                    for (mean, signal) in row.iter_mut().zip(&arrays) {
                        let (mut sum, mut n) = (0f64, 0u64);
                        for bins in ranges {
                            let mut values = vec![0f32; (bins.end - bins.start) as usize];
                            signal.read(bins.clone(), &mut values).map_err(of)?;
                            for v in values.iter().filter(|v| !v.is_nan()) {
                                sum += f64::from(*v);
                                n += 1;
                            }
                        }
                        if n > 0 {
                            *mean = (sum / n as f64) as f32;
                        }
                    }
                    Ok::<(), PyErr>(())
                },
            )?;
            Ok(Array::of_f32(numbers, vec![places.len(), tracks.len()]))
        })
    }

    /// The factors of a model's biosamples or assays, `[names, factors]`, and their names.
    #[pyo3(signature = (of_assays, model = None))]
    fn sample_factors(
        &self,
        py: Python<'_>,
        of_assays: bool,
        model: Option<String>,
    ) -> PyResult<(Vec<String>, Array)> {
        self.apart(py, |inner| {
            let open = inner.model(model.as_deref())?;
            let (network, record) = (open.model.network(), open.model.record());
            let (names, factors) = match of_assays {
                true => (&record.assays, &network.assays),
                false => (&record.biosamples, &network.biosamples),
            };
            let shape = factors.shape().to_vec();
            let numbers = factors.iter().copied().collect();
            Ok((names.clone(), Array::of_f32(numbers, shape)))
        })
    }

    /// The name of a model; of the default one if none is given.
    #[pyo3(signature = (model = None))]
    fn model_name(&self, py: Python<'_>, model: Option<String>) -> PyResult<String> {
        self.apart(py, |inner| {
            let stored = inner.database.read_model(model.as_deref()).map_err(of)?;
            Ok(stored.record.name)
        })
    }

    /// How many factors a position has at 25 bp, 250 bp and 5 kbp.
    #[pyo3(signature = (model = None))]
    fn widths(&self, py: Python<'_>, model: Option<String>) -> PyResult<[usize; 3]> {
        self.apart(py, |inner| {
            Ok(inner.model(model.as_deref())?.model.genome_widths())
        })
    }

    /// Searches for places like some.
    #[pyo3(signature = (request, model = None))]
    fn similar(&self, py: Python<'_>, request: Request, model: Option<String>) -> PyResult<Table> {
        self.apart(py, |inner| {
            let open = inner.model(model.as_deref())?;
            let searcher = inner.searcher(&open, search::metric(&request.metric)?)?;
            let annotation = inner.annotation(&open)?;
            let axis = searcher.axis();
            let queries = request.queries(axis)?;
            let filter = request.filter(axis)?;
            let allowed = searcher.allow(&filter, &annotation).map_err(of)?;
            let options = request.options()?;
            let mut answers = searcher
                .search_all(&queries, &options, allowed.as_ref(), annotation.genes())
                .map_err(of)?;
            searcher
                .rank_among_random_pairs(
                    &inner.database,
                    &open.model,
                    &options.weights,
                    &mut answers,
                )
                .map_err(of)?;
            search::table(&answers, &annotation)
        })
    }
}
