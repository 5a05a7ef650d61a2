//! Which tracks the least squares of the factors leave out, row by row.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use crate::random::{Purpose, below, generator};

/// The least and the largest share of tracks that a row leaves out where they are drawn one by one.
const SHARE: [f64; 2] = [0.1, 0.7];

/// Draws the weights of the tracks of one row after another: for half of the rows the tracks of one biosample
/// are left out, for the others, and for all where there is one biosample, a random share. The draws are the same for every seed of a training, so that
/// seeds do not differ by them.
pub(super) struct Masks<'a> {
    biosamples: &'a [u32],
    /// Whether anything is left without one of them.
    has_several: bool,
    generator: ChaCha8Rng,
    mask: Vec<f32>,
}

impl<'a> Masks<'a> {
    /// Of tracks of these biosamples; `stream` numbers the rows' stretch and resolution.
    pub fn new(biosamples: &'a [u32], stream: u64) -> Self {
        Masks {
            biosamples,
            has_several: biosamples.iter().any(|b| *b != biosamples[0]),
            generator: generator(0, Purpose::Encoder, (5 << 60) + stream),
            mask: vec![1.0; biosamples.len()],
        }
    }

    /// The next row's weights: 0 for a track that is left out, 1 for the others.
    pub fn draw(&mut self) -> &[f32] {
        let rng = &mut self.generator;
        if self.has_several && below(rng, 2) == 0 {
            // A biosample is drawn as often as it has tracks.
            let of = self.biosamples[below(rng, self.biosamples.len() as u32) as usize];
            for (weight, biosample) in self.mask.iter_mut().zip(self.biosamples) {
                *weight = f32::from(u8::from(*biosample != of));
            }
        } else {
            let mut unit = || f64::from(rng.next_u32()) / f64::from(u32::MAX);
            let share = SHARE[0] + (SHARE[1] - SHARE[0]) * unit();
            for weight in &mut self.mask {
                *weight = f32::from(u8::from(unit() >= share));
            }
        }
        &self.mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_rows_leave_out_one_biosample_and_the_others_a_share_of_the_tracks() {
        let biosamples: Vec<u32> = (0..40).map(|t| t / 10).collect();
        let mut masks = Masks::new(&biosamples, 3);
        let (mut whole, mut left_out) = ([0u32; 4], 0.0);
        let n = 4000;
        for _ in 0..n {
            let mask = masks.draw();
            let out: Vec<usize> = (0..40).filter(|t| mask[*t] == 0.0).collect();
            assert!(mask.iter().all(|m| *m == 0.0 || *m == 1.0));
            let of = out.first().map_or(0, |t| t / 10);
            match out == (of * 10..of * 10 + 10).collect::<Vec<_>>() {
                true => whole[of] += 1,
                false => left_out += out.len() as f64 / 40.0,
            }
        }
        let n_whole: u32 = whole.iter().sum();
        assert!(
            (f64::from(n_whole) / f64::from(n) - 0.5).abs() < 0.03,
            "{whole:?}"
        );
        assert!(whole.iter().all(|w| (400..600).contains(w)), "{whole:?}");
        // Shares from .1 to .7 alike: .4 on average.
        let mean = left_out / f64::from(n as u32 - n_whole);
        assert!((mean - 0.4).abs() < 0.02, "{mean}");
    }

    #[test]
    fn tracks_of_one_biosample_are_never_all_left_out_as_a_biosample() {
        let mut masks = Masks::new(&[7; 40], 3);
        for _ in 0..1000 {
            let n_out = masks.draw().iter().filter(|m| **m == 0.0).count();
            // 40 tracks, each left out with a probability of at most .7.
            assert!(n_out < 40);
        }
    }

    #[test]
    fn draws_repeat_and_streams_differ() {
        let biosamples = [0, 0, 1, 1, 2, 2];
        let draws = |stream| {
            let mut masks = Masks::new(&biosamples, stream);
            (0..20)
                .flat_map(|_| masks.draw().to_vec())
                .collect::<Vec<f32>>()
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }
}
