//! What lies at a place: the nearest gene, promoters, genes, enhancers, the mask.

use persea_vocabulary::vocabulary;
use std::ops::Range;

use super::bodies::GeneBodies;
use super::parts::Parts;
use super::{BinBits, file};
use crate::genome::{Gene, GenomeAxis, Interval, TssIndex};
use crate::store::{Database, StoreError};

vocabulary! {
    /// A class of places.
    pub enum Class {
        /// 1 kb on either side of a transcript's TSS
        Promoter = "promoter",
        /// In a gene, including introns
        Gene = "gene",
        /// In an enhancer of the database
        Enhancer = "enhancer",
        /// In none of these
        Intergenic = "intergenic",
        /// In the mask, where the model was not trained
        Masked = "masked",
    }
}

/// A database's annotation over a model's axis.
#[derive(Debug)]
pub struct Annotation {
    genes: Vec<Gene>,
    starts: TssIndex,
    bodies: GeneBodies,
    classes: [BinBits; 5],
}

/// The gene whose transcription start is nearest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearestGene {
    /// Its symbol.
    pub name: String,
    /// Its identifier.
    pub id: String,
    /// From its transcription start to the middle of the place, in bp along the gene: negative
    /// upstream.
    pub distance: i64,
}

impl Annotation {
    /// A database's genes, enhancers and mask over an axis: from the file of `index/` that keeps them,
    /// which is written where it is missing, stale or damaged.
    ///
    /// # Errors
    /// When a table is damaged, or SQLite fails.
    pub fn read(database: &Database, axis: &GenomeAxis) -> Result<Self, StoreError> {
        let Some(origin) = file::origin(database, axis)? else {
            // No digest to know a stale file by: reading a table says what is wrong.
            return Ok(Self::of(Parts::read(database, axis)?, axis));
        };
        let path = file::path(database, &origin);
        if let Some(parts) = file::read(&path, &origin) {
            return Ok(Self::of(parts, axis));
        }
        let parts = Parts::read(database, axis)?;
        if !database.is_read_only()
            && let Err(e) = file::write(&path, &origin, &parts)
        {
            tracing::debug!("{} cannot be written: {e}", path.display());
        }
        Ok(Self::of(parts, axis))
    }

    /// Some parts over their axis.
    fn of(parts: Parts, axis: &GenomeAxis) -> Self {
        let n_bins = axis.n_bins();
        let [promoters, bodies, enhancers, masked] = parts.sets.map(|set| BinBits::of(n_bins, set));
        let mut intergenic = BinBits::all(n_bins);
        for class in [&promoters, &bodies, &enhancers] {
            intergenic.remove(class);
        }
        Annotation {
            starts: TssIndex::new(&parts.genes),
            bodies: GeneBodies::new(&parts.genes),
            genes: parts.genes,
            classes: [promoters, bodies, enhancers, intergenic, masked],
        }
    }

    /// The genes, in the database's order.
    pub fn genes(&self) -> &[Gene] {
        &self.genes
    }

    /// The bins of a class.
    pub fn bins(&self, class: Class) -> &BinBits {
        &self.classes[class as usize]
    }

    /// The classes that any of some axis bins is of.
    pub fn classes(&self, bins: &Range<u64>) -> Vec<Class> {
        let of = |class: &Class| self.bins(*class).any(bins.clone());
        Class::ALL.into_iter().filter(of).collect()
    }

    /// The genes whose body, introns included, contains the middle of an interval, by their start.
    pub fn genes_at(&self, interval: &Interval) -> Vec<&Gene> {
        let middle = interval.start + interval.len() / 2;
        let places = self.bodies.containing(&interval.chrom, middle);
        places.into_iter().map(|gene| &self.genes[gene]).collect()
    }

    /// The gene whose transcription start is nearest to the middle of an interval; `None` where
    /// the chromosome has none.
    pub fn nearest_gene(&self, interval: &Interval) -> Option<NearestGene> {
        let middle = interval.start + interval.len() / 2;
        let nearest = self.starts.nearest(&interval.chrom, middle)?;
        let gene = &self.genes[nearest.gene];
        Some(NearestGene {
            name: gene.name.clone(),
            id: gene.id.clone(),
            distance: nearest.distance,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Region, Strand};
    use crate::store::NewDatabase;

    fn database(folder: &std::path::Path) -> Database {
        let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 100_000)]).unwrap();
        let region = Region {
            name: None,
            chrom: "chr1".into(),
            first_bin: 40,
            n_bins: 400,
        };
        let gene = Gene {
            id: "ENSG1".into(),
            name: "A".into(),
            interval: Interval::new("chr1", 5_000, 6_000),
            strand: Strand::Forward,
            transcript_starts: vec![5_000, 10_200],
        };
        let new = NewDatabase {
            axis: GenomeAxis::new(assembly, vec![region]).unwrap(),
            mask: vec![Interval::new("chr1", 9_000, 9_100)],
            genes: vec![gene],
            enhancers: vec![Interval::new("chr1", 8_000, 8_050)],
        };
        Database::create(&folder.join("x.persea"), &new).unwrap()
    }

    fn files(database: &Database) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(database.index_folder()).unwrap();
        entries.map(|e| e.unwrap().path()).collect()
    }

    /// The classes of bins of every kind, and the nearest gene of a place.
    fn answers(annotation: &Annotation) -> (Vec<Vec<Class>>, Option<NearestGene>) {
        // Axis bin b is chromosome bin 40 + b: gene 200 to 239, promoters 160 to 240 and, of the other
        // transcript, 368 to 448, enhancer 320 and 321, mask 360 to 363.
        let bins = [119, 120, 160, 199, 201, 280, 282, 320, 324, 328, 399];
        let classes = bins.map(|b| annotation.classes(&(b..b + 1)));
        let place = Interval::new("chr1", 4_990, 4_992);
        (classes.to_vec(), annotation.nearest_gene(&place))
    }

    #[test]
    fn what_the_file_gives_is_what_the_tables_give() {
        use Class::{Enhancer, Gene, Intergenic, Masked, Promoter};
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path());
        let from_tables = Annotation::read(&database, database.axis()).unwrap();
        let written = files(&database);
        assert_eq!(written.len(), 1);
        let from_file = Annotation::read(&database, database.axis()).unwrap();
        let expected = [
            vec![Intergenic],
            vec![Promoter],
            vec![Promoter, Gene],
            vec![Promoter, Gene],
            vec![Intergenic],
            vec![Enhancer],
            vec![Intergenic],
            vec![Intergenic, Masked],
            vec![Intergenic],
            vec![Promoter],
            vec![Promoter],
        ];
        for annotation in [&from_tables, &from_file] {
            let (classes, nearest) = answers(annotation);
            assert_eq!(classes, expected);
            let nearest = nearest.unwrap();
            assert_eq!((nearest.name.as_str(), nearest.distance), ("A", -9));
            // 20 bp downstream of the other transcript's start.
            let place = Interval::new("chr1", 10_219, 10_221);
            assert_eq!(annotation.nearest_gene(&place).unwrap().distance, 20);
        }
        assert_eq!(from_tables.genes(), from_file.genes());

        // A damaged file is made anew, from the tables.
        let whole = std::fs::read(&written[0]).unwrap();
        let mut damaged = whole.clone();
        damaged[60] ^= 1;
        std::fs::write(&written[0], &damaged).unwrap();
        let again = Annotation::read(&database, database.axis()).unwrap();
        assert_eq!(answers(&again).0, expected);
        assert_eq!(std::fs::read(&written[0]).unwrap(), whole);
    }

    #[test]
    fn a_file_of_other_tables_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path());
        Annotation::read(&database, database.axis()).unwrap();
        let sql = "UPDATE table_checksums SET digest = zeroblob(16) WHERE name = 'enhancers'";
        database.connection().execute(sql, []).unwrap();
        // The handle that has verified the tables does so once.
        let database = Database::open(database.path()).unwrap();
        let error = Annotation::read(&database, database.axis()).unwrap_err();
        assert!(error.to_string().contains("enhancers"), "{error}");
    }
}
