//! `persea project list`, `show` and `remove`.

use persea::projection::Projection;
use serde_json::json;

use super::super::Common;
use super::super::output::{Table, measure, print_line};
use super::print;

/// Lists stored projections.
pub fn list(common: &Common) -> anyhow::Result<()> {
    let database = common.open()?;
    let columns = [
        "name",
        "of",
        "method",
        "points",
        "model",
        "trustworthiness",
        "neighbours_kept",
        "made",
        "stale",
    ];
    let mut table = Table::new(&columns);
    let models = database.list_models()?;
    for p in database.list_projections()? {
        // Of a model that has gone or is another by now.
        let stale = !models.iter().any(|m| m.checksum == p.model_checksum);
        table.row(vec![
            json!(p.name),
            json!(p.axis),
            json!(p.method),
            json!(p.n),
            json!(p.model),
            measure(p.result["trustworthiness"].as_f64()),
            measure(p.result["preserved"].as_f64()),
            json!(p.created),
            json!(stale),
        ]);
    }
    table.print(common.format)?;
    Ok(())
}

/// Shows the points of a projection.
pub fn show(name: &str, common: &Common) -> anyhow::Result<()> {
    let database = common.open()?;
    let projection = Projection::open(&database, name)?;
    print(&projection, Some(name), None, common.format)
}

/// Removes a projection.
pub fn remove(name: &str, common: &Common) -> anyhow::Result<()> {
    common.open()?.delete_projection(name)?;
    print_line(format!("removed {name}"))?;
    Ok(())
}
