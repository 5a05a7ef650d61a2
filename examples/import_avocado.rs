//! A pretrained model of the original Avocado in a database: imported, asked, and handed on.
//!
//!     cargo run --release --example import_avocado [chr1=NAME …]
//!
//! Without arguments it takes the small model of two toy chromosomes that the tests use.

use std::path::Path;

use persea::formats::{TableFormat, write_table};
use persea::genome::{Assembly, GenomeAxis, Interval};
use persea::imputation::spans;
use persea::model::{
    AvocadoPart, GenomeRows, GenomeTable, ImportOptions, TrainedModel, export_avocado,
    import_avocado,
};
use persea::store::{Database, NewDatabase, Precision};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/avocado");
    let mut parts = std::env::args()
        .skip(1)
        .map(|text| AvocadoPart::parse(&text))
        .collect::<Result<Vec<_>, _>>()?;
    let assembly = if parts.is_empty() {
        for chrom in ["chrT", "chrU"] {
            let name = fixtures.join(chrom);
            parts.push(AvocadoPart::parse(&format!("{chrom}={}", name.display()))?);
        }
        Assembly::from_chrom_sizes("toy", &fixtures.join("toy.chrom.sizes"))?
    } else {
        Assembly::by_name("hg19")?
    };

    // A database that covers the model's chromosomes.
    let folder = tempfile::tempdir()?;
    let chromosomes: Vec<&str> = parts.iter().map(|p| p.chrom.as_str()).collect();
    let new = NewDatabase {
        axis: GenomeAxis::whole_chromosomes(assembly, &chromosomes)?,
        mask: vec![],
        genes: vec![],
        enhancers: vec![],
    };
    let database = Database::create(&folder.path().join("published.persea"), &new)?;

    // One pair of files a chromosome becomes one model.
    let options = ImportOptions {
        name: "published".into(),
        precision: Precision::F32,
        replace: false,
        trained_on: None,
    };
    import_avocado(&database, &parts, &options, &mut |_, _| {})?;
    let model = TrainedModel::open(&database, Some("published"))?;
    let record = model.record();
    println!(
        "{}: {} biosamples, {} assays, {} bins",
        record.name,
        record.biosamples.len(),
        record.assays.len(),
        model.axis().n_bins()
    );

    // The embedding of a stretch of the genome, for other programs.
    let stretch = Interval::new(chromosomes[0], 5_000, 6_000);
    let spans = spans(model.axis(), &[stretch])?;
    let table = GenomeTable::new(&database, &model, GenomeRows::Embedding, &spans);
    let file = folder.path().join("embedding.tsv");
    write_table(&file, TableFormat::Tsv, &table, &mut |_| {})?;
    for line in std::fs::read_to_string(&file)?.lines().take(3) {
        println!("{line}");
    }

    // A copy that is consistent whoever writes, and the model as Keras loads it.
    let copy = database.backup(&folder.path().join("copy.persea"), &mut |_| {})?;
    println!("backup: {} models, {} bytes", copy.n_models, copy.bytes);
    for files in export_avocado(
        &database,
        &model,
        &folder.path().join("again"),
        &mut |_, _| {},
    )? {
        let bytes = std::fs::metadata(&files.h5)?.len();
        println!("{}: {} bytes of .h5", files.region, bytes);
    }
    Ok(())
}
