//! Finds how much of a window can be written before its line end comes. Does not scan.

use super::{End, Filter};

/// How often a shorter beginning of the window is looked at; after that nothing is written early.
const LOOKS_MAX: usize = 16;

impl Filter {
    /// Scans the window as the beginning of a line. Returns up to where nothing that may follow can change it.
    ///
    /// That each detector is causal is not enough for that. What begins behind a place may be masked when it is
    /// complete, and its mask may change what another detector has made of the text before: `<password>` has no
    /// value if another tag follows, but a mask may cover that tag. So a place is safe only if all before it is
    /// decided by what stands before it, as when the text ended there.
    pub(super) fn settle_safe(&mut self) -> usize {
        let mut to = self.window.len();
        for _ in 0..LOOKS_MAX {
            self.settle_beginning(to, End::Open);
            let safe = self.settler.safe(&self.window[..to]);
            if safe <= self.written {
                break;
            }
            if safe == to {
                if to < self.window.len() {
                    self.settle_window(End::Open);
                }
                return to;
            }
            to = safe;
        }
        self.written
    }
}
