//! What the tables of `persea evaluate` show, with folds and without.

use persea::evaluation::PairedDifference;
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
    Ok(())
}
