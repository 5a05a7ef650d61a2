//! Locks of what is kept between requests.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks what a request that panicked may have left locked: every change is whole before it can panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
