//! Turns a token into a measure of how unlike text it is. Does not know key names.
//!
//! Two measures: Shannon entropy, by a table of n log2 n, as a floor; and the log-odds of text against chance, over
//! pairs of letters and of kinds of bytes (lower, upper, digit, other). Both are integers: eighths of a bit for the
//! odds, thousandths of a bit for the entropy.

use super::bigrams::{KINDS, PAIRS};

/// Whether a text ends in a sign of URL-safe base64 and digits before it that no name has: eight or more by chance, of all
/// kinds.
pub fn is_shuffled_to(text: &[u8]) -> bool {
    let Some((b'_' | b'-', head)) = text.split_last() else { return false };
    let length = head.iter().rev().take(NAME_BYTES_MAX).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let word = &head[head.len() - length..];
    let holds = |is: fn(&u8) -> bool| usize::from(word.iter().any(is));
    let kinds = holds(u8::is_ascii_uppercase) + holds(u8::is_ascii_lowercase) + holds(u8::is_ascii_digit);
    kinds == 3 && length >= 8 && is_made(word)
}

/// Whether these are words, with signs between them, as in a command that somebody types.
pub fn is_words(text: &[u8]) -> bool {
    let is_word = |part: &[u8]| {
        let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
        part.len() < 4 || digits * 4 <= part.len() && text_odds(part) > -60
    };
    text.split(|byte| !byte.is_ascii_alphanumeric()).all(is_word)
}

/// Whether a token has neither digits nor capitals, and letters that follow each other as those of words do.
pub fn reads_like_words(token: &[u8]) -> bool {
    !token.iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) && text_odds(token) > -40
}

/// Whether a token is unlike text: below the odds of text, and above the entropy that so many random bytes have.
pub fn random(v: &[u8]) -> bool {
    let floor = match v.len() {
        0..8 => return false,
        8..12 => 2500,
        12..20 => 2750,
        _ => 3000,
    };
    let odds = match v.len() {
        8..12 => -120,
        12..16 => -90,
        16..24 => -70,
        _ => -50,
    };
    entropy_milli(v) >= floor && text_odds(v) < odds
}

/// Whether capitals, small letters, digits and signs follow each other as chance has it, and as no code does:
/// `h==6J^RK9I-Kyw`.
pub fn is_jumbled(v: &[u8]) -> bool {
    let (kinds, changes) = mix(v);
    v.len() >= JUMBLED_BYTES_MIN && kinds == 4 && changes * 2 >= v.len()
}

/// Whether a text is made of what tokens are, letters and digits among it, by chance and not of words. Signs around it
/// do not count.
pub fn is_made(text: &[u8]) -> bool {
    let v = super::trim_marks(text);
    let has = |is: fn(&u8) -> bool| v.iter().any(is);
    has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && secret_charset(v) && (random(v) || is_jumbled(v))
}

/// Whether all bytes are of those that tokens are made of.
pub fn secret_charset(v: &[u8]) -> bool {
    v.iter().all(|b| {
        b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'_' | b'-'
                    | b'+'
                    | b'/'
                    | b'='
                    | b'.'
                    | b'~'
                    | b'%'
                    | b'!'
                    | b'@'
                    | b'#'
                    | b'$'
                    | b'^'
                    | b'&'
                    | b'*'
                    | b':'
                    | b'|'
            )
    })
}

/// Shannon entropy in thousandths of a bit a byte, over the first `ENTROPY_BYTES_MAX` bytes. 0 for no bytes.
pub fn entropy_milli(token: &[u8]) -> u32 {
    let token = token.get(..ENTROPY_BYTES_MAX).unwrap_or(token);
    if token.is_empty() {
        return 0;
    }
    let mut counts = [0u16; 256];
    for &b in token {
        counts[usize::from(b)] += 1;
    }
    let sum: u64 = counts.iter().filter(|&&n| n > 1).map(|&n| u64::from(n_log2_n(n))).sum();
    let n = token.len() as u64;
    // H = log2 n - (sum of c log2 c) / n, and n log2 n is the table's own entry for n.
    ((u64::from(n_log2_n(token.len() as u16)) - sum.min(u64::from(n_log2_n(token.len() as u16)))) / n * 1000 / UNIT)
        as u32
}

/// The mean log-odds of text against chance a byte, in hundredths of a bit: below zero looks random.
pub fn text_odds(token: &[u8]) -> i32 {
    let mut kinds = [0u16; 4];
    let mut odds = 0i32;
    let mut before: Option<(usize, u8)> = None;
    let mut n = 0i32;
    for &b in token.get(..ODDS_BYTES_MAX).unwrap_or(token) {
        let kind = kind(b);
        let low = b.to_ascii_lowercase();
        if let Some((k, l)) = before {
            odds += i32::from(KINDS[k][kind]);
            if l.is_ascii_lowercase() && low.is_ascii_lowercase() {
                odds += i32::from(PAIRS[usize::from(l - b'a')][usize::from(low - b'a')]);
            }
            kinds[kind] += 1;
            n += 1;
        }
        before = Some((kind, low));
    }
    if n == 0 {
        return 0;
    }
    // Chance draws each kind as often as the token has it, so the kinds' log-odds are against their own entropy.
    let chance: i64 = kinds.iter().map(|&c| i64::from(n_log2_n(c))).sum::<i64>() - i64::from(n_log2_n(n as u16));
    let chance = i32::try_from(chance * 8 / UNIT as i64).unwrap_or(0);
    (odds - chance) * 100 / 8 / n
}

/// How many different kinds of bytes (lower, upper, digit, other) a token mixes, and how often they change.
pub fn mix(token: &[u8]) -> (usize, usize) {
    let mut seen = [false; 4];
    let mut changes = 0;
    let mut before = None;
    for &b in token {
        let k = kind(b);
        seen[k] = true;
        changes += usize::from(before.is_some_and(|p| p != k));
        before = Some(k);
    }
    (seen.iter().filter(|&&s| s).count(), changes)
}

fn kind(b: u8) -> usize {
    match b {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

/// n log2 n in units of 1 / `UNIT`; n is at most `ENTROPY_BYTES_MAX`.
fn n_log2_n(n: u16) -> u32 {
    N_LOG2_N.get(usize::from(n)).copied().unwrap_or(0)
}

/// As many digits tell a name from a run (bytes).
const NAME_BYTES_MAX: usize = 64;
/// Of fewer bytes chance is not told from code.
const JUMBLED_BYTES_MIN: usize = 10;
const ENTROPY_BYTES_MAX: usize = 256;
const ODDS_BYTES_MAX: usize = 128;
const UNIT: u64 = 1 << 16;

static N_LOG2_N: [u32; ENTROPY_BYTES_MAX + 1] = table();

/// log2 by repeated squaring, in integers, since `f64::log2` is no const function.
const fn table() -> [u32; ENTROPY_BYTES_MAX + 1] {
    let mut out = [0u32; ENTROPY_BYTES_MAX + 1];
    let mut n = 2;
    while n <= ENTROPY_BYTES_MAX {
        let whole = (n as u64).ilog2();
        // The mantissa in [1, 2), with 31 fraction bits; each squaring yields one bit of the logarithm.
        let mut x = ((n as u64) << 31) >> whole;
        let mut log = whole as u64;
        let mut bit = 0;
        while bit < 28 {
            x = (x * x) >> 31;
            log <<= 1;
            if x >= 2 << 31 {
                x >>= 1;
                log |= 1;
            }
            bit += 1;
        }
        out[n] = ((log * n as u64) >> 12) as u32;
        n += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_the_crate_entropy() {
        for token in [
            "a",
            "ab",
            "aab",
            "hunter2",
            "0123456789abcdef",
            "The quick brown fox jumps over the lazy dog",
            "zzzzzzzzzz",
        ] {
            let oracle = f64::from(entropy::shannon_entropy(token.as_bytes())) * 1000.0;
            let ours = f64::from(entropy_milli(token.as_bytes()));
            assert!((oracle - ours).abs() <= 2.0, "{token}: {oracle} {ours}");
        }
    }
}
