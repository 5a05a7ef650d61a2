//! Reads signal files as 25 bp bins: the same signal from a bigWig, a bedGraph and a NumPy archive.
//!
//! `cargo run --release --no-default-features --example bins_of_a_bigwig`

use std::error::Error;

use persea::formats::{Format, Location, ReadOptions, create_signal, open_signal};
use persea::genome::{Assembly, GenomeAxis, Interval, Region};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;

    // Two regions of hg19. Regions are rounded outward to bins: the first begins at 1,000,000.
    let regions = [
        Interval::new("chr21", 20_000_000, 20_010_000),
        Interval::new("chr1", 1_000_010, 1_005_000),
    ];
    let regions = regions.iter().map(|i| Region::covering(i, None)).collect();
    let axis = GenomeAxis::new(Assembly::by_name("hg19")?, regions)?;
    println!("{} regions, {} bins", axis.regions().len(), axis.n_bins());

    // One peak in each region, written in three formats. Writers take regions in the axis's
    // sorted order, because that is the order of a bigWig.
    let formats = [Format::BigWig, Format::BedGraph, Format::Npz];
    for format in formats {
        let path = folder.path().join(format!("signal.{}", format.name()));
        let mut writer = create_signal(&path, format, &axis)?;
        for region in axis.sorted_regions() {
            let bins = axis.region_bins(*region);
            writer.write(bins.start, &peak((bins.end - bins.start) as usize))?;
        }
        writer.finish()?;
    }

    // Readers give the same bins, whatever the format, in pieces: memory does not grow with the
    // file. The place of a piece is the axis bin that it starts with.
    for format in formats {
        let name = format!("signal.{}", format.name());
        let location = Location::parse(&name, folder.path());
        let mut highest = (0, f32::MIN);
        let mut sum = 0.0;
        let report = open_signal(&location, Some(format))?.read(
            &axis,
            &ReadOptions::default(),
            &mut |first, values| {
                for (bin, value) in (first..).zip(values) {
                    sum += f64::from(*value);
                    if *value > highest.1 {
                        highest = (bin, *value);
                    }
                }
                Ok(())
            },
        )?;
        println!(
            "{:8} {:4} records, sum {sum:.3}, highest {:.3} at {}",
            format.name(),
            report.n_records,
            highest.1,
            axis.bin_interval(highest.0)
        );
    }
    Ok(())
}

/// A bell in the middle of so many bins.
fn peak(n_bins: usize) -> Vec<f32> {
    let middle = n_bins as f32 / 2.0;
    (0..n_bins)
        .map(|i| 20.0 * (-((i as f32 - middle) / 8.0).powi(2)).exp())
        .collect()
}
