//! Which biosamples should the next assay be run in? Few that represent all, given what has been
//! measured; how near to the best; and random choices beside it.
//!
//! The model's numbers come from a seed: what matters here are the calls.
//!
//! `cargo run --release --example choose_biosamples`

use std::error::Error;

use persea::selection::{
    Given, Kernel, Limits, Method, ObjectiveKind, Problem, Request, Vectors, What, select,
};

fn main() -> Result<(), Box<dyn Error>> {
    // By name, from a database: what a model's factors say.
    let (_folder, database) = persea::search::example_database()?;
    let request = Request {
        given: Given::Nothing,
        ..Request::new(What::Biosamples, 1)
    };
    let answer = select(Some(&database), &request)?;
    println!("by {}:", answer.compared_by);
    for chosen in &answer.chosen {
        let represents = chosen.represents.join(", ");
        println!(
            "  {}  adds {:.3}, for {represents}",
            chosen.name, chosen.gain
        );
    }

    // By number, from vectors of one's own: three groups of points on a line.
    let points: Vec<f32> = vec![0.0, 0.1, 0.2, 5.0, 5.1, 9.0, 9.1, 9.3];
    let kernel = Kernel::Rbf { gamma: Some(1.0) };
    let similarity = Vectors::new(1, &points, kernel, &|i| format!("point {i}"))?;
    let problem = Problem {
        similarity: &similarity,
        features: None,
        objective: ObjectiveKind::FacilityLocation,
        given: &[7],
        required: &[],
        excluded: &[0],
        limits: Limits { k: 2, budget: None },
        method: Method::Lazy,
        n_random: 100,
        seed: 1,
    };
    let choice = problem.solve()?;
    println!("of points on a line, the last being there already:");
    for step in &choice.steps {
        println!("  {}  adds {:.3}", points[step.candidate], step.gain);
    }
    println!("  {}", choice.guarantee.text);
    if let (Some(bound), Some(last)) = (choice.bound, choice.curve.last()) {
        println!(
            "  {:.3} of at most {bound:.3}; at random {:.3}",
            last.value.unwrap_or(0.0),
            last.random_mean.unwrap_or(0.0)
        );
    }
    Ok(())
}
