//! A database in the browser: `persea serve`.
//!
//! Owns the HTTP server: which requests are answered, by whom they may be asked, and how many at a
//! time. Every answer is a call of the library on a thread of its own; the page in `web/` uses nothing
//! but the API under `/api/v1`, which `openapi.json` describes. Reads only.
//!
//! | file | purpose |
//! |---|---|
//! | `listen` | addresses, connections, the end |
//! | `guard` | tokens, Host and Origin, the headers of every response |
//! | `app` | what every request shares, and its turn |
//! | `routes` | paths to answers |
//! | `parameters` | what stands behind the question mark |
//! | `state` | the open database, models, what is kept between requests |
//! | `series` | the values of a track, measured or imputed |
//! | `bigwig` | bigWigs that no file holds |
//! | `compendium` | information, tracks, genes, coverage |
//! | `variants` | variants by name, from files that the server was given |
//! | `similar` | similar positions, and why they are alike |
//! | `answers` | similar biosamples and assays, selections, runs, projections |
//! | `page` | the files of the page, where they were built in |

mod answers;
mod app;
mod bigwig;
mod compendium;
mod error;
mod guard;
mod listen;
mod lock;
mod page;
mod parameters;
mod pieces;
mod routes;
mod series;
mod similar;
mod state;
#[cfg(test)]
mod tests;
mod variants;

pub use error::ServerError;
pub use listen::{ServerOptions, serve};
pub use page::has_page;
