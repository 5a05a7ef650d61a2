//! Labelled examples with their features, from one table.

use std::path::Path;

use super::preset::{FeatureColumn, LEAST_DISTANCE, Layout, Transform, layout};
use super::{TablePreset, TaskError};
use crate::files::Table;
use crate::genome::Interval;
use crate::store::Example;
use crate::tasks::import::table::label;
use crate::tasks::result::LeftOut;
use crate::tasks::rows::push_left_out;

/// The examples of a table.
pub(super) struct Examples {
    pub examples: Vec<Example>,
    /// The line of each in the file, from 1.
    pub lines: Vec<u64>,
    /// The cell types, and which of them each example is of.
    pub cell_types: Vec<String>,
    pub cell_type: Vec<usize>,
    /// 0 or 1; `None`: the table has no labels.
    pub labels: Option<Vec<f64>>,
    /// Names of the features that the table has, and their values, `[n_examples, n_features]`.
    pub names: Vec<&'static str>,
    pub values: Vec<f64>,
    /// Scores for which nothing is learned.
    pub scores: Vec<(&'static str, Vec<f64>)>,
    pub left_out: Vec<LeftOut>,
    pub notes: Vec<String>,
    pub checksum: String,
}

/// A row's cells by the names of their columns.
struct Cells<'a> {
    path: &'a Path,
    table: &'a Table,
    line: u64,
    cells: &'a [String],
}

impl<'a> Cells<'a> {
    fn text(&self, column: &str) -> Option<&'a str> {
        let place = self.table.header.iter().position(|h| h == column)?;
        self.cells.get(place).map(String::as_str)
    }

    fn required(&self, column: &str) -> Result<&'a str, TaskError> {
        self.table.column(column)?;
        (self.text(column)).ok_or_else(|| self.wrong(&format!("it has no cell `{column}`")))
    }

    fn wrong(&self, message: &str) -> TaskError {
        TaskError::line(self.path, self.line, message)
    }

    /// A number, 0 or 1 for a truth value; NaN where it is missing.
    fn number(&self, column: &str) -> Result<f64, TaskError> {
        let Some(text) = self.text(column) else {
            return Ok(f64::NAN);
        };
        label(text).map_err(|_| {
            self.wrong(&format!(
                "`{text}` in column `{column}` is not a number; write NA where it is missing"
            ))
        })
    }

    fn interval(&self, [chrom, start, end]: [&str; 3]) -> Result<Interval, TaskError> {
        let position = |column: &str| {
            let text = self.required(column)?;
            let position = text.parse::<u64>();
            position.map_err(|_| {
                self.wrong(&format!(
                    "`{text}` in column `{column}` is not a position (whole, from 0)"
                ))
            })
        };
        let (start, end) = (position(start)?, position(end)?);
        match start < end {
            true => Ok(Interval::new(self.required(chrom)?, start, end)),
            false => Err(self.wrong(&format!("{start} to {end} is empty"))),
        }
    }

    /// The gene's start; `None` where the table does not place it (no chromosome, or 0 to 0).
    fn gene_start(&self, columns: [&str; 3]) -> Result<Option<Interval>, TaskError> {
        let [chrom, start, end] = columns;
        let (chrom, start, end) = (
            self.required(chrom)?,
            self.required(start)?,
            self.required(end)?,
        );
        let missing = |text: &str| matches!(text, "" | "." | "NA");
        match missing(chrom) || missing(start) || (start, end) == ("0", "0") {
            true => Ok(None),
            false => self.interval(columns).map(Some),
        }
    }
}

impl Examples {
    /// Reads a table.
    ///
    /// # Errors
    /// When it lacks a column without which nothing can be learned, or a cell is not as it should
    /// be (the line is named).
    pub(super) fn read(path: &Path, preset: TablePreset) -> Result<Self, TaskError> {
        let layout = layout(preset);
        let table = Table::read(path)?;
        let has = |column: &str| table.header.iter().any(|h| h == column);
        let usable = |f: &&FeatureColumn| has(f.name) || f.name == layout.distance;
        let features: Vec<_> = layout.features.iter().filter(usable).collect();
        let mut read = Examples {
            examples: Vec::new(),
            lines: Vec::new(),
            cell_types: Vec::new(),
            cell_type: Vec::new(),
            labels: has(layout.label).then(Vec::new),
            names: features.iter().map(|f| f.name).collect(),
            values: Vec::new(),
            scores: Vec::new(),
            left_out: Vec::new(),
            notes: Vec::new(),
            checksum: table.checksum.clone(),
        };
        let (mut distances, mut activity_by_distance) = (Vec::new(), Vec::new());
        let (mut invalid, mut unlabelled) = (Vec::new(), Vec::new());
        for (line, cells) in &table.rows {
            let row = Cells {
                path,
                table: &table,
                line: *line,
                cells,
            };
            let element = row.interval(layout.element)?;
            let gene_start = row.gene_start(layout.gene_start)?;
            let name = match (row.text(layout.name), &gene_start) {
                (Some(name), _) if !name.is_empty() => name.to_string(),
                (_, Some(gene_start)) => format!("{element} {gene_start}"),
                (_, None) => element.to_string(),
            };
            if has(layout.valid) && row.number(layout.valid)? != 1.0 {
                invalid.push(name);
                continue;
            }
            if let Some(labels) = &mut read.labels {
                match row.number(layout.label)? {
                    l if l.is_nan() => {
                        unlabelled.push(name);
                        continue;
                    }
                    l if l == 0.0 || l == 1.0 => labels.push(l),
                    l => {
                        return Err(row.wrong(&format!(
                            "{l} in column `{}` is neither TRUE nor FALSE",
                            layout.label
                        )));
                    }
                }
            }
            let distance = distance(&row, layout, &element, gene_start.as_ref())?;
            for feature in &features {
                read.values.push(match feature.transform {
                    Transform::LogDistance => distance.max(1.0).log10(),
                    Transform::LogSignal => signal(&row, feature.name)?.ln_1p(),
                    Transform::Flag => match row.number(feature.name)? {
                        v if v.is_nan() => 0.0,
                        v => v,
                    },
                });
            }
            distances.push(-distance);
            let [a, b] = layout.activity;
            if has(a) && has(b) {
                let activity = (signal(&row, a)? * signal(&row, b)?).sqrt();
                activity_by_distance.push(activity / distance.max(LEAST_DISTANCE) * 1e6);
            }
            let cell_type = row.text(layout.cell_type).filter(|t| !t.is_empty());
            let cell_type = cell_type.unwrap_or("cell type not given");
            let known = read.cell_types.iter().position(|t| t == cell_type);
            read.cell_type.push(known.unwrap_or(read.cell_types.len()));
            if known.is_none() {
                read.cell_types.push(cell_type.to_string());
            }
            read.lines.push(*line);
            read.examples.push(Example {
                name,
                place: Some(element),
                strand: None,
                partner: gene_start,
                fold: None,
            });
        }
        let reason = format!("{} is not TRUE", layout.valid);
        push_left_out(&mut read.left_out, reason, invalid);
        let reason = format!("without a label in {}", layout.label);
        push_left_out(&mut read.left_out, reason, unlabelled);
        if read.examples.is_empty() {
            return Err(TaskError::file(path, "no example is left in it"));
        }
        read.scores.push(("distance", distances));
        if !activity_by_distance.is_empty() {
            let name = "activity by distance";
            read.scores.push((name, activity_by_distance));
        }
        let lacking: Vec<&str> = (layout.features.iter().map(|f| f.name))
            .filter(|name| !has(name))
            .collect();
        if !lacking.is_empty() {
            let distances = match has(layout.distance) {
                true => "",
                false => "; distances are those of the middles of element and gene start",
            };
            let lacking = lacking.join(", ");
            read.notes
                .push(format!("{} lacks {lacking}{distances}", path.display()));
        }
        Ok(read)
    }

    /// The values of some of the features, in that order.
    ///
    /// # Errors
    /// When the table lacks one.
    pub(super) fn matrix(&self, path: &Path, names: &[String]) -> Result<Vec<f64>, TaskError> {
        let place = |name: &String| {
            let found = self.names.iter().position(|n| n == name);
            found.ok_or_else(|| {
                TaskError::file(
                    path,
                    format!(
                        "there is no column `{name}`, which the predictor reads; train one on \
                         the columns that both tables have (options `train` and `test` together)"
                    ),
                )
            })
        };
        let places: Vec<usize> = names.iter().map(place).collect::<Result<_, _>>()?;
        let rows = self.values.chunks(self.names.len());
        Ok(rows
            .flat_map(|row| places.iter().map(|p| row[*p]))
            .collect())
    }
}

/// A signal in reads per million; 0 where it is missing.
fn signal(row: &Cells<'_>, column: &str) -> Result<f64, TaskError> {
    match row.number(column)? {
        v if v.is_nan() => Ok(0.0),
        v if v < 0.0 => Err(row.wrong(&format!(
            "{v} in column `{column}` is negative; reads per million are not"
        ))),
        v => Ok(v),
    }
}

/// The distance between element and gene start, in bp.
fn distance(
    row: &Cells<'_>,
    layout: &Layout,
    element: &Interval,
    gene_start: Option<&Interval>,
) -> Result<f64, TaskError> {
    let given = row.number(layout.distance)?;
    if !given.is_nan() {
        return Ok(given.abs());
    }
    let Some(gene_start) = gene_start else {
        return Err(row.wrong(&format!(
            "it has neither a {} nor a place of the gene's start",
            layout.distance
        )));
    };
    if element.chrom != gene_start.chrom {
        return Err(row.wrong(&format!(
            "element and gene lie on {} and {}: there is no distance between them",
            element.chrom, gene_start.chrom
        )));
    }
    let middle = |i: &Interval| (i.start as f64 + i.end as f64) / 2.0;
    Ok((middle(element) - middle(gene_start)).abs())
}
