//! Tests that need what a machine may lack: they say that they skip, or fail where it is required.
//!
//! `PERSEA_REQUIRE` lists what must be there, separated by commas: `data` (the real data), `mount`
//! (the right to mount a small file system), `python` (the packages that `scripts/python.sh` installs),
//! `peer` (the original Avocado's Python), `torch` (libtorch and its backend), `device` (the right to
//! make devices), `unprivileged` (a user whom permissions bind), `qemu` (an emulator of processors, for a test of
//! minutes that runs only where it is required).

use std::io::Write;

/// To be called by a test before it returns without having tested anything.
#[track_caller]
pub fn skipped(need: &str, why: impl std::fmt::Display) {
    assert!(
        !is_required(need),
        "{why}; PERSEA_REQUIRE has `{need}`, so this test may not be skipped"
    );
    // Past cargo, which hides what a passing test prints.
    let mut stderr = std::io::stderr();
    let _ = writeln!(stderr, "skipped: {why}");
}

/// Whether `PERSEA_REQUIRE` lists it.
pub fn is_required(need: &str) -> bool {
    let required = std::env::var("PERSEA_REQUIRE").unwrap_or_default();
    required.split(',').any(|r| r.trim() == need)
}
