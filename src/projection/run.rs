//! A projection from settings to places in the plane, and to the database and back.

use ndarray::Array2;
use persea_vocabulary::vocabulary;
use serde_json::{Value, json};

use super::{
    Neighbours, Points, ProjectionError, Quality, TsneOptions, UmapOptions, fuzzy_graph, layout,
    pca, quality, tsne,
};
use crate::genome::Interval;
use crate::model::TrainedModel;
use crate::store::{Database, NewProjection, ProjectionColumn};

/// Neighbourhoods that a picture is judged by.
const JUDGED: usize = 15;
/// Shares of variance that are kept.
const SHARES: usize = 10;

vocabulary! {
    /// The methods by name; [`Method`] has their parameters.
    pub enum MethodName {
        /// Principal components
        Pca = "pca",
        /// UMAP, from exact neighbours
        Umap = "umap",
        /// t-SNE, from exact neighbours
        Tsne = "tsne",
    }
}

/// How points are laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Principal components.
    Pca,
    /// UMAP.
    Umap {
        /// Neighbours of a point, itself among them, as umap-learn counts.
        n_neighbours: usize,
        /// How near points may come to each other in the picture.
        min_dist: f64,
        /// Epochs; chosen by the number of points when not given.
        n_epochs: Option<usize>,
    },
    /// t-SNE.
    Tsne {
        /// How many neighbours a point has, about.
        perplexity: f64,
        /// Steps.
        n_epochs: usize,
    },
}

impl Method {
    /// The name on the command line and in the database.
    pub const fn name(&self) -> &'static str {
        match self {
            Method::Pca => MethodName::Pca.name(),
            Method::Umap { .. } => MethodName::Umap.name(),
            Method::Tsne { .. } => MethodName::Tsne.name(),
        }
    }

    fn settings(&self) -> Value {
        match self {
            Method::Pca => json!({}),
            Method::Umap {
                n_neighbours,
                min_dist,
                n_epochs,
            } => json!({
                "n_neighbours": n_neighbours, "min_dist": min_dist, "n_epochs": n_epochs,
            }),
            Method::Tsne {
                perplexity,
                n_epochs,
            } => json!({ "perplexity": perplexity, "n_epochs": n_epochs }),
        }
    }

    /// Refuses what goes not with so many points.
    fn check(&self, n: usize) -> Result<(), ProjectionError> {
        let refuse = |why: String| Err(ProjectionError::Settings(why));
        if n < 3 {
            return refuse(format!(
                "{n} point{} cannot be projected: three are the least",
                if n == 1 { "" } else { "s" }
            ));
        }
        match self {
            Method::Umap { n_neighbours, .. } if *n_neighbours < 2 => {
                refuse("UMAP needs 2 neighbours at least".into())
            }
            Method::Umap { n_neighbours, .. } if *n_neighbours > n => refuse(format!(
                "{n} points have no {n_neighbours} neighbours; give option `neighbours` {n} or fewer, or \
                 option `method` pca"
            )),
            Method::Umap { min_dist, .. } if !(0.0..=1.0).contains(min_dist) => {
                refuse(format!("min-dist {min_dist} is not between 0 and 1"))
            }
            Method::Tsne { perplexity, .. } if *perplexity < 1.0 || perplexity.is_nan() => {
                refuse(format!("perplexity {perplexity} is below 1"))
            }
            Method::Tsne { perplexity, .. } if 3.0 * perplexity + 1.0 > n as f64 => {
                refuse(format!(
                    "{n} points are too few for a perplexity of {perplexity}, which needs three times \
                 as many neighbours; give option `perplexity` {} or less, or option `method` pca",
                    ((n - 1) as f64 / 3.0 * 10.0).floor() / 10.0
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Points in the plane.
#[derive(Debug, Clone)]
pub struct Projection {
    /// What was projected: `genome`, `biosamples` or `assays`.
    pub axis: String,
    /// How.
    pub method: String,
    /// The model's name.
    pub model: String,
    /// What the points are, in words.
    pub described: String,
    /// What each is called.
    pub names: Vec<String>,
    /// Where each lies; empty unless they are of the genome.
    pub places: Vec<Interval>,
    /// What is known of them: a column's name, and a text a point.
    pub labels: Vec<(String, Vec<String>)>,
    /// `[n_points, 2]`.
    pub coordinates: Array2<f32>,
    /// How far the picture can be trusted.
    pub quality: Quality,
    /// The first principal components' shares of the variance, of whatever method.
    pub explained: Vec<f64>,
}

/// Lays points out.
///
/// ```
/// use persea::model::{NamedAxis, TrainedModel};
/// use persea::projection::{Method, named_points, project};
///
/// # let (_folder, database) = persea::search::example_database()?;
/// let model = TrainedModel::open(&database, None)?;
/// let points = named_points(&database, &model, NamedAxis::Biosamples)?;
/// let projection = project("biosamples", &model, points, Method::Pca, 0)?;
/// assert_eq!(projection.names, ["S1", "S2", "S3", "S4", "S5"]);
/// assert_eq!(projection.coordinates.dim(), (5, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When there are too few points for the settings, or all are the same.
pub fn project(
    axis: &str,
    model: &TrainedModel,
    points: Points,
    method: Method,
    seed: u64,
) -> Result<Projection, ProjectionError> {
    let n = points.factors.nrows();
    method.check(n)?;
    let components = pca(points.factors.view(), 2);
    if components.explained.iter().all(|share| *share == 0.0) {
        return Err(ProjectionError::Points(format!(
            "all {n} points are the same: there is nothing to tell apart"
        )));
    }
    let first = components.scores.mapv(|v| v as f32);
    let coordinates = match method {
        Method::Pca => first,
        Method::Umap {
            n_neighbours,
            min_dist,
            n_epochs,
        } => {
            let neighbours = Neighbours::of(points.factors.view(), n_neighbours - 1);
            let options = UmapOptions {
                min_dist,
                n_epochs,
                seed,
            };
            layout(&fuzzy_graph(&neighbours), first.view(), &options)
        }
        Method::Tsne {
            perplexity,
            n_epochs,
        } => {
            let neighbours = Neighbours::of(points.factors.view(), (3.0 * perplexity) as usize);
            let options = TsneOptions {
                perplexity,
                n_epochs,
            };
            tsne(&neighbours, first.view(), &options)?
        }
    };
    let quality = quality(points.factors.view(), coordinates.view(), JUDGED);
    Ok(Projection {
        axis: axis.to_string(),
        method: method.name().to_string(),
        model: model.record().name.clone(),
        described: points.described,
        names: points.names,
        places: points.places,
        labels: points.labels,
        coordinates,
        quality,
        explained: components.explained.into_iter().take(SHARES).collect(),
    })
}

impl Projection {
    /// A column of labels.
    pub fn label(&self, name: &str) -> Option<&[String]> {
        let found = self.labels.iter().find(|(n, _)| n == name)?;
        Some(&found.1)
    }

    /// What the picture's axes are called.
    pub fn axis_titles(&self) -> [String; 2] {
        let of = |i: usize| match (self.method.as_str(), self.explained.get(i)) {
            ("pca", Some(share)) => format!("PC{} ({:.1} % of variance)", i + 1, 100.0 * share),
            ("pca", None) => format!("PC{}", i + 1),
            ("umap", _) => format!("UMAP {}", i + 1),
            _ => format!("t-SNE {}", i + 1),
        };
        [of(0), of(1)]
    }

    /// Stores it under a name, in place of one of that name.
    ///
    /// # Errors
    /// When the database can only be read, or the disk is full.
    pub fn save(
        &self,
        database: &Database,
        model: &TrainedModel,
        name: &str,
        method: Method,
        settings: Value,
        seed: u64,
    ) -> crate::Result<()> {
        let mut all =
            json!({ "points": self.described, "seed": seed, "method": method.settings() });
        if let (Some(all), Value::Object(more)) = (all.as_object_mut(), settings) {
            all.extend(more);
        }
        let numbers = |of: &dyn Fn(usize) -> f64| {
            ProjectionColumn::Numbers((0..self.names.len()).map(of).collect())
        };
        let mut columns = vec![(
            "name".to_string(),
            ProjectionColumn::Texts(self.names.clone()),
        )];
        for (axis, name) in ["x", "y"].into_iter().enumerate() {
            let column = numbers(&|i| f64::from(self.coordinates[[i, axis]]));
            columns.push((name.to_string(), column));
        }
        if !self.places.is_empty() {
            let chroms = self.places.iter().map(|p| p.chrom.clone()).collect();
            columns.push(("place: chrom".to_string(), ProjectionColumn::Texts(chroms)));
            let start = numbers(&|i| self.places[i].start as f64);
            columns.push(("place: start".to_string(), start));
            let end = numbers(&|i| self.places[i].end as f64);
            columns.push(("place: end".to_string(), end));
        }
        for (name, texts) in &self.labels {
            let column = ProjectionColumn::Texts(texts.clone());
            columns.push((format!("label: {name}"), column));
        }
        database.save_projection(&NewProjection {
            name: name.to_string(),
            axis: self.axis.clone(),
            method: self.method.clone(),
            model: self.model.clone(),
            model_checksum: model.stored().checksum.clone(),
            settings: all,
            result: json!({
                "k": self.quality.k,
                "trustworthiness": self.quality.trustworthiness,
                "preserved": self.quality.preserved,
                "n_scored": self.quality.n_scored,
                "explained": self.explained,
            }),
            columns,
        })?;
        Ok(())
    }

    /// Reads a stored one.
    ///
    /// # Errors
    /// When there is none of that name, or it is damaged.
    pub fn open(database: &Database, name: &str) -> crate::Result<Self> {
        let stored = database.read_projection(name)?;
        let mut columns = database.projection_columns(&stored)?;
        let bad = |why: &str| ProjectionError::Stored {
            name: name.to_string(),
            why: why.to_string(),
        };
        let mut take = |name: &str| {
            let place = columns.iter().position(|(n, _)| n == name)?;
            Some(columns.remove(place).1)
        };
        let n = stored.n as usize;
        let names = match take("name") {
            Some(ProjectionColumn::Texts(names)) => names,
            _ => return Err(bad("it has no names").into()),
        };
        let (Some(ProjectionColumn::Numbers(x)), Some(ProjectionColumn::Numbers(y))) =
            (take("x"), take("y"))
        else {
            return Err(bad("it has no coordinates").into());
        };
        let places = match (
            take("place: chrom"),
            take("place: start"),
            take("place: end"),
        ) {
            (
                Some(ProjectionColumn::Texts(chroms)),
                Some(ProjectionColumn::Numbers(starts)),
                Some(ProjectionColumn::Numbers(ends)),
            ) => (chroms.into_iter().zip(starts.into_iter().zip(ends)))
                .map(|(chrom, (start, end))| Interval::new(chrom, start as u64, end as u64))
                .collect(),
            _ => Vec::new(),
        };
        let labels = (columns.into_iter())
            .filter_map(|(name, column)| match column {
                ProjectionColumn::Texts(texts) => {
                    Some((name.strip_prefix("label: ")?.to_string(), texts))
                }
                ProjectionColumn::Numbers(_) => None,
            })
            .collect();
        let flat = (x.into_iter().zip(y)).flat_map(|(x, y)| [x as f32, y as f32]);
        let coordinates =
            Array2::from_shape_vec((n, 2), flat.collect()).map_err(|e| bad(&e.to_string()))?;
        let number = |key: &str| stored.result[key].as_f64();
        let needed = |key: &str| number(key).ok_or_else(|| bad(&format!("it has no `{key}`")));
        let described = stored.settings["points"].as_str();
        let described = described.ok_or_else(|| bad("it does not say of which points it is"))?;
        Ok(Projection {
            axis: stored.axis,
            method: stored.method,
            model: stored.model,
            described: described.to_string(),
            names,
            places,
            labels,
            coordinates,
            quality: Quality {
                k: needed("k")? as usize,
                trustworthiness: number("trustworthiness"),
                preserved: number("preserved"),
                n_scored: needed("n_scored")? as usize,
            },
            // Only principal components have it.
            explained: (stored.result["explained"].as_array())
                .map(|list| list.iter().filter_map(Value::as_f64).collect())
                .unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NamedAxis;
    use crate::projection::named_points;
    use crate::search::example_database;

    const UMAP: Method = Method::Umap {
        n_neighbours: 15,
        min_dist: 0.1,
        n_epochs: Some(10),
    };

    #[test]
    fn a_projection_is_stored_and_read_back() {
        let (_folder, database) = example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let points = || named_points(&database, &model, NamedAxis::Biosamples).unwrap();
        let made = project("biosamples", &model, points(), Method::Pca, 0).unwrap();
        made.save(&database, &model, "mine", Method::Pca, json!({"a": 1}), 0)
            .unwrap();
        let read = Projection::open(&database, "mine").unwrap();
        assert_eq!(read.coordinates, made.coordinates);
        assert_eq!(
            (read.names, read.explained),
            (made.names.clone(), made.explained.clone())
        );
        assert_eq!(read.quality, made.quality);
        assert!(made.axis_titles()[0].starts_with("PC1 ("));
        assert!(Projection::open(&database, "yours").is_err());
    }

    #[test]
    fn fewer_points_than_neighbours_and_equal_points_are_refused() {
        let (_folder, database) = example_database().unwrap();
        let model = TrainedModel::open(&database, None).unwrap();
        let points = || named_points(&database, &model, NamedAxis::Biosamples).unwrap();
        let refused = |points: Points, method| {
            project("biosamples", &model, points, method, 0)
                .unwrap_err()
                .to_string()
        };
        let error = refused(points(), UMAP);
        assert!(
            error.contains("5 points") && error.contains("option `neighbours` 5"),
            "{error}"
        );
        let tsne = Method::Tsne {
            perplexity: 30.0,
            n_epochs: 10,
        };
        let error = refused(points(), tsne);
        assert!(error.contains("option `perplexity` 1.3"), "{error}");
        let mut same = points();
        same.factors.fill(0.5);
        assert!(refused(same, Method::Pca).contains("all 5 points are the same"));
        let mut one = points();
        one.factors = one.factors.slice(ndarray::s![..1, ..]).to_owned();
        assert!(refused(one, Method::Pca).contains("1 point cannot"));
        let few = Method::Umap {
            n_neighbours: 5,
            min_dist: 0.1,
            n_epochs: Some(10),
        };
        assert!(project("biosamples", &model, points(), few, 0).is_ok());
    }
}
