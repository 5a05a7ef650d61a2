//! The weights of Keras models in HDF5 files (`.h5`): layers, and each layer's arrays.
//!
//! Both layouts are read: that of Keras 2 (`model_weights/LAYER/LAYER/kernel:0`) and that of Keras 3
//! (`…/kernel`), of whole models and of weights alone; which arrays a layer has, and in which order,
//! its attribute `weight_names` says. How the layers are connected is not checked: that is
//! the module `model`'s. Rows are read and written as they are needed, so that a table may be larger
//! than memory.
//!
//! HDF5 has no checksums of arrays: damage to a file's structure is found, a flipped bit of a number
//! is another number.

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use hdf5_reader::group::Group as ReadGroup;
use hdf5_reader::{Hdf5File, SliceInfo, SliceInfoElem};
use serde_json::Value;

use super::hdf5::{Array, Attribute, Group, Kind, write_hdf5};
use persea_files::{FileError, open_regular};
use persea_signal::catch_panic;

/// Keras cuts longer lists of names into several attributes: `weight_names0`, `weight_names1`, ….
const MOST_PARTS: usize = 1_000;

/// An array of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KerasWeight {
    /// The layer (`dense_0`).
    pub layer: String,
    /// What it is to the layer: `kernel`, `bias`, `embeddings`.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<u64>,
    path: String,
}

impl KerasWeight {
    /// An array to be written.
    pub fn new(layer: impl Into<String>, name: impl Into<String>, shape: Vec<u64>) -> Self {
        let (layer, name) = (layer.into(), name.into());
        KerasWeight {
            path: format!("model_weights/{layer}/{layer}/{name}:0"),
            layer,
            name,
            shape,
        }
    }

    /// Rows (the first dimension), and numbers in a row.
    pub fn rows_and_cols(&self) -> (u64, u64) {
        match self.shape.split_first() {
            Some((rows, rest)) => (*rows, rest.iter().product()),
            None => (1, 1),
        }
    }
}

/// An open file.
pub struct KerasFile {
    file: String,
    hdf5: Hdf5File,
    layers: Vec<String>,
    weights: Vec<KerasWeight>,
}

impl KerasFile {
    /// Opens a file and lists what is in it.
    ///
    /// # Errors
    /// When it cannot be read, is no HDF5 file or one of something else, or is damaged.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let file = path.display().to_string();
        let mut signature = [0; 8];
        let mut regular = open_regular(path)?;
        let n_bytes = (regular.metadata())
            .map_err(|e| FileError::read(&file, e))?
            .len();
        match std::io::Read::read_exact(&mut regular, &mut signature) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => signature = [0; 8],
            Err(e) => return Err(FileError::read(file, e)),
        }
        if signature != *b"\x89HDF\r\n\x1a\n" {
            return Err(FileError::file(
                file,
                "is no HDF5 file; expected the .h5 that Keras saves",
            ));
        }
        let opened = guarded(&file, || {
            let hdf5 = Hdf5File::open(path).map_err(|e| e.to_string())?;
            // The arrays may be there where only what follows them is gone: still no whole file.
            let block = hdf5.superblock();
            let end = block.base_address.saturating_add(block.eof_address);
            if n_bytes < end {
                return Err(format!("it is cut short: it should have {end} bytes"));
            }
            let (layers, weights) = list(&hdf5, n_bytes)?;
            Ok((hdf5, layers, weights))
        });
        let (hdf5, layers, weights) = opened?;
        Ok(KerasFile {
            file,
            hdf5,
            layers,
            weights,
        })
    }

    /// The layers, those without weights among them.
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// All arrays, layer by layer.
    pub fn weights(&self) -> &[KerasWeight] {
        &self.weights
    }

    /// A layer's array of that name.
    ///
    /// # Errors
    /// When there is none; the layers are named.
    pub fn weight(&self, layer: &str, name: &str) -> Result<&KerasWeight, FileError> {
        let found = self
            .weights
            .iter()
            .find(|w| w.layer == layer && w.name == name);
        found.ok_or_else(|| {
            let mut layers: Vec<&str> = self.weights.iter().map(|w| w.layer.as_str()).collect();
            layers.dedup();
            FileError::file(
                &self.file,
                format!(
                    "has no layer {layer} with {name}; it has {}",
                    layers.join(", ")
                ),
            )
        })
    }

    /// Reads rows of an array, row-major, into `out`, `[rows, cols]`.
    ///
    /// # Errors
    /// When the rows do not exist, the numbers are not float32, or the file is damaged.
    pub fn read_rows(
        &self,
        weight: &KerasWeight,
        rows: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), FileError> {
        let (n_rows, cols) = weight.rows_and_cols();
        if rows.end > n_rows
            || rows.start > rows.end
            || (rows.end - rows.start).checked_mul(cols) != Some(out.len() as u64)
        {
            return Err(FileError::file(
                &self.file,
                format!(
                    "rows {}-{} of {} ({:?}) cannot be read into {} numbers",
                    rows.start,
                    rows.end,
                    weight.path,
                    weight.shape,
                    out.len()
                ),
            ));
        }
        guarded(&self.file, || {
            let dataset = self.hdf5.dataset(&weight.path).map_err(|e| e.to_string())?;
            let mut selections = vec![SliceInfoElem::Slice {
                start: rows.start,
                end: rows.end,
                step: 1,
            }];
            selections.extend(weight.shape.iter().skip(1).map(|n| SliceInfoElem::Slice {
                start: 0,
                end: *n,
                step: 1,
            }));
            selections.truncate(weight.shape.len());
            let values = dataset
                .read_slice::<f32>(&SliceInfo { selections })
                .map_err(|e| e.to_string())?;
            if values.len() != out.len() {
                return Err(format!("{}: {} numbers came", weight.path, values.len()));
            }
            for (to, from) in out.iter_mut().zip(values.iter()) {
                *to = *from;
            }
            Ok(())
        })
    }
}

/// Runs what reads the file: its errors and panics are reported as damage, with the file's name.
fn guarded<T>(file: &str, run: impl FnOnce() -> Result<T, String>) -> Result<T, FileError> {
    match catch_panic(run) {
        Some(Ok(value)) => Ok(value),
        Some(Err(why)) => Err(FileError::file(
            file,
            format!("is damaged, or not what Keras saves: {why}"),
        )),
        None => Err(FileError::file(
            file,
            "is damaged: its structure makes no sense",
        )),
    }
}

/// An array of up to so many bytes may be packed into any file.
const LARGEST_PACKED: u64 = 1 << 28;

/// How many times the file's size a larger array may have. Factors hardly pack at all.
const LARGEST_RATIO: u64 = 100;

/// The layers, and all arrays that they name.
fn list(hdf5: &Hdf5File, n_bytes: u64) -> Result<(Vec<String>, Vec<KerasWeight>), String> {
    let root = hdf5.root_group().map_err(|e| e.to_string())?;
    // A whole model's weights lie in a group of their own, weights saved alone in the root.
    let (at, top) = match root.group("model_weights") {
        Ok(group) => ("model_weights/", group),
        Err(_) => ("", root),
    };
    let layers = names(&top, "layer_names")?
        .ok_or("there is no attribute layer_names, as Keras writes it")?;
    let mut weights = Vec::new();
    for layer in &layers {
        let group = top
            .group(layer)
            .map_err(|e| format!("layer {layer}: {e}"))?;
        let of_layer = names(&group, "weight_names")?
            .ok_or_else(|| format!("layer {layer} has no attribute weight_names"))?;
        for weight in of_layer {
            let path = format!("{at}{layer}/{weight}");
            let dataset = hdf5.dataset(&path).map_err(|e| format!("{path}: {e}"))?;
            let shape = dataset.shape().to_vec();
            let n = shape
                .iter()
                .try_fold(1u64, |n, size| n.checked_mul(*size))
                .filter(|n| *n < 1 << 40);
            // An array without chunks on the disk is whole to HDF5: zeros, however many.
            let most = (LARGEST_RATIO * n_bytes).max(LARGEST_PACKED) / 4;
            if n.is_none_or(|n| n > most) {
                return Err(format!(
                    "{path}: {shape:?} numbers cannot be in a file of {n_bytes} bytes"
                ));
            }
            let last = weight.rsplit('/').next().unwrap_or(&weight);
            weights.push(KerasWeight {
                layer: layer.clone(),
                name: last.split(':').next().unwrap_or(last).to_string(),
                shape,
                path,
            });
        }
    }
    Ok((layers, weights))
}

/// A list of names from an attribute, or from its numbered parts; `None` when there is none.
fn names(group: &ReadGroup, attribute: &str) -> Result<Option<Vec<String>>, String> {
    let attributes = group.attributes().map_err(|e| e.to_string())?;
    let read = |name: &str| -> Option<Result<Vec<String>, String>> {
        let found = attributes.iter().find(|a| a.name == name)?;
        // An empty list comes as one of no floats.
        if found.num_elements().is_ok_and(|n| n == 0) {
            return Some(Ok(Vec::new()));
        }
        Some(found.read_strings().map_err(|e| format!("{name}: {e}")))
    };
    if let Some(names) = read(attribute) {
        return names.map(Some);
    }
    let mut parts = Vec::new();
    for i in 0..MOST_PARTS {
        match read(&format!("{attribute}{i}")) {
            Some(names) => parts.extend(names?),
            None if i == 0 => return Ok(None),
            None => break,
        }
    }
    Ok(Some(parts))
}

/// A model to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct KerasModel {
    /// Keras' description of the model: what `load_model` makes its layers of.
    pub config: Value,
    /// The layers in order, those without weights among them.
    pub layers: Vec<String>,
    /// Their arrays, layer by layer.
    pub weights: Vec<KerasWeight>,
}

/// Gives rows of an array, row-major: which one, which rows, and where they go.
pub type KerasRows<'a, E> = dyn FnMut(&KerasWeight, Range<u64>, &mut [f32]) -> Result<(), E> + 'a;

/// Rows that are asked for at once hold at most so many numbers: 4 MB.
const ROWS_NUMBERS: u64 = 1 << 20;

/// Writes a model as Keras 2 saved one; `keras.models.load_model` of Keras 2 and 3 reads it. The
/// optimiser's state is not in it.
///
/// # Errors
/// When `rows` fails, an attribute is too long for HDF5, or the disk is full.
pub fn write_keras<E: From<FileError>>(
    path: &Path,
    model: &KerasModel,
    rows: &mut KerasRows<'_, E>,
) -> Result<(), E> {
    let text = |text: &str| Attribute::Text(text.to_string());
    let version = [
        ("backend", text("tensorflow")),
        ("keras_version", text("2.2.4")),
    ];
    let mut root = Group::default();
    root.attributes.extend(version.clone());
    root.attributes
        .push(("model_config", text(&model.config.to_string())));
    let top = root.group("model_weights");
    top.attributes.extend(version);
    top.attributes
        .push(("layer_names", Attribute::Texts(model.layers.clone())));
    for layer in &model.layers {
        let of_layer: Vec<&KerasWeight> =
            model.weights.iter().filter(|w| w.layer == *layer).collect();
        let names = of_layer.iter().map(|w| format!("{layer}/{}:0", w.name));
        let group = top.group(layer);
        group
            .attributes
            .push(("weight_names", Attribute::Texts(names.collect())));
        for weight in of_layer {
            let array = Array {
                shape: weight.shape.clone(),
                kind: Kind::F32,
                attributes: Vec::new(),
            };
            group.put(&format!("{layer}/{}:0", weight.name), array);
        }
    }
    write_hdf5(path, &root, &mut |name, _, out| {
        let weight = model.weights.iter().find(|w| w.path == name);
        let weight = weight.ok_or_else(|| FileError::file(path.display(), "lost an array"))?;
        let (n_rows, cols) = weight.rows_and_cols();
        let step = (ROWS_NUMBERS / cols.max(1)).max(1);
        let mut numbers = Vec::new();
        let mut at = 0;
        while at < n_rows {
            let end = (at + step).min(n_rows);
            numbers.resize(((end - at) * cols) as usize, 0f32);
            rows(weight, at..end, &mut numbers)?;
            write_f32(out, &numbers).map_err(|e| FileError::write(path.display(), e))?;
            at = end;
        }
        Ok(())
    })
}

/// Numbers as their bytes, little-endian.
pub(super) fn write_f32(out: &mut dyn Write, numbers: &[f32]) -> std::io::Result<()> {
    let mut bytes = Vec::with_capacity(numbers.len() * 4);
    for number in numbers {
        bytes.extend(number.to_le_bytes());
    }
    out.write_all(&bytes)
}
