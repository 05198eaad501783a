//! Turns values that arrive one by one into what is looked for, for all filters that share the
//! registry. Does not look for them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use super::{
    encodings::{self, Encoding},
    lines::Blocks,
    matcher::Matcher,
    snapshot::{Known, TIERS_MAX, Tier, Value},
    strings::{self, Strings},
    table::{Hasher, Table},
    value,
};
use crate::limits::SECRET_BYTES_MAX;

/// Values that are masked wherever they appear. Clones share one list: a value that is added
/// through one of them is looked for by every filter whose engine has another, from the next bytes
/// on that it writes.
///
/// ```
/// use std::sync::Arc;
/// use blackbar::{Engine, Filter, KnownValues, Options, RuleSet};
///
/// let known = KnownValues::default();
/// let options = Options { known: known.clone(), ..Options::default() };
/// let engine = Arc::new(Engine::new(RuleSet::builtin()?, options)?);
/// let (mut stdout, mut stderr) = (Filter::new(Arc::clone(&engine)), Filter::new(engine));
///
/// // At any time, from any thread. What is refused is refused by its name.
/// known.add("DB_PASSWORD", b"correct horse")?;
/// assert!(known.add("IMAGE", b"docker").is_err());
///
/// assert_eq!(stdout.push(b"(correct%20horse)\n").to_vec(), b"([REDACTED:known-value])\n");
/// assert_eq!(stderr.push(b"Y29ycmVjdCBob3JzZQ==\n").to_vec(), b"[REDACTED:known-value]\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Neither `Debug` nor `Display`, so that no value is ever printed:
///
/// ```compile_fail
/// println!("{:?}", blackbar::KnownValues::default());
/// ```
#[derive(Clone, Default)]
pub struct KnownValues {
    shared: Arc<Shared>,
}

/// Which values are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long a value must be (bytes).
    pub value_bytes_min: usize,
    /// Whether values are taken that are shorter, or common.
    pub weak: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { value_bytes_min: VALUE_BYTES_MIN, weak: false }
    }
}

/// What became of a value that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is looked for from now on.
    New,
    /// So it is, but for encodings that are longer than [`SECRET_BYTES_MAX`], or as a whole: then each of its lines is
    /// looked for.
    Partly,
    /// It was looked for already, maybe under another name.
    Known,
}

/// Why a value is not looked for. Holds the name it goes by, never its bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has no bytes.
    #[error("{name} is empty")]
    Empty {
        /// The name of the value.
        name: String,
    },
    /// It would be found in text that has nothing to do with it.
    #[error("{name} is shorter than {least} bytes")]
    TooShort {
        /// The name of the value.
        name: String,
        /// How long it would have to be (bytes).
        least: usize,
    },
    /// Masking it would tell it: it is a common word, a number, or made of very few characters.
    #[error("{name} is too easy to guess")]
    Guessable {
        /// The name of the value.
        name: String,
    },
    /// It is longer than what is found whole wherever it lies, and so is each of its lines that says something.
    #[error("{name} is longer than {SECRET_BYTES_MAX} bytes")]
    TooLong {
        /// The name of the value.
        name: String,
    },
    /// There is no room left for it.
    #[error("there is no room for {name} beside the other values")]
    TooMany {
        /// The name of the value.
        name: String,
    },
}

#[derive(Default)]
struct Shared {
    policy: Policy,
    /// Counts the values. Read by every filter each time it gets bytes.
    epoch: AtomicU64,
    /// How wide the terminal is that somebody reads the output on (columns; 0 for none).
    width: AtomicUsize,
    state: Mutex<State>,
}

/// The values, and how far they have been made ready. Making ready waits for the first filter that
/// asks, so that a thousand values are made ready once.
#[derive(Default)]
struct State {
    values: Vec<Arc<Value>>,
    /// The values by their bytes.
    seen: Table,
    hasher: Hasher,
    tiers: Vec<Arc<Tier>>,
    /// How many of the values the tiers hold; the strings of the others.
    ready: usize,
    pending: Strings,
    /// Those of the values that have several lines, and first lines that are no values themselves.
    blocks: Blocks,
    openers: Strings,
    /// What the filters were last given.
    current: Arc<Known>,
}

impl KnownValues {
    /// An empty registry that takes values by this policy.
    pub fn new(policy: Policy) -> KnownValues {
        KnownValues { shared: Arc::new(Shared { policy, ..Shared::default() }) }
    }

    /// Takes a value to look for under a name, which findings tell. Line ends at its end do not
    /// count.
    ///
    /// An encoded form of fewer than six bytes is not looked for, because random text would hold
    /// it. If the policy takes weak values, short forms count, too, unless the value has fewer than
    /// four bytes.
    ///
    /// # Errors
    /// If the value is too short, too common or too long. Then nothing of it is looked for. Where only some of its
    /// forms are too long, it is looked for in the others.
    pub fn add(&self, name: &str, value: &[u8]) -> Result<Added, Refused> {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let added = state.add(name, value, self.shared.policy)?;
        if added != Added::Known {
            self.shared.epoch.fetch_add(1, Ordering::Release);
        }
        Ok(added)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.epoch() == 0
    }

    /// Counts up with each value that is added; 0 if there is none.
    pub fn epoch(&self) -> u64 {
        self.shared.epoch.load(Ordering::Acquire)
    }

    /// Says how wide the terminal is that is filtered (columns; 0 for none): programs break their lines
    /// there, and a value may go on in the next line.
    pub fn set_width(&self, columns: usize) {
        self.shared.width.store(columns, Ordering::Relaxed);
    }

    pub(crate) fn width(&self) -> usize {
        self.shared.width.load(Ordering::Relaxed)
    }

    /// What is looked for now.
    pub fn current(&self) -> Arc<Known> {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.ready < state.values.len() {
            state.make_ready();
        }
        Arc::clone(&state.current)
    }
}

impl State {
    fn add(&mut self, name: &str, value: &[u8], policy: Policy) -> Result<Added, Refused> {
        let name = name.to_owned();
        let value = without_line_ends(value);
        if value.is_empty() {
            return Err(Refused::Empty { name });
        }
        if !policy.weak && value.len() < policy.value_bytes_min {
            return Err(Refused::TooShort { name, least: policy.value_bytes_min });
        }
        if !policy.weak && value::is_guessable(value) {
            return Err(Refused::Guessable { name });
        }
        let hash = self.hasher.bytes(value);
        if self.seen.find(hash, |index| self.values[index as usize].bytes() == value).is_some() {
            return Ok(Added::Known);
        }
        let before = self.pending.len();
        // Fewer values than strings, which an index can count.
        let owner = self.values.len() as u32;
        let added = match add_forms(&mut self.pending, value, owner, policy.weak) {
            Ok(Some(added)) => added,
            Ok(None) => return Err(Refused::TooLong { name }),
            Err(strings::Full) => {
                self.pending.truncate(before);
                return Err(Refused::TooMany { name });
            }
        };
        self.seen.insert(hash, owner);
        self.blocks.add(owner, value);
        if let Some(opener) = value::opener(value, policy.weak) {
            // If there is no room, lines are masked all the same that are values themselves.
            let _ = self.openers.add(opener, owner, Encoding::RAW);
        }
        self.values.push(Arc::new(Value::new(name, value)));
        Ok(added)
    }

    /// Makes a tier of the values that are new. Small tiers are taken up into it, so that there are
    /// few, and a value is made ready again only when there are many times as many.
    fn make_ready(&mut self) {
        let mut strings = std::mem::take(&mut self.pending);
        let mut count = self.values.len() - self.ready;
        while let Some(last) = self.tiers.last() {
            let small = last.values <= TIER_GROWTH * count || self.tiers.len() >= TIERS_MAX;
            // If they do not fit in one list, they stay apart.
            if !small || strings.add_all(last.matcher.strings()).is_err() {
                break;
            }
            count += last.values;
            self.tiers.pop();
        }
        self.tiers.push(Arc::new(Tier { matcher: Matcher::new(strings), values: count }));
        self.ready = self.values.len();
        let mut openers = Strings::default();
        // They had room before.
        let _ = openers.add_all(&self.openers);
        let openers = Arc::new(Matcher::new(openers));
        self.current = Arc::new(Known::new(self.tiers.clone(), self.values.clone(), self.blocks.clone(), openers));
    }
}

/// Adds all forms of a value that are not too long. Nothing if all are.
fn add_forms(strings: &mut Strings, value: &[u8], owner: u32, weak: bool) -> Result<Option<Added>, strings::Full> {
    let (mut some, mut all) = (false, true);
    if value.len() > VALUE_BYTES_MAX {
        return Ok(None);
    }
    value::forms(value, |form| {
        if form.len() > SECRET_BYTES_MAX {
            all = false;
            return Ok(());
        }
        some = true;
        let least = match form.len() {
            _ if !weak => ENCODED_BYTES_MIN,
            ..WEAK_ENCODED_MIN => usize::MAX,
            _ => 1,
        };
        encodings::each(form, |encoding, string| {
            if string.len() > SECRET_BYTES_MAX {
                all &= encoding.can_be_missed();
                return Ok(());
            }
            if encoding != Encoding::RAW && string.len() < least {
                return Ok(());
            }
            strings.add(string, owner, encoding)
        })
    })?;
    Ok(some.then_some(if all { Added::New } else { Added::Partly }))
}

fn without_line_ends(mut value: &[u8]) -> &[u8] {
    while let [rest @ .., b'\n' | b'\r'] = value {
        value = rest;
    }
    value
}

/// How long a value must be unless the user says otherwise (bytes).
const VALUE_BYTES_MIN: usize = 6;

/// How long a value of several lines can be (bytes): each line takes room of its own.
const VALUE_BYTES_MAX: usize = 4 * SECRET_BYTES_MAX;

/// How long an encoded form must be (bytes).
const ENCODED_BYTES_MIN: usize = 6;

/// How long a weak value must be for its encoded forms to be looked for (bytes).
const WEAK_ENCODED_MIN: usize = 4;

/// How many times as many values as there are new ones a tier may have to be taken up.
const TIER_GROWTH: usize = 8;
