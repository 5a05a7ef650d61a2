//! A model's factors as tables: rows of the genome, biosamples or assays, with what names them.

use persea_vocabulary::vocabulary;
use std::ops::Range;

use crate::formats::{LabelKind, Labels, TableShape, TableSource};
use crate::genome::{Interval, Resolution};
use crate::model::TrainedModel;
use crate::store::Database;

/// What each row of a genome table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenomeRows {
    /// A row of factors at one scale.
    Resolution(Resolution),
    /// A 25 bp bin with its factors at all three scales side by side.
    Embedding,
}

impl GenomeRows {
    fn scale(self) -> Resolution {
        match self {
            GenomeRows::Resolution(scale) => scale,
            GenomeRows::Embedding => Resolution::Bp25,
        }
    }
}

/// Consecutive rows of one region.
#[derive(Debug, Clone)]
struct Stretch {
    region: usize,
    /// The first coarse bin, counted on the chromosome.
    first: u64,
    /// Rows of the table before this stretch.
    before: u64,
    n_rows: u64,
}

/// Factors along the genome.
pub struct GenomeTable<'a> {
    database: &'a Database,
    model: &'a TrainedModel,
    rows: GenomeRows,
    shape: TableShape,
    stretches: Vec<Stretch>,
}

impl<'a> GenomeTable<'a> {
    /// The rows that some spans of the model's axis touch.
    pub fn new(
        database: &'a Database,
        model: &'a TrainedModel,
        rows: GenomeRows,
        spans: &[Range<u64>],
    ) -> Self {
        let axis = model.axis();
        let scale = rows.scale();
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut n_rows = 0;
        for span in spans.iter().filter(|s| s.start < s.end) {
            let at = axis.locate(span.start);
            let last = axis.locate(span.end - 1);
            let mut first = at.chrom_bin / scale.bins();
            let end = last.chrom_bin / scale.bins() + 1;
            // Two spans of a region may share a coarse row: it comes once.
            if let Some(before) = stretches.last().filter(|s| s.region == at.region) {
                first = first.max(before.first + before.n_rows);
            }
            if first >= end {
                continue;
            }
            stretches.push(Stretch {
                region: at.region,
                first,
                before: n_rows,
                n_rows: end - first,
            });
            n_rows += end - first;
        }
        let sizes = &model.config().sizes;
        let columns = |scale: Resolution| {
            (0..sizes.genome_factors(scale)).map(move |i| format!("{scale}_{i}"))
        };
        let numbers = match rows {
            GenomeRows::Resolution(scale) => columns(scale).collect(),
            GenomeRows::Embedding => Resolution::ALL.into_iter().flat_map(columns).collect(),
        };
        let chroms = axis.regions().iter().map(|r| r.chrom.len()).max();
        let of = match rows {
            GenomeRows::Resolution(scale) => format!("genome factors, {scale}"),
            GenomeRows::Embedding => {
                "embedding: genome factors of 25bp, 250bp and 5kbp".to_string()
            }
        };
        let shape = TableShape {
            n_rows,
            labels: vec![
                ("chrom".into(), LabelKind::Text(chroms.unwrap_or(1) as u32)),
                ("start".into(), LabelKind::Integer),
                ("end".into(), LabelKind::Integer),
            ],
            numbers,
            array: "factors",
            about_columns: Vec::new(),
            facts: facts(model, &of),
        };
        GenomeTable {
            database,
            model,
            rows,
            shape,
            stretches,
        }
    }

    /// Calls `work` with the stretches, or parts of them, that some rows lie in.
    fn each<E>(
        &self,
        rows: Range<u64>,
        mut work: impl FnMut(&Stretch, Range<u64>) -> Result<(), E>,
    ) -> Result<(), E> {
        let from = self
            .stretches
            .partition_point(|s| s.before + s.n_rows <= rows.start);
        for stretch in &self.stretches[from..] {
            let start = rows.start.max(stretch.before);
            let end = rows.end.min(stretch.before + stretch.n_rows);
            if start >= end {
                break;
            }
            let first = stretch.first + start - stretch.before;
            work(stretch, first..first + end - start)?;
        }
        Ok(())
    }

    /// Where a row lies, clipped to its region.
    fn interval(&self, region: usize, row: u64) -> Interval {
        let bins = self.rows.scale().bins();
        let axis = self.model.axis();
        let whole = axis.region_interval(region);
        let bp = crate::genome::BIN_BP * bins;
        Interval::new(
            whole.chrom,
            (row * bp).max(whole.start),
            ((row + 1) * bp).min(whole.end),
        )
    }

    fn intervals(&self, rows: Range<u64>) -> crate::Result<Vec<Interval>> {
        let mut intervals = Vec::new();
        self.each::<crate::Error>(rows, |stretch, part| {
            intervals.extend(part.map(|row| self.interval(stretch.region, row)));
            Ok(())
        })?;
        Ok(intervals)
    }
}

impl TableSource<crate::Error> for GenomeTable<'_> {
    fn shape(&self) -> &TableShape {
        &self.shape
    }

    fn labels(&self, column: usize, rows: Range<u64>) -> crate::Result<Labels> {
        let intervals = self.intervals(rows)?;
        Ok(match column {
            0 => Labels::Text(intervals.into_iter().map(|i| i.chrom).collect()),
            1 => Labels::Integer(intervals.iter().map(|i| i.start as i64).collect()),
            _ => Labels::Integer(intervals.iter().map(|i| i.end as i64).collect()),
        })
    }

    fn names(&self, rows: Range<u64>) -> crate::Result<Vec<String>> {
        let intervals = self.intervals(rows)?;
        Ok(intervals
            .iter()
            .map(|i| format!("{}:{}-{}", i.chrom, i.start, i.end))
            .collect())
    }

    fn name_bytes(&self) -> u32 {
        let regions = self.model.axis().regions();
        let longest = (0..regions.len()).map(|i| {
            let whole = self.model.axis().region_interval(i);
            whole.chrom.len() + 2 * whole.end.to_string().len() + 2
        });
        longest.max().unwrap_or(1) as u32
    }

    fn numbers(&self, rows: Range<u64>, out: &mut [f32]) -> crate::Result<()> {
        let n_columns = self.shape.numbers.len();
        let mut at = 0;
        self.each::<crate::Error>(rows, |stretch, part| {
            let n_rows = (part.end - part.start) as usize;
            let target = &mut out[at..at + n_rows * n_columns];
            at += n_rows * n_columns;
            match self.rows {
                GenomeRows::Resolution(scale) => {
                    self.model
                        .read_factors(self.database, scale, stretch.region, part, target)?;
                }
                GenomeRows::Embedding => {
                    let block =
                        self.model
                            .block(self.database, stretch.region, part.start, n_rows)?;
                    for (i, row) in target.chunks_exact_mut(n_columns).enumerate() {
                        block.embedding(i, row);
                    }
                }
            }
            Ok(())
        })
    }
}

vocabulary! {
    /// Which of the axes that are not the genome.
    pub enum NamedAxis {
        /// Biosamples of the model
        Biosamples = "biosamples",
        /// Assays of the model
        Assays = "assays",
    }
}

/// Factors of biosamples or of assays, with what is known of each.
pub struct NamedTable<'a> {
    model: &'a TrainedModel,
    axis: NamedAxis,
    shape: TableShape,
    /// Label columns after the name, in order: a text a row.
    metadata: Vec<Vec<String>>,
}

impl<'a> NamedTable<'a> {
    /// All of a model's, in the order of their factors.
    ///
    /// # Errors
    /// When the metadata cannot be read.
    pub fn new(
        database: &Database,
        model: &'a TrainedModel,
        axis: NamedAxis,
    ) -> crate::Result<Self> {
        type Known = Vec<(String, serde_json::Map<String, serde_json::Value>)>;
        let record = model.record();
        let (names, known, label): (_, Known, _) = match axis {
            NamedAxis::Biosamples => (
                &record.biosamples,
                (database.biosamples()?.into_iter())
                    .map(|b| (b.name, b.metadata))
                    .collect(),
                "biosample",
            ),
            NamedAxis::Assays => (
                &record.assays,
                (database.assays()?.into_iter())
                    .map(|a| (a.name, a.metadata))
                    .collect(),
                "assay",
            ),
        };
        let of = |name: &String| known.iter().find(|(n, _)| n == name).map(|(_, m)| m);
        // As their source called them, in the order in which they are met; the name comes first.
        let mut keys: Vec<&String> = Vec::new();
        for key in names.iter().filter_map(of).flat_map(|m| m.keys()) {
            if key != label && !keys.contains(&key) {
                keys.push(key);
            }
        }
        let text = |value: Option<&serde_json::Value>| match value {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let metadata: Vec<Vec<String>> = keys
            .iter()
            .map(|key| {
                names
                    .iter()
                    .map(|name| text(of(name).and_then(|m| m.get(*key))))
                    .collect()
            })
            .collect();
        let widest = |texts: &[String]| {
            LabelKind::Text(texts.iter().map(String::len).max().unwrap_or(0) as u32)
        };
        let mut labels = vec![(label.to_string(), widest(names))];
        for (key, texts) in keys.iter().zip(&metadata) {
            labels.push((key.to_string(), widest(texts)));
        }
        let factors = match axis {
            NamedAxis::Biosamples => &model.network().biosamples,
            NamedAxis::Assays => &model.network().assays,
        };
        let shape = TableShape {
            n_rows: names.len() as u64,
            labels,
            numbers: (0..factors.ncols())
                .map(|i| format!("{label}_{i}"))
                .collect(),
            array: "factors",
            about_columns: Vec::new(),
            facts: facts(model, &format!("{label} factors")),
        };
        Ok(NamedTable {
            model,
            axis,
            shape,
            metadata,
        })
    }

    fn all_names(&self) -> &[String] {
        let record = self.model.record();
        match self.axis {
            NamedAxis::Biosamples => &record.biosamples,
            NamedAxis::Assays => &record.assays,
        }
    }
}

impl TableSource<crate::Error> for NamedTable<'_> {
    fn shape(&self) -> &TableShape {
        &self.shape
    }

    fn labels(&self, column: usize, rows: Range<u64>) -> crate::Result<Labels> {
        let texts = match column.checked_sub(1) {
            None => self.all_names(),
            Some(i) => &self.metadata[i],
        };
        let part = &texts[rows.start as usize..rows.end as usize];
        Ok(Labels::Text(part.to_vec()))
    }

    fn names(&self, rows: Range<u64>) -> crate::Result<Vec<String>> {
        Ok(self.all_names()[rows.start as usize..rows.end as usize].to_vec())
    }

    fn name_bytes(&self) -> u32 {
        self.all_names().iter().map(String::len).max().unwrap_or(1) as u32
    }

    fn numbers(&self, rows: Range<u64>, out: &mut [f32]) -> crate::Result<()> {
        let factors = match self.axis {
            NamedAxis::Biosamples => &self.model.network().biosamples,
            NamedAxis::Assays => &self.model.network().assays,
        };
        let part = rows.start as usize..rows.end as usize;
        let values = factors.outer_iter().skip(part.start).take(part.len());
        for (to, from) in out.iter_mut().zip(values.flatten()) {
            *to = *from;
        }
        Ok(())
    }
}

/// Where a table comes from.
fn facts(model: &TrainedModel, what: &str) -> Vec<(String, String)> {
    let fact = |key: &str, value: &str| (key.to_string(), value.to_string());
    vec![
        fact("what", what),
        fact("model", &model.record().name),
        fact("model_checksum", &model.stored().checksum),
        fact("assembly", model.axis().assembly().name()),
        fact("persea", env!("CARGO_PKG_VERSION")),
    ]
}
