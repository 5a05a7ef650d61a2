//! Biosamples and assays like others, and sums of them.

use std::ops::Range;

use super::SearchError;
use super::view::Metric;
use crate::compendium::Experiment;
use crate::genome::Resolution;
use crate::imputation::Stream;
use crate::model::TrainedModel;
use crate::store::{Database, StoreError};

/// Bins that are imputed at once.
const BLOCK_BINS: u64 = 1_000;

/// Which of a model's axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleAxis {
    /// Its biosamples.
    Biosamples,
    /// Its assays.
    Assays,
}

impl SampleAxis {
    /// What one of it is called.
    pub const fn name(self) -> &'static str {
        match self {
            SampleAxis::Biosamples => "biosample",
            SampleAxis::Assays => "assay",
        }
    }

    pub(super) fn names(self, model: &TrainedModel) -> &[String] {
        match self {
            SampleAxis::Biosamples => &model.record().biosamples,
            SampleAxis::Assays => &model.record().assays,
        }
    }
}

/// What biosamples or assays are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Their factors.
    Factors,
    /// What the model imputes for them: every assay (or biosample) at so many bins, spread evenly
    /// over the model's regions.
    Imputed {
        /// How many bins, about.
        bins: u64,
    },
}

/// A biosample or assay and how far it is from what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleHit {
    /// Its name.
    pub name: String,
    /// The Euclidean distance; between imputed profiles its root mean square over the values.
    pub distance: f64,
    /// One minus the cosine; `None` where one of both is all zeros.
    pub cosine: Option<f64>,
}

/// A sum of biosamples or assays: each one's place in the model and whether it counts positively.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleSum {
    pub(super) axis: SampleAxis,
    terms: Vec<(usize, bool)>,
}

impl SampleSum {
    /// Reads `E003`, or `E003 - E116 + E117`; the signs stand between blanks, so that names may
    /// hold them.
    ///
    /// # Errors
    /// When a name is unknown to the model (the nearest ones are given) or a sign stands without
    /// one.
    pub fn parse(text: &str, axis: SampleAxis, model: &TrainedModel) -> crate::Result<Self> {
        let names = axis.names(model);
        let place = |name: &str| {
            let found = names.iter().position(|n| n == name);
            found.ok_or_else(|| {
                let known = names.iter().map(String::as_str);
                StoreError::unknown(axis.name(), name, known)
            })
        };
        // A name may itself look like a sum.
        if let Ok(whole) = place(text.trim()) {
            let terms = vec![(whole, true)];
            return Ok(SampleSum { axis, terms });
        }
        let mut terms = Vec::new();
        let mut name = Vec::new();
        let mut is_added = true;
        for word in text.split_whitespace().chain(["+"]) {
            if word != "+" && word != "-" {
                name.push(word);
                continue;
            }
            if !name.is_empty() {
                terms.push((place(&name.join(" "))?, is_added));
                name.clear();
            } else if !terms.is_empty() || word == "+" {
                return Err(SearchError::query(format!(
                    "`{text}` has a sign without a name; write it as A - B + C"
                ))
                .into());
            }
            is_added = word == "+";
        }
        Ok(SampleSum { axis, terms })
    }

    /// Whether a place of the model is one of those that were asked for.
    pub(super) fn names(&self, place: usize) -> bool {
        self.terms.iter().any(|(p, _)| *p == place)
    }

    /// The sum of values of which there is one for each place.
    pub(super) fn of(&self, value: impl Fn(usize) -> f32) -> f64 {
        let signed = self.terms.iter().map(|(place, is_added)| {
            let value = f64::from(value(*place));
            if *is_added { value } else { -value }
        });
        signed.sum()
    }
}

/// Products of the query with each place's profile, summed up.
struct Sums {
    squares: Vec<f64>,
    dots: Vec<f64>,
    norms: Vec<f64>,
    query_norm: f64,
    n: u64,
}

impl Sums {
    fn new(places: usize) -> Self {
        Sums {
            squares: vec![0.0; places],
            dots: vec![0.0; places],
            norms: vec![0.0; places],
            query_norm: 0.0,
            n: 0,
        }
    }

    /// One number of every profile.
    fn add(&mut self, sum: &SampleSum, value: impl Fn(usize) -> f32) {
        let query = sum.of(&value);
        self.query_norm += query * query;
        self.n += 1;
        for place in 0..self.dots.len() {
            let x = f64::from(value(place));
            self.squares[place] += (query - x) * (query - x);
            self.dots[place] += query * x;
            self.norms[place] += x * x;
        }
    }
}

/// Refuses a number of hits that cannot be.
pub(super) fn check_k(k: usize, names: &[String], axis: SampleAxis) -> Result<(), SearchError> {
    match (1..=names.len()).contains(&k) {
        true => Ok(()),
        false => Err(SearchError::HitCount {
            k,
            most: names.len() as u64,
            of: format!("{}s", axis.name()),
        }),
    }
}

/// The biosamples or assays nearest to a sum of them, which are not among the answers themselves
/// unless `with_query`. Nearest by `metric`, equals in the model's order.
///
/// ```
/// use persea::model::TrainedModel;
/// use persea::search::{Metric, Profile, SampleAxis, SampleSum, similar_samples};
///
/// # let (_folder, database) = persea::search::example_database()?;
/// let model = TrainedModel::open(&database, None)?;
/// let sum = SampleSum::parse("S1 - S2 + S3", SampleAxis::Biosamples, &model)?;
/// let metric = Metric::Euclidean;
/// let hits = similar_samples(&database, &model, &sum, Profile::Factors, metric, 2, false)?;
/// assert_eq!(hits.len(), 2);
/// assert!(hits.iter().all(|hit| !["S1", "S2", "S3"].contains(&hit.name.as_str())));
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When k is 0 or more than there are, the metric is the network's, the sum is all zeros and the metric
/// the cosine, or a blob is damaged.
pub fn similar_samples(
    database: &Database,
    model: &TrainedModel,
    sum: &SampleSum,
    profile: Profile,
    metric: Metric,
    k: usize,
    with_query: bool,
) -> crate::Result<Vec<SampleHit>> {
    let names = sum.axis.names(model);
    check_k(k, names, sum.axis)?;
    if metric == Metric::Network {
        return Err(SearchError::query(
            "biosamples and assays are compared by the metric euclidean or cosine; how the \
             network sees them is what they have imputed: compare profiles",
        )
        .into());
    }
    let mut sums = Sums::new(names.len());
    match profile {
        Profile::Factors => {
            let factors = match sum.axis {
                SampleAxis::Biosamples => &model.network().biosamples,
                SampleAxis::Assays => &model.network().assays,
            };
            for column in factors.columns() {
                sums.add(sum, |place| column[place]);
            }
        }
        Profile::Imputed { bins } => imputed(database, model, sum, bins, &mut sums)?,
    }
    if metric == Metric::Cosine && sums.query_norm == 0.0 {
        return Err(SearchError::NoDirection { what: "the sum" }.into());
    }
    let scale = match profile {
        Profile::Factors => 1.0,
        Profile::Imputed { .. } => sums.n.max(1) as f64,
    };
    let hit = |place: usize| {
        let length = (sums.query_norm * sums.norms[place]).sqrt();
        SampleHit {
            name: names[place].clone(),
            distance: (sums.squares[place] / scale).sqrt(),
            cosine: (length > 0.0).then(|| (1.0 - sums.dots[place] / length).max(0.0)),
        }
    };
    let places = (0..names.len()).filter(|p| with_query || !sum.names(*p));
    let mut hits: Vec<SampleHit> = places.map(hit).collect();
    hits.sort_by(|a, b| match metric {
        Metric::Cosine => {
            let key = |h: &SampleHit| h.cosine.unwrap_or(f64::INFINITY);
            key(a).total_cmp(&key(b))
        }
        _ => a.distance.total_cmp(&b.distance),
    });
    hits.truncate(k);
    Ok(hits)
}

/// Sums over imputed values of every experiment, at bins spread evenly over the axis.
fn imputed(
    database: &Database,
    model: &TrainedModel,
    sum: &SampleSum,
    wanted: u64,
    sums: &mut Sums,
) -> crate::Result<()> {
    let axis = model.axis();
    let wanted = wanted.clamp(1, axis.n_bins());
    let n_blocks = wanted.div_ceil(BLOCK_BINS.min(Resolution::Kbp5.bins()));
    let length = wanted / n_blocks;
    let block = |block: u64| {
        // The middle of each of so many equal parts of the axis, cut at its region's end.
        let middle = axis.n_bins() * (2 * block + 1) / (2 * n_blocks);
        let first = middle.saturating_sub(length / 2);
        let at = axis.locate(first);
        first..axis.region_bins(at.region).end.min(first + length.max(1))
    };
    let blocks: Vec<Range<u64>> = (0..n_blocks).map(block).collect();
    let n_bins = blocks.iter().map(|b| b.end - b.start).sum::<u64>() as usize;
    let (places, others) = match sum.axis {
        SampleAxis::Biosamples => (&model.record().biosamples, &model.record().assays),
        SampleAxis::Assays => (&model.record().assays, &model.record().biosamples),
    };
    let stream = Stream::new(database, model);
    let mut values = vec![0f32; n_bins * places.len()];
    for other in others {
        let experiment = |place: &String| match sum.axis {
            SampleAxis::Biosamples => Experiment {
                biosample: place.clone(),
                assay: other.clone(),
            },
            SampleAxis::Assays => Experiment {
                biosample: other.clone(),
                assay: place.clone(),
            },
        };
        let experiments: Vec<Experiment> = places.iter().map(experiment).collect();
        // Pieces come in the blocks' order, so each experiment's values lie one after another.
        let mut filled = vec![0; places.len()];
        stream.run::<crate::Error>(&experiments, &blocks, &mut |place, _, piece| {
            let from = place * n_bins + filled[place];
            values[from..from + piece.len()].copy_from_slice(piece);
            filled[place] += piece.len();
            Ok(())
        })?;
        for bin in 0..n_bins {
            sums.add(sum, |place| values[place * n_bins + bin]);
        }
    }
    Ok(())
}
