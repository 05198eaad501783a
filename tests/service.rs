//! Asks a running service as Prometheus and the kubelet do, and as clients do that mean no good. Does
//! not look at how it is built.

#![cfg(unix)]

mod command;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Stdio},
    sync::Arc,
    time::Duration,
};

use blackbar::{
    Engine, Filter, Options, RuleSet,
    limits::{HTTP_CONNECTIONS_MAX, HTTP_REQUEST_BYTES_MAX},
    service::{Cause, Meter, Server, Service, SourceKind, Turn},
};
use command::{SECRET, Sandbox};

fn engine(rules: RuleSet) -> Arc<Engine> {
    Arc::new(Engine::new(rules, Options::default()).unwrap())
}

/// A service of the built-in rules and that of [`command::RULES`], which listens on a free port.
fn serve() -> (Arc<Service>, Server) {
    serve_at("127.0.0.1:0")
}

fn serve_at(address: &str) -> (Arc<Service>, Server) {
    let mut rules = RuleSet::builtin().unwrap();
    rules.add(command::RULES, "test", "test").unwrap();
    let service = Service::new(&engine(rules));
    let server = Server::start(address.parse().unwrap(), &service).unwrap();
    (service, server)
}

/// Sends bytes and reads the answer to its end: the status, the head, the body.
fn ask(address: SocketAddr, request: &[u8]) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap();
    (status.parse().unwrap(), head.to_owned(), body.to_owned())
}

fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let (status, _, body) = ask(address, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    (status, body)
}

/// The series of an exposition by their names with labels.
fn series(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap()).map(|(name, value)| (name, value.parse().unwrap())).collect()
}

#[test]
fn what_filters_count_is_told_in_the_format_of_prometheus() {
    let (service, server) = serve();
    let mut filter = Filter::new(engine({
        let mut rules = RuleSet::empty();
        rules.add(command::RULES, "test", "test").unwrap();
        rules
    }));
    let mut meter = Meter::new(&service.metrics, SourceKind::Container);
    let input = format!("a\ntoken {SECRET} and {SECRET}\nb");
    let output = filter.push(input.as_bytes()).len();
    meter.update(filter.stats(), filter.held_bytes(), Duration::from_micros(20));
    filter.take_findings().iter().for_each(|finding| meter.found(finding));
    service.metrics.error(Cause::Checkpoint);
    service.metrics.rotated(Turn::Truncated);
    service.metrics.lost_bytes.add(7);
    service.metrics.lag_ms.set(1500);

    let (status, head, body) = ask(server.address(), b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(status, 200);
    assert!(head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    assert!(body.ends_with('\n') && !body.contains(SECRET));
    let told = series(&body);
    let expected: &[(&str, f64)] = &[
        ("blackbar_input_bytes_total", input.len() as f64),
        ("blackbar_output_bytes_total", output as f64),
        ("blackbar_lines_total", 2.0),
        ("blackbar_held_bytes", 1.0),
        ("blackbar_secrets_total{rule=\"acme-token\",source=\"container\"}", 2.0),
        ("blackbar_errors_total{kind=\"checkpoint\"}", 1.0),
        ("blackbar_errors_total{kind=\"internal\"}", 0.0),
        ("blackbar_rotations_total{kind=\"truncated\"}", 1.0),
        ("blackbar_reloads_total{result=\"failed\"}", 0.0),
        ("blackbar_lost_bytes_total", 7.0),
        ("blackbar_lag_seconds", 1.5),
        ("blackbar_ready", 0.0),
        ("blackbar_scan_duration_seconds_bucket{le=\"0.00001\"}", 0.0),
        ("blackbar_scan_duration_seconds_bucket{le=\"0.00003\"}", 1.0),
        ("blackbar_scan_duration_seconds_bucket{le=\"+Inf\"}", 1.0),
        ("blackbar_scan_duration_seconds_count", 1.0),
    ];
    for (name, value) in expected {
        assert_eq!(told.get(name), Some(value), "{name} in\n{body}");
    }
    let masked = told.iter().filter(|(name, _)| name.starts_with("blackbar_masked_total{"));
    assert_eq!(masked.map(|(_, value)| value).sum::<f64>(), 2.0);
    drop(meter);
    assert_eq!(series(&get(server.address(), "/metrics").1)["blackbar_held_bytes"], 0.0);
}

#[test]
fn counts_of_a_filter_that_begins_anew_are_added_to_those_of_the_old_one() {
    let (service, _server) = serve();
    let mut meter = Meter::new(&service.metrics, SourceKind::File);
    let engine = engine(RuleSet::empty());
    for line in ["a long line\n", "b\n"] {
        let mut filter = Filter::new(Arc::clone(&engine));
        let _ = filter.push(line.as_bytes());
        meter.update(filter.stats(), filter.held_bytes(), Duration::ZERO);
    }
    assert_eq!((service.metrics.input_bytes.get(), service.metrics.lines.get()), (14, 2));
}

#[test]
fn rules_without_a_count_of_their_own_are_added_up_under_one_name() {
    let (service, server) = serve();
    let rules = command::RULES.replace("acme-token", "stranger");
    let mut set = RuleSet::empty();
    set.add(&rules, "test", "test").unwrap();
    let mut filter = Filter::new(engine(set));
    let _ = filter.push(format!("{SECRET}\n").as_bytes());
    filter.take_findings().iter().for_each(|finding| service.metrics.found(finding, SourceKind::Input));
    let (_, body) = get(server.address(), "/metrics");
    assert_eq!(series(&body)["blackbar_secrets_total{rule=\"OTHER\",source=\"input\"}"], 1.0);
    assert!(!body.contains("stranger"));
}

#[test]
fn probes_follow_the_life_of_a_process() {
    let (service, server) = serve();
    let probes = || ["/startupz", "/livez", "/readyz"].map(|path| get(server.address(), path).0);
    assert_eq!(probes(), [503, 200, 503]);
    service.health.started();
    assert_eq!(probes(), [200, 200, 200]);
    service.health.draining();
    assert_eq!(probes(), [200, 200, 503]);
    assert_eq!(get(server.address(), "/readyz?verbose").1, "draining\n");
    // A thread that reads, filters and writes has ended, and nobody has taken note.
    let pulse = service.metrics.pulses.begin();
    let thread = std::thread::spawn(move || {
        let _pulse = pulse;
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(thread.join().is_err());
    assert_eq!(probes(), [200, 503, 503]);
    assert_eq!(get(server.address(), "/livez").1, "failed\n");
}

#[test]
fn a_filter_that_lets_the_canary_through_is_not_ready_until_it_is_replaced() {
    let (service, server) = serve();
    service.health.started();
    let mut rules = RuleSet::empty();
    let rule = command::RULES.replace("acme-token", "blackbar-canary");
    rules.add(&rule, "test", "test").unwrap();
    service.follow(&engine(rules));
    assert_eq!(get(server.address(), "/readyz"), (503, "the canary token is not masked\n".to_owned()));
    assert_eq!(series(&get(server.address(), "/metrics").1)["blackbar_ready"], 0.0);
    service.follow(&engine(RuleSet::builtin().unwrap()));
    assert_eq!(get(server.address(), "/readyz"), (200, "ok\n".to_owned()));
}

#[test]
fn requests_that_are_none_get_an_answer_that_says_so() {
    let (_service, server) = serve();
    let status = |request: &[u8]| ask(server.address(), request).0;
    assert_eq!(status(b"GET / HTTP/1.1\r\n\r\n"), 404);
    assert_eq!(status(b"GET /metrics/../etc/passwd HTTP/1.1\r\n\r\n"), 404);
    assert_eq!(status(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400);
    let (status_of_post, head, _) = ask(server.address(), b"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    assert!(status_of_post == 405 && head.contains("\r\nAllow: GET, HEAD"), "{head}");
    let (head_status, head, body) = ask(server.address(), b"HEAD /livez HTTP/1.0\r\n\r\n");
    assert!(head_status == 200 && body.is_empty() && head.contains("\r\nContent-Length: 3\r\n"), "{head}");
    // What comes behind the bound is thrown away, and the answer arrives all the same.
    let large = format!("GET /{} HTTP/1.1\r\n", "x".repeat(3 * HTTP_REQUEST_BYTES_MAX));
    assert_eq!(status(large.as_bytes()), 431);
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200));
    assert_eq!(status(many.as_bytes()), 431);
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let (_service, server) = serve();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" {
        stream.write_all(&[*byte]).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
}

#[test]
fn clients_that_are_silent_slow_or_deaf_do_not_keep_a_probe_from_its_answer() {
    let (_service, server) = serve();
    let mut clients = Vec::new();
    for number in 0..3 * HTTP_CONNECTIONS_MAX {
        let mut client = TcpStream::connect(server.address()).unwrap();
        match number % 3 {
            0 => {}
            1 => client.write_all(b"GET /metrics HT").unwrap(),
            _ => client.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap(),
        }
        clients.push(client);
        if number % 16 == 0 {
            assert_eq!(get(server.address(), "/livez").0, 200);
        }
    }
    assert_eq!(get(server.address(), "/livez").0, 200);
    // The first ones had to make room.
    assert_eq!(clients[0].read(&mut [0; 1]).unwrap_or(0), 0);
}

#[test]
fn a_server_ends_at_once_whatever_its_clients_do() {
    // Where it can be had, an address of its own: the port may be another test's a moment later.
    let (_service, server) = serve_at(if cfg!(target_os = "linux") { "127.0.0.2:0" } else { "127.0.0.1:0" });
    let address = server.address();
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"GET /").unwrap();
    assert_eq!(get(address, "/livez").0, 200);
    drop(server);
    assert_eq!(client.read(&mut [0; 1]).unwrap_or(0), 0);
    assert!(TcpStream::connect(address).is_err());
}

/// A running blackbar, and where its metrics are.
fn start(sandbox: &Sandbox, arguments: &[&str]) -> (Child, BufReader<std::process::ChildStderr>, SocketAddr) {
    let first = ["--metrics", "127.0.0.1:0", "--log-format", "json", "--no-default-rules", "--rules", "acme.toml"];
    let all: Vec<&str> = arguments.iter().take(1).copied().chain(first).chain(arguments[1..].iter().copied()).collect();
    let mut command = sandbox.command(&all);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = said["address"].as_str().unwrap_or_else(|| panic!("no address in {line}")).parse().unwrap();
    (child, stderr, address)
}

#[test]
fn a_filter_in_a_pipe_tells_what_it_has_done_so_far() {
    let sandbox = Sandbox::new();
    let (mut child, _stderr, address) = start(&sandbox, &["redact"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("a\n{SECRET}\n").as_bytes()).unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut lines = [String::new(), String::new()];
    lines.iter_mut().for_each(|line| _ = stdout.read_line(line).unwrap());
    assert_eq!(lines[1], "[REDACTED:acme-token]\n");
    assert_eq!((get(address, "/startupz").0, get(address, "/readyz").0), (200, 200));
    // The line is counted just behind its writing.
    let name = "blackbar_secrets_total{rule=\"acme-token\",source=\"input\"}";
    while !get(address, "/metrics").1.contains(name) {}
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_run_tells_its_outputs_apart() {
    let sandbox = Sandbox::new();
    let script = format!("echo {SECRET}; echo {SECRET} >&2; echo {SECRET} >&2; read line");
    let (mut child, mut stderr, address) = start(&sandbox, &["run", "--", "sh", "-c", &script]);
    let mut seen = String::new();
    while seen.matches("acme-token").count() < 2 {
        assert_ne!(stderr.read_line(&mut seen).unwrap(), 0, "{seen}");
    }
    let told = |source: &str, count: u64| format!("{{rule=\"acme-token\",source=\"{source}\"}} {count}\n");
    let all = || get(address, "/metrics").1;
    while !(all().contains(&told("stdout", 1)) && all().contains(&told("stderr", 2))) {}
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn an_address_that_is_none_or_taken_is_said_before_anything_is_read() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["--metrics", "example.org:80"], "x\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert_eq!(ended.stderr, "blackbar: --metrics must be a port or an IP address with a port\n");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = sandbox.run(&["--metrics", &address], "x\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""));
    assert!(ended.stderr.contains(&address), "{}", ended.stderr);
}

#[test]
fn lines_are_confirmed_when_they_are_written_and_not_before() {
    let sandbox = Sandbox::new();
    let arguments = ["--no-default-rules", "--rules", "acme.toml", "--quiet", "--confirm", "clean"];
    let mut command = sandbox.command(&arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answer = || answers.next().map(Result::unwrap);
    assert_eq!(answer().as_deref(), Some("OK"), "it is ready");
    let mut clean = String::new();
    for number in 0..100 {
        stdin.write_all(format!("{number} {SECRET}\n").as_bytes()).unwrap();
        assert_eq!(answer().as_deref(), Some("OK"));
        clean += &format!("{number} [REDACTED:acme-token]\n");
        assert_eq!(sandbox.read("clean"), clean);
    }
    drop(stdin);
    assert_eq!(answer(), None);
    assert!(child.wait().unwrap().success());
    // What is there stays, and a link is not followed.
    sandbox.run(&arguments, "more\n");
    assert_eq!(sandbox.read("clean"), format!("{clean}more\n"));
    std::os::unix::fs::symlink(sandbox.path("clean"), sandbox.path("link")).unwrap();
    assert_eq!(sandbox.run(&["--confirm", "link"], "x\n").code, 2);
    assert_eq!(sandbox.run(&["--confirm", "other", "acme.toml"], "x\n").code, 2);
}

#[test]
fn a_line_that_cannot_be_written_is_not_confirmed() {
    if !std::path::Path::new("/dev/full").exists() {
        println!("skipped: there is no /dev/full here");
        return;
    }
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["--confirm", "/dev/full"], "one\ntwo\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (3, "OK\n"));
    assert!(ended.stderr.contains("no space left"), "{}", ended.stderr);
}
