//! Tells what stands before the host of a URL and is no credential. Does not find URLs.

use std::ops::Range;

/// Whether what stands before the host of a URL is public: the scheme that ends at `end` names things by what they hold, as
/// images and nodes, or this is the key of a Sentry project. What registries are asked by may have credentials, unless it
/// looks like an image's tag: `docker://alpine:3.20@sha256:...`.
pub fn is_public(text: &[u8], end: usize, secret: &Range<usize>) -> bool {
    const SCHEMES: &[&str] = &["oci-layout", "docker-image", "containers-storage", "enode"];
    const REGISTRIES: &[&str] = &["oci", "docker"];
    let scheme = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let length = text[..end].iter().rev().take(SCHEME_BYTES_MAX + 1).take_while(|byte| scheme(byte)).count();
    // `docker://node-20-alpine@sha256:...` has the name where others have a user.
    let named = || secret.start == end + b"://".len() || is_tag(&text[secret.clone()]);
    let is_one = |known: &[&str]| known.iter().any(|known| known.as_bytes() == &text[end - length..end]);
    // `https://` and 32 hexadecimal digits alone.
    let project = || {
        let key = &text[secret.clone()];
        let hex = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        secret.start == end + b"://".len() && key.len() == 32 && key.iter().all(hex)
    };
    let public = || is_one(SCHEMES) || is_one(REGISTRIES) && named() || is_one(&["http", "https"]) && project();
    text[end..].starts_with(b"://") && public()
}

/// Whether this is what people call versions of images: a usual name, dotted numbers with words behind them, a commit.
fn is_tag(text: &[u8]) -> bool {
    const NAMES: &[&str] = &["latest", "stable", "edge", "main", "master", "nightly", "alpine", "slim", "debian"];
    let commit = matches!(text.len(), 7..=12 | 40) && text.iter().all(u8::is_ascii_hexdigit);
    let number = text.strip_prefix(b"v").unwrap_or(text);
    let dots = number.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let word = |word: &[u8]| word.first().is_some_and(u8::is_ascii_lowercase);
    let words = |rest: &[u8]| rest.split(|byte| *byte == b'-').skip(1).all(word);
    let version = dots > 2 && number[..dots].contains(&b'.') && matches!(number.get(dots), None | Some(b'-'));
    commit || version && words(&number[dots..]) || NAMES.iter().any(|name| name.as_bytes() == text)
}

/// The longest scheme of those that are known (bytes).
const SCHEME_BYTES_MAX: usize = 18;
