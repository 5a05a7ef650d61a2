//! `persea similar biosample` and `assay`.

use persea::model::TrainedModel;
use persea::search::{Profile, SampleSum, similar_samples, similar_samples_approximately};
use serde_json::{Map, Value, json};

pub use persea::search::SampleAxis as Axis;

use super::super::Common;
use super::super::names::Known;
use super::super::output::{Format, Table, measure, print_json};
use super::{ProfileKind, SampleSearch};

pub fn run(axis: Axis, search: SampleSearch, common: &Common) -> anyhow::Result<()> {
    let database = common.open()?;
    let model = TrainedModel::open(&database, search.model.as_deref())?;
    let known = Known::of(&database)?;
    let text = match axis {
        Axis::Biosamples => known.sum(&search.sum)?,
        Axis::Assays => search.sum.clone(),
    };
    let sum = SampleSum::parse(&text, axis, &model)?;
    let n = match axis {
        Axis::Biosamples => model.record().biosamples.len(),
        Axis::Assays => model.record().assays.len(),
    };
    let (profile, compared) = match search.profiles {
        ProfileKind::Factors => (Profile::Factors, "factors"),
        ProfileKind::Imputed => (Profile::Imputed { bins: search.bins }, "imputed"),
    };
    let k = search.k.unwrap_or(n);
    let metric = search.metric;
    let hits = if search.approximate {
        similar_samples_approximately(&database, &model, &sum, k, search.ef, search.with_query)?
    } else {
        similar_samples(
            &database,
            &model,
            &sum,
            profile,
            metric,
            k,
            search.with_query,
        )?
    };
    // Without a number that was asked for, only an empty answer needs a word.
    if hits.len() < search.k.unwrap_or(1) {
        eprintln!(
            "{} of the model's {n} {}s; the names in the query are left out (--with-query includes them)",
            hits.len(),
            axis.name()
        );
    }
    let rows = hits.iter().enumerate().map(|(i, hit)| {
        [
            ("rank", json!(i + 1)),
            (axis.name(), json!(hit.name)),
            ("distance", json!(hit.distance)),
            ("cosine_distance", measure(hit.cosine)),
        ]
    });
    if common.format == Format::Json {
        let hits: Vec<Value> = rows
            .map(|row| {
                let pairs = row
                    .into_iter()
                    .map(|(name, value)| (name.to_string(), value));
                Value::Object(pairs.collect::<Map<_, _>>())
            })
            .collect();
        print_json(&json!({
            "query": {
                "kind": axis.name(),
                "text": text,
                "model": model.record().name,
                "compared": compared,
                "metric": metric.name(),
                "exact": !search.approximate,
            },
            "hits": hits,
        }))?;
        return Ok(());
    }
    let mut table = Table::new(&["rank", axis.name(), "distance", "cosine_distance"]);
    for row in rows {
        table.row(row.into_iter().map(|(_, value)| value).collect());
    }
    table.label_biosamples(known.labels());
    table.print(common.format)?;
    Ok(())
}
