//! How training went: the curves of a model's record.

use std::collections::BTreeMap;

use super::cannot;
use crate::plot::{Line, LineChart, Panel};
use crate::store::Model;

/// The losses of a model's training, pass by pass: what it was trained on, and validation tracks.
///
/// # Errors
/// When the model's record has no curve: an imported model's has none.
pub fn training_chart(model: &Model) -> crate::Result<LineChart> {
    let training = &model.record.training;
    // Without a curve there is nothing to draw, which is an error below.
    let curve = training["curve"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    type Points = Vec<(f64, f64)>;
    type Curves = BTreeMap<(bool, String, u64), (Points, Points)>;
    let mut curves: Curves = BTreeMap::new();
    for point in curve {
        let (Some(stage), Some(pass)) = (point["stage"].as_str(), point["pass"].as_f64()) else {
            let why = format!(
                "the curve of model {} has a point without its stage or pass",
                model.record.name
            );
            return Err(cannot("the losses", why).into());
        };
        // Searches come before what they were for. A training without a search counts as one.
        let key = (
            stage == "final",
            stage.to_string(),
            point["search"].as_u64().unwrap_or(0),
        );
        let (loss, held_out) = curves.entry(key).or_default();
        if let Some(value) = point["loss"].as_f64() {
            loss.push((pass, value));
        }
        if let Some(value) = point["held_out"].as_f64() {
            held_out.push((pass, value));
        }
    }
    if curves.is_empty() {
        let why = format!(
            "the record of model {} has no curve; it was not trained here",
            model.record.name
        );
        return Err(cannot("the losses", why).into());
    }
    let n_searches = |stage: &str| curves.keys().filter(|(_, s, _)| s == stage).count();
    let has_encoder = n_searches("encode") > 0;
    let name = |stage: &str, search: u64, has_validation: bool| match (stage, has_validation) {
        // The first network of a refinement only validates, and is thrown away.
        ("refine", true) => "validating network".to_string(),
        ("refine", false) => format!("network {search}"),
        _ if n_searches(stage) > 1 => format!("{stage} {}", search + 1),
        ("encode", _) => "encoder".to_string(),
        ("final", _) if has_encoder => "decoder".to_string(),
        ("final", _) => "last training".to_string(),
        _ => stage.replace('_', " "),
    };
    // The refinement's loss is of weighted, standardised targets: another quantity, another panel.
    let panel = |title: &str, axis: &str, refined: bool, held_out: bool| {
        let lines: Vec<Line> = (curves.iter())
            .filter(|((_, stage, _), _)| stage.starts_with("refine") == refined)
            .map(|((_, stage, search), points)| Line {
                name: name(stage, *search, !points.1.is_empty()),
                points: if held_out {
                    points.1.clone()
                } else {
                    points.0.clone()
                },
                is_dashed: false,
            })
            .filter(|line| !line.points.is_empty())
            .collect();
        Panel {
            title: title.into(),
            axes: ["pass".into(), axis.into()],
            lines,
            is_logarithmic: true,
            marked: Vec::new(),
            bands: Vec::new(),
        }
    };
    let mut chosen = None;
    if let Some(passes) = training["passes"].as_f64() {
        chosen = Some((passes, format!("{passes:.0} passes chosen")));
    }
    let mut panels = vec![
        panel(
            match has_encoder {
                true => "Encoder and decoder: training tracks",
                false => "Factorisation: training tracks",
            },
            "mean squared error",
            false,
            false,
        ),
        panel(
            "Factorisation: validation tracks",
            "mean squared error",
            false,
            true,
        ),
        panel("Refinement: training tracks", "weighted loss", true, false),
        panel(
            "Refinement: validation tracks",
            "mean squared error",
            true,
            true,
        ),
    ];
    if let Some(mark) = chosen {
        panels[1].marked.push(mark);
    }
    panels.retain(|p| !p.lines.is_empty());
    let seconds = training["seconds"]
        .as_f64()
        .map(|s| format!(" in {s:.0} s"));
    let Some(steps) = training["steps"].as_u64() else {
        let why = format!(
            "the record of model {} has a curve and no number of steps",
            model.record.name
        );
        return Err(cannot("the losses", why).into());
    };
    let explained = match has_encoder {
        true => {
            "The numbers of passes are fixed. The validating network of the refinement shows the error on tracks that it does not learn from, and is not kept."
        }
        false => {
            "Searches find how many passes are best on validation tracks; the last training then sees all training tracks."
        }
    };
    Ok(LineChart {
        title: format!("Training of model {}", model.record.name),
        panels,
        notes: vec![format!(
            "{steps} steps{}. {explained}",
            seconds.unwrap_or_default()
        )],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::TrainedModel;
    use crate::search::example_database;

    #[test]
    fn curves_are_separated_by_stage_and_search() {
        let (_folder, database) = example_database().unwrap();
        let mut model = TrainedModel::open(&database, None)
            .unwrap()
            .stored()
            .clone();
        assert!(
            training_chart(&model)
                .unwrap_err()
                .to_string()
                .contains("no curve")
        );
        let point = |stage: &str, search: u64, pass: u64, held: Option<f64>| json!({"stage": stage, "search": search, "pass": pass, "loss": 1.0 / pass as f64, "held_out": held});
        model.record.training = json!({
            "passes": 2, "steps": 9, "seconds": 3.4,
            "curve": [
                point("search", 0, 1, Some(0.9)), point("search", 0, 2, Some(0.8)),
                point("search", 1, 1, Some(0.9)), point("final", 0, 1, None),
                point("refine", 0, 1, Some(0.5)),
            ],
        });
        let chart = training_chart(&model).unwrap();
        let titles: Vec<&str> = chart.panels.iter().map(|p| p.title.as_str()).collect();
        assert_eq!(titles.len(), 4);
        let names: Vec<&str> = chart.panels[0]
            .lines
            .iter()
            .map(|l| l.name.as_str())
            .collect();
        assert_eq!(names, ["search 1", "search 2", "last training"]);
        assert_eq!(chart.panels[1].lines[0].points, [(1.0, 0.9), (2.0, 0.8)]);
        assert!(chart.panels[1].marked[0].1.contains("2 passes"));
    }
}
