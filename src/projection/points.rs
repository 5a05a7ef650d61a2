//! What is projected: rows of the genome, biosamples or assays, with their factors and what is known of each.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::Array2;
use rand_chacha::rand_core::RngCore;

use super::ProjectionError;
use crate::annotation::{Annotation, Class};
use crate::formats::TableSource;
use crate::genome::{GenomeAxis, Interval, Resolution};
use crate::model::{GenomeRows, GenomeTable, NamedAxis, TrainedModel};
use crate::random::{Purpose, generator};
use crate::store::Database;

/// Rows of factors that are in memory at once while chosen ones are picked.
const BLOCK_ROWS: u64 = 4_096;
/// Largest number of rows without sampling; all their distances are computed.
const MOST_POINTS: u64 = 200_000;
/// The classes that a position is shown as, the first that it is of.
const SHOWN: [Class; 4] = [
    Class::Promoter,
    Class::Enhancer,
    Class::Gene,
    Class::Intergenic,
];

/// Points with their factors.
#[derive(Debug, Clone)]
pub struct Points {
    /// What each is called: a name, or `chr1:1,001-1,025` of a browser.
    pub names: Vec<String>,
    /// Where each lies; empty unless they are of the genome.
    pub places: Vec<Interval>,
    /// What is known of them: a column's name, and a text a point.
    pub labels: Vec<(String, Vec<String>)>,
    /// `[n_points, n_factors]`.
    pub factors: Array2<f32>,
    /// What they are, in words.
    pub described: String,
}

/// Which rows of the genome.
#[derive(Debug, Clone)]
pub struct GenomeChoice {
    /// What a point is: a row of one scale, or a bin with its factors at all three.
    pub rows: GenomeRows,
    /// Where: everywhere, within intervals, or at positions with a label each.
    pub at: Where,
    /// Only rows of these classes; all when empty.
    pub classes: Vec<Class>,
    /// As many of each class, as far as there are.
    pub is_balanced: bool,
    /// How many at most; all when `None`.
    pub sample: Option<u64>,
    /// What chance derives from.
    pub seed: u64,
}

/// Where rows are taken from.
#[derive(Debug, Clone)]
pub enum Where {
    /// Everywhere.
    Everywhere,
    /// In these intervals.
    Within(Vec<Interval>),
    /// At the middles of these intervals, each with its label.
    Labelled(Vec<(Interval, String)>),
}

/// A chosen row: its number along the axis and its label, if it was given one.
type Chosen = BTreeMap<u64, Option<String>>;

/// Gathers rows of the genome. Masked rows are left out: the model was not trained there.
///
/// ```
/// use persea::model::{GenomeRows, TrainedModel};
/// use persea::projection::{GenomeChoice, Method, Where, genome_points, project};
///
/// # let (_folder, database) = persea::search::example_database()?;
/// let model = TrainedModel::open(&database, None)?;
/// let choice = GenomeChoice {
///     rows: GenomeRows::Embedding,
///     at: Where::Everywhere,
///     classes: Vec::new(),
///     is_balanced: false,
///     sample: Some(200),
///     seed: 0,
/// };
/// let points = genome_points(&database, &model, &choice)?;
/// let projection = project("genome", &model, points, Method::Pca, 0)?;
/// assert_eq!(projection.coordinates.dim(), (200, 2));
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When nothing is left, too much is asked for, or factors are damaged.
pub fn genome_points(
    database: &Database,
    model: &TrainedModel,
    choice: &GenomeChoice,
) -> crate::Result<Points> {
    let axis = model.axis();
    let scale = match choice.rows {
        GenomeRows::Resolution(scale) => scale,
        GenomeRows::Embedding => Resolution::Bp25,
    };
    let annotation = Annotation::read(database, axis)?;
    let (chosen, described) = match &choice.at {
        Where::Labelled(list) => labelled(axis, scale, &annotation, list, choice)?,
        Where::Everywhere | Where::Within(_) => sampled(axis, scale, &annotation, choice)?,
    };
    if chosen.len() as u64 > MOST_POINTS {
        return Err(ProjectionError::Points(format!(
            "{} points are too many: all their distances are looked at; sample {MOST_POINTS} \
             or fewer (option `sample`), or choose a coarser resolution (option `resolution`)",
            chosen.len()
        ))
        .into());
    }
    if chosen.is_empty() {
        return Err(ProjectionError::Points(
            "nothing is left to project: no row of the model is unmasked, covered and of the \
             classes asked for"
                .into(),
        )
        .into());
    }
    let rows: Vec<u64> = chosen.keys().copied().collect();
    let factors = read_rows(database, model, choice.rows, &rows)?;
    let bins: Vec<Range<u64>> = rows.iter().map(|r| row_bins(axis, scale, *r)).collect();
    let places: Vec<Interval> = bins.iter().map(|b| interval(axis, b)).collect();
    let class = |b: &Range<u64>| {
        shown_class(&annotation, b)
            .map_or("", Class::name)
            .to_string()
    };
    let mut labels = vec![("annotation".to_string(), bins.iter().map(class).collect())];
    if chosen.values().any(Option::is_some) {
        let given = chosen.into_values().map(Option::unwrap_or_default);
        labels.insert(0, ("label".to_string(), given.collect()));
    }
    let chroms = places.iter().map(|i| i.chrom.clone()).collect();
    labels.push(("chrom".to_string(), chroms));
    Ok(Points {
        names: places.iter().map(Interval::to_string).collect(),
        places,
        labels,
        factors,
        described,
    })
}

/// Gathers a model's biosamples or assays, with their metadata.
///
/// # Errors
/// When metadata cannot be read.
pub fn named_points(
    database: &Database,
    model: &TrainedModel,
    axis: NamedAxis,
) -> crate::Result<Points> {
    use crate::formats::Labels;
    let table = crate::model::NamedTable::new(database, model, axis)?;
    let shape = table.shape();
    let n = shape.n_rows;
    let mut flat = vec![0f32; n as usize * shape.numbers.len()];
    table.numbers(0..n, &mut flat)?;
    let mut labels = Vec::new();
    for (i, (name, _)) in shape.labels.iter().enumerate().skip(1) {
        if let Labels::Text(texts) = table.labels(i, 0..n)? {
            labels.push((name.clone(), texts));
        }
    }
    let what = match axis {
        NamedAxis::Biosamples => "biosamples",
        NamedAxis::Assays => "assays",
    };
    Ok(Points {
        names: table.names(0..n)?,
        places: Vec::new(),
        labels,
        factors: Array2::from_shape_vec((n as usize, shape.numbers.len()), flat)
            .unwrap_or_else(|_| Array2::zeros((0, 0))),
        described: format!("the model's {n} {what}"),
    })
}

/// The first of the shown classes that some bins are of.
fn shown_class(annotation: &Annotation, bins: &Range<u64>) -> Option<Class> {
    let mut classes = SHOWN.into_iter();
    classes.find(|class| annotation.bins(*class).any(bins.clone()))
}

/// Whether all of some bins are masked.
fn is_masked(annotation: &Annotation, bins: &Range<u64>) -> bool {
    let masked = annotation.bins(Class::Masked);
    bins.clone().all(|bin| masked.contains(bin))
}

/// The rows at the middles of labelled intervals, each once.
fn labelled(
    axis: &GenomeAxis,
    scale: Resolution,
    annotation: &Annotation,
    list: &[(Interval, String)],
    choice: &GenomeChoice,
) -> Result<(Chosen, String), ProjectionError> {
    let mut chosen = Chosen::new();
    let (mut uncovered, mut masked, mut again) = (0, 0, 0);
    for (place, label) in list {
        let Some(bin) = axis.bin_at(&place.chrom, place.start + place.len() / 2) else {
            uncovered += 1;
            continue;
        };
        let row = row_of(axis, scale, bin);
        let bins = row_bins(axis, scale, row);
        if is_masked(annotation, &bins) {
            masked += 1;
            continue;
        }
        let is_wanted = choice.classes.is_empty()
            || shown_class(annotation, &bins).is_some_and(|c| choice.classes.contains(&c));
        if !is_wanted {
            continue;
        }
        if chosen.insert(row, Some(label.clone())).is_some() {
            again += 1;
        }
    }
    let found = chosen.len();
    if let Some(n) = choice.sample.filter(|n| *n < found as u64) {
        let rows: Vec<u64> = chosen.keys().copied().collect();
        let kept = reservoir(rows.into_iter(), n, choice.seed, 0);
        chosen.retain(|row, _| kept.binary_search(row).is_ok());
    }
    let rows = match choice.rows {
        GenomeRows::Resolution(scale) => format!("{scale} rows"),
        GenomeRows::Embedding => "25 bp bins, their factors at all three scales".into(),
    };
    let mut described = match chosen.len() == found {
        true => format!("{found} labelled positions ({rows})"),
        false => format!("{} of {found} labelled positions ({rows})", chosen.len()),
    };
    for (n, why) in [
        (uncovered, "not covered by the model"),
        (masked, "masked"),
        (again, "in a row that another one is in"),
    ] {
        if n > 0 {
            described.push_str(&format!("; {n} left out: {why}"));
        }
    }
    Ok((chosen, described))
}

/// Rows drawn evenly from all that are allowed.
fn sampled(
    axis: &GenomeAxis,
    scale: Resolution,
    annotation: &Annotation,
    choice: &GenomeChoice,
) -> crate::Result<(Chosen, String)> {
    let rows: Vec<Range<u64>> = match &choice.at {
        Where::Within(intervals) => {
            let spans = crate::imputation::spans(axis, intervals)?;
            let of =
                |b: &Range<u64>| row_of(axis, scale, b.start)..row_of(axis, scale, b.end - 1) + 1;
            spans.iter().map(of).collect()
        }
        _ => std::iter::once(0..axis.n_rows(scale)).collect(),
    };
    let n_all: u64 = rows.iter().map(|r| r.end - r.start).sum();
    let class_of = |row: u64| {
        let bins = row_bins(axis, scale, row);
        let class = shown_class(annotation, &bins)?;
        let is_wanted = choice.classes.is_empty() || choice.classes.contains(&class);
        (is_wanted && !is_masked(annotation, &bins)).then_some(class)
    };
    let all = || rows.iter().cloned().flatten();
    let wanted: Vec<Class> = SHOWN
        .into_iter()
        .filter(|c| choice.classes.is_empty() || choice.classes.contains(c))
        .collect();
    let mut n_allowed = 0u64;
    let mut chosen = Chosen::new();
    if choice.is_balanced {
        let each = choice.sample.map(|n| n / wanted.len().max(1) as u64);
        for (i, class) in wanted.iter().enumerate() {
            let of_class = all().filter(|r| class_of(*r) == Some(*class));
            let of_class = of_class.inspect(|_| n_allowed += 1);
            let kept = reservoir(of_class, each.unwrap_or(u64::MAX), choice.seed, i as u64);
            chosen.extend(kept.into_iter().map(|row| (row, None)));
        }
    } else {
        let allowed = all().filter(|r| class_of(*r).is_some());
        let allowed = allowed.inspect(|_| n_allowed += 1);
        let kept = reservoir(allowed, choice.sample.unwrap_or(u64::MAX), choice.seed, 0);
        chosen.extend(kept.into_iter().map(|row| (row, None)));
    }
    let what = match choice.rows {
        GenomeRows::Resolution(scale) => format!("{scale} rows"),
        GenomeRows::Embedding => "25 bp bins, their factors at all three scales".to_string(),
    };
    let classes = match choice.classes.is_empty() {
        true => String::new(),
        false => {
            let names: Vec<&str> = wanted.iter().map(|c| c.name()).collect();
            format!(", {} only", names.join(" and "))
        }
    };
    let how = match (chosen.len() as u64 == n_allowed, choice.is_balanced) {
        (true, _) => "all",
        (false, true) => "drawn at random, as many of each class",
        (false, false) => "drawn at random",
    };
    let described = format!(
        "{} of {} {what}{classes}, {how} ({} masked or of other classes left out)",
        grouped(chosen.len() as u64),
        grouped(n_allowed),
        grouped(n_all - n_allowed)
    );
    Ok((chosen, described))
}

/// 12,345.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `n` of the items, each as likely as any other (Vitter's algorithm R), in ascending order.
fn reservoir(items: impl Iterator<Item = u64>, n: u64, seed: u64, index: u64) -> Vec<u64> {
    let mut rng = generator(seed, Purpose::Projection, (1 << 32) + index);
    let mut kept: Vec<u64> = Vec::new();
    for (seen, item) in (1u64..).zip(items) {
        if (kept.len() as u64) < n {
            kept.push(item);
            continue;
        }
        let place = rng.next_u64() % seen;
        if let Some(slot) = kept.get_mut(place as usize) {
            *slot = item;
        }
    }
    kept.sort_unstable();
    kept
}

/// The row of a scale that an axis bin lies in, counted along the axis.
fn row_of(axis: &GenomeAxis, scale: Resolution, bin: u64) -> u64 {
    let at = axis.locate(bin);
    axis.row(scale, at.region, at.chrom_bin)
}

/// The axis bins of a row, which end where its region does.
fn row_bins(axis: &GenomeAxis, scale: Resolution, row: u64) -> Range<u64> {
    let regions = axis.regions().len();
    let (mut low, mut high) = (0, regions);
    while low + 1 < high {
        let middle = (low + high) / 2;
        match axis.region_rows(scale, middle).start <= row {
            true => low = middle,
            false => high = middle,
        }
    }
    let region = &axis.regions()[low];
    let own = axis.region_bins(low);
    let chrom_row = region.first_row(scale) + row - axis.region_rows(scale, low).start;
    let place = |chrom_bin: u64| {
        own.start + chrom_bin.clamp(region.first_bin, region.end_bin()) - region.first_bin
    };
    place(chrom_row * scale.bins())..place((chrom_row + 1) * scale.bins())
}

/// Where axis bins of one region lie.
fn interval(axis: &GenomeAxis, bins: &Range<u64>) -> Interval {
    let first = axis.bin_interval(bins.start);
    let last = axis.bin_interval(bins.end.max(bins.start + 1) - 1);
    Interval::new(first.chrom, first.start, last.end)
}

/// The factors of ascending rows.
fn read_rows(
    database: &Database,
    model: &TrainedModel,
    rows: GenomeRows,
    wanted: &[u64],
) -> crate::Result<Array2<f32>> {
    let axis = model.axis();
    let all: Vec<Range<u64>> = (0..axis.regions().len())
        .map(|r| axis.region_bins(r))
        .collect();
    let table = GenomeTable::new(database, model, rows, &all);
    let width = table.shape().numbers.len();
    let mut factors = Array2::zeros((wanted.len(), width));
    let mut at = 0;
    while at < wanted.len() {
        let first = wanted[at];
        let until = wanted[at..].partition_point(|row| *row < first + BLOCK_ROWS) + at;
        let last = wanted[until - 1];
        let mut block = vec![0f32; (last + 1 - first) as usize * width];
        table.numbers(first..last + 1, &mut block)?;
        for (i, row) in wanted[at..until].iter().enumerate() {
            let from = (row - first) as usize * width;
            let values = ndarray::ArrayView1::from(&block[from..from + width]);
            factors.row_mut(at + i).assign(&values);
        }
        at = until;
    }
    Ok(factors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::example_database;

    fn choice(rows: GenomeRows) -> GenomeChoice {
        GenomeChoice {
            rows,
            at: Where::Everywhere,
            classes: Vec::new(),
            is_balanced: false,
            sample: None,
            seed: 0,
        }
    }

    #[test]
    fn rows_are_read_where_they_lie_at_every_scale() {
        let (_folder, database) = example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let axis = model.axis();
        let all = model.genome_factors(&database).unwrap();
        for scale in [Resolution::Bp250, Resolution::Kbp5] {
            let points =
                genome_points(&database, &model, &choice(GenomeRows::Resolution(scale))).unwrap();
            // No row is masked as a whole at 5 kbp; four are at 250 bp.
            let n_masked = if scale == Resolution::Bp250 { 4 } else { 0 };
            assert_eq!(points.names.len() as u64 + n_masked, axis.n_rows(scale));
            for row in [0, axis.n_rows(scale) - 1] {
                let bins = row_bins(axis, scale, row);
                let place = interval(axis, &bins);
                let found = points.places.iter().position(|p| *p == place).unwrap();
                let expected = all.scales[scale.index()].row(row as usize);
                assert_eq!(points.factors.row(found), expected);
                assert_eq!(row_of(axis, scale, bins.start), row);
                assert_eq!(row_of(axis, scale, bins.end - 1), row);
            }
        }
    }

    #[test]
    fn a_sample_is_of_its_size_without_masked_bins_and_the_same_for_a_seed() {
        let (_folder, database) = example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let some = GenomeChoice {
            sample: Some(50),
            ..choice(GenomeRows::Embedding)
        };
        let points = genome_points(&database, &model, &some).unwrap();
        assert_eq!(
            points.factors.dim(),
            (50, model.genome_widths().iter().sum())
        );
        assert!(
            points.described.starts_with("50 of 20,074 25 bp bins"),
            "{}",
            points.described
        );
        assert!(
            points
                .places
                .iter()
                .all(|p| p.chrom != "chr1" || p.end <= 30_000 || p.start >= 31_000)
        );
        let again = genome_points(&database, &model, &some).unwrap();
        assert_eq!(again.places, points.places);
        let other = GenomeChoice {
            seed: 1,
            ..some.clone()
        };
        assert_ne!(
            genome_points(&database, &model, &other).unwrap().places,
            points.places
        );
        // As many of each class, or all there are of it.
        let balanced = GenomeChoice {
            classes: vec![Class::Promoter, Class::Enhancer],
            is_balanced: true,
            sample: Some(60),
            ..some
        };
        let points = genome_points(&database, &model, &balanced).unwrap();
        let (name, classes) = &points.labels[0];
        assert_eq!(name, "annotation");
        let n = |class: &str| classes.iter().filter(|c| *c == class).count();
        assert_eq!((n("promoter"), n("enhancer")), (30, 30));
    }

    #[test]
    fn labelled_positions_come_once_and_what_is_left_out_is_said() {
        let (_folder, database) = example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let at = |chrom: &str, start, end, label: &str| {
            (Interval::new(chrom, start, end), label.to_string())
        };
        let list = vec![
            at("chr1", 60_000, 60_025, "a"),
            at("chr2", 40_000, 41_000, "b"),
            at("chr1", 60_010, 60_011, "c"),
            at("chr1", 30_100, 30_125, "masked"),
            at("chr1", 900_000, 900_100, "nowhere"),
        ];
        let labelled = GenomeChoice {
            at: Where::Labelled(list),
            ..choice(GenomeRows::Resolution(Resolution::Bp25))
        };
        let points = genome_points(&database, &model, &labelled).unwrap();
        // In the axis' order: chr2 comes first.
        assert_eq!(
            points.labels[0],
            ("label".into(), vec!["b".into(), "c".into()])
        );
        // 60,010 lies within 1 kb of a TSS, so in a promoter.
        assert_eq!(points.labels[1].1, ["enhancer", "promoter"]);
        for part in [
            "2 labelled",
            "1 left out: not covered",
            "1 left out: masked",
        ] {
            assert!(points.described.contains(part), "{}", points.described);
        }
        let none = GenomeChoice {
            classes: vec![Class::Intergenic],
            ..labelled
        };
        let error = genome_points(&database, &model, &none)
            .unwrap_err()
            .to_string();
        assert!(error.contains("nothing is left"), "{error}");
    }

    #[test]
    fn biosamples_come_with_their_metadata() {
        let (_folder, database) = example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let points = named_points(&database, &model, NamedAxis::Biosamples).unwrap();
        assert_eq!(points.names, ["S1", "S2", "S3", "S4", "S5"]);
        assert_eq!(points.factors.dim(), (5, 4));
    }
}
