//! What makes the distances of hits, as a table.

use persea::genome::Resolution;
use persea::search::GroupShare;
use pyo3::PyResult;

use crate::database::Inner;
use crate::errors;
use crate::search::{Found, Request};
use crate::table::{Column, Table};

/// Whose shares of a distance are asked for.
#[derive(Clone, Copy)]
pub enum By {
    Assay,
    Biosample,
    Track,
    Resolution,
}

impl By {
    pub fn from_name(name: &str) -> PyResult<Self> {
        match name {
            "assay" => Ok(By::Assay),
            "biosample" => Ok(By::Biosample),
            "track" => Ok(By::Track),
            "resolution" => Ok(By::Resolution),
            _ => Err(errors::value(format!(
                "distances have no shares by `{name}`; it is assay, biosample, track or resolution"
            ))),
        }
    }
}

/// The shares of all hits' distances, one row each.
pub fn shares(inner: &Inner, request: &Request, by: By, model: Option<&str>) -> PyResult<Table> {
    let explained = Found::of(inner, request, model)?.explained(inner)?;
    let mut rows = Rows::default();
    for (query, of_hits) in explained.iter().enumerate() {
        for (i, explanation) in of_hits.iter().enumerate() {
            let Some(e) = explanation else { continue };
            let at = (query as u64, i as u64 + 1);
            match by {
                By::Assay => e.assays.iter().for_each(|g| rows.group(at, g)),
                By::Biosample => e.biosamples.iter().for_each(|g| rows.group(at, g)),
                By::Resolution => (Resolution::ALL.iter().zip(e.resolutions))
                    .for_each(|(r, share)| rows.row(at, r.name(), "", share, (None, None), None)),
                By::Track => e.tracks.iter().for_each(|t| {
                    rows.row(at, &t.biosample, &t.assay, t.share, (t.query, t.hit), None);
                }),
            }
        }
    }
    rows.table(by)
}

/// Rows in the making.
#[derive(Default)]
struct Rows {
    hits: Vec<(u64, u64)>,
    names: Vec<String>,
    assays: Vec<String>,
    shares: Vec<Option<f64>>,
    signal: Vec<(Option<f64>, Option<f64>)>,
    agreement: Vec<Option<f64>>,
}

impl Rows {
    fn group(&mut self, at: (u64, u64), g: &GroupShare) {
        self.row(at, &g.name, "", g.share, (g.query, g.hit), g.agreement);
    }

    fn row(
        &mut self,
        at: (u64, u64),
        name: &str,
        assay: &str,
        share: f64,
        signal: (Option<f64>, Option<f64>),
        agreement: Option<f64>,
    ) {
        self.hits.push(at);
        self.names.push(name.to_string());
        self.assays.push(assay.to_string());
        self.shares.push(Some(share));
        self.signal.push(signal);
        self.agreement.push(agreement);
    }

    fn table(self, by: By) -> PyResult<Table> {
        let mut columns = vec![
            ("query", Column::counts(self.hits.iter().map(|h| h.0))),
            ("rank", Column::counts(self.hits.iter().map(|h| h.1))),
        ];
        let names = Column::texts(self.names);
        columns.push(match by {
            By::Assay => ("assay", names),
            By::Biosample | By::Track => ("biosample", names),
            By::Resolution => ("resolution", names),
        });
        if matches!(by, By::Track) {
            columns.push(("assay", Column::texts(self.assays)));
        }
        columns.push(("share", Column::Numbers(self.shares)));
        if !matches!(by, By::Resolution) {
            let of_query = self.signal.iter().map(|s| s.0).collect();
            let of_hit = self.signal.iter().map(|s| s.1).collect();
            columns.push(("query_signal", Column::Numbers(of_query)));
            columns.push(("hit_signal", Column::Numbers(of_hit)));
        }
        if matches!(by, By::Assay | By::Biosample) {
            columns.push(("agreement", Column::Numbers(self.agreement)));
        }
        Table::new(columns)
    }
}
