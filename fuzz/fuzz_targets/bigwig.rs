//! A valid bigWig with edits, so that what lies behind its header is reached.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use persea_fuzz::{edited, setting};
use persea_signal::{Format, Location, ReadOptions, bigbed_lines, create_signal, open_signal};

fn valid() -> &'static [u8] {
    static VALID: OnceLock<Vec<u8>> = OnceLock::new();
    VALID.get_or_init(|| {
        let setting = setting();
        let axis = setting.axis();
        let path = setting.path("valid.bw");
        let mut writer = create_signal(&path, Format::BigWig, &axis).unwrap();
        let mut first = 0;
        for region in axis.regions() {
            let bins: Vec<f32> = (0..region.n_bins).map(|bin| (bin % 7) as f32).collect();
            writer.write(first, &bins).unwrap();
            first += region.n_bins;
        }
        writer.finish().unwrap();
        std::fs::read(path).unwrap()
    })
}

fuzz_target!(|edits: &[u8]| {
    let setting = setting();
    let path = setting.file("edited.bw", &edited(valid(), edits));
    let _ = bigbed_lines(&path);
    let Ok(mut reader) = open_signal(&Location::Path(path), Some(Format::BigWig)) else {
        return;
    };
    let axis = setting.axis();
    let mut n_bins = 0;
    let mut sink = |_: u64, bins: &[f32]| {
        n_bins += bins.len() as u64;
        Ok(())
    };
    if reader
        .read(&axis, &ReadOptions::default(), &mut sink)
        .is_ok()
    {
        assert_eq!(n_bins, axis.n_bins());
    }
});
