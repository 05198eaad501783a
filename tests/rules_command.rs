//! What `blackbar rules` and `blackbar explain` say.

mod command;

use command::{CANARY, SECRET, Sandbox};

#[test]
fn rules_are_listed_by_family() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["rules", "list"], "");
    assert_eq!(ended.code, 0);
    let row = ended.stdout.lines().find(|line| line.contains(" github-pat ")).expect("a row");
    assert!(row.contains("critical") && row.contains("GitHub personal access token"), "{row}");
    assert!(ended.stdout.contains("source-control ("));
    let json = sandbox.run(&["rules", "list", "--json", "--disable", "github-pat"], "").stdout;
    let rules: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let pat = rules.iter().find(|rule| rule["id"] == "github-pat").expect("a rule");
    assert_eq!((&pat["severity"], &pat["enabled"]), (&"critical".into(), &false.into()));
}

#[test]
fn a_rule_is_shown_whole() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(&["rules", "show", "acme-token", "--rules", "acme.toml"], "").stdout;
    for part in ["acme-token", "Acme token", "acme_[0-9a-f]{20}", "https://acme.example/tokens", "token: acme_{hex:20}"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn rule_files_are_checked_and_tested() {
    let sandbox = Sandbox::new();
    for action in ["check", "test"] {
        let good = sandbox.run(&["rules", action, "acme.toml"], "");
        assert_eq!(good.code, 0, "{good:?}");
        assert!(good.stdout.contains("1 rule, 0 errors"), "{good:?}");
    }
    sandbox.write("bad.toml", format!("\n[[rule]]\nid = 'bad'\nname = 'x'\nseverity = '{CANARY}'\npattern = 'x'\n"));
    let bad = sandbox.run(&["rules", "check", "bad.toml"], "");
    assert_eq!(bad.code, 2);
    assert!(bad.stderr.contains("bad.toml:2: rule bad: severity") && !bad.printed().contains(CANARY), "{bad:?}");
}

#[test]
fn rules_are_compared() {
    let sandbox = Sandbox::new();
    sandbox.write("new.toml", command::RULES.replace("\"high\"", "\"critical\"").replace("{20}", "{24}"));
    sandbox.write("none.toml", "");
    let diff = |arguments: &[&str]| sandbox.run(&[&["rules", "diff"], arguments].concat(), "").stdout;
    assert_eq!(
        diff(&["acme.toml", "new.toml"]),
        "~ acme-token  Acme token\n    severity: high -> critical\n    \
         pattern: acme_[0-9a-f]{20} -> acme_[0-9a-f]{24}\n0 added, 0 removed, 1 changed\n"
    );
    assert_eq!(diff(&["none.toml", "acme.toml"]), "+ acme-token  Acme token\n1 added, 0 removed, 0 changed\n");
    assert_eq!(diff(&["acme.toml", "acme.toml"]), "0 added, 0 removed, 0 changed\n");
    assert!(diff(&["acme.toml"]).contains("- github-pat  "), "against the rules that are built in");
}

#[test]
fn explain_says_why_and_shows_no_secret() {
    let sandbox = Sandbox::new();
    let arguments = ["explain", "--no-default-rules", "--rules", "acme.toml"];
    let ended = sandbox.run(&arguments, format!("a {SECRET} b\nclean\n"));
    assert_eq!(ended.code, 0);
    assert!(!ended.printed().contains(SECRET) && !ended.printed().contains(&SECRET[5..13]), "{ended:?}");
    for part in
        ["line 1: 1 candidate", "a [REDACTED:acme-token] b", "column 3, 25 bytes", "[[allow]]", "line 2: nothing found"]
    {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let fingerprint = |text: &str| text.split("hmac-sha256:").nth(1).map(|rest| rest[..64].to_owned());
    sandbox.acme(&["--findings", "found"], format!("{SECRET}\n"));
    assert_eq!(fingerprint(&ended.stdout), fingerprint(&sandbox.read("found")));
}
