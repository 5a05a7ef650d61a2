//! What a user does, through the program: each test runs `persea` in a folder of its own on a tiny
//! simulated compendium, and looks at exit statuses, stdout, stderr and the files left behind.
//!
//! `workspace` runs the program, `made` and `read` make and read signal files by other means than
//! Persea's own where there are any; the rest are tests, by what they are about.

mod made;
#[cfg(feature = "torch")]
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
#[cfg(feature = "torch")]
mod cross_validating;
#[cfg(feature = "torch")]
mod default_model;
#[cfg(feature = "torch")]
mod evaluating;
mod exchanging;
#[cfg(feature = "torch")]
mod extending;
#[cfg(feature = "torch")]
mod first_hour;
mod full_disk;
mod help;
#[cfg(feature = "torch")]
mod imputing;
mod ingesting;
mod loci;
#[cfg(feature = "torch")]
mod models;
#[cfg(feature = "torch")]
mod outputs;
#[cfg(feature = "torch")]
mod plotting;
#[cfg(feature = "torch")]
mod projecting;
mod real_peaks;
mod repairing;
mod schema_versions;
#[cfg(feature = "torch")]
mod searching;
#[cfg(feature = "torch")]
mod selecting;
#[cfg(feature = "torch")]
mod stopping;
mod tasks;
mod text_files;
#[cfg(feature = "torch")]
mod training;
