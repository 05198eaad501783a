//! The masks of [`super::masks`] by vector instructions, chosen when the program runs. The one
//! place with `unsafe`; each backend is held equal to the scalar twin by property tests.

#![allow(unsafe_code)]

use std::{ops::Range, sync::LazyLock};

use super::{
    bitmap::{self, Bitmap},
    breaks,
    keys::Keys,
    masks::{BLOCK, LOOKAHEAD, Stretch, Windows, scalar},
    survey::Survey,
};

/// A way to make masks that this machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Byte by byte, for machines without one of the others.
    Scalar,
    /// 32 bytes at a time, on x86-64.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 16 bytes at a time, on 64-bit ARM.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Backend {
    /// The fastest one this machine has.
    pub fn detect() -> Backend {
        Backend::all().pop().unwrap_or(Backend::Scalar)
    }

    /// The fastest one this machine has, detected once.
    pub fn known() -> Backend {
        static FASTEST: LazyLock<Backend> = LazyLock::new(Backend::detect);
        *FASTEST
    }

    /// All that this machine has, the fastest last.
    pub fn all() -> Vec<Backend> {
        #[allow(unused_mut)]
        let mut list = vec![Backend::Scalar];
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2")
            && std::is_x86_feature_detected!("bmi1")
            && std::is_x86_feature_detected!("bmi2")
            && std::is_x86_feature_detected!("popcnt")
        {
            list.push(Backend::Avx2);
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            list.push(Backend::Neon);
        }
        list
    }

    /// Sets the masks of `blocks` from the start of `text`, as [`scalar`] makes them.
    ///
    /// # Panics
    /// If `text` has not [`BLOCK`] bytes for each block and [`LOOKAHEAD`] more, or a stretch not as many blocks.
    pub fn fill(self, text: &[u8], windows: &Windows, masks: &mut Stretch, blocks: Range<usize>) {
        assert!(text.len() >= blocks.len() * BLOCK + LOOKAHEAD, "masks look at more bytes than there are");
        match self {
            Backend::Scalar => {
                let number = |block: usize| block - blocks.start;
                blocks.clone().for_each(|block| masks.set(block, scalar(&text[number(block) * BLOCK..], windows)));
            }
            // SAFETY: `Avx2` is only listed where the processor has it, and the length was checked.
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => unsafe { avx2::fill(text, windows, masks, blocks) },
            // SAFETY: `Neon` is only listed where the processor has it, and the length was checked.
            #[cfg(target_arch = "aarch64")]
            Backend::Neon => unsafe { neon::fill(text, windows, masks, blocks) },
        }
    }

    /// See [`breaks::next`].
    pub fn next_break(self, text: &[u8], from: usize, soft: bool, columns: [usize; 2]) -> Option<usize> {
        match self {
            // SAFETY: `Avx2` is only listed where the processor has what the function needs.
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => unsafe { avx2::next_break(text, from, soft, columns) },
            #[allow(unreachable_patterns)]
            _ => breaks::find(text, from, soft, columns, breaks::scalar),
        }
    }

    /// See [`Bitmap::next`].
    pub fn next_known(self, bitmap: &Bitmap, text: &[u8], from: usize, stride: usize, until: usize) -> (usize, u32) {
        match self {
            // SAFETY: `Avx2` is only listed where the processor has it.
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => unsafe { avx2::next_known(bitmap, text, from, stride, until) },
            #[allow(unreachable_patterns)]
            _ => bitmap::scalar(bitmap, text, from, stride, until),
        }
    }

    /// [`Survey::take`], with vectors and the bit instructions that come with them.
    pub fn survey(self, text: &[u8], masks: &Stretch, count: usize, keys: &Keys, survey: &mut Survey) {
        match self {
            // SAFETY: `Avx2` is only listed where the processor has what the function needs, and the text is long enough.
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 if text.len() >= (count + 1) * BLOCK => unsafe {
                avx2::survey(text, masks, count, keys, survey);
            },
            // SAFETY: `Avx2` is only listed where the processor has what the function needs.
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => unsafe { avx2::survey_end(text, masks, count, keys, survey) },
            #[allow(unreachable_patterns)]
            _ => survey.take(text, masks, count, keys),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::super::masks::{
        BASE64_CLASSES, BLOCK, BREAK_MAX, CLASS_HIGH, CLASS_LOW, ESCAPED_HIGH, ESCAPED_LOW, INTRODUCER, Masks,
        SIGN_CLASSES, Stretch, TOKEN_CLASSES, WINDOW, WORD_CLASSES, Windows,
    };
    use super::{
        super::{
            bitmap::{BIT_SHIFTS, Bitmap, HASH_FOLD, SAMPLES},
            breaks::{self, Ends},
            keys::{Begin, FOLD, Peek, hash_of_four},
            survey::{Kind, Place, Text},
        },
        Keys, Range, Survey,
    };
    use crate::view::{TEXT_HIGH, TEXT_LOW};

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
                let none =
                    |bytes: __m256i| _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())) as u32;
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

    /// See [`breaks::next`].
    ///
    /// # Safety
    /// The processor must have AVX2, BMI1, BMI2 and POPCNT.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    pub unsafe fn next_break(text: &[u8], from: usize, soft: bool, columns: [usize; 2]) -> Option<usize> {
        breaks::find(text, from, soft, columns, |bytes| {
            // SAFETY: all of them are there.
            let here = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
            let is = |byte: u8| _mm256_cmpeq_epi8(here, _mm256_set1_epi8(byte as i8));
            let bits = |mask: __m256i| _mm256_movemask_epi8(mask) as u32;
            Ends { newlines: bits(is(b'\n')), odd: bits(_mm256_or_si256(here, is(breaks::ESCAPE))) }
        })
    }

    /// See [`Bitmap::next`].
    ///
    /// # Safety
    /// The processor must have AVX2.
    #[target_feature(enable = "avx2")]
    pub unsafe fn next_known(bitmap: &Bitmap, text: &[u8], from: usize, stride: usize, until: usize) -> (usize, u32) {
        const { assert!(SAMPLES == 8, "one for each lane") };
        let (absent, window) = bitmap.parts();
        let all = |number: u32| _mm256_set1_epi32(number as i32);
        let [first, last, mix] = window.multipliers.map(all);
        let (mask, shift) = (all(window.mask), _mm_cvtsi32_si128(window.shift as i32));
        let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        let steps = _mm256_mullo_epi32(lanes, all(stride as u32));
        let (mut place, reach) = (from, (SAMPLES - 1) * stride + 8);
        while place < until && text.len() >= reach && place <= text.len() - reach {
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
            // SAFETY: what is left of a hash is the number of one of the cells, which are a power of two.
            let cells = unsafe { _mm256_i32gather_epi32::<4>(absent.as_ptr().cast(), _mm256_srl_epi32(hash, shift)) };
            let bits = _mm256_xor_si256(hash, _mm256_srli_epi32::<{ HASH_FOLD as i32 }>(hash));
            let bits = _mm256_mullo_epi32(bits, mix);
            let set = BIT_SHIFTS.iter().fold(_mm256_setzero_si256(), |set, &by| {
                let number = _mm256_and_si256(_mm256_srl_epi32(bits, _mm_cvtsi32_si128(by as i32)), all(31));
                _mm256_or_si256(set, _mm256_sllv_epi32(all(1), number))
            });
            let known = _mm256_cmpeq_epi32(_mm256_and_si256(cells, set), _mm256_setzero_si256());
            let known = _mm256_movemask_ps(_mm256_castsi256_ps(known)) as u32;
            if known != 0 {
                return (place, known);
            }
            place += SAMPLES * stride;
        }
        (place, 0)
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
        fn may_decode(&self, at: u16) -> bool {
            // SAFETY: whoever made this has seen to it that the processor has AVX2.
            unsafe { may_decode(&self.at(at)) }
        }
    }

    /// [`crate::view::may_decode`], of digits of base64 alone.
    #[target_feature(enable = "avx2")]
    pub fn may_decode(digits: &[u8; 16]) -> bool {
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
        let base64 = no_text(_mm_shuffle_epi8(groups, order)) & 0xfff == 0;

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
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64::*;

    use super::super::masks::{
        BASE64_CLASSES, BLOCK, BREAK_MAX, Buckets, CLASS_HIGH, CLASS_LOW, ESCAPED_HIGH, ESCAPED_LOW, INTRODUCER, Masks,
        SIGN_CLASSES, Stretch, TOKEN_CLASSES, WINDOW, WORD_CLASSES, Windows,
    };
    use super::Range;

    /// The bytes of a vector.
    const WIDTH: usize = 16;
    /// How many vectors a block has.
    const PARTS: usize = BLOCK / WIDTH;

    /// # Safety
    /// The processor must have NEON, and `text` [`BLOCK`] bytes for each block and `LOOKAHEAD` more.
    #[target_feature(enable = "neon")]
    pub unsafe fn fill(text: &[u8], windows: &Windows, masks: &mut Stretch, blocks: Range<usize>) {
        let (anywhere, words) = (tables(&windows.anywhere), tables(&windows.words));
        let (class_low, class_high) = (table(&CLASS_LOW), table(&CLASS_HIGH));
        let (escaped_low, escaped_high) = (table(&ESCAPED_LOW), table(&ESCAPED_HIGH));
        let low_nibbles = vdupq_n_u8(15);
        let mut start = text.as_ptr();
        for block in blocks {
            let [mut class, mut escaped, mut plain, mut breaks, mut window, mut word_window] =
                [[vdupq_n_u8(0); PARTS]; 6];
            for part in 0..PARTS {
                // SAFETY: the caller has seen to it that the block and `LOOKAHEAD` bytes after it are there.
                let at = |place: usize| unsafe { vld1q_u8(start.add(part * WIDTH + place)) };
                let bytes = at(0);
                let (low, high) = (vandq_u8(bytes, low_nibbles), vshrq_n_u8::<4>(bytes));
                plain[part] = bytes;
                let line_end = vcleq_u8(at(1), vdupq_n_u8(BREAK_MAX));
                breaks[part] = vandq_u8(vceqq_u8(bytes, vdupq_n_u8(b'=')), line_end);
                class[part] = both(class_low, low, class_high, high);
                escaped[part] = both(escaped_low, low, escaped_high, high);
                // The buckets that are out. A byte that is no ASCII, whose look-up gives zero, is told by its upper bits.
                let mut out = [vdupq_n_u8(0); 2];
                for place in 0..WINDOW {
                    let bytes = vorrq_u8(at(place), vdupq_n_u8(0x20));
                    let low = vandq_u8(bytes, vdupq_n_u8(0x8f));
                    let upper = vandq_u8(vshrq_n_u8::<3>(bytes), low_nibbles);
                    for (out, (lows, uppers)) in out.iter_mut().zip([&anywhere, &words]) {
                        let these = vorrq_u8(vqtbl1q_u8(lows[place], low), vqtbl1q_u8(uppers[place], upper));
                        *out = vorrq_u8(*out, these);
                    }
                }
                [window[part], word_window[part]] = out.map(|out| vmvnq_u8(out));
            }
            let any = |parts: [uint8x16_t; PARTS]| bits(parts.map(|part| vtstq_u8(part, part)));
            let any_of = |sets: u8| bits(class.map(|part| vtstq_u8(part, vdupq_n_u8(sets))));
            let is = |byte: u8| bits(plain.map(|part| vceqq_u8(part, vdupq_n_u8(byte))));
            let mask = Masks {
                word: any_of(WORD_CLASSES),
                token: any_of(TOKEN_CLASSES),
                base64: any_of(BASE64_CLASSES),
                sign: any_of(SIGN_CLASSES) | is(INTRODUCER) | bits(breaks),
                slash: is(b'\\'),
                escaped: any(escaped),
                window: any(window),
                word_window: any(word_window),
            };
            masks.set(block, mask);
            start = start.wrapping_add(BLOCK);
        }
    }

    /// A bit for each byte of a block, of which all bits are set or none.
    #[target_feature(enable = "neon")]
    fn bits([first, second, third, fourth]: [uint8x16_t; PARTS]) -> u64 {
        let weights = table(&[1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128]);
        let weigh = |part| vandq_u8(part, weights);
        let halves = vpaddq_u8(vpaddq_u8(weigh(first), weigh(second)), vpaddq_u8(weigh(third), weigh(fourth)));
        vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(halves, halves)))
    }

    #[target_feature(enable = "neon")]
    fn tables(buckets: &Buckets) -> ([uint8x16_t; WINDOW], [uint8x16_t; WINDOW]) {
        let out = |bytes: &[u8; 16]| vmvnq_u8(table(bytes));
        (buckets.low.each_ref().map(out), buckets.high.each_ref().map(out))
    }

    #[target_feature(enable = "neon")]
    fn table(bytes: &[u8; 16]) -> uint8x16_t {
        // SAFETY: the array has the 16 bytes that are loaded.
        unsafe { vld1q_u8(bytes.as_ptr()) }
    }

    /// What two tables have in common for each byte.
    #[target_feature(enable = "neon")]
    fn both(low: uint8x16_t, low_nibbles: uint8x16_t, high: uint8x16_t, high_nibbles: uint8x16_t) -> uint8x16_t {
        vandq_u8(vqtbl1q_u8(low, low_nibbles), vqtbl1q_u8(high, high_nibbles))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::condition::ByteSet;

    /// Windows of every kind: of four bytes, of three, in buckets of both groups.
    fn windows() -> Windows {
        let mut windows = Windows::default();
        for (begins, bucket, word) in [
            (false, 0, "oken"),
            (false, 0, "secr"),
            (false, 1, "://"),
            (false, 4, "$2a$"),
            (true, 0, "curl"),
            (true, 7, "mii"),
            (true, 7, "a\u{7f}b_"),
        ] {
            let bytes: Vec<Option<u8>> = word.bytes().map(Some).chain([None; 4]).take(4).collect();
            let set = if begins { &mut windows.words } else { &mut windows.anywhere };
            set.add(bucket, &[bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        windows
    }

    /// Some that stand in the texts below.
    fn some_keys() -> Keys {
        let words = [("aaaa", false), ("tokenS", false), ("    ", true), (" to", true)];
        Keys::of(
            words.iter().map(|(text, any)| (text.as_bytes(), if *any { ByteSet::ALL } else { ByteSet::default() })),
        )
    }

    /// Every backend's masks of every stretch of whole blocks in `text`, against the scalar ones.
    fn agree(text: &[u8]) -> Result<(), TestCaseError> {
        let windows = windows();
        let blocks = text.len().saturating_sub(LOOKAHEAD) / BLOCK;
        for count in 1..=blocks.min(5) {
            let mut wanted = Stretch::default();
            Backend::Scalar.fill(text, &windows, &mut wanted, 0..count);
            for backend in Backend::all() {
                let mut masks = Stretch::default();
                backend.fill(text, &windows, &mut masks, 0..count);
                prop_assert_eq!(&masks, &wanted, "{:?} of {} blocks", backend, count);
                let (mut survey, mut plain) = (Survey::default(), Survey::default());
                if count > 1 {
                    let keys = some_keys();
                    backend.survey(&text[BLOCK..], &masks, count - 2, &keys, &mut survey);
                    plain.take(&text[BLOCK..], &masks, count - 2, &keys);
                    prop_assert_eq!(survey.places(), plain.places(), "{:?}: survey", backend);
                }
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 400 }, ..ProptestConfig::default() })]

        #[test]
        fn backends_agree_on_random_bytes(text in proptest::collection::vec(any::<u8>(), 0..400), skip in 0usize..64) {
            agree(text.get(skip..).unwrap_or_default())?;
        }

        #[test]
        fn backends_agree_on_bytes_of_which_many_mean_something(
            text in proptest::collection::vec(proptest::sample::select(b"aZ09_-./+=:%&\\\x1b\xc2\x9b tokenSECR$2".to_vec()), 0..400),
            skip in 0usize..64,
        ) {
            agree(text.get(skip..).unwrap_or_default())?;
        }
    }

    #[cfg(target_arch = "x86_64")]
    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 20_000 }, ..ProptestConfig::default() })]

        #[test]
        fn backends_agree_on_what_may_decode(
            digits in prop_oneof![
                proptest::array::uniform16(proptest::sample::select(
                    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_".to_vec()
                )),
                proptest::array::uniform16(proptest::sample::select(b"0123456789abcdefABCDEF".to_vec())),
                proptest::array::uniform16(proptest::sample::select(b"234567xX".to_vec())),
                proptest::array::uniform16(proptest::sample::select(b"IJKLXYZabcdef-_/+".to_vec())),
            ],
        ) {
            if Backend::all().contains(&Backend::Avx2) {
                // SAFETY: the processor has AVX2.
                let may = unsafe { avx2::may_decode(&digits) };
                prop_assert_eq!(may, crate::view::may_decode(&digits), "{}", String::from_utf8_lossy(&digits));
            }
        }
    }

    #[test]
    fn backends_agree_on_every_byte_at_every_place_of_a_block() {
        // An interpreter takes some of them only.
        let (bytes, places) = if cfg!(miri) { (51, 13) } else { (1, 1) };
        for byte in (0..=u8::MAX).step_by(bytes) {
            for place in (0..BLOCK + LOOKAHEAD).step_by(places) {
                let mut text = [b' '; BLOCK + LOOKAHEAD];
                text[place] = byte;
                agree(&text).unwrap();
            }
        }
    }

    #[test]
    fn backends_agree_on_the_ends_of_lines() {
        let byte = |at: usize, seed: usize| b"aZ09+/-_=\n\r \t\0.\xc2"[(at * at * 31 + seed * 17 + at / 7) % 16];
        let runs =
            |at: usize, seed: usize| if (at + seed).is_multiple_of(61 + seed % 70) { byte(at, seed) } else { b'a' };
        for seed in 0..if cfg!(miri) { 3 } else { 400 } {
            for kind in [&byte as &dyn Fn(usize, usize) -> u8, &runs] {
                let text: Vec<u8> = (0..seed % 331).map(|at| kind(at, seed)).collect();
                for (from, soft, columns) in [(0, true, [0; 2]), (0, false, [seed % 90, 0]), (seed % 67, true, [0, 80])]
                {
                    let from = from.min(text.len());
                    let wanted = Backend::Scalar.next_break(&text, from, soft, columns);
                    for backend in Backend::all() {
                        let found = backend.next_break(&text, from, soft, columns);
                        assert_eq!(found, wanted, "{backend:?}: {text:?} from {from}");
                    }
                }
            }
        }
    }

    #[test]
    fn backends_agree_on_known_windows() {
        let text: Vec<u8> = (0_u32..700).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 % 5 + b'a').collect();
        for window_bytes in 1..=8 {
            let mut bitmap = Bitmap::new(window_bytes, 40, [0x9e37_79b9, 0x85eb_ca6b, 0xc2b2_ae35]);
            for place in (0..text.len() - 8).step_by(if window_bytes < 4 { 600 } else { 37 }) {
                bitmap.add(u64::from_le_bytes(*text[place..].first_chunk().unwrap()));
            }
            for stride in 1..=if cfg!(miri) { 5 } else { 24 } {
                for (from, end) in [(0, 700), (3, 690), (5, 300), (100, 90), (20, 8), (0, 0)] {
                    let (text, until) = (&text[..end], end.saturating_sub(stride));
                    let mut from = from;
                    loop {
                        let wanted = bitmap::scalar(&bitmap, text, from, stride, until);
                        for backend in Backend::all() {
                            let found = backend.next_known(&bitmap, text, from, stride, until);
                            assert_eq!(found, wanted, "{backend:?}: {window_bytes} bytes, every {stride}, from {from}");
                        }
                        if wanted.1 == 0 {
                            break;
                        }
                        from = wanted.0 + bitmap::SAMPLES * stride;
                    }
                }
            }
        }
    }

    #[test]
    fn backends_agree_at_every_length_around_the_edges_of_blocks() {
        let text: Vec<u8> = b"token=ghp_x ://\\n$2a$ ".iter().copied().cycle().take(6 * BLOCK).collect();
        let edges: &[usize] = if cfg!(miri) { &[3 * BLOCK] } else { &[0, BLOCK, 2 * BLOCK, 4 * BLOCK] };
        for edge in edges {
            for length in edge.saturating_sub(LOOKAHEAD + 2)..edge + LOOKAHEAD + 2 {
                for start in (0..BLOCK).step_by(if cfg!(miri) { 31 } else { 1 }) {
                    agree(text.get(start..start + length).unwrap_or_default()).unwrap();
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "more bytes than there are")]
    fn a_text_that_is_too_short_is_refused() {
        Backend::detect().fill(&[0; BLOCK], &windows(), &mut Stretch::default(), 0..1);
    }
}
