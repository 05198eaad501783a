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
    };
    let (mut count, mut others) = (0, 0);
    let all = v.split(|&byte| byte == sign).all(|part| {
        count += 1;
        others += usize::from(prose::says_nothing(part));
        word(part)
    });
    // `cookie` is one of the words of configurations, and of dictionaries as well.
    all && others < 2 && (WORDS_MIN..=WORDS_MAX).contains(&count)
}

/// `character`, `digits`, `bit-key`: what is counted by the number before it, as passwords' lengths are; and short forms.
pub fn is_measured(rest: &[u8]) -> bool {
    const UNITS: [&[u8]; 15] = [
        b"char", b"digit", b"bit", b"byte", b"letter", b"word", b"symbol", b"hour", b"day", b"min", b"sec", b"month",
        b"year", b"num", b"time",
    ];
    let letters = rest.iter().all(|b| b.is_ascii_alphabetic() || *b == b'-');
    // `8-PSK`
    let short = rest.len() <= 4 && rest.iter().all(u8::is_ascii_uppercase);
    short
        || letters
            && UNITS.iter().any(|unit| rest.get(..unit.len()).is_some_and(|head| head.eq_ignore_ascii_case(unit)))
}

/// `purple.monkey59`, `Red.Blue.Green77`: what would be a member of something, but that names in programs do not end in such numbers.
pub fn is_counted_pair(case: &Case) -> bool {
    let v = case.value;
    let ends = case.end_of_line || case.separator == Separator::Equals && !case.spaced && case.more_follows;
    if !ends || !case.password() {
        return false;
    }
    let head = v.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |at| at + 1);
    let (words, number) = v.split_at(head);
    let capital = words.first().is_some_and(u8::is_ascii_uppercase);
    let word = |part: &[u8]| {
        let Some((first, rest)) = part.split_first() else { return false };
        part.len() >= WORD_BYTES_MIN - usize::from(capital)
            && first.is_ascii_uppercase() == capital
            && (*first | 0x20).is_ascii_lowercase()
            && rest.iter().all(u8::is_ascii_lowercase)
            && !prose::says_nothing(part)
    };
    let count = words.split(|&b| b == b'.').count();
    (2..=4).contains(&count) && (2..=4).contains(&number.len()) && words.split(|&b| b == b'.').all(word)
}

/// `PlanetDragon17`: words in humps and a number that is no width of a type.
pub fn is_counted_humps(v: &[u8]) -> bool {
    let head = v.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |at| at + 1);
    let (words, number) = v.split_at(head);
    let mut humps = words.chunk_by(|a, b| !(a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    (1..=4).contains(&number.len())
        && !WIDTHS.contains(&number)
        && humps.all(|hump| hump.len() >= WORD_BYTES_MIN && hump[1..].iter().all(u8::is_ascii_lowercase))
}

/// `banana_pepper03`, `orange-rocket-33`, `Pepper-Granite-Tundra7`: words that one sign joins, and a number of two digits
/// or more, or three words in capitals and a number, alone on the rest of the line.
pub fn is_counted_row(case: &Case) -> bool {
    let v = case.value;
    let head = v.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |at| at + 1);
    let (words, number) = v.split_at(head);
    let words = words.strip_suffix(b"-").or(words.strip_suffix(b"_")).unwrap_or(words);
    let Some(sign) = words.iter().copied().find(|b| !b.is_ascii_alphabetic()) else { return false };
    let capitals = words.first().is_some_and(u8::is_ascii_uppercase);
    let count = words.split(|&b| b == sign).count();
    let word = |part: &[u8]| {
        part.len() >= WORD_BYTES_MIN
            && part[0].is_ascii_uppercase() == capitals
            && part[1..].iter().all(u8::is_ascii_lowercase)
            && part[0].is_ascii_alphabetic()
            && !prose::says_nothing(part)
    };
    let digits = if capitals && count >= 3 { 1..=4 } else { 2..=4 };
    case.end_of_line
        && matches!(sign, b'-' | b'_')
        && (!capitals || count >= 3)
        && digits.contains(&number.len())
        && words.split(|&b| b == sign).all(word)
}

/// How wide the types of numbers, keys and digests are.
const WIDTHS: &[&[u8]] = &[b"1", b"8", b"16", b"32", b"64", b"128", b"256", b"384", b"512", b"25519", b"2048", b"4096"];
const WORD_BYTES_MIN: usize = 4;
const WORD_BYTES_MAX: usize = 10;
/// Of fewer words names are made.
const WORDS_MIN: usize = 4;
const WORDS_MAX: usize = 8;
