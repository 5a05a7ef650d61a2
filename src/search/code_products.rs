//! Products of byte codes, four factors at a time, with whatever the processor has for that.
//!
//! Rows lie side by side: a word holds four factors' codes of one row. All ways to multiply give the
//! same whole numbers, so that what a search looks at does not depend on the machine.

/// How products are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    /// In one instruction for sixteen rows (AVX-512 VNNI).
    #[cfg(target_arch = "x86_64")]
    Vnni,
    /// In pairs of 16 bits (AVX2).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// As the compiler has it.
    Portable,
}

impl Kernel {
    /// The fastest that there is.
    pub fn of_this_processor() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
            {
                return Kernel::Vnni;
            }
            if is_x86_feature_detected!("avx2") {
                return Kernel::Avx2;
            }
        }
        Kernel::Portable
    }
}

/// Σⱼ xⱼ qⱼ of each of `ROWS` rows (16 or 32, or four more than 0 or 16): `words` is `[query.len() + more, ROWS]` with
/// four unsigned codes a word, `query` has four signed ones a word.
#[inline]
pub(super) fn products<const ROWS: usize>(
    kernel: Kernel,
    words: &[i32],
    query: &[i32],
) -> [i32; ROWS] {
    // What the wide instructions leave over is one short one, and there is room for the others' sums.
    const { assert!(ROWS <= 32 && (ROWS.is_multiple_of(16) || ROWS % 16 == 4)) };
    let (columns, _) = words.as_chunks::<ROWS>();
    match kernel {
        // SAFETY: `of_this_processor` has asked whether the instructions are there.
        #[cfg(target_arch = "x86_64")]
        Kernel::Vnni => unsafe { vnni(columns, query) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2 => unsafe { avx2(columns, query) },
        Kernel::Portable => portable(columns, query),
    }
}

fn portable<const ROWS: usize>(columns: &[[i32; ROWS]], query: &[i32]) -> [i32; ROWS] {
    let mut sums = [0i32; ROWS];
    for (column, q) in columns.iter().zip(query) {
        let q = q.to_le_bytes().map(|b| i32::from(b.cast_signed()));
        for (sum, word) in sums.iter_mut().zip(column) {
            let x = word.cast_unsigned();
            *sum += (x & 0xff) as i32 * q[0]
                + (x >> 8 & 0xff) as i32 * q[1]
                + (x >> 16 & 0xff) as i32 * q[2]
                + (x >> 24) as i32 * q[3];
        }
    }
    sums
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
fn vnni<const ROWS: usize>(columns: &[[i32; ROWS]], query: &[i32]) -> [i32; ROWS] {
    use std::arch::x86_64::*;
    let mut sums = [0i32; ROWS];
    let mut wide = [_mm512_setzero_si512(); 2];
    let mut rest = _mm_setzero_si128();
    let n_wide = (ROWS / 16).min(2);
    let has_rest = ROWS % 16 == 4;
    for (column, q) in columns.iter().zip(query) {
        let at = column.as_ptr();
        for (i, sum) in wide.iter_mut().enumerate().take(n_wide) {
            // SAFETY: sixteen numbers from 16 i on, of at least 16 n_wide.
            let x = unsafe { _mm512_loadu_si512(at.add(16 * i).cast()) };
            *sum = _mm512_dpbusd_epi32(*sum, x, _mm512_set1_epi32(*q));
        }
        if has_rest {
            // SAFETY: the last four numbers.
            let x = unsafe { _mm_loadu_si128(at.add(ROWS - 4).cast()) };
            rest = _mm_dpbusd_epi32(rest, x, _mm_set1_epi32(*q));
        }
    }
    let to = sums.as_mut_ptr();
    for (i, sum) in wide.iter().enumerate().take(n_wide) {
        // SAFETY: as they were read.
        unsafe { _mm512_storeu_si512(to.add(16 * i).cast(), *sum) };
    }
    if has_rest {
        // SAFETY: as they were read.
        unsafe { _mm_storeu_si128(to.add(ROWS - 4).cast(), rest) };
    }
    sums
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<const ROWS: usize>(columns: &[[i32; ROWS]], query: &[i32]) -> [i32; ROWS] {
    use std::arch::x86_64::*;
    let mut sums = [0i32; ROWS];
    let low = _mm256_set1_epi32(0x00ff_00ff);
    let low_rest = _mm_set1_epi32(0x00ff_00ff);
    let mut wide = [_mm256_setzero_si256(); 4];
    let mut rest = _mm_setzero_si128();
    let n_wide = (ROWS / 8).min(4);
    let has_rest = ROWS % 8 == 4;
    for (column, q) in columns.iter().zip(query) {
        // The first and third code of four as 16 bits each, the second and fourth.
        let q = q.to_le_bytes().map(|b| i32::from(b.cast_signed()));
        let even = (q[0] & 0xffff) | (q[2] << 16);
        let odd = (q[1] & 0xffff) | (q[3] << 16);
        let at = column.as_ptr();
        for (i, sum) in wide.iter_mut().enumerate().take(n_wide) {
            // SAFETY: eight numbers from 8 i on, of at least 8 n_wide.
            let x = unsafe { _mm256_loadu_si256(at.add(8 * i).cast()) };
            let first = _mm256_madd_epi16(_mm256_and_si256(x, low), _mm256_set1_epi32(even));
            let x = _mm256_and_si256(_mm256_srli_epi32::<8>(x), low);
            let second = _mm256_madd_epi16(x, _mm256_set1_epi32(odd));
            *sum = _mm256_add_epi32(*sum, _mm256_add_epi32(first, second));
        }
        if has_rest {
            // SAFETY: the last four numbers.
            let x = unsafe { _mm_loadu_si128(at.add(ROWS - 4).cast()) };
            let first = _mm_madd_epi16(_mm_and_si128(x, low_rest), _mm_set1_epi32(even));
            let x = _mm_and_si128(_mm_srli_epi32::<8>(x), low_rest);
            let second = _mm_madd_epi16(x, _mm_set1_epi32(odd));
            rest = _mm_add_epi32(rest, _mm_add_epi32(first, second));
        }
    }
    let to = sums.as_mut_ptr();
    for (i, sum) in wide.iter().enumerate().take(n_wide) {
        // SAFETY: as they were read.
        unsafe { _mm256_storeu_si256(to.add(8 * i).cast(), *sum) };
    }
    if has_rest {
        // SAFETY: as they were read.
        unsafe { _mm_storeu_si128(to.add(ROWS - 4).cast(), rest) };
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees<const ROWS: usize>(words: &[i32], query: &[i32]) {
        let rows = |i: usize| -> i32 {
            let bytes = |q: usize| words[q * ROWS + i].to_le_bytes();
            let product = |q: usize, b: usize| {
                i32::from(bytes(q)[b]) * i32::from(query[q].to_le_bytes()[b].cast_signed())
            };
            (0..query.len())
                .flat_map(|q| (0..4).map(move |b| (q, b)))
                .map(|(q, b)| product(q, b))
                .sum()
        };
        let expected: Vec<i32> = (0..ROWS).map(rows).collect();
        assert_eq!(products::<ROWS>(Kernel::Portable, words, query), *expected);
        let kernel = Kernel::of_this_processor();
        assert_eq!(products::<ROWS>(kernel, words, query), *expected);
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            assert_eq!(products::<ROWS>(Kernel::Avx2, words, query), *expected);
        }
    }

    proptest! {
        #[test]
        fn every_kernel_gives_the_same_whole_numbers(
            words in prop::collection::vec(any::<i32>(), 32 * 13),
            query in prop::collection::vec(any::<i32>(), 0..=12),
        ) {
            agrees::<20>(&words, &query);
            agrees::<32>(&words, &query);
        }
    }
}
