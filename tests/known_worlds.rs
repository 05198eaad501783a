//! Holds the masking of known values against what the maskers of CI systems are asked for. The values and texts are our
//! own; the questions are those of their tests.

mod support;

use std::sync::Arc;

use blackbar::{
    Engine, Filter, KnownValues,
    scan::known::{Added, Policy, Refused},
};
use support::{
    in_pieces,
    known::{base64, engine_of, engine_with, whatever_the_cut},
    shown, whole,
};

/// Values, a text with them, and what is to come out: what the maskers of CI systems are asked for, and where some leak.
const WORLDS: &[(&[&str], &str, &str)] = &[
    // They overlap, or one is in the other: at its beginning, at its end, in its middle.
    (&["abcdef123", "def123xyz"], "x abcdef123xyz def123 abcdef123def123xyz\n", "x *** def123 ***\n"),
    (&["secret-one", "secret-one-two"], "secret-one-two secret-one secret-one-tw\n", "*** *** ***-tw\n"),
    (&["longer-value", "er-value"], "longer-value er-value nger-value\n", "*** *** ng***\n"),
    (&["one(middle)two", "middle"], "one(middle)two (middle)two\n", "*** (***)two\n"),
    (&["token-token"], "token-token-token token-tokentoken-token\n", "*** ***\n"),
    (&["aaaa"], "aaa aaaa aaaaaaaaa baaaab\n", "aaa *** *** b***b\n"),
    // Side by side.
    (&["first-value", "second-value"], "first-valuesecond-value first-value.second-value\n", "*** ***.***\n"),
    (&["first-value"], "first-valuefirst-valuefirst-value", "***"),
    // The beginning of one, and then something else, or another one, or nothing.
    (&["secret-value"], "secret-valsecret-value secret-vaLue", "secret-val*** secret-vaLue"),
    (&["secret-value", "lsecret-x"], "secret-valsecret-x", "secret-va***"),
    (&["secret-value"], "the end is secret-va", "the end is ***"),
    (&["secret-value"], "secret-value\rsecret-value\r\nsecret-va\nlue\n", "***\r***\r\nsecret-va\nlue\n"),
    // Characters that mean something elsewhere.
    (&["a.b*c(d[e\\f"], "a.b*c(d[e\\f axbxcxdxexf\n", "*** axbxcxdxexf\n"),
    (
        &["p\u{e4}ssw\u{f6}rd-\u{1f511}"],
        "p\u{e4}ssw\u{f6}rd-\u{1f511} p\u{e4}ssw\u{f6}rd\n",
        "*** p\u{e4}ssw\u{f6}rd\n",
    ),
    (&["%2Fnot%20decoded"], "?a=%2Fnot%20decoded&b=1\n", "?a=***&b=1\n"),
    (&["with two  blanks"], "with two  blanks, with two\n", "***, with two\n"),
    (&["a\tb\u{1b}[1mc-value"], "x a\tb\u{1b}[1mc-value y\n", "x *** y\n"),
    // As somebody has pasted them: with an end of line, or blanks.
    (&["value-with-end\n"], "value-with-end, value-with-end\n", "***, ***\n"),
    // A beginning that another value goes on from, which holds a third.
    (&["this is the end", "en foobar", "is th"], "overlap: this is the en foobar\n", "overlap: this ***e ***\n"),
    // Each in the next, like a tower.
    (&["sum do", "m dolor", "psum dolor s", "ipsum dolor si"], "lorem ipsum dolor sit sum dolor\n", "lorem ***t ***\n"),
    // The first is never whole, and holds the others.
    (&["lorem ipsum dolor sEt", "ipsum d", "dolor sit"], "lorem ipsum dolor sit amet\n", "lorem *** amet\n"),
    // One that begins with a sign, and one with a sign inside.
    (&[":secret-one", "cont@ining"], "is :secret-one cont@ining, cont@in\n", "is *** ***, cont@in\n"),
    // PowerShell colours a part of a command that it does not like: with an escape, or with what is left of one.
    (
        &["part-one&part-two&part-three"],
        "part-one&part-two&\u{1b}[96mpart-three\u{1b}[0m\n",
        "***\u{1b}[96m\u{1b}[0m\n",
    ),
    (&["part-one&part-two&part-three"], "part-one&part-two&3[96mpart-three3[0m\n", "***3[96m***3[0m\n"),
    (&["part-one&+part-two&part-three"], "part-one&+3[96mp3[0mart-two&part-three\n", "***3[96mp3[0m***\n"),
    // A mask that may go on behind the escapes of its secret.
    (&["walnut-Kestrel<"], "walnut\u{1b}[32m-Kestrel<walnut-Kestrel<", "***\u{1b}[32m"),
    // A value with colours of its own, as it is and as a terminal shows it.
    (&["\u{1b}[1mred-value\u{1b}[0m"], "\u{1b}[1mred-value\u{1b}[0m red-value r\u{1b}[mx\n", "*** *** r\u{1b}[mx\n"),
    // Values that are kept in one line, and written as what they mean.
    (&["first-line\\nsecond-line\\n3rd"], "x first-line\nx second-line\nx 3rd\n", "x ***\nx ***\nx ***\n"),
    (&["my\\\\pass\\\"word1"], "my\\pass\"word1 my\\\\pass\\\"word1\n", "*** ***\n"),
    (&["my%20pass-word%2B1"], "my pass-word+1 my%20pass-word%2B1 my+pass-word%2b1\n", "*** *** ***\n"),
    (&["a$$bcd$$efgh"], "a$bcd$efgh a$$bcd$$efgh a$$$$bcd$$$$efgh\n", "*** *** ***\n"),
    (&["^<^>^(^)^^^&^|pw"], "before <>()^&|pw ^<^>^(^)^^^&^|pw after\n", "before *** *** after\n"),
    (&["Zm9v/mFyMTIzNDU2Nz+5MA=="], "Zm9v/mFyMTIzNDU2Nz+5MA Zm9v_mFyMTIzNDU2Nz-5MA\n", "*** ***\n"),
    // How scripts put values into patterns, services into messages, and Windows into command lines.
    (&["a.b/c&d*e[f"], "a\\.b\\/c\\&d\\*e\\[f a.b\\/c\\&d*e[f\n", "*** ***\n"),
    (&["it's [in]|side"], "##teamcity[message text='it|'s |[in|]||side']\n", "##teamcity[message text='***']\n"),
    (&["a,b (c);d"], "npm.cmd a^,b^ ^(c^)^;d\n", "npm.cmd ***\n"),
    // Commands in the log of Azure Pipelines and of GitHub's runner, of which each has its own sign for the percent sign.
    (
        &["a%b;c]d-walnut"],
        "##vso[task.setvariable variable=x]a%AZP25b;c]d-walnut ##vso[a b=a%AZP25b%3Bc%5Dd-walnut]\n",
        "##vso[task.setvariable variable=x]*** ##vso[a b=***]\n",
    ),
    (&["a%b;c]d-walnut"], "::error title=a%25b;c]d-walnut::a%25b;c]d-walnut\n", "::error title=***::***\n"),
    // A word that a script does not quote.
    (&["wal\\nut-K\\7\\"], "+ : walnut-K7 wal\\nut-K\\7\\\n", "+ : *** ***\n"),
    // Each character by its number.
    (&["wa11ut"], "\\u{77}\\u{61}\\u{31}\\u{31}\\u{75}\\u{74} \\x{77}a\\x{31}1ut\n", "*** ***\n"),
    // White space of all kinds between the lines of a key.
    (
        &["-----BEGIN A KEY-----\nasdf\n-----END A KEY-----\n"],
        "x\n-----BEGIN A KEY-----\n\n \n\u{b}asdf\n\t\t\n  \n-----END A KEY-----\n\n\nx",
        "x\n***\n\n \n\u{b}***\n\t\t\n  \n***\n\n\nx",
    ),
    // A short first line; short lines of JSON that stand in other JSON.
    (
        &["an\nold walnut-tree!!", "two\n\nbranches"],
        "an\nold walnut-tree!! ;)\nwith\ntwo\n\nbranches",
        "***\n*** ;)\nwith\n***\n\n***",
    ),
    (
        &["{\n\"foo\":[\n\"bar\"\n]\n}"],
        "[{vsn,\"0.12.1\"},{registered,[]}] \"bar\"\n",
        "[{vsn,\"0.12.1\"},{registered,[]}] \"bar\"\n",
    ),
    // Single letters and a long value that holds them.
    (&["a", "e", "o", "Lorem ipsum am3t"], "Lorem ipsum amet\n", "L***r***m ipsum ***m***t\n"),
    // Quotes that somebody has put around a value are not always written; and how expressions and arguments have them.
    (&["\"quoted-value\""], "quoted-value \"quoted-value\" \\\"quoted-value\\\"\n", "*** *** ***\n"),
    (&["it's-a-value"], "it''s-a-value it's-a-value\n", "*** ***\n"),
    // A key as terminals show its line ends, and as shells make one line of it.
    (
        &["-----BEGIN A KEY-----\nasdf\n-----END A KEY-----\n"],
        "x\r\r\n-----BEGIN A KEY-----\r\r\nasdf\r\r\n-----END A KEY-----\r\r\nx\r\r\n",
        "x\r\r\n***\r\r\n***\r\r\n***\r\r\nx\r\r\n",
    ),
    (
        &["-----BEGIN A KEY-----\nasdf\n-----END A KEY-----\n"],
        "x -----BEGIN A KEY----- asdf -----END A KEY----- x\n",
        "x *** x\n",
    ),
    // Pieces of one that is written over lines of a progress bar; one that goes on from another one.
    (&["shared-secret-1", "secret-1-longer"], "a shared-secret-1-longer b\rshared-secret-1\r", "a *** b\r***\r"),
    // Short ones beside long ones, at the start and at the end of everything.
    (&["aaaaaaaaaa", "bbbbbb"], "bbbbbb rest aaaaaaaaaa bbbbbb", "*** rest *** ***"),
    // Blanks around one do not count; a line of several that is blank does not, either.
    (&["  padded-value  "], "padded-value, padded-value\n", "***, ***\n"),
    (&["upper-line\n\nlower-line"], "x upper-line\n\nlower-line y\nlower-line\n", "x ***\n\n*** y\n***\n"),
    // Lines of one that is formatted JSON; its brackets are everybody's.
    (
        &["{\n  \"alpha\": \"1234-value\",\n  \"beta\": \"5678-value\"\n}\n"],
        "{\n}\n ok {\"alpha\": \"1234-value\",} ok\n",
        "{\n}\n ok {***} ok\n",
    ),
    // Several lines in a literal of JSON, and without quotes as arguments of a traced command.
    (&["first-words\nsecond-words"], "{\"key\":\"first-words\\nsecond-words\"}\n", "{\"key\":\"***\"}\n"),
    (&["first-words\nsecond-words"], "+ echo first-words second-words\n", "+ echo ***\n"),
    (&["first-words\nsecond-words"], "+ echo 'first-words\n+ second-words'\n", "+ echo '***\n+ ***'\n"),
    // In the arguments of a command, in a URL, as it is and as it must be written there.
    (
        &["p@ss/word-1"],
        "git clone https://me:p@ss/word-1@host/x.git --password=p@ss/word-1\n",
        "git clone https://me:***@host/x.git --password=***\n",
    ),
    (&["p@ss/word-1"], "git clone https://me:p%40ss%2Fword-1@host/x.git\n", "git clone https://me:***@host/x.git\n"),
    // What a job is told of its variables, and the same in capitals, which is another value.
    (
        &["secure-thing-1"],
        "overriding 'SECURE' with 'secure-thing-1', not SECURE-THING-1\n",
        "overriding 'SECURE' with '***', not SECURE-THING-1\n",
    ),
    // The files of mounted secrets: settings, of which each value may be written alone.
    (&["USER_NAME=app\nUSER_PASSWORD=kR7-pw4q-Zx\n"], "login with kR7-pw4q-Zx as app\n", "login with *** as app\n"),
    (
        &["https://app:kR7-pw4q-Zx@db.internal:5432/app"],
        "wrong: kR7-pw4q-Zx at db.internal:5432\n",
        "wrong: *** at db.internal:5432\n",
    ),
    (
        &["Server=db.internal;Password=kR7-pw4q-Zx;Encrypt=true"],
        "wrong: kR7-pw4q-Zx, db.internal\n",
        "wrong: ***, db.internal\n",
    ),
    (
        &["{\"type\":\"service_account\",\"project_id\":\"shop-12345\",\"client_secret\":\"kR7-pw4q-Zx9LmT2v\"}"],
        "service_account of shop-12345 with kR7-pw4q-Zx9LmT2v\n",
        "service_account of shop-12345 with ***\n",
    ),
    (
        &["eyJ0eXBlIjoic2VydmljZSIsInBhc3N3b3JkIjoia1I3LXB3NHEtWngifQ=="],
        "{\"type\":\"service\",\"password\":\"kR7-pw4q-Zx\"} kR7-pw4q-Zx\n",
        "*** ***\n",
    ),
    // A script of `cmd` reads its arguments twice.
    (&["wal&nut^7"], "cmd /c npm.cmd wal^^^&nut^^^^7\n", "cmd /c npm.cmd ***\n"),
    // As the bytes that it has: Python, JSON, Go, tables of C; Java's have a sign.
    (
        &["wa11ut-\u{e4}"],
        "[119, 97, 49, 49, 117, 116, 45, 195, 164] [119,97,49,49,117,116,45,195,164]\n",
        "[***] [***]\n",
    ),
    (
        &["wa11ut-\u{e4}"],
        "[119 97 49 49 117 116 45 195 164] [119, 97, 49, 49, 117, 116, 45, -61, -92]\n",
        "[***] [***]\n",
    ),
    (&["wa11ut-K"], "{ 0x77, 0x61, 0x31, 0x31, 0x75, 0x74, 0x2d, 0x4b }\n", "{ 0x*** }\n"),
    // What other maskers write in their place.
    (&["MASKED"], "[MASKED] MASKED\n", "[***] ***\n"),
];

#[test]
fn the_worlds_of_other_maskers_hold_at_every_cut() {
    for (values, input, expected) in WORLDS {
        whatever_the_cut(&engine_of(values), input.as_bytes(), expected.as_bytes());
    }
}

#[test]
fn a_long_value_is_masked_in_the_forms_that_are_not_too_long() {
    // No part of it repeats another.
    let long = |bytes: usize| -> String { (0..).map(|number| format!("{number:05x}.")).take(bytes / 6).collect() };
    let known = KnownValues::default();
    let value = long(9000);
    assert_eq!(known.add("LONG", value.as_bytes()), Ok(Added::Partly));
    whatever_the_end(&engine_with(known), format!("x {value} y {} z\n", base64(value.as_bytes())), "x *** y *** z\n");
    // A file of many lines is masked line by line where it is too long as a whole.
    let known = KnownValues::default();
    let lines: Vec<String> = (0..2000).map(|number| format!("line-{number:04}-of-it")).collect();
    assert_eq!(known.add("LINES", lines.join("\n").as_bytes()), Ok(Added::Partly));
    whatever_the_end(&engine_with(known), format!("x {} y\n{}\n", lines[7], lines[1999]), "x *** y\n***\n");
    let known = KnownValues::default();
    assert!(matches!(known.add("BLOB", long(17000).as_bytes()), Err(Refused::TooLong { .. })));
    assert!(known.is_empty() && known.current().is_empty());
}

/// The output for an input that comes whole, and in blocks of a read's size.
fn whatever_the_end(engine: &Arc<Engine>, input: String, expected: &str) {
    assert_eq!(shown(&whole(engine, input.as_bytes())), shown(expected.as_bytes()));
    let pieces: Vec<(&[u8], bool)> = input.as_bytes().chunks(4096).map(|piece| (piece, true)).collect();
    assert_eq!(shown(&in_pieces(engine, &pieces)), shown(expected.as_bytes()));
}

#[test]
fn a_value_that_was_broken_at_80_columns_or_at_those_that_programs_are_told_is_masked_without_a_terminal() {
    let values = ["correct-horse-battery", "correct horse battery staple", "k\u{e4}se-Brot-4711-\u{1f511}\u{1f511}"];
    let known = KnownValues::new(Policy { weak: true, ..Policy::default() });
    values.iter().for_each(|value| assert!(known.add("NAME", value.as_bytes()).is_ok()));
    let engine = engine_with(known.clone());
    let line = "the password of this account is called, as far as somebody knows it who has read all of the letters that we have sent:";
    for (width, told) in [(80, 0), (80, 120), (100, 100)] {
        known.set_columns(told);
        for value in values {
            for before in width - 30..=width {
                // Whatever stands below the last word of the line: letters and blanks.
                let behind = format!("{}{}", if before % 3 == 0 { " so" } else { " so " }, " i t".repeat(20));
                for (colour, end) in [("", "\n"), ("", "\r\r\n"), ("\u{1b}[1;31m", "\u{1b}[0m\r\n")] {
                    let text: Vec<char> = format!("{}{value}{behind}", &line[..before]).chars().collect();
                    let lines = text.chunks(width).map(|line| line.iter().collect::<String>());
                    let lines: String = lines.map(|line| format!("{colour}{line}{end}")).collect();
                    let text = format!("before\n{lines}behind\n");
                    let output = whole(&engine, text.as_bytes());
                    // What stands in front of the value is left, and of the value nothing.
                    let kept = shown(format!("before\n{colour}{}", &line[..before]).as_bytes());
                    let read = shown(&output);
                    let about = format!("{value} behind {before} of {width}: {read}");
                    assert!(read.starts_with(&kept) && read.ends_with("behind\\n"), "{about}");
                    let rest: String = String::from_utf8_lossy(&output).replace(['\r', '\n'], "");
                    let rest = rest.replace("\u{1b}[1;31m", "").replace("\u{1b}[0m", "").replace("***", "");
                    assert_eq!(rest, format!("before{}{behind}behind", &line[..before]), "{about}");
                    for chunk in [1, 7, width, width + 1, width + 2] {
                        for idle in [false, true] {
                            let pieces: Vec<(&[u8], bool)> =
                                text.as_bytes().chunks(chunk).map(|piece| (piece, idle)).collect();
                            assert_eq!(shown(&in_pieces(&engine, &pieces)), read, "by {chunk}, {idle}: {about}");
                        }
                    }
                    assert_eq!(shown(&whole(&engine, &output)), read, "filtered twice");
                }
            }
        }
    }
}

#[test]
fn a_value_that_was_broken_within_a_frame_or_goes_on_behind_an_indentation_is_masked() {
    let value = "correct-horse-battery-staple";
    let engine = engine_of(&[value]);
    // What stands before and behind the first line, and those that follow.
    for (first, others) in [
        (("\u{2502} ", " \u{2502}"), ("\u{2502} ", " \u{2502}")),
        (("| ", " |"), ("| ", " |")),
        (("\u{2502} \u{2503} ", " \u{2503} \u{2502}"), ("\u{2502} \u{2503} ", " \u{2503} \u{2502}")),
        (
            ("\u{1b}[31m\u{2502}\u{1b}[0m ", " \u{1b}[31m\u{2502}\u{1b}[0m"),
            ("\u{1b}[31m\u{2502}\u{1b}[0m ", " \u{1b}[31m\u{2502}\u{1b}[0m"),
        ),
        (("", ""), ("    ", "")),
        (("", ""), ("\t", "")),
    ] {
        let columns = |text: &str| text.replace("\u{1b}[31m", "").replace("\u{1b}[0m", "").chars().count();
        let room = 80 - columns(first.0) - columns(first.1);
        for cut in 1..value.len() {
            let (head, tail) = value.split_at(cut);
            let pad = if others.1.is_empty() { 0 } else { room - tail.len() };
            let frame = |said: &str, (left, right): (&str, &str)| format!("{left}{said}{right}\n");
            let line = |head: &str| frame(&format!("{head:->room$}"), first);
            let text = line(head) + &frame(&format!("{tail}{:pad$}", ""), others) + "behind it\n";
            let expected = line("@").replacen(&"-".repeat(cut - 1), "", 1).replace('@', "***")
                + &frame(&format!("***{:pad$}", ""), others)
                + "behind it\n";
            let output = shown(&whole(&engine, text.as_bytes()));
            assert_eq!(output, shown(expected.as_bytes()), "{text}");
            for chunk in [1, 7, 80, 81] {
                for idle in [false, true] {
                    let pieces: Vec<(&[u8], bool)> = text.as_bytes().chunks(chunk).map(|piece| (piece, idle)).collect();
                    assert_eq!(shown(&in_pieces(&engine, &pieces)), output, "by {chunk}, {idle}: {text}");
                }
            }
        }
    }
}

#[test]
fn a_long_run_that_was_broken_goes_on_behind_an_indentation_or_a_timestamp_whatever_stands_below_its_first_line() {
    let value: String = (0..75).map(|at| char::from(b'A' + (at * 7 % 26) as u8)).collect();
    let engine = engine_of(&[&value]);
    let (head, tail) = value.split_at(67);
    let first = format!("the token is {head}\n");
    assert_eq!(first.len(), 81);
    // The last has a blank below the one before the value.
    for before in ["", "    ", "\t\t", "12:04:01 at: "] {
        for behind in [" and so on", " ", ""] {
            let text = format!("{first}{before}{tail}{behind}\n");
            let expected = format!("the token is ***\n{before}***{behind}\n");
            whatever_the_cut(&engine, text.as_bytes(), expected.as_bytes());
        }
    }
}

#[test]
fn lines_of_80_columns_pass_that_do_not_break_a_value() {
    let engine = engine_of(&["correct-horse-battery", "======"]);
    let full = |end: &str| format!("{end:,>80}\n");
    for next in ["horse-battery\n", "-horse\n", ". -horse-battery\n", "\n-horse-battery\n", "2026 -horse-battery\n"] {
        let text = format!("{}{next}", full("correct"));
        whatever_the_cut(&engine, text.as_bytes(), text.as_bytes());
    }
    // One column less is no break, and neither is a line that was longer, or shorter, before something was masked.
    for line in [&full("correct")[1..], &format!(",{}", full("correct")), &full("***correct")] {
        let text = format!("{line}-horse-battery\n");
        whatever_the_cut(&engine, text.as_bytes(), text.as_bytes());
    }
    // What comes while the next line does not is shown, but for what may be the beginning of a value.
    let mut filter = Filter::new(engine_of(&["correct-horse-battery"]));
    let mut out = filter.push(full("cor").as_bytes()).to_vec();
    out.extend(filter.idle().to_vec());
    assert_eq!(shown(&out), ",".repeat(77));
}
