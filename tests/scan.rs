//! What `scan` says of files, trees and archives, as a user sees it: report, lists, exit codes.

mod command;

use std::{
    fs,
    io::{Cursor, Write as _},
};

use command::{CANARY, Ended, OTHER, SECRET, Sandbox, misleads};

/// Runs a scan with the rule of the tests and no other.
fn scan(sandbox: &Sandbox, arguments: &[&str]) -> Ended {
    let first = ["scan", "--no-default-rules", "--rules", "acme.toml"];
    let ended = sandbox.run(&[&first[..], arguments].concat(), "");
    for secret in [SECRET, OTHER, &SECRET[5..], CANARY] {
        assert!(!ended.printed().contains(secret), "{ended:?}");
    }
    ended
}

fn line() -> String {
    format!("2026-11-20T01:02:03Z token {SECRET} leaked\n")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(6);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = rawzip::ZipArchiveWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let file = archive.new_file(name).compression_method(rawzip::CompressionMethod::DEFLATE);
        let (mut entry, config) = file.start().unwrap();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
        let mut writer = config.wrap(encoder);
        writer.write_all(bytes).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_tree_without_secrets_is_quiet_and_ends_with_0() {
    let sandbox = Sandbox::new();
    sandbox.write("logs/a.log", "clean\n");
    let ended = scan(&sandbox, &["logs"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    assert_eq!(ended.stderr, "blackbar: nothing found; read 1 file, 6 B\n");
}

#[test]
fn the_report_says_what_where_since_when_and_what_to_do() {
    let sandbox = Sandbox::new();
    sandbox.write("logs/a.log", format!("x\n{}", line()));
    sandbox.write("logs/b/c.log", format!("2026-11-19T00:00:00Z {SECRET}\n2026-11-21T00:00:00Z {SECRET}\n"));
    let ended = scan(&sandbox, &["logs"]);
    assert_eq!(ended.code, 1);
    let sample = "2026-11-20T01:02:03Z token [REDACTED:acme-token] leaked";
    assert_eq!(
        ended.stdout,
        format!(
            "high  acme-token  Acme token\n\
             \x20 sample   {sample}\n\
             \x20 found    3 times, confidence high\n\
             \x20 first    2026-11-19T00:00:00.000Z  logs/b/c.log:1:22\n\
             \x20 last     2026-11-21T00:00:00.000Z  logs/b/c.log:2:22\n\
             \x20 in       logs/a.log\n\
             \x20          logs/b/c.log\n\
             \x20 next     rotate it: https://acme.example/tokens, then clean or delete these files\n"
        )
    );
    assert!(ended.stderr.starts_with("blackbar: found 1 secret, 3 times, in 2 files; read 2 files, "), "{ended:?}");
}

#[test]
fn the_report_does_not_depend_on_threads() {
    let sandbox = Sandbox::new();
    for at in 0..40 {
        sandbox.write(&format!("logs/{at}.log"), format!("{}{OTHER}\n", line().repeat(at + 1)));
    }
    let reports: Vec<_> = ["1", "2", "7"].map(|jobs| scan(&sandbox, &["--jobs", jobs, "logs"])).into();
    assert!(reports.iter().all(|ended| ended.stdout == reports[0].stdout), "{reports:?}");
}

#[test]
fn every_packing_is_opened_by_its_content_whatever_its_name() {
    let text = line().into_bytes();
    for (name, bytes, place) in [
        ("a.log", gzip(&text), "a.log"),
        ("a.txt", zstd(&text), "a.txt"),
        ("a", bzip2(&text), "a"),
        ("a.gz", xz(&text), "a.gz"),
        ("a.dat", tar(&[("in/x.log", &text)]), "a.dat!in/x.log"),
        ("a.jar", zip(&[("in/x.log", &text)]), "a.jar!in/x.log"),
        ("a.tgz", gzip(&tar(&[("x.log", &text)])), "a.tgz!x.log"),
        ("a.zip", zip(&[("b.tar.xz", &xz(&tar(&[("c.bz2", &bzip2(&text))])))]), "a.zip!b.tar.xz!c.bz2"),
        ("b.tar", tar(&[("c.zip", &zip(&[("d.zst", &zstd(&text))]))]), "b.tar!c.zip!d.zst"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write(&format!("in/{name}"), bytes);
        let ended = scan(&sandbox, &["in"]);
        assert_eq!(ended.code, 1, "{name}: {ended:?}");
        assert!(ended.stdout.contains(&format!("2026-11-20T01:02:03.000Z  in/{place}:1:28\n")), "{name}: {ended:?}");
    }
}

#[test]
fn standard_input_is_scanned_packed_or_not() {
    let sandbox = Sandbox::new();
    for bytes in [line().into_bytes(), gzip(line().as_bytes())] {
        let ended = sandbox.run(&["scan", "--no-default-rules", "--rules", "acme.toml", "-"], bytes);
        assert!(ended.code == 1 && ended.stdout.contains("stdin:1:28"), "{ended:?}");
        assert!(ended.stderr.contains("found 1 secret in 1 file; read 1 file, "), "{ended:?}");
    }
}

#[test]
fn a_known_value_in_base64_in_a_tar_gz_in_a_zip_is_found_by_one_command() {
    let sandbox = Sandbox::new();
    let value = "plain-value-of-nobody-1";
    sandbox.write("values", format!("{value}\n"));
    // base64 of `user:plain-value-of-nobody-1`
    let text = b"2026-11-20T01:02:03Z Authorization: Basic dXNlcjpwbGFpbi12YWx1ZS1vZi1ub2JvZHktMQ==\n";
    sandbox.write("in/outer.zip", zip(&[("inner.tar.gz", &gzip(&tar(&[("a.log", text)])))]));
    let ended = sandbox.run(&["scan", "--secret-file", "values", "in"], "");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout.contains("in/outer.zip!inner.tar.gz!a.log:1:"), "{ended:?}");
    assert!(ended.stdout.contains("known"), "{ended:?}");
    assert!(!ended.printed().contains(value) && !ended.printed().contains("dXNlcjpwbGFpb"), "{ended:?}");
}

#[test]
fn lists_are_for_other_programs() {
    let sandbox = Sandbox::new();
    sandbox.write("in/clean.log", "x\n");
    sandbox.write("in/b.tar", tar(&[("x", line().as_bytes()), ("y", line().as_bytes())]));
    sandbox.write("in/a b.log", line());
    assert_eq!(scan(&sandbox, &["-l", "in"]).stdout, "in/a b.log\nin/b.tar\n");
    assert_eq!(scan(&sandbox, &["-l0", "in"]).stdout, "in/a b.log\0in/b.tar\0");
    assert_eq!(scan(&sandbox, &["-0", "in"]).code, 2);
}

#[test]
fn a_name_that_holds_a_secret_is_masked_everywhere_and_left_out_of_lists() {
    let sandbox = Sandbox::new();
    let name = format!("in/{SECRET}.log");
    sandbox.write(&name, line());
    let tar = format!("{OTHER}\u{1b}[31m.log");
    sandbox.write("in/a.tar", tar_of(&tar));
    let ended = scan(&sandbox, &["--findings", "f.ndjson", "--report", "json=r.json", "in"]);
    assert!(ended.stdout.contains("in/[REDACTED:acme-token].log:1:28"), "{ended:?}");
    assert!(ended.stdout.contains("in/a.tar![REDACTED:acme-token]\\u{1b}[31m.log"), "{ended:?}");
    assert!(!misleads(&ended.printed()), "{ended:?}");
    for file in ["f.ndjson", "r.json"] {
        let text = sandbox.read(file);
        assert!(!text.contains(SECRET) && !text.contains(OTHER) && text.contains("[REDACTED:acme-token].log"));
    }
    for option in ["-l", "-l0"] {
        let ended = scan(&sandbox, &[option, "in"]);
        assert_eq!((ended.code, ended.stdout.trim_end_matches(['\0', '\n'])), (3, "in/a.tar"), "{ended:?}");
        assert!(ended.stderr.contains("this path holds a secret itself"), "{ended:?}");
    }
}

fn tar_of(name: &str) -> Vec<u8> {
    tar(&[(name, line().as_bytes())])
}

#[test]
fn lines_outside_of_the_wanted_time_are_left_out() {
    let sandbox = Sandbox::new();
    let text = format!(
        "Nov 18 00:00:00 host a {SECRET}\n\
         [19/Nov/2026:00:00:00 +0000] {SECRET}\n\
         2026-11-20T00:00:00Z stdout F {SECRET}\n\
         {{\"log\":\"{SECRET}\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-21T00:00:00Z\"}}\n\
         \tat {SECRET}\n\
         1795219200 {SECRET}\n"
    );
    let path = sandbox.write("in/a.log", text);
    let written = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_795_300_000);
    fs::File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
    let found = |arguments: &[&str]| {
        let ended = scan(&sandbox, &[arguments, &["in"]].concat());
        ended.stdout.lines().find_map(|line| line.trim().strip_prefix("found").map(|rest| rest.trim().to_owned()))
    };
    let times = |count: &str| Some(format!("{count}, confidence high"));
    assert_eq!(found(&[]), times("6 times"));
    assert_eq!(found(&["--since", "2026-11-19"]), times("5 times"));
    assert_eq!(found(&["--since", "2026-11-21T00:00:00Z"]), times("3 times"));
    assert_eq!(found(&["--since", "2026-11-19", "--until", "2026-11-20"]), times("2 times"));
    assert_eq!(found(&["--until", "2026-11-18T00:00:00+00:00"]), times("once"));
    assert_eq!(found(&["--until", "2026-11-17"]), None);
}

#[test]
fn a_journals_export_is_read_with_its_times() {
    let sandbox = Sandbox::new();
    let mut text = b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1763680223250000\nMESSAGE\n".to_vec();
    let message = format!("two lines\n{SECRET}");
    text.extend((message.len() as u64).to_le_bytes());
    text.extend(message.as_bytes());
    text.extend(b"\nPRIORITY=6\n\n");
    sandbox.write("in/export", text);
    let ended = scan(&sandbox, &["in"]);
    assert!(ended.stdout.contains("first    2025-11-20T23:10:23.250Z  in/export:5:1"), "{ended:?}");
    // What somebody has cut out of one begins somewhere.
    let part = b"_PID=1\nPRIORITY=6\n\n__REALTIME_TIMESTAMP=1763680223250000\n__MONOTONIC_TIMESTAMP=7\n";
    sandbox.write("in/export", [part, format!("MESSAGE={SECRET}\n\n").as_bytes()].concat());
    let ended = scan(&sandbox, &["in"]);
    assert!(ended.stdout.contains("first    2025-11-20T23:10:23.250Z  in/export:6:9"), "{ended:?}");
    sandbox.write("in/export", b"LPKSHHRH\0\0\0\0\0\0\0\0");
    let ended = scan(&sandbox, &["in"]);
    let said = "left out 1 journal of systemd (journalctl -o export | blackbar scan - reads it): in/export";
    assert!(ended.code == 0 && ended.stderr.contains(said), "{ended:?}");
}

#[test]
fn files_that_are_no_text_are_said_and_skipped_or_read() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.bin", [b"\x7fELF\x02\x01\x01\0\0", line().as_bytes()].concat());
    let ended = scan(&sandbox, &["in"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("left out 1 file that is no text (--binary reads them): in/a.bin\n"), "{ended:?}");
    let noise = [b"\x01\x02\xff".repeat(200), SECRET.as_bytes().to_vec(), b"\x01\x02\xff".repeat(200)].concat();
    sandbox.write("in/a.bin", noise);
    let ended = scan(&sandbox, &["--binary", "in"]);
    assert!(ended.code == 1 && ended.stdout.lines().all(|line| line.chars().count() < 300), "{ended:?}");
}

#[test]
fn what_is_left_out_by_name_or_size_is_counted() {
    let sandbox = Sandbox::new();
    for name in ["in/a.log", "in/b/c.log", "in/big.log"] {
        sandbox.write(name, line());
    }
    sandbox.write("in/big.log", line().repeat(100));
    sandbox.write("in/x.tar", tar(&[("b/c.log", line().as_bytes()), ("k.log", line().as_bytes())]));
    let arguments = ["-l", "--exclude", "a.log", "--exclude", "b/*.log", "--max-size", "4K", "in"];
    let ended = scan(&sandbox, &arguments);
    assert_eq!(ended.stdout, "in/x.tar\n");
    assert!(ended.stderr.contains("left out 1 file larger than --max-size: in/big.log"), "{ended:?}");
    assert!(ended.stderr.contains("left out 2 by --exclude"), "{ended:?}");
}

#[test]
fn wrong_values_are_refused_and_not_shown() {
    let sandbox = Sandbox::new();
    for option in ["--since", "--until", "--max-size", "--progress"] {
        let ended = scan(&sandbox, &[option, CANARY, "."]);
        assert!(ended.code == 2 && ended.stderr.contains(option), "{ended:?}");
    }
    let ended = scan(&sandbox, &[]);
    assert!(ended.code == 2 && ended.stderr.contains("PATH is missing"), "{ended:?}");
}

#[test]
fn a_path_that_is_missing_is_said_and_the_rest_is_read() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", line());
    let ended = scan(&sandbox, &["nowhere", "in", "*.none"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("blackbar: nowhere: no such file\nblackbar: *.none: no such file\n"), "{ended:?}");
    assert!(ended.stdout.contains("in/a.log:1:28"));
}

#[test]
fn a_small_archive_cut_at_every_place_is_read_as_far_as_it_goes() {
    let text = [line().as_bytes(), &b"more\n".repeat(40)].concat();
    let member = [("x.log", text.as_slice())];
    for (name, whole) in
        [("tgz", gzip(&tar(&member))), ("zip", zip(&member)), ("txz", xz(&tar(&member))), ("zst", zstd(&text))]
    {
        let sandbox = Sandbox::new();
        for cut in 1..whole.len() {
            sandbox.write(&format!("in/{cut:04}"), &whole[..cut]);
        }
        let ended = scan(&sandbox, &["in"]);
        assert!(!ended.stderr.contains("internal error"), "{name}: {ended:?}");
        assert_eq!(ended.code, 3, "{name}: {ended:?}");
    }
}

#[test]
fn what_came_before_damage_is_still_found() {
    let sandbox = Sandbox::new();
    let noise: String = (0..20_000_u64).map(|at| format!("{:x}\n", at.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let mut bytes = gzip(format!("{}{noise}", line()).as_bytes());
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8].fill(0xff);
    sandbox.write("in/a.gz", bytes);
    let ended = scan(&sandbox, &["in"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stdout.contains("in/a.gz:1:28"), "{ended:?}");
    assert!(ended.stderr.contains("in/a.gz: damaged: not read to its end"), "{ended:?}");
}

#[test]
fn a_bomb_is_stopped_said_and_counted() {
    let sandbox = Sandbox::new();
    let zeros = vec![0; 4 << 20];
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    sandbox.write("in/a.bz2", encoder.finish().unwrap());
    sandbox.write("in/b.log", line());
    let ended = scan(&sandbox, &["in"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("in/a.bz2: a decompression bomb: not read to its end"), "{ended:?}");
    assert!(ended.stderr.contains("1 place could not be read"), "{ended:?}");
    assert!(ended.stdout.contains("in/b.log:1:28"), "{ended:?}");
}

#[test]
fn archives_inside_each_other_are_opened_to_a_bound() {
    let sandbox = Sandbox::new();
    let mut bytes = line().into_bytes();
    for depth in 1..=12 {
        bytes = gzip(&bytes);
        sandbox.write(&format!("in/{depth:02}"), &bytes);
    }
    let ended = scan(&sandbox, &["-l", "in"]);
    assert_eq!(ended.code, 3);
    assert_eq!(ended.stdout.lines().count(), 10, "{ended:?}");
    assert!(ended.stderr.contains("in/11: too many archives inside each other: not opened"), "{ended:?}");
}

#[cfg(unix)]
#[test]
fn symbolic_links_inside_folders_are_not_followed() {
    let sandbox = Sandbox::new();
    sandbox.write("out/a.log", line());
    sandbox.write("in/clean.log", "x\n");
    std::os::unix::fs::symlink(sandbox.path("out"), sandbox.path("in/dir")).unwrap();
    std::os::unix::fs::symlink(sandbox.path("out/a.log"), sandbox.path("in/file")).unwrap();
    let ended = scan(&sandbox, &["in"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("left out 2 symbolic links"), "{ended:?}");
    assert_eq!(scan(&sandbox, &["in/file"]).code, 1, "what the user names is followed");
}

#[test]
fn secrets_at_the_cuts_of_a_large_file_are_found() {
    let sandbox = Sandbox::new();
    let mut text = String::new();
    let mut count = 0;
    while text.len() < 40 << 20 {
        text.push_str(&"just a line of a log that has nothing in it at all\n".repeat(1000));
        text.push_str(&line());
        count += 1;
    }
    sandbox.write("in/large.log", text);
    let expected = format!("found    {count} times, ");
    for jobs in ["1", "3"] {
        let ended = scan(&sandbox, &["--jobs", jobs, "in"]);
        assert!(ended.stdout.contains(&expected), "{expected} {ended:?}");
        assert!(ended.stdout.contains("first    2026-11-20T01:02:03.000Z  in/large.log:1001:28"), "{ended:?}");
    }
}

#[test]
fn severity_confidence_and_allowing_decide_the_exit_code() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", line());
    assert_eq!(scan(&sandbox, &["--fail-on", "high", "in"]).code, 1);
    assert_eq!(scan(&sandbox, &["--fail-on", "critical", "in"]).code, 0);
    assert_eq!(scan(&sandbox, &["--exit-code", "9", "in"]).code, 9);
    sandbox.write("allow.toml", "[[allow]]\nrule = \"acme-token\"\nreason = \"known\"\n");
    let ended = scan(&sandbox, &["--allow", "allow.toml", "in"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stderr.contains("allowed 1 secret"), "{ended:?}");
}

#[test]
fn the_file_in_the_working_folder_counts() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", line());
    sandbox.write("blackbar.toml", "rules = [\"acme.toml\"]\nno-default-rules = true\nexclude = [\"*.log\"]\n");
    let ended = sandbox.run(&["scan", "in"], "");
    assert!(ended.code == 0 && ended.stderr.contains("left out 1 by --exclude"), "{ended:?}");
}

#[test]
fn progress_is_one_line_that_goes_away() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", line());
    let ended = scan(&sandbox, &["--progress", "always", "in"]);
    let last = ended.stderr.rsplit("\r\u{1b}[K").next().unwrap();
    assert!(ended.stderr.contains("\r\u{1b}[K1 file, ") && ended.stderr.contains("/s, 1 finding"), "{ended:?}");
    assert!(last.starts_with("blackbar: found 1 secret"), "{ended:?}");
    assert!(!scan(&sandbox, &["in"]).stderr.contains('\r'));
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_passed_over_and_one_that_is_named_is_read() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", "x\n");
    let pipe = sandbox.path("in/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(scan(&sandbox, &["in"]).code, 0);
    let writer = std::thread::spawn(move || fs::write(pipe, line()).unwrap());
    assert_eq!(scan(&sandbox, &["in/pipe"]).code, 1);
    writer.join().unwrap();
}

#[test]
fn findings_and_reports_have_the_times_of_lines_and_the_files() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", line());
    sandbox.write("in/b.log", line().replace("2026-11-20", "2026-11-22"));
    let kinds = ["json", "sarif", "gitlab", "csv"].map(|kind| format!("--report={kind}=r.{kind}"));
    scan(&sandbox, &[&["--findings", "found"], kinds.each_ref().map(String::as_str).as_slice(), &["in"]].concat());
    let logged: Vec<serde_json::Value> =
        sandbox.read("found").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(logged.iter().any(|finding| finding["blackbar"]["logged"] == "2026-11-22T01:02:03.000Z"), "{logged:?}");
    let sarif: serde_json::Value = serde_json::from_str(&sandbox.read("r.sarif")).unwrap();
    let seen = &sarif["runs"][0]["results"][0]["properties"];
    assert_eq!(
        (&seen["firstSeen"], &seen["lastSeen"]),
        (&"2026-11-20T01:02:03.000Z".into(), &"2026-11-22T01:02:03.000Z".into())
    );
    assert!(sandbox.read("r.gitlab").contains("are from 2026-11-20T01:02:03.000Z to 2026-11-22T01:02:03.000Z"));
    let table = sandbox.read("r.csv");
    assert!(table.lines().nth(1).unwrap().ends_with(",2026-11-20T01:02:03.000Z,2026-11-22T01:02:03.000Z"), "{table}");
    // In the place of the overview.
    assert_eq!(scan(&sandbox, &["--report", "csv=-", "in"]).stdout.lines().count(), 2);
    for refused in [&["--report", "csv=-", "--report", "json=-", "in"][..], &["-l", "--report", "json=-", "in"]] {
        assert_eq!(scan(&sandbox, refused).code, 2);
    }
    let report: serde_json::Value = serde_json::from_str(&sandbox.read("r.json")).unwrap();
    let secret = &report["secrets"][0]["blackbar"];
    assert_eq!(secret["first_seen"], "2026-11-20T01:02:03.000Z");
    assert_eq!(secret["last_seen"], "2026-11-22T01:02:03.000Z");
    assert_eq!(secret["places"], serde_json::json!(["in/a.log", "in/b.log"]));
}
