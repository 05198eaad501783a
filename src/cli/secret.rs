//! `blackbar secret add [NAME|-]`: hands a value to the run around this process. Does not take
//! values as arguments: everybody can read those.

use std::{
    env,
    ffi::OsString,
    io::{self, Read as _},
    os::unix::ffi::OsStrExt as _,
};

use blackbar::{
    escape, limits,
    run::socket::{self, Added},
    secret::Secret,
};
use serde_json::Map;
use zeroize::Zeroizing;

use super::{
    console::Console,
    exit::{Exit, Failure},
};

/// Runs the command.
pub fn add(name: Option<&OsString>, console: &Console) -> Result<Exit, Failure> {
    let name = name.filter(|name| *name != "-");
    let (shown, value) = match name {
        Some(name) => (variable_name(name), of_variable(name)?),
        None => ("standard input".to_owned(), of_input()?),
    };
    if env::var_os(socket::VARIABLE).is_none_or(|path| path.is_empty()) {
        return Err(Failure::usage("there is no blackbar run around this process"));
    }
    let why = match socket::add(&shown, &value) {
        Some(Added::Added) => return Ok(Exit::Done),
        Some(Added::Partly) => {
            let most = limits::SECRET_BYTES_MAX;
            console.note(&format!("{shown} is masked, but not in forms that are longer than {most} bytes"), Map::new());
            return Ok(Exit::Done);
        }
        Some(Added::TooShort) => "is too short to be masked",
        Some(Added::Guessable) => "is too common to be masked",
        Some(Added::TooLong) => "is too long to be masked",
        Some(Added::TooMany) => "is not masked: there is no room for more values",
        None => return Err(Failure::io("the blackbar run around this process does not answer")),
    };
    Err(Failure::usage(format!("the value of {shown} {why}")))
}

/// A variable's name as it may be shown: if it looks like one. It may be the value itself, given
/// where a name is meant.
fn variable_name(name: &OsString) -> String {
    let plain = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    if name.len() <= 64 && name.as_bytes().iter().all(plain) {
        escape::visible(&name.to_string_lossy()).into_owned()
    } else {
        "the variable".to_owned()
    }
}

fn of_variable(name: &OsString) -> Result<Secret, Failure> {
    // A name with a NUL or a sign of equality in it names nothing.
    let value = env::var_os(name).map(|value| Zeroizing::new(value.as_bytes().to_vec()));
    let value = value
        .ok_or_else(|| Failure::usage("there is no variable of that name; the value itself comes on standard input"))?;
    Ok(Secret::new(&value))
}

fn of_input() -> Result<Secret, Failure> {
    let mut value = Zeroizing::new(Vec::with_capacity(limits::SECRET_BYTES_MAX + 2));
    let read = io::stdin().lock().take(limits::SECRET_BYTES_MAX as u64 + 2).read_to_end(&mut value);
    read.map_err(|_| Failure::io("standard input cannot be read"))?;
    let mut end = value.len();
    while end > 0 && matches!(value[end - 1], b'\n' | b'\r') {
        end -= 1;
    }
    Ok(Secret::new(&value[..end]))
}
