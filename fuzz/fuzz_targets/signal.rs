//! Signal files; the first byte chooses the format, or leaves it to be found.

#![no_main]

use libfuzzer_sys::fuzz_target;
use persea_fuzz::setting;
use persea_signal::{Format, Location, Missing, ReadOptions, open_signal};

fuzz_target!(|data: &[u8]| {
    let setting = setting();
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let format = Format::ALL.get(usize::from(choice % 8)).copied();
    let missing = match choice / 8 % 3 {
        0 => Missing::ByFormat,
        1 => Missing::Nan,
        _ => Missing::Zero,
    };
    let location = Location::Path(setting.file("signal", bytes));
    let Ok(mut reader) = open_signal(&location, format) else {
        return;
    };
    let axis = setting.axis();
    let mut n_bins = 0;
    let mut sink = |_: u64, bins: &[f32]| {
        n_bins += bins.len() as u64;
        assert!(bins.iter().all(|v| !v.is_infinite()), "{bins:?}");
        Ok(())
    };
    if reader
        .read(&axis, &ReadOptions { missing }, &mut sink)
        .is_ok()
    {
        assert_eq!(n_bins, axis.n_bins());
    }
});
