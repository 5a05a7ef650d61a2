//! Scores a simple imputation of one's own with Persea's measures: any two slices of bins will do.
//!
//! `cargo run --release --no-default-features --example measure_an_imputation`

use std::error::Error;

use persea::evaluation::{ScoringContext, promoter_bins, score};
use persea::genome::Mask;
use persea::simulation::{SignalKind, SimulatedTrack, Simulation, SimulationConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let simulation = Simulation::new(SimulationConfig {
        n_chromosomes: 1,
        ..SimulationConfig::default()
    })?;
    let axis = simulation.axis();
    let arcsinh = |track: &SimulatedTrack, kind: SignalKind| -> persea::Result<Vec<f32>> {
        let signal = simulation.signal(track, kind, 0..axis.n_bins())?;
        Ok(signal.into_iter().map(f32::asinh).collect())
    };

    // An experiment that nobody ran, and the mean of its assay over the biosamples where it was.
    let target = (simulation.tracks().iter())
        .find(|t| !t.is_measured)
        .ok_or("every experiment is measured")?;
    let observed = arcsinh(target, SignalKind::Observed)?;
    let others: Vec<Vec<f32>> = (simulation.tracks().iter())
        .filter(|t| t.is_measured && t.assay == target.assay)
        .map(|t| arcsinh(t, SignalKind::Observed))
        .collect::<Result<_, _>>()?;
    let average: Vec<f32> = (0..observed.len())
        .map(|bin| others.iter().map(|o| o[bin]).sum::<f32>() / others.len() as f32)
        .collect();

    // Beside it the simulation's own truth: what no imputation can beat but by luck.
    let truth = arcsinh(target, SignalKind::NoiseFree)?;

    // Masked bins are not scored; measures over promoters need to know where those are.
    let mask = Mask::new(axis, &simulation.mask());
    let promoters = promoter_bins(axis, &mask, &simulation.genes());
    let context = ScoringContext {
        masked: Some(mask.as_slice()),
        promoter_bins: Some(&promoters),
        ..ScoringContext::default()
    };
    let by_average = score(&observed, &average, None, &context)?.values();
    let by_truth = score(&observed, &truth, Some(&average), &context)?.values();
    println!(
        "{} {}, {} bins\n{:12} {:>10} {:>10}",
        simulation.biosamples()[target.biosample].name,
        simulation.assays()[target.assay].name,
        observed.len(),
        "measure",
        "average",
        "truth"
    );
    // A measure that is undefined is None, never 0.
    let shown = |value: Option<f64>| value.map_or("–".into(), |v| format!("{v:.4}"));
    for ((name, average), (_, truth)) in by_average.into_iter().zip(by_truth) {
        println!("{name:12} {:>10} {:>10}", shown(average), shown(truth));
    }
    Ok(())
}
