//! The probes once more, written from the definitions alone: f64, whole arrays, one bin at a time.

use super::super::signal::REACHES;
use super::world::World;
use crate::genome::Resolution;
use crate::measures::pearson;

/// Rows of numbers.
pub type Numbers = Vec<Vec<f64>>;

/// The second implementation.
pub struct Naive<'a> {
    world: &'a World,
    region: Vec<usize>,
    /// Region and chromosome bin.
    place: Vec<(usize, u64)>,
}

impl<'a> Naive<'a> {
    pub fn new(world: &'a World) -> Self {
        let place: Vec<(usize, u64)> = (0..world.n() as u64)
            .map(|bin| {
                let at = world.axis.locate(bin);
                (at.region, at.chrom_bin)
            })
            .collect();
        Naive {
            region: place.iter().map(|p| p.0).collect(),
            world,
            place,
        }
    }

    fn unmasked(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.world.n()).filter(|bin| !self.world.masked[*bin])
    }

    /// Signal tracks, a bin without data being the track's mean.
    fn filled(&self) -> Vec<Vec<f64>> {
        let fill = |track: &Vec<f32>| {
            let known = self.unmasked().map(|b| track[b]).filter(|v| !v.is_nan());
            let known: Vec<f64> = known.map(f64::from).collect();
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            let value = |v: &f32| if v.is_nan() { mean } else { f64::from(*v) };
            track.iter().map(value).collect()
        };
        self.world.signal.iter().map(fill).collect()
    }

    fn mean_where(&self, track: &[f64], bin: usize, is_in: impl Fn(usize) -> bool) -> f64 {
        // No window or row reaches further.
        let near = bin.saturating_sub(800)..(bin + 801).min(track.len());
        let values: Vec<f64> = (near.filter(|b| self.region[*b] == self.region[bin]))
            .filter(|b| is_in(*b))
            .map(|b| track[b])
            .collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    pub fn resolutions(&self) -> Numbers {
        let tracks = self.filled();
        let row = |bin: usize| {
            let same =
                |bins: u64| move |b: usize| self.place[b].1 / bins == self.place[bin].1 / bins;
            let mut row: Vec<f64> = tracks.iter().map(|t| t[bin]).collect();
            row.extend(tracks.iter().map(|t| self.mean_where(t, bin, same(10))));
            row.extend(tracks.iter().map(|t| self.mean_where(t, bin, same(200))));
            row
        };
        (0..self.world.n()).map(row).collect()
    }

    pub fn windows(&self) -> Numbers {
        let tracks = self.filled();
        let row = |bin: usize| {
            let over = |reach: usize| {
                let within = move |b: usize| b.abs_diff(bin) <= reach;
                tracks
                    .iter()
                    .map(move |t| self.mean_where(t, bin, within))
                    .collect::<Vec<f64>>()
            };
            REACHES.into_iter().flat_map(over).collect()
        };
        (0..self.world.n()).map(row).collect()
    }

    pub fn standardised(&self, numbers: &Numbers) -> Numbers {
        let n = self.unmasked().count() as f64;
        let scales: Vec<(f64, f64)> = (0..numbers[0].len())
            .map(|j| {
                let mean = self.unmasked().map(|b| numbers[b][j]).sum::<f64>() / n;
                let squares = self
                    .unmasked()
                    .map(|b| (numbers[b][j] - mean).powi(2))
                    .sum::<f64>();
                (mean, (squares / n).sqrt() + 1e-6)
            })
            .collect();
        let row = |row: &Vec<f64>| {
            row.iter()
                .zip(&scales)
                .map(|(v, (m, d))| (v - m) / d)
                .collect()
        };
        numbers.iter().map(row).collect()
    }

    pub fn components(&self, numbers: &Numbers, k: usize) -> Numbers {
        let (x, width) = (self.standardised(numbers), numbers[0].len());
        let n = self.unmasked().count() as f64;
        let gram = ndarray::Array2::from_shape_fn((width, width), |(i, j)| {
            self.unmasked().map(|b| x[b][i] * x[b][j]).sum::<f64>() / n
        });
        let (_, vectors) = crate::linear::eigen(gram);
        let project = |row: &Vec<f64>| {
            let along = |c| (0..width).map(|i| row[i] * vectors[[i, c]]).sum();
            (0..k).map(along).collect()
        };
        x.iter().map(project).collect()
    }

    /// Ridge regression by the normal equations of each fold, solved by elimination.
    pub fn linear(&self, numbers: &Numbers, track: &[f32]) -> Option<f64> {
        let x = self.standardised(numbers);
        let width = x[0].len();
        let known: Vec<usize> = self.unmasked().filter(|b| !track[*b].is_nan()).collect();
        let y = |b: usize| f64::from(track[b]);
        let (mut observed, mut predicted) = (Vec::new(), Vec::new());
        for fold in 0..5 {
            let (test, train): (Vec<usize>, Vec<usize>) =
                known.iter().partition(|b| self.region[**b] % 5 == fold);
            if train.is_empty() {
                continue;
            }
            let n = train.len() as f64;
            let center: Vec<f64> = (0..width)
                .map(|j| train.iter().map(|b| x[*b][j]).sum::<f64>() / n)
                .collect();
            let offset = train.iter().map(|b| y(*b)).sum::<f64>() / n;
            let mut system = vec![vec![0.0; width + 1]; width];
            for (i, row) in system.iter_mut().enumerate() {
                for b in &train {
                    let left = (x[*b][i] - center[i]) / n;
                    for j in 0..width {
                        row[j] += left * (x[*b][j] - center[j]);
                    }
                    row[width] += left * (y(*b) - offset);
                }
                row[i] += 1e-3;
            }
            let weights = eliminate(system);
            for b in test {
                let terms = (0..width).map(|j| weights[j] * (x[b][j] - center[j]));
                predicted.push(offset + terms.sum::<f64>());
                observed.push(y(b));
            }
        }
        pearson(&observed, &predicted)
    }

    /// Each query's 50 nearest bins in other regions, one a 5 kbp row, with the rows.
    pub fn nearest(&self, numbers: &Numbers, queries: &[u64]) -> Vec<Vec<(usize, u64)>> {
        let row = |bin: usize| {
            let (region, at) = self.place[bin];
            self.world.axis.row(Resolution::Kbp5, region, at)
        };
        let of_query = |query: &u64| {
            let query = *query as usize;
            let distance = |bin: usize| -> f64 {
                let pairs = numbers[bin].iter().zip(&numbers[query]);
                pairs.map(|(a, b)| (a - b).powi(2)).sum()
            };
            let mut best: Vec<(f64, usize, u64)> = Vec::new();
            for bin in self
                .unmasked()
                .filter(|b| self.region[*b] != self.region[query])
            {
                let d = distance(bin);
                match best.last_mut() {
                    Some(last) if last.2 == row(bin) => {
                        if d < last.0 {
                            *last = (d, bin, row(bin));
                        }
                    }
                    _ => best.push((d, bin, row(bin))),
                }
            }
            best.sort_by(|a, b| a.0.total_cmp(&b.0));
            best.into_iter()
                .take(50)
                .map(|(_, bin, row)| (bin, row))
                .collect()
        };
        queries.iter().map(of_query).collect()
    }

    pub fn neighbours(
        &self,
        near: &[Vec<(usize, u64)>],
        queries: &[u64],
        track: &[f32],
    ) -> Option<f64> {
        let (mut observed, mut predicted) = (Vec::new(), Vec::new());
        for (near, query) in near.iter().zip(queries) {
            let known = near
                .iter()
                .map(|(bin, _)| track[*bin])
                .filter(|v| !v.is_nan());
            let known: Vec<f64> = known.map(f64::from).collect();
            let y = f64::from(track[*query as usize]);
            if !y.is_nan() && !known.is_empty() {
                observed.push(y);
                predicted.push(known.iter().sum::<f64>() / known.len() as f64);
            }
        }
        pearson(&observed, &predicted)
    }
}

/// Solves a system whose last column is the right-hand side, by Gaussian elimination.
fn eliminate(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let n = rows.len();
    for i in 0..n {
        let pivot = (i..n)
            .max_by(|a, b| rows[*a][i].abs().total_cmp(&rows[*b][i].abs()))
            .unwrap();
        rows.swap(i, pivot);
        let top = rows[i].clone();
        for row in &mut rows[i + 1..] {
            let factor = row[i] / top[i];
            row.iter_mut().zip(&top).for_each(|(v, t)| *v -= factor * t);
        }
    }
    let mut x = vec![0.0; n];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| rows[i][j] * x[j]).sum();
        x[i] = (rows[i][n] - known) / rows[i][i];
    }
    x
}
