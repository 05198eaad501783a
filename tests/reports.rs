//! What `--report` writes at the end of a run: formats, files, and no secret in any of them.

mod command;

use command::{OTHER, SECRET, Sandbox, schema::validate};
use serde_json::Value;

const FORMATS: [&str; 4] = ["json", "sarif", "gitlab", "csv"];

/// The four reports of a log with two secrets, one of them in two places.
fn reports(sandbox: &Sandbox) -> [String; 4] {
    sandbox.write("=cmd|' /C calc'!A0", format!("clean\na {SECRET} b\n{SECRET}\n{OTHER}\n"));
    let mut arguments: Vec<String> =
        FORMATS.iter().flat_map(|format| ["--report".to_owned(), format!("{format}=report.{format}")]).collect();
    arguments.push("=cmd|' /C calc'!A0".to_owned());
    let ended = sandbox.acme(&arguments, "");
    assert_eq!(ended.code, 0, "{ended:?}");
    FORMATS.map(|format| sandbox.read(&format!("report.{format}")))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

#[test]
fn each_secret_is_one_entry_with_its_count_and_places() {
    let [own, sarif, gitlab, csv] = reports(&Sandbox::new());
    let own = json(&own);
    assert_eq!((own["findings"].as_u64(), own["secrets"].as_array().map(Vec::len)), (Some(3), Some(2)));
    let first = &own["secrets"][0];
    assert_eq!((&first["blackbar"]["count"], &first["blackbar"]["line"]), (&2.into(), &2.into()));
    assert_eq!(first["blackbar"]["last"], serde_json::json!({ "in": "=cmd|' /C calc'!A0", "line": 3, "column": 1 }));

    let sarif = json(&sarif);
    let run = &sarif["runs"][0];
    assert_eq!((sarif["version"].as_str(), run["results"].as_array().map(Vec::len)), (Some("2.1.0"), Some(2)));
    let result = &run["results"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], result["ruleId"]);
    assert_eq!(result["occurrenceCount"], 2);
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "%3Dcmd%7C%27%20/C%20calc%27%21A0");
    assert_eq!(place["region"], serde_json::json!({ "startLine": 2, "byteOffset": 8, "byteLength": SECRET.len() }));

    let gitlab = json(&gitlab);
    assert_eq!(gitlab["scan"]["type"], "secret_detection");
    let entry = &gitlab["vulnerabilities"][0];
    assert_eq!((&entry["severity"], &entry["location"]["start_line"]), (&"High".into(), &2.into()));
    for field in ["start_time", "end_time"] {
        assert_eq!(gitlab["scan"][field].as_str().map(str::len), Some("2026-11-26T23:00:00".len()));
    }

    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines.len() == 3 && lines[0].starts_with("severity,rule,name,"), "{csv}");
    assert!(
        lines[1].starts_with("high,acme-token,Acme token,") && lines[1].contains(",2,\"'=cmd|' /C calc'!A0\",2,3,")
    );
}

#[test]
fn a_known_value_is_told_by_its_name_in_the_summary_and_in_each_report() {
    let mut sandbox = Sandbox::new();
    sandbox.set("DEPLOY_TOKEN", "walnut-Kestrel-47");
    let mut arguments = vec!["--secret-env".to_owned()];
    arguments.extend(FORMATS.iter().flat_map(|format| ["--report".to_owned(), format!("{format}=report.{format}")]));
    let ended = sandbox.run(&arguments, "x walnut-Kestrel-47\n");
    assert!(ended.stderr.ends_with("rotate first: known-value DEPLOY_TOKEN (line 1)\n"), "{}", ended.stderr);
    for report in FORMATS.map(|format| sandbox.read(&format!("report.{format}"))) {
        assert!(report.contains("DEPLOY_TOKEN") && !report.contains("Kestrel"), "{report}");
    }
}

/// Whatever a user's rules say: code hosts refuse a whole report for one field.
#[test]
fn reports_for_code_hosts_have_the_structure_of_their_schemas() {
    let schemas = [
        ("sarif", json(include_str!("data/schemas/sarif.json"))),
        ("gitlab", json(include_str!("data/schemas/gitlab.json"))),
    ];
    let sandbox = Sandbox::new();
    let row = |id: &str, name: &str, rotate: &str| {
        format!(
            "[[rule]]\nid = {id:?}\nname = {name:?}\nseverity = \"low\"\npattern = '{id}_[0-9a-f]{{20}}'\n\
             reference = \"https://acme.example\"\nrotate = {rotate:?}\nsince = \"0.1.0\"\n\
             examples = [\"{id}_{{hex:20}}\", \"a {id}_{{hex:20}}\"]\ncounterexamples = [\"{id}_\", \"x\"]\n"
        )
    };
    let rules = [
        row("long", &"ä".repeat(300), &format!("https://acme.example/{}", "a".repeat(8000))),
        row("page", "page", "ask Alice <alice@acme.example>"),
        row("odd", "odd", "javascript:alert(1)"),
        row("blank", "blank", "https://acme.example/a page"),
    ];
    sandbox.write("more.toml", rules.concat());
    let log: String =
        ["long", "page", "odd", "blank"].iter().map(|id| format!("{id}_{}\n", "0123456789abcdef0123")).collect();
    for (name, log) in [("\u{1f511} a b%<>\"[1].log", format!("{log}{SECRET}\n{OTHER}\n")), ("clean", "x\n".to_owned())]
    {
        sandbox.write(name, log);
        for (format, schema) in &schemas {
            let report = format!("{format}=out");
            let ended = sandbox.acme(&["--rules", "more.toml", "--report", &report, name], "");
            assert_eq!(ended.code, 0, "{ended:?}");
            let report = json(&sandbox.read("out"));
            validate(&report, schema, format);
            let found = report.pointer("/runs/0/results").or(report.pointer("/vulnerabilities")).unwrap();
            assert_eq!(found.as_array().map(Vec::len), Some(if name == "clean" { 0 } else { 6 }), "{found}");
        }
    }
}

#[test]
fn no_report_holds_a_secret_or_anything_that_misleads() {
    let sandbox = Sandbox::new();
    let name = "a\u{1b}]52;c;x\u{7}\u{202e}b";
    sandbox.write(name, format!("\u{1b}[31m=1+1 {SECRET}\u{9b}\u{202e}\n"));
    for format in FORMATS {
        let ended = sandbox.acme(&["--report".to_owned(), format!("{format}=out"), name.to_owned()], "");
        let report = sandbox.read("out");
        assert!(!report.contains(SECRET) && !report.contains(&SECRET[..13]), "{report}");
        assert!(!command::misleads(&report.replace('\r', "")), "{report}");
        assert!(report.contains("acme-token") && ended.code == 0, "{report}");
    }
}

#[test]
fn the_test_token_is_in_no_report() {
    let sandbox = Sandbox::new();
    sandbox.run(&["--report", "json=out"], format!("blackbar_canary_{}\n", "aB3dE6gH9jK2mN5pQ8sT1vW4"));
    assert_eq!(json(&sandbox.read("out"))["secrets"], serde_json::json!([]));
}

#[test]
fn what_cannot_be_written_is_told_before_anything_is_read() {
    let sandbox = Sandbox::new();
    sandbox.write("folder/file", "");
    let refused = |report: &str, why: &str| {
        let ended = sandbox.acme(&["--report", report], "input\n");
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
    };
    refused("json=folder", "is not a regular file");
    refused("json=missing/report", "its folder does not exist");
    refused("xml=report", "must be json=FILE");
    refused("report", "--report must be NAME=VALUE");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("folder/file", sandbox.path("link")).unwrap();
        refused("json=link", "is a symbolic link, which is refused");
    }
}

#[cfg(unix)]
#[test]
fn a_report_replaces_the_old_one_whole_and_is_for_its_owner_only() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let sandbox = Sandbox::new();
    let path = sandbox.write("out", "old");
    let before = path.metadata().unwrap().ino();
    sandbox.acme(&["--report", "json=out"], format!("{SECRET}\n"));
    let meta = path.metadata().unwrap();
    assert!(meta.ino() != before && meta.permissions().mode() & 0o777 == 0o600);
    assert_eq!(json(&sandbox.read("out"))["findings"], 1);
    // Nothing else is left.
    let mut names = command::names(&sandbox.path(""));
    names.sort();
    assert_eq!(names, ["acme.toml", "home", "out"]);
}
