//! Tables, genes, BED, aliases, chromosome sizes and intervals; the first byte chooses which.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use persea_files::{Lines, Table, no_formula};
use persea_fuzz::setting;
use persea_genome::{Assembly, Interval, read_aliases, read_bed_from, read_genes_from};

fuzz_target!(|data: &[u8]| {
    let setting = setting();
    let Some((choice, text)) = data.split_first() else {
        return;
    };
    let assembly = setting.assembly();
    match choice % 8 {
        0 => drop(Table::read(&setting.file("table.tsv", text))),
        1 => drop(Table::read_or_bed(&setting.file("table.csv", text))),
        2 => drop(read_genes_from(text, Path::new("genes.gtf"), assembly)),
        3 => {
            let read = read_bed_from(text, Path::new("x.bed"), assembly);
            for (interval, _) in read.into_iter().flatten() {
                let chromosome = assembly.chromosome(&interval.chrom).unwrap();
                assert!(interval.start < interval.end, "{interval}");
                assert!(interval.end <= chromosome.length, "{interval}");
            }
        }
        4 => drop(read_aliases(&setting.file("aliases.txt", text), assembly)),
        5 => drop(Assembly::from_chrom_sizes(
            "x",
            &setting.file("sizes", text),
        )),
        6 => {
            let text = String::from_utf8_lossy(text);
            if let Ok(interval) = Interval::parse_browser(&text) {
                let again = Interval::parse_browser(&interval.to_string()).unwrap();
                assert_eq!(again, interval);
            }
            let harmless = no_formula(&text);
            assert!(harmless.ends_with(text.as_ref()));
        }
        _ => {
            if let Ok(mut lines) = Lines::new("x", text) {
                let mut n = 0;
                while let Ok(Some(line)) = lines.next_text() {
                    assert!(!line.contains(['\n', '\r']), "{line:?}");
                    n += 1;
                    assert_eq!(lines.number(), n);
                }
            }
        }
    }
});
