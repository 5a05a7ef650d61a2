//! A small HTTP server on this machine that serves files by ranges, counts what it sends, and can hold an
//! answer back.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// Serves until the test ends.
pub struct FileServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    files: BTreeMap<&'static str, Arc<Vec<u8>>>,
    /// Bytes of bodies sent, by file.
    n_sent: BTreeMap<String, u64>,
    /// A file of which nothing is sent from an offset on, and whom to tell when it is asked for.
    held: Option<(&'static str, usize, Sender<()>)>,
}

impl FileServer {
    /// Serves files under their names.
    pub fn start(files: Vec<(&'static str, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let files = files
            .into_iter()
            .map(|(name, bytes)| (name, Arc::new(bytes)));
        let state = Arc::new(Mutex::new(State {
            files: files.collect(),
            n_sent: BTreeMap::new(),
            held: None,
        }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                // Whoever asked may have gone.
                std::thread::spawn(move || answer(stream, &shared).unwrap_or(()));
            }
        });
        FileServer { address, state }
    }

    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// Bytes of a file that have been sent.
    pub fn n_sent(&self, name: &str) -> u64 {
        let state = self.state.lock().unwrap();
        state.n_sent.get(name).copied().unwrap_or(0)
    }

    /// Sends nothing of a file from an offset on; what it returns receives when that is asked for.
    pub fn hold(&mut self, name: &'static str, from: usize) -> Receiver<()> {
        let (tell, asked) = channel();
        self.state.lock().unwrap().held = Some((name, from, tell));
        asked
    }

    /// Sends all again.
    pub fn release(&mut self) {
        self.state.lock().unwrap().held = None;
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let name = request.split(' ').nth(1).unwrap_or_default();
    let name = name.trim_start_matches('/').to_string();
    let mut range = None;
    while let Some(line) = lines.next().transpose()? {
        if line.is_empty() {
            break;
        }
        if let Some((_, bytes)) = line.to_ascii_lowercase().split_once("range: bytes=") {
            let (from, to) = bytes.split_once('-').unwrap();
            range = Some((from.trim().parse().unwrap(), to.trim().parse().unwrap()));
        }
    }
    let (file, is_held) = {
        let state = state.lock().unwrap();
        let (first, _): (usize, usize) = range.unwrap_or_default();
        let held = state.held.as_ref();
        let held = held.filter(|(of, from, _)| *of == name && first >= *from);
        let is_held = held.map(|(_, _, tell)| tell.send(()).is_ok());
        (state.files.get(name.as_str()).cloned(), is_held.is_some())
    };
    if is_held {
        // Until the other side goes.
        stream.peek(&mut [0])?;
        return Ok(());
    }
    let (Some(file), Some((first, last))) = (file, range) else {
        return write!(
            stream,
            "HTTP/1.1 404 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    };
    let last: usize = last.min(file.len() - 1);
    let body = &file[first..=last];
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {first}-{last}/{}\r\nETag: \"one\"\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        file.len(),
        body.len()
    )?;
    // Counted first: whoever has the last byte may ask at once.
    *state.lock().unwrap().n_sent.entry(name).or_default() += body.len() as u64;
    stream.write_all(body)
}
