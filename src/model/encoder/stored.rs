//! An encoder as tensors of a stored model.

use ndarray::Array2;

use super::surroundings::resolutions;
use super::{CodeMap, Encoder, EncoderConfig, InputScale};
use crate::model::{Dense, TrackScale};
use crate::store::StoreError;

const TRACKS: &str = "encoder_tracks";

/// Stores a tensor: name, rows, columns, numbers.
type Put<'a, E> =
    dyn FnMut(&str, usize, usize, &mut dyn Iterator<Item = f32>) -> Result<(), E> + 'a;

/// Hands every tensor of an encoder to `put`.
pub(in crate::model) fn write<E>(encoder: &Encoder, put: &mut Put<'_, E>) -> Result<(), E> {
    let scales = &encoder.scales;
    put(
        TRACKS,
        scales.len(),
        2,
        &mut scales.iter().flat_map(|t| [t.mean, t.deviation]),
    )?;
    for (s, resolution) in resolutions().into_iter().enumerate() {
        let mut put =
            |what: &str, rows: usize, cols: usize, values: &mut dyn Iterator<Item = f32>| {
                put(&format!("encoder_{resolution}_{what}"), rows, cols, values)
            };
        let scale = &encoder.input_scales[s];
        let mut both = scale.mean.iter().chain(&scale.deviation).copied();
        put("windows", 2, scale.mean.len(), &mut both)?;
        for (i, layer) in encoder.layers[s].iter().enumerate() {
            let (rows, cols) = layer.weight.dim();
            put(
                &format!("layer_{i}.weight"),
                rows,
                cols,
                &mut layer.weight.iter().copied(),
            )?;
            put(
                &format!("layer_{i}.bias"),
                1,
                cols,
                &mut layer.bias.iter().copied(),
            )?;
        }
        let (map, code) = (&encoder.maps[s], encoder.config.codes[s]);
        for (what, values) in [
            ("hidden", &map.hidden),
            ("inputs", &map.inputs),
            ("bias", &map.bias),
            ("axes", &map.axes),
        ] {
            if values.is_empty() {
                continue;
            }
            put(
                &format!("factors.{what}"),
                values.len() / code,
                code,
                &mut values.iter().copied(),
            )?;
        }
    }
    Ok(())
}

impl Encoder {
    /// The BLAKE3 of all its numbers, in hexadecimal: encoders of one checksum give a row the same factors.
    pub fn checksum(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut put =
            |name: &str, rows: usize, cols: usize, values: &mut dyn Iterator<Item = f32>| {
                hasher.update(format!("{name} {rows} {cols} ").as_bytes());
                for value in values {
                    hasher.update(&value.to_le_bytes());
                }
                Ok::<(), std::convert::Infallible>(())
            };
        match write(self, &mut put) {
            Ok(()) => {}
            Err(never) => match never {},
        }
        hasher.update(format!("{:?}", self.config).as_bytes());
        hasher.finalize().to_hex().to_string()
    }
}

/// Reads an encoder; `matrix` reads a tensor by its name.
pub(in crate::model) fn read(
    config: &EncoderConfig,
    mut matrix: impl FnMut(&str) -> Result<Array2<f32>, StoreError>,
) -> crate::Result<Encoder> {
    config.check()?;
    let tracks = matrix(TRACKS)?;
    let scales = tracks.rows().into_iter().map(|row| TrackScale {
        mean: row[0],
        deviation: row[1],
    });
    let scales: Vec<TrackScale> = scales.collect();
    let (mut input_scales, mut layers, mut maps) = (Vec::new(), Vec::new(), Vec::new());
    for resolution in resolutions() {
        let mut matrix = |what: &str| matrix(&format!("encoder_{resolution}_{what}"));
        let windows = matrix("windows")?;
        let (mean, deviation) = windows
            .view()
            .split_at(ndarray::Axis(0), windows.nrows().min(1));
        input_scales.push(InputScale {
            mean: mean.iter().copied().collect(),
            deviation: deviation.iter().copied().collect(),
        });
        let mut layer = |i: usize| -> crate::Result<Dense> {
            Ok(Dense {
                weight: matrix(&format!("layer_{i}.weight"))?,
                bias: matrix(&format!("layer_{i}.bias"))?.into_iter().collect(),
            })
        };
        layers.push([layer(0)?, layer(1)?]);
        let mut flat = |what: &str| -> Result<Vec<f32>, StoreError> {
            Ok(matrix(&format!("factors.{what}"))?.into_iter().collect())
        };
        maps.push(CodeMap {
            hidden: flat("hidden")?,
            inputs: flat("inputs")?,
            bias: flat("bias")?,
            axes: match config.axes {
                true => flat("axes")?,
                false => Vec::new(),
            },
        });
    }
    let missing = || crate::Bug::new("an encoder has three resolutions");
    let encoder = Encoder {
        config: config.clone(),
        scales,
        input_scales: input_scales.try_into().map_err(|_| missing())?,
        layers: layers.try_into().map_err(|_| missing())?,
        maps: maps.try_into().map_err(|_| missing())?,
    };
    encoder.check()?;
    Ok(encoder)
}
