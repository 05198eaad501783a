//! Remembers windows of some bytes, and finds those of a text that may be among them: a Bloom filter that tests all bits
//! of a window in one load. Does not forget a window; says yes to one in some hundred that it never saw.

use super::simd::Backend;

/// A set of windows.
pub struct Bitmap {
    /// The cells, a power of two, of bits that are *not* set: a window is known if its bits in its cell are 0.
    absent: Vec<u32>,
    window: Window,
}

/// How the place of a window is told.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Which of its first four bytes belong to it.
    pub mask: u32,
    /// How many bytes before its last four there are; 0 if it has fewer.
    pub before_last: usize,
    /// Odd numbers to multiply with.
    pub multipliers: [u32; 3],
    /// By how much a hash is shifted for the number of a cell.
    pub shift: u32,
}

impl Bitmap {
    /// A set that will hold so many windows of so many bytes, from one to eight. The multipliers are random, so that
    /// nobody who can bring in windows or text can make them collide.
    pub fn new(window_bytes: usize, windows: usize, multipliers: [u32; 3]) -> Bitmap {
        let most = if windows <= WINDOWS_NARROW { BITS_NARROW } else { BITS_WIDE };
        let cells = (windows * WINDOW_BITS).next_power_of_two().clamp(BITS_MIN, most) / u32::BITS as usize;
        let window = Window {
            mask: !0 >> (32 - 8 * window_bytes.min(4)),
            before_last: window_bytes.saturating_sub(4),
            multipliers: multipliers.map(|multiplier| multiplier | 1),
            shift: u32::BITS - cells.ilog2(),
        };
        Bitmap { absent: vec![!0; cells], window }
    }

    /// Adds the window at the beginning of a word.
    pub fn add(&mut self, word: u64) {
        let (cell, bits) = self.window.place(word);
        self.absent[cell] &= !bits;
    }

    /// Whether the window at the beginning of a word may have been added.
    #[inline(always)]
    pub fn knows(&self, word: u64) -> bool {
        let (cell, bits) = self.window.place(word);
        self.absent[cell] & bits == 0
    }

    /// Looks at every `stride`th window of a text from `from` on, [`SAMPLES`] at once, and lists those of which one may be
    /// known. Stops where `until` is reached, the text has not enough bytes left for as many, or there may be no room in
    /// the list. Says where the next window is, and how many are listed.
    ///
    /// Which windows are known by chance cannot be foretold, so there is no branch for it.
    pub fn list(
        &self,
        text: &[u8],
        from: usize,
        stride: usize,
        until: usize,
        list: &mut [Group; ROOM],
    ) -> (usize, usize) {
        Backend::known().list_known(self, text, from, stride, until, list)
    }

    /// The cells, and how a window's is told.
    #[cfg(target_arch = "x86_64")]
    pub fn parts(&self) -> (&[u32], Window) {
        (&self.absent, self.window)
    }

    /// What the set takes in memory (bytes).
    pub fn memory_bytes(&self) -> usize {
        self.absent.len() * size_of::<u32>()
    }
}

impl Window {
    /// The cell of a window, and its bits there. Each bit of a product depends on all lower bits of a factor, so the
    /// highest are the best.
    #[inline(always)]
    fn place(self, word: u64) -> (usize, u32) {
        let [first, last, mix] = self.multipliers;
        let ends = (word as u32 & self.mask, (word >> (8 * self.before_last)) as u32);
        // Of a short window, what stands behind it does not count.
        let end = if self.before_last > 0 { ends.1 } else { 0 };
        let hash = ends.0.wrapping_mul(first).wrapping_add(end.wrapping_mul(last));
        let bits = (hash ^ hash >> HASH_FOLD).wrapping_mul(mix);
        let set = BIT_SHIFTS.iter().fold(0, |set, shift| set | 1 << (bits >> shift & 31));
        ((hash >> self.shift) as usize, set)
    }
}

/// [`SAMPLES`] windows of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Group {
    /// Where the first of them begins, from where the list does.
    pub offset: u32,
    /// Which of them may be known: bit `i` speaks of the `i`th.
    pub known: u32,
}

/// See [`Bitmap::list`], window by window.
pub fn scalar(
    bitmap: &Bitmap,
    text: &[u8],
    from: usize,
    stride: usize,
    until: usize,
    list: &mut [Group; ROOM],
) -> (usize, usize) {
    let (mut place, mut count) = (from, 0);
    while place < until
        && count < ROOM
        && let Some(stretch) = text.get(place..place + (SAMPLES - 1) * stride + 8)
    {
        let word =
            |sample: usize| stretch[sample * stride..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let known = (0..SAMPLES).fold(0, |known, sample| known | u32::from(bitmap.knows(word(sample))) << sample);
        list[count] = Group { offset: (place - from) as u32, known };
        count += usize::from(known != 0);
        place += SAMPLES * stride;
    }
    (place, count)
}

/// How many groups there is room for.
pub const ROOM: usize = 128;

/// How many windows are looked at at once.
pub const SAMPLES: usize = 8;

/// By how much a hash is shifted before its bits are mixed again, and the mixed ones for the numbers of the bits of a
/// cell.
pub const HASH_FOLD: u32 = 15;
pub const BIT_SHIFTS: [u32; 3] = [27, 22, 17];

/// How many bits there are for each window, if there is room.
const WINDOW_BITS: usize = 24;

/// The fewest bits: for fewer, words that logs repeat could be in them by chance.
const BITS_MIN: usize = 1 << 16;

/// How many bits there are at most: a quarter of a MiB, which the pages that a processor keeps at hand cover, for so
/// many windows; and what fits into larger caches.
const BITS_NARROW: usize = 1 << 21;
const BITS_WIDE: usize = 1 << 25;
const WINDOWS_NARROW: usize = BITS_NARROW / 6;
