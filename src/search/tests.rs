//! The search against brute force, and against damage.

mod against_brute_force;
mod graphs;
mod index_files;
mod questions;
mod samples;
mod weights;
