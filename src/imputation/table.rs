//! Imputed experiments as one table: a row a bin, a column an experiment.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::inversions::Inversions;
use super::stream::Prepared;
use super::write::{QUANTILE_NAMES, deviation_of_signal, unit, units};
use super::{SignalScale, Stream, Uncertainty};
use crate::compendium::Experiment;
use crate::formats::{LabelKind, Labels, TableShape, TableSource};
use crate::genome::{BIN_BP, Interval};
use crate::model::TrainedModel;
use crate::store::{Database, Inversion};

/// Experiments over bins of a model's axis, imputed as they are read.
///
/// Rows are in the order of the axis. Columns are named so that they are valid names in R; `biosample`,
/// `assay`, `unit` and `statistic` of each are kept beside them as they are.
pub struct ImputedTable<'a> {
    model: &'a TrainedModel,
    prepared: Prepared<'a>,
    /// Of each experiment.
    inversions: Vec<Inversion>,
    uncertainty: Vec<Option<Uncertainty<'a>>>,
    shape: TableShape,
    /// Bins, and the rows before them.
    stretches: Vec<(Range<u64>, u64)>,
}

impl<'a> ImputedTable<'a> {
    /// A table of experiments over spans of the model's axis. With `uncertainty` each has five columns
    /// more: the standard deviation about what is imputed, and the
    /// [`QUANTILES`](crate::model::QUANTILES) of what would be observed.
    ///
    /// # Errors
    /// When the model does not know an experiment, a track that it reads has changed, or it has measured no
    /// uncertainty.
    pub fn new(
        database: &'a Database,
        model: &'a TrainedModel,
        experiments: &[Experiment],
        spans: &[Range<u64>],
        scale: SignalScale,
        uncertainty: bool,
    ) -> crate::Result<Self> {
        let inversions = Inversions::new(database, Some(model), scale)?;
        let units = units(database)?;
        let prepared = Stream::new(database, model).prepare(experiments)?;
        let uncertainty = experiments
            .iter()
            .map(|e| uncertainty.then(|| Uncertainty::of(model, e)).transpose())
            .collect::<crate::Result<Vec<_>>>()?;
        let mut spans = spans.to_vec();
        spans.sort_by_key(|span| span.start);
        let mut n_rows = 0;
        let stretches = (spans.into_iter())
            .map(|span| {
                let before = n_rows;
                n_rows += span.end - span.start;
                (span, before)
            })
            .collect();
        let statistics = match uncertainty.iter().any(Option::is_some) {
            true => [&["imputed", "sd"][..], &QUANTILE_NAMES].concat(),
            false => vec!["imputed"],
        };
        let columns: Vec<(&Experiment, &str)> = (experiments.iter())
            .flat_map(|e| statistics.iter().map(move |s| (e, *s)))
            .collect();
        let texts = |of: &dyn Fn(&Experiment, &str) -> String| -> Vec<String> {
            columns.iter().map(|(e, s)| of(e, s)).collect()
        };
        let names = texts(&|e, statistic| match statistic {
            "imputed" => format!("{}.{}", e.biosample, e.assay),
            _ => format!("{}.{}.{statistic}", e.biosample, e.assay),
        });
        let about = |name: &str, texts| (name.to_string(), texts);
        let fact = |key: &str, value: &str| (key.to_string(), value.to_string());
        let record = model.record();
        let chroms = model.axis().regions().iter().map(|r| r.chrom.len()).max();
        let shape = TableShape {
            n_rows,
            labels: vec![
                ("chrom".into(), LabelKind::Text(chroms.unwrap_or(1) as u32)),
                ("start".into(), LabelKind::Integer),
                ("end".into(), LabelKind::Integer),
            ],
            numbers: names_in_r(&names),
            array: "signal",
            about_columns: vec![
                about("biosample", texts(&|e, _| e.biosample.clone())),
                about("assay", texts(&|e, _| e.assay.clone())),
                about(
                    "unit",
                    texts(&|e, _| unit(&units, inversions.transforms(), &e.assay, scale)),
                ),
                about("statistic", texts(&|_, statistic| statistic.to_string())),
            ],
            facts: vec![
                fact("what", "imputed signal"),
                fact("model", &record.name),
                fact("model_checksum", &model.stored().checksum),
                fact("assembly", model.axis().assembly().name()),
                fact("bin_bp", &BIN_BP.to_string()),
                fact("coordinates", "0-based, half-open"),
            ],
        };
        Ok(ImputedTable {
            inversions: experiments.iter().map(|e| inversions.of(e)).collect(),
            model,
            prepared,
            uncertainty,
            shape,
            stretches,
        })
    }

    /// The bins that some rows are.
    fn bins(&self, rows: Range<u64>) -> Vec<Range<u64>> {
        let end_of = |(bins, before): &(Range<u64>, u64)| before + (bins.end - bins.start);
        let from = self.stretches.partition_point(|s| end_of(s) <= rows.start);
        self.stretches[from..]
            .iter()
            .take_while(|(_, before)| *before < rows.end)
            .map(|stretch| {
                let (bins, before) = stretch;
                let start = rows.start.max(*before) - before;
                let end = rows.end.min(end_of(stretch)) - before;
                bins.start + start..bins.start + end
            })
            .collect()
    }

    fn intervals(&self, rows: Range<u64>) -> impl Iterator<Item = Interval> + '_ {
        let bins = self.bins(rows).into_iter().flatten();
        bins.map(|bin| self.model.axis().bin_interval(bin))
    }
}

impl TableSource<crate::Error> for ImputedTable<'_> {
    fn shape(&self) -> &TableShape {
        &self.shape
    }

    fn labels(&self, column: usize, rows: Range<u64>) -> crate::Result<Labels> {
        let intervals = self.intervals(rows);
        Ok(match column {
            0 => Labels::Text(intervals.map(|i| i.chrom).collect()),
            1 => Labels::Integer(intervals.map(|i| i.start as i64).collect()),
            _ => Labels::Integer(intervals.map(|i| i.end as i64).collect()),
        })
    }

    fn names(&self, rows: Range<u64>) -> crate::Result<Vec<String>> {
        let name = |i: Interval| format!("{}:{}-{}", i.chrom, i.start, i.end);
        Ok(self.intervals(rows).map(name).collect())
    }

    fn name_bytes(&self) -> u32 {
        let axis = self.model.axis();
        let longest = (0..axis.regions().len()).map(|i| {
            let whole = axis.region_interval(i);
            whole.chrom.len() + 2 * whole.end.to_string().len() + 2
        });
        longest.max().unwrap_or(1) as u32
    }

    fn numbers(&self, rows: Range<u64>, out: &mut [f32]) -> crate::Result<()> {
        let n_columns = self.shape.numbers.len();
        let each = n_columns / self.inversions.len().max(1);
        let mut row = 0;
        for bins in self.bins(rows) {
            let first_bin = bins.start;
            let n_bins = (bins.end - bins.start) as usize;
            (self.prepared).run::<crate::Error>(&[bins], &mut |i, first, values| {
                let inversion = self.inversions[i];
                let at = row + (first - first_bin) as usize;
                for (j, value) in values.iter().enumerate() {
                    let place = (at + j) * n_columns + i * each;
                    out[place] = inversion.apply(*value);
                    if let Some(uncertainty) = &self.uncertainty[i] {
                        let deviation = uncertainty.deviation(*value);
                        out[place + 1] = deviation_of_signal(inversion, *value, deviation);
                        let ends = uncertainty.interval_ends(*value);
                        for (quantile, end) in ends.into_iter().enumerate() {
                            out[place + 2 + quantile] = inversion.apply(end);
                        }
                    }
                }
                Ok(())
            })?;
            row += n_bins;
        }
        Ok(())
    }
}

/// Names that are valid in R in every locale, and no two the same, as its `make.names` makes them: what is
/// neither an ASCII letter, a digit, a dot nor an underscore becomes a dot; `X` stands before what does not
/// begin with a letter, or with a dot and no digit.
fn names_in_r(names: &[String]) -> Vec<String> {
    let valid = |name: &String| {
        let mut start = name.chars();
        let begins = match (start.next(), start.next()) {
            (Some('.'), second) => second.is_none_or(|c| !c.is_ascii_digit()),
            (first, _) => first.is_some_and(|c| c.is_ascii_alphabetic()),
        };
        let prefix = if begins { "" } else { "X" };
        let chars = name
            .chars()
            .map(|c| match c.is_ascii_alphanumeric() || c == '_' {
                true => c,
                false => '.',
            });
        prefix.chars().chain(chars).collect()
    };
    let names: Vec<String> = names.iter().map(valid).collect();
    let mut taken: BTreeSet<String> = names.iter().cloned().collect();
    let mut seen: HashMap<String, u64> = HashMap::new();
    let mut unique = Vec::with_capacity(names.len());
    for name in names {
        let n = seen.entry(name.clone()).or_default();
        let mut chosen = name.clone();
        while *n > 0 && !taken.insert(chosen.clone()) {
            chosen = format!("{name}.{n}");
            *n += 1;
        }
        *n = (*n).max(1);
        unique.push(chosen);
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::Interval;
    use crate::imputation::spans;

    #[test]
    fn names_are_those_that_make_names_of_r_gives() {
        let names = [
            "E003.H3K4me3",
            "T cell, CD4.H3K4me3",
            "T-cell,-CD4.H3K4me3",
            "1.x",
            ".2x",
            "_a.b",
            ".a",
            "-x",
            "é.b",
            "",
        ];
        // By make.names(names, unique = TRUE) of R 4.2, but for é, which only some locales keep.
        let expected = [
            "E003.H3K4me3",
            "T.cell..CD4.H3K4me3",
            "T.cell..CD4.H3K4me3.1",
            "X1.x",
            "X.2x",
            "X_a.b",
            ".a",
            "X.x",
            "X..b",
            "X",
        ];
        assert_eq!(names_in_r(&names.map(String::from)), expected);
    }

    #[test]
    fn a_table_holds_what_the_stream_gives_for_each_bin() {
        let (_folder, database) = crate::search::example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let experiments = [Experiment::new("S1", "A2"), Experiment::new("S3", "A1")];
        let part = |text: &str| Interval::parse_browser(text).unwrap();
        let parts = [part("chr1:25,026-25,075"), part("chr1:25,201-25,260")];
        let spans = spans(model.axis(), &parts).unwrap();
        let scale = SignalScale::Transformed;
        let table =
            ImputedTable::new(&database, &model, &experiments, &spans, scale, false).unwrap();
        assert_eq!(table.shape().numbers, ["S1.A2", "S3.A1"]);
        assert_eq!(table.shape().n_rows, 5);
        // Rows 1 to 3: bin 2, and bins 8 and 9 of the other part.
        let mut numbers = vec![0f32; 6];
        table.numbers(1..4, &mut numbers).unwrap();
        let mut whole = vec![Vec::new(); 2];
        // The region's first bins: chr2's 5,003 come before it on the axis.
        let first = 5_003..5_014;
        (Stream::new(&database, &model))
            .run::<crate::Error>(&experiments, &[first], &mut |i, _, values| {
                whole[i].extend_from_slice(values);
                Ok(())
            })
            .unwrap();
        let expected = [2, 8, 9].map(|bin| [whole[0][bin], whole[1][bin]]).concat();
        assert_eq!(numbers, expected);
        let starts = Labels::Integer(vec![25_050, 25_200, 25_225]);
        assert_eq!(table.labels(1, 1..4).unwrap(), starts);
        assert_eq!(table.names(1..2).unwrap(), ["chr1:25050-25075"]);
    }
}
