//! The interface, called as a program in C would call it.
//!
//! SAFETY: pointers are of arrays and structs that outlive the call, with their lengths, or null, which the interface
//! refuses; a handle is used until it is freed, by one thread.

mod encoder;

use std::ffi::CStr;
use std::ptr::null_mut;

use crate::execution::Compute;
use crate::interface::*;
use crate::{INTERFACE, boundary, persea_torch_interface, persea_torch_version};

const CPU_F32: Execution = Execution {
    device: CPU,
    arithmetic: F32,
    threads: 1,
};

fn message() -> String {
    let text = unsafe { CStr::from_ptr((INTERFACE.error)()) };
    text.to_string_lossy().into_owned()
}

fn adam(alpha: f64) -> Adam {
    Adam {
        alpha,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-7,
        decay: 0.0,
    }
}

/// One factor everywhere, one layer of one unit: 2 biosamples, 1 assay.
const SIZES: FactorSizes = FactorSizes {
    biosamples: [2, 1],
    assays: [1, 1],
    genome_factors: [1, 1, 1],
    layers: 1,
    nodes: 1,
    trained_biosamples: [0, 2],
    trained_assays: [0, 1],
    trained_layers: 1,
};
/// Biosamples 1 and 2, assay 3; weights 1, 0.5, 2, 1, 0.25 and bias 0.5; output 2 and bias 0.1.
const VALUES: [f32; 11] = [1.0, 2.0, 3.0, 1.0, 0.5, 2.0, 1.0, 0.25, 0.5, 2.0, 0.1];

fn factorization(sizes: &FactorSizes, values: &[f32]) -> Result<*mut Network, String> {
    let mut handle = null_mut();
    let new = INTERFACE.factor_new;
    match unsafe { new(sizes, CPU_F32, Slice::of(values), &mut handle) } {
        0 => Ok(handle),
        _ => Err(message()),
    }
}

fn read<const N: usize>(handle: *mut Network, which: u32) -> Result<[f32; N], String> {
    let mut out = [0f32; N];
    match unsafe { (INTERFACE.read)(handle, which, SliceMut::of(&mut out)) } {
        0 => Ok(out),
        _ => Err(message()),
    }
}

struct Found {
    loss: f64,
    residuals: Vec<f32>,
    genome: [Vec<f32>; 3],
}

/// Two samples: both of one coarse row, each of a fine and a middle row of its own.
fn gradients(handle: *mut Network, tracks: [u32; 2]) -> Result<Found, String> {
    let (starts, one) = ([0u32, 1, 2], [0u32, 2]);
    let (fine, middle, coarse) = ([0.5f32, 1.0], [1.0f32, -1.0], [4.0f32]);
    let (values, pairs) = ([10.0f32, 8.0], [0u32, 0, 1, 0]);
    let batch = FactorBatch {
        tracks: Slice::of(&tracks),
        observed: Slice::of(&values),
        starts: [&starts[..], &starts, &one].map(Slice::of),
        genome: [Slice::of(&fine), Slice::of(&middle), Slice::of(&coarse)],
        pairs: Slice::of(&pairs),
    };
    let mut loss = [0f64];
    let mut residuals = vec![0f32; 2];
    let mut genome = [vec![0f32; 2], vec![0f32; 2], vec![0f32; 1]];
    let [a, b, c] = &mut genome;
    let out = FactorGradients {
        loss: SliceMut::of(&mut loss),
        residuals: SliceMut::of(&mut residuals),
        genome: [SliceMut::of(a), SliceMut::of(b), SliceMut::of(c)],
    };
    match unsafe { (INTERFACE.factor_back)(handle, &batch, &out) } {
        0 => Ok(Found {
            loss: loss[0],
            residuals,
            genome,
        }),
        _ => Err(message()),
    }
}

#[test]
fn a_small_factorization_has_the_gradients_worked_out_by_hand() {
    let handle = factorization(&SIZES, &VALUES).unwrap();
    let found = gradients(handle, [0, 1]).unwrap();
    // First sample: 1 + 1.5 + 0.5·2 + 1·1 + 4·0.25 + 0.5 = 6; output 12.1, observed 10.
    // Second: 2 + 1.5 + 1·2 − 1·1 + 1 + 0.5 = 6; output 12.1, observed 8.
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-4, "{a} {b}");
    near(f64::from(found.residuals[0]), 2.1);
    near(f64::from(found.residuals[1]), 4.1);
    near(found.loss, (2.1 * 2.1 + 4.1 * 4.1) / 2.0);
    // d loss / d output is the residual (2 / 2 samples); d / d first layer twice that.
    let (g1, g2) = (4.2, 8.2);
    near(f64::from(found.genome[0][0]), 2.0 * g1);
    near(f64::from(found.genome[0][1]), 2.0 * g2);
    near(f64::from(found.genome[1][1]), g2);
    near(f64::from(found.genome[2][0]), 0.25 * (g1 + g2));
    let dense: [f32; 11] = read(handle, GRADIENTS).unwrap();
    let both = g1 + g2;
    let expected = [
        g1,
        g2,
        0.5 * both,
        g1 + 2.0 * g2,
        3.0 * both,
        0.5 * g1 + g2,
        g1 - g2,
        4.0 * both,
        both,
        6.0 * 6.2,
        6.2,
    ];
    for (found, expected) in dense.iter().zip(expected) {
        near(f64::from(*found), expected);
    }
    let mut squares = [0f64];
    unsafe { (INTERFACE.squared_norm)(handle, SliceMut::of(&mut squares)) };
    near(
        squares[0] / expected.iter().map(|g| g * g).sum::<f64>(),
        1.0,
    );
    unsafe { (INTERFACE.free)(handle) };
}

#[test]
fn the_first_step_of_adam_moves_each_parameter_by_its_rate() {
    let handle = factorization(&SIZES, &VALUES).unwrap();
    gradients(handle, [0, 1]).unwrap();
    // α of step 1 is lr √(1 − β₂) / (1 − β₁); m / √v is then (1 − β₁) / √(1 − β₂), up to ε.
    let alpha = 0.01 * (1.0f64 - 0.999).sqrt() / 0.1;
    assert_eq!(unsafe { (INTERFACE.apply)(handle, adam(alpha)) }, 0);
    let after: [f32; 11] = read(handle, PARAMETERS).unwrap();
    for (i, (before, after)) in VALUES.iter().zip(after).enumerate() {
        let expected = if i == 6 { before + 0.01 } else { before - 0.01 };
        assert!((after - expected).abs() < 1e-5, "{i}: {after} {expected}");
    }
    let first: [f32; 11] = read(handle, FIRST_MOMENTS).unwrap();
    assert!((first[0] - 0.42).abs() < 1e-4, "{}", first[0]);
    let (sevens, eights) = ([7f32; 11], [8f32; 11]);
    let set = INTERFACE.set_moments;
    assert_eq!(
        unsafe { set(handle, Slice::of(&sevens), Slice::of(&eights)) },
        0
    );
    assert_eq!(read(handle, FIRST_MOMENTS).unwrap(), sevens);
    assert_eq!(read(handle, SECOND_MOMENTS).unwrap(), eights);
    unsafe { (INTERFACE.free)(handle) };
}

#[test]
fn arguments_that_do_not_fit_are_refused_with_a_message() {
    assert!(
        factorization(&SIZES, &VALUES[..10])
            .unwrap_err()
            .contains("too few")
    );
    let handle = factorization(&SIZES, &VALUES).unwrap();
    let error = gradients(handle, [0, 2]).err().unwrap();
    assert!(
        error.contains("a sample's track is none of the 2"),
        "{error}"
    );
    let apply = INTERFACE.apply;
    assert_ne!(unsafe { apply(handle, adam(0.1)) }, 0);
    assert!(message().contains("no gradients"), "{}", message());
    assert_ne!(unsafe { apply(null_mut(), adam(0.1)) }, 0);
    assert!(message().contains("null"), "{}", message());
    assert!(read::<3>(handle, PARAMETERS).is_err());
    assert!(message().contains("3 numbers, not 11"), "{}", message());
    unsafe { (INTERFACE.free)(handle) };
    unsafe { (INTERFACE.free)(null_mut()) };
}

#[test]
fn a_gpu_that_is_absent_is_refused() {
    let execution = Execution {
        device: 99,
        ..CPU_F32
    };
    let (mut handle, new) = (null_mut(), INTERFACE.factor_new);
    let status = unsafe { new(&SIZES, execution, Slice::of(&VALUES), &mut handle) };
    assert_ne!(status, 0);
    assert!(message().contains("GPU 99 is none of"), "{}", message());
}

#[test]
fn a_panic_ends_at_the_boundary() {
    assert_ne!(boundary::guarded(|| panic!("on purpose")), 0);
    assert!(message().contains("a bug in libpersea_torch: on purpose"));
}

#[test]
fn both_symbols_name_this_version() {
    assert_eq!(persea_torch_version(), VERSION);
    let interface = unsafe { &*persea_torch_interface() };
    let built_for = unsafe { CStr::from_ptr((interface.built_for)()) };
    assert_eq!(built_for, LIBTORCH);
}

#[test]
fn a_feed_forward_network_leaves_out_the_units_that_it_is_given() {
    // One input, two hidden units, one output: weights 1 and 3, biases 0; output 1 and 2, bias 0.
    let values = [1.0f32, 3.0, 0.0, 0.0, 1.0, 2.0, 0.0];
    let (mut handle, new) = (null_mut(), INTERFACE.feed_forward_new);
    let widths = [1u64, 2, 1];
    let status = unsafe { new(Slice::of(&widths), CPU_F32, Slice::of(&values), &mut handle) };
    assert_eq!(status, 0, "{}", message());
    let batch = DenseBatch {
        rows: Slice::of(&[2f32]),
        targets: Slice::of(&[1f32]),
        weights: Slice::of(&[0.5f32]),
        kept: Slice::of(&[1u8, 0]),
        kept_scale: 2.0,
    };
    // Hidden (2, 6), kept and doubled (4, 0); output 4, off by 3: error 9, half of its gradient.
    let mut error = [0f64];
    let back = INTERFACE.feed_forward_back;
    assert_eq!(unsafe { back(handle, &batch, SliceMut::of(&mut error)) }, 0);
    assert_eq!(error, [9.0]);
    let gradients: [f32; 7] = read(handle, GRADIENTS).unwrap();
    assert_eq!(gradients, [12.0, 0.0, 6.0, 0.0, 12.0, 0.0, 3.0]);
    let decaying = Adam {
        decay: 0.05,
        ..adam(0.1)
    };
    assert_eq!(unsafe { (INTERFACE.apply)(handle, decaying) }, 0);
    let state = [PARAMETERS, FIRST_MOMENTS, SECOND_MOMENTS].map(|a| read::<7>(handle, a).unwrap());
    // Weights shrink by 0.05, biases do not; the unit left out moves no other way.
    assert!((state[0][1] - 2.85).abs() < 1e-6, "{}", state[0][1]);
    assert_eq!(state[0][3], 0.0);
    assert!((state[1][0] - 1.2).abs() < 1e-6, "{}", state[1][0]);
    assert!((state[2][0] - 0.144).abs() < 1e-6, "{}", state[2][0]);
    unsafe { (INTERFACE.free)(handle) };
}

#[test]
fn threads_are_those_asked_for_during_a_call_and_set_back_after_it() {
    let before = tch::get_num_threads();
    let execution = Execution {
        threads: before as u32 + 3,
        ..CPU_F32
    };
    let during = Compute::new(execution)
        .unwrap()
        .run(|| Ok(tch::get_num_threads()));
    assert_eq!(during.unwrap(), before + 3);
    assert_eq!(tch::get_num_threads(), before);
}

#[test]
fn what_is_frozen_does_not_move_and_keeps_no_moments() {
    let frozen = FactorSizes {
        trained_biosamples: [1, 2],
        trained_assays: [0, 0],
        trained_layers: 0,
        ..SIZES
    };
    let handle = factorization(&frozen, &VALUES).unwrap();
    gradients(handle, [0, 1]).unwrap();
    assert_eq!(unsafe { (INTERFACE.apply)(handle, adam(0.01)) }, 0);
    let after: [f32; 11] = read(handle, PARAMETERS).unwrap();
    let first: [f32; 11] = read(handle, FIRST_MOMENTS).unwrap();
    for i in 0..11 {
        assert_eq!(after[i] != VALUES[i], i == 1, "{i}");
        assert_eq!(first[i] != 0.0, i == 1, "{i}");
    }
    unsafe { (INTERFACE.free)(handle) };
}
