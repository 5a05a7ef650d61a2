//! The options of a training, and the tracks that follow from them.

use serde::{Deserialize, Serialize};

use super::{
    Adam, Arithmetic, Backend, EncoderOptions, FactorizationError, RefinementOptions, Sampling,
    Schedule, TrainingTrack, draw_validation,
};
use crate::Bug;
use crate::genome::{GenomeAxis, Region};
use crate::model::{Architecture, Preset, Sizes};
use crate::store::{Precision, StoreError, Track};

/// A track by its names.
pub type Pair = (String, String);

/// Which tracks decide when to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validate {
    /// Drawn from the training tracks so that every biosample and assay keeps two.
    Drawn,
    /// These.
    Tracks(Vec<Pair>),
    /// None: train exactly as many passes as asked for.
    Nothing,
}

/// Passes at most where none are given: three quarters of the number of training tracks, so that a
/// bin shows most of its tracks, and no fewer than 20: a longer fall of the rate served the pilot folds' validation tracks better than 12.
pub fn default_passes(n_tracks: usize) -> u32 {
    (n_tracks as u32).saturating_mul(3).div_ceil(4).max(20)
}

/// A region, as options keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionOption {
    /// The chromosome.
    pub chrom: String,
    /// The chromosome bin it starts with.
    pub first_bin: u64,
    /// How many bins.
    pub n_bins: u64,
    /// Its name.
    pub name: Option<String>,
}

impl From<&Region> for RegionOption {
    fn from(region: &Region) -> Self {
        RegionOption {
            chrom: region.chrom.clone(),
            first_bin: region.first_bin,
            n_bins: region.n_bins,
            name: region.name.clone(),
        }
    }
}

impl From<&RegionOption> for Region {
    fn from(region: &RegionOption) -> Self {
        Region {
            chrom: region.chrom.clone(),
            first_bin: region.first_bin,
            n_bins: region.n_bins,
            name: region.name.clone(),
        }
    }
}

/// All options of a training. They are stored in checkpoints, so that resuming needs no other option.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainOptions {
    /// The model's name.
    pub name: String,
    /// Which network.
    pub architecture: Architecture,
    /// Its sizes.
    pub sizes: Sizes,
    /// In which order bins are visited.
    pub sampling: Sampling,
    /// Learning rate before the schedule.
    pub learning_rate: f64,
    /// Whether the rate falls along half a cosine over `passes`.
    pub cosine: bool,
    /// Largest norm of a step's gradients.
    pub clip: Option<f64>,
    /// Passes at most (exactly as many when nothing validates).
    pub passes: u32,
    /// Passes without a better held-out error before the search for the best length ends.
    pub patience: u32,
    /// Tracks that training never reads.
    pub hold: Vec<Pair>,
    /// Tracks that decide when to stop.
    pub validate: Validate,
    /// How many searches for the best length, each with a draw of its own (one where the validation
    /// tracks are named).
    pub searches: u32,
    /// The model's regions; all of the database's when empty.
    pub regions: Vec<RegionOption>,
    /// The seed that all chance derives from.
    pub seed: u64,
    /// Bytes of signal in memory at most.
    pub cache_bytes: u64,
    /// How genome factors are stored.
    pub half_precision: bool,
    /// Which code trains.
    #[serde(default)]
    pub backend: Backend,
    /// In which numbers the deep layers are computed.
    #[serde(default)]
    pub arithmetic: Arithmetic,
    /// How the encoder is trained, of architecture `persea`. Without one the genome's factors are free
    /// numbers, as Avocado's are.
    #[serde(default)]
    pub encoder: Option<EncoderOptions>,
    /// How the refinement is trained, of architecture `persea`.
    #[serde(default)]
    pub refinement: Option<RefinementOptions>,
}

impl Default for TrainOptions {
    /// What `persea train` does without options, for at most 20 passes. The model's name is `model`.
    fn default() -> Self {
        TrainOptions {
            name: "model".into(),
            architecture: Architecture::Persea,
            sizes: Sizes::preset(Preset::Persea),
            sampling: Sampling::Sequential,
            learning_rate: 1e-3,
            cosine: true,
            clip: None,
            passes: default_passes(0),
            patience: 10,
            hold: Vec::new(),
            validate: Validate::Drawn,
            searches: 3,
            regions: Vec::new(),
            seed: 0,
            cache_bytes: 2_000_000_000,
            half_precision: false,
            backend: Backend::default(),
            arithmetic: Arithmetic::default(),
            encoder: Some(EncoderOptions::default()),
            refinement: Some(RefinementOptions::default()),
        }
    }
}

impl TrainOptions {
    /// The optimiser, its schedule spanning all passes.
    #[doc(hidden)]
    pub fn adam(&self, steps_per_pass: u64) -> Adam {
        let schedule = match self.cosine {
            true => Schedule::Cosine {
                steps: u64::from(self.network_passes()) * steps_per_pass,
            },
            false => Schedule::Constant,
        };
        Adam {
            learning_rate: self.learning_rate,
            schedule,
            ..Adam::default()
        }
    }

    /// Passes of the network's training: of the decoder, where an encoder gives the genome's factors.
    pub fn network_passes(&self) -> u32 {
        self.encoder
            .as_ref()
            .map_or(self.passes, |e| e.decoder_passes)
    }

    /// The network's sizes for a number of tracks: an encoder never gives more factors than two a track.
    pub fn sizes_for(&self, n_tracks: usize) -> Sizes {
        let most = match self.encoder {
            Some(_) => 2 * n_tracks,
            None => usize::MAX,
        };
        Sizes {
            factors_25bp: self.sizes.factors_25bp.min(most),
            factors_250bp: self.sizes.factors_250bp.min(most),
            factors_5kbp: self.sizes.factors_5kbp.min(most),
            ..self.sizes
        }
    }

    /// Bytes of a stored genome factor.
    pub fn precision_bytes(&self) -> u64 {
        if self.half_precision { 2 } else { 4 }
    }

    /// How genome factors are stored.
    pub fn precision(&self) -> Precision {
        if self.half_precision {
            Precision::F16
        } else {
            Precision::F32
        }
    }

    /// # Errors
    /// When a value cannot be.
    pub fn check(&self) -> Result<(), FactorizationError> {
        self.sizes.check()?;
        if self.architecture == Architecture::Embedding {
            return Err(FactorizationError::Options(
                "an embedding is imported, and not trained".into(),
            ));
        }
        if let Some(encoder) = &self.encoder {
            encoder.check()?;
            if self.architecture != Architecture::Persea {
                return Err(FactorizationError::Options(
                    "an encoder belongs to a model persea, and to no other".into(),
                ));
            }
        }
        if let Some(refinement) = &self.refinement {
            refinement.check()?;
        }
        if self.refinement.is_some() != (self.architecture == Architecture::Persea) {
            return Err(FactorizationError::Options(
                "a refinement belongs to a model persea, and to no other".into(),
            ));
        }
        let refuse = |why: String| Err(FactorizationError::Options(why));
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return refuse(format!(
                "the learning rate must be above 0, not {}",
                self.learning_rate
            ));
        }
        if self.clip.is_some_and(|c| !(c > 0.0 && c.is_finite())) {
            return refuse("the gradients' largest norm must be above 0".into());
        }
        if self.passes == 0 {
            return refuse("train at least one pass".into());
        }
        Ok(())
    }

    /// The model's axis inside the database's.
    ///
    /// # Errors
    /// When a region is beyond its chromosome.
    pub fn axis(&self, whole: &GenomeAxis) -> Result<GenomeAxis, FactorizationError> {
        if self.regions.is_empty() {
            return Ok(whole.clone());
        }
        let regions = self.regions.iter().map(Region::from).collect();
        Ok(GenomeAxis::new(whole.assembly().clone(), regions)?)
    }
}

/// Which track plays which part in a training.
#[derive(Debug, Clone)]
pub struct TrackRoles {
    /// Biosamples of the model, by name.
    pub biosamples: Vec<String>,
    /// Assays of the model, by name.
    pub assays: Vec<String>,
    /// Tracks to train on, validating ones included.
    pub training: Vec<Track>,
    /// The same as training knows them.
    pub tracks: Vec<TrainingTrack>,
    /// Which of `training` validate, in each search.
    pub validate: Vec<Vec<usize>>,
    /// Tracks held out.
    pub held: Vec<Track>,
}

impl TrackRoles {
    /// Casts a database's tracks. The model knows the biosamples and assays it trains on; one whose
    /// every track is held out is left for `extend`.
    ///
    /// # Errors
    /// When a track to be held out or to validate does not exist, when one is to do both, or
    /// nothing is left to train on.
    pub fn new(all: Vec<Track>, options: &TrainOptions) -> Result<Self, FactorizationError> {
        for (what, pairs) in [
            ("option `hold`", &options.hold),
            ("option `validate`", named(&options.validate)),
        ] {
            for (biosample, assay) in pairs {
                if !all
                    .iter()
                    .any(|t| t.biosample == *biosample && t.assay == *assay)
                {
                    return Err(no_such_track(&all, what, biosample, assay));
                }
            }
        }
        let is_in = |pairs: &[Pair], t: &Track| {
            pairs
                .iter()
                .any(|(b, a)| *b == t.biosample && *a == t.assay)
        };
        let (held, training): (Vec<Track>, Vec<Track>) =
            all.into_iter().partition(|t| is_in(&options.hold, t));
        if training.is_empty() {
            return Err(FactorizationError::NothingToTrain {
                why: "there is no track to train on: ingest some, or hold out fewer",
            });
        }
        let names = |of: fn(&Track) -> &String| {
            let mut names: Vec<String> = training.iter().map(|t| of(t).clone()).collect();
            names.sort();
            names.dedup();
            names
        };
        let (biosamples, assays) = (names(|t| &t.biosample), names(|t| &t.assay));
        let tracks: Vec<TrainingTrack> = training
            .iter()
            .map(|t| TrainingTrack::new(t, &biosamples, &assays))
            .collect::<Result<_, _>>()?;
        let validate = match &options.validate {
            Validate::Nothing => Vec::new(),
            Validate::Drawn => (0..u64::from(options.searches.max(1)))
                .map(|search| draw_validation(&tracks, options.seed, search))
                .collect(),
            Validate::Tracks(pairs) => {
                if let Some((b, a)) = pairs.iter().find(|p| options.hold.contains(p)) {
                    return Err(FactorizationError::Options(format!(
                        "{b} {a} cannot both be held out and validate: held-out tracks decide nothing"
                    )));
                }
                let of_them = (0..training.len()).filter(|i| is_in(pairs, &training[*i]));
                vec![of_them.collect()]
            }
        };
        if validate.iter().any(|v| v.len() == training.len()) {
            return Err(FactorizationError::Options(
                "every training track validates; keep some to train on".into(),
            ));
        }
        if validate.iter().any(Vec::is_empty) {
            return Err(FactorizationError::Options(
                "no track can be spared to decide when to stop (every biosample and assay must keep two): \
                 name some by option `validate`, or say how long by option `passes` with option `no-validate`"
                    .into(),
            ));
        }
        Ok(TrackRoles {
            biosamples,
            assays,
            training,
            tracks,
            validate,
            held,
        })
    }
}

fn named(validate: &Validate) -> &Vec<Pair> {
    static NONE: Vec<Pair> = Vec::new();
    match validate {
        Validate::Tracks(pairs) => pairs,
        _ => &NONE,
    }
}

impl TrainingTrack {
    /// A track with the places of its names.
    pub(super) fn new(
        track: &Track,
        biosamples: &[String],
        assays: &[String],
    ) -> Result<Self, Bug> {
        Ok(TrainingTrack {
            biosample: (
                track.biosample.clone(),
                place_of(biosamples, &track.biosample)?,
            ),
            assay: (track.assay.clone(), place_of(assays, &track.assay)?),
        })
    }
}

/// Where a name stands among those of which it is one.
///
/// # Errors
/// When it is none of them: a factor of another would be trained in its place.
pub(super) fn place_of(names: &[String], name: &str) -> Result<u32, Bug> {
    match names.iter().position(|n| n == name) {
        Some(place) => Ok(place as u32),
        None => Err(Bug::new(format!(
            "{name} is not among the names of its axis"
        ))),
    }
}

/// The error for a track that an option names and the database lacks.
pub(super) fn no_such_track(
    all: &[Track],
    what: &'static str,
    biosample: &str,
    assay: &str,
) -> FactorizationError {
    if !all.iter().any(|t| t.biosample == biosample) {
        return StoreError::unknown(
            "biosample",
            biosample,
            all.iter().map(|t| t.biosample.as_str()),
        )
        .into();
    }
    if !all.iter().any(|t| t.assay == assay) {
        return StoreError::unknown("assay", assay, all.iter().map(|t| t.assay.as_str())).into();
    }
    FactorizationError::NoSuchTrack {
        option: what,
        biosample: biosample.to_string(),
        assay: assay.to_string(),
    }
}
