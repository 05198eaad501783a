//! Turns a path with wildcards into a regular expression. Does not look at file systems.

/// `*` and `?` stay within a name, `**` crosses folders; `**/` may be nothing. The whole path must match.
pub fn pattern(glob: &str) -> String {
    let mut text = String::from("^(?s-u:");
    let mut rest = glob;
    while let Some(first) = rest.chars().next() {
        let (part, length) = match first {
            '*' if rest.starts_with("**/") => ("(?:.*/)?".to_owned(), 3),
            '*' if rest.starts_with("**") => (".*".to_owned(), 2),
            '*' => ("[^/]*".to_owned(), 1),
            '?' => ("[^/]".to_owned(), 1),
            other => (regex_syntax::escape(&other.to_string()), other.len_utf8()),
        };
        text.push_str(&part);
        rest = &rest[length..];
    }
    text.push_str(")$");
    text
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
            ("ä*", "äö", true),
        ] {
            assert_eq!(matches(glob, path), is, "{glob} {path}");
        }
    }
}
