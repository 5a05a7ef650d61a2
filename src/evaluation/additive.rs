//! The additive model: at every bin, signal = effect of the assay + effect of the biosample.

use std::collections::HashMap;

use crate::compendium::Experiment;

/// The least-squares prediction of the additive model for one experiment, as weights of the
/// training tracks: the design is the same at every bin, so one solution serves the whole genome.
///
/// Empty when the effects cannot be estimated: the biosample or the assay has no training track, or no
/// chain of tracks with a biosample or an assay in common joins the two. The target itself is
/// never used.
pub(super) fn additive_weights(training: &[Experiment], target: &Experiment) -> Vec<(usize, f64)> {
    let mut effects: HashMap<(bool, &str), usize> = HashMap::new();
    let mut tracks: Vec<(usize, [usize; 2])> = Vec::new();
    for (track, experiment) in training.iter().enumerate() {
        if experiment == target {
            continue;
        }
        let of = [(true, &*experiment.biosample), (false, &*experiment.assay)].map(|effect| {
            let next = effects.len();
            *effects.entry(effect).or_insert(next)
        });
        tracks.push((track, of));
    }
    let (Some(biosample), Some(assay)) = (
        effects.get(&(true, &*target.biosample)).copied(),
        effects.get(&(false, &*target.assay)).copied(),
    ) else {
        return Vec::new();
    };
    let joined = joined_to(biosample, effects.len(), &tracks);
    if !joined[assay] {
        return Vec::new();
    }
    tracks.retain(|(_, [biosample, _])| joined[*biosample]);

    // Only sums of the two effects can be estimated, so the biosample's own is set to 0 and the assay's
    // is the prediction. The other effects joined to it are the unknowns.
    let mut unknown = vec![None; effects.len()];
    let mut n = 0;
    for effect in 0..effects.len() {
        if joined[effect] && effect != biosample {
            unknown[effect] = Some(n);
            n += 1;
        }
    }
    let mut normal = vec![0.0; n * n];
    for (_, of) in &tracks {
        let of = of.map(|effect| unknown[effect]);
        for row in of.into_iter().flatten() {
            for column in of.into_iter().flatten() {
                normal[row * n + column] += 1.0;
            }
        }
    }
    let mut solution = vec![0.0; n];
    if let Some(row) = unknown[assay] {
        solution[row] = 1.0;
    }
    crate::linear::solve_positive_definite(&mut normal, &mut solution);
    let value = |effect: usize| unknown[effect].map_or(0.0, |i| solution[i]);
    tracks
        .into_iter()
        .map(|(track, of)| (track, of.into_iter().map(value).sum()))
        .collect()
}

/// Which effects are joined to one by tracks, itself included.
fn joined_to(start: usize, n_effects: usize, tracks: &[(usize, [usize; 2])]) -> Vec<bool> {
    let mut joined = vec![false; n_effects];
    joined[start] = true;
    loop {
        let mut grown = false;
        for (_, [a, b]) in tracks {
            if joined[*a] != joined[*b] {
                (joined[*a], joined[*b]) = (true, true);
                grown = true;
            }
        }
        if !grown {
            return joined;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiments(names: &[&str]) -> Vec<Experiment> {
        let parts = names.iter().map(|n| n.split_at(1));
        parts.map(|(b, a)| Experiment::new(b, a)).collect()
    }

    #[test]
    fn three_corners_of_a_square_give_the_fourth() {
        let training = experiments(&["xQ", "yQ", "yP"]);
        let weights = additive_weights(&training, &Experiment::new("x", "P"));
        assert_eq!(weights.len(), 3);
        for ((track, weight), expected) in weights.into_iter().zip([1.0, -1.0, 1.0]) {
            assert!((weight - expected).abs() < 1e-12, "track {track}: {weight}");
        }
    }

    #[test]
    fn signal_that_is_additive_comes_back_whole_from_an_uneven_table() {
        // x and y have all three assays, z and w one each; the last target is in training itself.
        let training = experiments(&["xP", "xQ", "xR", "yP", "yQ", "yR", "zQ", "wR"]);
        let biosamples = HashMap::from([("x", 1.0), ("y", -2.0), ("z", 0.5), ("w", 9.0)]);
        let assays = HashMap::from([("P", 10.0), ("Q", 20.0), ("R", 40.0)]);
        let truth = |e: &Experiment| biosamples[&*e.biosample] + assays[&*e.assay];
        for (b, a) in [("z", "P"), ("w", "Q"), ("x", "P")] {
            let target = Experiment::new(b, a);
            let weights = additive_weights(&training, &target);
            let predicted: f64 = weights.iter().map(|(t, w)| w * truth(&training[*t])).sum();
            assert!((predicted - truth(&target)).abs() < 1e-10, "{predicted}");
            assert!(weights.iter().all(|(t, _)| training[*t] != target));
        }
    }

    #[test]
    fn effects_that_no_track_joins_are_undefined() {
        let training = experiments(&["xQ", "yP"]);
        assert!(additive_weights(&training, &Experiment::new("x", "P")).is_empty());
        assert!(additive_weights(&training, &Experiment::new("z", "P")).is_empty());
        assert!(additive_weights(&training, &Experiment::new("x", "R")).is_empty());
        assert!(additive_weights(&[], &Experiment::new("x", "R")).is_empty());
        // The target alone would join them, and is not used.
        let with_target = experiments(&["xQ", "yP", "xP"]);
        assert!(additive_weights(&with_target, &Experiment::new("x", "P")).is_empty());
    }
}
