//! Turns a text into the places of its lines. Does not know what stands in them.

use std::ops::Range;

/// Where the lines of a text stand, without their LFs, and whether more bytes of each may follow. An empty line behind
/// the last LF is none.
pub fn lines(text: &[u8], ended: bool) -> impl Iterator<Item = (Range<usize>, bool)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).map_or(text.len(), |at| start + at);
        let line = start..end;
        start = end + 1;
        Some((line, !ended && end == text.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_alone_may_go_on() {
        let place = |(line, cut): (Range<usize>, bool)| (line.start, line.end, cut);
        let found = |text: &'static [u8], ended| lines(text, ended).map(place).collect::<Vec<_>>();
        let none: Vec<(usize, usize, bool)> = Vec::new();
        assert_eq!(none, found(b"", false));
        assert_eq!(vec![(0, 1, false), (2, 2, false), (3, 4, true)], found(b"a\n\nb", false));
        assert_eq!(vec![(0, 1, false), (2, 2, false), (3, 4, false)], found(b"a\n\nb\n", false));
        assert_eq!(vec![(0, 1, false)], found(b"a", true));
    }
}
