//! Reading bigWig.

use std::collections::HashMap;
use std::io::{ErrorKind, Seek};

use bigtools::{BBIReadError, BigWigRead, BigWigReadOpenError, Value};

use super::layout::{FileChromosome, Layout};
use crate::bins::Binner;
use crate::panics::catch_panic;
use crate::source::{ByteSource, open_bytes};
use crate::{BinSink, FormatError, Location, ReadOptions, ReadReport, SignalReader};
use persea_genome::{Assembly, GenomeAxis, Interval};

/// How many intervals are taken from bigtools at once.
const BATCH: usize = 4_096;

/// Reads bigWig: of a file, local or remote, only the index and the blocks over the regions.
///
/// Covered chromosomes that the file lacks are uncovered, unless it lacks them all. Other names of a
/// chromosome are matched as [`Assembly::resolve`] does.
pub(crate) struct BigWigReader {
    location: Location,
}

impl BigWigReader {
    pub fn new(location: Location) -> Self {
        BigWigReader { location }
    }
}

impl SignalReader for BigWigReader {
    fn read(
        &mut self,
        axis: &GenomeAxis,
        options: &ReadOptions,
        sink: &mut BinSink<'_>,
    ) -> Result<ReadReport, FormatError> {
        let file = self.location.to_string();
        let mut source = open_bytes(&self.location)?;
        let layout = Layout::read(&mut *source, &file)?;
        let found = OfAssembly::new(&layout, axis.assembly());
        check_chromosomes(&layout, &found, axis, &file)?;
        source.rewind().map_err(|e| FormatError::read(&file, e))?;
        let mut info = match catch_panic(|| BigWigRead::open(&mut source).map(|b| b.info().clone()))
        {
            Some(Ok(info)) => info,
            Some(Err(BigWigReadOpenError::IoError(e))) => return Err(FormatError::read(&file, e)),
            _ => return Err(layout.damaged("its header makes no sense")),
        };
        // Each request copies the list of chromosomes.
        info.chrom_info
            .retain(|c| axis.regions().iter().any(|r| found.is(&r.chrom, &c.name)));
        let options = options.of_dense_signal();
        let mut binner = Binner::new(axis, &options, &file, sink);
        for region in axis.sorted_regions() {
            binner.open(*region)?;
            let interval = axis.region_interval(*region);
            if let Some(chromosome) = found.chromosome(&interval.chrom) {
                let stretch = interval.start as u32..interval.end as u32;
                let bytes = layout.data_of(&mut *source, chromosome.id, stretch)?;
                source.will_need(bytes);
                let reader = BigWigRead::with_info(info.clone(), &mut source);
                let interval = Interval {
                    chrom: chromosome.name.clone(),
                    ..interval
                };
                read_interval(reader, &interval, &layout, &file, &mut binner)?;
            }
        }
        let mut report = binner.finish()?;
        report.notes = found.notes(axis.assembly());
        Ok(report)
    }
}

/// The file's sequences by the assembly's names for them.
struct OfAssembly<'a> {
    found: HashMap<String, &'a FileChromosome>,
    lacking: Vec<&'a str>,
}

impl<'a> OfAssembly<'a> {
    fn new(layout: &'a Layout, assembly: &Assembly) -> Self {
        let mut found: HashMap<String, &FileChromosome> = HashMap::new();
        let mut lacking = Vec::new();
        for sequence in &layout.chromosomes {
            let Ok(chromosome) = assembly.resolve(&sequence.name) else {
                lacking.push(sequence.name.as_str());
                continue;
            };
            let is_own = chromosome.name == sequence.name;
            if is_own || !found.contains_key(&chromosome.name) {
                found.insert(chromosome.name.clone(), sequence);
            }
        }
        OfAssembly { found, lacking }
    }

    /// The sequence that the assembly calls `chrom`.
    fn chromosome(&self, chrom: &str) -> Option<&'a FileChromosome> {
        self.found.get(chrom).copied()
    }

    /// Whether the file calls that chromosome so.
    fn is(&self, chrom: &str, name: &str) -> bool {
        self.chromosome(chrom).is_some_and(|c| c.name == name)
    }

    fn notes(&self, assembly: &Assembly) -> Vec<String> {
        let mut notes = Vec::new();
        let mut renamed: Vec<(&String, &&FileChromosome)> = (self.found.iter())
            .filter(|(ours, theirs)| **ours != theirs.name)
            .collect();
        renamed.sort_by_key(|(_, theirs)| theirs.id);
        if let Some((ours, theirs)) = renamed.first() {
            notes.push(format!(
                "its sequences have other names than those of {} and were matched: `{}` is {ours}",
                assembly.name(),
                theirs.name
            ));
        }
        if let Some(first) = self.lacking.first() {
            notes.push(format!(
                "{} of its {} sequences are none of {} ({first} is the first) and were passed over",
                self.lacking.len(),
                self.lacking.len() + self.found.len(),
                assembly.name()
            ));
        }
        notes
    }
}

/// Adds what the file has over one region.
fn read_interval(
    mut reader: BigWigRead<&mut Box<dyn ByteSource>>,
    interval: &Interval,
    layout: &Layout,
    file: &str,
    binner: &mut Binner<'_, '_>,
) -> Result<(), FormatError> {
    let mut position = interval.start;
    let damaged = |position: u64| {
        let place = Interval::new(&interval.chrom, position, interval.end);
        layout.damaged(&format!("a block of its data over {place} makes no sense"))
    };
    let failed = |error: BBIReadError, position: u64| match error {
        BBIReadError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => layout.truncated(),
        BBIReadError::IoError(e) => FormatError::read(file, e),
        _ => damaged(position),
    };
    let (start, end) = (interval.start as u32, interval.end as u32);
    let mut values = catch_panic(|| reader.get_interval(&interval.chrom, start, end))
        .ok_or_else(|| damaged(position))?
        .map_err(|e| failed(e, position))?;
    let mut batch: Vec<Value> = Vec::with_capacity(BATCH);
    loop {
        batch.clear();
        // Only bigtools' panics are caught: one of the sink says nothing of the file.
        let taken = catch_panic(|| {
            for value in values.by_ref().take(BATCH) {
                batch.push(value?);
            }
            Ok(())
        });
        for value in &batch {
            binner.add(value.start.into(), value.end.into(), value.value)?;
            position = value.end.into();
        }
        taken
            .ok_or_else(|| damaged(position))?
            .map_err(|e| failed(e, position))?;
        if batch.len() < BATCH {
            return Ok(());
        }
    }
}

/// Compares the file's chromosomes with the covered ones.
fn check_chromosomes(
    layout: &Layout,
    of_assembly: &OfAssembly<'_>,
    axis: &GenomeAxis,
    file: &str,
) -> Result<(), FormatError> {
    let assembly = axis.assembly();
    let mut covered: Vec<&str> = axis.regions().iter().map(|r| r.chrom.as_str()).collect();
    covered.sort_unstable();
    covered.dedup();
    let mut n_present = 0;
    for chrom in &covered {
        let length = assembly.chromosome(chrom)?.length;
        match of_assembly.chromosome(chrom) {
            Some(found) if found.length != length => {
                return Err(FormatError::file(
                    file,
                    format!(
                        "has a {} of {} bp where {} has {length} bp: it is of another assembly",
                        found.name,
                        found.length,
                        assembly.name()
                    ),
                ));
            }
            Some(_) => n_present += 1,
            None => {}
        }
    }
    if n_present == 0 {
        let some: Vec<&str> = layout
            .chromosomes
            .iter()
            .take(3)
            .map(|c| c.name.as_str())
            .collect();
        let found = match some.as_slice() {
            [] => "no chromosome at all".to_string(),
            _ => format!("{} …", some.join(", ")),
        };
        return Err(FormatError::file(
            file,
            format!(
                "has none of the chromosomes covered ({}); it has {found}: is it of another \
                 assembly than {}?",
                covered
                    .iter()
                    .take(3)
                    .copied()
                    .collect::<Vec<_>>()
                    .join(", "),
                assembly.name()
            ),
        ));
    }
    Ok(())
}
