//! Names of chromosomes from a table.

use std::collections::HashMap;
use std::path::Path;

use persea_files::{FileError, Lines, TEXT_BYTES, check_name};

use super::{Assembly, GenomeError};

/// Reads a table of names in UCSC's chromAlias form: `chromAlias.txt`, each row the names of one
/// sequence, or the database's dump, whose rows are a name, the chromosome and the name's source.
/// Gives each name that the assembly does not use itself, with the chromosome's name.
///
/// # Errors
/// When the file cannot be read, a name stands for two chromosomes (the line is given), or no row
/// names a chromosome of the assembly.
pub fn read_aliases(
    path: &Path,
    assembly: &Assembly,
) -> Result<Vec<(String, String)>, GenomeError> {
    let mut lines = Lines::open(path)?;
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    while let Some(line) = lines.next_text()? {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let line = line.into_owned();
        check_name(&line).map_err(|why| lines.error(why))?;
        let names = line.split('\t').map(|name| name.trim().to_string());
        let names: Vec<String> = names.collect();
        lines.keep((1 + names.len()) * TEXT_BYTES + line.len())?;
        rows.push((lines.number(), names));
    }
    // The third column of the dump tells where a name comes from.
    let is_source = |cell: &String| {
        let mut words = cell.split(',');
        words.all(|w| ["assembly", "ensembl", "genbank", "ncbi", "refseq", "ucsc"].contains(&w))
    };
    let is_dump = rows
        .iter()
        .all(|(_, cells)| cells.len() == 3 && is_source(&cells[2]));
    let mut aliases: Vec<(String, String)> = Vec::new();
    let mut meant: HashMap<String, usize> = HashMap::new();
    for (line, mut cells) in rows {
        if is_dump {
            cells.truncate(2);
        }
        cells.retain(|name| !name.is_empty());
        let twice = |name: &str, a: usize, b: usize| {
            let name_of = |i: usize| assembly.chromosomes()[i].name.as_str();
            let message = format!(
                "`{name}` would be both {} and {} of {}",
                name_of(a),
                name_of(b),
                assembly.name()
            );
            FileError::line(path.display(), line, message)
        };
        let mut ranks = cells.iter().filter_map(|name| assembly.rank(name));
        let Some(rank) = ranks.next() else {
            continue;
        };
        if let Some(other) = ranks.find(|other| *other != rank) {
            return Err(twice(&cells[0], rank, other).into());
        }
        for name in cells {
            if assembly.contains(&name) {
                continue;
            }
            match meant.insert(name.clone(), rank) {
                None => aliases.push((name, assembly.chromosomes()[rank].name.clone())),
                Some(other) if other != rank => return Err(twice(&name, other, rank).into()),
                Some(_) => {}
            }
        }
    }
    if aliases.is_empty() {
        let message = format!(
            "no row of it gives another name to a chromosome of {}; expected UCSC's chromAlias \
             form, the names of one sequence in each row, separated by tabs",
            assembly.name()
        );
        return Err(FileError::file(path.display(), message).into());
    }
    Ok(aliases)
}
