//! What the module promises, tested on whole databases.

mod backup;
mod counts;
mod damage;
mod damaged_sqlite;
mod directory;
mod evaluations;
mod interrupted;
mod lost;
mod models;
mod tracks;
mod zarr_python;
