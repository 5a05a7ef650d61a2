//! What every request shares, and its turn.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::Semaphore;

use super::error::Refusal;
use super::guard::Guard;
use super::state::Open;

/// How long a request waits for its turn, and how long its answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
const LONGEST: Duration = Duration::from_secs(120);

/// What every request shares.
#[derive(Clone)]
pub(super) struct App {
    pub open: Arc<Open>,
    pub guard: Arc<Guard>,
    /// How many answers are worked out at once.
    pub turns: Arc<Semaphore>,
}

impl App {
    pub fn new(open: Open, guard: Guard, turns: usize) -> Self {
        App {
            open: Arc::new(open),
            guard: Arc::new(guard),
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    /// Works something out on a thread that may wait for the disk, when it is its turn.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Open) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let busy = || {
            let message = "the server has more to do than it can: try again in a moment";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message)
        };
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        let open = Arc::clone(&self.open);
        let task = tokio::task::spawn_blocking(move || {
            // Kept by the work itself: one that nobody waits for any more still takes a turn.
            let _turn = turn;
            work(&open)
        });
        match tokio::time::timeout(LONGEST, task).await {
            Ok(Ok(result)) => result,
            Ok(Err(e)) => Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the answer failed: {e}"),
            )),
            Err(_) => Err(Refusal::new(
                StatusCode::GATEWAY_TIMEOUT,
                "the answer takes too long: ask for less of the genome",
            )),
        }
    }
}
