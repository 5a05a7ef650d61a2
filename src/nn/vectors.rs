//! Plain loops compiled for the widest vectors that the processor has.

/// Runs a loop compiled for the widest vectors that the processor has; `#[inline(always)]` belongs
/// on it and on what it calls.
///
/// A closure that pulp is given directly and that could run twice is called through a shim, which
/// inlines nothing but what is short: a long loop stayed one of SSE, several times slower.
#[inline(always)]
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    crate::instructions::arch().dispatch(Wide(work))
}

struct Wide<F>(F);

impl<R, F: FnOnce() -> R> pulp::WithSimd for Wide<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> R {
        (self.0)()
    }
}
