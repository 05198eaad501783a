//! Turns text that others wrote into text that a terminal shows and does not obey. Does not
//! redact: redaction comes first, always.
//!
//! Paths, labels, names of CI jobs and pieces of logs may hold control characters that move the
//! cursor or set the clipboard, bidi characters that reorder what is read, and characters of no
//! width that hide in it. [`visible`] writes them as `\u{1b}`; what is left is safe to print.

use std::borrow::Cow;

/// Whether a terminal or a reader could be misled by this character: C0 and C1 controls and DEL,
/// line and paragraph separators, bidi controls, characters without width, tags and fillers.
///
/// The list is Unicode's `Cc` and `Cf`, the variation selectors, and the letters that are drawn
/// as nothing: <https://www.unicode.org/reports/tr36/>, <https://trojansource.codes/>.
pub fn misleads(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}'
        | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The same text with every misleading character written as `\u{..}`. Borrows where there is none.
///
/// ```
/// assert_eq!(blackbar::escape::visible("a\u{1b}[31m"), "a\\u{1b}[31m");
/// assert_eq!(blackbar::escape::visible("straße"), "straße");
/// ```
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(misleads) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if misleads(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_misleads_survives() {
        for character in ('\0'..=char::MAX).filter(|&character| misleads(character)) {
            let shown = visible(&format!("a{character}b")).into_owned();
            assert!(shown.is_ascii() && !shown.contains(misleads), "U+{:04X}", character as u32);
        }
    }

    #[test]
    fn the_known_tricks_are_on_the_list() {
        for trick in
            ['\u{1b}', '\u{9b}', '\u{7f}', '\r', '\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{e0041}', '\u{ad}']
        {
            assert!(misleads(trick), "U+{:04X}", trick as u32);
        }
        assert!(!"aß漢字 ~é🙂".contains(misleads));
    }
}
