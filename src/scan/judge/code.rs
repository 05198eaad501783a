//! Turns a value into "this is program text": a call, a member, a type, an operator. Does not know templates.

use super::bytes::contains;

/// Whether an unquoted value is program text: a call, a member, a type, an operator.
pub fn is_code(v: &[u8]) -> bool {
    let sign = v == b"//" || v == b"/*" || v == b"\\" || v.starts_with(b"&mut");
    // In a source that stands in a string, the code goes on behind an escaped line end.
    let line = memchr::memchr_iter(b'\\', v).find(|&at| matches!(v.get(at + 1), Some(b'n' | b'r' | b't')));
    let v = line.filter(|&at| at > 0).and_then(|at| v.get(..at)).unwrap_or(v);
    // Most values have no sign, and of code without one only names of types are told.
    if !sign && v.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_') {
        return type_name(v) && reads(v) && !super::is_jumbled(v);
    }
    sign || is_call_of_path(v)
        || is_own_member(v)
        || v.strip_prefix(b"&").is_some_and(is_variable_named)
        || (v.starts_with(b"--") || is_member_expression(v) || is_cut_expression(v) || is_expression(v))
            && reads(v)
            && !super::is_jumbled(v)
}

/// `emptyPass`, behind the `&` that takes its address.
fn is_variable_named(v: &[u8]) -> bool {
    v.len() >= 4 && v.iter().all(u8::is_ascii_alphabetic) && super::randomness::text_odds(v) > -60
}

/// `self.sKey`, `this.secret.exchange(key)`: a member of the object that the code is of.
fn is_own_member(v: &[u8]) -> bool {
    let Some(name) = [&b"self."[..], b"this."].iter().find_map(|own| v.strip_prefix(*own)) else { return false };
    let length = name.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let begins = name.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    begins && matches!(name.get(length), None | Some(b'.' | b'(' | b'[' | b',' | b')' | b';'))
}

/// `CPAN::anycwd()`, `auth::token();`
fn is_call_of_path(v: &[u8]) -> bool {
    let v = v.strip_suffix(b";").unwrap_or(v);
    let Some(path) = v.strip_suffix(b"()") else { return false };
    contains(path, b"::") && path.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'))
}

/// `this.key+1`, `e.lifetime||1`: a member that an operator follows.
pub(super) fn is_member_expression(v: &[u8]) -> bool {
    let sign = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'.' | b'#');
    let head = v.iter().take_while(|b| sign(b)).count();
    let (name, rest) = v.split_at(head);
    let digits = name.iter().filter(|b| b.is_ascii_digit()).count();
    let operator =
        matches!(rest, [b'?' | b'+' | b'|' | b'&' | b'-' | b'*' | b'=' | b'(' | b'[' | b';' | b',' | b')' | b'}', ..]);
    operator && head >= 8 && digits * 10 <= head && member(name)
}

/// `t,await`, `n}),void`, `i=this.x`: code without blanks, as bundlers write it. The short name of a variable behind
/// which brackets close, or that more of a list follows, and words.
fn is_cut_expression(v: &[u8]) -> bool {
    let head = v.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$')).count();
    let (name, rest) = v.split_at(head);
    let (Some(&first), Some((&next, behind))) = (name.first(), rest.split_first()) else { return false };
    let variable = head <= 2 && (first.is_ascii_alphabetic() || matches!(first, b'_' | b'$'));
    // `secret}`).digest(`: the end of a template that names the variable.
    let named = rest.starts_with(b"}`)") && name.len() >= 4 && super::randomness::text_odds(name) > -60;
    if named {
        return true;
    }
    if !variable && !matches!(name, b"null" | b"true" | b"false" | b"this") {
        return false;
    }
    let word = |w: &[u8]| w.len() >= 4 && w.iter().all(u8::is_ascii_lowercase) && super::randomness::text_odds(w) > -60;
    let words = v.split(|b| !b.is_ascii_alphabetic()).any(|w| word(w) || w == b"void");
    match next {
        b'=' => member(behind) && behind.len() >= 8,
        // `r;else{if(`
        b';' => [&b"else{"[..], b"if(", b"for(", b"return", b"var ", b"let ", b"this.", b"throw", b"const "]
            .iter()
            .any(|keyword| behind.starts_with(keyword)),
        b'}' | b')' | b',' | b']' => {
            let keyword =
                behind.get(..behind.iter().take_while(|b| b.is_ascii_lowercase()).count()).unwrap_or_default();
            let keywords = [
                &b"async"[..],
                b"await",
                b"void",
                b"return",
                b"this",
                b"function",
                b"new",
                b"typeof",
                b"get",
                b"static",
            ];
            // `{apiKey:n}=e`: parts of an object are given names.
            let parted = next == b'}' && matches!(behind, [b'=', name] if name.is_ascii_alphabetic());
            words && matches!(behind, [b'}' | b')' | b',' | b';' | b'(' | b']' | b'=' | b'.', _, ..])
                || parted
                || keywords.contains(&keyword)
        }
        _ => false,
    }
}

/// Whether at least half of the letters of a text stand in what may be words: names in code do, those of a random
/// password with brackets and operators in it do not.
pub(super) fn reads(v: &[u8]) -> bool {
    let odds = super::randomness::text_odds;
    let (mut words, mut letters) = (0, 0);
    // Of one or two letters nothing can be told.
    for run in v.split(|b| !b.is_ascii_alphabetic()).filter(|run| run.len() > 2) {
        letters += run.len();
        let humps = || run.chunk_by(|a, b| !(a.is_ascii_lowercase() && b.is_ascii_uppercase()));
        words += match humps().count() {
            // Short names and abbreviations are as odd as chance is, but all of one case.
            1 if run.len() < 4 || odds(run) > -100 => run.len(),
            1 => 0,
            _ => humps().filter(|w| is_hump(w)).map(<[u8]>::len).sum(),
        };
    }
    let head = v.iter().take_while(|b| b.is_ascii_lowercase()).count();
    let called = head >= 5 && v.get(head) == Some(&b'(') && odds(v.get(..head).unwrap_or_default()) > -60;
    called || if letters == 0 { v.len() < 10 } else { words * 2 >= letters }
}

/// `Key`, `url`: a word of a name in humps. Of three letters little is told, but that no such word is written `QlH`.
fn is_hump(w: &[u8]) -> bool {
    let odds = super::randomness::text_odds;
    let capitals = w.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let written = w[capitals..].iter().all(u8::is_ascii_lowercase);
    match w.len() {
        0..3 => false,
        // `JWK`
        3 if capitals == 3 => true,
        3 => capitals < 2 && written && odds(w) > -100,
        _ => written && odds(w) > -60,
    }
}

fn is_expression(v: &[u8]) -> bool {
    let word = |s: &[u8]| {
        let joint = |b: &u8| matches!(b, b'_' | b'.' | b'$' | b':' | b'&' | b'*' | b'@' | b'!' | b'-' | b'>');
        s.iter().all(|b| b.is_ascii_alphanumeric() || joint(b)) && (!s.contains(&b'-') || contains(s, b"->")) && {
            // Most of it reads like words: names of algorithms and short forms do not.
            let wordy = |part: &&[u8]| part.len() < 5 || super::randomness::text_odds(part) > -60;
            s.split(joint).filter(|part| wordy(part) || humps_read(part)).map(<[u8]>::len).sum::<usize>() * 2 >= s.len()
        }
    };
    // A call or an index: letters, then a bracket.
    if let Some(at) = v.iter().position(|b| matches!(b, b'(' | b'[' | b'{') || *b == b'<' && v.ends_with(b">")) {
        let head = v.get(..at).unwrap_or_default();
        let first = head
            .first()
            .is_none_or(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$' | b'!' | b'&' | b'*' | b'@'));
        // `_mm_loadu_si128(secret.add(i));`
        let snake =
            head.contains(&b'_') && head.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_');
        let begins = first && (!head.is_empty() || v.ends_with(b")") || v.ends_with(b");"));
        if begins && (word(head) || snake && (v.ends_with(b")") || v.ends_with(b");"))) {
            return true;
        }
    }
    // `KeyExportResult<T[`, `Buffer|Uint8Array`, `e.sessionToken),this.x`: a type, a union, a member in an expression.
    if v.iter().position(|b| *b == b'<').is_some_and(|at| {
        let head = v.get(..at).unwrap_or_default();
        head.len() >= 4
            && head[0].is_ascii_uppercase()
            && word(head)
            && v.get(at + 1).is_some_and(|b| b.is_ascii_uppercase() || matches!(b, b'[' | b'&' | b'*' | b'\''))
            || v.get(at + 1..).is_some_and(|rest| !rest.is_empty() && rest.iter().all(u8::is_ascii_lowercase))
    }) {
        return true;
    }
    if v.contains(&b'|')
        && v.split(|b| *b == b'|').all(|part| part.first().is_some_and(u8::is_ascii_alphabetic) && word(part))
    {
        return true;
    }
    if let Some(at) = v.iter().position(|b| matches!(b, b')' | b'}' | b','))
        && member(v.get(..at).unwrap_or_default())
    {
        return true;
    }
    // Base64 ends in `==`, which is no comparison there.
    let unpadded = v.get(..v.len() - v.iter().rev().take_while(|&&b| b == b'=').count()).unwrap_or_default();
    let marks = |b: &u8| matches!(b, b'|' | b'&' | b'=' | b'(' | b')' | b'?' | b'}' | b'<' | b':');
    if unpadded.iter().any(marks) && (BRACKETED.iter().any(|o| contains(unpadded, o)) || is_operation(unpadded)) {
        return true;
    }
    let body = v.strip_prefix(b"&").or(v.strip_prefix(b"*")).or(v.strip_prefix(b"!")).unwrap_or(v);
    let body = body.strip_suffix(b"?").or(body.strip_suffix(b";")).unwrap_or(body);
    member(body) || type_name(body)
}

/// `CString`, `ed25519.Ed25519PrivateKey`: a capital, and an ending that types have.
fn type_name(v: &[u8]) -> bool {
    let last = v.rsplit(|b| matches!(b, b'.' | b':')).next().unwrap_or_default();
    v.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'_'))
        && last.first().is_some_and(u8::is_ascii_uppercase)
        && last.iter().any(u8::is_ascii_lowercase)
        && TYPE_ENDS.iter().any(|end| last.len() > end.len() && last.ends_with(end.as_bytes()))
}

/// `cfg.password`, `process.env.X`, `self.token`, `A::b`, `p->pass`.
fn member(v: &[u8]) -> bool {
    // JavaScript's private members: `this.#key`.
    let parts = v.split(|b| matches!(b, b'.' | b':' | b'>' | b'-')).map(|s| s.strip_prefix(b"#").unwrap_or(s));
    let parts = parts.filter(|s| !s.is_empty());
    let joined = v.contains(&b'.') || contains(v, b"::") || contains(v, b"->");
    joined
        && v.iter().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'$' | b'>' | b'-' | b'!' | b'?' | b'#')
        })
        && (!v.contains(&b'-') || contains(v, b"->"))
        && parts.clone().count() >= 2
        && parts.clone().all(|s| s[0].is_ascii_alphabetic() || s[0] == b'_' || s[0] == b'$')
        && parts.clone().all(|s| s.len() < 4 || super::randomness::text_odds(s) > -90 || humps_read(s))
}

/// Whether the words of `apiKey`, taken one by one, read like words.
fn humps_read(s: &[u8]) -> bool {
    s.chunk_by(|a, b| !(a.is_ascii_lowercase() && b.is_ascii_uppercase()))
        .all(|word| word.len() == 3 || word.len() > 3 && super::randomness::text_odds(word) > -60)
}

/// Whether an operator stands between what programs have on both of its sides: names, brackets, quotes.
fn is_operation(v: &[u8]) -> bool {
    let sign = |b: &u8| OPERATOR_SIGNS[usize::from(*b)];
    if !v.windows(2).any(|pair| sign(&pair[0]) && sign(&pair[1])) {
        return false;
    }
    let mut at = 0usize;
    v.chunk_by(|a, b| sign(a) == sign(b)).any(|run| {
        let before = at.checked_sub(1).and_then(|p| v.get(p));
        at += run.len();
        let (left, right) = (before.is_none_or(|b| ends_operand(*b)), v.get(at).is_none_or(|b| begins_operand(*b)));
        let whole = |o: &[u8]| matches!(run.strip_prefix(o), Some(b"" | b"=" | b"!"));
        left && right && OPERATORS.iter().any(|o| whole(o))
    })
}

fn ends_operand(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b')' | b']' | b'}' | b'"' | b'\'')
}

fn begins_operand(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'(' | b'[' | b'{' | b'"' | b'\'' | b'-' | b'`' | b'/')
}

const OPERATOR_SIGNS: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"|&=!<>?+:.";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};
const OPERATORS: &[&[u8]] = &[b"||", b"&&", b"==", b"!=", b"=>", b"?.", b"??", b"+=", b"::", b"<<", b">>"];
const BRACKETED: &[&[u8]] = &[b"()", b"){", b");", b"};", b"</"];
const TYPE_ENDS: &[&str] = &[
    "String",
    "Str",
    "Bytes",
    "Buf",
    "Buffer",
    "Type",
    "Types",
    "Key",
    "Keys",
    "Secret",
    "Password",
    "Token",
    "Data",
    "Field",
    "Value",
    "Provider",
    "Config",
    "Options",
    "Factory",
    "Array",
    "Credential",
    "Credentials",
];
