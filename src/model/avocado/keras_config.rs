//! Keras' description of an Avocado network, as Keras 2 writes it: Keras 3 reads it too.

use serde_json::{Value, json};

use super::{embedding_layer, original_rows};
use crate::genome::Resolution;
use crate::model::Sizes;

/// A layer and what it takes, for the description.
fn layer(name: &str, class: &str, config: Value, from: &[&str]) -> Value {
    let mut config = config;
    if let Some(config) = config.as_object_mut() {
        config.insert("name".into(), json!(name));
        config.insert("trainable".into(), json!(true));
    }
    let from: Vec<Value> = from.iter().map(|name| json!([name, 0, 0, {}])).collect();
    let nodes = match from.is_empty() {
        true => json!([]),
        false => json!([from]),
    };
    json!({ "name": name, "class_name": class, "config": config, "inbound_nodes": nodes })
}

/// The axes, in the order in which the first dense layer takes their factors.
const AXES: [&str; 5] = [
    "celltype",
    "assay",
    "genome_25bp",
    "genome_250bp",
    "genome_5kbp",
];

/// The description, and the names of the layers in order.
pub(super) fn keras_config(
    sizes: &Sizes,
    n_biosamples: usize,
    n_assays: usize,
    positions: u64,
) -> (Value, Vec<String>) {
    let tables = [
        (n_biosamples as u64, sizes.biosample_factors),
        (n_assays as u64, sizes.assay_factors),
        (positions, sizes.factors_25bp),
        (
            original_rows(Resolution::Bp250, positions),
            sizes.factors_250bp,
        ),
        (
            original_rows(Resolution::Kbp5, positions),
            sizes.factors_5kbp,
        ),
    ];
    let uniform = json!({
        "class_name": "RandomUniform",
        "config": { "minval": -0.05, "maxval": 0.05, "seed": null },
    });
    let glorot = json!({
        "class_name": "VarianceScaling",
        "config": { "scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": null },
    });
    let mut layers = Vec::new();
    for axis in AXES {
        let config = json!({ "batch_input_shape": [null, 1], "dtype": "float32", "sparse": false });
        layers.push(layer(&format!("{axis}_input"), "InputLayer", config, &[]));
    }
    for (axis, (rows, cols)) in AXES.iter().zip(tables) {
        let config = json!({
            "batch_input_shape": [null, 1], "dtype": "float32",
            "input_dim": rows, "output_dim": cols, "input_length": 1, "mask_zero": false,
            "embeddings_initializer": uniform, "embeddings_regularizer": null,
            "activity_regularizer": null, "embeddings_constraint": null,
        });
        let name = embedding_layer(axis);
        layers.push(layer(
            &name,
            "Embedding",
            config,
            &[&format!("{axis}_input")],
        ));
    }
    let flat: Vec<String> = (1..=AXES.len()).map(|i| format!("flatten_{i}")).collect();
    for (axis, name) in AXES.iter().zip(&flat) {
        let config = json!({ "data_format": "channels_last" });
        layers.push(layer(name, "Flatten", config, &[&embedding_layer(axis)]));
    }
    let flat: Vec<&str> = flat.iter().map(String::as_str).collect();
    let config = json!({ "axis": -1 });
    layers.push(layer("concatenate_1", "Concatenate", config, &flat));
    let mut before = "concatenate_1".to_string();
    let dense = (0..sizes.layers).map(|i| (format!("dense_{i}"), sizes.nodes, "relu"));
    for (name, units, activation) in dense.chain([("y_pred".to_string(), 1, "linear")]) {
        let config = json!({
            "units": units, "activation": activation, "use_bias": true,
            "kernel_initializer": glorot,
            "bias_initializer": { "class_name": "Zeros", "config": {} },
            "kernel_regularizer": null, "bias_regularizer": null, "activity_regularizer": null,
            "kernel_constraint": null, "bias_constraint": null,
        });
        layers.push(layer(&name, "Dense", config, &[&before]));
        before = name;
    }
    // Each was named above.
    let names = layers
        .iter()
        .map(|l| l["name"].as_str().unwrap_or_default().to_string())
        .collect();
    let inputs: Vec<Value> = AXES
        .iter()
        .map(|axis| json!([format!("{axis}_input"), 0, 0]))
        .collect();
    let config = json!({
        "class_name": "Model",
        "config": {
            "name": "model_1", "layers": layers, "input_layers": inputs,
            "output_layers": [["y_pred", 0, 0]],
        },
    });
    (config, names)
}
