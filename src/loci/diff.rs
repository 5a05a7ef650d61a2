//! Where two biosamples differ.
//!
//! The axis is cut into windows. For each, the difference of the two means, and their level, the mean of
//! both. Windows of one level tell what is usual there: the median difference, which is what the tracks'
//! scales explain, and the spread about it (1.4826 times the median absolute deviation). The effect of a
//! window is its difference less the median, z the effect over the spread.
//!
//! **There is no p.** There are no replicates to tell noise from difference, and no tail can be taken for
//! granted: on real tracks a normal one is wrong by orders of magnitude a few deviations out. So windows
//! are ranked. A window differs from a given z and effect on; `rarity` says which share of the windows
//! of its level has a z of that size or more, differences among them. It is not an error rate.

use super::LociError;
use super::completed::{CompletedCompendium, Source, SourcedExperiment};
use super::windows::{WindowBins, interval_of, means};
use crate::genome::{BIN_BP, GenomeAxis, Interval, Mask};
use crate::measures::{median, pearson};

/// Windows of one level, at least, whose spread is taken.
const FEWEST_A_LEVEL: usize = 200;
/// Levels at most.
const MOST_LEVELS: usize = 100;
/// Windows that there must be at least.
const FEWEST_WINDOWS: usize = 100;

/// Options of the search for differences.
#[derive(Debug, Clone)]
pub struct DiffOptions {
    /// Length of a window in bp; rounded to whole bins.
    pub window: u64,
    /// A window differs from this z on (spreads of its level) …
    pub min_z: f64,
    /// … from this effect on (arcsinh).
    pub min_effect: f64,
    /// Windows that differ the same way are one region if no more than so many others lie between.
    pub gap: usize,
    /// Whether a biosample without a track of the assay may be compared by what is imputed.
    pub count_imputed: bool,
}

impl Default for DiffOptions {
    fn default() -> Self {
        DiffOptions {
            window: 1_000,
            min_z: 4.0,
            min_effect: 0.5,
            gap: 1,
            count_imputed: false,
        }
    }
}

/// A region that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where it lies.
    pub interval: Interval,
    /// How many windows of it differ.
    pub n_windows: usize,
    /// Mean signal of the first biosample over its windows (arcsinh).
    pub first: f64,
    /// Mean signal of the second.
    pub second: f64,
    /// The mean effect: first − second, less what is usual at that level.
    pub effect: f64,
    /// z of its strongest window.
    pub z: f64,
    /// The share of windows of its level whose z is at least of the size of its strongest one's, that
    /// window included.
    pub rarity: f64,
}

/// Where two biosamples differ in an assay.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    /// The first, and whether it was measured.
    pub first: SourcedExperiment,
    /// The second.
    pub second: SourcedExperiment,
    /// Regions that differ: of the largest z first.
    pub regions: Vec<Difference>,
    /// Windows that were compared.
    pub n_windows: usize,
    /// Windows that differ.
    pub n_different: usize,
    /// The share of windows whose z is beyond ±1.96: 0.05 if nothing differs and noise is normal.
    pub beyond: f64,
    /// The correlation of the two over windows.
    pub correlation: Option<f64>,
}

/// Finds where two biosamples differ. `progress` receives how many bins are read of how many. Memory: some
/// hundred bytes a window.
///
/// ```
/// use persea::loci::{CompletedCompendium, DiffOptions, differences};
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// let compendium = CompletedCompendium::open(&database, None, true)?;
/// let options = DiffOptions::default();
/// let found = differences(&compendium, "S1", "S2", "H3K4me3", &options, &mut |_, _| {})?;
/// assert!(found.n_different <= found.n_windows);
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When the biosamples are one, a name is unknown, there are too few windows, or a chunk is damaged.
pub fn differences(
    compendium: &CompletedCompendium<'_>,
    first: &str,
    second: &str,
    assay: &str,
    options: &DiffOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<Differences> {
    if first == second {
        let why = format!("{first} and {second} are one biosample: nothing can differ");
        return Err(LociError::options(why).into());
    }
    let width = (options.window + BIN_BP / 2) / BIN_BP;
    if width == 0 || options.min_z.is_nan() || options.min_z < 0.0 || options.min_effect < 0.0 {
        let why = "windows have 25 bp or more, and the least z and effect are not negative";
        return Err(LociError::options(why).into());
    }
    let experiments = [
        compendium.experiment(first, assay)?,
        compendium.experiment(second, assay)?,
    ];
    let imputed = |e: &&SourcedExperiment| e.source == Source::Imputed;
    if let Some(imputed) = experiments
        .iter()
        .find(imputed)
        .filter(|_| !options.count_imputed)
    {
        return Err(LociError::NotMeasured {
            experiment: imputed.experiment.clone(),
        }
        .into());
    }
    let axis = compendium.axis();
    let mask = Mask::new(axis, &compendium.database().mask_intervals()?);
    let windows = tiles(axis, width);
    let reader = compendium.reader(&experiments)?;
    let means = means(&reader, &WindowBins::of_ranges(&windows), &mask, progress)?;
    let usable: Vec<usize> = (0..windows.len())
        .filter(|i| u64::from(means.n_bins[*i]) * 2 >= width)
        .collect();
    if usable.len() < FEWEST_WINDOWS {
        return Err(LociError::too_few(format!(
            "{} windows of {} bp that are not masked and in which both have data are too few to tell what is usual: shorten option `window`",
            usable.len(),
            width * BIN_BP
        ))
        .into());
    }
    let values: Vec<(f64, f64)> = (usable.iter())
        .map(|i| (means.of(*i)[0], means.of(*i)[1]))
        .collect();
    let scored = scores(&values);
    let rarity = rarities(&values, &scored);
    let differs: Vec<bool> = (scored.iter())
        .map(|s| {
            s.z.is_some_and(|z| z.abs() >= options.min_z) && s.effect.abs() >= options.min_effect
        })
        .collect();
    let mut regions = Vec::new();
    let mut at = 0;
    while at < usable.len() {
        if !differs[at] {
            at += 1;
            continue;
        }
        let is_up = scored[at].effect > 0.0;
        let (mut last, mut next) = (at, at + 1);
        while next < usable.len() && next - last <= options.gap + 1 {
            let (this, that) = (&windows[usable[last]], &windows[usable[next]]);
            let follows = axis.locate(this.start).region == axis.locate(that.start).region
                && that.start - this.end <= options.gap as u64 * width;
            if !follows {
                break;
            }
            if differs[next] && (scored[next].effect > 0.0) == is_up {
                last = next;
            }
            next += 1;
        }
        let members: Vec<usize> = (at..=last)
            .filter(|i| differs[*i] && (scored[*i].effect > 0.0) == is_up)
            .collect();
        let n = members.len() as f64;
        let mean = |of: &dyn Fn(usize) -> f64| members.iter().map(|i| of(*i)).sum::<f64>() / n;
        let size = |i: &usize| scored[*i].z.map_or(0.0, f64::abs);
        let strongest = members
            .iter()
            .copied()
            .max_by(|x, y| size(x).total_cmp(&size(y)));
        let strongest = strongest.unwrap_or(at);
        let bins = windows[usable[at]].start..windows[usable[last]].end;
        regions.push(Difference {
            interval: interval_of(axis, &bins),
            n_windows: members.len(),
            first: mean(&|i| values[i].0),
            second: mean(&|i| values[i].1),
            effect: mean(&|i| scored[i].effect),
            z: scored[strongest].z.unwrap_or(0.0),
            rarity: rarity[strongest].unwrap_or(1.0),
        });
        at = last + 1;
    }
    regions.sort_by(|a, b| {
        (b.z.abs().total_cmp(&a.z.abs())).then(b.effect.abs().total_cmp(&a.effect.abs()))
    });
    let n_z = scored.iter().filter(|s| s.z.is_some()).count();
    let tails = scored
        .iter()
        .filter(|s| s.z.is_some_and(|z| z.abs() > 1.96))
        .count();
    let column = |of: fn(&(f64, f64)) -> f64| values.iter().map(of).collect::<Vec<f64>>();
    let [first, second] = experiments;
    Ok(Differences {
        first,
        second,
        n_windows: usable.len(),
        n_different: differs.iter().filter(|d| **d).count(),
        beyond: tails as f64 / n_z.max(1) as f64,
        correlation: pearson(&column(|v| v.0), &column(|v| v.1)),
        regions,
    })
}

/// Windows side by side over all regions, in the axis' order; a region's last may be shorter.
fn tiles(axis: &GenomeAxis, width: u64) -> Vec<std::ops::Range<u64>> {
    let mut tiles = Vec::new();
    for region in axis.sorted_regions() {
        let own = axis.region_bins(*region);
        let starts = (own.start..own.end).step_by(width as usize);
        tiles.extend(starts.map(|first| first..own.end.min(first + width)));
    }
    tiles
}

/// A window's effect, and how unusual it is at its level.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Score {
    effect: f64,
    z: Option<f64>,
}

/// What is usual at a level: the median difference, and the spread about it.
#[derive(Debug, Clone, Copy)]
struct Usual {
    level: f64,
    median: f64,
    spread: f64,
}

fn scores(values: &[(f64, f64)]) -> Vec<Score> {
    let n = values.len();
    let level = |i: usize| (values[i].0 + values[i].1) / 2.0;
    let difference = |i: usize| values[i].0 - values[i].1;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| level(*a).total_cmp(&level(*b)));
    let size = n.div_ceil(MOST_LEVELS).max(FEWEST_A_LEVEL.min(n));
    let usual: Vec<Usual> = (order.chunks(size))
        .filter(|chunk| chunk.len() * 2 >= size)
        .map(|chunk| {
            let own = || chunk.iter().map(|i| difference(*i));
            let middle = median(own().collect()).unwrap_or(0.0);
            let deviations = || own().map(|d| (d - middle).abs());
            let mut spread = 1.4826 * median(deviations().collect()).unwrap_or(0.0);
            if spread == 0.0 {
                // Half of them are equal (zeros): √(π/2) times the mean deviation, which is as much
                // for a normal distribution.
                spread = 1.2533 * deviations().sum::<f64>() / chunk.len() as f64;
            }
            Usual {
                level: median(chunk.iter().map(|i| level(*i)).collect()).unwrap_or(0.0),
                median: middle,
                spread,
            }
        })
        .collect();
    let score = |i: usize| {
        let usual = between(&usual, level(i));
        let effect = difference(i) - usual.median;
        Score {
            effect,
            z: (usual.spread > 1e-9).then(|| effect / usual.spread),
        }
    };
    (0..n).map(score).collect()
}

/// Between the two nearest levels; beyond the first and last, theirs.
fn between(usual: &[Usual], level: f64) -> Usual {
    let next = usual.partition_point(|u| u.level <= level);
    let low = next.checked_sub(1).map(|i| usual[i]);
    match (low, usual.get(next)) {
        (Some(low), Some(high)) if high.level > low.level => {
            let share = (level - low.level) / (high.level - low.level);
            Usual {
                level,
                median: low.median + share * (high.median - low.median),
                spread: low.spread + share * (high.spread - low.spread),
            }
        }
        (Some(one), _) => one,
        (None, Some(one)) => *one,
        (None, None) => Usual {
            level,
            median: 0.0,
            spread: 0.0,
        },
    }
}

/// For each window the share of those of the nearest levels whose z is at least of its size.
fn rarities(values: &[(f64, f64)], scored: &[Score]) -> Vec<Option<f64>> {
    let level = |i: usize| (values[i].0 + values[i].1) / 2.0;
    let mut order: Vec<usize> = (0..values.len())
        .filter(|i| scored[*i].z.is_some())
        .collect();
    order.sort_by(|a, b| level(*a).total_cmp(&level(*b)));
    let mut rarities = vec![None; values.len()];
    let size = values.len().div_ceil(MOST_LEVELS).max(10 * FEWEST_A_LEVEL);
    for chunk in order.chunks(size) {
        let sizes = || chunk.iter().map(|i| scored[*i].z.map_or(0.0, f64::abs));
        let mut sorted: Vec<f64> = sizes().collect();
        sorted.sort_by(f64::total_cmp);
        for (window, z) in chunk.iter().zip(sizes()) {
            let as_far = sorted.len() - sorted.partition_point(|other| *other < z);
            rarities[*window] = Some(as_far as f64 / sorted.len() as f64);
        }
    }
    rarities
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use rand_chacha::rand_core::RngCore;

    fn noisy(seed: u64, scale: f64, change: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        let mut random = generator(seed, Purpose::Bins, 0);
        let mut normal = || {
            let unit = |n: u32| (f64::from(n) + 0.5) / 4_294_967_296.0;
            let (u, v) = (unit(random.next_u32()), unit(random.next_u32()));
            (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
        };
        (0..20_000)
            .map(|i| {
                let level = (i % 100) as f64 / 25.0;
                let noise = 0.05 + 0.1 * level;
                let first = scale * level + noise * normal() + change(i);
                (first, level + noise * normal())
            })
            .collect()
    }

    /// The same with noise whose tail is that of Student's distribution with three degrees of freedom.
    fn heavy(seed: u64, change: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        let (a, b, c) = (
            noisy(seed, 1.0, |_| 0.0),
            noisy(seed + 1, 1.0, |_| 0.0),
            noisy(seed + 2, 1.0, |_| 0.0),
        );
        let noise = |i: usize| {
            let of = |(x, y): (f64, f64)| x - y;
            let (b0, b1) = (of(b[i]), of(c[i]));
            let scale = ((b0 * b0 + b1 * b1 + of(b[(i + 100) % 20_000]).powi(2)) / 3.0).sqrt();
            of(a[i]) / scale.max(1e-6) * 0.2
        };
        let level = |i: usize| (i % 100) as f64 / 25.0;
        (0..20_000)
            .map(|i| (level(i) + noise(i) + change(i), level(i)))
            .collect()
    }

    #[test]
    fn where_nothing_differs_a_rank_is_as_rare_as_it_says_whatever_the_tail() {
        for values in [noisy(1, 0.6, |_| 0.0), heavy(11, |_| 0.0)] {
            let scored = scores(&values);
            let rarity = rarities(&values, &scored);
            for limit in [0.001, 0.01, 0.1] {
                let within = rarity.iter().flatten().filter(|r| **r <= limit).count();
                let share = within as f64 / 20_000.0;
                assert!(
                    (share - limit).abs() <= 0.1 * limit + 1e-4,
                    "{limit}: {share}"
                );
            }
        }
        // What a normal tail would call impossible is common in the heavy one: 4.5 spreads out it has
        // 7e-6 of the windows.
        let scored = scores(&heavy(11, |_| 0.0));
        let far = |s: &&Score| s.z.is_some_and(|z| z.abs() >= 4.5);
        let share = scored.iter().filter(far).count() as f64 / 20_000.0;
        assert!(share > 100.0 * 7e-6, "{share}");
    }

    #[test]
    fn planted_differences_come_first_and_how_much_is_said() {
        // One window in a hundred has 3 more.
        let values = noisy(2, 1.0, |i| if i % 100 == 7 { 3.0 } else { 0.0 });
        let scored = scores(&values);
        let mut order: Vec<usize> = (0..20_000).collect();
        let size = |i: &usize| scored[*i].z.map_or(0.0, f64::abs);
        order.sort_by(|a, b| size(b).total_cmp(&size(a)));
        let right = order[..200].iter().filter(|i| *i % 100 == 7).count();
        assert!(right >= 190, "{right} of 200");
        let effects: Vec<f64> = (0..200).map(|i| scored[100 * i + 7].effect).collect();
        let mean = effects.iter().sum::<f64>() / 200.0;
        assert!((mean - 3.0).abs() < 0.2, "{mean}");
    }

    #[test]
    fn identical_tracks_differ_nowhere() {
        let same: Vec<(f64, f64)> = (0..500)
            .map(|i| (f64::from(i % 9), f64::from(i % 9)))
            .collect();
        let scored = scores(&same);
        assert!(scored.iter().all(|s| s.effect == 0.0 && s.z.is_none()));
    }
}
