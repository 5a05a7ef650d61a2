//! The library's log messages on their way to Python's `logging`.
//!
//! They are collected here on any thread, and handed to the logger `persea` at the end of a call, by the
//! thread that holds the interpreter.

use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

use pyo3::prelude::*;
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

static LINES: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

/// Lines that are kept while no call hands them on.
const MOST_LINES: usize = 1_000;

struct Collector;

struct Message {
    level: Level,
    text: Vec<u8>,
}

impl Write for Message {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text).trim().to_string();
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        if !text.is_empty() && lines.len() < MOST_LINES {
            lines.push((self.level, text));
        }
    }
}

impl<'a> MakeWriter<'a> for Collector {
    type Writer = Message;

    fn make_writer(&'a self) -> Message {
        Message {
            level: Level::WARN,
            text: Vec::new(),
        }
    }

    fn make_writer_for(&'a self, metadata: &tracing::Metadata<'_>) -> Message {
        Message {
            level: *metadata.level(),
            text: Vec::new(),
        }
    }
}

/// Begins to collect. Where the process has another subscriber, messages stay its own.
pub fn collect() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let filter = tracing_subscriber::EnvFilter::try_from_env("PERSEA_LOG")
            .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("persea=warn"));
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(Collector)
            .with_ansi(false)
            .with_target(false)
            .with_level(false)
            .without_time()
            .finish();
        // A subscriber that is already there was the host's choice.
        let _ = tracing::subscriber::set_global_default(subscriber);
    });
}

/// Hands what was collected to `logging.getLogger("persea")`.
pub fn hand_over(py: Python<'_>) -> PyResult<()> {
    let lines = std::mem::take(&mut *LINES.lock().unwrap_or_else(PoisonError::into_inner));
    if lines.is_empty() {
        return Ok(());
    }
    let logger = py
        .import("logging")?
        .call_method1("getLogger", ("persea",))?;
    for (level, text) in lines {
        let method = match level {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            _ => "debug",
        };
        logger.call_method1(method, ("%s", text))?;
    }
    Ok(())
}
