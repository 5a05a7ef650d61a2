//! `persea create`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::genome::{
    Assembly, GenomeAxis, Mask, assembly_gaps, read_aliases, read_bed, read_genes,
};
use persea::store::{Database, NewDatabase};

use super::output::grouped;
use super::{Common, Misuse, hints};

/// Create a database: assembly, regions, annotation.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: persea create --db pilot.persea --assembly hg19 --regions pilot_regions.hg19.bed \\\n           --genes genes.gtf.gz --mask blacklist.bed"
)]
pub struct Arguments {
    /// Assembly: hg19, hg38, hs1, mm10, mm39, dm6, or any name together with --chrom-sizes
    #[arg(long, value_name = "NAME")]
    assembly: String,
    /// Table of chromosome names and lengths, for any other assembly
    #[arg(long, value_name = "FILE")]
    chrom_sizes: Option<PathBuf>,
    /// BED file of regions to cover (rounded outward to 25 bp bins)
    #[arg(long, value_name = "BED", conflicts_with = "chromosomes")]
    regions: Option<PathBuf>,
    /// Other names of the chromosomes, in UCSC's chromAlias form; 1 and chr1, MT and chrM are matched
    /// without it
    #[arg(long, value_name = "FILE")]
    chromosome_aliases: Option<PathBuf>,
    /// Chromosomes to cover, as a whole; by default all of the nucleus, without alternative loci,
    /// scaffolds and, in human and mouse, Y
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    chromosomes: Vec<String>,
    /// Genes: GTF, GFF3 or BED, plain or gzipped
    #[arg(long, value_name = "FILE")]
    genes: Option<PathBuf>,
    /// BED file of enhancers
    #[arg(long, value_name = "BED")]
    enhancers: Option<PathBuf>,
    /// BED files of bins that are neither trained on nor scored (a blacklist; none is built in)
    #[arg(long, value_name = "BED", num_args = 1..)]
    mask: Vec<PathBuf>,
    /// Do not mask the assembly's gaps, which are masked by default where they are known (hg19, hg38;
    /// hs1 has none)
    #[arg(long)]
    keep_gaps: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    let path = common.path()?;
    let assembly = match &arguments.chrom_sizes {
        Some(sizes) => Assembly::from_chrom_sizes(&arguments.assembly, sizes)?,
        None => Assembly::by_name(&arguments.assembly)?,
    };
    let assembly = match &arguments.chromosome_aliases {
        Some(path) => {
            let aliases = read_aliases(path, &assembly)?;
            assembly.with_aliases(&aliases)?
        }
        None => assembly,
    };
    let axis = match &arguments.regions {
        Some(bed) => GenomeAxis::from_bed(assembly.clone(), bed)?,
        None => {
            let mut names: Vec<&str> = arguments.chromosomes.iter().map(String::as_str).collect();
            if names.is_empty() {
                names = assembly.main_chromosomes();
                if names.is_empty() {
                    return Err(Misuse(
                        "no chromosomes are given, and none is known by its name; add --chromosomes \
                         NAME,… or --regions BED"
                            .into(),
                    )
                    .into());
                }
                eprintln!("covering {}", some_of(&names));
            }
            GenomeAxis::whole_chromosomes(assembly.clone(), &names)?
        }
    };
    let genes = match &arguments.genes {
        Some(file) => {
            let set = read_genes(file, &assembly)?;
            if set.n_other_chromosomes > 0 {
                eprintln!(
                    "persea: {} genes are left out: {} does not have their chromosomes",
                    grouped(set.n_other_chromosomes),
                    assembly.name()
                );
            }
            if let Some(odd) = &set.first_odd {
                eprintln!(
                    "persea: {}: {} genes are left out because they cannot be used; {odd}",
                    file.display(),
                    grouped(set.n_odd)
                );
            }
            set.genes
        }
        None => Vec::new(),
    };
    let enhancers = match &arguments.enhancers {
        Some(bed) => read_bed(bed, &assembly)?
            .into_iter()
            .map(|(interval, _)| interval)
            .collect(),
        None => Vec::new(),
    };
    let mut mask = Mask::read_intervals(&axis, &arguments.mask)?;
    let n_in_gaps = match (arguments.keep_gaps, assembly_gaps(&assembly)) {
        (true, _) => 0,
        (false, Some(gaps)) => {
            let n_in_gaps = Mask::new(&axis, &gaps).n_masked();
            mask.extend(gaps);
            mask = Mask::merge_intervals(&axis, mask);
            n_in_gaps
        }
        (false, None) => {
            eprintln!(
                "persea: the gaps of {} are not known and not masked: give them with --mask, or bins \
                 without sequence are trained on and scored",
                assembly.name()
            );
            0
        }
    };
    let n_masked = Mask::new(&axis, &mask).n_masked();
    let (n_genes, n_enhancers) = (genes.len(), enhancers.len());
    let n_starts: usize = genes.iter().map(|g| g.starts().count()).sum();
    let (n_regions, n_bins) = (axis.regions().len(), axis.n_bins());
    Database::create(
        path,
        &NewDatabase {
            axis,
            mask,
            genes,
            enhancers,
        },
    )?;
    eprintln!(
        "{}: {} ({n_regions} regions, {} bins of 25 bp, {} masked, {} of them in gaps of the assembly), {} genes with {} TSS, {} enhancers",
        path.display(),
        assembly.name(),
        grouped(n_bins),
        grouped(n_masked as u64),
        grouped(n_in_gaps as u64),
        grouped(n_genes as u64),
        grouped(n_starts as u64),
        grouped(n_enhancers as u64)
    );
    hints::next(path, &["ingest MANIFEST".into()]);
    Ok(ExitCode::SUCCESS)
}

/// A list of names, cut after the first.
fn some_of(names: &[&str]) -> String {
    match names {
        [first, .., last] if names.len() > 8 => {
            format!("{first} … {last} ({} chromosomes)", names.len())
        }
        _ => names.join(", "),
    }
}
