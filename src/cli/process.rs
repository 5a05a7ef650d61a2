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

/// Under a ceiling on addresses (`ulimit -v`), threads share one heap from now on. Each would reserve 128 MiB for a
/// heap of its own; where that is refused, the allocator takes a page of the system for each object, and a command
/// that could have failed, or done its work, goes on for hours.
pub fn share_memory_under_a_ceiling() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let mut limit = libc::rlimit {
            rlim_cur: libc::RLIM_INFINITY,
            rlim_max: libc::RLIM_INFINITY,
        };
        // SAFETY: writes to a struct that outlives the call.
        let known = unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) } == 0;
        if known && limit.rlim_cur != libc::RLIM_INFINITY {
            // SAFETY: takes and returns numbers, and may be called at any time from any thread.
            unsafe {
                libc::mallopt(libc::M_ARENA_MAX, 1);
            }
        }
    }
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
