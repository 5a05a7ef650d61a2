//! What a user does, through the program: each test runs `persea` in a folder of its own on a tiny
//! simulated compendium, and looks at exit statuses, stdout, stderr and the files left behind.
//!
//! `workspace` runs the program, `files` reads and makes signal files by other means than Persea's
//! own readers where there are any; the rest are tests, by what they are about.

// Without libtorch fewer tests remain, and some of what they share goes unused.
#[cfg_attr(not(feature = "torch"), allow(dead_code))]
mod files;
#[cfg_attr(not(feature = "torch"), allow(dead_code))]
mod workspace;

mod annotation;
mod bad_databases;
mod bad_files;
mod bad_manifests;
mod bad_names;
mod bad_regions;
#[cfg(feature = "torch")]
mod evaluating;
#[cfg(feature = "torch")]
mod extending;
#[cfg(feature = "torch")]
mod first_hour;
mod full_disk;
mod help;
#[cfg(feature = "torch")]
mod imputing;
mod ingesting;
#[cfg(feature = "torch")]
mod models;
mod real_peaks;
#[cfg(feature = "torch")]
mod stopping;
#[cfg(feature = "torch")]
mod training;
