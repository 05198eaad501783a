//! Plays the user at a terminal: starts a process in a terminal of its own, types, and reads what is
//! shown. Does not look into the library.

// Each test binary that shares this file uses a part of it.
#![allow(dead_code)]

use std::{
    io::{Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use pty_process::{
    Size,
    blocking::{Pty, open},
};

/// How long anything may take before a test gives up. Nothing waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process in a terminal, and all that it has shown.
pub struct Terminal {
    pty: Arc<Pty>,
    pub child: Child,
    shown: Arc<Shown>,
    seen: usize,
}

#[derive(Default)]
struct Shown {
    state: Mutex<(Vec<u8>, bool)>,
    changed: Condvar,
}

impl Terminal {
    /// Starts it in a terminal of 33 rows and 77 columns.
    pub fn start(command: Command) -> Self {
        let (pty, pts) = open().expect("a terminal");
        pty.resize(Size::new(33, 77)).expect("a size");
        let child = pty_process::blocking::Command::from(command).spawn(pts).expect("it starts");
        let (pty, shown) = (Arc::new(pty), Arc::<Shown>::default());
        let (reader, writer) = (Arc::clone(&pty), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut buffer = [0; 1 << 16];
            loop {
                let read = (&*reader).read(&mut buffer).unwrap_or(0);
                let mut state = writer.state.lock().expect("no test panics here");
                state.0.extend_from_slice(&buffer[..read]);
                state.1 = read == 0;
                writer.changed.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Self { pty, child, shown, seen: 0 }
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Changes the window's size.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        self.pty.resize(Size::new(rows, columns)).expect("a size");
    }

    /// Waits until a text is shown that was not waited for before; gives all up to its end.
    pub fn expect(&mut self, text: &str) -> String {
        let from = self.seen;
        let (found, end) = self.wait(|shown| {
            let at = shown[from..].windows(text.len()).position(|part| part == text.as_bytes())?;
            Some(from + at + text.len())
        });
        let seen = String::from_utf8_lossy(&end[from..]).into_owned();
        let found = found.unwrap_or_else(|| panic!("{text:?} is not shown, but {seen:?}"));
        self.seen = found;
        String::from_utf8_lossy(&end[from..found]).into_owned()
    }

    /// Waits for its end: the rest of what is shown, and the exit code (-1 for a signal).
    pub fn end(mut self) -> (String, i32) {
        let (_, all) = self.wait(|_| None::<usize>);
        let status = self.child.wait().expect("a child");
        let code = status.code().unwrap_or(-1);
        assert!(code >= 0 || status.signal().is_some());
        (String::from_utf8_lossy(&all[self.seen..]).into_owned(), code)
    }

    /// All that was shown so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.state.lock().expect("no test panics here").0).into_owned()
    }

    /// Waits until `look` finds what it looks for, or the process has ended.
    fn wait<T>(&self, look: impl Fn(&[u8]) -> Option<T>) -> (Option<T>, Vec<u8>) {
        let until = Instant::now() + PATIENCE;
        let mut state = self.shown.state.lock().expect("no test panics here");
        loop {
            let found = look(&state.0);
            let left = until.saturating_duration_since(Instant::now());
            if found.is_some() || state.1 || left.is_zero() {
                return (found, state.0.clone());
            }
            state = self.shown.changed.wait_timeout(state, left).expect("no test panics here").0;
        }
    }
}

/// Nothing that a test has started outlives it.
impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
