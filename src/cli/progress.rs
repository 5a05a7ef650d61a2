//! Progress on stderr: a bar if it is a terminal, a line every ten seconds otherwise.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::host::{self, Host};
use super::output::printable;

/// A progress bar. A host that runs the command sees it, and stops the command at its next report. Where stderr
/// is no terminal and nobody hosts the command, a line every ten seconds takes its place.
#[derive(Debug, Clone)]
pub struct Bar {
    bar: ProgressBar,
    host: Option<Arc<Host>>,
    /// Lines end when the last copy of the bar is dropped.
    lines: Option<Arc<Lines>>,
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

    /// The share of all work that is done, where the bar shows a part of it.
    fn set_share(&self, share: f64) {
        if let Some(mut known) = self.lines.as_ref().and_then(|l| l.share.lock().ok()) {
            *known = Some(share);
        }
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
    let current = host::current();
    let target = match current {
        Some(_) => ProgressDrawTarget::hidden(),
        None => ProgressDrawTarget::stderr_with_hz(5),
    };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    let lines = match current.is_some() || std::io::stderr().is_terminal() {
        true => None,
        false => Lines::start(&bar, template),
    };
    let host = host::show(&bar);
    Bar { bar, host, lines }
}

/// A bar of work whose length is unknown: what is done, and since when.
pub fn busy(what: &'static str) -> Bar {
    let bar = bar(0, &format!("{what} {{elapsed}}"));
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_secs(1));
    }
    bar
}

/// Lines on stderr in place of a bar.
#[derive(Debug)]
struct Lines {
    share: Arc<Mutex<Option<f64>>>,
    /// Dropped with this, which ends the thread that prints.
    _until: Sender<()>,
}

impl Lines {
    /// Prints a line of the bar at intervals, from a thread of its own, so that a long step is not silent;
    /// `None` where PERSEA_PROGRESS is 0.
    fn start(bar: &ProgressBar, template: &str) -> Option<Arc<Lines>> {
        let every = interval(std::env::var("PERSEA_PROGRESS").ok().as_deref())?;
        let what = template.split('{').next().unwrap_or_default().trim();
        let (what, bar, started) = (what.to_string(), bar.clone(), Instant::now());
        // A bar that begins anew for each pass cannot say when all is done.
        let is_whole = !template.contains("of the pass");
        let (until, ended) = channel();
        let share = Arc::new(Mutex::new(None));
        let known = Arc::clone(&share);
        std::thread::spawn(move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                if bar.is_finished() {
                    break;
                }
                let (done, total) = (bar.position(), bar.length().unwrap_or(0));
                let message = bar.message();
                let what = if message.is_empty() { &what } else { &message };
                let of_bar = (is_whole && total > 0).then(|| done as f64 / total as f64);
                let share = known.lock().ok().and_then(|share| *share).or(of_bar);
                eprintln!("{}", line(what, (done, total), share, started.elapsed()));
            }
        });
        let lines = Lines {
            share,
            _until: until,
        };
        Some(Arc::new(lines))
    }
}

/// The time between lines: ten seconds, or as many as PERSEA_PROGRESS says; `None` for 0.
fn interval(set: Option<&str>) -> Option<Duration> {
    let seconds = set.and_then(|text| text.trim().parse::<f64>().ok());
    let seconds = seconds.filter(|s| (0.0..1e6).contains(s)).unwrap_or(10.0);
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds))
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

/// Progress of work in phases.
pub struct Phases {
    bar: Bar,
}

impl Phases {
    /// Before the first phase.
    pub fn new() -> Self {
        Phases {
            bar: bar(1, "{msg} {wide_bar} {percent}% {elapsed}"),
        }
    }

    /// Phase `phase` of `n_phases`, of which `done` of `total` steps are done.
    pub fn report(&self, what: &str, (phase, n_phases): (usize, usize), (done, total): (u64, u64)) {
        // The time left is that of phases as long as those so far.
        let of_phase = done as f64 / total.max(1) as f64;
        let share = (phase.saturating_sub(1) as f64 + of_phase) / n_phases.max(1) as f64;
        self.bar.set_share(share);
        self.bar
            .set_message(format!("phase {phase} of {n_phases}, {what}"));
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A line of progress: steps done of a part, and the share of all work that is done.
fn line(what: &str, (done, total): (u64, u64), share: Option<f64>, elapsed: Duration) -> String {
    let what = if what.is_empty() { "working" } else { what };
    let elapsed = elapsed.as_secs_f64();
    let percent = match total {
        0 => String::new(),
        _ => format!("{:.0} % ", 100.0 * done as f64 / total as f64),
    };
    let left = match share.filter(|share| *share > 0.0) {
        Some(share) => format!(", about {:.0} s left", elapsed * (1.0 - share) / share),
        None => String::new(),
    };
    format!("{what}: {percent}after {elapsed:.0} s{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_work_its_share_and_the_time_left() {
        let seconds = Duration::from_secs;
        // The third of four phases, half of it done: 2.5 of 4 phases after 25 s, so 15 s are left.
        let share = Some(2.5 / 4.0);
        assert_eq!(
            line("phase 3 of 4, predicting", (5, 10), share, seconds(25)),
            "phase 3 of 4, predicting: 50 % after 25 s, about 15 s left"
        );
        assert_eq!(
            line("reading", (0, 10), Some(0.0), seconds(11)),
            "reading: 0 % after 11 s"
        );
        assert_eq!(line("", (0, 0), None, seconds(10)), "working: after 10 s");
    }

    #[test]
    fn lines_come_every_ten_seconds_unless_asked_otherwise() {
        let seconds = |text| interval(text).map(|d| d.as_secs_f64());
        assert_eq!(seconds(None), Some(10.0));
        assert_eq!(seconds(Some("60")), Some(60.0));
        assert_eq!(seconds(Some("0.5")), Some(0.5));
        assert_eq!(seconds(Some("0")), None);
        for odd in ["often", "-1", "NaN", "1e9"] {
            assert_eq!(seconds(Some(odd)), Some(10.0), "{odd}");
        }
    }
}
