//! Progress on stderr, if it is a terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar; invisible if stderr is not a terminal.
pub fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}

/// A flag set by Ctrl-C: the first press asks to stop, the second quits at once.
pub fn stop_on_interrupt(message: &'static str) -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            eprintln!("\npersea: quit");
            // SAFETY: ends the process and nothing else. `exit` would first take libraries down, and
            // crash on threads that are computing in them.
            unsafe { libc::_exit(130) };
        }
        eprintln!("\npersea: {message}");
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(stop)
}
