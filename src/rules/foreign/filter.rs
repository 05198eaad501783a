//! Turns the filter of a betterleaks rule into an entropy floor and exclusions. Does not evaluate expressions: what is
//! no plain list of alternatives is said to be unknown.
//!
//! ```text
//! filter  = term { "||" term }
//! term    = "(" filter ")"
//!         | entropy(finding["secret"]) ( "<" | "<=" ) number
//!         | matchesAny(finding["secret" | "match" | "line"], [ text, ... ])
//!         | containsAny(finding["secret"], [ text, ... ])
//! ```

use crate::rules::exclusions::{Exclusion, Exclusions, Target};

/// What a filter says.
#[derive(Debug, Default)]
pub struct Filter {
    /// The entropy below which a match is not meant; 0 for none.
    pub entropy: f32,
    /// Other matches that are not meant.
    pub exclusions: Exclusions,
    /// Whether there was a term that is not known: fewer matches are excluded than the author means.
    pub unknown: bool,
}

/// Reads a filter.
///
/// # Errors
/// In words, if one of its patterns is not right.
pub fn read(text: &str) -> Result<Filter, String> {
    let mut filter = Filter::default();
    terms(text, 0, &mut filter)?;
    Ok(filter)
}

fn terms(text: &str, depth: usize, filter: &mut Filter) -> Result<(), String> {
    for term in split(text, "||") {
        let term = term.trim();
        let inner = term.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        // A conjunction excludes less than each of its parts.
        if split(term, "&&").len() > 1 {
            filter.unknown = true;
        } else if let Some(inner) = inner.filter(|_| depth < DEPTH_MAX) {
            terms(inner, depth + 1, filter)?;
        } else if !known(term.strip_prefix("filter.").unwrap_or(term), filter)? {
            filter.unknown = true;
        }
    }
    Ok(())
}

/// Takes over a term that is known.
fn known(term: &str, filter: &mut Filter) -> Result<bool, String> {
    if let Some(rest) = term.strip_prefix("entropy(finding[\"secret\"])") {
        let rest = rest.trim_start();
        let number = rest.strip_prefix("<=").or_else(|| rest.strip_prefix('<'));
        let Some(floor) = number.and_then(|number| number.trim().parse::<f32>().ok()) else { return Ok(false) };
        filter.entropy = filter.entropy.max(floor);
        return Ok(floor.is_finite() && floor >= 0.0);
    }
    let Some((name, rest)) = term.split_once("(finding[\"") else { return Ok(false) };
    let Some((target, rest)) = rest.split_once("\"],") else { return Ok(false) };
    let Some(texts) = rest.trim().strip_suffix(')').and_then(list) else { return Ok(false) };
    let target = match target {
        "secret" => Target::Secret,
        "match" => Target::Match,
        "line" => Target::Line,
        _ => return Ok(false),
    };
    let mut exclusion = Exclusion::default();
    match (name, target) {
        ("matchesAny", _) => texts.iter().try_for_each(|text| exclusion.pattern(target, text))?,
        ("containsAny", Target::Secret) => texts.iter().for_each(|text| exclusion.word(text)),
        _ => return Ok(false),
    }
    filter.exclusions.push(exclusion);
    Ok(true)
}

/// The texts of `[ "a", `b` ]`.
fn list(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut texts = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`'))?;
        let length = quoted_length(rest)?;
        let inner = &rest[1..length - 1];
        texts.push(if quote == '`' { inner.to_owned() } else { unescaped(inner) });
        rest = rest[length..].trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Some(texts)
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => plain.extend(characters.next().map(|c| match c {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            })),
            c => plain.push(c),
        }
    }
    plain
}

/// How long the quoted text is that `text` begins with, quotes included.
fn quoted_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.first()?;
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if quote != b'`' => at += 1,
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The parts of `text` between `joint`s that stand outside all brackets and quotes.
fn split<'a>(text: &'a str, joint: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut at, mut depth) = (Vec::new(), 0, 0, 0usize);
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' | b'`' => {
                at += quoted_length(&text[at..]).unwrap_or(bytes.len() - at);
                continue;
            }
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ if depth == 0 && bytes[at..].starts_with(joint.as_bytes()) => {
                parts.push(&text[start..at]);
                at += joint.len();
                start = at;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&text[start..]);
    parts
}

const DEPTH_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::exclusions::Found;

    fn excluded(filter: &Filter, secret: &str) -> bool {
        let bytes = secret.as_bytes();
        filter.exclusions.hold(Found { secret: bytes, whole: bytes, line: bytes })
    }

    #[test]
    fn entropy_lists_and_patterns_are_read() {
        let filter = read(
            "\n(matchesAny(finding[\"secret\"], [\n  `^x+$`,\n  `(?i)^(?:a|b)\"$`\n]) || \
             containsAny(finding[\"secret\"], [\"Abc\", \"d\\\"e\"])) || filter.entropy(finding[\"secret\"]) <= 3.5\n",
        )
        .unwrap();
        assert!(!filter.unknown);
        assert_eq!(filter.entropy, 3.5);
        for (secret, is) in
            [("xxx", true), ("xxy", false), ("A\"", true), ("1aBc2", true), ("d\"e", true), ("q", false)]
        {
            assert_eq!(excluded(&filter, secret), is, "{secret}");
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        for text in ["failsTokenEfficiency(finding[\"secret\"])", "a && b", "!(entropy(finding[\"secret\"]) > 3)", ""] {
            assert!(read(text).unwrap().unknown, "{text}");
        }
        let both = "(entropy(finding[\"secret\"]) <= 3.0) && matchesAny(finding[\"secret\"], [`^a`])";
        let filter = read(both).unwrap();
        assert!(filter.unknown && filter.exclusions.is_empty() && filter.entropy == 0.0);
    }

    #[test]
    fn a_pattern_that_is_wrong_is_refused() {
        assert!(read("matchesAny(finding[\"secret\"], [`(`])").is_err());
    }
}
