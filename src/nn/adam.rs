//! Adam with decoupled weight decay: the one update of parameters, dense or by rows.
//!
//! Keras' form (Kingma & Ba 2015, end of section 2), p −= αₜ m / (√v + ε) with
//! αₜ = lrₜ √(1−β₂ᵗ) / (1−β₁ᵗ), after p ← (1 − αₜ λ) p (Loshchilov & Hutter 2019).
//! [`super::LazyTable`] applies it to the rows that a step touches.

use rayon::prelude::*;

use super::vectors::wide;

/// How the learning rate changes over the steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// It does not.
    Constant,
    /// Half a cosine from the full rate to a hundredth of it over so many steps.
    Cosine {
        /// The steps of the whole training.
        steps: u64,
    },
}

/// The optimiser's settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Learning rate before the schedule.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
}

impl Default for Adam {
    /// 1e-3, 0.9, 0.999, 1e-7: Keras' defaults, which the original uses.
    fn default() -> Self {
        Adam {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-7,
            schedule: Schedule::Constant,
        }
    }
}

impl Adam {
    /// The learning rate at a step, counted from 1.
    pub fn rate(&self, step: u32) -> f64 {
        match self.schedule {
            Schedule::Constant => self.learning_rate,
            Schedule::Cosine { steps } => {
                let done = (f64::from(step) / steps.max(1) as f64).min(1.0);
                let wave = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
                self.learning_rate * (0.01 + 0.99 * wave)
            }
        }
    }

    /// αₜ: the rate with both bias corrections, at a step counted from 1.
    pub fn alpha(&self, step: u32) -> f64 {
        let t = f64::from(step);
        self.rate(step) * (1.0 - self.beta2.powf(t)).sqrt() / (1.0 - self.beta1.powf(t))
    }
}

/// One step's numbers, as they cross the seam.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(crate) struct AdamStep {
    /// αₜ: the rate with both bias corrections.
    pub alpha: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Share that a step takes away from each weight, αₜ λ; nothing from biases and factors.
    pub decay: f64,
}

impl AdamStep {
    /// Of a step, counted from 1.
    pub fn new(adam: &Adam, step: u32, weight_decay: f64) -> Self {
        let alpha = adam.alpha(step);
        AdamStep {
            alpha,
            beta1: adam.beta1,
            beta2: adam.beta2,
            epsilon: adam.epsilon,
            decay: alpha * weight_decay,
        }
    }

    /// In f32, without weight decay.
    pub fn rates(&self) -> Rates {
        Rates {
            take1: (1.0 - self.beta1) as f32,
            take2: (1.0 - self.beta2) as f32,
            alpha: self.alpha as f32,
            epsilon: self.epsilon as f32,
            keep: 1.0,
        }
    }

    /// In f32, for parameters that weight decay shrinks.
    pub fn decaying_rates(&self) -> Rates {
        Rates {
            keep: (1.0 - self.decay) as f32,
            ..self.rates()
        }
    }
}

/// What [`adam_step`] multiplies by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    /// What the first moment takes of a gradient.
    take1: f32,
    /// What the second moment takes of its square.
    take2: f32,
    alpha: f32,
    epsilon: f32,
    /// What weight decay leaves of a value.
    keep: f32,
}

/// Adam's step for values with their moments, on this thread.
pub(crate) fn adam_step(
    values: &mut [f32],
    first: &mut [f32],
    second: &mut [f32],
    gradient: &[f32],
    rates: &Rates,
) {
    let Rates {
        take1,
        take2,
        alpha,
        epsilon,
        keep,
    } = *rates;
    wide(
        #[inline(always)]
        || {
            for (((p, m), v), g) in (values.iter_mut().zip(first.iter_mut()))
                .zip(second.iter_mut())
                .zip(gradient)
            {
                *m += (g - *m) * take1;
                *v += (g * g - *v) * take2;
                *p = keep * *p - alpha * *m / (v.sqrt() + epsilon);
            }
        },
    );
}

/// [`adam_step`] on all threads.
pub(crate) fn adam_step_on_all_threads(
    values: &mut [f32],
    first: &mut [f32],
    second: &mut [f32],
    gradient: &[f32],
    rates: &Rates,
) {
    const PIECE: usize = 1 << 14;
    let pieces = (values.par_chunks_mut(PIECE))
        .zip(first.par_chunks_mut(PIECE))
        .zip(second.par_chunks_mut(PIECE))
        .zip(gradient.par_chunks(PIECE));
    pieces.for_each(|(((values, first), second), gradient)| {
        adam_step(values, first, second, gradient, rates);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_step_moves_by_the_rate_against_the_gradients_sign() {
        // m = 0.1 g, v = 0.001 g², α₁ = lr √0.001 / 0.1: the step is lr g / (|g| + ε′).
        let step = AdamStep::new(&Adam::default(), 1, 0.0);
        let (mut values, mut first, mut second) = ([1.0, 1.0], [0.0; 2], [0.0; 2]);
        let gradient = [2.0, -0.5];
        adam_step(
            &mut values,
            &mut first,
            &mut second,
            &gradient,
            &step.rates(),
        );
        assert!((values[0] - 0.999).abs() < 1e-6 && (values[1] - 1.001).abs() < 1e-6);
        assert!((first[0] - 0.2).abs() < 1e-6 && (second[0] - 0.004).abs() < 1e-8);
    }

    #[test]
    fn weight_decay_is_decoupled_from_the_gradient() {
        let step = AdamStep::new(&Adam::default(), 1, 0.5);
        let (mut values, mut first, mut second) = ([2.0], [0.0], [0.0]);
        adam_step(
            &mut values,
            &mut first,
            &mut second,
            &[0.0],
            &step.decaying_rates(),
        );
        // α₁ = 1e-3 √0.001 / 0.1 = 3.162e-4; 2 (1 − α₁ / 2).
        assert!((values[0] - 1.999_683_8).abs() < 1e-6, "{}", values[0]);
        assert_eq!((first[0], second[0]), (0.0, 0.0));
    }

    #[test]
    fn cosine_goes_from_the_full_rate_to_a_hundredth() {
        let adam = Adam {
            schedule: Schedule::Cosine { steps: 100 },
            ..Adam::default()
        };
        assert!((adam.rate(100) - 1e-5).abs() < 1e-12);
        assert!((adam.rate(50) - 0.505e-3).abs() < 1e-12);
        assert!(adam.rate(1) < 1e-3 && adam.rate(1) > 0.999e-3);
    }
}
