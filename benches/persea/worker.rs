//! A process that does as much as it is told and says how long it took: ours and the peers' speak
//! the same lines, a task and numbers in, a JSON object out.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::machine;

/// A running worker; ends with its input.
pub struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts one and waits until it is ready.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        let name = command.get_program().display().to_string();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = BufReader::new(output.context("a worker without output")?);
        let mut worker = Worker {
            child,
            input,
            output,
        };
        worker
            .answer()
            .with_context(|| format!("{name} does not get ready"))?;
        Ok(worker)
    }

    /// One of this program's own workers.
    pub fn ours(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments);
        Self::start(command)
    }

    fn answer(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("it has ended");
        }
        serde_json::from_str(&line).with_context(|| format!("it says `{}`", line.trim()))
    }

    fn ask(&mut self, task: &str) -> anyhow::Result<Value> {
        let input = self.input.as_mut().context("a worker without input")?;
        writeln!(input, "{task}")?;
        self.answer()
    }

    /// Has a task done; how much was done in a second.
    pub fn rate(&mut self, task: &str) -> anyhow::Result<f64> {
        let answer = self.ask(task)?;
        let figure = |name: &str| answer[name].as_f64().context("no such figure");
        Ok(figure("done")? / figure("seconds")?)
    }

    /// The most memory it has held, in bytes.
    pub fn peak_bytes(&self) -> Option<u64> {
        machine::peak_bytes(&self.child.id().to_string())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.input.take();
        let _ = self.child.wait();
    }
}

/// The worker's side: says that it is ready, then answers each line with what was done and the
/// seconds it took.
pub fn serve(mut task: impl FnMut(&[&str]) -> anyhow::Result<(f64, f64)>) -> anyhow::Result<()> {
    println!("{}", json!({"ready": true}));
    for line in std::io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let (done, seconds) = task(&words)?;
        println!("{}", json!({"done": done, "seconds": seconds}));
    }
    Ok(())
}
