//! Progress on stderr: a bar if it is a terminal, lines of phases otherwise.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::host::{self, Host};
use super::output::printable;

/// A progress bar. A host that runs the command sees it, and stops the command at its next report.
#[derive(Debug, Clone)]
pub struct Bar {
    bar: ProgressBar,
    host: Option<Arc<Host>>,
}

impl Bar {
    /// So many steps are done.
    pub fn set_position(&self, done: u64) {
        self.bar.set_position(done);
        host::stop_here(self.host.as_ref());
    }

    /// What is being done, where the template shows it.
    pub fn set_message(&self, message: impl Into<String>) {
        self.bar.set_message(printable(&message.into()));
    }

    /// So many more steps are done.
    pub fn inc(&self, more: u64) {
        self.bar.inc(more);
        host::stop_here(self.host.as_ref());
    }
}

impl std::ops::Deref for Bar {
    type Target = ProgressBar;

    fn deref(&self) -> &ProgressBar {
        &self.bar
    }
}

/// A progress bar; invisible if stderr is not a terminal, and under a host, which draws its own.
pub fn bar(length: u64, template: &str) -> Bar {
    let target = match host::current() {
        Some(_) => ProgressDrawTarget::hidden(),
        None => ProgressDrawTarget::stderr_with_hz(5),
    };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    let host = host::show(&bar);
    Bar { bar, host }
}

/// A flag set by Ctrl-C: the first press asks to stop, the second quits at once. Under a host, its flag.
pub fn stop_on_interrupt(message: &'static str) -> anyhow::Result<Arc<AtomicBool>> {
    if let Some(flag) = host::stop_flag() {
        return Ok(flag);
    }
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

/// How long nothing is printed where stderr is no terminal.
const QUIET: Duration = Duration::from_secs(10);

/// Progress of work in phases: a bar if stderr is a terminal, otherwise a line every ten seconds.
pub struct Phases {
    bar: Bar,
    is_terminal: bool,
    started: Instant,
    printed: Mutex<Instant>,
}

impl Phases {
    /// Before the first phase.
    pub fn new() -> Self {
        Phases {
            bar: bar(1, "{msg} {wide_bar} {percent}% {elapsed}"),
            is_terminal: std::io::stderr().is_terminal() || host::current().is_some(),
            started: Instant::now(),
            printed: Mutex::new(Instant::now()),
        }
    }

    /// Phase `phase` of `n_phases`, of which `done` of `total` steps are done.
    pub fn report(&self, what: &str, (phase, n_phases): (usize, usize), (done, total): (u64, u64)) {
        if self.is_terminal {
            self.bar
                .set_message(format!("phase {phase} of {n_phases}, {what}"));
            self.bar.set_length(total);
            self.bar.set_position(done);
            return;
        }
        let Ok(mut printed) = self.printed.lock() else {
            return;
        };
        if printed.elapsed() >= QUIET {
            *printed = Instant::now();
            let elapsed = self.started.elapsed();
            eprintln!("{}", line(what, (phase, n_phases), (done, total), elapsed));
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A line of progress. The time left is that of phases as long as those so far.
fn line(
    what: &str,
    (phase, n_phases): (usize, usize),
    (done, total): (u64, u64),
    elapsed: Duration,
) -> String {
    let of_phase = done as f64 / total.max(1) as f64;
    let share = (phase.saturating_sub(1) as f64 + of_phase) / n_phases.max(1) as f64;
    let left = match share > 0.0 {
        true => {
            let left = elapsed.as_secs_f64() * (1.0 - share) / share;
            format!(", about {left:.0} s left")
        }
        false => String::new(),
    };
    format!(
        "phase {phase} of {n_phases}, {what}: {:.0} % after {:.0} s{left}",
        100.0 * of_phase,
        elapsed.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_phase_its_share_and_the_time_left() {
        let seconds = Duration::from_secs;
        // The third of four phases, half of it done: 2.5 of 4 phases after 25 s, so 15 s are left.
        assert_eq!(
            line("predicting", (3, 4), (5, 10), seconds(25)),
            "phase 3 of 4, predicting: 50 % after 25 s, about 15 s left"
        );
        assert_eq!(
            line("reading", (1, 4), (0, 10), seconds(11)),
            "phase 1 of 4, reading: 0 % after 11 s"
        );
    }
}
