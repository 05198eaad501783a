//! Tells whether a key may be assigned a value where one of its words stands. Does not find keys.
//!
//! The words stand in a third of all lines; most are prose, which this turns down by what follows
//! the word and by how the key begins. It never says no where [`super::scan`] finds something, or
//! leaves something for the next line.

use std::ops::Range;

use super::{
    Names, Scratch, TAG_BYTES_MAX, Table, Trigger, column, insert, key,
    name::{self, KeyWords},
    pair, told,
};

/// Whether the key that has the trigger at `text[start..end]` may be assigned a value, or name one
/// that is assigned elsewhere. `open` says that more bytes may follow the text.
///
/// The text may be one that is still escaped: backslashes are looked over wherever they stand.
pub fn may_assign(
    names: &Names,
    trigger: &Trigger,
    text: &[u8],
    Range { start, end }: Range<usize>,
    open: bool,
    scratch: &mut Scratch,
) -> bool {
    let words = &mut scratch.words;
    if !names.may_stand(trigger, text, start, end) {
        return false;
    }
    let first = start_of(text, start);
    let before = first.checked_sub(1).map_or(b'\n', |at| text[at]);
    // The letter of an escape is no letter of the name.
    let escaped = usize::from(before == b'\\' && first < start);
    let flag = [first, first + escaped].into_iter().find(|&at| text[at] == b'-');
    flag.is_some_and(|from| is_flag(names, text, from..end, open, words))
        || before == b':'
        || is_defined(text, first)
        || is_variable(text, first)
        || opens_tuple(text, first)
        || pair::may_open(text, first, end, open)
        || is_announced(text, first, end, open)
        || is_header(names, text, first..end, words)
        || is_called(names, text, start..end, open, words)
        || column::is_column(names, text, first..end, open, words)
        || goes_on(text, first, end, open)
        || may_be_far(names, text, first, words)
}

/// Whether the key at `first` may be a keyword of Clojure's, behind whose blank its value stands: `{:password "x"}`.
pub fn is_keyword(text: &[u8], first: usize) -> bool {
    let head = text.get(..first).unwrap_or_default();
    matches!(head, [b':'] | [.., b'{' | b'(' | b'[' | b' ' | b',' | b'\n', b':'])
}

/// Whether the quoted key whose name begins at `first` is that of a constant of PHP's: `define('DB_PASSWORD', 'x')`.
pub fn is_defined(text: &[u8], first: usize) -> bool {
    let head = text.get(first.saturating_sub(DEFINE_BYTES_MAX)..first).unwrap_or_default();
    let head = head.strip_suffix(b"'").or(head.strip_suffix(b"\"")).unwrap_or(head);
    head.strip_suffix(b"\\").unwrap_or(head).trim_ascii_end().ends_with(b"define(")
}

/// Whether the word that begins at `first` is the first one of a tuple of Erlang's: `{password,"x"}`. Atoms are lower-case.
pub fn opens_tuple(text: &[u8], first: usize) -> bool {
    let opens = first.checked_sub(1).is_some_and(|at| text[at] == b'{');
    opens && text.get(first).is_some_and(u8::is_ascii_lowercase)
}

/// The name in an element that names a value, whose end tag ends at the end of `text`, without the last byte:
/// `<key>Password</key`.
pub fn name_in_element(text: &[u8]) -> Option<Range<usize>> {
    NAME_TAGS.iter().find_map(|(open, close)| {
        let end = text.len() - text.strip_suffix(*close).map(|_| close.len())?;
        let begin = memchr::memrchr(b'>', &text[..end])? + 1;
        (text[..begin].ends_with(open) && begin < end).then_some(begin..end)
    })
}

/// Whether a sentence may announce the name that begins at `first`: `use the following password:`, or a mail server
/// asks for it.
fn is_announced(text: &[u8], first: usize, end: usize, open: bool) -> bool {
    let to = end + text[end..].iter().take(name::KEY_BYTES_MAX).take_while(|&&byte| key::is_ident(byte)).count();
    let owned = || {
        let line = memchr::memchr2(b'\n', b'\r', &text[to..]);
        line.is_none() && open || announces_for(&text[to..line.map_or(text.len(), |at| to + at)])
    };
    let head = &text[..first];
    let told = || head.ends_with(b"following ") || head.ends_with(b"following enrollment ") || head.ends_with(b"334 ");
    may_announce(text, first, to) && (told() || text[to..].starts_with(b" for ") && owned())
}

/// Whether the words beside the name `text[first..to]` may announce a value on the next line, as far as a look at a few
/// of their letters tells.
pub fn may_announce(text: &[u8], first: usize, to: usize) -> bool {
    matches!(text.get(first.saturating_sub(4)..first), Some(b"ing " | b"ent " | b"334 "))
        || text.get(to..).is_some_and(|rest| rest.starts_with(b" for "))
}

/// Whether what stands behind a name says for whom the secret is that the next line has: ` for the user bob:`, ` for
/// bob successfully reset.`.
pub fn announces_for(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_end();
    rest.len() <= SENTENCE_BYTES_MAX
        && rest.starts_with(b" for ")
        && (rest.ends_with(b":") || rest.ends_with(b" reset."))
}

/// The name of the variable that Terraform declares with the bracket at `brace`: `variable "db_password" {`.
pub fn variable_before(text: &[u8], brace: usize) -> Option<Range<usize>> {
    let head = text.get(..brace)?.strip_suffix(b"\" ")?;
    let from = head.len().saturating_sub(name::KEY_BYTES_MAX);
    let open = from + memchr::memrchr(b'"', &head[from..])?;
    let name = &head[open + 1..];
    (head[..=open].ends_with(VARIABLE) && name.iter().all(|byte| key::is_ident(*byte))).then_some(open + 1..head.len())
}

/// Whether the word that begins at `first` may be the name of such a variable.
fn is_variable(text: &[u8], first: usize) -> bool {
    let head = text[..first].strip_suffix(b"\"").unwrap_or_default();
    let slashes = head.iter().rev().take_while(|byte| **byte == b'\\').count();
    head[..head.len() - slashes].ends_with(b"variable ")
}

/// Whether the word that begins at `first` names a column of a table.
#[inline(always)]
fn is_header(names: &Names, text: &[u8], Range { start: first, end }: Range<usize>, words: &mut KeyWords) -> bool {
    let word = text[end..].iter().take(NEAR_BYTES_MAX).take_while(|&&byte| key::is_ident(byte)).count();
    let to = end + word;
    if !Table::may_head(text, first, to) {
        return false;
    }
    // The letter of an escape is no letter of the name.
    let escaped = first > 0 && text[first - 1] == b'\\';
    let mut is_name = |from: usize| text.get(from..to).is_some_and(|name| names.look_up(name, words).is_some());
    if !(is_name(first) || escaped && is_name(first + 1)) {
        return false;
    }
    // A longer line is no header, however it is escaped.
    let (from, until) = (first.saturating_sub(NEAR_BYTES_MAX), text.len().min(to + NEAR_BYTES_MAX));
    let line = memchr::memrchr(b'\n', &text[from..first]).map_or(from, |at| from + at + 1);
    let stop = memchr::memchr(b'\n', &text[to..until]).map_or(until, |at| to + at);
    let line = text[line..stop].strip_suffix(b"\r").unwrap_or(&text[line..stop]);
    // What is still escaped may have a header that ends at an escaped line end.
    line.contains(&b'\\') || Table::headed(line, names, words).is_some()
}

/// Whether something before the key that has a part at `at` may say that it names a value: a directive, or the
/// `name:` whose `value:` follows.
fn may_be_far(names: &Names, text: &[u8], at: usize, words: &mut KeyWords) -> bool {
    let first = start_of(text, at);
    directive_before(text, first.saturating_sub(LINE_BYTES_MAX), first)
        || may_be_name(names, text, first, at, words) && named_before(text, first, |_| true)
}

/// Where the word that has a part at `at` begins.
pub fn start_of(text: &[u8], at: usize) -> usize {
    let floor = at.saturating_sub(BACK_BYTES_MAX);
    let mut first = at;
    while first > floor && key::is_ident(text[first - 1]) {
        first -= 1;
    }
    first
}

/// Whether the word from `first` on, which goes on behind `at`, may be a whole name of the table. The text may still be
/// escaped.
pub fn may_be_name(names: &Names, text: &[u8], first: usize, at: usize, words: &mut KeyWords) -> bool {
    let end = at + text[at..].iter().take_while(|&&byte| key::is_ident(byte)).count();
    let slashes = text[end..].iter().take_while(|&&byte| byte == b'\\').count();
    match text.get(end + slashes) {
        Some(b'"' | b'\'') => {}
        Some(b',' | b';' | b'}' | b')' | b'<' | b'\n') if slashes == 0 => {}
        _ => return true,
    }
    let escaped = first > 0 && text[first - 1] == b'\\';
    let mut is_name = |from: usize| text.get(from..end).is_some_and(|name| names.look_up(name, words).is_some());
    is_name(first) || escaped && is_name(first + 1)
}

/// How far behind a trigger the operator of its key may be: over words that say which key it is (`_OLD`, `[0]`),
/// quotes and blanks.
#[derive(Debug, Default)]
pub struct Reach {
    bytes: usize,
    gaps: usize,
    outside: bool,
}

impl Reach {
    /// Takes so many bytes of a word, or, if there are none, one that is of no word. Whether the operator may still come;
    /// `None` if it is too far away to tell.
    #[inline]
    pub fn pass(&mut self, word: usize) -> Option<bool> {
        self.gaps += usize::from(!self.outside && word == 0);
        self.outside = word == 0;
        self.bytes += word.max(1);
        match self.gaps <= GAPS_MAX {
            true if self.bytes > FORWARD_BYTES_MAX => None,
            near => Some(near),
        }
    }
}

/// Whether the flag that begins at `from`, and has a trigger up to `end`, has a name of the table.
fn is_flag(names: &Names, text: &[u8], flag: Range<usize>, open: bool, words: &mut KeyWords) -> bool {
    let Range { start: from, end } = flag;
    let to = end + text[end..].iter().take_while(|&&byte| key::is_ident(byte)).count();
    open && to == text.len() || names.look_up(&text[from..to], words).is_some()
}

/// Whether the word that begins at `first`, and has a trigger up to `end`, may name a column of an `INSERT`, or have its value
/// behind it as in a sentence.
fn goes_on(text: &[u8], first: usize, end: usize, open: bool) -> bool {
    let to = end + text[end..].iter().take(name::KEY_BYTES_MAX).take_while(|&&byte| key::is_ident(byte)).count();
    match text.get(to) {
        Some(b' ') => told::value_behind(text, to, open).is_some(),
        Some(_) => insert::may_be_column(text, first, to),
        None => false,
    }
}

/// Whether an operator stands behind the trigger, within its [`Reach`], and the key before it has a name of the
/// table.
fn is_called(names: &Names, text: &[u8], word: Range<usize>, open: bool, words: &mut KeyWords) -> bool {
    let Range { start, end } = word;
    let mut reach = Reach::default();
    let mut slash = false;
    let mut at = end;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'=' | b':' if names_key(names, text, start, at, words) => return true,
            b'>' if names_key(names, text, start, at, words) || names_element(names, text, at, words) => return true,
            b'\n' => return false,
            // An escaped line end is one to those who unescape it, and to others it ends the key.
            b'n' | b'r' if slash => return false,
            // What else is escaped may be a blank.
            b'a'..=b'z' | b'0' if slash => return true,
            _ => {}
        }
        slash = byte == b'\\';
        // Nothing is asked at the letters of a word.
        let word = text[at..].iter().take(FORWARD_BYTES_MAX + 1).take_while(|&&byte| key::is_ident(byte)).count();
        match reach.pass(word) {
            Some(true) => {}
            Some(false) => return false,
            None => return true,
        }
        at += word.max(1);
    }
    open
}

/// Whether the key before the operator at `at` reaches back to a trigger at `start`, and has a name
/// of the table.
fn names_key(names: &Names, text: &[u8], start: usize, at: usize, words: &mut KeyWords) -> bool {
    let longer = at > 0 && matches!(text[at - 1], b':' | b'?' | b'+' | b'=' | b'-');
    let longest = longer && text[at] == b'>' && at > 1 && text[at - 2] == text[at - 1];
    (0..1 + usize::from(longer) + usize::from(longest)).map(|operator| at - operator).any(|end| {
        if !names.may_end_at(text, end) {
            return false;
        }
        let Some(key) = key::before(text, end) else { return false };
        let whole = key::with_words_before(text, &key);
        if whole.start > start {
            return false;
        }
        let mut has_name = |from: usize| {
            // The letter of an escape is no letter of the name.
            let escaped = from > 0 && text[from - 1] == b'\\' && text[from].is_ascii_alphabetic();
            let mut name = |from: usize| names.look_up(&text[from..whole.end], words).is_some();
            name(from) || escaped && name(from + 1)
        };
        let unclear = key.quoted.is_some() && text[key.name.clone()].contains(&b'\\');
        unclear || has_name(whole.start) || key.name.start > whole.start && has_name(key.name.start)
    })
}

/// Whether the element whose start tag ends at `at` has a name of the table, or an attribute that
/// may have one.
fn names_element(names: &Names, text: &[u8], at: usize, words: &mut KeyWords) -> bool {
    let before = &text[at.saturating_sub(TAG_BYTES_MAX)..at];
    let Some(open) = memchr::memrchr(b'<', before) else { return false };
    let tag = &before[open + 1..];
    let length = tag.iter().take_while(|&&byte| key::is_ident(byte) || byte == b':').count();
    let name = || name_in_element(before).and_then(|name| before.get(name));
    names.look_up(&tag[..length], words).is_some()
        || name().is_some_and(|name| names.look_up(name, words).is_some())
        || [&b" name="[..], b" key="].iter().any(|attribute| memchr::memmem::find(tag, attribute).is_some())
}

/// Whether one of the few words stands before the key at `first`, in the line from `line` on, that
/// take a name and a value.
pub fn directive_before(text: &[u8], line: usize, first: usize) -> bool {
    let Some(head) = text.get(line..first).and_then(|head| head.strip_suffix(b" ")) else { return false };
    match head.last() {
        Some(b'V' | b'v' | b't' | b'x') if DIRECTIVES.iter().any(|word| head.ends_with(word)) => true,
        _ => netrc(head),
    }
}

/// `machine h login u` before `password`, not `login and password`.
fn netrc(head: &[u8]) -> bool {
    let from = head.len().saturating_sub(USER_BYTES_MAX);
    let Some(gap) = memchr::memrchr(b' ', &head[from..]).map(|at| from + at) else { return false };
    let (before, user) = (&head[..gap], &head[gap + 1..]);
    let login = before == b"login" || before.ends_with(b" login");
    login && !matches!(user, b"" | b"and" | b"or" | b"name")
}

/// Whether the key may be the value of a `name:`, whose `value:` follows. `holds` is asked about the operator of each
/// `name` before it.
pub fn named_before(text: &[u8], first: usize, mut holds: impl FnMut(usize) -> bool) -> bool {
    // Names have no blanks, so the operator is near: behind the quote, a wrapper and blanks.
    let floor = first.saturating_sub(BACK_BYTES_MAX);
    let back = |mut at: usize, skip: &dyn Fn(u8) -> bool| {
        while at > floor && skip(text[at - 1]) {
            at -= 1;
        }
        at
    };
    let start = back(first, &|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b':' | b'>'));
    if start == floor && floor > 0 {
        // A name is not that long.
        return false;
    }
    let at = back(start, &|byte| matches!(byte, b' ' | b'\t'));
    let Some(operator) = at.checked_sub(1).filter(|&at| at >= floor) else {
        // There may be more blanks.
        return at == floor && floor > 0;
    };
    let mut ends = match text[operator] {
        // Values may hold the signs of operators themselves.
        b'=' | b':' | b'>' => operator,
        _ => return false,
    };
    loop {
        if names_role(text, ends) && holds(ends) {
            return true;
        }
        match memchr::memrchr3(b'=', b':', b'>', &text[floor..ends]) {
            Some(before) if !text[floor + before..ends].iter().any(u8::is_ascii_whitespace) => ends = floor + before,
            _ => return false,
        }
    }
}

/// Whether the key before an operator is a [`name::Role::Name`].
fn names_role(text: &[u8], operator: usize) -> bool {
    let before = operator.checked_sub(1).map(|at| text[at]);
    let arrow = text[operator] == b'>';
    if arrow && !matches!(before, Some(b'=' | b'-')) {
        return false;
    }
    let longer = arrow || matches!(before, Some(b'+' | b'?' | b':'));
    let end = if longer { operator - 1 } else { operator };
    // Most keys are told by their last letters. The first one of two may be that of an escape.
    match key::letters_before(text, end) {
        Ok(letters) if !name::may_end_role(&letters) => return false,
        Err(false) => return false,
        _ => {}
    }
    let Some(key) = key::before(text, end) else { return false };
    let word = &text[key.name.clone()];
    let escaped = key.name.start > 0 && text[key.name.start - 1] == b'\\';
    let role = |word: &[u8]| name::role(word) == name::Role::Name;
    role(word) || escaped && role(word.get(1..).unwrap_or_default())
}

/// How far around a word the header that it stands in is looked for: as long as one that is escaped may be (bytes).
const NEAR_BYTES_MAX: usize = (1 << crate::limits::JSON_DEPTH_MAX) * super::table::HEADER_BYTES_MAX;
/// The tags of elements that name what stands in another one beside them, without the last byte of the end tag.
const NAME_TAGS: &[(&[u8], &[u8])] = &[(b"<key>", b"</key"), (b"<name>", b"</name")];
/// What stands before the name of a variable.
const VARIABLE: &[u8] = b"variable \"";
/// What stands before a name that a space separates from its value.
const DIRECTIVES: &[&[u8]] = &[
    b"ENV",
    b"setenv",
    b"config set",
    b"configure set",
    b"config:set",
    b"secrets set",
    b"setx",
    b"set -x",
    b"set -gx",
    b"set -Ux",
];
/// How far before its word a key is followed (bytes).
const BACK_BYTES_MAX: usize = 160;
const _: () = assert!(BACK_BYTES_MAX > name::KEY_BYTES_MAX + 32, "a name and what wraps it");
/// How far behind the name of a key its operator is looked for (bytes); beyond, it may be there.
pub const FORWARD_BYTES_MAX: usize = 128;
/// How far before a key its line is looked at (bytes).
pub const LINE_BYTES_MAX: usize = 512;
/// The longest name of a user in a .netrc file that is looked over (bytes).
const USER_BYTES_MAX: usize = 256;
/// How far before a constant's name PHP's `define(` is looked for (bytes).
const DEFINE_BYTES_MAX: usize = 16;
/// How many times something else than a name may begin between a key's word and its operator.
const GAPS_MAX: usize = 4;
/// How much is said at most of a secret that the next line has (bytes).
pub const SENTENCE_BYTES_MAX: usize = 120;
