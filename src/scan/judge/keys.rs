//! Tells what a key's own words say of its value. Does not know rules' names.

use super::{Case, Separator, around::is_namespaced};

/// Whether a key has the word token in it.
pub fn names_token(key: &[u8]) -> bool {
    key.windows(b"token".len()).any(|word| word.eq_ignore_ascii_case(b"token"))
}

/// Whether a UUID is a token: one without its dashes, or that of an environment's variable.
pub fn is_a_tokens_uuid(case: &Case) -> bool {
    let bare = case.value.len() == 32 && names_token(case.key) && !is_namespaced(case);
    bare || is_a_variables_token(case)
}

/// Whether a key is the name of an environment's variable for a token: `SNYK_TOKEN=`.
fn is_a_variables_token(case: &Case) -> bool {
    let name = case.key.split(|b| !(b.is_ascii_alphanumeric() || *b == b'_')).find(|part| !part.is_empty());
    name.is_some_and(|name| {
        name.strip_suffix(b"_TOKEN").is_some_and(|owner| owner.len() > 2) && !name.iter().any(u8::is_ascii_lowercase)
    })
}

/// `"clientToken": "550e8400-..."`: by which AWS tells that a request is sent once more.
pub fn names_a_request(key: &[u8]) -> bool {
    memchr::memmem::find(key, b"lientToken").is_some()
}

/// Whether a key has the word session in it.
pub fn names_session(key: &[u8]) -> bool {
    key.windows(b"session".len()).any(|word| word.eq_ignore_ascii_case(b"session"))
}

/// `--secret source=db_pass,target=/run/x`, `--secret id=npm,src=.npmrc`: which secret of Docker's is mounted, and where.
pub fn is_mounted(case: &Case) -> bool {
    let name = case.key.strip_prefix(b"--").unwrap_or(case.key);
    let name = name.strip_suffix(b"=").unwrap_or(name).trim_ascii();
    let fields = [&b"source="[..], b"src=", b"id=", b"type=", b"target=", b"env="];
    let secret =
        case.separator == Separator::Flag || case.separator == Separator::Equals && case.key.starts_with(b"--");
    secret && fields.iter().any(|field| case.value.starts_with(field)) && name == b"secret"
}
