//! The masks of [`super::masks`] by vector instructions, chosen when the program runs. The one
//! place with `unsafe`; each backend is held equal to the scalar twin by property tests.

#![allow(unsafe_code)]

use std::{ops::Range, sync::LazyLock};

use super::{
    bitmap::{self, Bitmap, Group, ROOM},
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

    /// Lists the line ends of a chunk.
    ///
    /// # Panics
    /// If the chunk has more than [`breaks::CHUNK_BYTES`].
    pub fn line_ends(self, chunk: &[u8], list: &mut breaks::List) -> breaks::Ends {
        match self {
            // SAFETY: `Avx2` is only listed where the processor has what the function needs.
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => unsafe { avx2::line_ends(chunk, list) },
            #[allow(unreachable_patterns)]
            _ => breaks::list(chunk, list, breaks::scalar),
        }
    }

    /// See [`Bitmap::list`].
    pub fn list_known(
        self,
        bitmap: &Bitmap,
        text: &[u8],
        from: usize,
        stride: usize,
        until: usize,
        list: &mut [Group; ROOM],
    ) -> (usize, usize) {
        match self {
            // SAFETY: `Avx2` is only listed where the processor has it.
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => unsafe { avx2::list_known(bitmap, text, from, stride, until, list) },
            #[allow(unreachable_patterns)]
            _ => bitmap::scalar(bitmap, text, from, stride, until, list),
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
mod avx2;

#[cfg(target_arch = "aarch64")]
mod neon;

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
            run in 20..=64_usize,
        ) {
            if Backend::all().contains(&Backend::Avx2) {
                // SAFETY: the processor has AVX2.
                let may = unsafe { avx2::may_decode(&digits, run) };
                prop_assert_eq!(may, crate::view::may_decode(&digits, run), "{}", String::from_utf8_lossy(&digits));
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
        let byte = |at: usize, seed: usize| b"aZ0\x1b\n\n\n\n\r \t\0.\xc2"[(at * at * 31 + seed * 17 + at / 7) % 14];
        let runs =
            |at: usize, seed: usize| if (at + seed).is_multiple_of(61 + seed % 70) { byte(at, seed) } else { b'a' };
        let list = |backend: Backend, text: &[u8]| {
            let mut list = [0; breaks::CHUNK_BYTES + 2];
            let ends = backend.line_ends(text, &mut list);
            (list[..ends.count].to_vec(), ends.is_odd)
        };
        for seed in 0..if cfg!(miri) { 3 } else { 400 } {
            for kind in [&byte as &dyn Fn(usize, usize) -> u8, &runs, &|_, _| b'\n'] {
                let length = if seed == 9 { breaks::CHUNK_BYTES } else { seed % 331 };
                let text: Vec<u8> = (0..length).map(|at| kind(at, seed)).collect();
                let newlines: Vec<u16> = memchr::memchr_iter(b'\n', &text).map(|at| at as u16).collect();
                let is_odd = text.iter().any(|&byte| byte == 0x1b || byte >= 0x80);
                for backend in Backend::all() {
                    assert_eq!(list(backend, &text), (newlines.clone(), is_odd), "{backend:?}: {text:?}");
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
                        let mut wanted = [Group::default(); ROOM];
                        let (next, count) = bitmap::scalar(&bitmap, text, from, stride, until, &mut wanted);
                        for backend in Backend::all() {
                            let mut found = [Group::default(); ROOM];
                            let answer = backend.list_known(&bitmap, text, from, stride, until, &mut found);
                            let which = format!("{backend:?}: {window_bytes} bytes, every {stride}, from {from}");
                            assert_eq!((answer, &found[..count]), ((next, count), &wanted[..count]), "{which}");
                        }
                        if count < ROOM {
                            break;
                        }
                        from = next;
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
