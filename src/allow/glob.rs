//! Turns a path with wildcards into a regular expression. Does not look at file systems.

/// `*`, `?` and `[...]` stay within a name, `**` crosses folders; `**/` may be nothing. The whole path must match. A
/// bracket without an end is one itself.
pub fn pattern(glob: &str) -> String {
    let mut text = String::from("^(?s-u:");
    let mut rest = glob;
    while let Some(first) = rest.chars().next() {
        let (part, length) = match first {
            '*' if rest.starts_with("**/") => ("(?:.*/)?".to_owned(), 3),
            '*' if rest.starts_with("**") => (".*".to_owned(), 2),
            '*' => ("[^/]*".to_owned(), 1),
            '?' => ("[^/]".to_owned(), 1),
            '[' if class(rest).is_some() => class(rest).unwrap_or_default(),
            other => (regex_syntax::escape(&other.to_string()), other.len_utf8()),
        };
        text.push_str(&part);
        rest = &rest[length..];
    }
    text.push_str(")$");
    text
}

/// The class that a glob begins with, and its length: `[abc]`, `[a-z]`, `[!a]`, and `]` as the first of its members.
fn class(glob: &str) -> Option<(String, usize)> {
    let inside = &glob[1..];
    let (is_not, members) = match inside.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, inside),
    };
    let end = members.char_indices().skip(1).find(|(_, char)| *char == ']')?.0;
    let (text, length) = (&members[..end], glob.len() - members.len() + end + 1);
    if text.contains('/') || !text.is_ascii() {
        return None;
    }
    let mut class = String::from(if is_not { "[^/" } else { "[" });
    let mut rest = text.bytes().peekable();
    while let Some(first) = rest.next() {
        let mut ahead = rest.clone();
        let last = match (ahead.next(), ahead.next()) {
            (Some(b'-'), Some(last)) => {
                rest = ahead;
                last
            }
            _ => first,
        };
        // A range that is upside down holds nothing, as in a shell.
        if first <= last {
            class.push_str(&format!("\\x{first:02x}-\\x{last:02x}"));
        }
    }
    class.push(']');
    (class.len() > 2).then_some((class, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stay_within_names_unless_doubled() {
        let matches =
            |glob: &str, path: &str| regex::bytes::Regex::new(&pattern(glob)).unwrap().is_match(path.as_bytes());
        for (glob, path, is) in [
            ("*.log", "a.log", true),
            ("*.log", "a/b.log", false),
            ("**/*.log", "a.log", true),
            ("**/*.log", "a/b/c.log", true),
            ("logs/**", "logs/a/b", true),
            ("logs/**", "log", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a+(b)", "a+(b)", true),
            ("a.[0-9]", "a.7", true),
            ("a.[0-9]", "a.x", false),
            ("a[!/]b", "a[!/]b", true),
            ("a[!x]b", "a/b", false),
            ("a[^x-z]b", "acb", true),
            ("a[^x-z]b", "ayb", false),
            ("[]-]", "]", true),
            ("[]-]", "-", true),
            ("a[b", "a[b", true),
            ("[+-.]", ",", true),
            ("[a^]", "^", true),
            ("ä*", "äö", true),
        ] {
            assert_eq!(matches(glob, path), is, "{glob} {path}");
        }
    }
}
