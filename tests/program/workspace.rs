//! Running the program as a user does, in a folder with a small compendium in it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use persea::store::{Database, Severity, Track};
use serde_json::Value;
use tempfile::TempDir;

/// How long any run may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// The small training that tests start from; what they add overrides nothing here.
pub const SMALL: &str = "--model avocado --preset small --nodes 16 --batch-size 500 --threads 1";

/// A folder to work in: `sim` is the simulated compendium (two chromosomes of 60,010 bp, 12 tracks
/// of 4 biosamples and 4 assays, 4 more in `sim/truth.tsv`), `x.persea` the database.
pub struct Workspace {
    folder: TempDir,
}

/// What a run of the program left.
pub struct Outcome {
    command: String,
    /// The exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A run of the program that is under way.
pub struct Running {
    command: String,
    child: Child,
    stderr: Receiver<String>,
    seen: Vec<String>,
    stdout: Option<std::thread::JoinHandle<String>>,
}

impl Workspace {
    /// Without a database.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        link(&shared().join("sim"), &folder.path().join("sim"));
        Workspace { folder }
    }

    /// With a database of both chromosomes and no track.
    pub fn created() -> Self {
        Self::with("created.persea")
    }

    /// With all 12 tracks in.
    pub fn ingested() -> Self {
        Self::with("ingested.persea")
    }

    /// With the model `base`, trained without S1 H3K4me3 and S3 H3K36me3.
    pub fn trained() -> Self {
        Self::with("trained.persea")
    }

    fn with(database: &str) -> Self {
        let workspace = Self::new();
        copy_folder(&shared().join(database), &workspace.path("x.persea"));
        workspace
    }

    /// A file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Runs the program with arguments separated by blanks; the database is `x.persea`.
    pub fn run(&self, arguments: &str) -> Outcome {
        self.start(arguments).finish()
    }

    /// As [`Workspace::run`], with arguments that may hold blanks.
    pub fn run_with(&self, arguments: &[&str]) -> Outcome {
        start_with(self.folder.path(), arguments).finish()
    }

    /// Runs what must succeed.
    pub fn ok(&self, arguments: &str) -> Outcome {
        self.run(arguments).succeeds()
    }

    /// Starts the program and leaves it running.
    pub fn start(&self, arguments: &str) -> Running {
        start(self.folder.path(), arguments)
    }

    /// The tracks that are in, as `BIOSAMPLE ASSAY`. (By the library, which is faster.)
    pub fn tracks(&self) -> Vec<String> {
        tracks(&self.path("x.persea"))
    }

    /// The checksum of a model's numbers.
    pub fn checksum(&self, model: &str) -> String {
        let database = Database::open(&self.path("x.persea")).unwrap();
        database.read_model(Some(model)).unwrap().checksum
    }

    /// As [`Workspace::is_whole`], but a killed writer may have left what the next one sweeps.
    pub fn is_undamaged(&self) {
        let findings = Database::open(&self.path("x.persea")).unwrap().check();
        let findings = findings.unwrap();
        let harmless = findings.iter().all(|f| f.severity == Severity::Note);
        assert!(harmless, "{findings:?}");
    }

    /// The database must be whole, as `persea check` sees it.
    pub fn is_whole(&self) {
        is_whole(&self.path("x.persea"));
    }
}

/// A database's tracks, as `BIOSAMPLE ASSAY`.
pub fn tracks(database: &Path) -> Vec<String> {
    let tracks = Database::open(database).unwrap().tracks().unwrap();
    let name = |t: Track| format!("{} {}", t.biosample, t.assay);
    tracks.into_iter().map(name).collect()
}

/// A database must be whole, as `persea check` sees it.
pub fn is_whole(database: &Path) {
    let findings = Database::open(database).unwrap().check().unwrap();
    assert!(findings.is_empty(), "{findings:?}");
}

/// The program in a folder, its arguments separated by blanks.
pub fn start(folder: &Path, arguments: &str) -> Running {
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    start_with(folder, &arguments)
}

fn start_with(folder: &Path, arguments: &[&str]) -> Running {
    let mut child = Command::new(env!("CARGO_BIN_EXE_persea"))
        .args(arguments)
        .current_dir(folder)
        .env("PERSEA_DB", "x.persea")
        .env_remove("PERSEA_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (send, stderr) = channel();
    let pipe = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in pipe.split(b'\n').map_while(Result::ok) {
            let _ = send.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    let mut pipe = child.stdout.take().unwrap();
    let stdout = std::thread::spawn(move || {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    });
    Running {
        command: format!("persea {}", arguments.join(" ")),
        child,
        stderr,
        seen: Vec::new(),
        stdout: Some(stdout),
    }
}

impl Running {
    /// Waits until a line of stderr holds `part`.
    pub fn wait_for(&mut self, part: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.stderr.recv_timeout(left) {
                Ok(line) => {
                    let found = line.contains(part);
                    self.seen.push(line);
                    if found {
                        return;
                    }
                }
                Err(_) => panic!("{}: never said `{part}`: {:#?}", self.command, self.seen),
            }
        }
    }

    /// What Ctrl-C does.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(status.success());
    }

    /// The end that leaves no time for anything (SIGKILL).
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it has come to its end.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end. No run, whatever its input, may panic.
    pub fn finish(mut self) -> Outcome {
        let until = Instant::now() + PATIENCE;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(Instant::now() < until, "{}: does not end", self.command);
            std::thread::sleep(Duration::from_millis(2));
        };
        self.seen.extend(self.stderr.iter());
        let outcome = Outcome {
            command: std::mem::take(&mut self.command),
            code,
            stdout: self.stdout.take().unwrap().join().unwrap(),
            stderr: self.seen.join("\n"),
        };
        for line in outcome.stderr.lines() {
            let n_reported = line.matches("os error").count();
            assert!(
                n_reported <= 1,
                "a cause is told {n_reported} times: {outcome}"
            );
        }
        for word in ["panicked", "RUST_BACKTRACE", "core dumped"] {
            assert!(!outcome.stderr.contains(word), "{outcome}");
        }
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Outcome {
    /// It must have exited with 0.
    pub fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// It must have failed (1), saying each of the parts on stderr.
    pub fn fails(self, parts: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "{self}");
        self.says(parts)
    }

    /// It must have been misused (2), saying each of the parts on stderr.
    pub fn expect_misuse(self, parts: &[&str]) -> Self {
        assert_eq!(self.code, Some(2), "{self}");
        self.says(parts)
    }

    /// Each of the parts must stand on stderr.
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is missing:\n{self}");
        }
        self
    }

    /// Its stdout as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}:\n{self}"))
    }

    /// Its stdout as rows of fields: of `--format tsv`, the header first.
    pub fn tsv(&self) -> Vec<Vec<String>> {
        let row = |line: &str| line.split('\t').map(str::to_string).collect();
        self.stdout.lines().map(row).collect()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Outcome {
            command,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "$ {command}\nexit {code:?}\nstdout:\n{stdout}\nstderr:\n{stderr}"
        )
    }
}

/// The folder with the compendium and the databases that workspaces begin with, made once a test
/// run. It stays in the target folder, and is made anew by the next run.
fn shared() -> &'static Path {
    static SHARED: OnceLock<(PathBuf, fs::File)> = OnceLock::new();
    let (path, _) = SHARED.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(place).unwrap();
        // Held until the process ends: a second test run at the same time waits.
        let lock = fs::File::create(place.join("program.lock")).unwrap();
        lock.lock().unwrap();
        let path = place.join("program");
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        fill(&path);
        (path, lock)
    });
    path
}

fn fill(path: &Path) {
    let run = |arguments: &str| start(path, arguments).finish().succeeds();
    run(
        "simulate --output sim --biosamples 4 --groups 2 --assays 4 --chromosomes 2 \
         --chromosome-bp 60010 --missing 0.25 --seed 3",
    );
    run(
        "create --db created.persea --assembly simulated --chrom-sizes sim/chrom.sizes --regions sim/regions.bed \
         --genes sim/genes.gtf.gz --enhancers sim/enhancers.bed --mask sim/mask.bed",
    );
    copy_folder(&path.join("created.persea"), &path.join("ingested.persea"));
    run("ingest sim/manifest.tsv --db ingested.persea");
    {
        copy_folder(&path.join("ingested.persea"), &path.join("trained.persea"));
        run(&format!(
            "train {SMALL} --db trained.persea --name base --passes 3 --no-validate --hold S1:H3K4me3,S3:H3K36me3"
        ));
    }
}

/// Copies a folder; a closed database is copied like that.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).unwrap();
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) {
    copy_folder(from, to);
}
