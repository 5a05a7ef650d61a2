//! Tracks over windows of 250 bp: values, and ranks.

use rayon::prelude::*;

use crate::measures::Ranks;

/// Tracks over the same windows, in groups of the genome.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackWindows {
    /// A value a window, for each track (arcsinh); NaN where it has no data.
    pub(super) values: Vec<Vec<f32>>,
    /// Their ranks among the track's windows with data, from 0 to 1, equal values sharing theirs; NaN without.
    pub(super) ranks: Vec<Vec<f32>>,
    /// The group of each window.
    pub(super) group: Vec<u8>,
    pub(super) n_groups: usize,
}

impl TrackWindows {
    /// Of tracks' values, a window each, in the order of the genome; the windows are cut into
    /// `n_groups` (255 at most) stretches of equally many.
    pub fn new(values: Vec<Vec<f32>>, n_groups: usize) -> Self {
        let n = values.first().map_or(0, Vec::len);
        let n_groups = n_groups.clamp(1, 255);
        let ranks = values.par_iter().map(|v| ranks(v)).collect();
        TrackWindows {
            ranks,
            values,
            group: (0..n).map(|i| (i * n_groups / n.max(1)) as u8).collect(),
            n_groups,
        }
    }

    /// How many windows.
    pub fn n_windows(&self) -> usize {
        self.group.len()
    }

    /// The correlation of two series over the windows at which both are known: over all, then with each group
    /// left out; `None` where one does not vary.
    pub(super) fn correlations(
        &self,
        x: impl Iterator<Item = f32>,
        y: impl Iterator<Item = f32>,
    ) -> Option<Vec<f64>> {
        let mut sums = vec![[0f64; 6]; self.n_groups];
        for ((x, y), group) in x.zip(y).zip(&self.group) {
            let (x, y) = (f64::from(x), f64::from(y));
            if x.is_nan() || y.is_nan() {
                continue;
            }
            let of = &mut sums[usize::from(*group)];
            for (sum, part) in of.iter_mut().zip([1.0, x, y, x * x, y * y, x * y]) {
                *sum += part;
            }
        }
        let add = |mut a: [f64; 6], b: &[f64; 6], sign: f64| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += sign * b);
            a
        };
        let all = sums.iter().fold([0.0; 6], |all, part| add(all, part, 1.0));
        let mut found = vec![correlation(&all)?];
        if self.n_groups > 1 {
            for part in &sums {
                found.push(correlation(&add(all, part, -1.0))?);
            }
        }
        Some(found)
    }
}

/// From the number and the sums of x, y, x², y², xy.
fn correlation([n, x, y, xx, yy, xy]: &[f64; 6]) -> Option<f64> {
    let (x, y) = (x / n, y / n);
    let (vx, vy) = (xx / n - x * x, yy / n - y * y);
    // What rounding leaves of a constant's variance is none.
    let varies = vx > 1e-12 * (xx / n) && vy > 1e-12 * (yy / n);
    varies.then(|| ((xy / n - x * y) / (vx * vy).sqrt()).clamp(-1.0, 1.0))
}

fn ranks(values: &[f32]) -> Vec<f32> {
    let known: Vec<usize> = (0..values.len()).filter(|i| !values[*i].is_nan()).collect();
    let n = known.len().max(1) as f64;
    let of_known: Vec<f32> = known.iter().map(|i| values[*i]).collect();
    let ranks = Ranks::of(&of_known);
    let mut all = vec![f32::NAN; values.len()];
    for (place, i) in known.into_iter().enumerate() {
        let rank = ranks.as_ref().and_then(|r| r.get(place));
        all[i] = (rank.unwrap_or(0.0) / n) as f32;
    }
    all
}

/// A value and its standard error, by leaving out each group in turn (jackknife): of the value over
/// all windows, followed by that without each group.
pub(super) fn with_error(found: &[f64]) -> (f64, Option<f64>) {
    let (whole, without) = match found.split_first() {
        Some((whole, without)) => (*whole, without),
        None => return (f64::NAN, None),
    };
    let n = without.len() as f64;
    let mean = without.iter().sum::<f64>() / n;
    let squares: f64 = without.iter().map(|v| (v - mean) * (v - mean)).sum();
    let error = ((n - 1.0) / n * squares).sqrt();
    (whole, (n > 1.0 && error > 0.0).then_some(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures::pearson;

    #[test]
    fn correlations_are_those_of_the_windows_that_are_left() {
        let x = vec![1.0f32, 2.0, 0.0, 4.0, 3.0, 1.5];
        let y = vec![0.5f32, 1.0, 1.0, 3.0, 0.0, 2.0];
        let windows = TrackWindows::new(vec![x.clone(), y.clone()], 3);
        let found = windows
            .correlations(x.iter().copied(), y.iter().copied())
            .unwrap();
        assert!((found[0] - pearson(&x, &y).unwrap()).abs() < 1e-12);
        let without = |v: &[f32]| [&v[..2], &v[4..]].concat();
        assert!((found[2] - pearson(&without(&x), &without(&y)).unwrap()).abs() < 1e-12);
        let flat = std::iter::repeat_n(0.3f32, 6);
        assert_eq!(windows.correlations(x.iter().copied(), flat), None);
        // Ranks 1 to 6 over 6; equal values share theirs.
        assert_eq!(windows.ranks[1][1], windows.ranks[1][2]);
    }

    #[test]
    fn windows_without_data_are_in_no_rank_and_no_correlation() {
        let nan = f32::NAN;
        let x = vec![1.0f32, nan, 0.0, 4.0, 3.0, 1.5];
        let y = vec![0.5f32, 1.0, 1.0, nan, 0.0, 2.0];
        let windows = TrackWindows::new(vec![x.clone(), y.clone()], 2);
        // Of 1, 0, 4, 3 and 1.5.
        assert_eq!(windows.ranks[0][0], 0.4);
        assert!(windows.ranks[0][1].is_nan());
        let found = windows
            .correlations(x.iter().copied(), y.iter().copied())
            .unwrap();
        let known = pearson(&[1.0f32, 0.0, 3.0, 1.5], &[0.5, 1.0, 0.0, 2.0]).unwrap();
        assert!((found[0] - known).abs() < 1e-12);
    }

    #[test]
    fn the_jackknife_of_a_mean_is_its_standard_error() {
        // Of 1, 2, 6: mean 3, variance 7, error √(7/3).
        let (mean, error) = with_error(&[3.0, 4.0, 3.5, 1.5]);
        assert_eq!(mean, 3.0);
        assert!((error.unwrap() - (7.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(with_error(&[0.4]), (0.4, None));
    }
}
