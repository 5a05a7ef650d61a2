//! What can keep the server from starting, and what can keep a request from being answered.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::store::StoreError;

/// Errors of the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {source}; give another port (option `port`)")]
    Address {
        /// The address.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// An address that others reach, without a token.
    #[error("{address} can be reached by others: a token is needed (option `token`)")]
    Token {
        /// The address.
        address: String,
    },
    /// The operating system refuses something else.
    #[error("the server cannot run: {0}")]
    Io(#[from] std::io::Error),
}

/// Why a request is not answered.
#[derive(Debug)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub message: String,
}

impl Refusal {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Refusal {
            status,
            message: message.into(),
        }
    }

    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl<E: Into<crate::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        let error = error.into();
        let status = match &error {
            crate::Error::Store(
                StoreError::Unknown { .. }
                | StoreError::NoModel
                | StoreError::NoDefaultModel { .. },
            ) => StatusCode::NOT_FOUND,
            crate::Error::Genome(_)
            | crate::Error::Search(_)
            | crate::Error::Selection(_)
            | crate::Error::Imputation(_)
            | crate::Error::Compendium(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.message }).to_string();
        let json = [("content-type", "application/json")];
        (self.status, json, body).into_response()
    }
}
