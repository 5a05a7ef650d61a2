//! What the numbers along an axis are.

use crate::imputation::{SignalScale, signal_unit};
use crate::store::{Database, StoreError};

/// The unit of an assay's stored signal as an axis is labelled, such as `arcsinh(−log10 p)`: the manifest's unit
/// within the transform. Without a unit it is `signal`.
///
/// ```
/// use persea::plot::axis_unit;
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// assert_eq!(axis_unit(&database, "H3K4me3")?, "arcsinh(signal)");
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When the database cannot be read.
pub fn axis_unit(database: &Database, assay: &str) -> Result<String, StoreError> {
    let unit = signal_unit(database, assay, SignalScale::Transformed)?;
    Ok(match unit.as_str() {
        "" => "signal".to_string(),
        "arcsinh" => "arcsinh(signal)".to_string(),
        named => named.replace("-log10", "−log10"),
    })
}

/// The unit that assays share, or `signal` and a line that names the unit of each.
///
/// # Errors
/// When the database cannot be read.
pub fn shared_unit(
    database: &Database,
    assays: &[String],
) -> Result<(String, Option<String>), StoreError> {
    let mut units: Vec<(String, Vec<&str>)> = Vec::new();
    for assay in assays {
        let unit = axis_unit(database, assay)?;
        match units.iter_mut().find(|(u, _)| *u == unit) {
            Some((_, of)) if of.contains(&assay.as_str()) => {}
            Some((_, of)) => of.push(assay),
            None => units.push((unit, vec![assay])),
        }
    }
    Ok(match units.as_slice() {
        [(one, _)] => (one.clone(), None),
        several => {
            let parts: Vec<String> = (several.iter())
                .map(|(unit, of)| format!("{} in {unit}", of.join(", ")))
                .collect();
            (
                "signal".to_string(),
                Some(format!("Signal: {}.", parts.join("; "))),
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compendium::example_compendium;

    #[test]
    fn assays_of_one_unit_share_it() {
        let (_folder, database) = example_compendium().unwrap();
        let assays: Vec<String> = database
            .assays()
            .unwrap()
            .into_iter()
            .map(|a| a.name)
            .collect();
        assert!(assays.len() > 1);
        let unit = shared_unit(&database, &assays).unwrap();
        assert_eq!(unit, ("arcsinh(signal)".to_string(), None));
    }
}
