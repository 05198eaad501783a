//! Answers `/metrics`, `/livez`, `/readyz` and `/startupz` over HTTP/1.1. Does not serve anything that
//! takes input: requests have a method, a path, and no effect.
//!
//! One thread waits for all connections at once. Each has a bound on its time and on its request; when
//! there are as many as there may be, a new one takes the place of the oldest. So clients that are
//! slow, silent or many take no more than this thread and some kilobytes, and a probe is answered all
//! the same.

use std::{
    fmt::Write as _,
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    Service,
    exposition::{self, CONTENT_TYPE},
    health::Unready,
};
use crate::limits::{HTTP_CONNECTIONS_MAX, HTTP_REQUEST_BYTES_MAX, HTTP_TIME_MS_MAX};

/// Reads where to listen: a port, which means this machine alone (127.0.0.1), or an address and a port.
/// A name is refused: what it means is decided elsewhere. `None` if it is neither.
pub fn address(text: &str) -> Option<SocketAddr> {
    let port = text.strip_prefix(':').unwrap_or(text);
    match port.bytes().all(|byte| byte.is_ascii_digit()) {
        true => port.parse().ok().map(|port| (IpAddr::from(Ipv4Addr::LOCALHOST), port).into()),
        false => text.parse().ok().or_else(|| {
            // What `$(POD_IP):9464` becomes where pods have addresses of version 6 only.
            let (ip, port) = text.rsplit_once(':')?;
            Some((ip.parse::<Ipv6Addr>().ok()?, port.parse().ok()?).into())
        }),
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    wake: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on `address` and answers from there.
    ///
    /// # Errors
    /// Those of the system: the address is not ours, or taken.
    pub fn start(address: SocketAddr, service: &Arc<Service>) -> io::Result<Server> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (wake, woken) = UnixStream::pair()?;
        let service = Arc::clone(service);
        let work = move || Clients { service, listener, woken, open: Vec::new() }.serve();
        let thread = thread::Builder::new().name("http".to_owned()).spawn(work)?;
        Ok(Server { address, wake, thread: Some(thread) })
    }

    /// Where it listens; the port, if none was asked for, is one that was free.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    /// Closes all connections at once, whatever their clients do.
    fn drop(&mut self) {
        let _ = self.wake.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            // If it has panicked, that was said, and it serves no more.
            let _ = thread.join();
        }
    }
}

/// All connections, the oldest first.
struct Clients {
    service: Arc<Service>,
    listener: TcpListener,
    woken: UnixStream,
    open: Vec<Connection>,
}

impl Clients {
    fn serve(mut self) {
        loop {
            match self.wait() {
                Ok(Woken::Stopped) => return,
                Ok(Woken::Ready(ready)) => {
                    self.advance(&ready);
                    self.accept();
                }
                // Without memory or descriptors for it; the next moment may have some.
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    /// Waits until something can be done. Tells for each connection whether it is ready.
    fn wait(&self) -> io::Result<Woken> {
        let now = Instant::now();
        let mut list = Vec::with_capacity(2 + self.open.len());
        list.push(PollFd::from_borrowed_fd(self.woken.as_fd(), PollFlags::IN));
        list.push(PollFd::from_borrowed_fd(self.listener.as_fd(), PollFlags::IN));
        list.extend(self.open.iter().map(Connection::interest));
        let due = self.open.iter().map(|connection| connection.until.saturating_duration_since(now)).min();
        let timeout = due.map(|due| {
            // Rounded up, so that what is due is over when the time is.
            let due = due + Duration::from_millis(1);
            Timespec { tv_sec: due.as_secs() as i64, tv_nsec: due.subsec_nanos().into() }
        });
        match poll(&mut list, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(fault) => return Err(fault.into()),
        }
        let mut told = list.iter().map(|entry| !entry.revents().is_empty());
        if told.next() == Some(true) {
            return Ok(Woken::Stopped);
        }
        Ok(Woken::Ready(told.skip(1).collect()))
    }

    /// Lets each connection that is ready go on, and closes those that are done or late.
    fn advance(&mut self, ready: &[bool]) {
        let (service, now) = (&self.service, Instant::now());
        let mut ready = ready.iter();
        self.open.retain_mut(|connection| {
            let ready = ready.next().is_some_and(|ready| *ready);
            let open = !ready || connection.advance(service).is_ok_and(|open| open);
            open && connection.until > now
        });
    }

    /// Takes new connections, as many as have come and may be open.
    fn accept(&mut self) {
        for _ in 0..HTTP_CONNECTIONS_MAX {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if stream.set_nonblocking(true).is_err() {
                        continue;
                    }
                    if self.open.len() >= HTTP_CONNECTIONS_MAX {
                        self.open.remove(0);
                    }
                    self.open.push(Connection::new(stream));
                }
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return,
                // One that has gone again does not matter; without descriptors, waiting does not help
                // at once.
                Err(fault) if fault.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => return thread::sleep(PAUSE),
            }
        }
    }
}

/// How long the server rests where the system has no resources for it.
const PAUSE: Duration = Duration::from_millis(50);

/// What woke the server.
enum Woken {
    Stopped,
    Ready(Vec<bool>),
}

/// One client, which gets one answer.
struct Connection {
    stream: TcpStream,
    until: Instant,
    state: State,
}

enum State {
    /// What has come of the request.
    Asks(Vec<u8>),
    /// The answer, and how much of it is written.
    Gets(Vec<u8>, usize),
    /// It has its answer. What it still sends is read and thrown away, or the system would take the
    /// answer back; so many bytes of it.
    Leaves(usize),
}

impl Connection {
    fn new(stream: TcpStream) -> Connection {
        let until = Instant::now() + Duration::from_millis(HTTP_TIME_MS_MAX);
        Connection { stream, until, state: State::Asks(Vec::new()) }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    fn interest(&self) -> PollFd<'_> {
        let flags = if matches!(self.state, State::Gets(..)) { PollFlags::OUT } else { PollFlags::IN };
        PollFd::from_borrowed_fd(self.fd(), flags)
    }

    /// Goes on as far as it can without waiting. Whether it is still open.
    fn advance(&mut self, service: &Service) -> io::Result<bool> {
        loop {
            let done = match &mut self.state {
                State::Asks(request) => match read(&mut self.stream, request)? {
                    Some(0) => return Ok(false),
                    Some(_) => {
                        if let Some(answer) = answer(request, service) {
                            self.state = State::Gets(answer, 0);
                        }
                        true
                    }
                    None => false,
                },
                State::Gets(answer, written) => match self.stream.write(&answer[*written..]) {
                    Ok(count) => {
                        *written += count;
                        if *written == answer.len() {
                            self.stream.shutdown(Shutdown::Write)?;
                            self.state = State::Leaves(0);
                        }
                        count > 0
                    }
                    Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => false,
                    Err(fault) if fault.kind() == io::ErrorKind::Interrupted => true,
                    Err(fault) => return Err(fault),
                },
                State::Leaves(thrown) => match read(&mut self.stream, &mut Vec::new())? {
                    Some(0) => return Ok(false),
                    Some(count) => {
                        *thrown += count;
                        if *thrown > LEAVES_BYTES_MAX {
                            return Ok(false);
                        }
                        true
                    }
                    None => false,
                },
            };
            if !done {
                return Ok(true);
            }
        }
    }
}

/// How many bytes behind a request are thrown away before the connection is closed on them.
const LEAVES_BYTES_MAX: usize = 64 << 10;

/// Appends what has come, a little at a time. `None` if nothing has.
fn read(stream: &mut TcpStream, to: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let mut buffer = [0; 2 << 10];
    loop {
        match stream.read(&mut buffer) {
            Ok(count) => {
                to.extend_from_slice(&buffer[..count]);
                return Ok(Some(count));
            }
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
}

/// The answer to a request, when enough of it is there to have one.
fn answer(request: &[u8], service: &Service) -> Option<Vec<u8>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(request) {
        _ if request.len() > HTTP_REQUEST_BYTES_MAX => {
            Some(plain("431 Request Header Fields Too Large", "too large\n"))
        }
        Ok(httparse::Status::Partial) => None,
        Err(httparse::Error::TooManyHeaders) => Some(plain("431 Request Header Fields Too Large", "too large\n")),
        Err(_) => Some(plain("400 Bad Request", "bad request\n")),
        Ok(httparse::Status::Complete(_)) => {
            let head_only = match parsed.method {
                Some("GET") => false,
                Some("HEAD") => true,
                _ => {
                    return Some(response(
                        "405 Method Not Allowed",
                        "text/plain",
                        "Allow: GET, HEAD\r\n",
                        "GET only\n",
                    ));
                }
            };
            let path = parsed.path.unwrap_or_default();
            let mut answer = page(path.split('?').next().unwrap_or_default(), service);
            if head_only && let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
                answer.truncate(end + 4);
            }
            Some(answer)
        }
    }
}

/// How many header lines a request may have.
const HEADERS_MAX: usize = 64;

fn page(path: &str, service: &Service) -> Vec<u8> {
    match path {
        "/metrics" => response("200 OK", CONTENT_TYPE, "", &exposition::write(service)),
        "/livez" => health(service.health.live()),
        "/readyz" => health(service.health.ready()),
        "/startupz" => health(service.health.startup()),
        _ => plain("404 Not Found", "there are /metrics, /livez, /readyz and /startupz\n"),
    }
}

fn health(state: Result<(), Unready>) -> Vec<u8> {
    match state {
        Ok(()) => plain("200 OK", "ok\n"),
        Err(why) => plain("503 Service Unavailable", &format!("{why}\n")),
    }
}

fn plain(status: &str, body: &str) -> Vec<u8> {
    response(status, "text/plain; charset=utf-8", "", body)
}

fn response(status: &str, kind: &str, more: &str, body: &str) -> Vec<u8> {
    let mut text = String::with_capacity(body.len() + 256);
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n{more}\r\n{body}",
        body.len()
    );
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine_and_names_are_refused() {
        let shown = |text: &str| address(text).map(|address| address.to_string());
        assert_eq!(shown("9464").as_deref(), Some("127.0.0.1:9464"));
        assert_eq!(shown(":0").as_deref(), Some("127.0.0.1:0"));
        assert_eq!(shown("[::1]:9464").as_deref(), Some("[::1]:9464"));
        assert_eq!(shown("fd00::7:9464").as_deref(), Some("[fd00::7]:9464"));
        assert_eq!(shown("10.1.2.3:9464").as_deref(), Some("10.1.2.3:9464"));
        for text in ["", ":", "localhost:9464", "example.org:1", "1.2.3.4", "70000", "::1", "x"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
