//! The masks of [`super::super::masks`], and what else is told of many bytes at once, by the vectors of x86-64. Does not
//! decide whether the processor has them.

use std::arch::x86_64::*;

use super::super::masks::{
    BASE64_CLASSES, BLOCK, BREAK_MAX, CLASS_HIGH, CLASS_LOW, ESCAPED_HIGH, ESCAPED_LOW, INTRODUCER, Masks,
    SIGN_CLASSES, Stretch, TOKEN_CLASSES, WINDOW, WORD_CLASSES, Windows,
};
use super::{
    super::{
        bitmap::{BIT_SHIFTS, Bitmap, Group, HASH_FOLD, ROOM, SAMPLES},
        breaks::{self, Ends, List, PIECE},
        keys::{Begin, FOLD, Peek, hash_of_four},
        survey::{Kind, Place, Text},
    },
    Keys, Range, Survey,
};
use crate::view::{RUN_SEEN_MAX, TEXT_HIGH, TEXT_LOW};

/// # Safety
/// The processor must have AVX2, and `text` [`BLOCK`] bytes for each block and `LOOKAHEAD` more.
#[target_feature(enable = "avx2")]
pub unsafe fn fill(text: &[u8], windows: &Windows, masks: &mut Stretch, blocks: Range<usize>) {
    // Tables that say which buckets are out: then a byte that is no ASCII, for which a look-up by the low nibble gives
    // zero, is told by its upper bits alone, and low nibbles need not be cut out.
    let tables = |nibbles: &[[u8; 16]; WINDOW]| -> [__m256i; WINDOW] {
        std::array::from_fn(|place| _mm256_xor_si256(table(&nibbles[place]), _mm256_set1_epi8(-1)))
    };
    let anywhere = (tables(&windows.anywhere.low), tables(&windows.anywhere.high));
    let words = (tables(&windows.words.low), tables(&windows.words.high));
    let (class_low, class_high) = (table(&CLASS_LOW), table(&CLASS_HIGH));
    let (escaped_low, escaped_high) = (table(&ESCAPED_LOW), table(&ESCAPED_HIGH));
    let mut start = text.as_ptr();
    for block in blocks {
        let half = |offset: usize| {
            // SAFETY: the caller has seen to it that the block and `LOOKAHEAD` bytes after it are there.
            let at = |place: usize| unsafe { _mm256_loadu_si256(start.add(offset + place).cast()) };
            let bytes = at(0);
            let (low, high) = (low_nibbles(bytes), high_nibbles(bytes));
            let class = both(class_low, low, class_high, high);
            let escaped = both(escaped_low, low, escaped_high, high);
            let (mut window, mut word_window) = (_mm256_setzero_si256(), _mm256_setzero_si256());
            for place in 0..WINDOW {
                let low = _mm256_or_si256(at(place), _mm256_set1_epi8(0x20));
                let upper = uppers(low);
                window = _mm256_or_si256(window, either(anywhere.0[place], low, anywhere.1[place], upper));
                word_window = _mm256_or_si256(word_window, either(words.0[place], low, words.1[place], upper));
            }
            let all = |byte: u8| _mm256_set1_epi8(byte as i8);
            let those = |byte: u8| _mm256_cmpeq_epi8(bytes, all(byte));
            let bits = |mask: __m256i| _mm256_movemask_epi8(mask) as u32;
            let behind = at(1);
            let line_end = _mm256_cmpeq_epi8(_mm256_min_epu8(behind, all(BREAK_MAX)), behind);
            let break_sign = _mm256_and_si256(those(b'='), line_end);
            let none = |bytes: __m256i| _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())) as u32;
            let all_out =
                |buckets: __m256i| _mm256_movemask_epi8(_mm256_cmpeq_epi8(buckets, _mm256_set1_epi8(-1))) as u32;
            let none_of = |sets: u8| none(_mm256_and_si256(class, _mm256_set1_epi8(sets as i8)));
            [
                none_of(WORD_CLASSES),
                none_of(TOKEN_CLASSES),
                none_of(BASE64_CLASSES),
                none_of(SIGN_CLASSES),
                none(escaped),
                all_out(window),
                all_out(word_window),
                bits(those(b'\\')),
                bits(_mm256_or_si256(those(INTRODUCER), break_sign)),
            ]
        };
        let (first, second) = (half(0), half(BLOCK / 2));
        let [word, token, base64, sign, escaped, window, word_window, slash, other_sign] =
            std::array::from_fn(|kind| u64::from(first[kind]) | u64::from(second[kind]) << 32);
        let mask = Masks {
            word: !word,
            token: !token,
            base64: !base64,
            sign: !sign | other_sign,
            slash,
            escaped: !escaped,
            window: !window,
            word_window: !word_window,
        };
        masks.set(block, mask);
        start = start.wrapping_add(BLOCK);
    }
}

/// See [`breaks::list`].
///
/// # Safety
/// The processor must have AVX2, BMI1, BMI2 and POPCNT.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub unsafe fn line_ends(chunk: &[u8], list: &mut List) -> Ends {
    breaks::list(chunk, list, |piece| {
        const { assert!(PIECE == 2 * 32, "two vectors") };
        // SAFETY: the piece has twice 32 bytes.
        let [low, high] = [0, 32].map(|half| unsafe { _mm256_loadu_si256(piece.as_ptr().add(half).cast()) });
        let is = |here, byte: u8| _mm256_cmpeq_epi8(here, _mm256_set1_epi8(byte as i8));
        let bits = |mask| _mm256_movemask_epi8(mask) as u32;
        let escapes = _mm256_or_si256(is(low, breaks::ESCAPE), is(high, breaks::ESCAPE));
        let odd = bits(_mm256_or_si256(_mm256_or_si256(low, high), escapes));
        let newlines = [low, high].map(|half| bits(is(half, b'\n')));
        (u64::from(newlines[0]) | u64::from(newlines[1]) << 32, odd != 0)
    })
}

/// See [`Bitmap::list`].
///
/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
pub unsafe fn list_known(
    bitmap: &Bitmap,
    text: &[u8],
    from: usize,
    stride: usize,
    until: usize,
    list: &mut [Group; ROOM],
) -> (usize, usize) {
    const { assert!(SAMPLES == 8, "one for each lane") };
    let (absent, window) = bitmap.parts();
    let all = |number: u32| _mm256_set1_epi32(number as i32);
    let [first, last, mix] = window.multipliers.map(all);
    let (mask, shift) = (all(window.mask), _mm_cvtsi32_si128(window.shift as i32));
    let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    let steps = _mm256_mullo_epi32(lanes, all(stride as u32));
    let (mut place, mut count, reach) = (from, 0, (SAMPLES - 1) * stride + 8);
    while place < until && text.len() >= reach && place <= text.len() - reach && count < ROOM {
        let four = |offset: usize| {
            // SAFETY: each window of the text has eight bytes from its beginning on, and the offset is at most four.
            unsafe {
                let start = text.as_ptr().add(place + offset);
                match stride {
                    4 => _mm256_loadu_si256(start.cast()),
                    _ => _mm256_i32gather_epi32::<1>(start.cast(), steps),
                }
            }
        };
        let mut hash = _mm256_mullo_epi32(_mm256_and_si256(four(0), mask), first);
        if window.before_last > 0 {
            hash = _mm256_add_epi32(hash, _mm256_mullo_epi32(four(window.before_last), last));
        }
        // One by one: the instruction that gathers takes longer.
        // SAFETY: both are eight numbers of 32 bits.
        let numbers: [u32; SAMPLES] = unsafe { std::mem::transmute(_mm256_srl_epi32(hash, shift)) };
        // SAFETY: what is left of a hash is the number of one of the cells, which are a power of two.
        let [a, b, c, d, e, f, g, h] = numbers.map(|cell| unsafe { *absent.get_unchecked(cell as usize) as i32 });
        let cells = _mm256_setr_epi32(a, b, c, d, e, f, g, h);
        let bits = _mm256_xor_si256(hash, _mm256_srli_epi32::<{ HASH_FOLD as i32 }>(hash));
        let bits = _mm256_mullo_epi32(bits, mix);
        let set = BIT_SHIFTS.iter().fold(_mm256_setzero_si256(), |set, &by| {
            let number = _mm256_and_si256(_mm256_srl_epi32(bits, _mm_cvtsi32_si128(by as i32)), all(31));
            _mm256_or_si256(set, _mm256_sllv_epi32(all(1), number))
        });
        let known = _mm256_cmpeq_epi32(_mm256_and_si256(cells, set), _mm256_setzero_si256());
        let known = _mm256_movemask_ps(_mm256_castsi256_ps(known)) as u32;
        list[count] = Group { offset: (place - from) as u32, known };
        count += usize::from(known != 0);
        place += SAMPLES * stride;
    }
    (place, count)
}

/// See [`Survey::take`].
///
/// # Safety
/// The processor must have AVX2, BMI1, BMI2 and POPCNT, and `text` `count` blocks and one more.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub unsafe fn survey(text: &[u8], masks: &Stretch, count: usize, keys: &Keys, survey: &mut Survey) {
    survey.take_those(Unchecked(text.as_ptr()), masks, count, keys);
}

/// See [`Survey::take`]; the text may end in the stretch.
///
/// # Safety
/// The processor must have AVX2, BMI1, BMI2 and POPCNT.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub unsafe fn survey_end(text: &[u8], masks: &Stretch, count: usize, keys: &Keys, survey: &mut Survey) {
    survey.take_those(text, masks, count, keys);
}

/// A text that has a block behind each place that is asked about, on a processor with AVX2.
struct Unchecked(*const u8);

impl Unchecked {
    /// The bytes at a place.
    #[inline(always)]
    fn at<const LENGTH: usize>(&self, at: u16) -> [u8; LENGTH] {
        const { assert!(LENGTH <= BLOCK) };
        // SAFETY: a place of the stretch has a block of text behind it.
        unsafe { self.0.add(usize::from(at)).cast::<[u8; LENGTH]>().read_unaligned() }
    }
}

impl Text for Unchecked {
    #[inline(always)]
    fn peek(&self, at: u16) -> Peek {
        u64::from_le_bytes(self.at(at)) | FOLD
    }

    #[inline(always)]
    fn begin(&self, masks: &[u64], begin: Begin<'_>, places: &mut [Place]) -> usize {
        // How many are written at once, because how many there are cannot be foretold.
        const AT_ONCE: usize = 8;
        assert!(places.len() >= masks.len() * BLOCK + AT_ONCE);
        let (bits, shift) = begin.bits();
        let places = places.as_mut_ptr();
        let mut count = 0;
        for (number, mask) in masks.iter().enumerate() {
            let mut mask = *mask;
            let mut to = count;
            count += mask.count_ones() as usize;
            loop {
                for slot in to..to + AT_ONCE {
                    // Without a bit left this is a place behind the block, which counts for nothing.
                    let place = Place::new((number * BLOCK) as u16 + mask.trailing_zeros() as u16, Kind::Word);
                    // SAFETY: `to` is at most as many as the masks so far have bits, so there is room for `AT_ONCE` more.
                    unsafe { places.add(slot).write(place) };
                    mask &= mask.wrapping_sub(1);
                }
                if mask == 0 {
                    break;
                }
                to += AT_ONCE;
            }
        }
        let mut kept = 0;
        for number in 0..count {
            // SAFETY: this many places were written, and not more are kept.
            let place = unsafe { places.add(number).read() };
            // SAFETY: as above.
            unsafe { places.add(kept).write(place) };
            let bit = hash_of_four(u32::from_le_bytes(self.at(place.at() as u16))) >> shift;
            // SAFETY: there are as many bits as numbers.
            let bits = unsafe { bits.get_unchecked((bit >> 6) as usize) };
            kept += (bits >> (bit & 63) & 1) as usize;
        }
        kept
    }

    #[inline(always)]
    fn may_decode(&self, at: u16, run: usize) -> bool {
        // SAFETY: whoever made this has seen to it that the processor has AVX2.
        unsafe { may_decode(&self.at(at), run) }
    }
}

/// [`crate::view::may_decode`], of digits of base64 alone.
#[target_feature(enable = "avx2")]
pub fn may_decode(digits: &[u8; 16], run: usize) -> bool {
    let load = |bytes: &[u8; 16]| {
        // SAFETY: the array has the 16 bytes that are loaded.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    };
    let all = |byte: u8| _mm_set1_epi8(byte as i8);
    let digits = load(digits);
    let low = |bytes| _mm_and_si128(bytes, all(15));
    let high = |bytes| _mm_and_si128(_mm_srli_epi16::<4>(bytes), all(15));
    let pick = |table: &[u8; 16], places| _mm_shuffle_epi8(load(table), places);
    // How many of the bytes of a vector are no text.
    let no_text = |bytes| {
        let class = _mm_and_si128(pick(&TEXT_LOW, low(bytes)), pick(&TEXT_HIGH, high(bytes)));
        _mm_movemask_epi8(_mm_cmpeq_epi8(class, _mm_setzero_si128()))
    };
    let is = |byte: u8| _mm_cmpeq_epi8(digits, all(byte));

    // What is added to a digit to make it its value, by its upper bits; then what that is wrong by.
    const ADDED: [u8; 16] = {
        let mut table = [0; 16];
        (table[2], table[3]) = (62 - b'+', 52u8.wrapping_sub(b'0'));
        (table[4], table[5]) = (0u8.wrapping_sub(b'A'), 0u8.wrapping_sub(b'A'));
        (table[6], table[7]) = (26u8.wrapping_sub(b'a'), 26u8.wrapping_sub(b'a'));
        table
    };
    let values = _mm_add_epi8(digits, pick(&ADDED, high(digits)));
    let values = _mm_blendv_epi8(values, all(62), is(b'-'));
    let values = _mm_blendv_epi8(values, all(63), _mm_or_si128(is(b'/'), is(b'_')));
    // Twelve bits of each two digits, then 24 of each four, then their bytes, the others as blanks.
    let pairs = _mm_maddubs_epi16(values, _mm_set1_epi32(0x0140_0140));
    let groups = _mm_madd_epi16(pairs, _mm_set1_epi32(0x0001_1000));
    let order = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    let bytes = _mm_shuffle_epi8(groups, order);
    let (whole, odd) = (run * 3 / 4, (_mm_movemask_epi8(bytes) & 0xfff).count_ones() as usize);
    let base64 = (no_text(bytes) & 0xfff == 0) & ((run >= RUN_SEEN_MAX) | (odd * 10 <= whole));

    // Hexadecimal digits are those with a bit for both nibbles.
    const HEX_LOW: [u8; 16] = [1, 3, 3, 3, 3, 3, 3, 1, 1, 1, 0, 0, 0, 0, 0, 0];
    const HEX_HIGH: [u8; 16] = [0, 0, 0, 1, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let class = _mm_and_si128(pick(&HEX_LOW, low(digits)), pick(&HEX_HIGH, high(digits)));
    let all_hex = _mm_movemask_epi8(_mm_cmpeq_epi8(class, _mm_setzero_si128())) == 0;
    let letter = _mm_and_si128(_mm_srli_epi16::<6>(digits), all(1));
    let values = _mm_add_epi8(low(digits), _mm_and_si128(_mm_sub_epi8(_mm_setzero_si128(), letter), all(9)));
    let pairs = _mm_maddubs_epi16(values, _mm_set1_epi16(0x0110));
    let hex = all_hex & (no_text(_mm_packus_epi16(pairs, pairs)) == 0);

    let first = _mm_cvtsi128_si32(digits) & 0xdfff;
    base64 | hex | (first == i32::from(u16::from_le_bytes(*b"0X")))
}

#[target_feature(enable = "avx2")]
fn table(bytes: &[u8; 16]) -> __m256i {
    // SAFETY: the array has the 16 bytes that are loaded.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

#[target_feature(enable = "avx2")]
fn low_nibbles(bytes: __m256i) -> __m256i {
    _mm256_and_si256(bytes, _mm256_set1_epi8(15))
}

#[target_feature(enable = "avx2")]
fn high_nibbles(bytes: __m256i) -> __m256i {
    _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(15))
}

#[target_feature(enable = "avx2")]
fn uppers(bytes: __m256i) -> __m256i {
    _mm256_and_si256(_mm256_srli_epi16::<3>(bytes), _mm256_set1_epi8(15))
}

/// What two tables have together for each byte, of which the first tells bytes with the top bit from no others.
#[target_feature(enable = "avx2")]
fn either(low: __m256i, low_nibbles: __m256i, high: __m256i, high_nibbles: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_shuffle_epi8(low, low_nibbles), _mm256_shuffle_epi8(high, high_nibbles))
}

/// What two tables have in common for each byte.
#[target_feature(enable = "avx2")]
fn both(low: __m256i, low_nibbles: __m256i, high: __m256i, high_nibbles: __m256i) -> __m256i {
    _mm256_and_si256(_mm256_shuffle_epi8(low, low_nibbles), _mm256_shuffle_epi8(high, high_nibbles))
}
