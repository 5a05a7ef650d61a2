//! The `persea` program.

fn main() {}
