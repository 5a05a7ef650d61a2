//! A small HTTP server on this machine, for tests, that serves one file and can misbehave.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the server does.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// Answers ranges as HTTP says.
    Good,
    /// Answers 200 with the whole file.
    IgnoresRange,
    /// Answers one byte further on than was asked.
    WrongRange,
    /// Answers 206 without saying which bytes.
    NoContentRange,
    /// Closes the connection in the middle of the body, that many times.
    Truncates { times: usize },
    /// Answers with a status, that many times.
    Fails { status: u16, times: usize },
    /// Never answers.
    Hangs,
    /// Has another ETag after that many requests.
    ChangesEtag { after: usize },
}

/// Serves until dropped.
pub(crate) struct TestServer {
    address: SocketAddr,
    name: &'static str,
    stop: Arc<AtomicBool>,
    n_requests: Arc<AtomicUsize>,
    n_sent: Arc<AtomicU64>,
    n_answered: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    pub fn start(content: Vec<u8>, behaviour: Behaviour) -> Self {
        Self::start_named("file.bw", content, behaviour)
    }

    pub fn start_named(name: &'static str, content: Vec<u8>, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let n_requests = Arc::new(AtomicUsize::new(0));
        let n_sent = Arc::new(AtomicU64::new(0));
        let n_answered = Arc::new(AtomicUsize::new(0));
        let (stop_too, requests_too, sent_too) = (stop.clone(), n_requests.clone(), n_sent.clone());
        let answered_too = n_answered.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop_too.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    let n = requests_too.fetch_add(1, Ordering::SeqCst);
                    let sent = answer(stream, &content, &behaviour, n, &stop_too).unwrap_or(0);
                    sent_too.fetch_add(sent, Ordering::SeqCst);
                    answered_too.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        TestServer {
            address,
            name,
            stop,
            n_requests,
            n_sent,
            n_answered,
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/{}", self.address, self.name)
    }

    pub fn n_requests(&self) -> usize {
        self.n_requests.load(Ordering::SeqCst)
    }

    /// Bytes of bodies sent so far. An answer may have arrived before the server has counted it.
    pub fn n_sent(&self) -> u64 {
        while self.n_answered.load(Ordering::SeqCst) < self.n_requests() {
            std::thread::yield_now();
        }
        self.n_sent.load(Ordering::SeqCst)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers the `n`-th request and closes the connection; says how many body bytes were sent.
fn answer(
    mut stream: TcpStream,
    content: &[u8],
    behaviour: &Behaviour,
    n: usize,
    stop: &AtomicBool,
) -> std::io::Result<u64> {
    let (mut first, mut last) = (0, content.len().saturating_sub(1));
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(line) = lines.next().transpose()? {
        if line.is_empty() {
            break;
        }
        if let Some((_, range)) = line.to_ascii_lowercase().split_once("range: bytes=") {
            let (from, to) = range.split_once('-').unwrap();
            first = from.trim().parse().unwrap();
            last = to.trim().parse::<usize>().unwrap().min(last);
        }
    }
    let total = content.len();
    let mut etag = "\"first\"";
    match behaviour {
        Behaviour::Hangs => {
            for _ in 0..100 {
                std::thread::sleep(Duration::from_millis(10));
                if stop.load(Ordering::SeqCst) || stream.peek(&mut [0]).is_ok_and(|n| n == 0) {
                    break;
                }
            }
            return Ok(0);
        }
        Behaviour::Fails { status, times } if n < *times => {
            write!(
                stream,
                "HTTP/1.1 {status} no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )?;
            return Ok(0);
        }
        Behaviour::IgnoresRange => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {total}\r\nConnection: close\r\n\r\n"
            )?;
            stream.write_all(content)?;
            return Ok(total as u64);
        }
        Behaviour::WrongRange => {
            first += 1;
            last += 1;
        }
        Behaviour::ChangesEtag { after } if n >= *after => etag = "\"second\"",
        _ => {}
    }
    if first >= total {
        write!(
            stream,
            "HTTP/1.1 416 no\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        )?;
        return Ok(0);
    }
    let body = &content[first..=last];
    let range = match behaviour {
        Behaviour::NoContentRange => String::new(),
        _ => format!("Content-Range: bytes {first}-{last}/{total}\r\n"),
    };
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\n{range}ETag: {etag}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    )?;
    let body = match behaviour {
        Behaviour::Truncates { times } if n < *times => &body[..body.len() / 2],
        _ => body,
    };
    stream.write_all(body)?;
    Ok(body.len() as u64)
}
