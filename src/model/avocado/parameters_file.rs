//! `NAME.json`: names and sizes, as the original saves them.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::model::{ModelError, Sizes};

/// What `NAME.json` says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ParametersFile {
    pub biosamples: Vec<String>,
    pub assays: Vec<String>,
    /// The tracks that it was trained on; old files do not say.
    pub experiments: Option<Vec<(String, String)>>,
    /// Bins; old files have the chromosome's length over 25, as it comes.
    pub positions: u64,
    pub sizes: Sizes,
}

impl ParametersFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or lacks something; it is named.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let bad = |message: String| ModelError::file(path, message);
        let text = crate::files::read_text(path)?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|e| bad(format!("is not JSON as the original Avocado saves it: {e}")))?;
        let Value::Object(object) = value else {
            return Err(bad(
                "is not a JSON object as the original Avocado saves it".into()
            ));
        };
        Self::of(&object).map_err(bad)
    }

    fn of(object: &Map<String, Value>) -> Result<Self, String> {
        let size = |key: &str| -> Result<usize, String> {
            let number = number(object, key)?;
            match number.fract() == 0.0 && (1.0..1e9).contains(&number) {
                true => Ok(number as usize),
                false => Err(format!("{key} is {number}, which is not a size")),
            }
        };
        let positions = number(object, "n_genomic_positions")?;
        if !(1.0..1e12).contains(&positions) {
            return Err(format!(
                "n_genomic_positions is {positions}, which is not a length"
            ));
        }
        let sizes = Sizes {
            biosample_factors: size("n_celltype_factors")?,
            assay_factors: size("n_assay_factors")?,
            factors_25bp: size("n_25bp_factors")?,
            factors_250bp: size("n_250bp_factors")?,
            factors_5kbp: size("n_5kbp_factors")?,
            layers: size("n_layers")?,
            nodes: size("n_nodes")?,
            batch_size: match object.contains_key("batch_size") {
                true => size("batch_size")?,
                false => Sizes::preset(crate::model::Preset::Paper).batch_size,
            },
        };
        sizes.check().map_err(|e| e.to_string())?;
        Ok(ParametersFile {
            biosamples: names(object, "celltypes")?,
            assays: names(object, "assays")?,
            experiments: experiments(object)?,
            positions: positions as u64,
            sizes,
        })
    }

    /// The file as the original writes it.
    pub fn to_json(&self) -> Value {
        let mut object = json!({
            "celltypes": self.biosamples,
            "assays": self.assays,
            "n_celltype_factors": self.sizes.biosample_factors,
            "n_assay_factors": self.sizes.assay_factors,
            "n_genomic_positions": self.positions,
            "n_25bp_factors": self.sizes.factors_25bp,
            "n_250bp_factors": self.sizes.factors_250bp,
            "n_5kbp_factors": self.sizes.factors_5kbp,
            "n_layers": self.sizes.layers,
            "n_nodes": self.sizes.nodes,
            "batch_size": self.sizes.batch_size,
        });
        // `Avocado.load` hands every other key on as an argument: there may be none.
        if let (Some(experiments), Some(object)) = (&self.experiments, object.as_object_mut()) {
            object.insert("experiments".into(), json!(experiments));
        }
        object
    }
}

fn number(object: &Map<String, Value>, key: &str) -> Result<f64, String> {
    let value = object.get(key).ok_or_else(|| format!("has no {key}"))?;
    let number = value.as_f64().filter(|n| n.is_finite());
    number.ok_or_else(|| format!("{key} is {value}, which is not a number"))
}

fn names(object: &Map<String, Value>, key: &str) -> Result<Vec<String>, String> {
    let value = object.get(key).ok_or_else(|| format!("has no {key}"))?;
    let list = value
        .as_array()
        .ok_or_else(|| format!("{key} is not a list of names"))?;
    let mut names: Vec<String> = Vec::with_capacity(list.len());
    for name in list {
        let name = name
            .as_str()
            .filter(|name| !name.is_empty())
            .ok_or_else(|| format!("{key} has {name}, which is not a name"))?;
        if names.iter().any(|known| known == name) {
            return Err(format!("{key} has {name} twice"));
        }
        names.push(name.to_string());
    }
    match names.is_empty() {
        true => Err(format!("{key} is empty")),
        false => Ok(names),
    }
}

fn experiments(object: &Map<String, Value>) -> Result<Option<Vec<(String, String)>>, String> {
    let Some(value) = object.get("experiments") else {
        return Ok(None);
    };
    let pairs: Vec<(String, String)> = serde_json::from_value(value.clone())
        .map_err(|e| format!("experiments is not a list of pairs of names: {e}"))?;
    // A model that was never fitted, or fitted by parts, has none.
    Ok((!pairs.is_empty()).then_some(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(changes: &[(&str, Value)]) -> Map<String, Value> {
        let mut object = json!({
            "celltypes": ["E003", "E017"], "assays": ["H3K4me3"],
            "experiments": [["E003", "H3K4me3"]],
            "n_celltype_factors": 32, "n_assay_factors": 256, "n_genomic_positions": 1_000,
            "n_25bp_factors": 25, "n_250bp_factors": 40, "n_5kbp_factors": 45,
            "n_layers": 2, "n_nodes": 2048, "batch_size": 40_000,
        });
        let object = object.as_object_mut().unwrap();
        for (key, value) in changes {
            match value {
                Value::Null => object.remove(*key),
                value => object.insert(key.to_string(), value.clone()),
            };
        }
        object.clone()
    }

    #[test]
    fn sizes_may_be_floats_and_positions_a_length_over_25() {
        let changes = [
            ("n_nodes", json!(2048.0)),
            ("n_genomic_positions", json!(9_970_024.84)),
            ("experiments", Value::Null),
            ("batch_size", Value::Null),
        ];
        let file = ParametersFile::of(&object(&changes)).unwrap();
        assert_eq!((file.sizes.nodes, file.positions), (2_048, 9_970_024));
        assert_eq!(file.sizes.batch_size, 40_000);
        assert_eq!(file.experiments, None);
        let again = file.to_json();
        let again = ParametersFile::of(again.as_object().unwrap()).unwrap();
        assert_eq!(again, file);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_name() {
        for (key, value, why) in [
            ("n_nodes", json!(20.5), "n_nodes is 20.5"),
            ("n_nodes", json!(0), "n_nodes is 0"),
            ("n_layers", json!("two"), "n_layers is \"two\""),
            ("n_layers", Value::Null, "no n_layers"),
            (
                "n_genomic_positions",
                json!(-1),
                "n_genomic_positions is -1",
            ),
            ("celltypes", json!(["a", "a"]), "celltypes has a twice"),
            ("celltypes", json!([]), "celltypes is empty"),
            ("assays", json!([3]), "assays has 3"),
            ("assays", json!("x"), "assays is not a list"),
            (
                "experiments",
                json!([["a"]]),
                "experiments is not a list of pairs",
            ),
        ] {
            let message = ParametersFile::of(&object(&[(key, value)])).unwrap_err();
            assert!(message.contains(why), "{message}");
        }
    }
}
