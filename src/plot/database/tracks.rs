//! Observed, imputed and average tracks at a locus.

use super::{cannot, clipped, shared_unit};
use crate::compendium::{AverageActivity, Experiment};
use crate::genome::{BIN_BP, GenomeAxis, Interval};
use crate::imputation::{Stream, spans};
use crate::model::TrainedModel;
use crate::plot::{TrackKind, TrackRow, TracksFigure};
use crate::store::{Database, ModelKind, Track, TrackRole};
use persea_drawing::spoken_region;

/// What is drawn of each experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackChoice {
    /// What was measured.
    pub observed: bool,
    /// What a model imputes.
    pub imputed: bool,
    /// The mean of the assay over other biosamples.
    pub average: bool,
}

/// Tracks of experiments at a locus: for each what was measured, what the model imputes and average
/// activity, as far as they are asked for and there. Those of one assay share their scale.
///
/// ```
/// use persea::compendium::Experiment;
/// use persea::genome::Interval;
/// use persea::plot::{Theme, TrackChoice, tracks_figure};
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// let region = Interval::new("chr1", 20_000, 60_000);
/// let experiments = [Experiment::new("S1", "H3K4me3"), Experiment::new("S2", "H3K4me3")];
/// let choice = TrackChoice { observed: true, imputed: false, average: true };
/// let figure = tracks_figure(&database, None, &experiments, &region, choice)?;
/// assert_eq!(figure.rows.len(), 4);
/// assert!(figure.svg(Theme::Light).starts_with("<svg"));
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When the region is not covered, nothing is left to draw, or signal is damaged.
pub fn tracks_figure(
    database: &Database,
    model: Option<&TrainedModel>,
    experiments: &[Experiment],
    region: &Interval,
    choice: TrackChoice,
) -> crate::Result<TracksFigure> {
    let axis = database.axis();
    let region = clipped(axis, region)?;
    // The region must be covered by something: the nearest that is gets named.
    spans(axis, std::slice::from_ref(&region))?;
    let all = database.tracks()?;
    let imputed = match model.filter(|_| choice.imputed) {
        Some(model) => imputed(database, model, experiments, &region)?,
        None => vec![None; experiments.len()],
    };
    let training = training(&all, model);
    let mut rows = Vec::new();
    for (experiment, imputed) in experiments.iter().zip(imputed) {
        let name = [experiment.biosample.clone(), experiment.assay.clone()];
        let row = |label: &str, kind, values| TrackRow {
            experiment: name.clone(),
            scale_group: experiment.assay.clone(),
            label: label.to_string(),
            kind,
            values,
        };
        let track = (all.iter())
            .find(|t| t.biosample == experiment.biosample && t.assay == experiment.assay);
        if let Some(track) = track.filter(|_| choice.observed) {
            let signal = database.signal(track)?;
            let values = along(axis, &region, &mut |bins, out| Ok(signal.read(bins, out)?))?;
            rows.push(row("observed", TrackKind::Observed, values));
        }
        if let Some(values) = imputed {
            let label = model.map_or("imputed", |m| imputed_label(m, experiment));
            rows.push(row(label, TrackKind::Imputed, values));
        }
        if choice.average {
            let average = AverageActivity::open(
                database,
                &experiment.assay,
                &training,
                &experiment.biosample,
            )?;
            if let Some(average) = average {
                let n = average.n_tracks();
                let values = along(axis, &region, &mut |bins, out| Ok(average.read(bins, out)?))?;
                let label = format!("average of {n} other{}", if n == 1 { "" } else { "s" });
                rows.push(row(&label, TrackKind::Average, values));
            }
        }
    }
    if rows.is_empty() {
        let why = "nothing was measured, imputed or averaged of what was asked for";
        return Err(cannot("tracks", why).into());
    }
    let assays: Vec<String> = rows.iter().map(|row| row.experiment[1].clone()).collect();
    let (unit, units) = shared_unit(database, &assays)?;
    let mut notes: Vec<String> = units.into_iter().collect();
    if let Some(model) = model.filter(|_| choice.imputed) {
        notes.push(format!(
            "Imputed by the model {}. Rows of one assay share their scale.",
            model.record().name
        ));
    }
    Ok(TracksFigure {
        title: spoken_region(&region),
        assembly: axis.assembly().name().to_string(),
        unit,
        genes: database.genes()?,
        marked: database.enhancers()?,
        marked_name: "enhancers".into(),
        rows,
        notes,
        region,
    })
}

/// The tracks that averages are of: those a model was trained on, or all.
fn training(all: &[Track], model: Option<&TrainedModel>) -> Vec<(String, String)> {
    let is_there = |b: &str, a: &str| all.iter().any(|t| t.biosample == b && t.assay == a);
    match model.map(|m| &m.record().tracks).filter(|t| !t.is_empty()) {
        Some(tracks) => (tracks.iter())
            .filter(|t| t.role != TrackRole::Hold && is_there(&t.biosample, &t.assay))
            .map(|t| (t.biosample.clone(), t.assay.clone()))
            .collect(),
        None => (all.iter())
            .map(|t| (t.biosample.clone(), t.assay.clone()))
            .collect(),
    }
}

/// What an imputed row is to its model.
fn imputed_label(model: &TrainedModel, experiment: &Experiment) -> &'static str {
    let track = (model.record().tracks.iter())
        .find(|t| t.biosample == experiment.biosample && t.assay == experiment.assay);
    match track.map(|t| t.role) {
        None => "imputed",
        Some(TrackRole::Hold) => "imputed, held out",
        Some(_) if model.record().kind == ModelKind::Persea => "imputed, own track masked",
        Some(_) => "imputed, trained on",
    }
}

type Read<'a> = dyn FnMut(std::ops::Range<u64>, &mut [f32]) -> crate::Result<()> + 'a;

/// A value each bin of a region; NaN where the axis does not cover it.
fn along(axis: &GenomeAxis, region: &Interval, read: &mut Read<'_>) -> crate::Result<Vec<f32>> {
    let first_bin = region.start / BIN_BP;
    let n_bins = (region.end.div_ceil(BIN_BP) - first_bin) as usize;
    let mut values = vec![f32::NAN; n_bins];
    for bins in axis.bins_within(region) {
        let at = (axis.locate(bins.start).chrom_bin - first_bin) as usize;
        let n = (bins.end - bins.start) as usize;
        read(bins, &mut values[at..at + n])?;
    }
    Ok(values)
}

/// What a model imputes; `None` of an experiment whose biosample or assay it does not know.
fn imputed(
    database: &Database,
    model: &TrainedModel,
    experiments: &[Experiment],
    region: &Interval,
) -> crate::Result<Vec<Option<Vec<f32>>>> {
    let is_known =
        |e: &Experiment| model.biosample(&e.biosample).is_ok() && model.assay(&e.assay).is_ok();
    let places: Vec<usize> = (0..experiments.len())
        .filter(|i| is_known(&experiments[*i]))
        .collect();
    let known: Vec<Experiment> = places.iter().map(|i| experiments[*i].clone()).collect();
    let spans = spans(model.axis(), std::slice::from_ref(region))?;
    let first_bin = region.start / BIN_BP;
    let n_bins = (region.end.div_ceil(BIN_BP) - first_bin) as usize;
    let mut values = vec![vec![f32::NAN; n_bins]; known.len()];
    Stream::new(database, model).run::<crate::Error>(&known, &spans, &mut |i, first, piece| {
        let at = (model.axis().locate(first).chrom_bin - first_bin) as usize;
        values[i][at..at + piece.len()].copy_from_slice(piece);
        Ok(())
    })?;
    let mut all = vec![None; experiments.len()];
    for (place, values) in places.into_iter().zip(values) {
        all[place] = Some(values);
    }
    Ok(all)
}
