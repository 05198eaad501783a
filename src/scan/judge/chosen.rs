//! Turns a value into "people make passwords like this": words that a password manager joins, words and a number. Does
//! not look at what stands around it, nor at randomness.

use super::{Case, Separator, prose};

/// `planet-marble-horse-coffee`, `correct horse battery staple`: four words or more with the same sign between them, none
/// of which a message or a name in a configuration would have.
pub fn is_words_joined_by(v: &[u8], sign: u8) -> bool {
    let word = |part: &[u8]| {
        (WORD_BYTES_MIN..=WORD_BYTES_MAX).contains(&part.len())
            && part.iter().all(u8::is_ascii_lowercase)
            && !prose::goes_on(part)
            && !prose::says_nothing(part)
    };
    let mut count = 0;
    let all = v.split(|&byte| byte == sign).all(|part| {
        count += 1;
        word(part)
    });
    all && (WORDS_MIN..=WORDS_MAX).contains(&count)
}

/// `purple.monkey59`: what would be a member of something, but that names in programs do not end in such numbers.
pub fn is_counted_pair(case: &Case) -> bool {
    let v = case.value;
    let ends = case.end_of_line || case.separator == Separator::Equals && !case.spaced && case.more_follows;
    if !ends || !case.password() {
        return false;
    }
    let Some(point) = v.iter().position(|&byte| byte == b'.') else { return false };
    let (first, rest) = (&v[..point], &v[point + 1..]);
    let letters = rest.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let word = |part: &[u8]| {
        part.len() >= WORD_BYTES_MIN && part.iter().all(u8::is_ascii_lowercase) && !prose::says_nothing(part)
    };
    word(first)
        && word(&rest[..letters])
        && (2..=4).contains(&(rest.len() - letters))
        && rest[letters..].iter().all(u8::is_ascii_digit)
}

const WORD_BYTES_MIN: usize = 4;
const WORD_BYTES_MAX: usize = 10;
/// Of fewer words names are made.
const WORDS_MIN: usize = 4;
const WORDS_MAX: usize = 8;
