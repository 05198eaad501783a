//! Turns values that arrive one by one into what is looked for, for all filters that share the
//! registry. Does not look for them.

use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use super::{
    encodings::{self, Encoding},
    inner,
    lines::Blocks,
    matcher::Matcher,
    read,
    snapshot::{Known, TIERS_MAX, Tier, Value},
    strings::{self, Strings},
    table::{Hasher, Table},
    value,
    wrap::Broken,
};
use crate::{limits::SECRET_BYTES_MAX, redact::Masker, scan::prefilter::breaks};

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
    /// It has no bytes, or none but blanks.
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
    /// How wide programs without a terminal believe theirs to be (columns; 0 for what they do by themselves).
    columns: AtomicUsize,
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
        self.change(|state| state.add_as_read(name, value, self.shared.policy))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.state().values.len()
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

    /// Says how wide programs that have no terminal are told that it is, as by `COLUMNS` (0 if they are not told). Some break
    /// their lines there; others do at 80 columns, whatever they are told.
    pub fn set_columns(&self, columns: usize) {
        self.shared.columns.store(columns, Ordering::Relaxed);
    }

    /// How lines are broken over whose ends a value may go.
    pub(crate) fn broken<'a>(&self, masker: &'a Masker) -> Broken<'a> {
        let told = self.shared.columns.load(Ordering::Relaxed);
        let told = if told == COLUMNS || !(COLUMNS_MIN..=breaks::COLUMNS_MAX).contains(&told) { 0 } else { told };
        Broken { terminal: self.shared.width.load(Ordering::Relaxed), columns: [COLUMNS, told], masker }
    }

    /// What is looked for now.
    pub fn current(&self) -> Arc<Known> {
        let mut state = self.state();
        if state.ready < state.values.len() {
            state.make_ready();
        }
        Arc::clone(&state.current)
    }

    /// Changes the list, and lets all filters know if it has, or if that has failed half-way.
    fn change<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut told = Told { epoch: &self.shared.epoch, is_changed: true };
        let mut state = self.state();
        let before = state.values.len();
        let done = work(&mut state);
        told.is_changed = state.values.len() > before;
        done
    }

    /// A panic in here has left values half taken or half ready. No filter may go on without them: each that asks panics,
    /// and its pipeline withholds what it was to pass.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no value is half taken")
    }
}

/// Counts the epoch up when it goes: at the end of a change, or when that panics.
struct Told<'a> {
    epoch: &'a AtomicU64,
    is_changed: bool,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if self.is_changed {
            self.epoch.fetch_add(1, Ordering::Release);
        }
    }
}

impl State {
    /// Adds a value, what programs make of it when they read it, where that can be told from other text, and the values
    /// that stand in it.
    fn add_as_read(&mut self, name: &str, value: &[u8], policy: Policy) -> Result<Added, Refused> {
        let added = self.add(name, value, policy)?;
        if added != Added::Known {
            let mut add = |text: &[u8]| match self.add(name, text, policy) {
                Err(full @ Refused::TooMany { .. }) => Err(full),
                _ => Ok(()),
            };
            // A field may be written in some encoding, and an encoded text may have fields.
            let mut with_readings = |text: &[u8]| {
                add(text)?;
                read::once(text, &mut add)
            };
            inner::each(value, &mut with_readings)?;
            read::once(value, |text| {
                with_readings(text)?;
                inner::each(text, &mut with_readings)
            })?;
        }
        Ok(added)
    }

    fn add(&mut self, name: &str, value: &[u8], policy: Policy) -> Result<Added, Refused> {
        let name = name.to_owned();
        let value = without_line_ends(value);
        if value.trim_ascii().is_empty() {
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
        debug_assert!(!form.is_empty(), "a value is not blank");
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

/// The width that programs take for the terminal's where there is none, and which containers and remote commands give to
/// theirs (columns).
const COLUMNS: usize = 80;

/// The least width at which lines are joined (columns): nobody reads what is broken at fewer.
const COLUMNS_MIN: usize = 20;

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::{
        Engine, Filter, Options, RuleSet,
        finding::Finding,
        pipeline::{self, OnError, Settings},
        redact::Clean,
        sink::Sink,
        source::Source,
    };

    #[test]
    fn no_filter_goes_on_with_values_that_were_half_taken() {
        let known = KnownValues::default();
        known.add("NAME", b"walnut-Kestrel").unwrap();
        let options = Options { known: known.clone(), ..Options::default() };
        let engine = Arc::new(Engine::new(RuleSet::builtin().unwrap(), options).unwrap());
        let mut filter = Filter::new(Arc::clone(&engine));
        assert_eq!(filter.push(b"walnut-Kestrel\n").to_vec(), b"[REDACTED:known-value]\n");
        let fails = |known: &KnownValues| catch_unwind(AssertUnwindSafe(|| known.change(|_| panic!("half-way"))));
        assert!(fails(&known).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| filter.push(b"walnut-Kestrel\n").to_vec())).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| known.add("OTHER", b"otter.Quartz"))).is_err());
    }

    /// A sink at whose second call the registry fails.
    struct Fails(KnownValues, Vec<u8>);

    impl Sink for Fails {
        fn write(&mut self, clean: Clean<'_>) -> std::io::Result<()> {
            self.1.extend(clean.to_vec());
            let _ = catch_unwind(AssertUnwindSafe(|| self.0.change(|_| panic!("half-way"))));
            Ok(())
        }
    }

    #[test]
    fn a_stream_ends_before_what_a_broken_registry_was_asked_about() {
        for (on_error, expected) in
            [(OnError::Stop, "first\n"), (OnError::Withhold, "first\n[REDACTED:unscanned 7 bytes]\n")]
        {
            let known = KnownValues::default();
            let options = Options { known: known.clone(), ..Options::default() };
            let engine = Arc::new(Engine::new(RuleSet::builtin().unwrap(), options).unwrap());
            let mut sink = Fails(known, Vec::new());
            let source = Source::reader(std::io::Read::chain(&b"first\n"[..], &b"second\n"[..]));
            let settings = Settings { jobs: 1, on_error, ..Settings::default() };
            let ended = pipeline::run(&engine, source, &mut sink, &mut |_: Finding| {}, &settings);
            assert_eq!(
                (String::from_utf8_lossy(&sink.1).as_ref(), ended.is_ok()),
                (expected, on_error == OnError::Withhold)
            );
        }
    }
}
