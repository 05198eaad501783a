//! Turns key names and habits of people into assigned secrets. Does not look at `patterns/generic.toml`.

/// Key names that promise a secret whatever the value is.
pub const STRONG: &[&str] = &[
    "password",
    "db_password",
    "POSTGRES_PASSWORD",
    "userPassword",
    "spring.datasource.password",
    "smtp-password",
    "passwd",
    "ADMIN_PWD",
    "ldapPasswd",
    "bind_pw",
    "redis_pass",
    "ssh_passphrase",
    "keystore.password",
    "secret",
    "client_secret",
    "clientSecret",
    "JWT_SECRET",
    "app-secret",
    "webhook.secret",
    "SECRET_KEY_BASE",
    "api_key",
    "apiKey",
    "X-Api-Key",
    "ACME_APIKEY",
    "secret_key",
    "encryption_key",
    "accessKey",
    "signing-key",
    "private_key",
    "master_key",
    "sharedSecret",
    "consumer_secret",
];

/// Key names that many harmless things have, too.
pub const WEAK: &[&str] = &[
    "token",
    "auth_token",
    "authToken",
    "ACCESS_TOKEN",
    "accessToken",
    "refresh_token",
    "session_token",
    "sessionId",
    "SESSION_ID",
    "X-Auth-Token",
    "csrf-token",
    "bearer_token",
    "deploy.token",
    "credential",
    "auth",
];

/// What people choose as passwords.
pub const CHOSEN: &[&str] = &[
    "hunter{digits:1}",
    "{lower:6}{digits:2}",
    "Summer20{digits:2}!",
    "P@ssw0rd{digits:2}",
    "{lower:5}-{lower:6}-{lower:4}",
    "Tr0ub4dor&{digits:1}",
    "{letters:8}",
    "{base62:8}",
    "{base62:12}",
    "{base62:5}!{base62:4}#{base62:3}",
    "{base62:4}@{base62:5}",
    "{digits:6}",
    "qwerty{digits:3}",
    "{letters:4}${base62:6}",
    "Adm1n_{base62:5}",
];

/// What machines make.
pub const MADE: &[&str] = &[
    "{hex:32}",
    "{hex:40}",
    "{hex:64}",
    "{base62:16}",
    "{base62:20}",
    "{base62:24}",
    "{base62:32}",
    "{base62:48}",
    "{base64url:32}",
    "{base64url:43}",
    "{base64:43}=",
    "{base64:86}==",
    "{uuid}",
    "{alnum-lower:24}",
    "{alnum-upper:20}",
];

/// Whether people choose the values of such a key.
pub fn is_chosen(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["pass", "pwd", "pw"].iter().any(|word| key.contains(word))
}
