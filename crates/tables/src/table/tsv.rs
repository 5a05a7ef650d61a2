//! Tab-separated text.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{Labels, TableSource, each_block};
use persea_files::{FileError, OutputFile, no_formula};

pub(super) fn write<E: From<FileError>>(
    path: &Path,
    source: &dyn TableSource<E>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), E> {
    let failed = |e: io::Error| FileError::write(path.display(), e);
    let shape = source.shape();
    let mut out = BufWriter::with_capacity(1 << 18, OutputFile::stream(path)?);
    let labels = shape.labels.iter().map(|(name, _)| field(name));
    let header: Vec<String> = labels
        .chain(shape.numbers.iter().map(|name| field(name)))
        .collect();
    writeln!(out, "{}", header.join("\t")).map_err(failed)?;
    let n_columns = shape.numbers.len();
    each_block(source, |rows, numbers| {
        let labels: Vec<Labels> = (0..shape.labels.len())
            .map(|i| source.labels(i, rows.clone()))
            .collect::<Result<_, _>>()?;
        let mut line = String::new();
        for row in 0..(rows.end - rows.start) as usize {
            line.clear();
            for column in &labels {
                match column {
                    Labels::Text(texts) => line.push_str(&field(&texts[row])),
                    Labels::Integer(numbers) => {
                        let _ = write!(line, "{}", numbers[row]);
                    }
                }
                line.push('\t');
            }
            for number in &numbers[row * n_columns..(row + 1) * n_columns] {
                // The shortest text that reads back as the same number.
                let _ = write!(line, "{number}\t");
            }
            line.pop();
            line.push('\n');
            out.write_all(line.as_bytes()).map_err(failed)?;
        }
        progress(rows.end);
        Ok(())
    })?;
    let output = out.into_inner().map_err(|e| failed(e.into_error()))?;
    output.finish()?;
    Ok(())
}

/// A text that stays in its field, and is none that a spreadsheet runs.
fn field(text: &str) -> String {
    no_formula(&text.replace(['\t', '\n', '\r'], " ")).into_owned()
}
