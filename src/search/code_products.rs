//! Products of byte codes, four factors at a time, with whatever the processor has for that.
//!
//! Rows lie side by side: a word holds four factors' codes of one row. All ways to multiply give the
//! same whole numbers, so that what a search looks at does not depend on the machine.

use super::memory::prefetch;
use crate::instructions::Instructions;

/// The first ten of sixteen lanes.
#[cfg(target_arch = "x86_64")]
const TEN: u16 = 0x3ff;

/// How many sketches ahead one is prefetched.
const SKETCHES_AHEAD: usize = 6;

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
        // All kernels give the same numbers; pinned instructions are used all the same.
        #[cfg(target_arch = "x86_64")]
        {
            let used = Instructions::in_use();
            if used == Instructions::Avx512
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
            {
                return Kernel::Vnni;
            }
            if used <= Instructions::Avx2 && is_x86_feature_detected!("avx2") {
                return Kernel::Avx2;
            }
        }
        Kernel::Portable
    }
}

/// Σⱼ xⱼ qⱼ of each of `ROWS` rows (10, 16 or 32, or four more than 0 or 16): `words` is `[query.len() + more, ROWS]` with
/// four unsigned codes a word, `query` has four signed ones a word.
#[inline]
pub(super) fn products<const ROWS: usize>(
    kernel: Kernel,
    words: &[i32],
    query: &[i32],
) -> [i32; ROWS] {
    // What the wide instructions leave over is one short one, and there is room for the others' sums.
    const { assert!(ROWS == 10 || ROWS <= 32 && (ROWS.is_multiple_of(16) || ROWS % 16 == 4)) };
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

/// What [`products`] give together with what rows and query have of themselves, of a sketch as it is stored: the
/// squared distances between codes.
#[inline]
pub(super) fn squares<const ROWS: usize>(
    kernel: Kernel,
    words: &[i32],
    query: &[i32],
    own: i32,
) -> [i32; ROWS] {
    let mut squares = products::<ROWS>(kernel, words, query);
    let (columns, _) = words.as_chunks::<ROWS>();
    let Some(of_rows) = columns.last() else {
        return squares;
    };
    for (square, of_row) in squares.iter_mut().zip(of_rows) {
        *square = own + of_row - 2 * *square;
    }
    squares
}

/// The least of [`squares`].
#[inline]
pub(super) fn least<const ROWS: usize>(
    kernel: Kernel,
    words: &[i32],
    query: &[i32],
    own: i32,
) -> i32 {
    match kernel {
        // SAFETY: `of_this_processor` has asked whether the instructions are there.
        #[cfg(target_arch = "x86_64")]
        Kernel::Vnni if ROWS == 10 || ROWS == 20 => unsafe {
            vnni_least::<ROWS>(words, query, own)
        },
        _ => {
            let squares = squares::<ROWS>(kernel, words, query, own);
            squares.into_iter().fold(i32::MAX, i32::min)
        }
    }
}

/// [`least`] of several sketches that lie anywhere, each asked for from memory some sketches before.
pub(super) fn leasts<const ROWS: usize>(
    kernel: Kernel,
    sketches: &[&[i32]],
    query: &[i32],
    own: i32,
    out: &mut Vec<i32>,
) {
    match kernel {
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kernel::Vnni if ROWS == 10 || ROWS == 20 => unsafe {
            vnni_leasts::<ROWS>(sketches, query, own, out);
        },
        _ => {
            for (i, words) in sketches.iter().enumerate() {
                ask_ahead(sketches, i);
                out.push(least::<ROWS>(kernel, words, query, own));
            }
        }
    }
}

#[inline]
fn ask_ahead(sketches: &[&[i32]], i: usize) {
    if let Some(ahead) = sketches.get(i + SKETCHES_AHEAD) {
        prefetch(ahead);
    }
}

/// Of ten or twenty rows, which never leave the registers.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
fn vnni_least<const ROWS: usize>(words: &[i32], query: &[i32], own: i32) -> i32 {
    use std::arch::x86_64::*;
    let (columns, _) = words.as_chunks::<ROWS>();
    let Some(of_rows) = columns.last() else {
        return i32::MAX;
    };
    let mask = if ROWS == 10 { TEN } else { u16::MAX };
    let mut wide = _mm512_setzero_si512();
    let mut rest = _mm_setzero_si128();
    for (column, q) in columns.iter().zip(query) {
        // SAFETY: as many numbers as there are rows, sixteen at most, by the mask.
        let x = unsafe { _mm512_maskz_loadu_epi32(mask, column.as_ptr()) };
        wide = _mm512_dpbusd_epi32(wide, x, _mm512_set1_epi32(*q));
        if ROWS == 20 {
            // SAFETY: the last four of twenty.
            let x = unsafe { _mm_loadu_si128(column.as_ptr().add(16).cast()) };
            rest = _mm_dpbusd_epi32(rest, x, _mm_set1_epi32(*q));
        }
    }
    // SAFETY: as above.
    let of_wide = unsafe { _mm512_maskz_loadu_epi32(mask, of_rows.as_ptr()) };
    let wide = _mm512_sub_epi32(of_wide, _mm512_slli_epi32::<1>(wide));
    let mut least = _mm512_mask_reduce_min_epi32(mask, wide);
    if ROWS == 20 {
        // SAFETY: as above.
        let of_rest = unsafe { _mm_loadu_si128(of_rows.as_ptr().add(16).cast()) };
        let rest = _mm_sub_epi32(of_rest, _mm_slli_epi32::<1>(rest));
        let rest = _mm_min_epi32(rest, _mm_shuffle_epi32::<0b01_00_11_10>(rest));
        let rest = _mm_min_epi32(rest, _mm_shuffle_epi32::<0b10_11_00_01>(rest));
        least = least.min(_mm_cvtsi128_si32(rest));
    }
    own + least
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
fn vnni_leasts<const ROWS: usize>(
    sketches: &[&[i32]],
    query: &[i32],
    own: i32,
    out: &mut Vec<i32>,
) {
    for (i, words) in sketches.iter().enumerate() {
        ask_ahead(sketches, i);
        out.push(vnni_least::<ROWS>(words, query, own));
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
    if ROWS == 10 {
        for (column, q) in columns.iter().zip(query) {
            // SAFETY: ten numbers, by the mask.
            let x = unsafe { _mm512_maskz_loadu_epi32(TEN, column.as_ptr()) };
            wide[0] = _mm512_dpbusd_epi32(wide[0], x, _mm512_set1_epi32(*q));
        }
        // SAFETY: as they were read.
        unsafe { _mm512_mask_storeu_epi32(sums.as_mut_ptr(), TEN, wide[0]) };
        return sums;
    }
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
    let has_rest = !ROWS.is_multiple_of(8);
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
            let x = match ROWS % 8 {
                // SAFETY: the last two numbers.
                2 => unsafe { _mm_loadl_epi64(at.add(ROWS - 2).cast()) },
                // SAFETY: the last four.
                _ => unsafe { _mm_loadu_si128(at.add(ROWS - 4).cast()) },
            };
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
        unsafe {
            match ROWS % 8 {
                2 => _mm_storel_epi64(to.add(ROWS - 2).cast(), rest),
                _ => _mm_storeu_si128(to.add(ROWS - 4).cast(), rest),
            }
        };
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
        // As a sketch: the query's columns, and what each row has of itself.
        let sketch = &words[..ROWS * (query.len() + 1)];
        let of_rows = &sketch[ROWS * query.len()..];
        let square = |(of_row, product): (&i32, &i32)| {
            7i32.wrapping_add(of_row >> 4).wrapping_sub(2 * product)
        };
        let squared: Vec<i32> = of_rows.iter().zip(&expected).map(square).collect();
        let mut sketch = sketch.to_vec();
        for own in &mut sketch[ROWS * query.len()..] {
            *own >>= 4;
        }
        assert_eq!(squares::<ROWS>(kernel, &sketch, query, 7), *squared);
        let smallest = squared.iter().copied().min().unwrap();
        for kernel in [kernel, Kernel::Portable] {
            assert_eq!(least::<ROWS>(kernel, &sketch, query, 7), smallest);
            let mut several = Vec::new();
            leasts::<ROWS>(kernel, &[&sketch, &sketch], query, 7, &mut several);
            assert_eq!(several, [smallest; 2]);
        }
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
            agrees::<10>(&words, &query);
            agrees::<20>(&words, &query);
            agrees::<32>(&words, &query);
        }
    }
}
