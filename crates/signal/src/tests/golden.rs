//! Real files give the bins that pyBigWig, or numpy for text, gives (`scripts/golden_bins.py`).

use std::collections::BTreeMap;

use super::*;

/// A row of `fixtures/formats/bins.tsv`.
struct Golden {
    chrom: String,
    length: u64,
    sum: f64,
    n_not_0: usize,
    first_bin: usize,
    window: Vec<f32>,
}

/// Rows by file, format and what uncovered bases count as.
fn goldens() -> BTreeMap<(String, String, String), Vec<Golden>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/formats/bins.tsv");
    let text = std::fs::read_to_string(file).unwrap();
    let mut goldens = BTreeMap::new();
    for line in text.lines() {
        let [
            name,
            format,
            chrom,
            length,
            missing,
            sum,
            n_not_0,
            first_bin,
            window,
        ] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let key = (name.to_string(), format.to_string(), missing.to_string());
        goldens.entry(key).or_insert_with(Vec::new).push(Golden {
            chrom: chrom.to_string(),
            length: length.parse().unwrap(),
            sum: sum.parse().unwrap(),
            n_not_0: n_not_0.parse().unwrap(),
            first_bin: first_bin.parse().unwrap(),
            window: window.split(',').map(|v| v.parse().unwrap()).collect(),
        });
    }
    goldens
}

#[test]
fn real_files_give_the_bins_of_pybigwig_and_numpy() {
    for ((name, format, missing), rows) in goldens() {
        let Some(file) = shared(&name) else { continue };
        let mut lengths: Vec<(String, u64)> =
            rows.iter().map(|r| (r.chrom.clone(), r.length)).collect();
        lengths.dedup();
        let chroms: Vec<&str> = lengths.iter().map(|(c, _)| c.as_str()).collect();
        // Peaks lie on all of hg19, and the assembly must know every chromosome of a text file.
        let assembly = match format.as_str() {
            "bigwig" | "bedgraph" => Assembly::from_chromosomes("golden", &lengths).unwrap(),
            _ => Assembly::by_name("hg19").unwrap(),
        };
        let axis = GenomeAxis::whole_chromosomes(assembly, &chroms).unwrap();
        let missing = if missing == "nan" {
            Missing::Nan
        } else {
            Missing::Zero
        };
        let format = Format::from_name(&format);
        let (bins, _) = read_bins(&path(file), format, &axis, missing).unwrap();
        for row in rows {
            let place = chroms.iter().position(|c| *c == row.chrom).unwrap();
            let range = axis.region_bins(place);
            // The goldens have 0 in bins without data.
            let bins: Vec<f32> = (bins[range.start as usize..range.end as usize].iter())
                .map(|v| if v.is_nan() { 0.0 } else { *v })
                .collect();
            let n_not_0 = bins.iter().filter(|v| **v != 0.0).count();
            assert_eq!(n_not_0, row.n_not_0, "{name} {}", row.chrom);
            let sum: f64 = bins.iter().map(|v| f64::from(*v)).sum();
            assert!(
                (sum - row.sum).abs() <= 1e-9 * row.sum.abs(),
                "{name}: {sum} {}",
                row.sum
            );
            let window = &bins[row.first_bin..][..row.window.len()];
            for (ours, theirs) in window.iter().zip(&row.window) {
                // Sums in another order may round another way, by one unit in the last place.
                let off = (ours - theirs).abs();
                assert!(
                    off <= theirs.abs() * f32::EPSILON,
                    "{name}: {window:?} {:?}",
                    row.window
                );
            }
        }
    }
}
