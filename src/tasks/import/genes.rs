//! Expression: genes × biosamples.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::builder::Builder;
use super::columns::Columns;
use super::table::label;
use super::{ImportOptions, Notes, biosample_of_file};
use crate::files::Table;
use crate::genome::{Assembly, Gene, Interval, Strand};
use crate::store::Example;
use crate::tasks::TaskError;

/// The endings by which a column of labels says what its numbers are.
const UNITS: [&str; 6] = ["rpkm", "fpkm", "tpm", "arcsinh_rnaseq", "cpm", "counts"];

/// Columns that describe a gene, or say where it lies in arrays that are not ours: no labels.
const DESCRIPTIONS: [&str; 16] = [
    "gene_id",
    "gene_name",
    "gene",
    "symbol",
    "chrom",
    "chr",
    "start",
    "end",
    "strand",
    "tss",
    "tss_index",
    "prom_lo",
    "prom_hi",
    "region",
    "fold",
    "description",
];

/// Reads a table of genes.
pub(super) fn read(
    path: &Path,
    table: &Table,
    options: &ImportOptions,
    genes: &GeneNames,
    assembly: &Assembly,
    builder: &mut Builder,
    notes: &mut Notes,
) -> Result<(), TaskError> {
    let Some(header) = table.columns() else {
        return Err(TaskError::file(
            path,
            "it has no header; expression needs a column of genes and one a biosample",
        ));
    };
    let columns = Columns::new(path, header, &options.columns);
    let gene = match columns.find("gene")? {
        Some(gene) => gene,
        None => columns.need("name")?,
    };
    // Optional: without it the gene's own column names the example.
    let name = columns.named("gene_name").ok().filter(|n| *n != gene);
    let labels = label_columns(path, table, header, &columns, gene, options, notes)?;
    let at = Coordinates::new(&columns)?;
    let fold = columns.find("fold")?;
    let numbers: Vec<usize> = labels
        .iter()
        .map(|l| builder.column(&l.biosample, &l.unit))
        .collect::<Result<_, _>>()?;
    let mut shared: Vec<String> = Vec::new();
    for (line, fields) in &table.rows {
        let field = |i: usize| fields.get(i).map_or("", String::as_str);
        let id = field(gene);
        if id.is_empty() {
            return Err(TaskError::line(path, *line, "it names no gene"));
        }
        let known = genes.find(id).or_else(|| genes.find(field(name?)));
        if let Some(gene) = known.filter(|_| genes.is_shared(id)) {
            shared.push(format!("{id} ({})", gene.id));
        }
        let given = at
            .read(fields, assembly)
            .map_err(|m| TaskError::line(path, *line, m))?;
        let (tss, strand) = match (known, given) {
            (Some(gene), given) => {
                let tss = Interval::new(&gene.interval.chrom, gene.tss(), gene.tss() + 1);
                if given.is_some_and(|(i, _)| i != tss) {
                    notes.moved += 1;
                }
                (tss, gene.strand)
            }
            (None, Some(given)) => given,
            (None, None) => {
                notes.unknown_genes.push(id.to_string());
                continue;
            }
        };
        let example = builder.example(Example {
            name: id.to_string(),
            place: Some(tss),
            strand: Some(strand),
            partner: None,
            fold: fold.map(|f| field(f).to_string()),
        });
        for (l, column) in labels.iter().zip(&numbers) {
            let value = label(field(l.place)).map_err(|m| TaskError::line(path, *line, m))?;
            if value < 0.0 {
                let message = format!("`{}` is negative; expression is not", field(l.place));
                return Err(TaskError::line(path, *line, message));
            }
            builder.label(*column, example, value, path, *line)?;
        }
    }
    if !shared.is_empty() {
        let more = if shared.len() > 3 { " …" } else { "" };
        notes.other.push(format!(
            "{} names stand for several genes, of which the first is used: {}{more}; identifiers \
             leave no choice",
            shared.len(),
            shared[..shared.len().min(3)].join(", ")
        ));
    }
    Ok(())
}

struct LabelOf {
    place: usize,
    biosample: String,
    unit: String,
}

/// Which columns are labels: those that the user names; else those whose names end with a unit
/// (`E003_RPKM`); else, in a matrix, all that do not describe the gene.
fn label_columns(
    path: &Path,
    table: &Table,
    header: &[String],
    columns: &Columns<'_>,
    gene: usize,
    options: &ImportOptions,
    notes: &mut Notes,
) -> Result<Vec<LabelOf>, TaskError> {
    let default = options.unit.clone().unwrap_or_else(|| "rpkm".into());
    let split = |name: &str| -> Option<(String, String)> {
        let lower = name.to_lowercase();
        let unit = UNITS.iter().find(|u| lower.ends_with(&format!("_{u}")))?;
        let biosample = name.get(..name.len() - unit.len() - 1)?;
        Some((options.renamed(biosample), unit.to_string()))
    };
    let of = |place: usize| {
        let (biosample, unit) = split(&header[place])
            .unwrap_or_else(|| (options.renamed(&header[place]), default.clone()));
        LabelOf {
            place,
            biosample,
            unit,
        }
    };
    if !options.label_columns.is_empty() {
        let mut labels = Vec::new();
        for name in &options.label_columns {
            let mut label = of(columns.named(name)?);
            let given = options.biosample.clone();
            if let (1, Some(biosample)) = (options.label_columns.len(), given) {
                label.biosample = biosample;
            }
            labels.push(label);
        }
        return Ok(labels);
    }
    let described = |i: usize| {
        i == gene
            || DESCRIPTIONS.contains(&header[i].to_lowercase().as_str())
            || header[i].is_empty()
    };
    let with_unit: Vec<usize> = (0..header.len())
        .filter(|i| split(&header[*i]).is_some())
        .collect();
    if !with_unit.is_empty() {
        let rest = (0..header.len()).filter(|i| !described(*i) && !with_unit.contains(i));
        notes.ignored.extend(rest.map(|i| header[i].clone()));
        return Ok(with_unit.into_iter().map(of).collect());
    }
    // One column called `label` or the like, of one biosample.
    if let Some(place) = columns.find("label")? {
        let biosample = match &options.biosample {
            Some(biosample) => biosample.clone(),
            None => biosample_of_file(path, options, notes)?,
        };
        return Ok(vec![LabelOf {
            biosample,
            ..of(place)
        }]);
    }
    let matrix: Vec<usize> = (0..header.len()).filter(|i| !described(*i)).collect();
    for i in &matrix {
        let mut rows = table.rows.iter();
        let bad = rows.find(|(_, f)| label(f.get(*i).map_or("", String::as_str)).is_err());
        if let Some((line, fields)) = bad {
            let field = fields.get(*i).map_or("", String::as_str);
            let message = format!(
                "column `{}` is unknown: it does not describe a gene, and `{field}` is not a label. \
                 Name the columns of labels by option `label-column`",
                header[*i]
            );
            return Err(TaskError::line(path, *line, message));
        }
    }
    if matrix.is_empty() {
        return Err(TaskError::line(
            path,
            1,
            format!(
                "there is no column of labels; it has {}. Name one by option `label-column`",
                header.join(", ")
            ),
        ));
    }
    Ok(matrix.into_iter().map(of).collect())
}

/// Genes by identifier (with or without a version) and by name.
pub(super) struct GeneNames<'a> {
    genes: &'a [Gene],
    by_name: HashMap<&'a str, usize>,
    /// Names of several genes that lie at different places.
    shared: HashSet<&'a str>,
}

impl<'a> GeneNames<'a> {
    pub(super) fn new(genes: &'a [Gene]) -> Self {
        let mut by_name = HashMap::new();
        // Identifiers last: they win over a name that looks like one. Of equal names the first.
        let mut shared = HashSet::new();
        for (i, gene) in genes.iter().enumerate().rev() {
            if let Some(other) = by_name.insert(gene.name.as_str(), i)
                && genes[other].interval != gene.interval
            {
                shared.insert(gene.name.as_str());
            }
        }
        for (i, gene) in genes.iter().enumerate().rev() {
            by_name.insert(versionless(&gene.id), i);
            by_name.insert(gene.id.as_str(), i);
            shared.remove(gene.id.as_str());
        }
        GeneNames {
            genes,
            by_name,
            shared,
        }
    }

    fn is_shared(&self, name: &str) -> bool {
        self.shared.contains(name)
    }

    fn find(&self, name: &str) -> Option<&'a Gene> {
        let found = self
            .by_name
            .get(name)
            .or_else(|| self.by_name.get(versionless(name)))?;
        self.genes.get(*found)
    }
}

fn versionless(id: &str) -> &str {
    match id.rsplit_once('.') {
        Some((stem, version)) if id.starts_with("ENS") && version.parse::<u32>().is_ok() => stem,
        _ => id,
    }
}

/// A gene's own coordinates, where its table has them.
struct Coordinates {
    chrom: Option<usize>,
    tss: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
    strand: Option<usize>,
}

impl Coordinates {
    fn new(columns: &Columns<'_>) -> Result<Self, TaskError> {
        Ok(Coordinates {
            chrom: columns.find("chrom")?,
            tss: columns.find("tss")?,
            start: columns.find("start")?,
            end: columns.find("end")?,
            strand: columns.find("strand")?,
        })
    }

    /// The start of transcription (`tss` counts from 0; `start` of genes counts from 1, as GTF's).
    fn read(
        &self,
        fields: &[String],
        assembly: &Assembly,
    ) -> Result<Option<(Interval, Strand)>, String> {
        let field = |i: Option<usize>| i.and_then(|i| fields.get(i)).map(String::as_str);
        let (Some(chrom), Some(strand)) = (field(self.chrom), field(self.strand)) else {
            return Ok(None);
        };
        let number = |text: &str| {
            text.parse::<u64>()
                .map_err(|_| format!("`{text}` is not a position"))
        };
        let Some(strand) = Strand::from_symbol(strand) else {
            return Err(format!("`{strand}` is not a strand; expected + or -"));
        };
        let tss = match (field(self.tss), field(self.start), field(self.end)) {
            (Some(tss), _, _) => number(tss)?,
            (None, Some(start), Some(end)) => match strand {
                Strand::Forward => number(start)?.saturating_sub(1),
                Strand::Reverse => number(end)?.saturating_sub(1),
            },
            _ => return Ok(None),
        };
        let chromosome = assembly.resolve(chrom).map_err(|e| e.to_string())?;
        super::checked(assembly, chromosome, tss, tss + 1).map(|i| Some((i, strand)))
    }
}
