//! Labelled pairs of windows: promoter and enhancer, or any two.

use std::path::Path;

use super::builder::Builder;
use super::columns::Columns;
use super::table::label;
use super::{ImportOptions, Notes, biosample_of_file};
use crate::files::Table;
use crate::genome::{Assembly, Interval, SequenceNames};
use crate::store::Example;
use crate::tasks::TaskError;

/// Where a window of a pair is written.
enum Side {
    /// `K562|chr1:6454864-6455189` (0-based, half-open), TargetFinder's names.
    Name(usize),
    /// Chromosome, start, end.
    Coordinates([usize; 3]),
}

/// Whether a header has columns of a second window.
pub(super) fn is_pairs(header: &[String], options: &ImportOptions) -> bool {
    let columns = Columns::new(Path::new(""), header, &options.columns);
    let has = |role: &str| columns.find(role).is_ok_and(|c| c.is_some());
    has("start_2") || has("enhancer") || has("enhancer_start")
}

/// Reads a table of pairs with a label.
pub(super) fn read(
    path: &Path,
    table: &Table,
    options: &ImportOptions,
    assembly: &Assembly,
    builder: &mut Builder,
    notes: &mut Notes,
) -> Result<(), TaskError> {
    let Some(header) = table.columns() else {
        return Err(TaskError::file(
            path,
            "it has no header; pairs need columns of enhancer, promoter and label",
        ));
    };
    let columns = Columns::new(path, header, &options.columns);
    let chrom = columns.find("chrom")?;
    let side = |name: &str, roles: [&str; 3]| -> Result<Side, TaskError> {
        if columns.find(roles[1])?.is_some() {
            let chrom = match (columns.find(roles[0])?, chrom) {
                (Some(own), _) => own,
                (None, Some(shared)) => shared,
                (None, None) => columns.need(roles[0])?,
            };
            return Ok(Side::Coordinates([
                chrom,
                columns.need(roles[1])?,
                columns.need(roles[2])?,
            ]));
        }
        Ok(Side::Name(columns.need(name)?))
    };
    let (promoter, enhancer) = if columns.find("start_2")?.is_some() {
        (
            side("name", ["chrom", "start", "end"])?,
            side("name", ["chrom_2", "start_2", "end_2"])?,
        )
    } else {
        (
            side(
                "promoter",
                ["promoter_chrom", "promoter_start", "promoter_end"],
            )?,
            side(
                "enhancer",
                ["enhancer_chrom", "enhancer_start", "enhancer_end"],
            )?,
        )
    };
    let place = match options.label_columns.as_slice() {
        [] => columns.need("label")?,
        [name] => columns.named(name)?,
        _ => {
            return Err(TaskError::Settings(
                "pairs have one column of labels (option `label-column`)".into(),
            ));
        }
    };
    let biosample = columns.find("biosample")?;
    let names = columns.find("enhancer")?;
    let fold = columns.find("fold")?;
    let unit = options
        .unit
        .clone()
        .unwrap_or_else(|| header[place].clone());
    let mut of_file = options.biosample.clone();
    let mut sequences = SequenceNames::new(assembly);
    for (line, fields) in &table.rows {
        let field = |i: usize| fields.get(i).map_or("", String::as_str);
        let at = |m: String| TaskError::line(path, *line, m);
        let mut window = |side: &Side| -> Result<Option<Interval>, TaskError> {
            let (place, one_based) = match side {
                Side::Name(i) => (named(field(*i)).map_err(at)?, false),
                Side::Coordinates(places) => (places.map(field), options.one_based),
            };
            super::interval(assembly, &mut sequences, *line, place, one_based).map_err(at)
        };
        let (Some(promoter), Some(enhancer)) = (window(&promoter)?, window(&enhancer)?) else {
            continue;
        };
        if promoter.chrom != enhancer.chrom {
            return Err(at(format!(
                "{promoter} and {enhancer} lie on two chromosomes: there is no window between them"
            )));
        }
        let example = builder.example(Example {
            name: format!("{enhancer} {promoter}"),
            place: Some(promoter),
            partner: Some(enhancer),
            strand: None,
            fold: fold.map(|f| field(f).to_string()),
        });
        let value = label(field(place)).map_err(at)?;
        if !(value.is_nan() || value == 0.0 || value == 1.0) && options.unit.is_none() {
            return Err(at(format!(
                "`{}` is neither 0 nor 1; a label that is a number needs a unit (option `unit`)",
                field(place)
            )));
        }
        let of_row = biosample
            .map(field)
            .or_else(|| field(names?).split_once('|').map(|(cell, _)| cell));
        let biosample = match (&of_file, of_row) {
            (Some(given), _) => given.clone(),
            (None, Some(row)) => options.renamed(row),
            (None, None) => {
                let found = biosample_of_file(path, options, notes)?;
                of_file = Some(found.clone());
                found
            }
        };
        let column = builder
            .column(&biosample, &unit)
            .map_err(|e| at(e.to_string()))?;
        builder.label(column, example, value, path, *line)?;
    }
    super::finish_sequences(sequences, path, notes)
}

/// Reads `K562|chr1:6454864-6455189`, the cell or not.
fn named(text: &str) -> Result<[&str; 3], String> {
    let place = text.rsplit_once('|').map_or(text, |(_, place)| place);
    let parts = place
        .rsplit_once(':')
        .and_then(|(chrom, span)| Some((chrom, span.split_once('-')?)));
    let Some((chrom, (start, end))) = parts else {
        return Err(format!(
            "`{text}` names no place; expected CELL|chr1:6454864-6455189 (0-based, half-open)"
        ));
    };
    Ok([chrom, start, end])
}
