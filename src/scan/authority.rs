//! Tells what stands before the host of a URL and is no credential. Does not find URLs.

use std::ops::Range;

/// Whether what stands before the host of a URL is public: the scheme that ends at `end` names things by what they hold, as
/// images and nodes, or this is the key of a Sentry project. What registries are asked by may have credentials, unless it
/// looks like an image's tag: `docker://alpine:3.20@sha256:...`. `None` if `open` says that more of the text may follow,
/// which would tell.
pub fn is_public(text: &[u8], end: usize, secret: &Range<usize>, open: bool) -> Option<bool> {
    const SCHEMES: &[&str] = &["oci-layout", "docker-image", "containers-storage", "enode"];
    const REGISTRIES: &[&str] = &["oci", "docker"];
    let scheme = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let length = text[..end].iter().rev().take(SCHEME_BYTES_MAX + 1).take_while(|byte| scheme(byte)).count();
    // `docker://node-20-alpine@sha256:...` has the name where others have a user.
    let named = || secret.start == end + b"://".len() || is_tag(&text[secret.clone()]);
    let is_one = |known: &[&str]| known.iter().any(|known| known.as_bytes() == &text[end - length..end]);
    // `https://` and 32 hexadecimal digits alone.
    let keyed = || {
        let key = &text[secret.clone()];
        let hex = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        secret.start == end + b"://".len() && key.len() == 32 && key.iter().all(hex)
    };
    if !text[end..].starts_with(b"://") {
        return Some(false);
    }
    if is_one(SCHEMES) || is_one(REGISTRIES) && named() {
        return Some(true);
    }
    if is_one(&["http", "https"]) && keyed() { is_project(&text[secret.end..], open) } else { Some(false) }
}

/// Whether what follows the key of a URL says that this names a project of Sentry or its kin: by the host, or by a number
/// that is all of the path.
fn is_project(rest: &[u8], open: bool) -> Option<bool> {
    const HOSTS: &[&[u8]] = &[b"sentry", b"ingest", b"glitchtip", b"bugsink"];
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    let rest = rest.strip_prefix(b"@").unwrap_or(rest);
    let length = rest.iter().take(HOST_BYTES_MAX).take_while(|byte| is_host(byte)).count();
    let (host, path) = rest.split_at(length);
    if HOSTS.iter().any(|known| host.windows(known.len()).any(|part| part.eq_ignore_ascii_case(known))) {
        return Some(true);
    }
    let number =
        path.strip_prefix(b"/").map(|path| path.iter().take(NUMBER_BYTES_MAX).take_while(|b| b.is_ascii_digit()));
    let number = number.map_or(0, Iterator::count);
    match path.get(1 + number) {
        None if open && number < NUMBER_BYTES_MAX && length < HOST_BYTES_MAX => None,
        byte => Some(number > 0 && !byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-_/.%".contains(byte))),
    }
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

/// The longest host, and the longest number of a project, that are looked at (bytes).
const HOST_BYTES_MAX: usize = 255;
const NUMBER_BYTES_MAX: usize = 24;
/// The longest scheme of those that are known (bytes).
const SCHEME_BYTES_MAX: usize = 18;
