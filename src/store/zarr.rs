//! Zarr v3 metadata of `signal.zarr`, and the codecs that its arrays name.
//!
//! One array a track: float32 `[n_bins]` along the genome axis, in shards of chunks; chunks are
//! zstd with a CRC-32C, so that any Zarr v3 reader opens them and none takes damage for signal. An array of
//! 16-bit counts is uint16, its bytes shuffled before zstd, and has the step in the attributes of the CF
//! conventions: value = code × `scale_factor` + `add_offset`, and `_FillValue` is a bin without data.
//! Encoding and decoding are those of `zarrs`; files are read and written here, because its own
//! partial reads pass over the checksums, and because the commit protocol needs every sync.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use zarrs::array::codec::api::{
    ArrayToBytesCodecTraits, CodecMetadataOptions, CodecOptions, CodecSpecificOptions,
};
use zarrs::array::codec::{
    Crc32cCodec, ShardingCodecConfiguration, ShardingCodecOptions, ShardingIndexLocation,
    ShuffleCodec, SubchunkWriteOrder, ZstdCodec,
};
use zarrs::array::{
    Array, ArrayBuilder, ArrayMetadata, BytesRepresentation, CodecChain, FillValue, data_type,
    transmute_to_bytes,
};
use zarrs::group::GroupBuilder;
use zarrs::metadata::ConfigurationSerialize;

use super::division::{ChunkLocation, Division};
use super::durable::{sync_folder, write_synced};
use super::{Step, StoreError, ValueType, chunk_checksums};
use crate::Bug;
use crate::genome::{BIN_BP, GenomeAxis};

/// The name of the metadata document of a group or an array.
pub(crate) const METADATA: &str = "zarr.json";

/// zstd's level. On a pilot track, 4 bytes a bin before: level 1 writes 44 million bins/s at 2.8
/// bytes each, 2 38 at 2.6, 3 25 at 2.6, 5 18 at 2.4. All are read equally fast.
const ZSTD_LEVEL: i32 = 2;

/// zstd's level for 16-bit counts. On 20 pilot tracks, 2 bytes a bin before: 0.84 bytes a bin at level 2, 0.81
/// at 5, 0.80 at 9; without the shuffle 0.93, 0.91 and 0.89.
const ZSTD_LEVEL_U16: i32 = 5;

/// The name of the codec that brings the high bytes and the low bytes together.
const SHUFFLE: &str = "numcodecs.shuffle";

/// The attributes of an array of 16-bit counts.
const SCALE_FACTOR: &str = "scale_factor";
const ADD_OFFSET: &str = "add_offset";
const FILL_VALUE: &str = "_FillValue";

/// An array's metadata and codecs.
#[derive(Debug)]
pub(crate) struct TrackArray {
    array: Array<()>,
    division: Division,
    /// Of values that are counts of a step.
    step: Option<Step>,
    chunk_codecs: Arc<CodecChain>,
    index_codecs: Arc<CodecChain>,
    options: CodecOptions,
}

impl TrackArray {
    /// The array of a new track.
    pub(crate) fn new(
        division: Division,
        values: ValueType,
        mut attributes: Map<String, Value>,
    ) -> Result<Self, String> {
        // Chunks in order, so that a range of bins is a range of bytes.
        let in_order =
            ShardingCodecOptions::default().with_subchunk_write_order(SubchunkWriteOrder::C);
        let (shape, shard) = (vec![division.n_bins], vec![division.shard_bins]);
        let crc = Arc::new(Crc32cCodec::new());
        let mut builder = match values.step() {
            None => {
                let mut builder = ArrayBuilder::new(shape, shard, data_type::float32(), 0.0f32);
                let zstd = Arc::new(ZstdCodec::new(ZSTD_LEVEL, false));
                builder.bytes_to_bytes_codecs(vec![zstd, crc]);
                builder
            }
            Some(step) => {
                for (key, value) in attributes_of(step) {
                    attributes.insert(key.into(), value);
                }
                let zero = Step::ZERO_CODE;
                let mut builder = ArrayBuilder::new(shape, shard, data_type::uint16(), zero);
                let shuffle = Arc::new(ShuffleCodec::new(size_of::<u16>()));
                let zstd = Arc::new(ZstdCodec::new(ZSTD_LEVEL_U16, false));
                builder.bytes_to_bytes_codecs(vec![shuffle, zstd, crc]);
                builder
            }
        };
        let array = builder
            .subchunk_shape(vec![division.chunk_bins])
            .codec_specific_options(CodecSpecificOptions::default().with_option(in_order))
            .dimension_names(["bin"].into())
            .attributes(attributes)
            .build(Arc::new(()), "/")
            .map_err(|e| e.to_string())?;
        Self::from_array(array)
    }

    /// The array that a metadata document describes.
    pub(crate) fn from_metadata(document: &[u8]) -> Result<Self, String> {
        let metadata: ArrayMetadata =
            serde_json::from_slice(document).map_err(|e| e.to_string())?;
        let array =
            Array::new_with_metadata(Arc::new(()), "/", metadata).map_err(|e| e.to_string())?;
        Self::from_array(array)
    }

    fn from_array(array: Array<()>) -> Result<Self, String> {
        let one = |shape: &[u64]| match shape {
            [n] => Ok(*n),
            _ => Err("it is not an array of one dimension".to_string()),
        };
        let is_u16 = *array.data_type() == data_type::uint16();
        let step = match is_u16 {
            true => Some(step_of(array.attributes())?),
            false => None,
        };
        if !is_u16 && *array.data_type() != data_type::float32() {
            return Err("its values are neither float32 nor uint16".into());
        }
        let codecs = array.codecs();
        let sharding = codecs
            .array_to_bytes_codec()
            .configuration_v3(&CodecMetadataOptions::default())
            .and_then(|c| ShardingCodecConfiguration::try_from_configuration(c).ok());
        let Some(ShardingCodecConfiguration::V1(sharding)) = sharding else {
            return Err("it is not sharded".into());
        };
        let of_shuffle = sharding.codecs.iter().find(|c| c.name() == SHUFFLE);
        let shuffled = of_shuffle.map(|c| c.configuration().and_then(|c| c.get("elementsize")));
        if shuffled.is_some_and(|n| n != Some(&Value::from(size_of::<u16>()))) {
            return Err("its bytes are not shuffled in pairs".into());
        }
        if sharding.index_location != ShardingIndexLocation::End {
            return Err("the index is not at its shards' end".into());
        }
        let shard_shape = array.chunk_shape(&[0]).map_err(|e| e.to_string())?;
        let lengths: Vec<u64> = shard_shape.iter().map(|n| n.get()).collect();
        let chunk_lengths: Vec<u64> = sharding.chunk_shape.iter().map(|n| n.get()).collect();
        let division = Division {
            n_bins: one(array.shape())?,
            shard_bins: one(&lengths)?,
            chunk_bins: one(&chunk_lengths)?,
        };
        if !division.shard_bins.is_multiple_of(division.chunk_bins) {
            return Err("its shards are no whole number of chunks".into());
        }
        let chain = |metadata| {
            CodecChain::from_metadata(metadata)
                .map(Arc::new)
                .map_err(|e| e.to_string())
        };
        let chunk_codecs = chain(&sharding.codecs)?;
        let index_codecs = chain(&sharding.index_codecs)?;
        // Tracks are what is worked on in parallel; within one, threads would only be in the way.
        let options = CodecOptions::default().with_concurrent_target(1);
        Ok(TrackArray {
            array,
            division,
            step,
            chunk_codecs,
            index_codecs,
            options,
        })
    }

    pub(crate) fn division(&self) -> Division {
        self.division
    }

    /// The step of its values, if they are counts of one.
    pub(crate) fn step(&self) -> Option<Step> {
        self.step
    }

    /// The metadata document.
    pub(crate) fn metadata(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec_pretty(self.array.metadata()).map_err(|e| e.to_string())
    }

    /// A shard's file, relative to the array's folder.
    pub(crate) fn shard_file(&self, shard: u64) -> String {
        self.array.chunk_key(&[shard]).as_str().to_string()
    }

    /// A shard's bytes from its values, `[shard_bins]`.
    pub(crate) fn encode_shard(&self, values: &[f32]) -> Result<Vec<u8>, String> {
        let shape = [nonzero(self.division.shard_bins)?];
        let codes: Vec<u16>;
        let bytes = match self.step {
            None => transmute_to_bytes(values),
            Some(step) => {
                let of = |value: &f32| step.code(*value).ok_or("a value is out of range");
                codes = values.iter().map(of).collect::<Result<_, _>>()?;
                transmute_to_bytes(&codes)
            }
        };
        let bytes = Cow::Borrowed(bytes).into();
        self.array
            .codecs()
            .encode(
                bytes,
                &shape,
                self.array.data_type(),
                self.array.fill_value(),
                &self.options,
            )
            .map(Cow::into_owned)
            .map_err(|e| e.to_string())
    }

    /// The length in bytes of the index at a shard's end.
    pub(crate) fn index_bytes(&self) -> Result<u64, String> {
        let shape = [nonzero(self.division.chunks_per_shard())?, nonzero(2)?];
        self.index_codecs
            .encoded_representation(&shape, &data_type::uint64(), &FillValue::from(u64::MAX))
            .map_err(|e| e.to_string())
            .and_then(|representation| match representation {
                BytesRepresentation::FixedSize(n) => Ok(n),
                _ => Err("its index has no fixed length".to_string()),
            })
    }

    /// The places of a shard's chunks, from the bytes of its index.
    pub(crate) fn decode_index(&self, bytes: Vec<u8>) -> Result<Vec<ChunkLocation>, String> {
        let shape = [nonzero(self.division.chunks_per_shard())?, nonzero(2)?];
        let decoded = self
            .index_codecs
            .decode(
                Cow::Owned(bytes),
                &shape,
                &data_type::uint64(),
                &FillValue::from(u64::MAX),
                &self.options,
            )
            .map_err(|e| e.to_string())?
            .into_fixed()
            .map_err(|e| e.to_string())?;
        let (numbers, _) = decoded.as_chunks::<8>();
        let (pairs, _) = numbers.as_chunks::<2>();
        let places = pairs.iter().map(|[offset, length]| {
            let (offset, length) = (u64::from_ne_bytes(*offset), u64::from_ne_bytes(*length));
            (offset != u64::MAX || length != u64::MAX).then_some((offset, length))
        });
        Ok(places.collect())
    }

    /// The checksums of the chunks in a shard's bytes.
    pub(crate) fn chunk_checksums(&self, shard: &[u8]) -> Result<Vec<u32>, String> {
        let n = self.index_bytes()? as usize;
        let index = shard.len().checked_sub(n).and_then(|at| shard.get(at..));
        let index = index.ok_or("the shard is shorter than its index")?;
        let places = self.decode_index(index.to_vec())?;
        chunk_checksums::of_shard(shard, &places).ok_or("a chunk has no checksum".to_string())
    }

    /// A chunk's values, `[chunk_bins]`.
    pub(crate) fn decode_chunk(&self, bytes: Vec<u8>) -> Result<ChunkValues, String> {
        let step = self.step;
        self.decode_bytes(bytes)
            .map(|bytes| ChunkValues { bytes, step })
    }

    /// A chunk's bytes as they were before the codecs, in the machine's byte order.
    fn decode_bytes(&self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        let shape = [nonzero(self.division.chunk_bins)?];
        self.chunk_codecs
            .decode(
                Cow::Owned(bytes),
                &shape,
                self.array.data_type(),
                self.array.fill_value(),
                &self.options,
            )
            .map_err(|e| e.to_string())?
            .into_fixed()
            .map(Cow::into_owned)
            .map_err(|e| e.to_string())
    }
}

/// The values of a decoded chunk.
#[derive(Debug)]
pub(crate) struct ChunkValues {
    bytes: Vec<u8>,
    step: Option<Step>,
}

impl ChunkValues {
    /// Copies the values from a bin of the chunk on; `None` where there are fewer.
    pub(crate) fn copy_from(&self, first: usize, out: &mut [f32]) -> Option<()> {
        let end = first.checked_add(out.len())?;
        match self.step {
            None => {
                let (values, _) = self.bytes.as_chunks::<4>();
                for (to, four) in out.iter_mut().zip(values.get(first..end)?) {
                    *to = f32::from_ne_bytes(*four);
                }
            }
            Some(step) => {
                let (codes, _) = self.bytes.as_chunks::<2>();
                for (to, two) in out.iter_mut().zip(codes.get(first..end)?) {
                    *to = step.value(u16::from_ne_bytes(*two));
                }
            }
        }
        Some(())
    }
}

/// What an array of 16-bit counts says of them.
fn attributes_of(step: Step) -> [(&'static str, Value); 3] {
    [
        (SCALE_FACTOR, step.size().into()),
        (ADD_OFFSET, step.range().0.into()),
        (FILL_VALUE, Step::MISSING_CODE.into()),
    ]
}

/// The step of an array of 16-bit counts.
fn step_of(attributes: &Map<String, Value>) -> Result<Step, String> {
    let size = attributes.get(SCALE_FACTOR).and_then(Value::as_f64);
    let per_unit = size.map(|size| 1.0 / size).filter(|n| n.fract() == 0.0);
    let step = per_unit.and_then(|n| Step::one_in(n as u32));
    let is_whole = |step: &Step| {
        let all = attributes_of(*step);
        (all.iter()).all(|(key, value)| attributes.get(*key) == Some(value))
    };
    step.filter(is_whole).ok_or_else(|| {
        format!("its {SCALE_FACTOR}, {ADD_OFFSET} and {FILL_VALUE} are not those of 16-bit counts")
    })
}

fn nonzero(n: u64) -> Result<NonZeroU64, String> {
    NonZeroU64::new(n).ok_or_else(|| "it is divided into pieces of no length".to_string())
}

/// Writes the root group.
pub(crate) fn write_root(folder: &Path, axis: &GenomeAxis) -> Result<(), StoreError> {
    write_synced(&folder.join(METADATA), &root_document(axis)?)?;
    sync_folder(folder)
}

/// The root group's document: what a reader of the arrays needs to know of the genome axis.
pub(crate) fn root_document(axis: &GenomeAxis) -> Result<Vec<u8>, StoreError> {
    let regions: Vec<Value> = axis
        .regions()
        .iter()
        .enumerate()
        .map(|(i, region)| {
            let interval = axis.region_interval(i);
            json!({
                "name": region.name,
                "chrom": region.chrom,
                "start": interval.start,
                "end": interval.end,
                "first_bin": axis.region_bins(i).start,
                "n_bins": region.n_bins,
            })
        })
        .collect();
    let mut attributes = Map::new();
    attributes.insert("assembly".into(), axis.assembly().name().into());
    attributes.insert("bin_bp".into(), BIN_BP.into());
    attributes.insert("regions".into(), regions.into());
    let group = GroupBuilder::new()
        .attributes(attributes)
        .build(Arc::new(()), "/")
        .map_err(|e| Bug::new(format!("the group of tracks cannot be described: {e}")))?;
    serde_json::to_vec_pretty(group.metadata()).map_err(|e| {
        Bug::new(format!(
            "the group of tracks cannot be written as JSON: {e}"
        ))
        .into()
    })
}
