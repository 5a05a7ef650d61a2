//! Which training tracks validate, to decide when to stop.

use crate::random::{Purpose, generator, shuffle};

use super::TrainingTrack;

/// Draws validation tracks so that every biosample and every assay keeps two training tracks: a
/// fifth of the tracks where that leaves enough, as many as it allows otherwise. May be none. Each
/// search has a draw of its own.
pub fn draw(tracks: &[TrainingTrack], seed: u64, search: u64) -> Vec<usize> {
    let wanted = tracks.len().div_ceil(5);
    let count = |of: &dyn Fn(&TrainingTrack) -> u32| {
        let mut counts = std::collections::HashMap::<u32, usize>::new();
        for track in tracks {
            *counts.entry(of(track)).or_default() += 1;
        }
        counts
    };
    let mut left_b = count(&|t| t.biosample.1);
    let mut left_a = count(&|t| t.assay.1);
    let mut order: Vec<usize> = (0..tracks.len()).collect();
    shuffle(
        &mut generator(seed, Purpose::Validation, search),
        &mut order,
    );
    let mut drawn: Vec<usize> = Vec::new();
    // First tracks of biosamples and assays that none validates yet; then any.
    for fresh_only in [true, false] {
        for i in &order {
            let track = &tracks[*i];
            let fresh = !drawn.iter().any(|d| {
                tracks[*d].biosample.1 == track.biosample.1 || tracks[*d].assay.1 == track.assay.1
            });
            let (b, a) = (track.biosample.1, track.assay.1);
            let spare = left_b[&b] > 2 && left_a[&a] > 2;
            if drawn.len() < wanted && spare && !drawn.contains(i) && (fresh || !fresh_only) {
                drawn.push(*i);
                left_b.entry(b).and_modify(|n| *n -= 1);
                left_a.entry(a).and_modify(|n| *n -= 1);
            }
        }
    }
    drawn.sort_unstable();
    drawn
}

/// Draws tracks to hold out of training and score on, by the same rule, from (biosample, assay)
/// pairs. May be none.
pub fn draw_held_out(pairs: &[(String, String)], seed: u64) -> Vec<(String, String)> {
    // The first pair that has the name.
    let place = |name: &str, of: fn(&(String, String)) -> &str| {
        pairs.iter().take_while(|p| of(p) != name).count() as u32
    };
    let tracks: Vec<TrainingTrack> = (pairs.iter())
        .map(|(b, a)| TrainingTrack {
            biosample: (b.clone(), place(b, |p| &p.0)),
            assay: (a.clone(), place(a, |p| &p.1)),
        })
        .collect();
    // Another draw than the one that will validate among the rest.
    draw(&tracks, seed, u64::MAX)
        .into_iter()
        .map(|i| pairs[i].clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(n_biosamples: u32, n_assays: u32) -> Vec<TrainingTrack> {
        (0..n_biosamples)
            .flat_map(|b| (0..n_assays).map(move |a| (b, a)))
            .map(|(b, a)| TrainingTrack {
                biosample: (format!("b{b}"), b),
                assay: (format!("a{a}"), a),
            })
            .collect()
    }

    #[test]
    fn every_biosample_and_assay_keeps_two_tracks() {
        for (b, a) in [(4, 4), (3, 5), (3, 3), (8, 2)] {
            let tracks = grid(b, a);
            let drawn = draw(&tracks, 3, 0);
            for i in 0..b {
                let kept = (0..tracks.len())
                    .filter(|t| tracks[*t].biosample.1 == i && !drawn.contains(t))
                    .count();
                assert!(kept >= 2);
            }
            for i in 0..a {
                let kept = (0..tracks.len())
                    .filter(|t| tracks[*t].assay.1 == i && !drawn.contains(t))
                    .count();
                assert!(kept >= 2);
            }
        }
        assert_eq!(draw(&grid(4, 4), 3, 0).len(), 4);
        assert_ne!(draw(&grid(4, 4), 3, 0), draw(&grid(4, 4), 3, 1));
    }

    #[test]
    fn a_compendium_with_nothing_to_spare_validates_on_nothing() {
        assert!(draw(&grid(2, 2), 1, 0).is_empty());
    }
}
