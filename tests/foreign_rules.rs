//! Rule files of gitleaks and betterleaks: what they find, and what of them is said not to hold.

mod support;

use std::sync::Arc;

use blackbar::{
    Engine, Options, RuleSet,
    rules::USER_FAMILY,
    rules::sample::{Rng, fill},
};

/// Every form that the default files of both programs have.
const FILE: &str = include_str!("data/foreign-rules.toml");

fn rules(text: &str) -> Result<RuleSet, String> {
    let mut rules = RuleSet::empty();
    rules.add(text, "foreign.toml", USER_FAMILY).map_err(|fault| fault.to_string())?;
    Ok(rules)
}

fn filtered(rules: &RuleSet, line: &str) -> String {
    let engine = Arc::new(Engine::new(rules.clone(), Options::default()).unwrap());
    String::from_utf8(support::whole(&engine, line.as_bytes())).unwrap()
}

#[test]
fn every_form_of_rule_finds_what_it_means() {
    let rules = rules(FILE).unwrap();
    let mut rng = Rng::new(7);
    for (template, id) in [
        ("x acme_{base62:36}", "acme-pat"),
        ("x acme_{base62:36};", "acme-pat"),
        ("ACME_KEY = \"{hex:32}\"", "acme-keyed"),
        ("acme.key: {hex:32}\\n", "acme-keyed"),
        ("{base62:3}8Q~{base62:31}", "acme-anchored"),
        ("sent '{base62:3}8Q~{base62:33}' there", "acme-anchored"),
        ("widget-token={alnum-lower:24}", "acme-branches"),
        ("WIDGETX{base62:20}", "acme-branches-2"),
        ("post Widget-Sig: v1={hex:40}", "acme-group"),
        ("pat{base62:14}.{hex:64} of warehouse? no: warehouse pat{base62:14}.{hex:64}", "acme-context"),
        ("gizmo Q.E.D.{base62:16}", "acme-quoted"),
        ("gizmo=\"{base62:40}\" # end", "acme-open"),
    ] {
        let line = fill(template, &mut rng).unwrap();
        let output = filtered(&rules, &line);
        assert!(output.contains(&format!("[REDACTED:{id}]")), "{template}: {output}");
    }
}

#[test]
fn a_match_with_more_groups_than_can_be_told_apart_is_masked_whole() {
    let parts: Vec<String> = (0..40).map(|number| format!("(?P<p{number}>longpart{number:02})")).collect();
    let file =
        format!("[[rules]]\nid = \"3parts\"\nregex = \'\'\'\\bacme_(?:{})[a-z0-9]{{20}}\'\'\'\n", parts.join("|"));
    let rules = rules(&file).unwrap();
    let line = fill("x acme_longpart17{alnum-lower:20} y", &mut Rng::new(7)).unwrap();
    assert_eq!(filtered(&rules, &line), "x [REDACTED:3parts] y");
    let notices: Vec<String> = rules.notices().iter().map(|notice| format!("{notice:?}")).collect();
    assert!(notices.iter().any(|notice| notice.contains("too many groups")), "{notices:?}");
}

#[test]
fn allowlists_entropy_and_filters_exclude() {
    let rules = rules(FILE).unwrap();
    let mut rng = Rng::new(8);
    for template in [
        "x acme_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "x acme_{base62:30}SAMPLE",
        "x acme_{base62:26}stOPword{base62:2}",
        "ACME_KEY = \"00000000000000000000000000000000\"",
        "warehouse2 pat{base62:13}.{hex:64}",
        "acme-part_{base62:20}",
    ] {
        let line = fill(template, &mut rng).unwrap();
        assert_eq!(filtered(&rules, &line), line, "{template}");
    }
    // Both a pattern and a word, or nothing is allowed.
    let line = fill("gizmo Q.E.D.{base62:11}docs1", &mut rng).unwrap();
    assert_ne!(filtered(&rules, &line), line);
    let line = fill("gizmo Q.E.D.{base62:8}sampdocs", &mut rng).unwrap();
    assert_eq!(filtered(&rules, &line), line);
}

#[test]
fn private_keys_are_found_line_by_line() {
    let rules = rules(FILE).unwrap();
    let key =
        fill("-----BEGIN PRIVATE KEY-----\n{base64:64}\n{base64:64}\n-----END PRIVATE KEY-----\n", &mut Rng::new(9));
    assert!(filtered(&rules, &key.unwrap()).contains("[REDACTED:private-key]"));
}

#[test]
fn what_does_not_hold_is_named_with_its_line() {
    let rules = rules(FILE).unwrap();
    let said: Vec<String> = rules
        .notices()
        .iter()
        .map(|notice| format!("{}: {}: {}", notice.line, notice.rule.as_deref().unwrap_or("-"), notice.text))
        .collect();
    let line_of = |text: &str| 1 + FILE[..FILE.find(text).unwrap()].matches('\n').count();
    for (at, about) in [
        ("paths = ['''fixtures/''']", "-: allowlist paths"),
        ("useDefault = true", "-: extend useDefault"),
        ("prefilter = ", "-: prefilter"),
        ("path = '''(?i)\\.config$'''", "acme-keyed: path"),
        ("[[rules]] # of paths alone", "acme-files: left out"),
        ("[[rules]] # a part of others", "acme-part: left out"),
        ("validate = ", "acme-context: validate"),
        ("filter = '''unheardOf", "acme-quoted: filter"),
        ("colour = ", "acme-quoted: colour: not known"),
        ("components = ", "acme-quoted: components: the rule holds without them"),
        ("regex = '''gizmo=", "acme-open: boundaries and anchors inside"),
    ] {
        let wanted = format!("{}: {about}", line_of(at));
        assert!(said.iter().any(|said| said.starts_with(&wanted)), "{wanted} in {said:#?}");
    }
    assert!(rules.get("acme-disabled").is_none());
    assert_eq!(rules.get("acme-quoted").unwrap().confidence.to_string(), "medium");
}

#[test]
fn rules_that_are_not_right_are_refused_by_id_and_line() {
    let row = |key: &str, value: &str| format!("\n[[rules]]\nid = 'acme'\n{key} = '''{value}'''\n");
    let deep = "(".repeat(300) + "a" + &")".repeat(300);
    for (key, value, said) in [
        ("regex", "acme_(?=x)[a-z]{8}", "rule acme: the regex is not one"),
        ("regex", r"acme_([a-z]{8})\1", "rule acme: the regex is not one"),
        ("regex", "acme_[a-z", "rule acme: the regex is not one"),
        ("regex", "[a-z]*", "rule acme: the pattern matches the empty text"),
        ("regex", r"acme\C{8}", "rule acme: \\C"),
        ("regex", &deep, "rule acme: the regex is not one"),
        ("regexx", "acme", "acme"),
    ] {
        match rules(&row(key, value)) {
            Err(fault) => assert!(fault.contains(said) && fault.starts_with("foreign.toml:"), "{value}: {fault}"),
            // A row without a regex is left out, and both are said.
            Ok(rules) => assert!(key == "regexx" && rules.notices().len() == 1, "{value}: {:?}", rules.notices()),
        }
    }
}

#[test]
fn hostile_patterns_are_refused() {
    let long = "a".repeat(1 << 20);
    let wide: String = ('a'..='z').map(|c| format!("[^{c}]{{4000}}")).collect();
    for pattern in [
        "(?:){294967295}",
        "(?:a{1000}){1000}",
        "((a{0,500}){0,500}){0,500}b",
        r"(?:\w{1,1000}\s{1,1000}){1,1000}",
        &wide,
        &long,
    ] {
        for text in [
            format!("[[rules]]\nid = 'acme'\nregex = '''{pattern}'''\n"),
            format!("[[rule]]\nid = 'acme'\nname = 'x'\nseverity = 'low'\npattern = '''{pattern}'''\n"),
        ] {
            assert!(rules(&text).is_err(), "{}", &pattern[..pattern.len().min(40)]);
        }
    }
    // Allowlists are searched in secrets only, so their patterns may match nothing; but not be this large.
    for pattern in ["(?:a{1000}){1000}", r"(?:\w{1,1000}\s{1,1000}){1,1000}", &wide, &long] {
        let text = format!(
            "[[rules]]\nid = 'a1'\nregex = 'acme_[a-z]{{8}}'\n[[rules.allowlists]]\nregexes = ['''{pattern}''']\n"
        );
        assert!(rules(&text).is_err(), "{}", &pattern[..pattern.len().min(40)]);
    }
}
