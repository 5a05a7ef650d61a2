//! A projection as a cloud of points: the column of labels that colours show, and the colours.

use crate::projection::Projection;
use persea_drawing::{CATEGORIES, Cloud, Colour, DrawingError, MOST_NAMES, Theme, decimals};

/// Largest number of classes that readers can distinguish.
const MOST_CLASSES: usize = 24;

/// A projection, coloured by one of its columns of labels: by the one asked for, or by the first of
/// `label`, `annotation`, `GROUP`, `group`, `ANATOMY`, `anatomy`. Where every point of a class has the same
/// `COLOR` (Roadmap's), that is its colour.
///
/// # Errors
/// When there is no such column; those that there are are named.
pub fn projection_cloud(
    projection: &Projection,
    colour_by: Option<&str>,
) -> Result<Cloud, DrawingError> {
    let column = match colour_by {
        Some(name) => {
            let found = (projection.labels.iter())
                .find(|(n, _)| n == name)
                .or_else(|| (projection.labels.iter()).find(|(n, _)| n.eq_ignore_ascii_case(name)));
            let Some((name, texts)) = found else {
                let known: Vec<&str> = projection.labels.iter().map(|(n, _)| n.as_str()).collect();
                return Err(DrawingError::Drawing {
                    figure: "the projection".into(),
                    why: format!(
                        "its points have no column `{name}`; they have {}",
                        if known.is_empty() {
                            "none".into()
                        } else {
                            known.join(", ")
                        }
                    ),
                });
            };
            Some((name.as_str(), texts.as_slice()))
        }
        None => [
            "label",
            "annotation",
            "GROUP",
            "group",
            "ANATOMY",
            "anatomy",
        ]
        .into_iter()
        .find_map(|name| Some((name, projection.label(name)?))),
    };
    let (class_title, classes, class_of) = match column {
        Some((name, texts)) => {
            let (classes, class_of) = classes(projection, name, texts);
            (spoken(name), classes, class_of)
        }
        None => (
            projection.axis.clone(),
            vec![("all".to_string(), None)],
            vec![0; projection.names.len()],
        ),
    };
    let method = match projection.method.as_str() {
        "pca" => "principal components",
        "umap" => "UMAP",
        _ => "t-SNE",
    };
    let what = match projection.axis.as_str() {
        "genome" => "Genome positions",
        "biosamples" => "Biosamples",
        _ => "Assays",
    };
    let q = &projection.quality;
    let share = |v: Option<f64>, n| v.map_or("undefined".to_string(), |v| decimals(v, n));
    let mut notes = vec![format!(
        "{}. Factors of the model {}.",
        capitalised(&projection.described),
        projection.model
    )];
    notes.push(match q.k {
        0 => "Too few points to judge neighbourhoods.".to_string(),
        k => format!(
            "Of neighbourhoods of {k}: trustworthiness {}, {} % of neighbours kept.",
            share(q.trustworthiness, 3),
            share(q.preserved.map(|p| 100.0 * p), 0)
        ),
    });
    let is_named = projection.axis != "genome" && projection.names.len() <= MOST_NAMES;
    Ok(Cloud {
        title: format!("{what}: {method}"),
        axes: projection.axis_titles(),
        has_marks: projection.method == "pca",
        points: (projection.coordinates.rows().into_iter())
            .map(|r| (f64::from(r[0]), f64::from(r[1])))
            .collect(),
        class_of,
        classes,
        class_title,
        names: if is_named {
            projection.names.clone()
        } else {
            Vec::new()
        },
        notes,
    })
}

/// As a sentence begins.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// A column's name as a legend says it.
fn spoken(name: &str) -> String {
    match name.chars().any(char::is_lowercase) {
        true => name.to_string(),
        false => name.to_lowercase(),
    }
}

type Classes = (Vec<(String, Option<Colour>)>, Vec<usize>);

fn classes(projection: &Projection, column: &str, texts: &[String]) -> Classes {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for text in texts {
        *counts.entry(text.as_str()).or_default() += 1;
    }
    let mut names: Vec<&str> = counts.keys().copied().collect();
    if column == "annotation" {
        let place = |name: &str| {
            ["promoter", "enhancer", "gene", "intergenic"]
                .iter()
                .position(|c| *c == name)
        };
        names.sort_by_key(|n| place(n).unwrap_or(9));
    } else if names.len() > MOST_CLASSES {
        names.sort_by_key(|n| (std::cmp::Reverse(counts[n]), *n));
        names.truncate(MOST_CLASSES - 1);
    }
    let given = projection
        .labels
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case("color") || n.eq_ignore_ascii_case("colour"));
    let own_colour = |name: &str| -> Option<Colour> {
        let (_, colours) = given?;
        let mut of_class = texts
            .iter()
            .zip(colours)
            .filter(|(t, _)| *t == name)
            .map(|(_, c)| c);
        let first = of_class.next()?;
        of_class
            .all(|c| c == first)
            .then(|| Colour::from_hex(first))
            .flatten()
    };
    // Grey is for what is none of the named classes.
    let grey = Colour(150, 150, 150);
    let mut next = 0;
    let mut classes: Vec<(String, Option<Colour>)> = Vec::new();
    let own: Vec<Option<Colour>> = names.iter().map(|n| own_colour(n)).collect();
    // Colours of another column's making may not tell these classes apart.
    let given_to: Vec<Option<Colour>> = (names.iter().zip(&own))
        .filter(|(name, _)| !name.is_empty())
        .map(|(_, own)| *own)
        .collect();
    let distinct: std::collections::HashSet<_> = given_to.iter().flatten().collect();
    let is_owned = !given_to.is_empty() && distinct.len() == given_to.len();
    for (name, own) in names.iter().zip(own) {
        let colour = match (*name, column) {
            ("" | "intergenic", _) => Some(grey),
            ("promoter", _) => Some(CATEGORIES[0]),
            ("enhancer", _) => Some(CATEGORIES[4]),
            ("gene", "annotation") => Some(CATEGORIES[2]),
            _ if is_owned => own,
            _ => {
                next += 1;
                Some(Theme::Light.category(next - 1))
            }
        };
        let shown = if name.is_empty() { "not known" } else { name };
        classes.push((shown.to_string(), colour));
    }
    let mut others = false;
    let class_of = texts
        .iter()
        .map(|t| {
            names.iter().position(|n| n == t).unwrap_or_else(|| {
                others = true;
                names.len()
            })
        })
        .collect();
    if others {
        classes.push(("all others".to_string(), Some(grey)));
    }
    (classes, class_of)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::projection::Quality;

    fn projection(labels: Vec<(&str, Vec<&str>)>) -> Projection {
        let n = labels.first().map_or(3, |l| l.1.len());
        Projection {
            axis: "biosamples".into(),
            method: "pca".into(),
            model: "m".into(),
            described: "three biosamples".into(),
            names: (0..n).map(|i| format!("B{i}")).collect(),
            places: Vec::new(),
            labels: labels
                .into_iter()
                .map(|(n, t)| (n.to_string(), t.into_iter().map(String::from).collect()))
                .collect(),
            coordinates: Array2::from_shape_fn((n, 2), |(i, j)| (i * (j + 1)) as f32),
            quality: Quality {
                k: 1,
                trustworthiness: Some(0.5),
                preserved: Some(0.25),
                n_scored: n,
            },
            explained: vec![0.75, 0.25],
        }
    }

    #[test]
    fn a_class_has_the_colour_that_its_metadata_give_it() {
        let made = projection(vec![
            ("GROUP", vec!["ESC", "Blood", "ESC"]),
            ("COLOR", vec!["#924965", "#55A354", "#924965"]),
        ]);
        let cloud = projection_cloud(&made, None).unwrap();
        assert_eq!(cloud.class_title, "group");
        assert_eq!(
            cloud.classes,
            [
                ("Blood".to_string(), Some(Colour(0x55, 0xA3, 0x54))),
                ("ESC".to_string(), Some(Colour(0x92, 0x49, 0x65)))
            ]
        );
        assert_eq!(cloud.class_of, [1, 0, 1]);
        let svg = cloud.svg(Theme::Light);
        for part in [
            "#924965",
            "Blood (1)",
            "ESC (2)",
            "B2",
            "PC1 (75.0 % of variance)",
            "25 % of neighbours",
        ] {
            assert!(svg.contains(part), "{part}");
        }
    }

    #[test]
    fn an_unknown_column_is_refused_and_those_there_are_are_named() {
        let made = projection(vec![("GROUP", vec!["a", "b"]), ("AGE", vec!["1", ""])]);
        let error = projection_cloud(&made, Some("anatomy"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`anatomy`") && error.contains("GROUP, AGE"),
            "{error}"
        );
        let cloud = projection_cloud(&made, Some("age")).unwrap();
        assert_eq!(cloud.classes[0].0, "not known");
        assert!(projection_cloud(&projection(vec![]), None).is_ok());
    }

    #[test]
    fn of_very_many_classes_the_rarest_are_one() {
        let texts: Vec<String> = (0..100).map(|i| format!("c{}", i % 40)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let cloud = projection_cloud(&projection(vec![("label", texts)]), None).unwrap();
        assert_eq!(cloud.classes.len(), MOST_CLASSES);
        assert_eq!(cloud.classes.last().unwrap().0, "all others");
        assert!(cloud.svg(Theme::Dark).contains("all others"));
    }
}
