//! What the program wants of its process; the library changes nothing of it.

/// Panics that the library catches, of other crates on damaged files, are not printed: an error
/// follows. All others are.
pub fn silence_caught_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !persea::formats::panic_becomes_error() {
            print(panic);
        }
    }));
}

/// From now on, arrays of a mebibyte and more go back to the system as soon as they are free: a
/// refinement's windows are allocated by all threads, each from memory of its own, where the next
/// window does not always find what became free, and memory would reach twice what was asked for.
pub fn return_large_arrays() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes and returns numbers, and may be called at any time from any thread.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
    }
}
