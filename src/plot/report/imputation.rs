//! How well a model imputes what was kept from it.

use super::super::Theme;
use super::super::database::{TrackChoice, tracks_figure};
use super::super::page::{Grid, Page};
use super::ReportOptions;
use crate::compendium::Experiment;
use crate::evaluation::{
    EvaluateOptions, Evaluation, ScoringScale, TrackMeasures, conclusion, evaluate_once,
};
use crate::genome::Interval;
use crate::model::TrainedModel;
use crate::store::{Database, TrackRole};
use persea_drawing::{Bar, bars, decimals};

/// A measure's name, and how it is read.
type Shown = (&'static str, fn(&TrackMeasures) -> Option<f64>);

/// Measures that a reader looks at first.
const SHOWN: [Shown; 8] = [
    ("mse", |m| m.mse),
    ("shape mse", |m| m.shape_mse),
    ("gwcorr", |m| m.gwcorr),
    ("specificity", |m| m.specificity),
    ("mse1obs", |m| m.mse1obs),
    ("mse1imp", |m| m.mse1imp),
    ("match1", |m| m.match1),
    ("aucobs1", |m| m.aucobs1),
];
/// Experiments that are drawn.
const DRAWN: usize = 3;

pub(super) fn imputation(
    page: &mut Page,
    database: &Database,
    model: &TrainedModel,
    options: &ReportOptions,
) -> crate::Result<()> {
    let stored = database.tracks()?;
    let is_stored = |b: &str, a: &str| stored.iter().any(|t| t.biosample == b && t.assay == a);
    let held: Vec<Experiment> = (model.record().tracks.iter())
        .filter(|t| t.role == TrackRole::Hold && is_stored(&t.biosample, &t.assay))
        .map(|t| Experiment {
            biosample: t.biosample.clone(),
            assay: t.assay.clone(),
        })
        .collect();
    if held.is_empty() {
        page.tag(
            "p",
            "It cannot be said: no track was kept from the model. Hold tracks out of a training to know.",
        );
        return Ok(());
    }
    if options.evaluate {
        let scored = evaluate_once(
            database,
            model,
            ScoringScale::Arcsinh,
            &EvaluateOptions::default(),
            &mut |_, _| {},
        )?;
        scores(page, &scored)?;
    } else {
        page.note("Not scored: `persea evaluate` does so.");
    }
    if let Some(region) = telling(database, model, &held[0])? {
        let some: Vec<Experiment> = held.into_iter().take(DRAWN).collect();
        let choice = TrackChoice {
            observed: true,
            imputed: true,
            average: true,
        };
        let mut figure = tracks_figure(database, Some(model), &some, &region, choice)?;
        figure.title = format!(
            "Held-out tracks where the first is highest, {}",
            figure.title
        );
        page.figures(&[figure.svg(Theme::Light)]);
    }
    Ok(())
}

fn scores(page: &mut Page, scored: &Evaluation) -> crate::Result<()> {
    page.tag(
        "p",
        &format!(
            "{} tracks that training never read, over {} unmasked bins, on the arcsinh scale. Average activity \
             and its calibrated form are the baselines to beat; none has seen its target.",
            scored.tracks.len(),
            persea_drawing::grouped(&scored.n_bins.to_string())
        ),
    );
    let mut columns = vec!["track", "imputed by"];
    columns.extend(SHOWN.iter().map(|s| s.0));
    let mut grid = Grid::new(&columns);
    let mut add = |class: &str, track: &str, by: &str, m: &TrackMeasures| {
        let mut cells = vec![track.to_string(), by.to_string()];
        cells.extend(
            SHOWN
                .iter()
                .map(|(_, of)| of(m).map_or(String::new(), |v| decimals(v, 4))),
        );
        grid.row(class, cells);
    };
    let model = scored.model.as_str();
    for track in &scored.tracks {
        let name = format!("{} {}", track.biosample, track.assay);
        add("", &name, model, &track.measures);
        add("baseline", "", "average activity", &track.average_activity);
        add(
            "baseline",
            "",
            "calibrated average",
            &track.calibrated_average,
        );
    }
    let mean = &scored.mean;
    add("best", "mean", model, &mean.measures);
    add("baseline", "", "average activity", &mean.average_activity);
    add(
        "baseline",
        "",
        "calibrated average",
        &mean.calibrated_average,
    );
    add("baseline", "", "nearest biosample", &mean.nearest_biosample);
    add("baseline", "", "additive", &mean.additive);
    page.table(&grid);
    page.note("Bold: the model's mean over the tracks. Grey: baselines.");
    let bar = |label: &str, m: &TrackMeasures, is_reference| Bar {
        label: label.to_string(),
        value: m.mse,
        interval: None,
        is_reference,
    };
    let all = [
        bar(model, &mean.measures, false),
        bar("average activity", &mean.average_activity, true),
        bar("calibrated average", &mean.calibrated_average, true),
        bar("nearest biosample", &mean.nearest_biosample, true),
        bar("additive", &mean.additive, true),
    ];
    let title = "Mean over held-out tracks";
    page.figures(&[bars(
        title,
        "mean squared error, arcsinh scale (less is better)",
        &all,
        None,
        "blue: the model; grey: baselines",
    )]);
    if let Some(sentence) = conclusion(&scored.paired) {
        page.tag("p", &sentence);
    }
    page.note("gwcorr: Pearson's correlation. specificity: partial correlation of imputed and observed given average activity. mse1obs, mse1imp: mean squared error in the 1 % of bins with the highest observed, or imputed, signal. match1: share of the highest 1 % in common. aucobs1: AUROC of the imputed signal for the highest 1 % observed.");
    let mut grid = Grid::new(&[
        "measure",
        "against",
        "difference",
        "95 % interval",
        "better on",
    ]);
    let shown = scored.paired.iter().filter(|d| {
        let name = d.measure.replace('_', " ");
        SHOWN.iter().any(|(shown, _)| *shown == name)
    });
    for d in shown {
        let interval = d
            .interval_95
            .map(|[low, high]| format!("{} to {}", decimals(low, 4), decimals(high, 4)));
        grid.row(
            "",
            vec![
                d.measure.replace('_', " "),
                d.competitor.replace('_', " "),
                decimals(d.difference, 4),
                interval.unwrap_or_default(),
                format!("{} of {}", d.wins, d.tracks),
            ],
        );
    }
    page.table(&grid);
    page.note("The model less each competitor, track by track. Intervals allow for tracks of one biosample or of one assay depending on each other.");
    Ok(())
}

/// A hundred kb around the highest stretch of a track: where there is something to see. The stretch is of
/// 5 kb, so that one odd bin does not choose.
fn telling(
    database: &Database,
    model: &TrainedModel,
    experiment: &Experiment,
) -> crate::Result<Option<Interval>> {
    const STRETCH: usize = 200;
    const REACH: u64 = 50_000;
    let Some(track) = database.track(&experiment.biosample, &experiment.assay)? else {
        return Ok(None);
    };
    let signal = database.signal(&track)?;
    let axis = database.axis();
    let mask = database.mask()?;
    let mut best: Option<(f32, u64)> = None;
    for region in 0..axis.regions().len() {
        let bins = axis.region_bins(region);
        let mut first = bins.start;
        while first < bins.end {
            let end = bins.end.min(first + (1 << 16));
            let mut values = vec![0f32; (end - first) as usize];
            signal.read(first..end, &mut values)?;
            for (i, part) in values.chunks(STRETCH).enumerate() {
                let start = first + (i * STRETCH) as u64;
                if (start..start + part.len() as u64).any(|b| mask.is_masked(b)) {
                    continue;
                }
                let mean = part.iter().sum::<f32>() / part.len() as f32;
                // A stretch with bins without data tells less than one without.
                if mean.is_nan() {
                    continue;
                }
                if best.is_none_or(|(m, _)| mean > m) {
                    best = Some((mean, start));
                }
            }
            first = end;
        }
    }
    let Some((_, bin)) = best else {
        return Ok(None);
    };
    let at = axis.bin_interval(bin);
    // A model may cover less than the database.
    if model.axis().bin_at(&at.chrom, at.start).is_none() {
        return Ok(None);
    }
    let whole = axis.region_interval(axis.locate(bin).region);
    Ok(Some(Interval::new(
        at.chrom,
        at.start.saturating_sub(REACH).max(whole.start),
        (at.start + REACH).min(whole.end),
    )))
}
