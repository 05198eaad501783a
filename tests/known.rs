//! Holds the masking of known values against a naive oracle. Does not test the doors by which they
//! come.

mod support;

use std::sync::Arc;

use blackbar::{
    Engine, Filter, KnownValues, Options, RuleSet,
    redact::Style,
    scan::{Commands, Entropy, known::Policy},
};
use proptest::{collection::vec, prelude::*};
use support::{
    in_pieces,
    known::{base64, engine_of, engine_with, whatever_the_cut},
    shown, whole,
    worlds::World,
};

/// The naive oracle: every place is compared with every value; what is covered, or touches what is
/// covered, is one mask.
fn masked<V: AsRef<[u8]>>(values: &[V], text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    loop {
        let mut covered = vec![false; text.len()];
        for value in values {
            let value = value.as_ref();
            for start in (0..text.len()).filter(|&start| text[start..].starts_with(value)) {
                covered[start..start + value.len()].fill(true);
            }
        }
        if !covered.contains(&true) {
            return text;
        }
        // No value holds a star, so a mask ends every value beside it.
        let mut next = Vec::new();
        for (at, &byte) in text.iter().enumerate() {
            if !covered[at] {
                next.push(byte);
            } else if at == 0 || !covered[at - 1] {
                next.extend(b"***");
            }
        }
        text = next;
    }
}

/// All strings of these lengths over {a, b}.
fn small_world(lengths: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = Vec<u8>> {
    lengths.flat_map(|length| {
        (0..1_u32 << length).map(move |bits| (0..length).map(|bit| b'a' + (bits >> bit & 1) as u8).collect())
    })
}

/// All values after all prefixes, cut in two at every place. The whole of it takes a minute:
/// `BLACKBAR_EXHAUSTIVE=1 cargo test --release --test known`.
#[test]
fn in_a_small_world_every_value_is_masked_at_every_cut() {
    let all = std::env::var_os("BLACKBAR_EXHAUSTIVE").is_some();
    let (values, prefixes) = if all { (2..=8, 0..=8) } else { (2..=5, 0..=4) };
    let mut runs = 0_u64;
    for value in small_world(values) {
        let engine = engine_of(&[&value]);
        for prefix in small_world(prefixes.clone()) {
            let text = [&prefix[..], &value].concat();
            let expected = masked(&[&value], &text);
            for cut in 0..=text.len() {
                for idle in [false, true] {
                    let output = in_pieces(&engine, &[(&text[..cut], idle), (&text[cut..], false)]);
                    let told = || format!("{} in {} cut at {cut}", shown(&value), shown(&text));
                    assert_eq!(shown(&output), shown(&expected), "{}", told());
                    runs += 1;
                }
            }
        }
    }
    assert!(runs > 20_000, "{runs}");
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 256,
        rng_seed: proptest::test_runner::RngSeed::Fixed(2026),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Few letters, so that values overlap themselves and each other.
fn word(letters: &'static [u8], length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(letters), length)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn overlapping_values_are_masked_as_the_oracle_does(
        values in vec(word(b"ab", 2..12), 1..6),
        texts in vec(word(b"ab \n", 0..60), 1..4),
        idle in any::<bool>(),
    ) {
        let engine = engine_of(&values);
        let text = texts.concat();
        // A line is masked by itself, and a last line that ends like a value begins is tested elsewhere.
        let text = [&text[..], b"\n"].concat();
        let expected: Vec<u8> =
            text.split_inclusive(|&byte| byte == b'\n').flat_map(|line| masked(&values, line)).collect();
        let mut pieces: Vec<(&[u8], bool)> = Vec::new();
        let mut rest = &text[..];
        for piece in &texts {
            let (first, others) = rest.split_at(piece.len());
            pieces.push((first, idle));
            rest = others;
        }
        pieces.push((rest, false));
        prop_assert_eq!(shown(&in_pieces(&engine, &pieces)), shown(&expected));
        prop_assert_eq!(shown(&whole(&engine, &expected)), shown(&expected), "filtered twice");
    }

    #[test]
    fn long_values_are_masked_as_the_oracle_does(
        values in vec(word(b"abc", 8..60), 1..8),
        choices in vec((0_usize..8, 0_usize..60, 0_usize..60), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        // A text of pieces of the values, which overlap and almost stand there.
        let mut text = Vec::new();
        for (value, from, length) in choices {
            let value = &values[value % values.len()];
            let from = from % value.len();
            text.extend_from_slice(&value[from..value.len().min(from + length)]);
        }
        // A line that ends in a long run of base64 digits could go on in the next.
        text.extend_from_slice(b".\n");
        let cut = cut.index(text.len());
        let output = in_pieces(&engine_of(&values), &[(&text[..cut], true), (&text[cut..], false)]);
        prop_assert_eq!(shown(&output), shown(&masked(&values, &text)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: env_cases(), ..config() })]

    #[test]
    fn no_piece_of_a_value_is_left_in_a_world_of_forms(choices in vec(any::<u8>(), 0..60)) {
        World::from_bytes(&choices).holds().map_err(TestCaseError::fail)?;
    }
}

/// `PROPTEST_CASES` tries more worlds.
fn env_cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256)
}

#[test]
fn a_value_added_while_a_line_is_held_is_masked_in_all_of_it_that_was_not_written() {
    let text = b"first sekret-value\nthe sekret-value is late\n";
    let secret = b"sekret-value";
    for cut in 0..=text.len() {
        let known = KnownValues::default();
        let engine = engine_with(known.clone());
        let mut streams = [Filter::new(Arc::clone(&engine)), Filter::new(engine)];
        let mut before = [Vec::new(), Vec::new()];
        for (stream, out) in streams.iter_mut().zip(&mut before) {
            out.extend(stream.push(&text[..cut]).to_vec());
        }
        known.add("NAME", secret).unwrap();
        for (stream, before) in streams.iter_mut().zip(&before) {
            let mut after = stream.push(&text[cut..]).to_vec();
            after.extend(stream.finish().to_vec());
            // What was written was clean at the time.
            assert_eq!(&text[..before.len()], &before[..]);
            let rest = masked(&[secret], &text[before.len()..]);
            assert_eq!(shown(&after), shown(&rest), "cut at {cut}");
        }
    }
}

#[test]
fn the_end_of_the_input_leaves_no_long_piece() {
    let secret = b"correct-horse-battery-staple";
    let engine = engine_of(&[secret]);
    for length in 1..=secret.len() {
        let text = [b"x=", &secret[..length]].concat();
        let expected = if length < 8 { text.clone() } else { b"x=***".to_vec() };
        assert_eq!(shown(&whole(&engine, &text)), shown(&expected));
    }
}

#[test]
fn where_somebody_types_the_first_bytes_of_a_value_show() {
    let known = KnownValues::default();
    known.add("NAME", b"correct-horse").unwrap();
    for (interactive, shown_bytes) in [(false, 2), (true, 9)] {
        let options = Options { known: known.clone(), interactive, entropy: Entropy::Off, ..Options::default() };
        let mut filter = Filter::new(Arc::new(Engine::new(RuleSet::empty(), options).unwrap()));
        let mut out = filter.push(b"$ correct").to_vec();
        out.extend(filter.idle().to_vec());
        assert_eq!(out.len(), shown_bytes);
        out.extend(filter.push(b"-horse\n").to_vec());
        assert!(!out.ends_with(b"horse\n"));
    }
}

fn following(commands: Commands) -> Arc<Engine> {
    let options = Options { style: Style::Fixed, entropy: Entropy::Off, commands, ..Options::default() };
    Arc::new(Engine::new(RuleSet::empty(), options).unwrap())
}

#[test]
fn a_command_in_the_stream_adds_a_value_from_its_line_on_at_every_cut() {
    let input = b"sekret-1 ::add-mask::no\n::add-mask::sekret-1%0Asekret-2\r\nsekret-1 sekret-2\n\
        ::stop-commands::T\n::add-mask::sekret-3\nsekret-3\n::T::\nx ##[add-mask]sekret-3\nsekret-3 ::a";
    let cases: &[(Commands, &[u8])] = &[
        (Commands::Ignore, input),
        (
            Commands::Hide,
            b"sekret-1 ::add-mask::no\n::add-mask::***\r\n***\n\
            ::stop-commands::T\n::add-mask::sekret-3\nsekret-3\n::T::\nx ##[add-mask]***\n*** ::a",
        ),
        (
            Commands::Pass,
            b"sekret-1 ::add-mask::no\n::add-mask::sekret-1%0Asekret-2\r\n***\n\
            ::stop-commands::T\n::add-mask::sekret-3\nsekret-3\n::T::\nx ##[add-mask]sekret-3\n*** ::a",
        ),
    ];
    for (commands, expected) in cases {
        for cut in 0..=input.len() {
            for idle in [false, true] {
                let engine = following(*commands);
                let output = in_pieces(&engine, &[(&input[..cut], idle), (&input[cut..], false)]);
                assert_eq!(shown(&output), shown(expected), "{commands:?}, cut at {cut}, idle {idle}");
            }
        }
        let bytes: Vec<(&[u8], bool)> = input.chunks(1).map(|byte| (byte, true)).collect();
        assert_eq!(shown(&in_pieces(&following(*commands), &bytes)), shown(expected), "byte by byte");
    }
}

/// What was found ahead in a block is kept where its middle is taken out.
#[test]
fn what_was_found_in_one_block_is_not_taken_for_what_is_in_another() {
    let value = "walnut-Kestrel-4711";
    let engine = engine_of(&[value]);
    // The first two bytes, which could be a byte order mark, are a block of their own.
    let rest = format!("\nx {value}\n");
    let output = in_pieces(&engine, &[(b"\xfe", false), (rest.as_bytes(), false)]);
    assert_eq!(shown(&output), shown(b"\xfe\nx ***\n"));
    // Lines that are held take the block apart: each may go on in the next one.
    let held = format!("{}{}\n", "QUJD".repeat(20), "d2FsbnV0"); // ABC.., and the beginning of the value
    let lines: String = (0..40).map(|n| format!("{n} {held}{n} {value} clean\nclean {n}\n")).collect();
    let masked = lines.replace(value, "***");
    let output = whole(&engine, lines.as_bytes());
    assert!(!shown(&output).contains(value));
    assert_eq!(shown(&output).matches("***").count(), masked.matches("***").count(), "{}", shown(&output));
    // A value that is told in the middle of a block counts from there on.
    let engine = following(Commands::Hide);
    let told = format!("{held}a {value}\n::add-mask::{value}\n{held}b {value}\n{held}c {value}\n");
    let output = shown(&whole(&engine, told.as_bytes()));
    assert_eq!(output.matches(value).count(), 1, "{output}");
}

#[test]
fn a_value_told_in_one_stream_is_masked_in_the_other() {
    let engine = following(Commands::Hide);
    let (mut stdout, mut stderr) = (Filter::new(Arc::clone(&engine)), Filter::new(engine));
    let mut other = stderr.push(b"held sekret-val").to_vec();
    stdout.push(b"::add-mask::sekret-value\n");
    other.extend(stderr.push(b"ue\nsekret-value\n").to_vec());
    assert_eq!(shown(&other), shown(b"held ***\n***\n"));
    assert_eq!(stdout.stats().refused, 0);
    stdout.push(b"::add-mask::docker\n");
    assert_eq!(stdout.stats().refused, 1);
}

#[test]
fn a_value_that_stands_in_a_mask_changes_none() {
    let known = KnownValues::new(Policy { weak: true, ..Policy::default() });
    for value in ["REDACTED", "known-value", "known", "[REDACTED:known-value]", "secret-value"] {
        known.add("V", value.as_bytes()).unwrap();
    }
    let options = Options { entropy: Entropy::Off, known, ..Options::default() };
    let engine = Arc::new(Engine::new(RuleSet::empty(), options).unwrap());
    let mask = "[REDACTED:known-value]";
    for (input, expected) in [
        ("x known-value y\n", format!("x {mask} y\n")),
        ("secret-value: REDACTED\n", format!("{mask}: {mask}\n")),
        ("[REDACTED:known-value]\n", format!("{mask}\n")),
        ("knownsecret-value", mask.to_owned()),
    ] {
        whatever_the_cut(&engine, input.as_bytes(), expected.as_bytes());
    }
}

#[test]
fn a_value_of_blanks_is_none() {
    let known = KnownValues::new(Policy { weak: true, ..Policy::default() });
    for value in ["", "\n", " ", " \n\t\r\n "] {
        assert!(known.add("BLANK", value.as_bytes()).is_err(), "{}", shown(value.as_bytes()));
    }
    assert!(known.is_empty());
}

#[test]
fn a_value_that_stands_there_whole_is_masked_although_each_of_its_lines_stands_in_many_texts() {
    let known = KnownValues::default();
    known.add("LOGIN", b"password\nq1w2").unwrap();
    known.add("TWICE", b"code: one\naaaaaaaa").unwrap();
    known.add("PORT", b"localhost\n81\nadmin").unwrap();
    let engine = engine_with(known);
    for (input, expected) in [
        ("password\nq1w2\n", "***\n***\n"),
        ("+ password\n+ q1w2 and so on", "+ ***\n+ *** and so on"),
        ("localhost\n81\nadmin\n", "***\n***\n***\n"),
        ("localhost\n81\nroot\nadmin\n", "localhost\n81\nroot\nadmin\n"),
        // The last line stands twice in a line of the text.
        ("code: one\ntwo aaaaaaaa \"x aaaaaaaa\n", "***\ntwo *** \"x ***\n"),
        ("password\nlocalhost\nq1w2\n81\nadmin\n", "password\nlocalhost\nq1w2\n81\nadmin\n"),
    ] {
        whatever_the_cut(&engine, input.as_bytes(), expected.as_bytes());
    }
}

#[test]
fn the_short_lines_of_a_value_are_masked_in_their_order_and_nowhere_else() {
    let known = KnownValues::default();
    known.add("CODES", b"ab12\ncd34\n\n  ef56\n").unwrap();
    known.add("KEY", b"-----BEGIN KEY-----\nq7Wm2xPz9rTb\nk4==\n-----END KEY-----\n").unwrap();
    let engine = engine_with(known);
    let cases: &[(&str, &str)] = &[
        ("ab12\ncd34\n\nef56\nab12\n", "***\n***\n\n***\nab12\n"),
        ("ab12 cd34 ef56\nab12\r\ncd34\r\nef56\r\n", "***\n***\r\n***\r\n***\r\n"),
        (
            "01:02 x ab12\n01:02 x cd34\n01:03 x \n01:03 x ef56 and more\n",
            "01:02 x ***\n01:02 x ***\n01:03 x \n01:03 x *** and more\n",
        ),
        ("ab12\nother\ncd34\nef56\n", "ab12\nother\ncd34\nef56\n"),
        ("ab12\n", "ab12\n"),
        ("ab12\n\n\ncd34", "***\n\n\n***"),
        ("ab12\ncd34\nef", "***\n***\n***"),
        (
            "x -----BEGIN KEY-----\nx q7Wm2xPz9rTb\nx k4==\nx -----END KEY-----\nk4==\n",
            "x ***\nx ***\nx ***\nx ***\nk4==\n",
        ),
        ("q7Wm2xPz9rTb\nk4==\n", "***\n***\n"),
        ("-----BEGIN KEY-----\nMIIB\n", "-----BEGIN KEY-----\nMIIB\n"),
        (r#"{"k":"ab12\ncd34\n\n  ef56","n":1}"#, r#"{"k":"***","n":1}"#),
        (r#"{"k":"x ab12\nx cd34\nx ef56\n","n":1}"#, r#"{"k":"x ***\nx ***\nx ***\n","n":1}"#),
        (
            "{\"log\":\"ab12\\n\",\"stream\":\"stdout\"}\n{\"log\":\"cd34\\n\",\"stream\":\"stdout\"}\n",
            "{\"log\":\"***\\n\",\"stream\":\"stdout\"}\n{\"log\":\"***\\n\",\"stream\":\"stdout\"}\n",
        ),
        (
            "2026-11-26T20:00:00.1Z stdout F ab12\n2026-11-26T20:00:00.1Z stdout F cd34\n",
            "2026-11-26T20:00:00.1Z stdout F ***\n2026-11-26T20:00:00.1Z stdout F ***\n",
        ),
        // Each of the lines stands alone in its line of the log, or in a record that says that its line goes on.
        (
            "2026-11-26T20:00:00.1Z stdout P ab12\ncd34\nef56\n2026-11-26T20:00:00.1Z stdout F x\ncd34\n",
            "2026-11-26T20:00:00.1Z stdout P ***\n***\n***\n2026-11-26T20:00:00.1Z stdout F x\ncd34\n",
        ),
        (
            "ab12\n2026-11-26T20:00:00.1Z stdout P cd34\nef56\n2026-11-26T20:00:00.1Z stdout F\n",
            "***\n2026-11-26T20:00:00.1Z stdout P ***\n***\n2026-11-26T20:00:00.1Z stdout F\n",
        ),
        (
            "2026-11-26T20:00:00.1Z stdout P ab12\n2026-11-26T20:00:00.1Z stdout F cd34\nef56\n",
            "2026-11-26T20:00:00.1Z stdout P ***\n2026-11-26T20:00:00.1Z stdout F ***\n***\n",
        ),
        (
            "2026-11-26T20:00:00.1Z stdout P ab\n2026-11-26T20:00:00.1Z stdout F 12\ncd34\nef56\n",
            "2026-11-26T20:00:00.1Z stdout P ***\n2026-11-26T20:00:00.1Z stdout F ***\n***\n***\n",
        ),
        (
            "{\"log\":\"ab12\",\"stream\":\"stdout\"}\ncd34\n{\"log\":\"\\n\",\"stream\":\"stdout\"}\n",
            "{\"log\":\"***\",\"stream\":\"stdout\"}\n***\n{\"log\":\"\\n\",\"stream\":\"stdout\"}\n",
        ),
    ];
    for (input, expected) in cases {
        whatever_the_cut(&engine, input.as_bytes(), expected.as_bytes());
    }
}

/// No piece of eight bytes or more of any of these texts may be left.
fn readable(output: &[u8], forms: &[String]) -> Option<String> {
    let forms = forms.iter().flat_map(|form| form.as_bytes().windows(8));
    forms.into_iter().find(|piece| output.windows(8).any(|part| part == *piece)).map(shown)
}

#[test]
fn base64_that_is_broken_into_lines_is_masked_wherever_the_value_lies_in_it() {
    let secret = b"x7Qw-Canary_p4ss/wd+Zz91";
    let engine = engine_of(&[secret]);
    for (width, prefix) in [(64, ""), (76, ""), (76, "  "), (64, "20:01:02 ")] {
        for before in 0..80 {
            let mut rng = blackbar::rules::sample::Rng::new(before as u64);
            let noise = blackbar::rules::sample::fill(&format!("{{base62:{}}}", before + 1), &mut rng).unwrap();
            let text = [noise.as_bytes(), secret, b" and some more text behind it\n"].concat();
            let lines: Vec<String> = base64(&text)
                .as_bytes()
                .chunks(width)
                .map(|line| format!("{prefix}{}\n", String::from_utf8_lossy(line)))
                .collect();
            let input = format!("start\n{}end\n", lines.concat());
            // What of the value's base64 depends on the value alone.
            let shift = (3 - (before + 1) % 3) % 3;
            let alone = base64(&secret[shift..secret.len() - (secret.len() - shift) % 3]);
            for chunk in [input.len(), 1, 7, 40, 64, 65, 77] {
                for idle in [false, true] {
                    let pieces: Vec<(&[u8], bool)> =
                        input.as_bytes().chunks(chunk).map(|piece| (piece, idle)).collect();
                    let output = in_pieces(&engine, &pieces);
                    let text: Vec<u8> = String::from_utf8_lossy(&output).replace(prefix.trim_start(), "").into_bytes();
                    let joined: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
                    assert_eq!(
                        readable(&joined, std::slice::from_ref(&alone)),
                        None,
                        "width {width}, {before} before: {}",
                        shown(&output)
                    );
                    // Behind a last line that is full, anything could go on with it.
                    let full = lines.last().is_some_and(|line| line.len() > 60);
                    assert!(output.starts_with(b"start\n") && (full || output.ends_with(b"\nend\n")));
                }
            }
        }
    }
}

#[test]
fn lines_of_base64_are_read_together_or_apart_however_they_come() {
    let secret = "FLUW8SXZvSVBycvrisG7\u{e9}\u{6f22}";
    let engine = engine_of(&[secret]);
    for before in ["", "x", "user and pass: "] {
        for between in [" more text to fill ", "", " \u{6f22}\u{6f22} and so on, for longer than a line of it, and on "]
        {
            let text = base64([before, secret, between, secret, " end of it"].concat().as_bytes());
            let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
            let log = format!("\"{}\n", lines.join("\n"));
            let expected = whole(&engine, log.as_bytes());
            for cut in 0..log.len() {
                let (one, other) = log.as_bytes().split_at(cut);
                let output = in_pieces(&engine, &[(one, true), (other, false)]);
                assert_eq!(shown(&output), shown(&expected), "cut at {cut} of {}", shown(log.as_bytes()));
            }
        }
    }
}

#[test]
fn lines_of_base64_between_other_digits_are_read_the_same_however_they_come() {
    let secret = "0123x7Qw-Canary_p4ss/wd+Zz91a  \u{6f22}";
    let engine = engine_of(&[secret]);
    let text = base64([&"y".repeat(40), secret, "! and more text"].concat().as_bytes());
    let twice = base64(base64(secret.as_bytes()).as_bytes());
    for (before, prefix, behind) in [
        (format!("a01230123{twice}{twice}\n"), "12:00 ", format!("\n{twice}{twice} is it")),
        (format!("a01230123{twice}{twice}\n"), "", format!("\n{twice}{twice} is it")),
        (format!("{twice}\n"), "12:00 ", "\nwords".to_owned()),
    ] {
        let lines: Vec<String> =
            text.as_bytes().chunks(64).map(|line| format!("{prefix}{}", String::from_utf8_lossy(line))).collect();
        let log = format!("{before}{}{behind}", lines.join("\n"));
        let expected = whole(&engine, log.as_bytes());
        for cut in 0..log.len() {
            let (one, other) = log.as_bytes().split_at(cut);
            let output = in_pieces(&engine, &[(one, true), (other, false)]);
            assert_eq!(shown(&output), shown(&expected), "cut at {cut} of {}", shown(log.as_bytes()));
        }
    }
}

#[test]
fn a_value_that_a_program_broke_at_the_terminals_width_is_masked() {
    let secret = b"correct-horse-battery";
    let known = KnownValues::default();
    known.add("NAME", secret).unwrap();
    known.set_width(40);
    let engine = engine_with(known.clone());
    for before in 20..=40 {
        let line = [&b"the password of this account is called: "[..before], secret, b" so\r\n"].concat();
        // By the program, a shell in which somebody types on, or a pager.
        for end in [&b"\r\n"[..], b" \r", b" \x08"] {
            let broken = [&line[..40], end, &line[40..]].concat();
            for chunk in [broken.len(), 1, 5, 41, 42] {
                let pieces: Vec<(&[u8], bool)> = broken.chunks(chunk).map(|piece| (piece, true)).collect();
                let output = in_pieces(&engine, &pieces);
                let joined: Vec<u8> = output.iter().copied().filter(|byte| !b" \x08\r\n".contains(byte)).collect();
                let left = readable(&joined, &[String::from_utf8_lossy(secret).into_owned()]);
                assert_eq!(left, None, "{before} before, by {chunk}: {}", shown(&output));
            }
        }
    }
    known.set_width(0);
    let input = [&secret[..9], b"\r\n", &secret[9..], b"\r\n"].concat();
    assert_eq!(shown(&whole(&engine, &input)), shown(&input));
}
