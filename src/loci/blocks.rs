//! A test of the mean of numbers that lie in blocks: numbers of one block depend on each other.
//!
//! Sites lie in clumps, and signal is alike over tens to hundreds of kilobases: ten peaks of one
//! domain are nearer to one observation than to ten. So the genome is cut into blocks (of 1 Mb by
//! default), and whole blocks are drawn with replacement (Künsch 1989; as a means of testing overlap,
//! Bickel et al. 2010).

use rand_chacha::rand_core::RngCore;
use rayon::prelude::*;

use crate::random::{Purpose, generator};

/// Blocks below which a bootstrap is not a test.
pub(super) const FEW_BLOCKS: usize = 10;

/// What blocks say of a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BlockTest {
    /// The standard error of the mean; `None` of a single block.
    pub deviation: Option<f64>,
    /// The mean in units of it.
    pub z: Option<f64>,
    /// Two-sided: twice the share of replicates that depart from the mean, in their own standard errors,
    /// as far as the mean from 0, on the same side; `None` of fewer than [`FEW_BLOCKS`], and where
    /// blocks do not vary.
    pub p: Option<f64>,
}

/// Tests whether the mean of numbers is 0, given the block of each (numbered from 0).
pub(super) fn block_test(
    numbers: &[f64],
    block: &[usize],
    n_blocks: usize,
    replicates: usize,
    seed: u64,
) -> BlockTest {
    let undefined = BlockTest {
        deviation: None,
        z: None,
        p: None,
    };
    if n_blocks < 2 {
        return undefined;
    }
    let mut sums = vec![(0.0, 0.0); n_blocks];
    for (number, block) in numbers.iter().zip(block) {
        sums[*block].0 += number;
        sums[*block].1 += 1.0;
    }
    let (mean, deviation) = mean_of_blocks(sums.iter().copied());
    // Sums in another order may differ in their last digits.
    let tolerance = 1e-9 * mean.abs().max(1e-9);
    if deviation <= tolerance {
        return BlockTest {
            deviation: Some(deviation),
            ..undefined
        };
    }
    // Studentised: where a few blocks have much, a mean that is far off has a standard error that is,
    // too (Hall 1988).
    let replicate = |r: usize| {
        let mut random = generator(seed, Purpose::SiteBlocks, r as u64);
        let drawn: Vec<(f64, f64)> = (0..n_blocks)
            .map(|_| sums[((u64::from(random.next_u32()) * n_blocks as u64) >> 32) as usize])
            .collect();
        let (resampled, own) = mean_of_blocks(drawn.into_iter());
        (resampled - mean) / own.max(f64::MIN_POSITIVE)
    };
    let departures: Vec<f64> = (0..replicates).into_par_iter().map(replicate).collect();
    let z = mean / deviation;
    let beyond = |side: &dyn Fn(f64) -> bool| departures.iter().filter(|d| side(**d)).count();
    let fewer = beyond(&|d| d >= z).min(beyond(&|d| d <= z));
    let p = (2.0 * (1 + fewer) as f64 / (1 + replicates) as f64).min(1.0);
    BlockTest {
        deviation: Some(deviation),
        z: Some(z),
        p: (n_blocks >= FEW_BLOCKS).then_some(p),
    }
}

/// The mean of numbers whose sums and counts are given by block, and its standard error with blocks as
/// the independent observations.
fn mean_of_blocks(blocks: impl Iterator<Item = (f64, f64)> + Clone) -> (f64, f64) {
    let (mut n_blocks, mut sum, mut n) = (0.0, 0.0, 0.0);
    for (s, k) in blocks.clone() {
        n_blocks += 1.0;
        sum += s;
        n += k;
    }
    let mean = sum / n;
    let squares: f64 = blocks.map(|(s, k)| (s - mean * k).powi(2)).sum();
    let widened = n_blocks / (n_blocks - 1.0);
    (mean, (squares * widened).sqrt() / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Draws(rand_chacha::ChaCha8Rng);

    impl Draws {
        fn normal(&mut self) -> f64 {
            let unit = |r: u32| f64::from(r) / 2f64.powi(32);
            let sum: f64 = (0..12).map(|_| unit(self.0.next_u32())).sum();
            sum - 6.0
        }
    }

    /// How often p is at most 0.05 of sites without enrichment, in clumps of ten that share the level of their
    /// domain: taking blocks and, in the first 300 worlds, taking each site for itself.
    fn called(n_blocks: usize, n_worlds: u64, level: fn(f64) -> f64) -> (f64, f64) {
        let mut draws = Draws(generator(11, Purpose::SiteBlocks, 1 << 40));
        let clump = 10;
        let (mut by_block, mut by_site) = (0, 0);
        for world in 0..n_worlds {
            let mut numbers = Vec::new();
            for _ in 0..n_blocks {
                let level = level(draws.normal());
                numbers.extend((0..clump).map(|_| level + 0.5 * draws.normal()));
            }
            let block: Vec<usize> = (0..numbers.len()).map(|i| i / clump).collect();
            let each: Vec<usize> = (0..numbers.len()).collect();
            let called = |block: &[usize], n: usize| {
                let test = block_test(&numbers, block, n, 400, world);
                test.p.is_some_and(|p| p <= 0.05)
            };
            by_block += usize::from(called(&block, n_blocks));
            by_site += usize::from(world < 300 && called(&each, numbers.len()));
        }
        (by_block as f64 / n_worlds as f64, by_site as f64 / 300.0)
    }

    #[test]
    fn clumped_sites_without_enrichment_are_called_hardly_more_often_than_p_says() {
        // Domains whose levels are normal: 5 %, within the error of 1,000 worlds.
        let (by_block, by_site) = called(40, 1_000, |normal| normal);
        println!("normal: blocks {by_block}, sites {by_site}");
        assert!((0.03..0.07).contains(&by_block), "{by_block}");
        assert!(by_site > 0.4, "{by_site}");
        // A few domains of high signal, many of none: about 7 % with 40 blocks, 10 % with the fewest that
        // are tested, where a percentile bootstrap calls 13 % and 19 %.
        let skewed = |normal: f64| normal.exp() - 0.5f64.exp();
        let (by_block, by_site) = called(40, 1_000, skewed);
        println!("skewed: blocks {by_block}, sites {by_site}");
        assert!((0.04..0.1).contains(&by_block), "{by_block}");
        assert!(by_site > 0.4, "{by_site}");
        let (by_block, _) = called(FEW_BLOCKS, 1_000, skewed);
        println!("skewed, {FEW_BLOCKS} blocks: {by_block}");
        assert!((0.05..0.13).contains(&by_block), "{by_block}");
    }

    #[test]
    fn planted_enrichment_is_found_and_one_clump_is_no_test() {
        let mut draws = Draws(generator(5, Purpose::SiteBlocks, 1 << 41));
        let numbers: Vec<f64> = (0..200).map(|_| 1.0 + draws.normal()).collect();
        let block: Vec<usize> = (0..200).map(|i| i / 10).collect();
        let found = block_test(&numbers, &block, 20, 999, 0);
        assert_eq!(found.p, Some(0.002));
        assert!(found.z.unwrap() > 5.0);
        // The standard error of a mean of 200 is 0.07.
        assert!((found.deviation.unwrap() - 0.07).abs() < 0.02);
        let nine: Vec<usize> = (0..200).map(|i| i * 9 / 200).collect();
        let few = block_test(&numbers, &nine, 9, 99, 0);
        assert!(few.z.is_some() && few.p.is_none());
        let one = block_test(&numbers, &[0; 200], 1, 99, 0);
        assert_eq!((one.deviation, one.z, one.p), (None, None, None));
    }
}
