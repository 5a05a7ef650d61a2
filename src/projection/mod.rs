//! A model's axes in the plane: positions, biosamples and assays by principal components, UMAP and t-SNE.
//!
//! [`genome_points`] and [`named_points`] gather factors, [`project`] lays them out, and a
//! [`Projection`] says how far it can be trusted: what share of neighbourhoods it keeps. Everything is exact
//! up to the layouts themselves (all neighbours are found, all components computed), and the same for
//! a seed on any number of threads. This module draws nothing.
//!
//! ```
//! use ndarray::array;
//! use persea::projection::{pca, quality};
//!
//! let points = array![[0.0f32, 0.0, 1.0], [1.0, 1.0, 1.1], [2.0, 2.0, 0.9], [5.0, 5.0, 1.0], [6.0, 6.1, 1.0]];
//! let found = pca(points.view(), 2);
//! assert!(found.explained[0] > 0.99);
//! let picture = found.scores.mapv(|v| v as f32);
//! assert_eq!(quality(points.view(), picture.view(), 2).trustworthiness, Some(1.0));
//! ```

mod error;
#[cfg(test)]
mod golden;
mod neighbours;
mod pca;
mod points;
mod quality;
mod run;
mod tsne;
mod umap;

pub use error::ProjectionError;
pub(crate) use neighbours::Neighbours;
pub use pca::{Pca, pca};
pub use points::{GenomeChoice, Points, Where, genome_points, named_points};
pub use quality::{Quality, quality};
pub use run::{Method, MethodName, Projection, project};
pub(crate) use tsne::{TsneOptions, tsne};
pub(crate) use umap::fuzzy_graph;
pub(crate) use umap::{UmapOptions, layout};
