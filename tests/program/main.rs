//! What a user does, through the program: each test runs `persea` in a folder of its own on a tiny
//! simulated compendium, and looks at exit statuses, stdout, stderr and the files left behind.
//!
//! `workspace` runs the program, `made` and `read` make and read signal files by other means than
//! Persea's own where there are any; the rest are tests, by what they are about.

mod made;
mod read;
#[path = "../../src/skipped.rs"]
mod skipped;
mod workspace;

mod annotation;
mod backing_up;
mod bad_databases;
mod bad_files;
mod bad_manifests;
mod bad_names;
mod bad_regions;
mod browsers;
mod cross_validating;
mod default_model;
mod encode;
mod evaluating;
mod exchanging;
mod extending;
mod extension_shards;
mod file_server;
mod first_hour;
mod full_disk;
mod help;
mod imputing;
mod ingesting;
mod loci;
mod memory;
mod missing_data;
mod models;
mod names;
mod normalising;
mod outputs;
mod pinning;
mod plotting;
mod probing;
mod projecting;
mod real_peaks;
mod repairing;
mod schema_versions;
mod searching;
mod selecting;
mod sharding;
mod stopping;
mod surviving;
mod tasks;
mod text_files;
#[cfg(unix)]
mod torture;
mod training;
mod what_people_have;
