//! Panics of other crates on damaged files, turned into errors.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static SHIELDED: Cell<bool> = const { Cell::new(false) };
}

static QUIET: Once = Once::new();

/// Runs what may panic; `None` where it did. The panic is not printed.
///
/// Whatever the closure was changing must not be used after a panic.
pub fn shielded<T>(run: impl FnOnce() -> T) -> Option<T> {
    // Panics of shielded threads are silent, all others are told as before.
    QUIET.call_once(|| {
        let tell = take_hook();
        set_hook(Box::new(move |panic| {
            if !SHIELDED.get() {
                tell(panic);
            }
        }));
    });
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
        let empty: [u8; 0] = [];
        assert_eq!(shielded(|| empty[std::hint::black_box(0)]), None);
        assert!(!SHIELDED.get());
    }
}
