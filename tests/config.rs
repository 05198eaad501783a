//! Where settings come from, which of them counts, and how wrong ones are told.

mod command;

use blackbar::rules::sample::Rng;
use command::{CANARY, RULES, SECRET, Sandbox};

/// `mode = "alert"` passes bytes, the default masks them: which of the two holds?
fn passes(sandbox: &Sandbox, arguments: &[&str]) -> bool {
    let ended = sandbox.acme(arguments, SECRET);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout == SECRET
}

#[test]
fn options_win_over_variables_over_the_file() {
    let mut sandbox = Sandbox::new();
    sandbox.write("own.toml", "mode = 'alert'");
    assert!(!passes(&sandbox, &[]));
    assert!(passes(&sandbox, &["--config", "own.toml"]));
    assert!(!passes(&sandbox, &["--config", "own.toml", "--mode", "redact"]));
    sandbox.set("BLACKBAR_MODE", "redact");
    assert!(!passes(&sandbox, &["--config", "own.toml"]));
    assert!(passes(&sandbox, &["--config", "own.toml", "--mode", "alert"]));
}

#[test]
fn the_users_file_is_found_and_a_named_one_goes_before_it() {
    let mut sandbox = Sandbox::new();
    sandbox.write("home/.config/blackbar/blackbar.toml", "mode = 'alert'");
    sandbox.write("other.toml", "quiet = true");
    assert!(passes(&sandbox, &[]));
    assert!(!passes(&sandbox, &["--config", "other.toml"]));
    sandbox.set("BLACKBAR_CONFIG", "other.toml");
    assert!(!passes(&sandbox, &[]));
    let mut sandbox = Sandbox::new();
    sandbox.write("xdg/blackbar/blackbar.toml", "mode = 'alert'");
    let xdg = sandbox.path("xdg").display().to_string();
    assert!(passes(sandbox.set("XDG_CONFIG_HOME", xdg), &[]));
}

#[test]
fn the_working_directory_can_not_disarm_the_filter() {
    let mut sandbox = Sandbox::new();
    sandbox.write("blackbar.toml", "mode = 'alert'\nno-default-rules = true\n");
    sandbox.write("blackbar/blackbar.toml", "mode = 'alert'");
    assert!(!passes(&sandbox, &[]));
    assert!(!passes(sandbox.set("XDG_CONFIG_HOME", "."), &[]));
    let rules = sandbox.run(&["rules", "list"], "").stdout;
    assert!(rules.starts_with("0 of 0 rules"), "the rules commands do read it: {rules}");
}

#[test]
fn switches_can_be_set_and_cleared_by_variables() {
    let printed = |value: &str| {
        let mut sandbox = Sandbox::new();
        sandbox.write("own.toml", "quiet = true");
        let ended = sandbox.set("BLACKBAR_QUIET", value).acme(&["--config", "own.toml"], SECRET);
        !ended.stderr.is_empty()
    };
    assert!(!printed("1") && !printed("true") && printed("0") && printed("FALSE"));
    assert!(!printed(""), "an empty variable is none");
}

#[test]
fn lists_are_read_from_all_places() {
    let mut sandbox = Sandbox::new();
    sandbox.write("conf/own.toml", "rules = ['r.toml']\nno-default-rules = true\ndisable = ['acme-token']\n");
    sandbox.write("conf/r.toml", RULES);
    let masked = |sandbox: &Sandbox| sandbox.run(&["--config", "conf/own.toml"], SECRET).stdout != SECRET;
    assert!(!masked(&sandbox), "files are looked for beside the file that names them");
    assert!(!masked(sandbox.set("BLACKBAR_DISABLE", "acme-token,acme-token")));
    let enabled = Sandbox::new().acme(&["--only", "acme-token", "--disable", "acme-token"], SECRET).stdout;
    assert_eq!(enabled, SECRET);
}

#[test]
fn unknown_keys_and_wrong_values_name_file_line_and_key_and_not_the_value() {
    let sandbox = Sandbox::new();
    for (text, said) in [
        ("\nmoed = '{}'", "own.toml:2: there is no key moed"),
        ("fail_on = '{}'", "own.toml:1: there is no key fail_on; it is written fail-on"),
        ("{} = 1", "own.toml:1: there is no such key"),
        ("# x\nmode = '{}'", "own.toml:2: mode must be one of redact, alert"),
        ("jobs = '{}'", "own.toml:1: jobs must be a whole number from 0 to 256"),
        ("quiet = '{}'", "own.toml:1: quiet must be true or false"),
        ("label = '{}'", "own.toml:1: label must be a table of texts"),
        ("only = [1, '{}']", "own.toml:1: only must be words, separated by commas"),
        ("source = {}", "own.toml:1: not valid TOML"),
        ("source = '{}'\nsource = '{}'", "own.toml:2: a key stands twice"),
        ("source = '{}", "own.toml:1: not valid TOML"),
        ("[policy]\nlocked = ['mode']", "own.toml:1: [policy] counts only in /etc/blackbar/blackbar.toml"),
        ("only = ['{}']", "own.toml:1: only: no rule has this id"),
        ("fingerprint-key-file = '{}'", "own.toml:1: fingerprint-key-file: no such file"),
    ] {
        sandbox.write("own.toml", text.replace("{}", CANARY));
        let ended = sandbox.run(&["--config", "own.toml"], "x");
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{text}: {ended:?}");
        assert!(ended.stderr.starts_with(&format!("blackbar: {said}")), "{text}: {ended:?}");
        assert!(!ended.stderr.contains(CANARY), "{text}: {ended:?}");
    }
}

#[test]
fn files_that_are_no_configuration_are_refused_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write("large.toml", "#".repeat(5 << 20));
    sandbox.write("latin.toml", b"source = '\xe9'");
    for (path, said) in [
        ("missing.toml", "no such file"),
        ("large.toml", "is larger than 4 MiB"),
        ("latin.toml", "is not UTF-8"),
        (".", "is a directory"),
    ] {
        for option in ["--config", "--rules"] {
            let ended = sandbox.run(&[option, path], "x");
            assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{option} {path}: {ended:?}");
            assert!(ended.stderr.contains(said), "{option} {path}: {ended:?}");
        }
    }
}

#[test]
fn a_configuration_that_was_damaged_anywhere_holds_or_is_refused_and_never_quoted() {
    let sandbox = Sandbox::new();
    let whole = format!(
        "mode = 'redact'\njobs = 1\nsource = '{CANARY}'\nsecret-env = ['VAR_{CANARY}']\n\n[label]\nteam = '{CANARY}'\n"
    );
    let mut rng = Rng::new(2026);
    let mut refused = 0;
    for _ in 0..500 {
        let mut text = whole.clone().into_bytes();
        for _ in 0..=rng.below(4) {
            let at = rng.below(text.len());
            let end = (at + rng.below(12)).min(text.len());
            match rng.below(4) {
                0 => text[at] = *rng.pick(b"\"'[]{}=\n\\#.,0aZ\0\xff "),
                1 => drop(text.drain(at..end)),
                2 => text.insert(at, *rng.pick(b"\"'[]{}=\n\\#.,0aZ\0\xff ")),
                _ => text.extend_from_within(at..end),
            }
        }
        sandbox.write("own.toml", &text);
        let ended = sandbox.acme(&["--config", "own.toml"], SECRET);
        let told = || format!("{}: {ended:?}", text.escape_ascii());
        assert!([0, 2].contains(&ended.code), "{}", told());
        assert!(!ended.stdout.contains(SECRET.trim()), "{}", told());
        let quoted =
            CANARY.as_bytes().windows(8).any(|piece| ended.stderr.as_bytes().windows(8).any(|said| said == piece));
        assert!(!quoted, "{}", told());
        if ended.code == 2 {
            assert!(ended.stdout.is_empty() && ended.stderr.contains("own.toml"), "{}", told());
            refused += 1;
        }
    }
    assert!((100..500).contains(&refused), "{refused} of 500 were refused");
}

#[cfg(unix)]
#[test]
fn a_fifo_in_place_of_a_configuration_is_refused_and_not_waited_for() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("fifo");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    for option in ["--config", "--rules"] {
        let ended = sandbox.run(&[option, "fifo"], "x");
        assert_eq!(ended.code, 2);
        assert!(ended.stderr.contains("is not a regular file"), "{ended:?}");
    }
}
