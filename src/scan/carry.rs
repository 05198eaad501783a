//! Turns what one line says about the next into what can go on elsewhere: behind a rotation, under other rules, after a
//! restart. Does not scan.

use serde::{Deserialize, Serialize};

use super::{
    assigned::{Pending, Waiting},
    keyblock::Block,
    known::{Between, Progress},
    manifest::Manifest,
    unseen::Unseen,
};
use crate::{Engine, view::envelope};

/// What one line says about the next. Holds no byte of a secret.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Carry {
    /// A key block that is open.
    pub(super) block: Option<Block>,
    /// A key name that awaits its value.
    pub(super) pending: Pending,
    /// A Kubernetes manifest whose next lines may hold a Secret's values.
    pub(super) manifest: Option<Manifest>,
    /// Values of several lines that are in the middle of.
    pub(super) known: Vec<Progress>,
    /// Lines of containers whose beginnings are not there.
    pub unseen: Unseen,
    /// Whether an over-long line was cut inside a string.
    pub in_string: bool,
}

impl Carry {
    /// Whether the next line can be scanned without it.
    pub fn is_empty(&self) -> bool {
        *self == Carry::default()
    }

    /// An over-long line goes on: what awaited its beginning is over.
    pub fn enter_line(&mut self, in_string: bool) {
        self.pending = Pending::default();
        self.manifest = None;
        self.known.clear();
        self.in_string = in_string;
    }
}

/// What the text before a place says about the text behind it, in words that do not depend on the engine that has read
/// it: rules are told by their ids, and of known values only that one was begun, and how much of it was seen. Holds no
/// byte of a secret: numbers, ids and names of rules, and hashes of what stands before a key on its line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    block: Option<Block>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    waiting: Option<Waiting>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    manifest: Option<Manifest>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    known: Option<Between>,
    #[serde(skip_serializing_if = "Unseen::is_empty", default)]
    unseen: Unseen,
}

impl Said {
    /// What a carry says, but for the middle of a line: a line ends where a file does.
    pub fn of(carry: &Carry, engine: &Engine) -> Said {
        Said {
            block: carry.block,
            waiting: engine.names().and_then(|names| carry.pending.told(names, engine.rules())),
            manifest: carry.manifest,
            known: Between::of(&carry.known),
            unseen: carry.unseen,
        }
    }

    /// The same for a filter with this engine.
    pub fn carry(&self, engine: &Engine) -> Carry {
        let pending =
            self.waiting.as_ref().zip(engine.names()).map(|(waiting, names)| waiting.heard(names, engine.rules()));
        Carry {
            block: self.block,
            pending: pending.unwrap_or_default(),
            manifest: self.manifest,
            known: self.known.map(Between::progress).into_iter().collect(),
            unseen: self.unseen,
            in_string: false,
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Said::default()
    }

    /// Behind text that nobody has read: a private key may have begun there, or have gone on.
    pub fn behind_unread(&self) -> Said {
        Said { block: Some(self.block.unwrap_or(Block::UNSEEN)), ..self.clone() }
    }

    /// Behind the end of a file that nobody has read: besides that, lines of containers may be open there.
    #[must_use]
    pub fn behind_unread_end(&self) -> Said {
        Said { unseen: Unseen::BEHIND_UNREAD, ..self.behind_unread() }
    }

    /// Behind whole lines that were withheld: the last of them may have had a key whose value stands on the next line.
    #[must_use]
    pub fn behind_withheld(self, lines: &[u8]) -> Said {
        let last = lines.strip_suffix(b"\n").unwrap_or(lines).rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        let record = envelope::parse(last);
        let text = record.map_or(last, |record| &last[record.payload]);
        let waiting = Waiting::of_unread(text.strip_suffix(b"\\n").unwrap_or(text)).or(self.waiting.clone());
        Said { waiting, ..self.behind_unread().behind_lost(lines) }
    }

    /// Behind more text, none of which is there for those who read on: what it says of the middle of a line.
    #[must_use]
    pub fn behind_lost(self, text: &[u8]) -> Said {
        Said { unseen: self.unseen.behind(text), ..self }
    }

    /// Whether some line can have said it. What a stranger wrote may be anything.
    pub fn is_sound(&self) -> bool {
        self.block.is_none_or(|block| block.is_sound())
            && self.waiting.as_ref().is_none_or(Waiting::is_sound)
            && self.manifest.is_none_or(|manifest| manifest.is_sound())
            && self.known.is_none_or(Between::is_sound)
            && self.unseen.is_sound()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Filter, KnownValues, Options, RuleSet};

    fn engine(known: &KnownValues) -> Arc<Engine> {
        let options = Options { known: known.clone(), ..Options::default() };
        Arc::new(Engine::new(RuleSet::builtin().unwrap(), options).unwrap())
    }

    /// What comes out of `behind` if `before` was filtered by another process, and how often a line was said to go on.
    fn behind(before: &str, behind: &str, known: [&KnownValues; 2]) -> (String, Said) {
        let mut filter = Filter::new(engine(known[0]));
        filter.push(before.as_bytes());
        let text = serde_json::to_string(&filter.said()).unwrap();
        let said: Said = serde_json::from_str(&text).unwrap();
        assert!(said == filter.said() && said.is_sound(), "{text}");
        for piece in before.split_whitespace().filter(|piece| piece.len() > 9 && !piece.starts_with('-')) {
            assert!(!text.contains(&piece[..6]), "{text} holds a piece of what was read");
        }
        let mut next = Filter::new(engine(known[1]));
        next.inherit(&said);
        let mut out = next.push(behind.as_bytes()).to_vec();
        out.extend(next.finish().to_vec());
        (String::from_utf8(out).unwrap(), said)
    }

    #[test]
    fn what_is_told_is_heard_by_another_engine_and_holds_nothing_of_the_text() {
        let none = KnownValues::default();
        for (before, after) in [
            ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n", "Zk39fQm2LpX8\n"),
            ("db_password:\n", "  cX1uZjbF7zYOhPBy\n"),
            ("- name: DB_PASSWORD\n", "  value: cX1uZjbF7zYOhPBy\n"),
            ("db_password: |\n", "  cX1uZjbF7zYOhPBy\n"),
            ("[\"--password\",\n", "  \"cX1uZjbF7zYOhPBy\"]\n"),
            ("<password>\n", "cX1uZjbF7zYOhPBy</password>\n"),
            ("apiVersion: v1\ndata:\n", "  host: Y1gxdVpqYkY3ellPaFBCeQ==\n"),
            ("kind: Secret\nmetadata:\n  name: app\ndata:\n", "  host: Y1gxdVpqYkY3ellPaFBCeQ==\n"),
        ] {
            let (out, said) = behind(before, after, [&none, &none]);
            assert!(out.contains("[REDACTED:") && !said.is_empty(), "{before}{out}");
            assert!(!said.is_empty() && said.carry(&engine(&none)) != Carry::default());
        }
        assert!(behind("plain\n", "plain\n", [&none, &none]).1.is_empty());
    }

    #[test]
    fn short_lines_of_a_known_value_are_found_behind_its_first_lines_whatever_its_number_is() {
        let value = b"first line of it\nab12\n\n{x}\nlast line of it";
        let (known, more) = (KnownValues::default(), KnownValues::default());
        known.add("KEY", value).unwrap();
        // The other process has been told others before, one of which has such a line, too.
        more.add("OTHER", b"something else\nab12\nand its rest").unwrap();
        more.add("KEY", value).unwrap();
        for prefix in ["", "2026-11-20 10:00:00 "] {
            let lines = ["first line of it", "ab12", "", "{x}", "last line of it", "ab12", "end"];
            let text: Vec<String> = lines.iter().map(|line| format!("{prefix}{line}\n")).collect();
            for cut in 1..5 {
                let (out, said) = behind(&text[..cut].concat(), &text[cut..].concat(), [&known, &more]);
                assert!(!said.is_empty(), "cut at {cut}");
                let left = &out[..out.find("end").unwrap()];
                // Behind the value it is a word like any other.
                assert_eq!(left.matches("ab12").count(), 1, "cut at {cut}: {out}");
                assert!(!left.contains("{x}"), "cut at {cut}: {out}");
            }
        }
    }

    #[test]
    fn what_no_line_can_have_said_is_not_believed() {
        let sound = |text: &str| serde_json::from_str::<Said>(text).is_ok_and(|said| said.is_sound());
        let none = KnownValues::default();
        let (_, said) =
            behind("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\n", "", [&none; 2]);
        let text = serde_json::to_string(&said).unwrap();
        assert!(sound(&text) && sound("{}"), "{text}");
        let largest = text.replace("\"glued\":0", &format!("\"glued\":{}", usize::MAX));
        assert!(largest != text && !sound(&largest));
        let late = text.replace("\"lines\":1", &format!("\"lines\":{}", u32::MAX));
        assert!(late != text && !sound(&late));
        assert!(!sound("{\"known\":{\"seen\":9,\"blanks\":4294967295}}"));
    }
}
