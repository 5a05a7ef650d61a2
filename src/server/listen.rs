//! Addresses, connections, and the end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;

use super::ServerError;
use super::app::App;
use super::guard::Guard;
use super::routes::router;
use super::state::Open;
use super::variants::Variants;
use crate::loci::Site;
use crate::store::Database;

/// Connections at once; others wait for one to close.
const CONNECTIONS: usize = 1_024;
/// How long the head of a request may take, and how long a connection may stand still.
const HEAD: Duration = Duration::from_secs(10);
const STILL: Duration = Duration::from_secs(150);
/// How long a client may leave what is sent to it.
const UNREAD: Duration = Duration::from_secs(30);
/// How long requests are waited for at the end.
const FAREWELL: Duration = Duration::from_secs(3);

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Where to listen; port 0 is any that is free.
    pub address: SocketAddr,
    /// What everyone must know who asks; needed where others than this machine can.
    pub token: Option<String>,
    /// Names by which the server may be reached, beside this machine's own.
    pub hosts: Vec<String>,
    /// Variants that are found by name.
    pub variants: Vec<Site>,
    /// Answers that are worked out at once.
    pub n_workers: usize,
}

/// Serves a database until the process is interrupted (SIGINT or SIGTERM). `ready` gets the address once
/// connections are accepted.
///
/// # Errors
/// When the address cannot be listened on, or others can reach it and no token is given.
pub fn serve(
    database: Database,
    options: &ServerOptions,
    ready: &mut dyn FnMut(SocketAddr),
) -> Result<(), ServerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(options.n_workers.max(1) + 2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(run(database, options, ready));
    // Work that nobody waits for any more does not keep the process.
    runtime.shutdown_background();
    result
}

async fn run(
    database: Database,
    options: &ServerOptions,
    ready: &mut dyn FnMut(SocketAddr),
) -> Result<(), ServerError> {
    let is_local = options.address.ip().is_loopback();
    if !is_local && options.token.is_none() {
        let address = options.address.to_string();
        return Err(ServerError::Token { address });
    }
    let listener = TcpListener::bind(options.address).await;
    let listener = listener.map_err(|source| ServerError::Address {
        address: options.address.to_string(),
        source,
    })?;
    let guard = Guard {
        token: options.token.clone(),
        hosts: options.hosts.clone(),
        any_address: !is_local,
    };
    let router = router(App::new(
        Open::new(database, Variants::new(options.variants.clone())),
        guard,
        options.n_workers.max(1),
    ));
    let stop = interrupted()?;
    ready(listener.local_addr()?);
    accept(listener, router, stop).await;
    Ok(())
}

/// Resolves when the process is asked to end.
fn interrupted() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let mut terminated = std::pin::pin!(terminate.recv());
        let mut interrupted = std::pin::pin!(interrupt.recv());
        std::future::poll_fn(|context| {
            let done = terminated.as_mut().poll(context).is_ready()
                || interrupted.as_mut().poll(context).is_ready();
            if done {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    })
}

async fn accept(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let (ending, ended) = watch::channel(false);
    let accepting = async {
        // The semaphore is never closed.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(connection(stream, router.clone(), place, ended.clone()));
                }
                // Such as too many open files: what is open now will close.
                Err(e) => {
                    tracing::warn!("a connection could not be accepted: {e}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    let mut accepting = std::pin::pin!(accepting);
    let mut stop = std::pin::pin!(stop);
    std::future::poll_fn(|context| {
        let _ = accepting.as_mut().poll(context);
        stop.as_mut().poll(context)
    })
    .await;
    // Nobody listens any more where no connection is left.
    let _ = ending.send(true);
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(FAREWELL, places.acquire_many(all)).await;
}

async fn connection(
    stream: TcpStream,
    router: Router,
    place: OwnedSemaphorePermit,
    mut ended: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_read_timeout(Some(STILL));
    stream.set_write_timeout(Some(UNREAD));
    let service = TowerToHyperService::new(router);
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(64 << 10)
            .serve_connection(TokioIo::new(Box::pin(stream)), service)
    );
    {
        let mut end = std::pin::pin!(ended.wait_for(|ended| *ended));
        let mut is_ending = false;
        std::future::poll_fn(|context| {
            if !is_ending && end.as_mut().poll(context).is_ready() {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            connection.as_mut().poll(context)
        })
        .await
        .unwrap_or_else(|e| tracing::debug!("a connection ended: {e}"));
    }
    drop(place);
}
