//! Paths and their answers, and the limits of answering.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::Value;

use super::app::App;
use super::bigwig::{self, File};
use super::error::Refusal;
use super::guard::{COOKIE, is_same, seal};
use super::parameters::Parameters;
use super::series::{Kind, Series};
use super::state::Open;
use super::{answers, compendium, page, series, similar};
use crate::compendium::Experiment;

/// The description of the API.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

/// The longest path and query.
const LONGEST_ADDRESS: usize = 16_384;

type Answer = fn(&Open, &Parameters) -> Result<Value, Refusal>;
type Given = Query<Vec<(String, String)>>;

/// All routes.
pub(super) fn router(app: App) -> Router {
    let mut router = Router::new()
        .route("/api/v1/openapi.json", get(|| async { json_text(OPENAPI) }))
        .route("/api/v1/genes.bed", get(genes_bed))
        .route("/api/v1/chromosomes.txt", get(chromosomes))
        .route("/api/v1/bigwig/{kind}/{biosample}/{file}", get(bigwig))
        .fallback(get(files));
    for (path, known, answer) in [
        ("/api/v1/info", &[][..], compendium::info as Answer),
        ("/api/v1/tracks", &[], compendium::tracks),
        ("/api/v1/biosamples", &[], compendium::biosamples),
        ("/api/v1/assays", &[], compendium::assays),
        (
            "/api/v1/coverage",
            compendium::COVERAGE,
            compendium::coverage,
        ),
        ("/api/v1/genes", compendium::GENES, compendium::genes),
        (
            "/api/v1/variants",
            compendium::VARIANTS,
            compendium::variants,
        ),
        ("/api/v1/signal", series::SIGNAL, series::signal),
        ("/api/v1/similar", similar::SIMILAR, similar::similar),
        (
            "/api/v1/similar/samples",
            answers::SAMPLES,
            answers::samples,
        ),
        ("/api/v1/select", answers::SELECT, answers::selection),
        ("/api/v1/selections", &[], answers::selections),
        ("/api/v1/runs", &[], answers::runs),
        (
            "/api/v1/evaluations",
            answers::EVALUATIONS,
            answers::evaluations,
        ),
        ("/api/v1/projections", &[], answers::projections),
        (
            "/api/v1/projection",
            answers::PROJECTION,
            answers::projection,
        ),
        (
            "/api/v1/projection/signal",
            answers::PROJECTION_SIGNAL,
            answers::projection_signal,
        ),
    ] {
        let handler = move |State(app): State<App>, Query(given): Given| async move {
            let parameters = Parameters::of(without_token(given), known)?;
            let value = app.work(move |open| answer(open, &parameters)).await?;
            Ok::<_, Refusal>(json_text(value.to_string()))
        };
        router = router.route(path, get(handler));
    }
    router
        .layer(from_fn_with_state(app.clone(), guarded))
        .with_state(app)
}

fn without_token(mut given: Vec<(String, String)>) -> Vec<(String, String)> {
    given.retain(|(name, _)| name != "token");
    given
}

fn json_text(text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What holds for every request, and every response.
async fn guarded(
    State(app): State<App>,
    Query(given): Given,
    request: Request,
    next: Next,
) -> Response<Body> {
    let token = given
        .iter()
        .find(|(name, _)| name == "token")
        .map(|(_, v)| v.as_str());
    let address = request.uri().path_and_query().map_or("", |p| p.as_str());
    let checked = if address.len() > LONGEST_ADDRESS {
        let message = format!("the address is longer than {LONGEST_ADDRESS} bytes");
        Err(Refusal::new(StatusCode::URI_TOO_LONG, message))
    } else {
        let headers = request.headers();
        (app.guard.check_site(headers)).and_then(|()| app.guard.check_token(headers, token))
    };
    let is_page = !request.uri().path().starts_with("/api/");
    let mut response = match checked {
        Err(refusal) => refusal.into_response(),
        Ok(()) => match (&app.guard.token, token) {
            // The token leaves the address bar for a cookie.
            (Some(own), Some(given)) if is_page && is_same(given, own) => to_cookie(own),
            _ => next.run(request).await,
        },
    };
    seal(response.headers_mut());
    response
}

fn to_cookie(token: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_static("/"));
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn genes_bed(State(app): State<App>) -> Result<Response<Body>, Refusal> {
    Ok(plain(app.work(compendium::genes_bed).await?))
}

async fn chromosomes(State(app): State<App>) -> Result<Response<Body>, Refusal> {
    Ok(plain(app.work(compendium::chromosomes).await?))
}

fn plain(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn bigwig(
    State(app): State<App>,
    Path((kind, biosample, file)): Path<(String, String, String)>,
    Query(given): Given,
    method: Method,
    headers: HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let parameters = Parameters::of(without_token(given), &["model"])?;
    let not_found = |message: String| Refusal::new(StatusCode::NOT_FOUND, message);
    let kind: Kind = kind
        .parse()
        .map_err(|e| not_found(format!("`{kind}`: {e}")))?;
    let assay = file
        .strip_suffix(".bw")
        .or_else(|| file.strip_suffix(".bigwig"));
    let Some(assay) = assay else {
        return Err(not_found(format!(
            "`{file}` is no bigWig: its name ends in .bw"
        )));
    };
    let experiment = Experiment::new(biosample, assay);
    let work = move |open: &Open| {
        let series = Series::open(open, kind, experiment, parameters.text("model"))?;
        Ok(File::new(series, open))
    };
    let file = Arc::new(app.work(work).await?);
    bigwig::respond(app, file, method, &headers).await
}

/// The page's files; every view has the address `/`.
async fn files(request: Request) -> Response<Body> {
    page::file(request.uri().path())
}
