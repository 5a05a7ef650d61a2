//! Refusal to work in a process that was forked from one that used Persea.
//!
//! A fork copies open files and no threads. SQLite's locks would be shared by mistake, and the first
//! parallel loop would wait for threads that do not exist.

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::PyResult;

use crate::errors::ForkError;

/// The process that used Persea first; 0 before that.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Whether this process was forked from one that used Persea.
pub fn is_forked() -> bool {
    let owner = OWNER.load(Ordering::SeqCst);
    owner != 0 && owner != std::process::id()
}

/// Refuses a forked process.
pub fn refuse() -> PyResult<()> {
    let own = std::process::id();
    match OWNER.compare_exchange(0, own, Ordering::SeqCst, Ordering::SeqCst) {
        Err(owner) if owner != own => Err(ForkError::new_err(format!(
            "process {own} was forked from process {owner}, which had used Persea; a fork has none of its \
             threads. Start workers with multiprocessing.get_context(\"spawn\") or \"forkserver\", or use \
             joblib's default (loky); databases can be pickled"
        ))),
        _ => Ok(()),
    }
}
