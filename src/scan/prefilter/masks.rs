//! Turns bytes into bit masks, 64 bytes at a time: which of them belong to words, tokens and base64
//! runs, which are signs of another view, and where a trigger may stand. Does not interpret them.
//!
//! [`scalar`] says what the masks are; the backends in [`super::simd`] are held equal to it by
//! property tests.

use crate::rules::condition::ByteSet;

/// How many bytes one [`Masks`] describes.
pub const BLOCK: usize = 64;
/// How many bytes after the last block are looked at, because a trigger's window may begin in it.
pub const LOOKAHEAD: usize = WINDOW - 1;
/// How many bytes of a trigger are looked at.
pub const WINDOW: usize = 4;

/// How long a run of token bytes must be from the start of a word on, for the word to be looked up
/// wherever it stands.
pub const RUN_MIN: usize = 16;

/// How many blocks are looked at together.
pub const STRETCH: usize = 32;

/// What is known of [`BLOCK`] bytes; bit `i` speaks of byte `i`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Masks {
    /// ASCII letters and digits.
    pub word: u64,
    /// Bytes of which most tokens are made: letters, digits, `-` and `_`.
    pub token: u64,
    /// Digits of base64 of either alphabet: letters, digits, `+`, `/`, `-` and `_`.
    pub base64: u64,
    /// Bytes that may begin an escape or a code: ESC, 0xC2, 0x9B, `%`, `&`; and an equals sign with a byte of at most
    /// [`BREAK_MAX`] behind it, where a soft break of quoted-printable may stand.
    pub sign: u64,
    /// Backslashes.
    pub slash: u64,
    /// Letters that make a backslash before them stand for another character than a blank or a quote.
    pub escaped: u64,
    /// Places where one of [`Windows::anywhere`] may begin.
    pub window: u64,
    /// Places where one of [`Windows::words`] may begin.
    pub word_window: u64,
}

/// The masks of the blocks of a stretch, of the block before it, the first, and of the one behind it; by kinds, so that
/// blocks can be taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// See [`Masks`], here and below.
    pub word: [u64; STRETCH + 2],
    pub token: [u64; STRETCH + 2],
    pub base64: [u64; STRETCH + 2],
    pub sign: [u64; STRETCH + 2],
    pub slash: [u64; STRETCH + 2],
    pub escaped: [u64; STRETCH + 2],
    pub window: [u64; STRETCH + 2],
    pub word_window: [u64; STRETCH + 2],
}

impl Default for Stretch {
    fn default() -> Stretch {
        let none = [0; STRETCH + 2];
        Stretch {
            word: none,
            token: none,
            base64: none,
            sign: none,
            slash: none,
            escaped: none,
            window: none,
            word_window: none,
        }
    }
}

impl Stretch {
    /// Sets the masks of a block.
    ///
    /// # Panics
    /// If there are fewer blocks.
    #[inline(always)]
    pub fn set(&mut self, block: usize, masks: Masks) {
        self.word[block] = masks.word;
        self.token[block] = masks.token;
        self.base64[block] = masks.base64;
        self.sign[block] = masks.sign;
        self.slash[block] = masks.slash;
        self.escaped[block] = masks.escaped;
        self.window[block] = masks.window;
        self.word_window[block] = masks.word_window;
    }
}

/// The windows that are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Windows {
    /// Those that may begin anywhere.
    pub anywhere: Buckets,
    /// Those that only begin with a word.
    pub words: Buckets,
}

/// A set of windows of [`WINDOW`] bytes that is tested by nibbles, in eight buckets: a bit that is
/// set in all eight bytes looked up says that a window of that bucket may stand here.
///
/// Bytes are taken with bit 5 set, so that letters of either case are one. Bytes of a text that are no ASCII are told by
/// their upper bits alone; those of a window are no ASCII byte of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Buckets {
    /// By the low nibble of the byte at each place of the window.
    pub low: [[u8; 16]; WINDOW],
    /// By its [`upper`] bits.
    pub high: [[u8; 16]; WINDOW],
}

impl Buckets {
    /// Adds one window to a bucket; `None` is any byte.
    pub fn add(&mut self, bucket: u8, window: &[Option<u8>; WINDOW]) {
        for (place, byte) in window.iter().enumerate() {
            match byte {
                Some(byte) => {
                    let byte = fold(*byte);
                    // No ASCII byte of a text is another one's; the others are not told by their low nibbles.
                    if byte.is_ascii() {
                        self.low[place][usize::from(byte & 15)] |= 1 << bucket;
                    }
                    self.high[place][usize::from(upper(byte))] |= 1 << bucket;
                }
                None => {
                    self.low[place].iter_mut().for_each(|set| *set |= 1 << bucket);
                    self.high[place].iter_mut().for_each(|set| *set |= 1 << bucket);
                }
            }
        }
    }

    /// The buckets of which a window may begin at the start of `bytes`.
    pub fn may_begin(&self, bytes: &[u8; WINDOW]) -> u8 {
        let place = |place: usize| {
            let byte = fold(bytes[place]);
            let low = if byte.is_ascii() { self.low[place][usize::from(byte & 15)] } else { 0xff };
            low & self.high[place][usize::from(upper(byte))]
        };
        (0..WINDOW).map(place).fold(0xff, |sets, set| sets & set)
    }
}

/// A byte as windows see it.
pub const fn fold(byte: u8) -> u8 {
    byte | 0x20
}

/// The upper bits of a folded byte by which windows tell it. They share a bit with the low nibble,
/// because the two uppermost of a byte say too little: letters differ in five bits.
pub const fn upper(byte: u8) -> u8 {
    byte >> 3 & 15
}

/// The classes of bytes, one bit each, by nibbles: a byte is in the classes whose bit is set for
/// both its nibbles.
pub const CLASS_LOW: [u8; 16] = {
    let mut table = [0; 16];
    let mut byte: usize = 0;
    while byte < 256 {
        table[byte & 15] |= class_of(byte as u8);
        byte += 1;
    }
    table
};
/// See [`CLASS_LOW`].
pub const CLASS_HIGH: [u8; 16] = {
    let mut table = [0; 16];
    let mut byte: usize = 0;
    while byte < 256 {
        table[byte >> 4] |= class_of(byte as u8);
        byte += 1;
    }
    table
};

const DIGIT: u8 = 1;
const EARLY_LETTER: u8 = 2;
const LATE_LETTER: u8 = 4;
const DASH: u8 = 8;
const UNDERSCORE: u8 = 16;
const PLUS_SLASH: u8 = 32;
const CODE: u8 = 64;
const ESCAPE: u8 = 128;
/// The classes of letters and digits.
pub const WORD_CLASSES: u8 = DIGIT | EARLY_LETTER | LATE_LETTER;
/// The classes of the bytes of tokens.
pub const TOKEN_CLASSES: u8 = WORD_CLASSES | DASH | UNDERSCORE;
/// The classes of the digits of base64.
pub const BASE64_CLASSES: u8 = TOKEN_CLASSES | PLUS_SLASH;
/// The classes of what begins a code, or an escape sequence of a terminal.
pub const SIGN_CLASSES: u8 = CODE | ESCAPE;
/// What begins an escape sequence in UTF-8 of two bytes.
pub const INTRODUCER: u8 = 0xc2;

/// The greatest of the bytes that end a line, and of those that are taken for one.
pub const BREAK_MAX: u8 = b'\r';

fn is_break(bytes: &[u8; WINDOW]) -> bool {
    bytes[0] == b'=' && bytes[1] <= BREAK_MAX
}

/// The class of a byte. Each class is all bytes with certain high and certain low nibbles, so that
/// two look-ups tell it.
const fn class_of(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => DIGIT,
        b'A'..=b'O' | b'a'..=b'o' => EARLY_LETTER,
        b'P'..=b'Z' | b'p'..=b'z' => LATE_LETTER,
        b'-' => DASH,
        b'_' => UNDERSCORE,
        b'+' | b'/' => PLUS_SLASH,
        b'%' | b'&' => CODE,
        0x1b | 0x9b => ESCAPE,
        _ => 0,
    }
}

/// The classes of a byte, as the backends look them up.
pub const fn classes(byte: u8) -> u8 {
    CLASS_LOW[(byte & 15) as usize] & CLASS_HIGH[(byte >> 4) as usize]
}

/// The bytes of [`Masks::escaped`]: `u`, `x`, `0`, `e` and `/`, by nibbles, one class each but for the two letters
/// with the same upper nibble.
pub const ESCAPED_LOW: [u8; 16] = {
    let mut table = [0; 16];
    (table[0x5], table[0x8], table[0x0], table[0xf]) = (1 | 4, 1, 2, 8);
    table
};
/// See [`ESCAPED_LOW`].
pub const ESCAPED_HIGH: [u8; 16] = {
    let mut table = [0; 16];
    (table[0x7], table[0x3], table[0x6], table[0x2]) = (1, 2, 4, 8);
    table
};

/// Whether a backslash before a byte stands for another character than a blank or a quote.
pub const fn is_escaped(byte: u8) -> bool {
    ESCAPED_LOW[(byte & 15) as usize] & ESCAPED_HIGH[(byte >> 4) as usize] != 0
}

/// Whether a byte can stand in a token.
pub fn is_token(byte: u8) -> bool {
    classes(byte) & TOKEN_CLASSES != 0
}

/// All bytes that can stand in a token.
pub const TOKEN_BYTES: ByteSet = {
    let mut set = [0u64; 4];
    let mut byte: usize = 0;
    while byte < 256 {
        if classes(byte as u8) & TOKEN_CLASSES != 0 {
            set[byte >> 6] |= 1 << (byte & 63);
        }
        byte += 1;
    }
    ByteSet(set)
};

/// The masks of the first block of `text`.
///
/// # Panics
/// If there are fewer than [`BLOCK`] and [`LOOKAHEAD`] bytes.
pub fn scalar(text: &[u8], windows: &Windows) -> Masks {
    let bytes = &text[..BLOCK + LOOKAHEAD];
    let mut mask = Masks::default();
    for place in 0..BLOCK {
        let Some(window) = bytes[place..].first_chunk::<WINDOW>() else { break };
        let class = classes(window[0]);
        let bit = |is: bool| u64::from(is) << place;
        mask.word |= bit(class & WORD_CLASSES != 0);
        mask.token |= bit(class & TOKEN_CLASSES != 0);
        mask.base64 |= bit(class & BASE64_CLASSES != 0);
        mask.sign |= bit(class & SIGN_CLASSES != 0 || window[0] == INTRODUCER || is_break(window));
        mask.slash |= bit(window[0] == b'\\');
        mask.escaped |= bit(is_escaped(window[0]));
        mask.window |= bit(windows.anywhere.may_begin(window) != 0);
        mask.word_window |= bit(windows.words.may_begin(window) != 0);
    }
    mask
}

// The classes of nibbles must not say more than `class_of` does.
const _: () = {
    let mut byte: usize = 0;
    while byte < 256 {
        assert!(classes(byte as u8) == class_of(byte as u8));
        assert!(is_escaped(byte as u8) == matches!(byte as u8, b'u' | b'x' | b'0' | b'e' | b'/'));
        byte += 1;
    }
};
