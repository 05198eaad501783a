//! Turns a name into a log that was made to be slow: many beginnings and no end, candidates
//! without a secret, bait for searches that start over. Holds no secret but where it says so.
//!
//! Each attack comes in two shapes: in many short lines, and in one line of the whole length.

use blackbar::rules::sample::{Rng, fill};

/// How an attack is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Lines of about [`LINE_BYTES`].
    Lines,
    /// One line.
    Line,
}

/// An attack in one shape.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    form: &'static Form,
    shape: Shape,
}

/// What an attack is made of.
#[derive(Debug)]
struct Form {
    name: &'static str,
    /// Stands at the start of each line.
    start: &'static str,
    /// Templates of which one is drawn, over and over.
    units: &'static [&'static str],
}

/// All attacks in both shapes.
pub fn all() -> Vec<Attack> {
    let shapes = |form| [Shape::Lines, Shape::Line].map(|shape| Attack { form, shape });
    FORMS.iter().flat_map(shapes).collect()
}

impl Attack {
    /// `NAME-lines` or `NAME-line`.
    pub fn name(&self) -> String {
        let shape = match self.shape {
            Shape::Lines => "lines",
            Shape::Line => "line",
        };
        format!("{}-{shape}", self.form.name)
    }

    /// What is repeated, without its shape.
    pub fn form(&self) -> &'static str {
        self.form.name
    }

    /// The shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// A log of at least `bytes` bytes. The same arguments give the same log.
    pub fn log(&self, bytes: usize, seed: u64) -> Vec<u8> {
        let mut rng = Rng::new(seed);
        let mut log = Vec::with_capacity(bytes + 2 * LINE_BYTES);
        while log.len() < bytes {
            let end = match self.shape {
                Shape::Lines => log.len() + LINE_BYTES,
                Shape::Line => bytes - 1,
            };
            log.extend_from_slice(draw(self.form.start, &mut rng).as_bytes());
            while log.len() < end {
                log.extend_from_slice(draw(rng.pick::<&str>(self.form.units), &mut rng).as_bytes());
            }
            log.push(b'\n');
        }
        log
    }
}

fn draw(template: &str, rng: &mut Rng) -> String {
    // The templates are constants of this file; a broken one shows at the first run.
    fill(template, rng).unwrap()
}

/// How long the lines of [`Shape::Lines`] are (bytes).
pub const LINE_BYTES: usize = 120;

const FORMS: &[Form] = &[
    // Beginnings of tokens, and nothing but beginnings.
    form("one-prefix", "", &["ghp_"]),
    form("prefixes", "", PREFIXES),
    form(
        "prefixes-apart",
        "",
        &["ghp_ ", "glpat- ", "sk-ant-api03- ", "AKIA ", "xoxb-1 ", "hf_ ", "npm_ ", "eyJ ", "SG. "],
    ),
    form("near-misses", "", NEAR_MISSES),
    // Tokens of the right length with a checksum that is wrong: these are masked.
    form(
        "bad-checksums",
        "",
        &["ghp_{base62:36} ", "npm_{base62:36} ", "glsa_{base62:32}_{hex:8} ", "ATBB{base62:24}{HEX:8} "],
    ),
    form("jwt-heads", "", &["eyJhbGciOiJIUzI1NiJ9."]),
    // Every byte a candidate.
    form("letters", "", &["A"]),
    form("digits", "", &["0"]),
    form("mixed", "", &["a1"]),
    form("random", "", &["{base62:64}"]),
    form("random-apart", "", &["{base62:40} "]),
    form("uuids", "", &["{uuid} "]),
    form("colons", "", &[":"]),
    form("equals", "", &["="]),
    form("spaces", "", &[" "]),
    form("returns", "", &["\r"]),
    form("keys", "", &["key="]),
    form("keys-spaced", "", &["key = "]),
    form("assignments", "", &["password=", "secret=", "token=", "api_key=", "auth: "]),
    form("dotted-key", "", &["token."]),
    form("columns", "", &[",password"]),
    form("forms", "", &["&password=", "&token=a"]),
    form("connections", "", &[";password=", ";user="]),
    form("flags", "", &["--password --token "]),
    form("headers", "", &["Authorization: Bearer "]),
    form("paths", "", &["/usr/lib/token/auth"]),
    // Encodings, each in runs and over each other.
    form("percent", "", &["%41"]),
    form("percent-deep", "", &["%25"]),
    form("json-escapes", "", &["\\u0041"]),
    form("entities", "", &["&amp;"]),
    form("entities-numbers", "", &["&#x41;&#65;"]),
    form("backslashes", "", &["\\"]),
    form("escaped-quotes", "", &["\\\""]),
    form("json-deep", "", &["{{\\\"a\\\":\\\\\\\"b\\\\\\\",", "\\\\\\\\n\\n"]),
    form("base64-text", "", &["cGFzc3dvcmQgaXMgbm90IGhlcmUg"]),
    form("base64-words", "", &["cGFzc3dvcmQgaXMgbm90IGhlcmUg "]),
    form("base64-deep", "", &["WTBkR2VtTXpaSFpqYlZGblRGUkpaMkpIT1RKYVUwRm5TVU5B"]),
    form("hex-text", "", &["70617373776f72643d6e6f7468696e6720"]),
    form("hex-random", "", &["{hex:64}"]),
    // Terminal escapes.
    form("colours", "", &["\u{1b}[31m"]),
    form("colours-in-words", "", &["\u{1b}[3{digits:1}m{letters:1}"]),
    form("colours-in-prefixes", "", &["g\u{1b}[0mhp\u{1b}[1m_", "AK\u{1b}[0mIA"]),
    form("escapes", "", &["\u{1b}"]),
    form("escapes-open", "", &["\u{1b}[1;", "\u{1b}[38;5;"]),
    form("links-open", "", &["\u{1b}]8;;https://example.com/"]),
    form("strings-open", "", &["\u{1b}]0;", "\u{1b}P", "\u{1b}_"]),
    form("controls", "", &["\u{9b}31m"]),
    form("escaped-escapes", "", &["\\u001b[31m"]),
    // Bait for searches that start over at each place.
    form("quote-open", "msg=\"", &["no end of it "]),
    form("password-open", "password=\"", &["no end of it "]),
    form("quotes", "", &["\""]),
    form("quotes-mixed", "", &["'\"`"]),
    form("passwords-open", "", &["password=\""]),
    form("passwords-objects", "", &["{{\"password\":"]),
    form("passwords-nested", "", &["password=[{{("]),
    form("passwords-closed", "", &["password=(a)[b]", "token={{c}}"]),
    form("passwords-escaped", "", &["password=\\\"", "secret=\\\\\\\"", "token=\\\\\\\\\\\\\\\""]),
    form("quotes-nested", "", &["password=\"a'b`c", "secret='d\"e", "token=`f"]),
    form("names-values", "", &["name: password, value: ", "\"name\":\"token\",\"value\":"]),
    form("bearers", "", &["Bearer "]),
    form("bearers-near", "", &["Bearer {letters:19} "]),
    form("jwt-beginnings", "", &["-eyJ", "_eyJhbGci"]),
    form("minified", "", MINIFIED),
    form("brackets", "", &["["]),
    form("braces", "", &["{{\"a\":"]),
    form("elements", "", &["<password>"]),
    form("elements-open", "", &["<a b="]),
    form("urls", "", &["https://user:"]),
    form("urls-at", "", &["https://a:b@"]),
    form("schemes", "", &["://"]),
    form("ats", "https://user:", &["@"]),
    form("dashes", "", &["-"]),
    // What goes on in the next line.
    form("begins", "", &["-----BEGIN "]),
    form("key-blocks", "-----BEGIN RSA PRIVATE KEY-----", &[" "]),
    form("key-bodies", "-----BEGIN RSA PRIVATE KEY----- ", &["{base64:64} "]),
    form("key-bodies-alone", "", &["MIIEpAIBAAKCAQEA{base64:48}"]),
    form("names-open", "password:", &[" "]),
    form("records-open", "{{\"log\":\"", &["no end of it "]),
    form("records-partial", "2026-11-20T23:10:23.000000000Z stdout P ", &["no end of it "]),
];

const PREFIXES: &[&str] = &[
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "glrt-",
    "sk-",
    "sk-proj-",
    "sk-ant-api03-",
    "sk_live_",
    "rk_live_",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "hf_",
    "npm_",
    "pypi-",
    "rubygems_",
    "dop_v1_",
    "shpat_",
    "shpss_",
    "SG.",
    "eyJ",
    "glsa_",
    "hvs.",
    "hvb.",
    "sq0atp-",
    "ATATT3",
    "ATBB",
    "dapi",
    "lin_api_",
    "ntn_",
    "secret_",
    "pul-",
    "PMAK-",
    "NRAK-",
    "tfp_",
    "LTAI",
    "gsk_",
    "r8_",
    "key-",
    "AGE-SECRET-KEY-1",
    "phc_",
    "sntrys_",
    "dckr_pat_",
    "EAAG",
];

/// Code in one line: names of secrets with values that are none.
const MINIFIED: &[&str] = &[
    "e.token=function(t,n){{return t.key=n.token||r(t.auth)}},",
    "this.password=o.password,this.secret=i&&i.secret,",
    "t.exports={{apiKey:n({digits:4}),authToken:void 0,session:e.session}},",
    "var a=\"key=\"+encodeURIComponent(e.key)+\"&token=\"+c;",
];

/// Tokens that are one character short, or have one that is not of the alphabet.
const NEAR_MISSES: &[&str] = &[
    "ghp_{base62:35} ",
    "gho_{base62:17}-{base62:17} ",
    "glpat-{base62:19} ",
    "AKIA{base32:15} ",
    "AKIA{base32:17} ",
    "AIza{base62:34} ",
    "sk-ant-api03-{base62:79} ",
    "sk-proj-{base62:39} ",
    "sk_live_{base62:15} ",
    "xoxb-{digits:9}-{digits:9} ",
    "hf_{letters:33} ",
    "npm_{base62:35} ",
    "pypi-AgEIcHlwaS5vcmc{base64url:30} ",
    "dop_v1_{hex:63} ",
    "shpat_{hex:31} ",
    "SG.{base64url:22} ",
    "glsa_{base62:31}_{hex:7} ",
    "hvs.{base64url:19} ",
    "dapi{hex:31} ",
    "lin_api_{base62:38} ",
    "ntn_{digits:10}{base62:35} ",
    "eyJhbGciOiJIUzI1NiJ9.{base64url:40} ",
    "dckr_pat_{base64url:26} ",
    "LTAI{base62:11} ",
    "rubygems_{hex:47} ",
];

const fn form(name: &'static str, start: &'static str, units: &'static [&'static str]) -> Form {
    Form { name, start, units }
}
