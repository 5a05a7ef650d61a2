//! Asking for memory before it is needed: what a search looks at next lies anywhere, and waiting for it
//! would take most of its time.

/// Asks for a slice; where the processor has no such hint, does nothing.
#[inline]
pub(super) fn prefetch<T>(slice: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        /// Bytes that come from memory together.
        const CACHE_LINE: usize = 64;
        for line in slice.chunks(CACHE_LINE / size_of::<T>()) {
            // SAFETY: a hint; it reads nothing, and the address is that of a slice.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slice;
}
