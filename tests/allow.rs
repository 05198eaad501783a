//! `--allow` and `--baseline`: what is silenced, what passes, and what is said about entries.

mod command;

use command::{CANARY, OTHER, SECRET, Sandbox};

const OPTIONS: &[&str] = &["--rules", "acme.toml", "--only", "acme-token", "--fingerprint-key-file", "key"];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("key", "a key of some length\n");
    sandbox
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [OPTIONS, more].concat()
}

#[test]
fn what_is_allowed_is_masked_and_told_to_nobody() {
    let sandbox = sandbox();
    sandbox.write("allow.toml", "[[allow]]\nvalue = '^acme_0123'\nreason = 'a fixture'\n");
    let input = format!("a {SECRET}\nb {OTHER}\n");
    let options = with(&["--allow", "allow.toml", "--findings", "f.ndjson", "--fail-on", "low"]);
    let ended = sandbox.run(&options, &input);
    assert_eq!(ended.stdout, "a [REDACTED:acme-token]\nb [REDACTED:acme-token]\n");
    assert_eq!(ended.code, 1, "the other one is not allowed: {ended:?}");
    assert!(ended.stderr.contains("allowed 1 secret"), "{ended:?}");
    assert_eq!(std::fs::read_to_string(sandbox.path("f.ndjson")).unwrap().lines().count(), 1);
    let ended = sandbox.run(&options, format!("a {SECRET}\n"));
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn only_an_entry_that_says_so_leaves_the_bytes() {
    let sandbox = sandbox();
    let entry = "[[allow]]\nrule = 'acme-token'\nvalue = '^acme_0123'\nreason = 'public'\naction = 'pass'\n";
    sandbox.write("allow.toml", entry);
    let line = format!("a {SECRET} {OTHER} token={SECRET}\n");
    let all = ["--rules", "acme.toml", "--allow", "allow.toml"];
    let ended = sandbox.run(&all, &line);
    assert_eq!(ended.stdout, format!("a {SECRET} [REDACTED:acme-token] token={SECRET}\n"));
}

#[test]
fn a_baseline_silences_what_it_holds() {
    let sandbox = sandbox();
    let input = format!("a {SECRET}\n");
    let made = sandbox.run(&with(&["--findings", "known.ndjson"]), &input);
    assert_eq!(made.code, 0, "{made:?}");
    let options = with(&["--baseline", "known.ndjson", "--fail-on", "low"]);
    assert_eq!(sandbox.run(&options, &input).code, 0);
    let other = sandbox.run(&options, format!("a {OTHER}\n"));
    assert_eq!(other.code, 1);
    assert!(other.stderr.contains("known.ndjson: allowed nothing in this run"), "{other:?}");
}

#[test]
fn fingerprints_of_another_key_or_of_none_are_refused() {
    let mut sandbox = sandbox();
    let input = format!("a {SECRET}\n");
    sandbox.run(&with(&["--findings", "known.ndjson"]), &input);
    sandbox.write("key", "another key of that length\n");
    let ended = sandbox.run(&with(&["--baseline", "known.ndjson"]), &input);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    assert!(ended.stderr.contains("known.ndjson:1: the fingerprint was made with another key"), "{ended:?}");
    // Without a key file and without a home, there is no key that is kept.
    sandbox.set("HOME", "/nonexistent").set("XDG_STATE_HOME", "/nonexistent");
    let ended = sandbox.run(&["--rules", "acme.toml", "--baseline", "known.ndjson"], &input);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("need a key that is kept"), "{ended:?}");
}

#[test]
fn the_entry_that_explain_prints_works_once_it_has_a_reason() {
    let sandbox = sandbox();
    let explained = sandbox.run(&[&["explain"], OPTIONS].concat(), format!("a {SECRET}\n")).stdout;
    let entry: Vec<&str> = explained.lines().skip_while(|line| !line.contains("[[allow]]")).map(str::trim).collect();
    sandbox.write("allow.toml", entry.join("\n"));
    let refused = sandbox.run(&with(&["--allow", "allow.toml"]), format!("a {SECRET}\n"));
    assert!(refused.code == 2 && refused.stderr.contains("allow.toml:1: reason must say why"), "{refused:?}");
    sandbox.write("allow.toml", entry.join("\n").replace("reason = \"\"", "reason = \"a public key\""));
    let passed = sandbox.run(&with(&["--allow", "allow.toml"]), format!("a {SECRET}\n"));
    assert_eq!(passed.stdout, format!("a {SECRET}\n"), "{passed:?}");
    let explained = sandbox.run(&[&["explain"], OPTIONS, &["--allow", "allow.toml"]].concat(), format!("a {SECRET}\n"));
    assert!(explained.stdout.contains("allowed by allow.toml:1"), "{explained:?}");
}

#[test]
fn expired_and_unused_entries_are_reported() {
    let sandbox = sandbox();
    sandbox.write(
        "allow.toml",
        "[[allow]]\nrule = 'acme-token'\nexpires = 2020-01-31\nreason = 'a'\n\n[[allow]]\nvalue = 'never'\nreason = 'b'\n",
    );
    let options = with(&["--allow", "allow.toml", "--fail-on", "low"]);
    let ended = sandbox.run(&options, format!("a {SECRET}\n"));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("allow.toml:1: this entry expired on 2020-01-31"), "{ended:?}");
    assert!(ended.stderr.contains("allow.toml:6: allowed nothing in this run"), "{ended:?}");
    assert!(!ended.stderr.contains("allow.toml:1: allowed nothing"), "{ended:?}");
}

#[test]
fn paths_and_sources_limit_an_entry() {
    let sandbox = sandbox();
    sandbox.write(
        "allow.toml",
        "[[allow]]\npath = 'logs/**'\nreason = 'a'\n[[allow]]\nrule = 'acme-token'\nsource = 'nightly'\nreason = 'b'\n",
    );
    sandbox.write("logs/a/b.log", format!("a {SECRET}\n"));
    sandbox.write("other.log", format!("a {SECRET}\n"));
    let options = with(&["--allow", "allow.toml", "--fail-on", "low"]);
    assert_eq!(sandbox.run(&[&options[..], &["logs/a/b.log"]].concat(), "").code, 0);
    assert_eq!(sandbox.run(&[&options[..], &["other.log"]].concat(), "").code, 1);
    assert_eq!(sandbox.run(&[&options[..], &["--source", "nightly", "other.log"]].concat(), "").code, 0);
}

#[test]
fn mistakes_are_refused_without_repeating_them() {
    let sandbox = sandbox();
    for text in [
        format!("[[allow]]\nrule = '{CANARY}'\nreason = 'a'\n"),
        format!("[[allow]]\nvalue = '({CANARY}'\nreason = 'a'\n"),
        format!("[[allow]]\n{CANARY} = 1\nreason = 'a'\n"),
        format!("[[allow]]\nrule = 'acme-token'\nreason = 'a'\naction = '{CANARY}'\n"),
        format!("[[allow]]\nrule = 'acme-token'\nreason = '{CANARY}\n"),
    ] {
        sandbox.write("allow.toml", &text);
        let ended = sandbox.run(&with(&["--allow", "allow.toml"]), "a\n");
        assert_eq!(ended.code, 2, "{text}: {ended:?}");
        assert!(ended.stderr.contains("allow.toml:") && !ended.printed().contains(CANARY), "{text}: {ended:?}");
    }
}
