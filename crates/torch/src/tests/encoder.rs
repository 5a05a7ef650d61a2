//! Encoders with their decoder, of one unit a layer.
//!
//! SAFETY: pointers are of arrays and structs that outlive the call, with their lengths, or null, which the interface
//! refuses; a handle is used until it is freed, by one thread.

use std::ptr::null_mut;

use super::{CPU_F32, adam, message, read};
use crate::INTERFACE;
use crate::interface::*;

const SIZES: EncoderSizes = EncoderSizes {
    inputs: [1; 3],
    nodes: 1,
    codes: [1; 3],
    decoder: 1,
    outputs: 2,
};
/// Weight and bias of three layers of each encoder; then the decoder's.
const VALUES: [f32; 26] = [
    1.0, 0.0, 1.0, 0.0, 2.0, 0.0, // twice the input
    1.0, 0.0, 1.0, 0.0, 1.0, 1.0, // the input and 1
    -1.0, 0.0, 1.0, 0.0, 1.0, 0.5, // 0.5 where the input is above 0
    1.0, 1.0, 2.0, 0.0, // codes
    1.0, 2.0, 0.0, 1.0, // two outputs
];

fn encoder(sizes: &EncoderSizes, values: &[f32]) -> Result<*mut Network, String> {
    let mut handle = null_mut();
    let new = INTERFACE.encoder_new;
    match unsafe { new(sizes, CPU_F32, Slice::of(values), &mut handle) } {
        0 => Ok(handle),
        _ => Err(message()),
    }
}

/// Two samples; inputs of each resolution as given.
fn back(handle: *mut Network, rows: [&[f32]; 3]) -> Result<f64, String> {
    let (targets, weights) = ([5f32, 13.0, 3.0, 7.0], [2f32, 1.0, 0.0, 1.0]);
    let batch = EncoderBatch {
        rows: rows.map(Slice::of),
        targets: Slice::of(&targets),
        weights: Slice::of(&weights),
    };
    let mut loss = [0f64];
    match unsafe { (INTERFACE.encoder_back)(handle, &batch, SliceMut::of(&mut loss)) } {
        0 => Ok(loss[0]),
        _ => Err(message()),
    }
}

#[test]
fn a_small_encoder_has_the_gradients_worked_out_by_hand() {
    let handle = encoder(&SIZES, &VALUES).unwrap();
    // The first sample's codes are 2, 3 and 0.5, the second's 4 and none: zeros, not the biases.
    // Hidden 6 and 4; outputs (6, 13) and (4, 9), off by (1, 0) and (1, 2), which count 2, 1, 0 and 1.
    let loss = back(handle, [&[1.0, 2.0], &[2.0], &[3.0]]).unwrap();
    assert_eq!(loss, (2.0 + 4.0) / 4.0);
    // The outputs' gradients are (1, 0) and (0, 1), the hidden unit's 1 and 2.
    let expected = [
        10.0, 6.0, 10.0, 6.0, 5.0, 3.0, // both samples
        2.0, 1.0, 2.0, 1.0, 2.0, 1.0, // the first
        0.0, 0.0, 0.0, 0.0, 0.0, 2.0, // its units are 0: only the last bias counts
        10.0, 3.0, 0.5, 3.0, //
        6.0, 4.0, 1.0, 1.0,
    ];
    assert_eq!(read::<26>(handle, GRADIENTS).unwrap(), expected);
    // Without a rate, a step only shrinks weights; what is 0 stays 0.
    let step = Adam {
        decay: 0.5,
        ..adam(0.0)
    };
    assert_eq!(unsafe { (INTERFACE.apply)(handle, step) }, 0);
    let after: [f32; 26] = read(handle, PARAMETERS).unwrap();
    for (i, (before, after)) in VALUES.iter().zip(after).enumerate() {
        let is_bias = matches!(i, 21 | 24 | 25) || (i < 18 && i % 2 == 1);
        let keep = if is_bias { 1.0 } else { 0.5 };
        assert_eq!(after, before * keep, "{i}");
    }
    unsafe { (INTERFACE.free)(handle) };
}

#[test]
fn an_encoders_samples_that_do_not_fit_are_refused_with_a_message() {
    let few = encoder(&SIZES, &VALUES[..25]).unwrap_err();
    assert!(few.contains("too few numbers"), "{few}");
    let mut many = VALUES.to_vec();
    many.push(0.0);
    let many = encoder(&SIZES, &many).unwrap_err();
    assert!(many.contains("27 parameters, the network has 26"), "{many}");
    let empty = EncoderSizes {
        codes: [1, 0, 1],
        ..SIZES
    };
    let empty = encoder(&empty, &VALUES).unwrap_err();
    assert!(empty.contains("0 numbers of a code"), "{empty}");
    let handle = encoder(&SIZES, &VALUES).unwrap();
    for (resolution, rows) in [
        (0, [&[1.0f32][..], &[], &[]]),
        (1, [&[1.0, 2.0], &[1.0, 2.0, 3.0], &[]]),
        (2, [&[1.0, 2.0], &[1.0], &[1.0, 2.0]]),
    ] {
        let error = back(handle, rows).unwrap_err();
        let what = format!("inputs at resolution {resolution}");
        assert!(error.contains(&what), "{error}");
    }
    let wrong = DenseBatch {
        rows: Slice::of(&[]),
        targets: Slice::of(&[]),
        weights: Slice::of(&[]),
        kept: Slice::of(&[]),
        kept_scale: 1.0,
    };
    let of_another_kind = INTERFACE.feed_forward_back;
    let status = unsafe { of_another_kind(handle, &wrong, SliceMut::of(&mut [0f64])) };
    assert_ne!(status, 0);
    assert!(
        message().contains("is not a feed-forward network"),
        "{}",
        message()
    );
    unsafe { (INTERFACE.free)(handle) };
}
