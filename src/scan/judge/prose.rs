//! Turns a word after a key name into "this is language, not a secret". Does not look at randomness.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Whether a word, alone after a secret's key name, is a type, a status, a code word or a secret's name in some language.
pub fn says_nothing(word: &[u8]) -> bool {
    contains(&NOTHING, word)
}

/// Whether a word is one of those that a sentence goes on with: `password for root`, `token is invalid`.
pub fn goes_on(word: &[u8]) -> bool {
    contains(&GOING_ON, word)
}

/// `too_short`, `must_contain_digit`, `not-provided`: words that say what is the matter, and none that does not; but for
/// one, behind those with which no password begins.
pub fn is_a_message(v: &[u8]) -> bool {
    let joiner = |b: &u8| matches!(b, b'_' | b'-');
    if !v.iter().any(joiner) || !v.iter().all(|b| b.is_ascii_lowercase() || joiner(b)) {
        return false;
    }
    let mut parts = v.split(joiner);
    let known = |word: &&[u8]| MESSAGES.contains(word) || FAULTS.contains(word) || goes_on(word) || says_nothing(word);
    parts.clone().count() <= MESSAGE_WORDS_MAX
        && parts.clone().all(|word| word.len() >= 2)
        && parts.clone().any(|word| MESSAGES.contains(&word))
        && parts.clone().filter(|word| !known(word)).count()
            <= usize::from(parts.next().is_some_and(|first| BEGINNINGS.contains(&first)))
}

/// Words in lower case.
struct Words {
    set: HashSet<&'static [u8]>,
    /// By the first byte, a bit for each length that such words have. Most words are told by it to be none of them.
    lengths: [u32; 256],
}

impl Words {
    fn of(words: impl Iterator<Item = &'static str>) -> Words {
        let set: HashSet<&[u8]> = words.map(str::as_bytes).filter(|word| !word.is_empty()).collect();
        let mut lengths = [0; 256];
        set.iter().for_each(|word| lengths[usize::from(word[0])] |= 1 << word.len().min(WORD_BYTES_MAX + 1));
        Words { set, lengths }
    }
}

fn contains(words: &Words, word: &[u8]) -> bool {
    let Some(first) = word.first() else { return false };
    let lengths = words.lengths[usize::from(first.to_ascii_lowercase())];
    if lengths >> word.len().min(WORD_BYTES_MAX + 1) & 1 == 0 {
        return false;
    }
    let mut lower = [0u8; WORD_BYTES_MAX];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    let lower: &[u8] = lower;
    words.set.contains(lower)
}

static NOTHING: LazyLock<Words> = LazyLock::new(|| Words::of(WORDS.iter().flat_map(|list| list.split(' '))));
static GOING_ON: LazyLock<Words> = LazyLock::new(|| Words::of(FUNCTION_WORDS.split(' ')));

const WORD_BYTES_MAX: usize = 24;
const MESSAGE_WORDS_MAX: usize = 8;

/// Words that codes of errors have, and passwords hardly.
const MESSAGES: &[&[u8]] = &[
    b"must",
    b"not",
    b"too",
    b"cannot",
    b"missing",
    b"invalid",
    b"required",
    b"expired",
    b"mismatch",
    b"mismatched",
    b"incorrect",
    b"failed",
    b"wrong",
    b"provided",
    b"exceeded",
    b"unknown",
    b"unsupported",
    b"denied",
    b"revoked",
    b"rejected",
    b"has",
    b"is",
    b"was",
    b"should",
    b"contains",
    b"contain",
    b"already",
    b"unavailable",
    b"disabled",
    b"needs",
    b"does",
    b"doesnt",
    b"hidden",
    b"redacted",
    b"unset",
];

/// With these a code of an error begins, and one word behind them may be any.
const BEGINNINGS: &[&[u8]] =
    &[b"must", b"cannot", b"missing", b"invalid", b"failed", b"should", b"unsupported", b"needs", b"does", b"doesnt"];

/// What a value may be short of, or too much of, and where it was seen before.
const FAULTS: &[&[u8]] = &[
    b"digit",
    b"digits",
    b"letter",
    b"letters",
    b"character",
    b"characters",
    b"uppercase",
    b"lowercase",
    b"upper",
    b"lower",
    b"special",
    b"symbol",
    b"symbols",
    b"length",
    b"minimum",
    b"maximum",
    b"min",
    b"max",
    b"enough",
    b"met",
    b"least",
    b"common",
    b"similar",
    b"simple",
    b"complex",
    b"easy",
    b"guessable",
    b"breached",
    b"compromised",
    b"leaked",
    b"reused",
    b"recently",
    b"recent",
    b"numeric",
    b"entirely",
    b"confirmed",
    b"confirmation",
    b"policy",
    b"attempts",
    b"many",
    b"few",
    b"range",
    b"equal",
    b"equals",
    b"differ",
    b"different",
    b"parsed",
    b"parse",
    b"process",
    b"readable",
    b"returned",
    b"resolved",
    b"decoded",
    b"supported",
];

const FUNCTION_WORDS: &str = "a an the this that these those is are was were be been being has have had do does did will would can could may might must \
    shall should not no for from of to in on at by with without into onto over under and or but if when while as than then so it its \
    your my our their his her you we they he she i any all some each every both either neither which who whom whose what where why how \
    about after before during via per only also too very just must use used using uses enter read reads see set sets get gets give given \
    provide provided specify specified specifies supply pass passed passes sent send sends show shows new old same other another more most \
    prompt prompts default defaults defaulting requires needs please type typed store stored save saved create created creates generate \
    change changed reset update updated verify check checks file path name value values string number option options user users account \
    login needed allowed allows authentication required expires expired contains containing field flag flags argument arguments switch switches command commands";

const WORDS: &[&str] = &[
    "define sufficient requisite again string str text bytes byte bytearray char chars u8 u16 u32 u64 u128 usize i8 i16 i32 i64 isize f32 f64 uint8 uint16 uint32 uint64 int8 int16 int32 int64 size_t varchar varchar2 nvarchar int integer number bool boolean object array list dict map hash \
     set tuple any unknown void never float double uint8array buffer optional option vec box securestring secretstring plaintext \
     info debug warn trace notice verbose \
     hashmap file path filename url uri uuid guid date datetime timestamp json xml yaml base64 hex sha256 sha1 sha512 md5 bcrypt argon2 \
     argon2id scrypt pbkdf2 hmac aes rsa ed25519 ecdsa dsa x509 symmetric asymmetric",
    "true false null nil none undefined nan yes no on off n/a empty blank unset missing absent present available unavailable exists \
     required optional mandatory default defaults custom auto automatic automatically manual provided supplied specified given entered typed \
     incorrect correct invalid valid wrong right expired expires bad good weak strong short long match matches mismatch matched mismatched \
     rejected accepted denied granted allowed forbidden failed failure fail error ok okay success successful succeeded passed pass \
     unknown unsupported supported unchanged changed changes change updated update created create deleted delete removed remove added add \
     reset resets revoked rotated rotate renewed refreshed refresh generated generate loaded loading load saved stored store cached found \
     read reading write written sent received using used unused enabled disabled enable disable active inactive pending ready done \
     hidden masked redacted redact filtered filter sensitive confidential protected private public internal omitted stripped scrubbed \
     encrypted decrypted encoded decoded hashed obfuscated concealed suppressed elided removed censored secured secure anonymous \
     prompt prompted prompting interactive keyboard-interactive stdin stdout stderr env environment input output ask never always \
     verified verify verification validated validate validating checking checked check authenticated authenticating authorized unauthorized \
     trying retrying verifying mapped inherited inherit ignore ignored skipped skip unspecified configured unconfigured shift",
    "password passwd passwort pass pwd passwords pw passcode passphrase pin secret secrets token tokens key keys apikey api_key api-key api \
     credential credentials creds cred auth authentication authorization oauth oauth2 bearer basic digest negotiate ntlm kerberos gssapi \
     saml oidc ldap jwt session sessions cookie cookies signature certificate cert username user users login email account admin-password \
     client server service app application value values val name names field fields type types id identifier data config configuration \
     settings setting option options param params parameter parameters arg args argument arguments header headers variable property \
     properties attribute attributes column columns label description placeholder example examples sample todo fixme tbd foo bar baz \
     something anything nothing orig original wrapper wrapped content contents result results response request line lines args kwargs stub mock utf8 utf-8 ascii latin1 self this that here there new old current existing other same all any some",
    "return returns function async await lambda const let var static final public private protected class struct enum interface import \
     export from else elif while for if then do end def not and or in is typeof instanceof new delete throw raise yield with as try catch",
    "kennwort wachtwoord lozenord contrasena contraseña senha heslo haslo hasło parola salasana jelszo jelszó adgangskode losenord lösenord \
     passord motdepasse geheim geheimnis schlüssel schluessel clave llave jeton clé hemlighet token-name zugangsschlüssel пароль ключ токен 密码 \
     密碼 パスワード 令牌 비밀번호",
    "same-origin include omit cors no-cors strict lax httponly samesite identity access account_key string? query body form multipart \
     simple multi readonly rw ro http https tcp udp ssh gpg tls ssl mtls vault aws gcp azure github gitlab google kubernetes docker \
     files compat sss systemd nis winbind scram-sha-256 trust peer ident reject plain login cram-md5 xoauth2 scoped legacy standard global local remote root-level",
];
