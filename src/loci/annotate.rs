//! What lies at a site: signal and specificity in every biosample, genes, classes, embeddings.

use std::ops::Range;

use super::LociError;
use super::completed::{CompletedCompendium, SourcedExperiment};
use super::null::average_of_others;
use super::sites::Site;
use super::windows::{WindowBins, means};
use crate::annotation::{Annotation, Class, NearestGene};
use crate::compendium::Experiment;
use crate::formats::{LabelKind, Labels, TableShape, TableSource};
use crate::genome::{Interval, Mask};
use crate::model::TrainedModel;
use crate::store::{Database, StoreError};

/// Sites that are read together.
const BATCH: usize = 4_096;

/// An experiment at a site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalAtSite {
    /// Its mean over the site's bins (arcsinh); `None` where none is covered and unmasked.
    pub signal: Option<f64>,
    /// The mean of the assay over the other biosamples there.
    pub average: Option<f64>,
}

impl SignalAtSite {
    /// Signal − average: how much of it is this biosample's own.
    pub fn specificity(&self) -> Option<f64> {
        Some(self.signal? - self.average?)
    }
}

/// What lies at a site.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnotatedSite {
    /// Its place in the list.
    pub place: usize,
    /// How many of its bins count: covered, and not masked.
    pub n_bins: u32,
    /// The gene whose transcription start is nearest, and how far along it the site's middle lies.
    pub gene: Option<NearestGene>,
    /// Promoter, gene, enhancer …
    pub classes: Vec<Class>,
    /// The experiments, in the order of [`experiments_of`].
    pub signal: Vec<SignalAtSite>,
}

/// The experiments of some assays (all when none is named), an assay after the other.
///
/// # Errors
/// When an assay is unknown; the nearest names are given.
pub fn experiments_of(
    compendium: &CompletedCompendium<'_>,
    assays: &[String],
) -> crate::Result<Vec<SourcedExperiment>> {
    let all = match assays.is_empty() {
        true => compendium.assays()?,
        false => assays.to_vec(),
    };
    let mut experiments = Vec::new();
    for assay in all {
        experiments.extend(compendium.of_assay(&assay)?);
    }
    if experiments.is_empty() {
        let why = "the database has no track, and no model that could impute one";
        return Err(LociError::too_few(why).into());
    }
    Ok(experiments)
}

/// Annotates sites, widened by `reach` bp on either side, in batches: memory does not grow with the
/// list. `sink` gets each site, in the list's order.
///
/// ```
/// use persea::genome::Interval;
/// use persea::loci::{CompletedCompendium, Site, annotate, experiments_of};
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// let compendium = CompletedCompendium::open(&database, None, true)?;
/// let experiments = experiments_of(&compendium, &["H3K4me3".into()])?;
/// let site = Site { interval: Interval::new("chr1", 50_000, 51_000), name: None };
/// let mut signal = Vec::new();
/// annotate(&compendium, &experiments, &[site], 0, &mut |found| {
///     signal.extend(found.signal.iter().map(|s| s.signal));
///     Ok(())
/// })?;
/// assert_eq!(signal.len(), 4); // one for each biosample
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When a chunk or a blob is damaged, or the sink fails.
pub fn annotate(
    compendium: &CompletedCompendium<'_>,
    experiments: &[SourcedExperiment],
    sites: &[Site],
    reach: u64,
    sink: &mut dyn FnMut(AnnotatedSite) -> crate::Result<()>,
) -> crate::Result<()> {
    let axis = compendium.axis();
    let mask = Mask::new(axis, &compendium.database().mask_intervals()?);
    let annotation = Annotation::read(compendium.database(), axis)?;
    let reader = compendium.reader(experiments)?;
    let groups = assays_of(experiments);
    for (batch, sites) in sites.chunks(BATCH).enumerate() {
        let intervals: Vec<Interval> = sites.iter().map(|s| widened(&s.interval, reach)).collect();
        let places = WindowBins::of_intervals(axis, intervals.iter());
        let means = means(&reader, &places, &mask, &mut |_, _| {})?;
        for (i, (site, interval)) in sites.iter().zip(&intervals).enumerate() {
            let values = means.of(i);
            let finite = |v: f64| v.is_finite().then_some(v);
            let mut signal = Vec::with_capacity(values.len());
            for group in &groups {
                let own = &values[group.clone()];
                let pairs = own.iter().zip(average_of_others(own));
                signal.extend(pairs.map(|(value, average)| SignalAtSite {
                    signal: finite(*value),
                    average: finite(average),
                }));
            }
            let mut classes: Vec<Class> = Vec::new();
            for bins in axis.bins_within(interval) {
                for class in annotation.classes(&bins) {
                    if !classes.contains(&class) {
                        classes.push(class);
                    }
                }
            }
            sink(AnnotatedSite {
                place: batch * BATCH + i,
                n_bins: means.n_bins[i],
                gene: annotation.nearest_gene(&site.interval),
                classes,
                signal,
            })?;
        }
    }
    Ok(())
}

/// Where each assay's experiments stand, which follow each other.
pub(super) fn assays_of(experiments: &[SourcedExperiment]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (i, sourced) in experiments.iter().enumerate() {
        let Experiment { assay, .. } = &sourced.experiment;
        match groups.last_mut() {
            Some(last) if experiments[last.start].experiment.assay == *assay => last.end = i + 1,
            _ => groups.push(i..i + 1),
        }
    }
    groups
}

fn widened(interval: &Interval, reach: u64) -> Interval {
    Interval::new(
        &interval.chrom,
        interval.start.saturating_sub(reach),
        interval.end.saturating_add(reach),
    )
}

/// The embeddings of sites as a table: of a site, the mean over its bins of a position's factors at the
/// three scales, the same for all biosamples; or a row for each site and biosample, the mean of the
/// network's last hidden layer for that biosample, which is what differs between biosamples. A site that
/// the model does not cover has NaN.
pub struct SiteEmbeddings<'a> {
    database: &'a Database,
    model: &'a TrainedModel,
    sites: &'a [Site],
    /// Places of the biosamples; none for factors.
    biosamples: Vec<usize>,
    shape: TableShape,
}

impl<'a> SiteEmbeddings<'a> {
    /// Factors, or with `by_biosample` activations.
    ///
    /// # Errors
    /// When there is no model.
    pub fn new(
        compendium: &'a CompletedCompendium<'_>,
        sites: &'a [Site],
        by_biosample: bool,
    ) -> crate::Result<Self> {
        let Some(model) = compendium.model() else {
            return Err(StoreError::NoModel.into());
        };
        let record = model.record();
        let text = |texts: &mut dyn Iterator<Item = usize>| {
            LabelKind::Text(texts.max().unwrap_or(1) as u32)
        };
        let mut labels = vec![
            (
                "chrom".to_string(),
                text(&mut sites.iter().map(|s| s.interval.chrom.len())),
            ),
            ("start".to_string(), LabelKind::Integer),
            ("end".to_string(), LabelKind::Integer),
            (
                "name".to_string(),
                text(&mut sites.iter().map(|s| s.name.as_ref().map_or(1, String::len))),
            ),
        ];
        let (n_rows, numbers, what) = match by_biosample {
            true => {
                let names = text(&mut record.biosamples.iter().map(String::len));
                labels.push(("biosample".to_string(), names));
                let numbers = (0..model.n_hidden())
                    .map(|i| format!("hidden_{i}"))
                    .collect();
                (
                    sites.len() * record.biosamples.len(),
                    numbers,
                    "activations at sites",
                )
            }
            false => {
                let of = |(scale, n): (crate::genome::Resolution, usize)| {
                    (0..n)
                        .map(move |i| format!("{}_{i}", scale.name()))
                        .collect::<Vec<_>>()
                };
                let scales = crate::genome::Resolution::ALL
                    .into_iter()
                    .zip(model.genome_widths());
                (
                    sites.len(),
                    scales.flat_map(of).collect(),
                    "factors at sites",
                )
            }
        };
        let fact = |key: &str, value: &str| (key.to_string(), value.to_string());
        Ok(SiteEmbeddings {
            database: compendium.database(),
            sites,
            biosamples: match by_biosample {
                true => (0..record.biosamples.len()).collect(),
                false => Vec::new(),
            },
            shape: TableShape {
                n_rows: n_rows as u64,
                labels,
                numbers,
                array: "factors",
                about_columns: Vec::new(),
                facts: vec![
                    fact("what", what),
                    fact("model", &record.name),
                    fact("model_checksum", &model.stored().checksum),
                    fact("assembly", model.axis().assembly().name()),
                ],
            },
            model,
        })
    }

    fn site(&self, row: u64) -> &Site {
        &self.sites[row as usize / self.biosamples.len().max(1)]
    }

    fn biosample(&self, row: u64) -> Option<usize> {
        match self.biosamples.len() {
            0 => None,
            n => Some(self.biosamples[row as usize % n]),
        }
    }

    /// Adds up a row's numbers over stretches of bins, and returns how many bins there were.
    fn sum(&self, row: u64, out: &mut [f32]) -> crate::Result<u64> {
        /// Bins that are read at once.
        const PIECE: u64 = 1 << 12;
        let axis = self.model.axis();
        let mut n = 0;
        let mut one = vec![0f32; out.len()];
        for bins in axis.bins_within(&self.site(row).interval) {
            let mut first = bins.start;
            while first < bins.end {
                let n_bins = (bins.end - first).min(PIECE) as usize;
                let at = axis.locate(first);
                match self.biosample(row) {
                    Some(biosample) => {
                        let hidden = self.model.hidden(
                            self.database,
                            at.region,
                            at.chrom_bin,
                            n_bins,
                            biosample,
                        )?;
                        for bin in hidden.outer_iter() {
                            out.iter_mut().zip(bin).for_each(|(o, v)| *o += v);
                        }
                    }
                    None => {
                        let block =
                            self.model
                                .block(self.database, at.region, at.chrom_bin, n_bins)?;
                        for i in 0..n_bins {
                            block.embedding(i, &mut one);
                            out.iter_mut().zip(&one).for_each(|(o, v)| *o += v);
                        }
                    }
                }
                n += n_bins as u64;
                first += n_bins as u64;
            }
        }
        Ok(n)
    }
}

impl TableSource<crate::Error> for SiteEmbeddings<'_> {
    fn shape(&self) -> &TableShape {
        &self.shape
    }

    fn labels(&self, column: usize, rows: Range<u64>) -> crate::Result<Labels> {
        let text = |of: &dyn Fn(u64) -> String| Labels::Text(rows.clone().map(of).collect());
        let number = |of: &dyn Fn(u64) -> u64| {
            Labels::Integer(rows.clone().map(|row| of(row) as i64).collect())
        };
        Ok(match column {
            0 => text(&|row| self.site(row).interval.chrom.clone()),
            1 => number(&|row| self.site(row).interval.start),
            2 => number(&|row| self.site(row).interval.end),
            3 => text(&|row| self.site(row).name.clone().unwrap_or_else(|| ".".into())),
            _ => text(&|row| {
                let names = &self.model.record().biosamples;
                self.biosample(row)
                    .map_or_else(String::new, |b| names[b].clone())
            }),
        })
    }

    fn names(&self, rows: Range<u64>) -> crate::Result<Vec<String>> {
        Ok(rows.map(|row| format!("site_{row}")).collect())
    }

    fn name_bytes(&self) -> u32 {
        "site_".len() as u32 + self.shape.n_rows.to_string().len() as u32
    }

    fn numbers(&self, rows: Range<u64>, out: &mut [f32]) -> crate::Result<()> {
        let width = self.shape.numbers.len();
        for (row, out) in rows.zip(out.chunks_exact_mut(width)) {
            out.fill(0.0);
            let n = self.sum(row, out)?;
            out.iter_mut().for_each(|v| *v /= n as f32);
        }
        Ok(())
    }
}
