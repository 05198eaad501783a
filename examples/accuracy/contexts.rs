//! Turns a key name and a secret into log lines: every context in which a secret is to be found. Does not draw secrets.

/// One way in which logs hold a secret.
pub struct Context {
    /// Its name in the report.
    pub name: &'static str,
    /// The line, or lines, without the last line end.
    pub write: fn(key: &str, secret: &str) -> String,
    /// Only for secrets that can be told without a key name.
    pub bare: bool,
    /// Whether a line end follows.
    pub newline: bool,
}

const fn keyed(name: &'static str, write: fn(&str, &str) -> String) -> Context {
    Context { name, write, bare: false, newline: true }
}

const fn bare(name: &'static str, write: fn(&str, &str) -> String) -> Context {
    Context { name, write, bare: true, newline: true }
}

/// All contexts.
pub const CONTEXTS: &[Context] = &[
    bare("line alone", |_, s| s.to_owned()),
    bare("line start", |_, s| format!("{s} was used")),
    bare("line end", |_, s| format!("logging in with {s}")),
    bare("sentence", |_, s| format!("The token is {s}.")),
    bare("in brackets", |_, s| format!("login({s})")),
    bare("backticks", |_, s| format!("use `{s}` here")),
    bare("csv", |_, s| format!("17,{s},ok")),
    bare("colours around", |_, s| format!("\x1b[32m{s}\x1b[0m")),
    bare("bearer header", |_, s| format!("> Authorization: Bearer {s}")),
    bare("URL user", |_, s| format!("remote: https://{}@git.example/x.git", percent(s))),
    bare("percent edge", |_, s| format!("GET /x?q=%3D{}%20 HTTP/1.1", percent(s))),
    bare("escaped newline edge", |_, s| format!(r#"{{"msg":"token:\n{}\nend"}}"#, json(s))),
    Context { name: "line alone, input ends", write: |_, s| s.to_owned(), bare: true, newline: false },
    Context { name: "k=v, input ends", write: |k, s| format!("{k}={s}"), bare: false, newline: false },
    keyed("k=v", |k, s| format!("{k}={s}")),
    keyed("k = v", |k, s| format!("{k} = {s}")),
    keyed("k = \"v\"", |k, s| format!("{k} = \"{s}\"")),
    keyed("export", |k, s| format!("export {k}='{s}'")),
    keyed("set -x", |k, s| format!("++ {k}={s}")),
    keyed("flag", |k, s| format!("+ deploy --{k} {s} --force")),
    keyed("flag=", |k, s| format!("+ deploy --{k}={s} --force")),
    keyed("YAML", |k, s| format!("    {k}: {s}")),
    keyed("YAML quoted", |k, s| format!("    {k}: \"{s}\"")),
    keyed("TOML table", |k, s| format!("{{ user = \"app\", {k} = \"{s}\" }}")),
    keyed("header", |k, s| format!("< {k}: {s}\r")),
    keyed("logfmt", |k, s| format!("level=info msg=\"login ok\" {k}={s} took=3ms")),
    keyed("query string", |k, s| format!("GET /cb?state=1&{k}={}&x=2 HTTP/1.1", percent(s))),
    keyed("XML element", |k, s| format!("<{k}>{}</{k}>", xml(s))),
    keyed("XML attribute", |k, s| format!("<add user=\"app\" {k}=\"{}\"/>", xml(s))),
    keyed("XML property", |k, s| format!("<property name=\"{k}\" value=\"{}\"/>", xml(s))),
    keyed("JSON", |k, s| format!(r#"{{"level":"info","{k}":"{}","n":1}}"#, json(s))),
    keyed("JSON spaced", |k, s| format!(r#"  "{k}": "{}","#, json(s))),
    keyed("JSON escaped", |k, s| format!(r#"{{"msg":"dump:\n{k}={}\nend"}}"#, json(s))),
    keyed("JSON in JSON", |k, s| format!(r#"{{"msg":"got {}"}}"#, json(&format!(r#"{{"{k}":"{}"}}"#, json(s))))),
    keyed("name and value", |k, s| format!(r#"{{"name":"{k}","value":"{}"}}"#, json(s))),
    keyed("ANSI before", |k, s| format!("{k}=\x1b[31m{s}\x1b[0m done")),
    keyed("ANSI inside", |k, s| {
        let half = s.len() / 2;
        format!("{k}={}\x1b[1;33m{}\x1b[0m", &s[..half], &s[half..])
    }),
    keyed("ANSI after", |k, s| format!("{k}={s}\x1b[0m")),
    keyed("ANSI on key", |k, s| format!("\x1b[1m{k}\x1b[0m: {s}")),
    keyed("ANSI escaped", |k, s| format!(r#"{{"log":"{k}=\u001b[31m{}\u001b[0m\n","stream":"stdout"}}"#, json(s))),
    keyed("CRI", |k, s| format!("2026-11-20T23:10:23.123456789Z stdout F {k}={s}")),
    keyed("CRI, two records", |k, s| {
        let half = s.len() / 2;
        let stamp = "2026-11-20T23:10:23.123456789Z stdout";
        format!("{stamp} P {k}={}\n{stamp} F {}", &s[..half], &s[half..])
    }),
    keyed("docker json-file", |k, s| {
        format!(r#"{{"log":"{k}={}\n","stream":"stderr","time":"2026-11-20T23:10:23.1Z"}}"#, json(s))
    }),
    keyed("syslog", |k, s| format!("Nov 20 23:10:23 web-1 app[4242]: {k}={s}")),
    keyed("base64", |k, s| format!("data: {}", base64(format!("{k}={s}\n").as_bytes()))),
];

fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text can be written as JSON");
    quoted[1..quoted.len() - 1].to_owned()
}

fn percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Standard base64 with padding (RFC 4648, section 4).
pub fn base64(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, &b| bits << 8 | u32::from(b)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = digits[(bits >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
