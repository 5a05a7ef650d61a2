//! Speed, with the peers beside it: `make bench`, or `cargo bench -- training` for one of
//! `training`, `imputation`, `bigwig`, `genome-size`, `ingest`, `store`, `search`, `search-genome`,
//! `search-biology` and `selection`.
//!
//! Persea and its peer each run in a process of their own and take turns inside one run, so that
//! whatever else the machine does falls on both; each prints its figure, the ratio of each round,
//! and the load. A peer that does not exist is left out, which is said. What is measured and what it
//! came to: docs/src/results/speed.md.

mod bigwig;
mod figures;
mod genome_size;
mod ingest;
mod machine;
mod pilot;
mod search;
mod search_biology;
mod search_genome;
mod selection;
mod speed;
mod store;
mod worker;

use std::path::Path;

use anyhow::bail;

/// What a bench is told.
struct Bench {
    /// Rounds in which both sides take their turn.
    rounds: usize,
}

const ALL: [&str; 10] = [
    "training",
    "imputation",
    "bigwig",
    "genome-size",
    "ingest",
    "store",
    "search",
    "search-genome",
    "search-biology",
    "selection",
];

fn main() -> anyhow::Result<()> {
    // cargo adds --bench.
    let mut arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    match arguments.first().map(String::as_str) {
        Some("worker") if arguments.len() == 3 => {
            return speed::work(&arguments[1], Path::new(&arguments[2]));
        }
        Some("genome-worker") if arguments.len() == 3 => {
            return genome_size::work(&arguments[1], arguments[2].parse()?);
        }
        _ => {}
    }
    let mut bench = Bench { rounds: 5 };
    if let Some(at) = arguments.iter().position(|a| a == "--rounds") {
        let rounds = arguments.get(at + 1).and_then(|n| n.parse().ok());
        bench.rounds = rounds.filter(|n| *n > 0).unwrap_or(bench.rounds);
        arguments.drain(at..(at + 2).min(arguments.len()));
    }
    if let Some(unknown) = arguments.iter().find(|a| !ALL.contains(&a.as_str())) {
        bail!("there is no bench `{unknown}`: {}", ALL.join(", "));
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|a| a == name);
    println!("{}", machine::describe());
    if wanted("training") {
        speed::training(&bench)?;
    }
    if wanted("imputation") {
        speed::imputation(&bench)?;
    }
    if wanted("bigwig") {
        bigwig::run(&bench)?;
    }
    if wanted("genome-size") {
        genome_size::run(&bench)?;
    }
    if wanted("ingest") {
        ingest::run(&bench)?;
    }
    if wanted("store") {
        store::run(&bench)?;
    }
    if wanted("search") {
        search::run(&bench)?;
    }
    if wanted("search-genome") {
        search_genome::run()?;
    }
    if wanted("search-biology") {
        search_biology::run()?;
    }
    if wanted("selection") {
        selection::run(&bench)?;
    }
    Ok(())
}
