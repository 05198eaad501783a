//! Turns a seed into logs as continuous integration, services and containers write them. Does not
//! copy real ones.
//!
//! The logs must not be easier than real ones: about three runs a KiB of 16 or more characters
//! that mix letters and digits, long paths, digests, UUIDs and timestamps, colours in the log of
//! continuous integration, and words like `token` and `key` in a third of the lines.

use blackbar::rules::sample::{Rng, fill};

/// What kind of log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Builds and tests, with timestamps and colours.
    Ci,
    /// Requests and events of services.
    Service,
    /// Docker's json-file around JSON and plain lines.
    Json,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 3] = [Kind::Ci, Kind::Service, Kind::Json];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Ci => "ci",
            Kind::Service => "service",
            Kind::Json => "json",
        }
    }
}

/// A log of at least `bytes` bytes, cut after the line that reaches them. `secrets` of 1000 lines
/// hold a secret. The same arguments give the same log.
pub fn log(kind: Kind, bytes: usize, secrets: usize, seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut log = Vec::with_capacity(bytes + 1024);
    while log.len() < bytes {
        let secret = rng.below(1000) < secrets;
        log.extend_from_slice(line(kind, secret, &mut rng).as_bytes());
    }
    log
}

/// A clean log in which every line has colours.
pub fn coloured(bytes: usize, seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut log = Vec::with_capacity(bytes + 1024);
    while log.len() < bytes {
        let text = draw(CI, &mut rng);
        let (head, tail) = text.split_at(text.find(' ').unwrap_or(0));
        log.extend_from_slice(format!("\u{1b}[36;1m{head}\u{1b}[0m{tail}\u{1b}[K\n").as_bytes());
    }
    log
}

fn line(kind: Kind, secret: bool, rng: &mut Rng) -> String {
    match kind {
        Kind::Ci => format!("{} {}\n", time(rng, 'Z'), if secret { draw(SECRET, rng) } else { draw(CI, rng) }),
        Kind::Service => {
            let text = if secret { draw(SECRET, rng) } else { draw(SERVICE, rng) };
            format!("{} {text}\n", time(rng, 'Z'))
        }
        Kind::Json => {
            let text = match (secret, rng.below(4)) {
                (true, _) => draw(SECRET, rng),
                (false, 0) => draw(CI, rng),
                (false, _) => draw(JSON, rng),
            };
            let log = serde_json::to_string(&format!("{text}\n")).unwrap();
            format!("{{\"log\":{log},\"stream\":\"stdout\",\"time\":\"{}\"}}\n", time(rng, 'Z'))
        }
    }
}

fn draw(templates: &[&str], rng: &mut Rng) -> String {
    let template: &str = rng.pick::<&str>(templates);
    // Each list is a constant of this file; a broken template shows at the first run.
    fill(template, rng).unwrap()
}

fn time(rng: &mut Rng, zone: char) -> String {
    let mut two = |below| format!("{:02}", rng.below(below));
    format!("2026-11-{}T{}:{}:{}.{}{}{}00{zone}", two(28), two(24), two(60), two(60), two(100), two(100), two(100))
}

/// Lines of builds and tests.
const CI: &[&str] = &[
    "\u{1b}[32m   Compiling\u{1b}[0m serde_derive v1.0.{digits:3}",
    "\u{1b}[1m\u{1b}[33mwarning\u{1b}[0m: unused variable: `token` --> src/auth/session_manager.rs:{digits:3}:{digits:2}",
    "#{digits:2} extracting sha256:{hex:64} {digits:1}.{digits:1}s done",
    "#{digits:2} [build {digits:1}/9] RUN --mount=type=cache,target=/root/.cache npm ci --no-audit --prefer-offline",
    "Downloading https://repo.maven.apache.org/maven2/org/springframework/spring-security-core/6.{digits:1}.{digits:1}/spring-security-core-6.1.2.jar ({digits:3} kB)",
    "test auth::tests::refresh_token_is_rejected_after_{digits:4}_seconds ... \u{1b}[32mok\u{1b}[0m",
    "  \u{1b}[32m✓\u{1b}[39m packages/api/src/__tests__/password-reset.spec.ts \u{1b}[2m({digits:2} tests)\u{1b}[22m {digits:3}ms",
    "  HEAD is now at {hex:7} Merge commit '{hex:40}' into HEAD",
    "  \u{1b}[36;1mcurl -sSfL https://objects.example.com/releases/{digits:6}/{uuid}?expires=3600 | tar xz\u{1b}[0m",
    "Cache restored from key: Linux-node-modules-{hex:64}",
    "Received {digits:8} of {digits:9} ({digits:2}.{digits:1}%), {digits:2}.{digits:1} MBs/sec",
    "    resolved \"https://registry.yarnpkg.com/tough-cookie/-/tough-cookie-4.1.3.tgz#{hex:40}\"",
    "    integrity sha512-{base64:86}==",
    "/home/runner/work/service/service/node_modules/.pnpm/@babel+core@7.24.4_supports-color@9.4.0/node_modules/@babel/core/lib/index.js:{digits:3}",
    "[ {digits:2}%] Building CXX object src/CMakeFiles/engine.dir/render/pipeline_cache_{digits:2}.cpp.o",
    "    at com.example.auth.token.AccessTokenConverter.convert(AccessTokenConverter.java:{digits:3})",
    "TEST-START | dom/base/test/test_bug{digits:6}.html",
    "INFO - GECKO({digits:4}) | ++DOMWINDOW == {digits:2} (0x7f{hex:10}) [pid = {digits:4}] [serial = {digits:3}]",
    "INFO - PID {digits:4} | 1{digits:12} Marionette TRACE conn{digits:1} <- [1,{digits:3},null,{{\"value\":null}}]",
    "Entering directory '/builds/worker/workspace/build/src/obj-x86_64-pc-linux-gnu/toolkit/components/passwordmgr'",
    "Using image ghcr.io/example/build-tools@sha256:{hex:64}",
    "Post job cleanup. [command]/usr/bin/git config --local --unset-all http.https://github.com/.extraheader",
    "coverage: {digits:2}.{digits:1}% of statements in ./internal/keyring/... (cached)",
    "ok  \tgithub.com/example/service/internal/secretstore\t{digits:1}.{digits:3}s",
    "+golang.org/x/crypto v0.{digits:2}.0 h1:{base64:43}=",
    "\u{1b}[90m[{digits:2}:{digits:2}:{digits:2}]\u{1b}[0m Starting '\u{1b}[36mbuild:styles\u{1b}[0m'...",
];

/// Lines of services.
const SERVICE: &[&str] = &[
    "INFO [http-nio-8080-exec-{digits:2}] c.e.api.RequestLog - GET /api/v2/orders/{uuid}/items 200 {digits:3}ms trace={hex:32}",
    "level=info ts=17{digits:8}.{digits:6} caller=manager.go:{digits:3} component=token-refresher msg=\"refresh done\" duration={digits:1}.{digits:6}s",
    "10.{digits:2}.{digits:2}.{digits:2} - - \"POST /oauth/token HTTP/1.1\" 200 {digits:4} \"-\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\" {digits:1}.{digits:3}",
    "DEBUG dfs.DataNode$PacketResponder: Received block blk_-{digits:19} of size 67108864 from /10.{digits:3}.{digits:2}.{digits:2}",
    "nova.compute.manager [req-{uuid} {hex:32} {hex:32} - - -] [instance: {uuid}] VM Started (Lifecycle Event)",
    "WARN  kafka.consumer [worker-{digits:1}] offset {digits:9} of partition orders-{digits:2} skipped, key={digits:12}",
    "Executor: Running task {digits:1}.0 in stage {digits:2}.0 (TID {digits:4})",
    "storage.ShuffleBlockFetcherIterator: Getting {digits:2} non-empty blocks out of {digits:2} blocks from /mnt/data/usercache/spark/appcache/application_{digits:13}_{digits:4}",
    "sshd[{digits:5}]: Failed password for invalid user admin from 203.0.{digits:2}.{digits:2} port {digits:5} ssh2",
    "kubelet: \"SyncLoop (PLEG): event for pod\" pod=\"payments/ledger-{hex:9}-{alnum-lower:5}\" event={{\"ID\":\"{uuid}\",\"Type\":\"ContainerStarted\",\"Data\":\"{hex:64}\"}}",
    "mapreduce.Job: attempt_{digits:13}_{digits:4}_m_{digits:6}_0 TaskAttempt Transitioned from RUNNING to SUCCESS_CONTAINER_CLEANUP",
    "ActivityManager: Displayed com.example.android.authenticator/.TokenActivity: +{digits:3}ms",
    "com.apple.cts[{digits:3}]: com.apple.{uuid}: scheduler_evaluate_activity told me to run this job",
    "postgres: duration: {digits:2}.{digits:3} ms  statement: SELECT id, password_hash IS NOT NULL FROM users WHERE id = ${digits:1}",
    "envoy: [{digits:4}-11-20T23:10:23.{digits:3}Z] \"GET /v1/keys?cursor={base64url:24} HTTP/2\" 200 - 0 {digits:4} {digits:2} {digits:2} \"{uuid}\"",
    "jk2_init() Found child {digits:5} in scoreboard slot {digits:2}",
    "ERROR c.e.s.SessionStore - session {digits:10} expired at 17{digits:11}, user={digits:7}, reason=idle-timeout",
    "redis: {digits:5}:M DB saved on disk, fork CoW for RDB: current {digits:1} MB, peak {digits:1} MB",
];

/// Events that are JSON themselves.
const JSON: &[&str] = &[
    "{{\"level\":\"info\",\"logger\":\"kafka.consumer\",\"msg\":\"request completed\",\"trace_id\":\"{hex:32}\",\"span_id\":\"{hex:16}\",\"request_id\":\"{uuid}\",\"status\":200,\"took_ms\":{digits:3}}}",
    "{{\"ts\":17{digits:8}.{digits:6},\"caller\":\"controller/reconcile.go:{digits:3}\",\"msg\":\"secret synced\",\"namespace\":\"payments\",\"name\":\"db-credentials\",\"resourceVersion\":\"{digits:9}\"}}",
    "{{\"severity\":\"WARNING\",\"message\":\"token bucket exhausted\",\"labels\":{{\"instance\":\"i-{hex:17}\",\"pod\":\"gateway-{hex:10}-{alnum-lower:5}\"}},\"max_tokens\":{digits:4}}}",
    "{{\"time\":\"2026-11-20T23:10:23Z\",\"path\":\"/assets/index-{base62:8}.js\",\"bytes\":{digits:6},\"etag\":\"\\\"{hex:32}\\\"\",\"remote\":\"10.{digits:2}.{digits:2}.{digits:2}\"}}",
    "{{\"event\":\"cache\",\"key\":\"user:{digits:8}:profile\",\"hit\":true,\"checksum\":\"{hex:40}\"}}",
    "{{\"msg\":\"job finished\",\"job\":\"{uuid}\",\"image\":\"registry.example/worker@sha256:{hex:64}\",\"exit\":0}}",
];

/// Lines that hold a secret.
const SECRET: &[&str] = &[
    "+ git clone https://x-access-token:{github-crc:ghs_}@github.com/example/service.git",
    "> Authorization: Bearer {base62:40}",
    "DATABASE_URL=postgres://app:{base62:16}@db.internal:5432/app",
    "export AWS_SECRET_ACCESS_KEY={base64:40}",
    "{{\"user\":\"app\",\"password\":\"{base62:14}\",\"ok\":true}}",
    "npm notice //registry.npmjs.org/:_authToken={github-crc:npm_}",
    "loaded key AKIA{base32:16} from environment",
    "session {jwt} refreshed",
    "api_key={hex:32} accepted",
    "glab auth login --token glpat-{base62:20}",
];
