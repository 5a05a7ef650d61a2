//! Labelled windows: replication timing, FIREs, and intervals of any kind.

use std::path::Path;

use super::builder::Builder;
use super::columns::Columns;
use super::table::label;
use super::{ImportOptions, Notes, biosample_of_file};
use crate::files::Table;
use crate::genome::{Assembly, SequenceNames};
use crate::store::Example;
use crate::tasks::{TaskError, TaskKind};

/// Reads a table of intervals with a label, or BED lines whose fourth field is one (the fifth
/// where the fourth is a name).
pub(super) fn read(
    path: &Path,
    table: &Table,
    kind: TaskKind,
    options: &ImportOptions,
    assembly: &Assembly,
    builder: &mut Builder,
    notes: &mut Notes,
) -> Result<(), TaskError> {
    let columns = |header| Columns::new(path, header, &options.columns);
    let (places, labels, biosample, name, fold) = match table.columns() {
        None => {
            let first = table.rows.first().map(|(_, f)| f.as_slice()).unwrap_or(&[]);
            let is_label = |i: &usize| label(&first[*i]).is_ok_and(|v| !v.is_nan());
            let place = (3..first.len().min(5)).find(is_label);
            let Some(place) = place else {
                let message = "a BED file of labels has a number in its fourth or fifth field";
                return Err(TaskError::line(path, 1, message));
            };
            (
                [0, 1, 2],
                vec![place],
                None,
                (place == 4).then_some(3),
                None,
            )
        }
        Some(header) => {
            let columns = columns(header);
            let places = [
                columns.need("chrom")?,
                columns.need("start")?,
                columns.need("end")?,
            ];
            let labels = match options.label_columns.as_slice() {
                [] => vec![columns.need("label")?],
                names => names
                    .iter()
                    .map(|n| columns.named(n))
                    .collect::<Result<_, _>>()?,
            };
            let used = |i: &usize| places.contains(i) || labels.contains(i);
            let biosample = columns.find("biosample")?.filter(|i| !used(i));
            let name = columns.find("name")?.filter(|i| !used(i));
            let fold = columns.find("fold")?;
            let rest = (0..header.len())
                .filter(|i| !used(i) && ![biosample, name, fold].contains(&Some(*i)));
            notes.ignored.extend(rest.map(|i| header[i].clone()));
            (places, labels, biosample, name, fold)
        }
    };
    let one = match (&options.biosample, biosample) {
        (Some(given), _) => Some(given.clone()),
        (None, Some(_)) => None,
        // A matrix of labels: each column is a biosample.
        (None, None) if labels.len() > 1 => None,
        (None, None) => Some(biosample_of_file(path, options, notes)?),
    };
    let unit = options
        .unit
        .clone()
        .unwrap_or_else(|| match (table.columns(), labels.as_slice()) {
            (Some(header), [place]) => header[*place].clone(),
            _ => kind.name().to_string(),
        });
    let mut sequences = SequenceNames::new(assembly);
    for (line, fields) in &table.rows {
        let field = |i: usize| fields.get(i).map_or("", String::as_str);
        let at = |m: String| TaskError::line(path, *line, m);
        let place = super::interval(
            assembly,
            &mut sequences,
            *line,
            places.map(field),
            options.one_based,
        );
        let Some(place) = place.map_err(at)? else {
            continue;
        };
        let named = name.map(field).filter(|n| !n.is_empty() && *n != ".");
        let example = builder.example(Example {
            name: named.map_or_else(|| place.to_string(), str::to_string),
            place: Some(place),
            fold: fold.map(|f| field(f).to_string()),
            ..Example::default()
        });
        for l in &labels {
            let value = label(field(*l)).map_err(at)?;
            if kind == TaskKind::Fire && !(value.is_nan() || value == 0.0 || value == 1.0) {
                return Err(at(format!("`{}` is neither 0 nor 1", field(*l))));
            }
            let biosample = match (&one, biosample, table.columns()) {
                (Some(one), _, _) => one.clone(),
                (None, Some(b), _) => options.renamed(field(b)),
                (None, None, Some(header)) => options.renamed(&header[*l]),
                (None, None, None) => kind.name().to_string(),
            };
            let column = builder
                .column(&biosample, &unit)
                .map_err(|e| at(e.to_string()))?;
            builder.label(column, example, value, path, *line)?;
        }
    }
    super::finish_sequences(sequences, path, notes)
}
