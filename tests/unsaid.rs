//! Shows that no error, no message and no `Debug` of a type says a byte of a secret that it has seen. Does not look at
//! outputs, findings and reports: their own tests do.

mod support;

use std::{fmt::Debug, fs, path::Path, sync::Arc};

use blackbar::{
    Engine, Filter, KnownValues, Options, RuleSet,
    allow::Allow,
    finding::FingerprintKey,
    pipeline::{self, Settings},
    rules::USER_FAMILY,
    scan::{Ahead, Carry, End, LineBuffers, Mode, Settler, Stretch, Stretches},
    source::Source,
    view::utf16::Encoding,
};

/// What may not be said: a known value, and a token that a rule finds.
const CANARY: &str = "walnut-Kestrel-4711-canary";
const TOKEN: &str = "blackbar_canary_walnutKestrel4711Otterxyz";

/// No piece of eight bytes of either is in a text, as it is or as a list of numbers.
fn says_nothing(what: &str, text: &str) {
    for secret in [CANARY, TOKEN.strip_prefix("blackbar_canary_").unwrap()] {
        for piece in secret.as_bytes().windows(8) {
            let numbers: Vec<String> = piece.iter().map(u8::to_string).collect();
            for form in [String::from_utf8_lossy(piece).into_owned(), numbers.join(", "), numbers.join(",\n    ")] {
                assert!(!text.contains(&form), "{what} says {form}: {text}");
            }
        }
    }
}

fn debug(what: &str, value: &impl Debug) {
    says_nothing(what, &format!("{value:?}"));
    says_nothing(what, &format!("{value:#?}"));
}

fn error<E: std::error::Error>(what: &str, error: &E) {
    debug(what, error);
    says_nothing(what, &error.to_string());
    assert!(error.source().is_none(), "{what} has a source, which may say anything");
}

fn engine(mode: Mode) -> Arc<Engine> {
    let known = KnownValues::default();
    known.add("NAME", CANARY.as_bytes()).unwrap();
    Arc::new(Engine::new(support::default_rules(), Options { known, mode, ..Options::default() }).unwrap())
}

#[test]
fn whoever_has_seen_a_secret_does_not_say_it() {
    let log =
        format!("first {CANARY}\nAuthorization: Bearer {TOKEN}\n{{\"a\":\"\\u0020{CANARY}\"}}\nheld {CANARY} {TOKEN}");
    for mode in [Mode::Redact, Mode::Alert] {
        let engine = engine(mode);
        debug("a key", &engine.options().fingerprint_key);
        debug("allow entries", &engine.options().allow);
        let mut filter = Filter::new(Arc::clone(&engine));
        debug("clean bytes", &filter.push(log.as_bytes()));
        debug("clean bytes", &filter.idle());
        debug("counts", filter.stats());
        debug("findings", &filter.take_findings());
        debug("clean bytes", &filter.finish());
        let known = engine.options().known.current();
        let (mut buffers, mut ahead) = (LineBuffers::default(), Ahead::default());
        for stretch in Stretches::new(&engine, &known, format!("{log}\n").as_bytes(), &mut buffers, &mut ahead) {
            debug("a stretch", &stretch);
            if let Stretch::Passed(passed) = stretch {
                debug("what passed", &passed);
            }
        }
        for line in log.lines() {
            let (mut settler, mut carry) = (Settler::default().traced(), Carry::default());
            settler.know(engine.options().known.current());
            settler.settle(&engine, line.as_bytes(), Encoding::Bytes, End::Line, &mut carry);
            assert!(!settler.spans().is_empty());
            debug("spans", &settler.spans());
            debug("a masked text", settler.masked());
            debug("what one line says of the next", &carry);
            debug("candidates", &engine.explain(line.as_bytes()));
        }
    }
}

#[test]
fn errors_do_not_say_what_they_are_about() {
    let known = KnownValues::default();
    for value in ["docker", &CANARY[..3], ""] {
        error("a refused value", &known.add("NAME", value.as_bytes()).unwrap_err());
    }
    let blob: String = (0..3000).map(|number| format!("{CANARY}{number}")).collect();
    error("a long value", &known.add("NAME", blob.as_bytes()).unwrap_err());
    let row = |pattern: &str, more: &str| {
        format!("[[rule]]\nid = \"acme\"\nname = \"x\"\nseverity = \"high\"\npattern = '''{pattern}'''\n{more}\n")
    };
    for text in [
        CANARY.to_owned(),
        format!("[[rule]]\nid = \"{CANARY}\n"),
        row(&format!("({CANARY}"), ""),
        row(&format!("{CANARY}{{99999}}"), ""),
        row("acme_[0-9a-f]{20}", &format!("severity = \"{CANARY}\"")),
        row("acme_[0-9a-f]{20}", &format!("entropy = \"{CANARY}\"")),
        row("acme_[0-9a-f]{20}", &format!("{CANARY} = 1")),
        row("acme_[0-9a-f]{20}", &format!("examples = [\"{CANARY}\"")),
    ] {
        let fault = RuleSet::empty().add(&text, "acme.toml", USER_FAMILY);
        error("a rule", &fault.unwrap_err());
    }
    for text in [
        format!("[[allow]]\nvalue = \"({CANARY}\"\nreason = \"x\"\n"),
        format!("[[allow]]\nvalue = \"{CANARY}\"\n"),
        format!("[[allow]]\nfingerprint = \"{CANARY}\"\nreason = \"x\"\n"),
        format!("[[allow]]\nreason = \"x\"\nexpires = \"{CANARY}\"\n"),
        format!("{CANARY}\n"),
    ] {
        let fault = Allow::default().add(&text, "allow.toml", &FingerprintKey::ephemeral());
        error("an allow entry", &fault.unwrap_err());
    }
    let mut sink = Fails;
    let input = std::io::Cursor::new(format!("{CANARY}\n").into_bytes());
    let settings = Settings { jobs: 1, ..Settings::default() };
    let ended = pipeline::run(&engine(Mode::Redact), Source::reader(input), &mut sink, &mut |_| {}, &settings);
    error("a pipeline", &ended.unwrap_err());
}

/// A sink whose fault says what it was given.
struct Fails;

impl blackbar::sink::Sink for Fails {
    fn write(&mut self, _: blackbar::redact::Clean<'_>) -> std::io::Result<()> {
        Err(std::io::Error::other(CANARY))
    }
}

/// Fields of these types may hold bytes of a log.
const BYTES: &[&str] =
    &["Vec<u8>", "[u8]", "Zeroizing<", "OsString", ": Secret,", "dyn Error", "io::Error,", "io::Error)"];

/// Types whose bytes are those of rules, which are no secrets.
const OF_RULES: &[&str] = &["Beginnings", "Literal", "Making", "Needle", "Node", "Part"];

/// Types whose bytes are names that the user gave, or what the system says of a file.
const OF_NAMES: &[&str] = &["Settings", "Fault"];

/// Each type of the library that derives `Debug`, by its text.
fn derived() -> Vec<(String, String, String)> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut all = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            // The commands of the program are no part of the library.
            if !path.ends_with("src/cli") {
                open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            }
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
        let items = text.split("\n#[derive(").skip(1).map(|item| format!("\n{item}"));
        for item in items.filter(|item| item.lines().nth(1).is_some_and(|derive| derive.contains("Debug"))) {
            let code = item.lines().skip(2).filter(|line| !line.trim_start().starts_with("//"));
            let code: Vec<&str> = code.collect();
            let Some(at) = code.iter().position(|line| line.contains("struct ") || line.contains("enum ")) else {
                continue;
            };
            let head = code[at].replace("pub(super) ", "").replace("pub(crate) ", "").replace("pub ", "");
            let name = head.split([' ', '<', '(', '{', ';']).nth(1).unwrap().to_owned();
            let one_line = head.ends_with(';') || head.ends_with('}');
            let end = if one_line {
                at + 1
            } else {
                code.iter().position(|line| *line == "}" || *line == ");").unwrap_or(at + 1)
            };
            all.push((path.display().to_string(), name, code[at..end.max(at + 1)].join("\n")));
        }
    }
    all
}

/// A type that may hold bytes of a log says how many, by a `Debug` of its own.
#[test]
fn no_type_derives_debug_that_holds_bytes_of_a_log() {
    let all = derived();
    assert!(all.len() > 150, "{} types are found", all.len());
    let known = |name: &String| OF_RULES.contains(&name.as_str()) || OF_NAMES.contains(&name.as_str());
    let wrong: Vec<String> = all
        .iter()
        .filter(|(_, name, text)| !known(name) && BYTES.iter().any(|bytes| text.contains(bytes)))
        .map(|(path, name, text)| format!("{path}: {name}\n{text}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
