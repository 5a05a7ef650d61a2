//! What the room promises, tested on whole databases.

mod backup;
mod directory;
mod evaluations;
mod faults;
mod lost;
mod models;
mod tracks;
mod zarr_python;
