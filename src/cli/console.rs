//! Says things on standard error, as text or as JSON. Does not write to standard output, which
//! belongs to clean bytes.
//!
//! Whatever is said is escaped here, once: no path or label reaches a terminal raw. Failing to say
//! something is not an error; there is no one left to tell.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _, Write as _},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use blackbar::{escape, finding::ndjson};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::settings::Settings;

/// Whether messages are JSON, for panics, which know nothing else.
static JSON: AtomicBool = AtomicBool::new(false);

/// How messages are written.
#[derive(Debug)]
pub struct Console {
    json: bool,
    color: bool,
}

impl Console {
    /// Before the settings are known, so that errors about them have the wanted form already.
    pub fn early(arguments: &[OsString]) -> Self {
        let option = arguments.windows(2).any(|pair| pair[0] == "--log-format" && pair[1] == "json")
            || arguments.iter().any(|argument| argument == "--log-format=json");
        let variable = env::var_os("BLACKBAR_LOG_FORMAT").is_some_and(|value| value == "json");
        JSON.store(option || variable, Relaxed);
        Self { json: option || variable, color: color_by_itself() }
    }

    /// For who has no console at hand: in the form that was last asked for, without colour.
    pub fn plain() -> Self {
        Self { json: JSON.load(Relaxed), color: false }
    }

    /// Takes over what the settings say.
    pub fn follow(&mut self, settings: &Settings) {
        self.json = settings.word("log-format", "text") == "json";
        JSON.store(self.json, Relaxed);
        self.color = match settings.word("color", "auto") {
            "always" => true,
            "never" => false,
            _ => color_by_itself(),
        };
    }

    /// Something went wrong.
    pub fn error(&self, text: &str) {
        self.say("error", text, Map::new());
    }

    /// Something the user should know, with the same in fields for programs.
    pub fn note(&self, text: &str, fields: Map<String, Value>) {
        self.say("info", text, fields);
    }

    /// Lines as they are, for tables; in JSON one object with `fields`.
    pub fn table(&self, lines: &[String], event: &str, fields: Map<String, Value>) {
        if self.json {
            return self.say("info", event, fields);
        }
        let text: String = lines.iter().map(|line| format!("{}\n", escape::visible(line))).collect();
        write(text.as_bytes());
    }

    fn say(&self, level: &str, text: &str, mut fields: Map<String, Value>) {
        if self.json {
            let at = ndjson::timestamp(OffsetDateTime::now_utc());
            fields.insert("@timestamp".to_owned(), at.into());
            fields.insert("level".to_owned(), level.into());
            fields.insert("message".to_owned(), text.into());
            return write(&ndjson::visible_line(&fields));
        }
        let text = escape::visible(text);
        let line = match (self.color, level) {
            (false, _) => format!("blackbar: {text}\n"),
            (true, "error") => format!("\u{1b}[1;31mblackbar:\u{1b}[0m {text}\n"),
            (true, _) => format!("\u{1b}[1mblackbar:\u{1b}[0m {text}\n"),
        };
        write(line.as_bytes());
    }
}

/// Whether standard error is a terminal that wants colour: <https://no-color.org/>.
fn color_by_itself() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
    !refused && !dumb && io::stderr().is_terminal()
}

/// One call a message, so that messages of several processes do not mix.
fn write(bytes: &[u8]) {
    let _ = io::stderr().lock().write_all(bytes);
}
