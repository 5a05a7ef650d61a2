//! Suites of benchmarks, and the program's other small languages.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use persea::tasks::Suite;
use persea_fuzz::setting;

fuzz_target!(|data: &[u8]| {
    setting();
    let text = String::from_utf8_lossy(data);
    let _ = Suite::parse(&text, Path::new("suite.toml"));
});
