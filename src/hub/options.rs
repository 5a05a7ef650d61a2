//! What a hub is called and shows, and what one that was written has.

use std::path::PathBuf;

use crate::genome::Interval;
use crate::imputation::SignalScale;

/// What a hub is called and shows.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// A word for the hub.
    pub name: String,
    /// Its label in lists, 17 characters or fewer.
    pub short_label: String,
    /// A line about it.
    pub long_label: String,
    /// Whom its users ask.
    pub email: String,
    /// The address that the folder will have; the IGV files have relative paths without one.
    pub base: Option<String>,
    /// Where browsers open; where there is most signal if `None`.
    pub locus: Option<Interval>,
    /// bigBed files that become tracks of their own.
    pub beds: Vec<PathBuf>,
    /// On which scale files hold the signal.
    pub scale: SignalScale,
}

/// What a hub that was written has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenHub {
    /// Tracks that were measured.
    pub n_measured: usize,
    /// Tracks that the model imputed.
    pub n_imputed: usize,
    /// bigBed files.
    pub n_beds: usize,
    /// Where browsers open.
    pub locus: Interval,
    /// Whether genome browsers know the assembly by its name.
    pub is_known_assembly: bool,
    /// Whether it was written now. One of the same content that stood there is left as it is.
    pub is_new: bool,
}
