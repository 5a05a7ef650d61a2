//! Panics of other crates on damaged files, turned into errors.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static SHIELDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread would be caught and become an error, now. A program's panic hook
/// may ask, and stay silent; this library sets no hook.
pub fn panic_becomes_error() -> bool {
    SHIELDED.get()
}

/// Runs what may panic; `None` where it did.
///
/// Whatever the closure was changing must not be used after a panic.
pub fn shielded<T>(run: impl FnOnce() -> T) -> Option<T> {
    let outer = SHIELDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    SHIELDED.set(outer);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_no_value_and_a_value_passes() {
        assert_eq!(shielded(|| 3), Some(3));
        assert_eq!(shielded(panic_becomes_error), Some(true));
        let empty: [u8; 0] = [];
        assert_eq!(shielded(|| empty[std::hint::black_box(0)]), None);
        assert!(!panic_becomes_error());
    }
}
