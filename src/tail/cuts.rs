//! Counts what cuts take away from a file, as far as that is certain. Does not look at the file.
//!
//! What is certain comes from sizes that were seen. A size alone says little: a file that has grown may be another text
//! by now. It was the size of the text that is read if that text is still there when it is read on, and of some text that
//! has gone if the file is smaller at the next look. What is written between the last look and a cut, and the bytes of a
//! text that comes and goes between two looks, nobody can count.

/// What is known of a text and its end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cuts {
    /// Up to where the text was read.
    read: u64,
    /// How large it was at least.
    sure: u64,
    /// How often the file has become smaller since the text was read last.
    times: u64,
    /// How large it was before that for the first time.
    first: u64,
    /// How small it was at least by then.
    lowest: u64,
    /// What the first of these cuts has taken if the text before it is still there.
    part: u64,
    /// What the others have taken.
    later: u64,
}

impl Cuts {
    /// A text that was read up to a place, and was so large.
    pub fn new(read: u64, sure: u64) -> Cuts {
        Cuts { read, sure, ..Cuts::default() }
    }

    /// How large the text was at least.
    pub fn sure(&self) -> u64 {
        self.sure.max(self.read)
    }

    /// The text was read up to a place.
    pub fn read_to(&mut self, place: u64) {
        self.read = self.read.max(place);
    }

    /// The file had a size, and has another one now.
    pub fn see(&mut self, before: u64, now: u64) {
        if now >= before {
            return;
        }
        if self.times == 0 {
            (self.first, self.lowest, self.part) = (before, now, before - now.max(self.read).min(before));
        } else {
            self.later += before - now;
            self.lowest = self.lowest.min(now);
        }
        self.times += 1;
    }

    /// Whether the text that was read has gone, whatever stands there now.
    pub fn has_gone(&self) -> bool {
        self.times > 0 && self.lowest < self.read
    }

    /// The text is still there, as far as it was read; its file had this size before it was looked at.
    pub fn is_there(&mut self, size: u64) {
        if self.times == 0 {
            self.sure = self.sure.max(size);
        }
    }

    /// How often the text was cut that is still there, as far as it was read, and how many bytes that has taken. Told once.
    pub fn of_same(&mut self, size: u64) -> Option<(u64, u64)> {
        (self.times > 0).then(|| {
            let Cuts { read, times, part, later, .. } = *self;
            *self = Cuts::new(read, size);
            (times, part + later)
        })
    }

    /// How often the file was cut since a text was read that has gone, and how many bytes that has taken at least. What is
    /// read in `copy` bytes of a copy is not lost; nor are later texts then, of which there may be copies as well.
    pub fn of_other(&self, copy: Option<u64>) -> (u64, u64) {
        let bytes = match copy {
            Some(copy) => self.sure.saturating_sub(copy),
            // Whichever text was so large: as much of it is lost.
            None => self.sure.max(self.first).saturating_sub(self.read) + self.later,
        };
        (self.times.max(1), bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_counts_once_its_text_was_read_on_or_the_file_is_smaller() {
        let mut cuts = Cuts::new(100, 0);
        // It has grown past what was read; whose text that is, nobody knows.
        cuts.see(100, 900);
        assert_eq!(cuts.of_other(None), (1, 0));
        cuts.is_there(900);
        assert_eq!((cuts.of_other(None), cuts.of_other(Some(700)), cuts.sure()), ((1, 800), (1, 200), 900));
        let mut cuts = Cuts::new(100, 0);
        cuts.see(900, 50);
        assert!(cuts.has_gone());
        // There may be a copy of whatever was so large.
        assert_eq!((cuts.of_other(None), cuts.of_other(Some(300))), ((1, 800), (1, 0)));
        // Texts that came and went since then.
        cuts.see(50, 600);
        cuts.see(600, 20);
        assert_eq!(cuts.of_other(None), (2, 800 + 580));
    }

    #[test]
    fn a_cut_behind_what_was_read_takes_only_what_is_behind_it() {
        let mut cuts = Cuts::new(100, 0);
        cuts.see(900, 300);
        cuts.see(400, 350);
        assert!(!cuts.has_gone());
        cuts.is_there(350);
        assert_eq!(cuts.of_same(350), Some((2, 650)));
        assert_eq!((cuts.of_same(350), cuts.of_other(None)), (None, (1, 250)));
        // It was read up to more than it has left.
        cuts.read_to(350);
        cuts.see(350, 349);
        assert!(cuts.has_gone());
        assert_eq!(cuts.of_other(None), (1, 0));
    }
}
