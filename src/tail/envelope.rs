//! Turns clean lines into JSON objects, one a line of the program that wrote them: what a container's
//! runtime has wrapped and split is unwrapped and joined. Does not mask: it gets clean bytes only.

use std::sync::Arc;

use serde::Serialize;
use time::OffsetDateTime;

use super::origin::Origin;
use crate::{
    finding::{
        Container,
        container::{Contained, Orchestrator},
        ndjson,
    },
    limits::{LINE_BYTES_MAX, PARTIAL_BYTES_MAX},
    view::envelope::{self, Record},
};

/// How records are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As each line looks.
    Auto,
    /// Not at all.
    Plain,
    /// By a runtime with the interface that Kubernetes has for them.
    Cri,
    /// By docker's `json-file` driver.
    Docker,
}

/// The lines of one file on their way to an outlet.
pub struct Voice {
    /// Tells voices apart.
    pub id: u64,
    /// Where they come from.
    pub origin: Arc<Origin>,
    /// When it is saying something.
    now: String,
    /// The beginning of a line.
    line: Vec<u8>,
    /// The parts of a line that goes on, by stream.
    open: [Part; 3],
}

#[derive(Default)]
struct Part {
    time: String,
    text: Vec<u8>,
    begun: bool,
}

impl Voice {
    /// One that has said nothing yet.
    pub fn new(id: u64, origin: Arc<Origin>) -> Voice {
        Voice { id, origin, now: String::new(), line: Vec::new(), open: Default::default() }
    }

    /// Whether a part of what it got was not given out.
    pub fn holds(&self) -> bool {
        !self.line.is_empty() || self.open.iter().any(|part| part.begun)
    }

    /// Forgets what it holds.
    pub fn forget(&mut self) {
        self.line.clear();
        self.open = Default::default();
    }

    /// Takes clean bytes; adds an object to `to` for each line that is whole. `all` ends the last one, too.
    pub fn speak<'a>(
        &mut self,
        stretches: impl Iterator<Item = &'a [u8]>,
        format: Format,
        all: bool,
        to: &mut Vec<u8>,
    ) {
        // One time for what comes at once: to write it down costs as much as a line.
        self.now = now();
        for stretch in stretches {
            let mut rest = stretch;
            while let Some(end) = memchr::memchr(b'\n', rest) {
                self.line.extend_from_slice(&rest[..end]);
                rest = &rest[end + 1..];
                self.line_done(format, to);
            }
            self.line.extend_from_slice(rest);
            if self.line.len() >= LINE_BYTES_MAX {
                self.line_done(format, to);
            }
        }
        if all {
            if !self.line.is_empty() {
                self.line_done(format, to);
            }
            for stream in 0..self.open.len() {
                self.close(stream, to);
            }
        }
    }

    fn line_done(&mut self, format: Format, to: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        match unwrap(&line, format) {
            None => self.object(&self.now, None, text, to),
            Some((record, time, payload)) => {
                let stream = usize::from(record.stream.min(2));
                let part = &mut self.open[stream];
                if !part.begun {
                    *part = Part { time, text: payload, begun: true };
                } else {
                    part.text.extend_from_slice(&payload);
                }
                if !record.partial || part.text.len() >= PARTIAL_BYTES_MAX {
                    self.close(stream, to);
                }
            }
        }
        self.line = line;
        self.line.clear();
    }

    fn close(&mut self, stream: usize, to: &mut Vec<u8>) {
        let part = std::mem::take(&mut self.open[stream]);
        if part.begun {
            let name = if stream == 2 { "stderr" } else { "stdout" };
            self.object(&part.time, Some(name), part.text.strip_suffix(b"\n").unwrap_or(&part.text), to);
        }
    }

    fn object(&self, time: &str, iostream: Option<&str>, text: &[u8], to: &mut Vec<u8>) {
        let message = String::from_utf8_lossy(text);
        let container = self.origin.container.as_ref();
        let log = Log { file: File { path: &self.origin.name }, iostream };
        let (orchestrator, container) = (container.map(Container::orchestrator), container.map(Container::contained));
        ndjson::add_visible_line(&Object { time, message: &message, log, orchestrator, container }, to);
    }
}

fn now() -> String {
    ndjson::timestamp(OffsetDateTime::now_utc())
}

/// The record that a line is, its time, and its text.
fn unwrap(line: &[u8], format: Format) -> Option<(Record, String, Vec<u8>)> {
    let record = envelope::parse(line)?;
    match (format, record.format) {
        (Format::Auto, _) | (Format::Cri, envelope::Format::Cri) | (Format::Docker, envelope::Format::Docker) => {}
        _ => return None,
    }
    let payload = line.get(record.payload.clone())?;
    if record.format == envelope::Format::Cri {
        let time = line.split(|&byte| byte == b' ').next().unwrap_or_default();
        return Some((record.clone(), String::from_utf8_lossy(time).into_owned(), payload.to_vec()));
    }
    let object: Docker = serde_json::from_slice(line).ok()?;
    Some((record, object.time.unwrap_or_else(now), object.log.into_bytes()))
}

#[derive(serde::Deserialize)]
struct Docker {
    log: String,
    time: Option<String>,
}

#[derive(Serialize)]
struct Object<'a> {
    #[serde(rename = "@timestamp")]
    time: &'a str,
    message: &'a str,
    log: Log<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestrator: Option<Orchestrator<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Contained<'a>>,
}

#[derive(Serialize)]
struct Log<'a> {
    file: File<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iostream: Option<&'a str>,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    fn spoken(path: &str, text: &[u8], format: Format, all: bool) -> (Vec<Value>, bool) {
        let engine = crate::Engine::new(crate::RuleSet::builtin().unwrap(), crate::Options::default());
        let mut names = crate::names::Names::new(Arc::new(engine.unwrap()));
        let mut voice = Voice::new(1, Arc::new(Origin::new(Path::new(path), Path::new(path), &mut names)));
        let mut to = Vec::new();
        voice.speak(text.chunks(7), format, all, &mut to);
        let lines = to.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        (lines.map(|line| serde_json::from_slice(line).unwrap()).collect(), voice.holds())
    }

    fn messages(text: &str, format: Format, all: bool) -> (Vec<String>, bool) {
        let (objects, holds) = spoken("a.log", text.as_bytes(), format, all);
        (objects.iter().map(|object| object["message"].as_str().unwrap().to_owned()).collect(), holds)
    }

    const CRI: &str = "2026-11-20T23:10:23.1Z stdout P one \n2026-11-20T23:10:23.2Z stderr F other\n\
        2026-11-20T23:10:23.3Z stdout F line\n2026-11-20T23:10:23.4Z stdout P open\n";

    #[test]
    fn parts_of_a_line_are_joined_by_stream() {
        assert_eq!(messages(CRI, Format::Auto, false), (vec!["other".to_owned(), "one line".to_owned()], true));
        assert_eq!(messages(CRI, Format::Cri, true).0, ["other", "one line", "open"]);
        assert_eq!(messages(CRI, Format::Plain, false).0.len(), 4);
        let docker = "{\"log\":\"a \\\"b\",\"stream\":\"stdout\",\"time\":\"t\"}\n\
            {\"log\":\"c\\u001b\\n\",\"stream\":\"stdout\",\"time\":\"t\"}\n";
        assert_eq!(messages(docker, Format::Auto, false), (vec!["a \"bc\u{1b}".to_owned()], false));
        assert_eq!(messages(docker, Format::Cri, false).0.len(), 2);
    }

    #[test]
    fn objects_say_when_and_where_a_line_was_written() {
        let path = "/var/log/pods/shop_web_11/app/0.log";
        let (objects, _) = spoken(path, CRI.as_bytes(), Format::Auto, false);
        let line = &objects[1];
        assert_eq!(line["@timestamp"], "2026-11-20T23:10:23.1Z");
        assert_eq!(line["log"]["iostream"], "stdout");
        assert_eq!(line["log"]["file"]["path"], path);
        assert_eq!(line["orchestrator"]["namespace"], "shop");
        assert_eq!(line["orchestrator"]["resource"]["id"], "11");
        assert_eq!(line["container"]["name"], "app");
    }

    #[test]
    fn a_line_that_is_not_whole_is_held_until_it_is() {
        assert_eq!(messages("one\ntw", Format::Auto, false), (vec!["one".to_owned()], true));
        assert_eq!(messages("one\r\ntw", Format::Auto, true), (vec!["one".to_owned(), "tw".to_owned()], false));
    }
}
