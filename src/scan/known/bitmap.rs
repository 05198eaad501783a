//! Remembers which windows stand in cores: a Bloom filter that tests all bits of a window in one
//! load. Does not forget a window; says yes to one in some hundred that it never saw.

use super::table::Hasher;

/// A set of windows in at most `CELLS` cells, a power of two.
pub(super) struct Bitmap<const CELLS: usize> {
    /// The cells, of bits that are *not* set: a window is known if its bits in its cell are 0. Only
    /// the first `cell_mask + 1` are in use; the others are never touched, so that the system gives
    /// no memory for them. The length is constant so that there is no test of bounds.
    absent: Box<[u64; CELLS]>,
    cell_mask: usize,
    /// The bits of windows: some of 64, as chance has it.
    rows: Box<[u64; ROWS]>,
    /// Which bytes of a word belong to a window.
    window_mask: u64,
    multiplier: u64,
}

impl<const CELLS: usize> Bitmap<CELLS> {
    /// A set that will hold so many windows of so many bytes.
    pub(super) fn new(window_bytes: usize, windows: usize, hasher: Hasher) -> Self {
        let cells = (windows * WINDOW_BITS / 64).next_power_of_two().clamp(CELLS_MIN, CELLS);
        let zeros = vec![0; CELLS].into_boxed_slice();
        // It has exactly this length.
        let mut absent: Box<[u64; CELLS]> = zeros.try_into().expect("the length is right");
        absent[..cells].fill(!0);
        let row = |row: usize| {
            let places = hasher.pair(row as u64, 0);
            (0..ROW_BITS).fold(0, |bits, bit| bits | 1 << (places >> (6 * bit) & 63))
        };
        Bitmap {
            absent,
            cell_mask: cells - 1,
            rows: Box::new(std::array::from_fn(row)),
            window_mask: !0 >> (64 - 8 * window_bytes),
            multiplier: hasher.multiplier(),
        }
    }

    /// Adds the window at the beginning of a word.
    pub(super) fn add(&mut self, word: u64) {
        let (cell, row) = self.place(word);
        self.absent[cell] &= !self.rows[row];
    }

    /// Whether the window at the beginning of a word may have been added.
    #[inline(always)]
    pub(super) fn knows(&self, word: u64) -> bool {
        let (cell, row) = self.place(word);
        self.absent[cell] & self.rows[row] == 0
    }

    /// What the set takes in memory (bytes).
    pub(super) fn memory_bytes(&self) -> usize {
        (self.cell_mask + 1 + ROWS) * size_of::<u64>()
    }

    /// Cell and row of a window. Each bit of the product depends on all lower bits of the window,
    /// so the highest are the best.
    #[inline(always)]
    fn place(&self, word: u64) -> (usize, usize) {
        let hash = (word & self.window_mask).wrapping_mul(self.multiplier);
        let cell = (hash >> (64 - CELLS.ilog2())) as usize & self.cell_mask;
        (cell, (hash >> 34) as usize % ROWS)
    }
}

/// How many bits there are for each window, if there is room.
const WINDOW_BITS: usize = 24;

/// The fewest cells: for fewer, words that logs repeat could be in them by chance.
const CELLS_MIN: usize = 1 << 10;

/// How many rows there are.
const ROWS: usize = 1 << 10;

/// How many bits a row has, at most.
const ROW_BITS: usize = 4;
