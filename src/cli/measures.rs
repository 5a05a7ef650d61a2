//! What the tables of `persea evaluate` show, with folds and without.

use persea::evaluation::{LearnedChoice, PairedDifference, TrackMeasures, conclusion};
use serde_json::json;

use super::output::{Format, Table, measure, print_line};

/// Measures shown in the tables.
pub const SHOWN: [&str; 9] = [
    "mse",
    "shape_mse",
    "gwcorr",
    "gwspear",
    "specificity",
    "mse1obs",
    "mse1imp",
    "match1",
    "aucobs1",
];

/// Prints the table of the model against each competitor.
pub fn print_paired(paired: &[PairedDifference]) -> anyhow::Result<()> {
    if paired.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&[
        "measure",
        "against",
        "difference",
        "se",
        "95 % from",
        "to",
        "p",
        "better on",
    ]);
    for name in SHOWN {
        for d in paired.iter().filter(|d| d.measure == name) {
            table.row(vec![
                json!(name),
                json!(d.competitor),
                measure(Some(d.difference)),
                measure(d.standard_error),
                measure(d.interval_95.map(|i| i[0])),
                measure(d.interval_95.map(|i| i[1])),
                measure(d.p),
                json!(format!("{} of {}", d.wins, d.tracks)),
            ]);
        }
    }
    print_line(
        "\nmodel less competitor, paired over tracks; se, interval and p allow for dependence between \
         tracks of one biosample and of one assay; each p is of one comparison, uncorrected",
    )?;
    table.print(Format::Table)?;
    if let Some(sentence) = conclusion(paired) {
        print_line(format_args!("\n{sentence}"))?;
    }
    Ok(())
}

/// The measures with what each means, for the help of `persea evaluate`.
pub fn meanings() -> String {
    let width = TrackMeasures::NAMES.iter().map(|n| n.len()).max();
    let lines = TrackMeasures::NAMES.iter().zip(TrackMeasures::MEANINGS);
    let lines =
        lines.map(|(name, meaning)| format!("  {name:w$}  {meaning}\n", w = width.unwrap_or(0)));
    format!("Measures:\n{}", lines.collect::<String>())
}

/// Prints which settings trained baselines were given.
pub fn print_choices(choices: &[LearnedChoice]) -> anyhow::Result<()> {
    for choice in choices {
        let Some(chosen) = &choice.chosen else {
            continue;
        };
        print_line(match choice.compared_on.len() {
            0 => format!(
                "\n{}: {} (no training track can be spared to compare settings on)",
                choice.baseline, chosen.settings
            ),
            n => format!(
                "\n{}: {}, the best of {} settings on {n} training tracks",
                choice.baseline,
                chosen.settings,
                choice.tried.len()
            ),
        })?;
    }
    Ok(())
}

/// Prints, by stratum of imputed signal (all, highest 1 %, next 9 %, the rest), the share of observed
/// signal in the model's 50 % and 90 % intervals and the continuous ranked probability score.
pub fn print_intervals(strata: [Option<[f64; 3]>; 4]) -> anyhow::Result<()> {
    let mut table = Table::new(&["imputed signal", "in 50 %", "in 90 %", "crps"]);
    for (name, found) in ["all", "highest 1 %", "next 9 %", "the rest"]
        .iter()
        .zip(strata)
    {
        if let Some(values) = found {
            let cells = values.map(|v| measure(Some(v)));
            table.row([json!(name)].into_iter().chain(cells).collect());
        }
    }
    print_line("\nobserved signal in the model's intervals, mean over tracks")?;
    table.print(Format::Table)?;
    Ok(())
}
