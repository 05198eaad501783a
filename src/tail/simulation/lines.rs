//! The lines of the simulated world: plain ones, and those that a container's runtime wraps and splits. Reads them again
//! in what comes out. Does not decide which are written.

pub use self::tests::{RULES, SECRET, hidden, line, masked, read, record};

#[cfg(test)]
mod tests {
    /// The secret that stands in each.
    pub const SECRET: &str = "acme_0123456789abcdef0123";

    /// The rule that finds it.
    pub const RULES: &str = r#"[[rule]]
id = "acme-token"
name = "Acme token"
severity = "high"
pattern = '''acme_[0-9a-f]{20}'''
reference = "https://acme.example/docs"
examples = ["token: acme_{hex:20}", "acme_{hex:20}"]
counterexamples = ["acme_{hex:8}", "acme_words_and_more_words"]
since = "0.1.0"
"#;

    const MASK: &str = "[REDACTED:acme-token]";

    /// A line without its end.
    pub fn line(number: usize) -> String {
        with_token(number, SECRET)
    }

    /// What becomes of it.
    pub fn masked(number: usize) -> String {
        with_token(number, MASK)
    }

    fn with_token(number: usize, token: &str) -> String {
        format!("line {number:07} {}token {token} end", "plain words ".repeat(number * 7 % 5))
    }

    /// A record with a part of a line.
    pub fn record(stream: &str, part: &str, is_last: bool) -> String {
        format!("2026-11-20T23:10:23.1Z {stream} {} {part}\n", if is_last { "F" } else { "P" })
    }

    /// A line in an output, or its beginning.
    pub struct Seen {
        pub number: usize,
        pub is_whole: bool,
    }

    /// The lines in an output, in the order in which they begin, and how many pieces of lines there are.
    pub fn read(text: &str) -> (Vec<Seen>, usize) {
        let mut begun = Vec::new();
        // Of each stream: which of the lines is open, and what there is of it.
        let mut open: [Option<(usize, String)>; 2] = [None, None];
        for line in text.lines() {
            let Some((stream, is_last, part)) = parse(line) else {
                begun.push(whole(line));
                continue;
            };
            let begins = part.starts_with("line ");
            let (at, mut text) = match open[stream].take() {
                Some(open) if !begins => open,
                _ => {
                    begun.push(number_in(part).map(|number| Seen { number, is_whole: false }));
                    (begun.len() - 1, String::new())
                }
            };
            text += part;
            if is_last {
                // Parts of a secret are masked each.
                let seen = whole(&text.replace(&format!("{MASK}{MASK}"), MASK));
                // What begins a line begins it, even if a kill has put the end of another one behind that.
                begun[at] = seen.or(begun[at].take());
            } else {
                open[stream] = Some((at, text));
            }
        }
        let torn = begun.iter().filter(|seen| seen.as_ref().is_none_or(|seen| !seen.is_whole)).count();
        (begun.into_iter().flatten().collect(), torn)
    }

    /// How many lines of a stream are masked whole: the rest of a line, for all that can be known, whose beginning is not
    /// there.
    pub fn hidden(text: &str) -> usize {
        let (mut count, mut open) = (0, [false; 2]);
        for (stream, is_last, part) in text.lines().filter_map(parse) {
            let is_hidden = part == MASK;
            count += usize::from(is_hidden && !open[stream]);
            open[stream] = is_hidden && !is_last;
        }
        count
    }

    fn parse(line: &str) -> Option<(usize, bool, &str)> {
        let rest = line.strip_prefix("2026-11-20T23:10:23.1Z std")?;
        let stream = usize::from(rest.starts_with("err "));
        let part = rest.get(6..).or(rest.get(5..))?;
        Some((stream, rest.get(4..5)? == "F", part))
    }

    fn whole(text: &str) -> Option<Seen> {
        let number = number_in(text)?;
        (masked(number) == text).then_some(Seen { number, is_whole: true })
    }

    fn number_in(text: &str) -> Option<usize> {
        text.get(5..12)?.parse().ok()
    }
}
