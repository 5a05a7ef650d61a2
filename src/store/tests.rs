//! What the room promises, tested on whole databases.

mod directory;
mod faults;
mod models;
mod tracks;
mod zarr_python;
