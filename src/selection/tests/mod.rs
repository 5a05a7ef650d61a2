//! Choices against brute force and against apricot-select.

mod against_apricot;
mod against_brute_force;
