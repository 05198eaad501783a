//! The masks of [`super::super::masks`] by the vectors of 64-bit ARM. Does not decide whether the processor has them.

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
        let [mut class, mut escaped, mut plain, mut breaks, mut window, mut word_window] = [[vdupq_n_u8(0); PARTS]; 6];
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
