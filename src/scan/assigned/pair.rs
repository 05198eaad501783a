//! Turns `"name": "DB_PASSWORD"` into the rules for the `"value"` beside it, and finds the other forms in which a value
//! is not all that stands behind its key. Does not judge values.

use super::{
    Candidate, Live, NAMED_LINES_MAX, Scan, Separator, Step,
    extent::{self, Around, Close, End, Extent, Opening},
    hint,
    key::{self, Key},
    name::{self, Match},
};

impl Scan<'_> {
    /// The rules that the value behind `from` calls for, read as a key name: `name: DB_PASSWORD`.
    pub(super) fn name_assigned(&mut self, from: usize, around: Around) -> Option<Match> {
        let opening = extent::opening(self.text, from, self.ended, around);
        let Extent::Done(span, _) = self.extent(opening, around) else { return None };
        let short = span.len() <= name::KEY_BYTES_MAX
            && self.text.get(span.clone()).is_some_and(|name| !name.iter().any(u8::is_ascii_whitespace));
        let rules = short.then(|| self.look_up(span.clone(), span.start))??;
        Some(rules)
    }

    /// Of `<key>Password</key>` and `<name>password</name>`, whose end tag ends at `i`, the name; of the `<string>` or
    /// `<value>` behind it, whose start tag ends there, the rules.
    pub(super) fn named_by_element(&mut self, i: usize) -> Option<Match> {
        let from = i.saturating_sub(name::KEY_BYTES_MAX).max(self.line);
        let before = self.text.get(from..i)?;
        if VALUE_TAGS.iter().any(|tag| before.ends_with(tag)) {
            return self.named.take().map(|(rules, _)| rules);
        }
        let name = hint::name_in_element(before)?;
        let name = from + name.start..from + name.end;
        if name.start <= self.from
            && let Some(rules) = self.look_up(name.clone(), name.start)
        {
            self.named = Some((rules, NAMED_LINES_MAX));
        }
        None
    }

    /// Whether a key has an object in which its `value` stands: `"db_password": {"sensitive": true, "value": "x"}`.
    pub(super) fn opens_object(&self, c: &Candidate) -> bool {
        // The value of a signature's object is public, as the document is that it signs.
        let assigned = matches!(c.separator, Separator::Colon | Separator::Equals) && !self.names_signature(c);
        let at = key::skip_blanks(self.text, c.from);
        assigned
            && self.text.get(at) == Some(&b'{')
            && match self.text.get(at + 1) {
                Some(next) => matches!(next, b'"' | b'\\' | b' ' | b'\n' | b'\r'),
                None => self.ended,
            }
            && self.env.mask_len_at(self.text, at).is_none()
    }

    fn names_signature(&self, c: &Candidate) -> bool {
        let key = self.text.get(c.key..c.from).unwrap_or_default();
        key.windows(SIGNATURE.len()).any(|word| word.eq_ignore_ascii_case(SIGNATURE))
    }

    /// `password = "old" -> "new"`, a change that Terraform shows: what is behind the arrow is a value, too.
    pub(super) fn changed_to(&mut self, c: Candidate, from: usize) -> Step {
        let Some(b" -> \"") = self.text.get(from..from + 5) else { return Ok(()) };
        self.candidate(Candidate { from: from + 4, separator: Separator::Arrow, ..c })
    }

    /// Whether the value behind `from` is an object or a list, and no mask.
    pub(super) fn opens_inside(&self, from: usize) -> bool {
        let at = key::skip_blanks(self.text, from);
        matches!(self.text.get(at), Some(b'{' | b'[')) && self.env.mask_len_at(self.text, at).is_none()
    }

    /// `variable "db_password" {`: the `default` in this block is its value.
    pub(super) fn brace(&mut self, i: usize) -> Step {
        let Some(name) = hint::variable_before(self.text, i) else { return Ok(()) };
        if name.start < self.line || name.start > self.from {
            return Ok(());
        }
        if let Some(rules) = self.look_up(name.clone(), name.start) {
            self.named = Some((rules, VARIABLE_LINES_MAX));
        }
        Ok(())
    }

    /// `["--password", "x"]`, `define('DB_PASSWORD', 'x')`, Erlang's `{password, "x"}`
    pub(super) fn comma(&mut self, i: usize) -> Step {
        if !self.names.may_end_at(self.text, i) {
            return Ok(());
        }
        let tuple = |k: &Key| k.quoted.is_none() && hint::opens_tuple(self.text, k.start);
        // Of Ruby's symbols, `[:password, "x"]`, the colon is no operator.
        let symbol = |k: &Key| k.start > 0 && self.text[k.start - 1] == b':' && self.is_pair(k);
        let item = |k: &Key| match k.quoted {
            Some(_) => !key::is_value(self.text, k.start),
            None => tuple(k) || symbol(k),
        };
        let Some(key) = key::before(self.text, i).filter(item) else { return Ok(()) };
        let told =
            tuple(&key) || self.text.get(key.name.start) == Some(&b'-') || hint::is_defined(self.text, key.name.start);
        let pair = !told && self.is_pair(&key);
        if !(told || pair) || key.start < self.line {
            return Ok(());
        }
        let Some(rules) = self.look_up(key.name.clone(), key.start) else { return Ok(()) };
        self.note();
        let around = Around { quoted_only: true, in_string: self.in_string_at(i), ..Around::default() };
        if pair {
            return self.second(Candidate { rules, key: key.start, from: i + 1, separator: Separator::Item, around });
        }
        self.candidate(Candidate { rules, key: key.start, from: i + 1, separator: Separator::Argument, around })
    }

    /// Whether a key is the first of a pair: `('password', 'x')`, as Python prints items, and headers of requests.
    fn is_pair(&self, key: &Key) -> bool {
        let before = key.start.checked_sub(1).map(|at| self.text[at]);
        matches!(before, Some(b'(' | b'[' | b'{' | b' ' | b'b' | b'u' | b':'))
            && opens_pair(self.text, key.name.start)
            && self.text.get(key.name.clone()).is_some_and(|name| name.iter().all(|&b| key::is_ident(b)))
    }

    /// Decides on the second of a pair, if a bracket closes behind its quote, or its line ends within it.
    fn second(&mut self, c: Candidate) -> Step {
        let opening = extent::opening(self.text, c.from, self.ended, c.around);
        let start = match opening {
            Opening::Open(at) => return Err(Live(at)),
            Opening::Quoted(start, Close::Quote(..)) if start < self.text.len() => start,
            _ => return Ok(()),
        };
        match self.extent(opening, c.around) {
            Extent::Open => Err(Live(start)),
            Extent::Blob => Ok(()),
            Extent::Done(value, end) => {
                if end == End::Quote {
                    let close = value.end + extent::run(self.text, value.end) + 1;
                    match self.text.get(key::skip_blanks(self.text, close)) {
                        Some(b')' | b']' | b'}') => {}
                        None if !self.ended => return Err(Live(start)),
                        _ => return Ok(()),
                    }
                }
                self.decide(&c, value, end, true);
                Ok(())
            }
        }
    }
}

/// Whether the word that begins at `first`, and has a trigger up to `end`, may be the first of a pair. The text may be escaped.
pub fn may_open(text: &[u8], first: usize, end: usize, open: bool) -> bool {
    // Nearly all words have something else on one of their sides.
    if !matches!(first.checked_sub(1).map(|at| text[at]), Some(b'"' | b'\'' | b':')) {
        return false;
    }
    let rest = &text[end..];
    let rest = &rest[rest.iter().take(name::KEY_BYTES_MAX).take_while(|&&byte| key::is_ident(byte)).count()..];
    let gap = rest.iter().take(GAP_BYTES_MAX).take_while(|byte| matches!(byte, b'\\' | b'"' | b'\'' | b' ')).count();
    let goes_on = match rest.get(gap) {
        Some(b',') => true,
        // A quote may be escaped by its number.
        Some(b'u' | b'x') => gap > 0 && rest[gap - 1] == b'\\',
        Some(_) => false,
        None => open,
    };
    goes_on && opens_pair(text, first)
}

/// Whether the word that begins at `first` is a quoted text, or a symbol, with which a list or tuple begins, or a call that
/// keeps one: `("password", "x")`, `[:password, "x"]`, `{"password", "x"}`, `getenv("PASSWORD", "x")`. The text may be
/// escaped.
fn opens_pair(text: &[u8], first: usize) -> bool {
    let head = match text.get(..first) {
        Some([head @ .., b'"' | b'\'']) => &head[..head.len() - key::backslashes_before(head, head.len())],
        Some([head @ .., b':']) => head,
        _ => return false,
    };
    let opens = |head: &[u8]| match head {
        [b'(' | b'[' | b'{'] | [.., b'{'] => true,
        [.., before, b'(' | b'['] if !(key::is_ident(*before) || matches!(before, b')' | b']')) => true,
        [called @ .., b'('] => stores(called),
        _ => false,
    };
    let marked = head.strip_suffix(b"b").or(head.strip_suffix(b"u")).unwrap_or(head);
    opens(marked.strip_suffix(b" ").unwrap_or(marked))
}

/// Whether a call keeps something under a name, or asks for it and says what it is otherwise, by the call's own name.
fn stores(called: &[u8]) -> bool {
    let word = called.iter().rev().take(CALL_BYTES_MAX).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let name = &called[called.len() - word..];
    CALLS.iter().any(|call| name.eq_ignore_ascii_case(call.as_bytes()))
}

/// The start tags of values that have a name beside them, without their last byte.
const VALUE_TAGS: &[&[u8]] = &[b"<string", b"<value", b"<data"];
const SIGNATURE: &[u8] = b"signature";
/// Within how many lines the `default` of a variable stands.
const VARIABLE_LINES_MAX: u8 = 6;
/// Calls that take a name and its value.
const CALLS: &[&str] = &[
    "getenv",
    "get",
    "fetch",
    "env",
    "setenv",
    "putenv",
    "set",
    "put",
    "add",
    "append",
    "setdefault",
    "getordefault",
    "setproperty",
    "getproperty",
    "header",
    "setheader",
    "addheader",
    "withheader",
    "setrequestheader",
    "setattribute",
    "fill",
    "param",
    "field",
    "setex",
    "putstring",
    "setstring",
    "setitem",
    "hset",
];
/// The longest name of them (bytes).
const CALL_BYTES_MAX: usize = 24;
/// How wide the quotes and blanks are behind the first of a pair (bytes).
const GAP_BYTES_MAX: usize = 16;
