//! What `scan --in-place` and `scan --out` write, and what they refuse to write.
#![cfg(unix)]

mod command;

use std::{
    fs::{self, File, Permissions},
    io::{Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use command::{Ended, OTHER, SECRET, Sandbox, names};

fn scan(sandbox: &Sandbox, arguments: &[&str]) -> Ended {
    let first = ["scan", "--no-default-rules", "--rules", "acme.toml"];
    let ended = sandbox.run(&[&first[..], arguments].concat(), "");
    assert!(!ended.printed().contains(SECRET) && !ended.printed().contains(OTHER), "{ended:?}");
    ended
}

fn text() -> String {
    format!("a {SECRET}\n\u{1b}[31mno\r\n{OTHER}")
}

const MASKED: &str = "a [REDACTED:acme-token]\n\u{1b}[31mno\r\n[REDACTED:acme-token]";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    builder.append_data(&mut header, name, bytes).unwrap();
    builder.into_inner().unwrap()
}

fn written() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// A file of another time and mode than a new one would have.
fn old_file(sandbox: &Sandbox, name: &str, bytes: impl AsRef<[u8]>) {
    let path = sandbox.write(name, bytes);
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(written()).unwrap();
}

fn is_as_old(path: &Path) -> bool {
    let meta = fs::metadata(path).unwrap();
    meta.mode() & 0o7777 == 0o640 && meta.modified().unwrap() == written()
}

#[test]
fn in_place_masks_and_keeps_mode_and_time() {
    let sandbox = Sandbox::new();
    old_file(&sandbox, "in/a.log", text());
    old_file(&sandbox, "in/clean.log", "clean\n");
    let clean = fs::metadata(sandbox.path("in/clean.log")).unwrap().ino();
    let ended = scan(&sandbox, &["--in-place", "in"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("wrote 1 file, masked"), "{ended:?}");
    assert_eq!(sandbox.read("in/a.log"), MASKED);
    assert!(is_as_old(&sandbox.path("in/a.log")));
    assert_eq!(fs::metadata(sandbox.path("in/clean.log")).unwrap().ino(), clean, "it was not touched");
    assert_eq!(names(&sandbox.path("in")).len(), 2, "no draft is left");
    assert_eq!(scan(&sandbox, &["--in-place", "in"]).code, 0, "nothing is left to be masked");
}

#[test]
fn packed_files_are_packed_again_in_their_format() {
    let long = format!("{}\n", text()).repeat(100_000);
    let mut bzip = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    bzip.write_all(long.as_bytes()).unwrap();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    xz.write_all(long.as_bytes()).unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(long.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    let sandbox = Sandbox::new();
    for (name, bytes) in
        [("gz", gzip(long.as_bytes())), ("bz2", bzip.finish().unwrap()), ("xz", xz.finish().unwrap()), ("zst", zstd)]
    {
        old_file(&sandbox, &format!("in/{name}"), bytes);
    }
    let ended = scan(&sandbox, &["--in-place", "in"]);
    assert!(ended.code == 1 && ended.stderr.contains("wrote 4 files, masked"), "{ended:?}");
    let expected = format!("{MASKED}\n").repeat(100_000);
    let open = |name: &str| File::open(sandbox.path(&format!("in/{name}"))).unwrap();
    let mut found = [(); 4].map(|()| String::new());
    flate2::read::MultiGzDecoder::new(open("gz")).read_to_string(&mut found[0]).unwrap();
    bzip2::read::MultiBzDecoder::new(open("bz2")).read_to_string(&mut found[1]).unwrap();
    lzma_rust2::XzReader::new(open("xz"), true).read_to_string(&mut found[2]).unwrap();
    // This reader takes one frame at a time.
    let mut packed = std::io::BufReader::new(open("zst"));
    while !std::io::BufRead::fill_buf(&mut packed).unwrap().is_empty() {
        ruzstd::decoding::StreamingDecoder::new(&mut packed).unwrap().read_to_string(&mut found[3]).unwrap();
    }
    for (name, found) in ["gz", "bz2", "xz", "zst"].iter().zip(&found) {
        assert!(*found == expected, "{name}: {} bytes", found.len());
        assert!(is_as_old(&sandbox.path(&format!("in/{name}"))), "{name}");
    }
}

#[test]
fn copies_go_below_a_folder_and_the_originals_stay() {
    let sandbox = Sandbox::new();
    old_file(&sandbox, "in/b/a.log", text());
    old_file(&sandbox, "in/clean.log", "clean\n");
    old_file(&sandbox, &format!("in/{SECRET}.log"), "x\n");
    old_file(&sandbox, "in/a.bin", b"\x7fELF\0\0");
    let ended = scan(&sandbox, &["--out", "copies", "."]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(sandbox.read("copies/in/b/a.log"), MASKED);
    assert_eq!(sandbox.read("copies/in/clean.log"), "clean\n");
    assert_eq!(sandbox.read("copies/in/[REDACTED:acme-token].log"), "x\n");
    assert_eq!(sandbox.read("in/b/a.log"), text());
    let meta = fs::metadata(sandbox.path("copies/in/b/a.log")).unwrap();
    assert_eq!((meta.mode() & 0o777, meta.modified().unwrap()), (0o600, written()));
    assert!(!sandbox.path("copies/copies").exists() && !sandbox.path("copies/in/a.bin").exists());
    let again = scan(&sandbox, &["--out", "copies", "in"]);
    assert!(again.code == 3 && again.stderr.contains("in/clean.log: not written: there is such a file"), "{again:?}");
    assert_eq!(scan(&sandbox, &["--out", "copies", "--force", "in"]).code, 1);
}

#[test]
fn a_link_below_the_folder_for_copies_is_not_followed() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", text());
    sandbox.write("elsewhere/x", "");
    fs::create_dir(sandbox.path("copies")).unwrap();
    std::os::unix::fs::symlink(sandbox.path("elsewhere"), sandbox.path("copies/in")).unwrap();
    let ended = scan(&sandbox, &["--out", "copies", "--force", "in"]);
    assert_eq!((ended.code, names(&sandbox.path("elsewhere"))), (3, vec!["x".to_owned()]), "{ended:?}");
}

#[test]
fn what_cannot_be_rewritten_is_said_and_stays() {
    let sandbox = Sandbox::new();
    let journal = format!("__CURSOR=s=1\n__REALTIME_TIMESTAMP=1763680223250000\nMESSAGE={SECRET}\n\n");
    let cut = &gzip(text().repeat(50).as_bytes())[..60];
    let twice = gzip(&gzip(text().as_bytes()));
    for (name, bytes, why) in [
        ("a.tar", tar("x", text().as_bytes()), "an archive"),
        ("a.tgz", gzip(&tar("x", text().as_bytes())), "an archive"),
        ("twice.gz", twice, "an archive"),
        ("export", journal.into_bytes(), "a journal export"),
        ("cut.gz", cut.to_vec(), "it could not be read to its end"),
    ] {
        let path = format!("in/{name}");
        old_file(&sandbox, &path, &bytes);
        let ended = scan(&sandbox, &["--in-place", "--force", &path]);
        assert_eq!(ended.code, 3, "{name}: {ended:?}");
        assert!(ended.stderr.contains(&format!("in/{name}: not written: {why}")), "{name}: {ended:?}");
        assert!(fs::read(sandbox.path(&path)).unwrap() == bytes && is_as_old(&sandbox.path(&path)), "{name}");
    }
}

#[test]
fn a_file_with_other_names_is_rewritten_only_by_force() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", text());
    fs::hard_link(sandbox.path("in/a.log"), sandbox.path("other.log")).unwrap();
    let ended = scan(&sandbox, &["--in-place", "in"]);
    assert!(ended.code == 3 && ended.stderr.contains("hard links"), "{ended:?}");
    assert_eq!(sandbox.read("in/a.log"), text());
    assert_eq!(scan(&sandbox, &["--in-place", "--force", "in"]).code, 1);
    assert_eq!((sandbox.read("in/a.log").as_str(), sandbox.read("other.log")), (MASKED, text()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_somebody_writes_is_rewritten_only_by_force() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("in/a.log", text());
    let log = File::options().append(true).open(path).unwrap();
    let mut writer = Command::new("cat").stdin(Stdio::piped()).stdout(log).spawn().unwrap();
    let ended = scan(&sandbox, &["--in-place", "in"]);
    assert!(ended.code == 3 && ended.stderr.contains("somebody has it open for writing"), "{ended:?}");
    assert_eq!(sandbox.read("in/a.log"), text());
    assert_eq!(scan(&sandbox, &["--in-place", "--force", "in"]).code, 1);
    assert_eq!(sandbox.read("in/a.log"), MASKED);
    drop(writer.stdin.take());
    writer.wait().unwrap();
}

#[test]
fn a_link_that_the_user_names_stays_one() {
    let sandbox = Sandbox::new();
    sandbox.write("real.log", text());
    std::os::unix::fs::symlink("real.log", sandbox.path("link.log")).unwrap();
    assert_eq!(scan(&sandbox, &["--in-place", "link.log"]).code, 1);
    assert!(fs::symlink_metadata(sandbox.path("link.log")).unwrap().is_symlink());
    assert_eq!(sandbox.read("real.log"), MASKED);
}

#[test]
fn where_there_is_no_room_the_old_file_stays() {
    let sandbox = Sandbox::new();
    let long = format!("{}\n", text()).repeat(20_000);
    old_file(&sandbox, "in/a.log", &long);
    let limited = "ulimit -f 64; trap '' XFSZ; exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_blackbar"), "scan", "--no-default-rules", "--rules", "acme.toml"])
        .args(["--in-place", "in"])
        .current_dir(sandbox.path(""))
        .env("HOME", sandbox.path("home"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("in/a.log: not written: "), "{said}");
    assert!(sandbox.read("in/a.log") == long && is_as_old(&sandbox.path("in/a.log")));
    assert_eq!(names(&sandbox.path("in")), ["a.log"]);
}

#[test]
fn a_kill_in_the_middle_leaves_the_old_file() {
    let sandbox = Sandbox::new();
    let long = format!("{}\n", text()).repeat(300_000);
    old_file(&sandbox, "in/a.log", &long);
    let arguments = ["scan", "--no-default-rules", "--rules", "acme.toml", "--in-place", "in"];
    let mut command = sandbox.command(&arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The draft is there from the first masked byte to the last.
    while names(&sandbox.path("in")).len() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(sandbox.read("in/a.log") == long && is_as_old(&sandbox.path("in/a.log")));
    let draft = names(&sandbox.path("in")).into_iter().find(|name| name != "a.log").unwrap();
    let draft = sandbox.path(&format!("in/{draft}"));
    assert_eq!(fs::metadata(&draft).unwrap().mode() & 0o777, 0o600);
    assert!(!String::from_utf8_lossy(&fs::read(draft).unwrap()).contains(SECRET));
    // What was left over goes with the next try.
    assert_eq!(scan(&sandbox, &["--in-place", "in"]).code, 1);
    assert_eq!(names(&sandbox.path("in")), ["a.log"]);
    assert!(!sandbox.read("in/a.log").contains(SECRET));
}

#[test]
fn a_file_that_changes_while_it_is_read_stays_as_it_is() {
    let sandbox = Sandbox::new();
    let long = format!("{}\n", text()).repeat(300_000);
    let path = sandbox.write("in/a.log", &long);
    let arguments = ["scan", "--no-default-rules", "--rules", "acme.toml", "--in-place", "in"];
    let child = sandbox.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while names(&sandbox.path("in")).len() < 2 {
        std::thread::yield_now();
    }
    // The draft was begun: all of this is behind what it knows of the file.
    File::options().append(true).open(&path).unwrap().write_all(b"one more line\n").unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(3) && said.contains("it changed while it was read"), "{said}");
    assert!(sandbox.read("in/a.log") == long + "one more line\n");
    assert_eq!(names(&sandbox.path("in")), ["a.log"]);
}

#[test]
fn targets_that_exclude_each_other_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("in/logs/a.log", text());
    // What lies below the folder for copies is taken for copies.
    let outside = [&["--out", "in", "in"][..], &["--out", "in", "in/logs"], &["--out", ".", "in/logs/a.log"]];
    for arguments in [&["--out", "x", "--in-place", "."][..], &["--in-place", "-"]].into_iter().chain(outside) {
        assert_eq!(scan(&sandbox, arguments).code, 2);
    }
}
