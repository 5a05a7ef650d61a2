//! The program's commands, run in this process: by name for the package, or as the whole program for its
//! entry point.
//!
//! A command runs on a thread of its own. The calling thread meanwhile looks for Ctrl-C and reports
//! progress, and holds the interpreter only for that.

use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Once};
use std::time::Duration;

use clap::{CommandFactory, Parser};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Value, json};

use crate::cli::host::{Host, Interrupted, Progress};
use crate::cli::{Arguments, Misuse, dispatch};
use crate::{errors, fork, logs};

/// How often progress and Ctrl-C are checked for.
const TICK: Duration = Duration::from_millis(50);
/// The stack of a command's thread: that of a program's main thread.
const STACK_BYTES: usize = 8 << 20;

/// How a command ended.
enum End {
    Done(anyhow::Result<ExitCode>),
    Panicked(String),
    Interrupted,
}

/// Runs a line of arguments and gives what it printed, and whether all of its work succeeded.
///
/// `progress` is called with what the command does, steps done and steps in total.
#[pyfunction]
#[pyo3(signature = (line, progress = None))]
pub fn run(
    py: Python<'_>,
    line: Vec<String>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Py<PyBytes>, bool)> {
    fork::refuse()?;
    logs::collect();
    silence_caught_panics();
    let host = Arc::<Host>::default();
    let (sender, receiver) = sync_channel(1);
    let of_worker = Arc::clone(&host);
    let worker = std::thread::Builder::new()
        .name("persea".into())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // The receiver waits for this, so sending does not fail.
            let _ = sender.send(work(&of_worker, line));
        })
        .map_err(|e| errors::runtime(format!("cannot start a thread: {e}")))?;
    let mut raised = None;
    let mut shown = None;
    let receiver = std::sync::Mutex::new(receiver);
    let end = loop {
        let waited = py.detach(|| match receiver.lock() {
            Ok(receiver) => receiver.recv_timeout(TICK),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        });
        match waited {
            Ok(end) => break end,
            Err(RecvTimeoutError::Disconnected) => {
                break End::Panicked("its thread ended without an answer".into());
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let checked = py.check_signals().and_then(|()| {
            let now = host.progress();
            match (&progress, now) {
                (Some(callback), Some(now)) if shown.as_ref() != Some(&now) => {
                    let called = report(py, callback, &now);
                    shown = Some(now);
                    called
                }
                _ => Ok(()),
            }
        });
        if let Err(error) = checked {
            host.stop();
            raised = Some(error);
        }
    };
    py.detach(|| {
        // How it ended is known; it only has to be gone.
        let _ = worker.join();
    });
    logs::hand_over(py)?;
    if let Some(error) = raised {
        return Err(error);
    }
    let output = PyBytes::new(py, &host.take_output()).unbind();
    match end {
        End::Done(Ok(code)) => Ok((output, code == ExitCode::SUCCESS)),
        End::Done(Err(error)) => Err(errors::of_command(&error)),
        End::Panicked(message) => Err(errors::BugError::new_err(format!(
            "{message}; this is a bug in Persea: please report it with the call that led here"
        ))),
        End::Interrupted => Err(PyKeyboardInterrupt::new_err("")),
    }
}

fn report(py: Python<'_>, callback: &Py<PyAny>, now: &Progress) -> PyResult<()> {
    callback.call1(py, (&now.what, now.done, now.total))?;
    Ok(())
}

/// Parses and runs a line on this thread.
fn work(host: &Arc<Host>, line: Vec<String>) -> End {
    let line: Vec<OsString> = (["persea".into()].into_iter())
        .chain(line.into_iter().map(OsString::from))
        .collect();
    let run = || -> anyhow::Result<ExitCode> {
        let arguments = Arguments::try_parse_from(&line).map_err(|e| {
            let text = e.to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            Misuse(text.trim_end().to_string())
        })?;
        match arguments.threads() {
            None => host.run(|| dispatch(arguments, &line)),
            Some(threads) => rayon::ThreadPoolBuilder::new()
                .num_threads(usize::from(threads))
                .build()?
                .install(|| host.run(|| dispatch(arguments, &line))),
        }
    };
    match std::panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => End::Done(result),
        Err(payload) if payload.is::<Interrupted>() => End::Interrupted,
        Err(payload) => {
            let text = (payload.downcast_ref::<String>().cloned())
                .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
            End::Panicked(text.unwrap_or_else(|| "a command panicked".into()))
        }
    }
}

/// Panics that the library turns into errors are not printed.
fn silence_caught_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !persea::formats::panic_becomes_error() {
                print(panic);
            }
        }));
    });
}

/// Runs the program: `line` begins with its name. Gives the exit status.
#[pyfunction]
pub fn main(py: Python<'_>, line: Vec<OsString>) -> u8 {
    py.detach(|| crate::cli::run_process(line))
}

/// Every command with its arguments, as JSON: the definition that `persea --help` prints.
#[pyfunction]
pub fn definitions() -> String {
    let mut found = Vec::new();
    let mut root = Arguments::command();
    root.build();
    collect(&root, &mut Vec::new(), &mut found);
    Value::Array(found).to_string()
}

fn collect(command: &clap::Command, path: &mut Vec<String>, found: &mut Vec<Value>) {
    for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
        path.push(sub.get_name().to_string());
        if !sub.is_subcommand_required_set() {
            found.push(definition(sub, path));
        }
        collect(sub, path, found);
        path.pop();
    }
}

fn definition(command: &clap::Command, path: &[String]) -> Value {
    let text = |styled: Option<&clap::builder::StyledStr>| styled.map(ToString::to_string);
    let arguments = command.get_arguments();
    let arguments = arguments
        .filter(|a| !a.is_hide_set() && !["help", "version"].contains(&a.get_id().as_str()));
    let about = text(command.get_long_about()).or_else(|| text(command.get_about()));
    json!({
        "path": path,
        "about": about,
        "example": text(command.get_after_help()),
        "hidden": command.is_hide_set(),
        "arguments": arguments.map(argument).collect::<Vec<_>>(),
    })
}

fn argument(argument: &clap::Arg) -> Value {
    let takes = argument
        .get_num_args()
        .unwrap_or(clap::builder::ValueRange::SINGLE);
    let takes_value = argument.get_action().takes_values() && takes.takes_values();
    let is_many = matches!(argument.get_action(), clap::ArgAction::Append)
        || takes.max_values() > 1
        || argument.get_value_delimiter().is_some();
    let choices: Vec<Value> = (argument.get_possible_values().iter())
        .map(|value| json!({"name": value.get_name(), "help": value.get_help().map(ToString::to_string)}))
        .collect();
    let defaults = argument.get_default_values().iter();
    json!({
        "id": argument.get_id().as_str(),
        "long": argument.get_long(),
        "short": argument.get_short(),
        "global": argument.is_global_set(),
        "help": argument.get_long_help().or(argument.get_help()).map(ToString::to_string),
        "positional": argument.is_positional(),
        "required": argument.is_required_set(),
        "takes_value": takes_value,
        "optional_value": takes_value && takes.min_values() == 0,
        "count": matches!(argument.get_action(), clap::ArgAction::Count),
        "many": is_many && takes_value,
        "default": defaults.map(|d| d.to_string_lossy()).collect::<Vec<_>>(),
        "choices": if takes_value { choices } else { Vec::new() },
        "value_name": argument.get_value_names().map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>()),
    })
}
