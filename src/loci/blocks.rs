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
    /// Two-sided: the share of replicates that differ from the mean by as much as the mean from 0;
    /// `None` of fewer than [`FEW_BLOCKS`].
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
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    // Of few blocks a resampled mean varies less than the mean itself does.
    let widened = (n_blocks as f64 / (n_blocks - 1) as f64).sqrt();
    let replicate = |r: usize| {
        let mut random = generator(seed, Purpose::SiteBlocks, r as u64);
        let (mut sum, mut n) = (0.0, 0.0);
        for _ in 0..n_blocks {
            let drawn = (u64::from(random.next_u32()) * n_blocks as u64) >> 32;
            let (s, k) = sums[drawn as usize];
            sum += s;
            n += k;
        }
        (sum / n - mean) * widened
    };
    let departures: Vec<f64> = (0..replicates).into_par_iter().map(replicate).collect();
    let squares: f64 = departures.iter().map(|d| d * d).sum();
    let deviation = (squares / replicates as f64).sqrt();
    // Sums in another order may differ in their last digits.
    let tolerance = 1e-9 * mean.abs().max(1e-9);
    let beyond = departures
        .iter()
        .filter(|d| d.abs() >= mean.abs() - tolerance);
    let p = (1 + beyond.count()) as f64 / (1 + replicates) as f64;
    BlockTest {
        deviation: Some(deviation),
        z: (deviation > tolerance).then(|| mean / deviation),
        p: (n_blocks >= FEW_BLOCKS).then_some(p),
    }
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

    /// Sites in clumps of ten, whose domain's level all ten share, and no enrichment: how often p is
    /// at most 0.05, taking blocks and taking each site for itself.
    #[test]
    fn clumped_sites_without_enrichment_are_called_as_often_as_p_says() {
        let mut draws = Draws(generator(11, Purpose::SiteBlocks, 1 << 40));
        let (n_blocks, clump, n_worlds) = (40, 10, 300);
        let (mut by_block, mut by_site) = (0, 0);
        for world in 0..n_worlds {
            let mut numbers = Vec::new();
            for _ in 0..n_blocks {
                // A few domains of high signal, many of none.
                let level = draws.normal().exp() - 0.5f64.exp();
                numbers.extend((0..clump).map(|_| level + 0.5 * draws.normal()));
            }
            let block: Vec<usize> = (0..numbers.len()).map(|i| i / clump).collect();
            let each: Vec<usize> = (0..numbers.len()).collect();
            let called = |block: &[usize], n: usize| {
                let test = block_test(&numbers, block, n, 400, world);
                test.p.is_some_and(|p| p <= 0.05)
            };
            by_block += usize::from(called(&block, n_blocks));
            by_site += usize::from(called(&each, numbers.len()));
        }
        let share = |n: usize| n as f64 / f64::from(n_worlds as u32);
        println!(
            "p <= 0.05: blocks {}, sites {}",
            share(by_block),
            share(by_site)
        );
        // 0.137 and 0.62: of 40 blocks as skewed as these a percentile bootstrap is still too bold.
        assert!(share(by_block) < 0.16, "{}", share(by_block));
        assert!(share(by_site) > 0.4, "{}", share(by_site));
    }

    #[test]
    fn planted_enrichment_is_found_and_one_clump_is_no_test() {
        let mut draws = Draws(generator(5, Purpose::SiteBlocks, 1 << 41));
        let numbers: Vec<f64> = (0..200).map(|_| 1.0 + draws.normal()).collect();
        let block: Vec<usize> = (0..200).map(|i| i / 10).collect();
        let found = block_test(&numbers, &block, 20, 999, 0);
        assert_eq!(found.p, Some(0.001));
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
