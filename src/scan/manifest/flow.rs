//! Finds the values of Secrets in JSON that stands on one line, with anything around it. Knows objects and strings only.

use super::{DATA, Form, KIND, LIST, SECRET, STRINGS, V1, VERSION, Value, string_end};

/// An object that is open.
#[derive(Clone, Copy, Default)]
struct Level {
    is: Is,
    /// The form of its values, if it is a Secret's `data`.
    values: Option<Form>,
    /// Whether a Secret's kind was told.
    told: bool,
}

/// What was seen of an object.
#[derive(Clone, Copy, Default, PartialEq)]
enum Is {
    #[default]
    Unknown,
    /// `apiVersion: v1`, last of all.
    Version,
    Secret,
    /// A list of Secrets, which do not say their kinds.
    List,
    /// Of another kind.
    Other,
}

/// Appends the values in one line to `found`. If the line is `cut`, more of it may follow: returns the place of a
/// value that could grow.
pub fn scan(line: &[u8], cut: bool, is_mask: &dyn Fn(&[u8]) -> bool, found: &mut Vec<Value>) -> Option<usize> {
    let mut at = next_object(line, 0)?;
    let mut levels = [Level::default(); DEPTH_MAX];
    let mut depth = 0;
    let mut key: &[u8] = b"";
    let mut assigned = false;
    while let Some(&byte) = line.get(at) {
        at += 1;
        match byte {
            b'{' => {
                if depth + 1 == DEPTH_MAX {
                    at = next_object(line, at)?;
                    (levels, depth) = ([Level::default(); DEPTH_MAX], 0);
                    continue;
                }
                let inner = levels[depth].inner(key);
                depth += 1;
                levels[depth] = inner;
                (key, assigned) = (b"", false);
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                (key, assigned) = (b"", false);
                if depth == 0 {
                    at = next_object(line, at)?;
                }
            }
            b':' => assigned = true,
            b',' => assigned = false,
            b'"' => {
                let end = string_end(line, at, b'"');
                if end.is_none() && cut && assigned && levels[depth].values.is_some() {
                    return Some(at);
                }
                let string = at..end?;
                at = string.end + 1;
                if assigned {
                    levels[depth].take(key, &line[string.clone()]);
                    if levels[depth].holds(&line[string.clone()], is_mask) {
                        found.push(Value { span: string, told: levels[depth].told });
                    }
                } else {
                    key = &line[string];
                    levels[depth].meet(key);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where the next object begins that says first what it is. What stands before it may be text, whose quotes are none.
fn next_object(line: &[u8], from: usize) -> Option<usize> {
    let mut opens = memchr::memchr_iter(b'{', line.get(from..)?).map(|at| from + at);
    opens.find(|at| {
        let first = line[at + 1..].trim_ascii_start().strip_prefix(b"\"").unwrap_or_default();
        [KIND, VERSION].iter().any(|key| first.strip_prefix(*key).is_some_and(|rest| rest.starts_with(b"\"")))
    })
}

impl Level {
    /// The object behind a key.
    fn inner(&self, key: &[u8]) -> Level {
        let told = self.is == Is::Secret;
        match self.is {
            Is::Secret | Is::Version => Level { values: Form::of_key(key), told, ..Level::default() },
            Is::List if key == b"items" || key.is_empty() => Level { is: Is::Secret, ..Level::default() },
            _ => Level::default(),
        }
    }

    /// Takes note of a key: only `data` right behind the version tells.
    fn meet(&mut self, key: &[u8]) {
        if self.is == Is::Version && key != DATA && key != STRINGS {
            self.is = Is::Unknown;
        }
    }

    /// Takes note of what a key was given.
    fn take(&mut self, key: &[u8], value: &[u8]) {
        if key == KIND {
            self.is = match value.strip_prefix(SECRET) {
                Some(b"") => Is::Secret,
                Some(LIST) => Is::List,
                _ => Is::Other,
            };
        } else if key == VERSION && value == V1 && self.is == Is::Unknown {
            self.is = Is::Version;
        }
    }

    /// Whether a value of the object is a secret.
    fn holds(&mut self, value: &[u8], is_mask: &dyn Fn(&[u8]) -> bool) -> bool {
        let Some(form) = self.values.filter(|_| !value.is_empty() && !is_mask(value)) else { return false };
        let holds = form.holds_secret(value, self.told, true);
        if !holds && !self.told && !super::is_base64(value) {
            self.values = None;
        }
        holds
    }
}

/// How many objects may stand in one another.
const DEPTH_MAX: usize = 24;
