//! The findings file: its schema, its safety, and its keys.

mod command;

use std::fs;

use command::{OTHER, SECRET, Sandbox, misleads, names, schema::validate};
use serde_json::Value;

const SCHEMA: &str = include_str!("../schema/finding.schema.json");

/// Runs on standard input and returns the findings.
fn findings(sandbox: &Sandbox, arguments: &[&str], input: &str) -> Vec<Value> {
    let all: Vec<&str> = ["--findings", "found.ndjson"].into_iter().chain(arguments.iter().copied()).collect();
    let ended = sandbox.acme(&all, input);
    assert_eq!(ended.code, 0, "{ended:?}");
    let text = sandbox.read("found.ndjson");
    fs::remove_file(sandbox.path("found.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn a_report_has_the_fields_of_its_schema_and_those_of_a_finding() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", format!("2026-11-20T01:02:03Z {SECRET}\n"));
    sandbox.write("in/b.log", format!("2026-11-21T01:02:03Z {SECRET}\n"));
    let first = ["scan", "--no-default-rules", "--rules", "acme.toml"];
    let ended = sandbox.run(&[&first[..], &["--findings", "found", "--report", "json=r.json", "in"]].concat(), "");
    assert_eq!(ended.code, 1, "{ended:?}");
    let finding: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut schema: Value = serde_json::from_str(include_str!("../schema/report.schema.json")).unwrap();
    for (at, more) in [
        ("/properties/secrets/items/properties", &finding["properties"]),
        ("/properties/secrets/items/properties/blackbar/properties", &finding["properties"]["blackbar"]["properties"]),
    ] {
        let fields = schema.pointer_mut(at).unwrap().as_object_mut().unwrap();
        for (name, field) in more.as_object().unwrap() {
            fields.entry(name.clone()).or_insert(field.clone());
        }
    }
    validate(&serde_json::from_str(&sandbox.read("r.json")).unwrap(), &schema, "report");
    for line in sandbox.read("found").lines() {
        validate(&serde_json::from_str(line).unwrap(), &finding, "finding");
    }
}

#[test]
fn a_finding_has_every_field_of_the_schema() {
    let mut sandbox = Sandbox::new();
    sandbox.set("GITHUB_ACTIONS", "true").set("GITHUB_REPOSITORY", "o/r").set("GITHUB_RUN_ID", "17");
    sandbox.set("GITHUB_SERVER_URL", "https://github.com").set("GITHUB_JOB", "test").set("GITHUB_SHA", "0123abc");
    sandbox.write("build.log", format!("first\nab {SECRET}\n"));
    let found = findings(&sandbox, &["--source", "nightly", "--label", "team=pay", "build.log"], "");
    let [finding] = &found[..] else { panic!("{found:?}") };
    validate(finding, &serde_json::from_str(SCHEMA).unwrap(), "finding");
    assert_eq!(finding["event"]["severity"], 75);
    assert_eq!(finding["rule"]["id"], "acme-token");
    assert_eq!(finding["rule"]["name"], "Acme token");
    assert_eq!(finding["log"]["file"]["path"], "build.log");
    assert_eq!(finding["log"]["offset"], 9);
    let own = &finding["blackbar"];
    assert_eq!((&own["line"], &own["column"], &own["length"]), (&2.into(), &4.into(), &25.into()));
    assert_eq!(own["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&own["severity"], &own["action"]), (&"high".into(), &"redacted".into()));
    assert_eq!(own["context"], "ab [REDACTED:acme-token]");
    assert_eq!(own["rotate"], "https://acme.example/tokens");
    assert_eq!((&own["source"], &own["labels"]["team"]), (&"nightly".into(), &"pay".into()));
    assert_eq!(own["ci"]["provider"], "github");
    assert_eq!(own["ci"]["run_url"], "https://github.com/o/r/actions/runs/17");
    assert!(finding["host"]["name"].is_string());
}

#[test]
fn a_finding_has_its_fields_in_the_order_of_the_contract() {
    let sandbox = Sandbox::new();
    sandbox.acme(&["--findings", "found"], format!("{SECRET}\n"));
    let line = sandbox.read("found");
    let names = [
        "\"@timestamp\":",
        "\"event\":",
        "\"rule\":",
        "\"log\":",
        "\"host\":",
        "\"blackbar\":",
        "\"schema\":1",
        "\"version\":",
        "\"rules_digest\":",
        "\"severity\":\"high\"",
        "\"confidence\":",
        "\"action\":",
        "\"fingerprint\":",
        "\"key_id\":",
        "\"line\":",
        "\"column\":",
        "\"length\":",
        "\"context\":",
        "\"rotate\":",
    ];
    let places: Vec<Option<usize>> = names.iter().map(|name| line.find(name)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{line}");
}

#[test]
fn what_is_not_known_is_left_out() {
    let found = findings(&Sandbox::new(), &[], &format!("{SECRET}\n"));
    assert_eq!(found[0]["log"].get("file"), None, "standard input has no path");
    for absent in ["source", "labels", "ci", "ephemeral_key", "facts"] {
        assert_eq!(found[0]["blackbar"].get(absent), None, "{absent}");
    }
    assert!(!found[0].to_string().contains("null"));
}

#[test]
fn no_secret_is_in_a_finding_in_either_mode() {
    let sandbox = Sandbox::new();
    for (mode, action) in [("redact", "redacted"), ("alert", "alerted")] {
        let found = findings(&sandbox, &["--mode", mode], &format!("x {SECRET} {OTHER} y\n"));
        assert_eq!(found.len(), 2);
        for finding in found {
            assert_eq!(finding["blackbar"]["action"], action);
            let text = finding.to_string();
            for secret in [SECRET, OTHER] {
                let body = &secret["acme_".len()..];
                assert!(
                    !body.as_bytes().windows(8).any(|piece| text.contains(str::from_utf8(piece).unwrap())),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn findings_are_appended_to_a_file_for_its_owner_only() {
    let sandbox = Sandbox::new();
    for _ in 0..2 {
        sandbox.acme(&["--findings", "found"], format!("{SECRET}\n"));
    }
    assert_eq!(sandbox.read("found").lines().count(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(sandbox.path("found")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_refused_in_place_of_the_file() {
    let sandbox = Sandbox::new();
    sandbox.write("target", "kept");
    for target in ["target", "nothing"] {
        let link = sandbox.path(&format!("link-to-{target}"));
        std::os::unix::fs::symlink(sandbox.path(target), &link).unwrap();
        let ended = sandbox.acme(&["--findings".as_ref(), link.as_os_str()], format!("{SECRET}\n"));
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
        assert!(ended.stderr.contains("symbolic link"), "{ended:?}");
    }
    assert_eq!(sandbox.read("target"), "kept");
    assert!(!sandbox.path("nothing").exists());
}

#[test]
fn standard_output_is_refused_for_findings() {
    let ended = Sandbox::new().acme(&["--findings", "-"], "x");
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_findings_and_not_the_log() {
    let ended = Sandbox::new().acme(&["--findings", "/dev/full"], format!("a {SECRET}\nb\n"));
    assert_eq!((ended.code, ended.stdout.as_str()), (3, "a [REDACTED:acme-token]\nb\n"));
    assert!(ended.stderr.contains("/dev/full: findings are incomplete: no space left"), "{ended:?}");
}

#[test]
fn a_findings_file_can_be_shown_in_a_terminal() {
    for trick in ["\u{1b}]52;c;x\u{7}", "\u{9b}31m", "a\u{202e}b", "\u{200b}", "\u{e0041}", "\r"] {
        let sandbox = Sandbox::new();
        let name = format!("x{trick}.log");
        sandbox.write(&name, format!("{trick} {SECRET} {trick}\n"));
        let label = format!("k{trick}={trick}");
        let ended = sandbox.acme(&["--findings", "found", "--source", trick, "--label", &label, &name], "");
        assert_eq!(ended.code, 0, "{ended:?}");
        let text = sandbox.read("found");
        assert!(!misleads(&text) && !misleads(&ended.stderr), "{trick:?}: {text}");
        let finding: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(finding["log"]["file"]["path"], name);
        assert_eq!(finding["blackbar"]["labels"][format!("k{trick}")], trick);
        assert!(!misleads(finding["blackbar"]["context"].as_str().unwrap()));
    }
}

/// (fingerprint, key id, whether the key is said to be of this run)
fn fingerprint(sandbox: &Sandbox, arguments: &[&str]) -> (String, String, bool) {
    let found = findings(sandbox, arguments, &format!("{SECRET}\n"));
    let own = &found[0]["blackbar"];
    let text = |name: &str| own[name].as_str().unwrap().to_owned();
    (text("fingerprint"), text("key_id"), own["ephemeral_key"] == true)
}

#[test]
fn the_same_key_gives_the_same_fingerprint_wherever_it_stands() {
    let mut sandbox = Sandbox::new();
    sandbox.write("key", "sixteen bytes and more\n");
    let from_file = fingerprint(&sandbox, &["--fingerprint-key-file", "key"]);
    assert_ne!(from_file, fingerprint(&sandbox, &[]));
    sandbox.set("BLACKBAR_FINGERPRINT_KEY", "sixteen bytes and more");
    assert_eq!(from_file, fingerprint(&sandbox, &[]));
    assert!(!from_file.2);
}

#[test]
fn a_key_is_made_in_the_state_directory_when_it_is_needed_first() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("home/.local/state/blackbar");
    sandbox.acme(&[] as &[&str], format!("{SECRET}\n"));
    assert!(names(&folder).is_empty());
    let first = fingerprint(&sandbox, &[]);
    assert_eq!(names(&folder), ["fingerprint.key"]);
    assert_eq!(first, fingerprint(&sandbox, &[]));
}

#[test]
fn where_no_key_can_be_kept_the_finding_says_so() {
    let sandbox = Sandbox::new();
    sandbox.write("home", "a file");
    let (first, second) = (fingerprint(&sandbox, &[]), fingerprint(&sandbox, &[]));
    assert!(first.2 && second.2);
    assert_ne!(first.0, second.0);
}

#[test]
fn a_short_key_is_refused_and_not_shown() {
    let mut sandbox = Sandbox::new();
    sandbox.write("key", "Canary7f3eQ9\n");
    let from_file = sandbox.acme(&["--fingerprint-key-file", "key"], "");
    let from_variable = sandbox.set("BLACKBAR_FINGERPRINT_KEY", "Canary7f3eQ9").acme(&[] as &[&str], "");
    for (ended, name) in [(from_file, "--fingerprint-key-file"), (from_variable, "BLACKBAR_FINGERPRINT_KEY")] {
        assert_eq!(ended.code, 2);
        assert!(ended.stderr.contains(name) && !ended.printed().contains("Canary7f3eQ9"), "{ended:?}");
    }
}
