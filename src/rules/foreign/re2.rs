//! Turns a pattern in the syntax of RE2, as gitleaks has them, into patterns of our own kind. Does not read files.
//!
//! Our patterns are tried at one place, know nothing of what follows the secret but its terminator, are bounded, and
//! have their token boundaries implied. So
//! - each alternative with a group of its own becomes a pattern of its own, with that group as the secret;
//! - boundaries and anchors at both ends are dropped, for they are implied; one inside is dropped, and that is said;
//! - what may stand before the first fixed part, and need not, is dropped;
//! - a terminator behind the secret (`(?:['"\s;]|\\[nr]|$)`) is dropped where the secret cannot hold it; the secret
//!   then takes all it can, however lazy it was;
//! - a repetition without an upper bound gets one.

use regex_syntax::hir::{Capture, Class, Hir, HirKind, Repetition};

use crate::{
    limits::PATTERN_BYTES_MAX,
    rules::condition::{self, Condition},
};

/// What became of a pattern.
#[derive(Debug)]
pub struct Translated {
    /// Patterns that together match what the given one does.
    pub patterns: Vec<(String, Condition)>,
    /// What of the given one is not honoured, in words.
    pub dropped: Vec<&'static str>,
}

/// Translates one pattern, whose secret is the group `group`, or the first one that takes part (0).
///
/// # Errors
/// In words, without the pattern, if it is not a regular expression or not of a kind that can be translated.
pub fn translate(pattern: &str, group: u32) -> Result<Translated, String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(format!("the regex is longer than {PATTERN_BYTES_MAX} bytes"));
    }
    let source = in_our_syntax(pattern)?;
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).nest_limit(40).build();
    let hir = parser.parse(&source).map_err(|_| "the regex is not one that RE2 and blackbar both know".to_owned())?;
    if group > 0 && !names_group(&hir, group) {
        return Err("secretGroup names a group that the regex does not have".to_owned());
    }
    let mut dropped = Vec::new();
    let mut branches = Vec::new();
    if let Err(why) = split(&hir, group, &mut Vec::new(), &mut branches) {
        if group > 0 {
            return Err(why);
        }
        // So many groups are names for the parts of a format, not the places of a secret.
        dropped.push("it has too many groups to be told apart: all of a match is masked");
        branches = vec![Branch { before: vec![hir], secret: None, after: Vec::new() }];
    }
    let mut patterns: Vec<(String, Condition)> = Vec::new();
    for branch in branches {
        let translated = branch.translate(&mut dropped)?;
        if !patterns.iter().any(|(text, _)| *text == translated.0) {
            patterns.push(translated);
        }
    }
    dropped.sort_unstable();
    dropped.dedup();
    Ok(Translated { patterns, dropped })
}

/// The pattern in the parser's syntax. RE2 takes a brace that begins no repetition, and a bracket or `&&` in a class, as
/// they are, and knows `\Q...\E`.
///
/// # Errors
/// In words, for what has no counterpart.
pub fn in_our_syntax(pattern: &str) -> Result<String, String> {
    let mut text = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\\' if rest.starts_with("\\Q") && !in_class => {
                let quoted = &rest[2..];
                let end = quoted.find("\\E").unwrap_or(quoted.len());
                text.push_str(&regex_syntax::escape(&quoted[..end]));
                rest = quoted[end..].strip_prefix("\\E").unwrap_or_default();
                continue;
            }
            '\\' if rest.starts_with("\\C") => return Err("\\C, any single byte, is not supported".to_owned()),
            '\\' => {
                let length = escape_length(rest);
                text.push_str(&rest[..length]);
                length
            }
            '[' if !in_class => {
                in_class = true;
                let negated = usize::from(rest[1..].starts_with('^'));
                text.push_str(&rest[..1 + negated]);
                // A closing bracket that comes first is one of the class.
                let first = usize::from(rest[1 + negated..].starts_with(']'));
                text.push_str(if first > 0 { "\\]" } else { "" });
                1 + negated + first
            }
            '[' if rest.starts_with("[:") && rest.contains(":]") => {
                let length = rest.find(":]").unwrap_or_default() + 2;
                text.push_str(&rest[..length]);
                length
            }
            '[' | '&' | '~' if in_class => {
                text.extend(['\\', c]);
                1
            }
            '{' if !in_class && !is_repetition(rest) => {
                text.push_str("\\{");
                1
            }
            other => {
                in_class &= other != ']';
                text.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Ok(text)
}

/// How long the escape is that `text` begins with: `\d`, `\x{2010}`, `\p{Greek}`.
fn escape_length(text: &str) -> usize {
    let second = text[1..].chars().next();
    let braced = matches!(second, Some('x' | 'p' | 'P')) && text[2..].starts_with('{');
    match text.find('}') {
        Some(end) if braced => end + 1,
        _ => 1 + second.map_or(0, char::len_utf8),
    }
}

/// Whether `{3}`, `{3,}` or `{3,5}` stands at the start.
fn is_repetition(text: &str) -> bool {
    let Some((inner, _)) = text[1..].split_once('}') else { return false };
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

/// One way through a pattern: what stands before the secret, the secret, and what follows. Without a group, the secret
/// is all of it.
struct Branch {
    before: Vec<Hir>,
    secret: Option<Hir>,
    after: Vec<Hir>,
}

/// Follows the alternatives that hold the secret's group; `path` is what stands before.
fn split(hir: &Hir, group: u32, path: &mut Vec<Hir>, branches: &mut Vec<Branch>) -> Result<(), String> {
    if branches.len() >= BRANCHES_MAX {
        return Err("the regex has too many alternatives with groups of their own".to_owned());
    }
    let mut push = |before: Vec<Hir>, secret: Option<Hir>, after| {
        // Where a group is named, a way around it has no secret.
        if group == 0 || secret.is_some() {
            branches.push(Branch { before, secret, after });
        }
    };
    match hir.kind() {
        HirKind::Capture(capture) if capture.index == group || group == 0 && holds_secrets(&capture.sub) => {
            push(path.clone(), Some((*capture.sub).clone()), Vec::new());
        }
        HirKind::Capture(capture) => split(&capture.sub, group, path, branches)?,
        HirKind::Alternation(options) if wants(hir, group) => {
            for option in options {
                split(option, group, &mut path.clone(), branches)?;
            }
        }
        HirKind::Concat(parts) => match parts.iter().position(|part| wants(part, group)) {
            Some(at) => {
                path.extend_from_slice(&parts[..at]);
                let first = branches.len();
                split(&parts[at], group, path, branches)?;
                branches[first..].iter_mut().for_each(|branch| branch.after.extend_from_slice(&parts[at + 1..]));
            }
            None => push([path.as_slice(), parts].concat(), None, Vec::new()),
        },
        HirKind::Repetition(repetition) if wants(hir, group) => split(&repetition.sub, group, path, branches)?,
        _ => {
            path.push(hir.clone());
            push(path.clone(), None, Vec::new());
        }
    }
    Ok(())
}

/// Whether the secret's group may be in `hir`. Where none is named, groups of a few bytes, and those that are repeated,
/// are for the format's parts: `([0-9a-f]{4}-){3}`.
fn wants(hir: &Hir, group: u32) -> bool {
    if group > 0 {
        return names_group(hir, group);
    }
    match hir.kind() {
        HirKind::Capture(capture) => holds_secrets(&capture.sub) || wants(&capture.sub, 0),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(|part| wants(part, 0)),
        HirKind::Repetition(repetition) => repetition.max == Some(1) && wants(&repetition.sub, 0),
        _ => false,
    }
}

/// Whether a match may be long enough for a secret.
fn holds_secrets(hir: &Hir) -> bool {
    hir.properties().maximum_len().is_none_or(|most| most >= SECRET_GROUP_BYTES_MIN)
}

fn names_group(hir: &Hir, group: u32) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => capture.index == group || names_group(&capture.sub, group),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(|part| names_group(part, group)),
        HirKind::Repetition(repetition) => names_group(&repetition.sub, group),
        _ => false,
    }
}

impl Branch {
    fn translate(mut self, dropped: &mut Vec<&'static str>) -> Result<(String, Condition), String> {
        let whole = self.secret.is_none();
        let mut secret = match self.secret.take() {
            Some(secret) => secret,
            // Terminators at the end of a pattern without a group are terminators as well.
            None => Hir::concat(std::mem::take(&mut self.before)),
        };
        let (inner, tail) = without_edge_looks(&secret);
        secret = inner;
        self.after.splice(0..0, tail);
        // Next to the secret and at the pattern's start, boundaries are implied.
        let is_look = |part: &Hir| matches!(part.kind(), HirKind::Look(_));
        let before = self.before.iter().skip_while(|part| is_look(part));
        let mut before: Vec<Hir> = before.cloned().collect();
        before.truncate(before.len() - before.iter().rev().take_while(|part| is_look(part)).count());
        let before: Vec<Hir> = before.iter().map(|part| plain(part, dropped)).collect();
        let optional = before.iter().take_while(|part| part.properties().minimum_len() == Some(0)).count();
        let before = Hir::concat(before[optional..].to_vec());
        let secret = plain(&secret, dropped);
        let after = Hir::concat(self.after);
        let may_end = !after.properties().look_set().is_empty();
        let after = plain(&terminator(&after), &mut Vec::new());
        let (secret, after) = ended(&secret, after, may_end, dropped);
        for bound in BOUNDS {
            let before = bounded(&before, (*bound).min(BEFORE_BOUND), false);
            let inner = bounded(&secret, *bound, false);
            let group = if whole && after.properties().maximum_len() == Some(0) {
                inner
            } else {
                Hir::capture(Capture { index: 1, name: Some("secret".into()), sub: Box::new(inner) })
            };
            let text = Hir::concat(vec![before, group, after.clone()]).to_string();
            match condition::parse(&text) {
                Ok((_, _, condition)) => return Ok((text, condition)),
                Err(reason) if bound == BOUNDS.last().unwrap_or(bound) => return Err(reason),
                Err(_) => {}
            }
        }
        Err("the regex matches too much".to_owned())
    }
}

/// The end of a secret: its terminator if it needs one, and the secret itself, which takes all it can if it does not.
/// `may_end` says that the text's end is a terminator as well.
fn ended(secret: &Hir, after: Hir, may_end: bool, dropped: &mut Vec<&'static str>) -> (Hir, Hir) {
    let most = after.properties().maximum_len();
    if most == Some(0) {
        return (secret.clone(), Hir::empty());
    }
    let short = most.is_some_and(|most| most <= AFTER_BYTES_MAX) && after.properties().minimum_len() != Some(0);
    if short && !may_end {
        return (secret.clone(), after);
    }
    let last = last_bytes(secret);
    let clash = match (&last, first_bytes(&after)) {
        // A backslash that begins `\n` is no loss if the secret takes it.
        (Some(last), Some(first)) => (0..=255u8).any(|b| b != b'\\' && last[usize::from(b)] && first[usize::from(b)]),
        _ => true,
    };
    if !clash && short {
        return (bounded(secret, u32::MAX, true), Hir::empty());
    }
    if short {
        dropped.push("a secret at the end of a line is not found");
        return (secret.clone(), after);
    }
    dropped.push("what follows the secret is not looked at");
    (bounded(secret, u32::MAX, true), Hir::empty())
}

/// The pattern without groups and looks. A look that does not stand at an end is told.
fn plain(hir: &Hir, dropped: &mut Vec<&'static str>) -> Hir {
    match hir.kind() {
        HirKind::Look(_) => {
            dropped.push("boundaries and anchors inside the regex are not honoured");
            Hir::empty()
        }
        HirKind::Class(Class::Bytes(class)) if class.ranges().iter().any(|r| (r.start(), r.end()) == (0, 0xff)) => {
            dropped.push("only matches within one line are found");
            hir.clone()
        }
        HirKind::Capture(capture) => plain(&capture.sub, dropped),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(|part| plain(part, dropped)).collect()),
        HirKind::Alternation(parts) => {
            // `(?:^|["'])`: the start of the text as an alternative to a byte leaves the byte to choice.
            Hir::alternation(parts.iter().map(|part| plain(part, &mut Vec::new())).collect())
        }
        HirKind::Repetition(repetition) => {
            Hir::repetition(Repetition { sub: Box::new(plain(&repetition.sub, dropped)), ..repetition.clone() })
        }
        _ => hir.clone(),
    }
}

/// What follows a secret, without the end of the text as an alternative, which is an implied boundary.
fn terminator(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Capture(capture) => terminator(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(terminator).collect()),
        HirKind::Alternation(parts) => {
            let bytes: Vec<Hir> =
                parts.iter().filter(|part| !matches!(part.kind(), HirKind::Look(_))).cloned().collect();
            if bytes.is_empty() { Hir::empty() } else { Hir::alternation(bytes) }
        }
        HirKind::Look(_) => Hir::empty(),
        _ => hir.clone(),
    }
}

/// The pattern without the looks at its two ends, and what else stood behind the last part that matches something.
fn without_edge_looks(hir: &Hir) -> (Hir, Vec<Hir>) {
    let HirKind::Concat(parts) = hir.kind() else { return (hir.clone(), Vec::new()) };
    let is_look = |part: &Hir| matches!(part.kind(), HirKind::Look(_));
    let start = parts.iter().take_while(|part| is_look(part)).count();
    let short = |part: &Hir| part.properties().maximum_len().is_some_and(|most| most <= AFTER_BYTES_MAX);
    let ends = |part: &Hir| !part.properties().look_set().is_empty() && short(part);
    let end = parts[start..].iter().rev().take_while(|part| ends(part)).count();
    let end = parts.len() - end;
    let tail = parts[end..].iter().filter(|part| !is_look(part)).cloned().collect();
    (Hir::concat(parts[start..end].to_vec()), tail)
}

/// The pattern with bounded repetitions, greedy ones if asked.
fn bounded(hir: &Hir, most: u32, greedy: bool) -> Hir {
    match hir.kind() {
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            min: repetition.min,
            max: match repetition.max {
                None if most < u32::MAX => Some(most.max(repetition.min)),
                max => max,
            },
            greedy: repetition.greedy || greedy,
            sub: Box::new(bounded(&repetition.sub, most, greedy)),
        }),
        HirKind::Capture(capture) => {
            Hir::capture(Capture { sub: Box::new(bounded(&capture.sub, most, greedy)), ..capture.clone() })
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(|part| bounded(part, most, greedy)).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(|part| bounded(part, most, greedy)).collect()),
        _ => hir.clone(),
    }
}

type Bytes = Box<[bool; 256]>;

/// The bytes with which a match may begin; none if it cannot be told.
fn first_bytes(hir: &Hir) -> Option<Bytes> {
    edge_bytes(hir, false)
}

/// The bytes with which a match may end.
fn last_bytes(hir: &Hir) -> Option<Bytes> {
    edge_bytes(hir, true)
}

fn edge_bytes(hir: &Hir, last: bool) -> Option<Bytes> {
    let mut bytes: Bytes = Box::new([false; 256]);
    let mut add = |more: Bytes| bytes.iter_mut().zip(more.iter()).for_each(|(byte, more)| *byte |= more);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => {
            let byte = if last { literal.0.last() } else { literal.0.first() };
            bytes[usize::from(*byte?)] = true;
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().flat_map(|range| range.start()..=range.end()).for_each(|byte| bytes[usize::from(byte)] = true);
        }
        HirKind::Class(Class::Unicode(_)) => return None,
        HirKind::Repetition(repetition) => add(edge_bytes(&repetition.sub, last)?),
        HirKind::Capture(capture) => add(edge_bytes(&capture.sub, last)?),
        HirKind::Alternation(parts) => {
            for part in parts {
                add(edge_bytes(part, last)?);
            }
        }
        HirKind::Concat(parts) => {
            let mut order: Vec<&Hir> = parts.iter().collect();
            if last {
                order.reverse();
            }
            for part in order {
                add(edge_bytes(part, last)?);
                if part.properties().minimum_len() != Some(0) {
                    break;
                }
            }
        }
    }
    Some(bytes)
}

/// What a repetition without an upper bound gets, in the order in which they are tried.
const BOUNDS: &[u32] = &[4096, 1024, 256, 64, 16];
/// What one before the secret gets at most.
const BEFORE_BOUND: u32 = 64;
/// How long a terminator may be (bytes).
const AFTER_BYTES_MAX: usize = 8;
/// The least that the longest match of a group may have that is taken for the secret without being named (bytes).
const SECRET_GROUP_BYTES_MIN: usize = 8;
/// How many patterns one may become.
const BRANCHES_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(source: &str) -> Vec<String> {
        translate(source, 0).unwrap().patterns.into_iter().map(|(text, _)| text).collect()
    }

    fn finds(source: &str, text: &str) -> Option<String> {
        patterns(source).iter().find_map(|pattern| {
            let regex = regex::bytes::RegexBuilder::new(pattern).unicode(false).build().unwrap();
            let found = regex.captures(text.as_bytes())?;
            let secret = found.name("secret").or(found.get(0))?;
            Some(String::from_utf8_lossy(secret.as_bytes()).into_owned())
        })
    }

    #[test]
    fn the_first_group_that_takes_part_is_the_secret() {
        let source = r#"(?:-u|--user)[ =]("(a[^"]{3,})"|'(b[^']{3,})'|c(d\w{3,}))(?:\s|\z)"#;
        assert_eq!(finds(source, "-u \"abcd\" ").as_deref(), Some("\"abcd\""));
        let source = r#"key=(?:"(a\w{3,})"|b(\w{3,}))"#;
        assert_eq!(finds(source, "key=\"abcd\"").as_deref(), Some("abcd"));
        assert_eq!(finds(source, "key=bcde").as_deref(), Some("cde"));
        assert_eq!(translate(source, 2).unwrap().patterns.len(), 1);
        assert!(translate(source, 3).is_err());
    }

    #[test]
    fn groups_for_parts_of_the_format_are_no_secrets() {
        let source = r"https://h/([a-z]{4}-){3}[a-z]{12}/x";
        assert_eq!(
            finds(source, "https://h/abcd-abcd-abcd-abcdefghijkl/x").as_deref(),
            Some("https://h/abcd-abcd-abcd-abcdefghijkl/x")
        );
        let source = r"s[_.]?(login|token)[ \t]{0,3}=([a-z0-9]{40})(?:[\s;]|$)";
        let value = "a1".repeat(20);
        assert_eq!(finds(source, &format!("s_token={value}")), Some(value));
    }

    #[test]
    fn boundaries_inside_the_secret_do_not_cut_it() {
        let source = r"\b(sk-(?:proj)-[a-z]{8}XYZ[a-z]{8}\b|sk-[a-z]{20}XYZ)(?:[\s;]|\\[nr]|$)";
        let token = format!("sk-{}XYZ", "ab".repeat(10));
        assert_eq!(finds(source, &token), Some(token.clone()));
        assert_eq!(finds(source, "sk-proj-abcdefghXYZabcdefgh ").as_deref(), Some("sk-proj-abcdefghXYZabcdefgh"));
    }

    #[test]
    fn terminators_are_kept_only_where_the_secret_could_hold_them() {
        assert_eq!(
            patterns(r#"\b(ab_[a-z]{8,}?)(?:['"\s;]|\\[nr]|$)"#),
            ["(?P<secret>(?:(?:ab_)(?-u:[a-z]){8,4096}))"]
        );
        let jwt = r#"\b(ey[a-z]{17,}\.[a-z/\\_-]{10,}={0,2})(?:['"\s;]|\\[nr]|$)"#;
        assert!(translate(jwt, 0).unwrap().dropped.is_empty());
        let kept = patterns(r#"ab="(.{8,}?)""#);
        assert!(kept[0].ends_with("\")"), "{kept:?}");
        assert!(translate("ab_([a-z]{8}) and [a-z]{20}", 0).unwrap().dropped.len() == 1);
    }

    #[test]
    fn braces_and_brackets_are_read_as_re2_does() {
        for (source, ours) in [
            (r"^\$(?:\d+|{\d+})$", r"^\$(?:\d+|\{\d+})$"),
            ("{{[^}]+}}", r"\{\{[^}]+}}"),
            ("a{3}b{2,}c{1,2}d{,3}", r"a{3}b{2,}c{1,2}d\{,3}"),
            ("[^]x[]+[&&~]", r"[^\]x\[]+[\&\&\~]"),
            (r"[[:alnum:]_]\x{41}\p{Greek}", r"[[:alnum:]_]\x{41}\p{Greek}"),
            (r"\Qa.b\E.c", r"a\.b.c"),
        ] {
            assert_eq!(in_our_syntax(source).unwrap(), ours);
        }
    }
}
