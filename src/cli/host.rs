//! A command that runs inside another program: the Python package.
//!
//! Owns what differs from a process of its own. Results go into memory instead of stdout, progress is
//! looked up by the host, and the host stops a command by a flag instead of Ctrl-C. A command with its own
//! way to stop (training keeps a checkpoint) watches the flag. Any other unwinds from its next report of
//! progress: files are written whole or not at all, and transactions roll back.

use std::cell::RefCell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;

/// What a command and its host share.
#[derive(Debug, Default)]
pub struct Host {
    output: Mutex<Vec<u8>>,
    stop: Arc<AtomicBool>,
    stops_itself: AtomicBool,
    bar: Mutex<Option<ProgressBar>>,
}

/// Where a command is: what it does, steps done, steps in total (0 if unknown).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub what: String,
    pub done: u64,
    pub total: u64,
}

/// The payload of the unwinding that stops a command.
#[derive(Debug)]
pub struct Interrupted;

thread_local! {
    static HOST: RefCell<Option<Arc<Host>>> = const { RefCell::new(None) };
}

impl Host {
    /// Asks the command to stop.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Whether the command was asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// What the command has printed since this was last called.
    pub fn take_output(&self) -> Vec<u8> {
        std::mem::take(&mut *self.output.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where the command is, from its newest bar.
    pub fn progress(&self) -> Option<Progress> {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        bar.as_ref().map(|bar| Progress {
            what: bar.message(),
            done: bar.position(),
            // A bar without a length has no end yet.
            total: bar.length().unwrap_or(0),
        })
    }

    /// Runs a command of this thread for a host.
    pub fn run<T>(self: &Arc<Self>, command: impl FnOnce() -> T) -> T {
        struct Reset(Option<Arc<Host>>);
        impl Drop for Reset {
            fn drop(&mut self) {
                HOST.with(|host| *host.borrow_mut() = self.0.take());
            }
        }
        let before = HOST.with(|host| host.borrow_mut().replace(Arc::clone(self)));
        let _reset = Reset(before);
        command()
    }
}

/// The host of this thread's command; none in a process of its own.
pub fn current() -> Option<Arc<Host>> {
    HOST.with(|host| host.borrow().clone())
}

/// The flag by which the host asks to stop, for a command that watches it.
pub fn stop_flag() -> Option<Arc<AtomicBool>> {
    let host = current()?;
    host.stops_itself.store(true, Ordering::SeqCst);
    Some(Arc::clone(&host.stop))
}

/// Makes a bar the one that the host sees. Gives the flag at which it unwinds.
pub fn show(bar: &ProgressBar) -> Option<Arc<Host>> {
    let host = current()?;
    *host.bar.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
    Some(host)
}

/// Unwinds if the host has asked to stop and the command has no way of its own.
pub fn stop_here(host: Option<&Arc<Host>>) {
    if let Some(host) = host
        && host.is_stopped()
        && !host.stops_itself.load(Ordering::SeqCst)
    {
        std::panic::resume_unwind(Box::new(Interrupted));
    }
}

/// Where results go: stdout, or the host's memory.
pub enum Output {
    Stdout(std::io::Stdout),
    Host(Arc<Host>),
}

/// Where results of this thread's command go.
pub fn output() -> Output {
    match current() {
        Some(host) => Output::Host(host),
        None => Output::Stdout(std::io::stdout()),
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Output::Stdout(out) => out.write(bytes),
            Output::Host(host) => {
                let mut output = host.output.lock().unwrap_or_else(PoisonError::into_inner);
                output.extend_from_slice(bytes);
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Output::Stdout(out) => out.flush(),
            Output::Host(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::progress;
    use super::*;

    #[test]
    fn results_go_to_the_host_of_the_thread_and_to_no_other() {
        let (a, b) = (Arc::<Host>::default(), Arc::<Host>::default());
        a.run(|| {
            write!(output(), "of a").unwrap();
            b.run(|| write!(output(), "of b").unwrap());
            write!(output(), ", again").unwrap();
        });
        assert_eq!(a.take_output(), b"of a, again");
        assert_eq!(b.take_output(), b"of b");
        assert!(current().is_none() && a.take_output().is_empty());
    }

    #[test]
    fn the_host_sees_the_newest_bar_and_stops_a_command_at_its_next_report() {
        let host = Arc::<Host>::default();
        assert_eq!(host.progress(), None);
        let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            host.run(|| {
                let bar = progress::bar(10, "{msg}");
                bar.set_message("reading");
                bar.set_position(3);
                host.stop();
                bar.set_position(4);
                bar.set_position(5);
            });
        }));
        assert!(stopped.unwrap_err().is::<Interrupted>());
        let (what, done, total) = ("reading".to_string(), 4, 10);
        assert_eq!(host.progress(), Some(Progress { what, done, total }));
        assert!(current().is_none());
    }

    #[test]
    fn a_command_that_watches_the_flag_does_not_unwind() {
        let host = Arc::<Host>::default();
        host.run(|| {
            let flag = progress::stop_on_interrupt("stopping").unwrap();
            let bar = progress::bar(10, "{msg}");
            host.stop();
            bar.inc(1);
            assert!(flag.load(Ordering::SeqCst));
        });
    }
}
