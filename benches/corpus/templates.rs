//! The lines of generated logs, as templates (see `rules::sample`). Holds no line of a real log.

/// Lines of builds and tests.
pub const CI: &[&str] = &[
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
    "Importing Packages/com.example.navigation/Editor/Icons/d_BakeSettings@{digits:2}.png using Guid({hex:32}) (TextureImporter) -> (Import Result ID: '{hex:32}') in 0.00{digits:6} seconds [static and dynamic dependencies]",
    "D:\\a\\engine\\engine\\src\\Renderer\\Backends\\Vulkan\\CommandBuffer.cpp({digits:3}): warning C4267: 'argument': conversion from 'size_t' to 'uint32_t', possible loss of data [D:\\a\\engine\\out\\engine.vcxproj]",
    "  'C:\\hostedtoolcache\\windows\\Python\\3.11.9\\x64\\Lib\\site-packages\\win32\\Demos\\service\\pipeTestService.py'",
    "[task 2026-11-20T10:37:{digits:2}.{digits:3}Z] 10:37:{digits:2}     INFO - TEST-PASS | toolkit/components/extensions/test/mochitest/test_ext_contentscript_{digits:2}.html | took {digits:5}ms",
    "[task 2026-11-20T10:37:{digits:2}.{digits:3}Z] 10:37:{digits:2}     INFO - Copy/paste: /builds/worker/workspace/build/venv/bin/pip install --no-use-pep517 --timeout 120 --no-index --find-links https://pypi.example.org/pub/ simplejson",
    "INFO - {{'architectures': ('64bit',), 'download_symbols': 'ondemand', 'run_task_executed': True, 'python_path': '/builds/worker/workspace/build/venv/bin/python{digits:1}.{digits:2}'}}",
    "[INFO] Downloaded from central-mirror: https://artifacts.example.at/artifactory/maven/org/codehaus/plexus/plexus-component-annotations/1.5.{digits:1}/plexus-component-annotations-1.5.5.pom ({digits:1}.{digits:1} kB at {digits:2} kB/s)",
    "gcc -c -o obj/drivers/net/ethernet/intel/e1000e/netdev.o -Wall -Wmissing-prototypes -DNDEBUG=1 -I./include/generated/uapi -I./arch/x86/include/generated -fno-strict-aliasing -mtune=generic ../drivers/net/ethernet/intel/e1000e/netdev.c",
    "##[group]Run actions/checkout@{hex:40}",
    "GET /dom/media/webaudio/test/test_audioBufferSourceNodeLoop.html?rate=48000&channels=2&label=first%20run%2C%20warm HTTP/1.1 200 -",
    "INFO -  Cycle 1({digits:2}): loaded http://localhost/page_load_test/svgx/composite-scale.svg (next: http://localhost/page_load_test/svgx/composite-opacity.svg)",
    "INFO -  newtab-open-preload-no.all.TART: {digits:1}.{digits:1}, newtab-open-preload-yes.error.TART: {digits:1}.{digits:1}, icon-close-DPI2.half.TART: {digits:1}.{digits:1}",
    "  env: ANDROID_SDK_ROOT=/usr/local/lib/android/sdk JAVA_HOME_17_X64=/usr/lib/jvm/temurin-17-jdk-amd64 GRADLE_USER_HOME=/home/runner/.gradle",
    "WARN: [ENGINE0{digits:3}] assets.texture-import.compression at: TextureImportPipeline.java({digits:2}), level: {digits:1}, state: SKIPPED_BY_CACHE",
    "-- Performing Test HAVE_CXX_FLAG_WNO_DEPRECATED_COPY: Success, status=0 -- Looking for CMAKE_HAVE_LIBC_PTHREAD: found=1",
    "AssertionError: BillingReconciliationServiceTest: expected:<status=OK,retries:0> but was:<status=RETRY,retries:{digits:1}>",
    "  {{'XDG_RUNTIME_DIR': '/builds/worker/.cache', 'MOZ_AUTOMATION': '1', 'TASK_WORKDIR': '/builds/worker', 'GECKO_HEAD_REF': 'integration-central'}}",
    "Process: GECKO({digits:4}) leaked: nsTArray_base=0 nsStringBuffer={digits:2} mozilla::dom::BrowsingContextGroup={digits:1} mozilla::net::nsHttpConnectionInfo=0",
    "> Task :feature-checkout:compileReleaseUnitTestKotlin UP-TO-DATE, > Task :feature-checkout:processReleaseUnitTestJavaRes NO-SOURCE",
    "INFO -  svgx/composite-scale-rotate.svg: {digits:2};{digits:2};{digits:2} svgx/hixie-00{digits:1}.xml: {digits:2};{digits:2} svgx/gearflowers.svg: {digits:3} svgx/composite-opacity.svg: {digits:2}",
    "pkg_resources.egg_info.write_manifest: mozfile/mozsystemmonitor/resourcemonitor.py: status=ok, simpleperf/profile_generator.py: status=ok, wptserve/stash_server.py: status=ok",
    "Note: C:\\hostedtoolcache\\windows\\Java_Temurin\\17.0.{digits:1}\\x64: level:info: org.gradle.api.internal.tasks: FINISHED:0 ms:{digits:3}",
    "java.lang.IllegalStateException: com.example.checkout.PaymentGatewayClient: timeout=30s retries=3 at: com.example.checkout.RetryInterceptor.intercept:{digits:2}",
    "make[{digits:1}]: libs/audio/resampler.cpp: flags=-DHAVE_CONFIG_H=1 -DNDEBUG=1 -std=c++20 deps=config/host.mk:{digits:1}, obj/audio/resampler.o: rule=compile, obj/audio/mixer-core.o: rule=compile",
];

/// How the long lines of builds begin: what a failing test quotes of a bundle.
pub const LONG: &[&str] = &[
    "ERROR StrictErrorReporter: redeclaration of parameter, sourceName=[https://assets.example.com/assets/frameworks-{hex:32}.js] line=[1] lineSource=[",
    "    at Module._compile (/srv/app/dist/server.{hex:20}.js:2:{digits:6}) ",
];

/// What the long lines are made of.
pub const FRAGMENTS: &[&str] = &[
    "function(e,t){{var n=Date.now();return setTimeout(function(){{e({{didTimeout:!1,timeRemaining:function(){{return Math.max(0,{digits:2}-(Date.now()-n))}}}})}},1)}},",
    "window.requestIdleCallback=window.requestIdleCallback||t.exports.requestAnimationFrame,",
    "e.exports=n({digits:4}),Object.defineProperty(t,\"__esModule\",{{value:!0}}),t.hasTokenList=void 0;",
    "if(\"string\"!=typeof r||!/^[\\w-]+(\\.[\\w-]+)*$/.test(r))throw new TypeError(\"Invalid keyPath: \"+r);",
    "{hex:8}:(e,t,n)=>{{n.d(t,{{Z:()=>o}});const o=n.p+\"static/media/background-gradient.{hex:20}.svg\"}},",
    "r.addEventListener(\"beforeunload\",i,{{passive:!0,capture:!1}}),s.dataset.authenticityUrl=l.href,",
];

/// Lines of services.
pub const SERVICE: &[&str] = &[
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
    "sshd(pam_unix)[{digits:5}]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=203.0.{digits:2}.{digits:2}  user=root",
    "PowerManagerService: ready=true,policy={digits:1},wakefulness=1,wksummary=0x{hex:2},uasummary=0x1,bootcompleted=true,boostinprogress=false,waitmodeenable=false,mode=false,manual=38,auto=-1,adj=0.0userId=0",
    "SystemUI: setSystemUiVisibility vis={digits:1} mask=1 oldVal={digits:8} newVal={digits:8} diff=0 fullscreenStackVis=0 dockedStackVis=0, fullscreenStackBounds=Rect(0, 0 - 0, 0), dockedStackBounds=Rect(0, 0 - {digits:3}, 0)",
    "INFO nova.osapi_compute.wsgi.server [req-{uuid} {hex:32} {hex:32} - - -] 10.11.{digits:2}.1 \"GET /v2/{hex:32}/servers/detail HTTP/1.1\" status: 200 len: {digits:4} time: 0.{digits:7}",
    "INFO [AsyncDispatcher event handler] org.apache.hadoop.mapreduce.v2.app.job.impl.TaskAttemptImpl: attempt_{digits:13}_0020_m_{digits:6}_0 TaskAttempt Transitioned from UNASSIGNED to ASSIGNED, containerMgrAddress=10.{digits:2}.{digits:2}.7:62{digits:3}",
    "INFO dfs.FSNamesystem: BLOCK* NameSystem.addStoredBlock: blockMap updated: 10.251.{digits:2}.{digits:2}:50010 is added to blk_{digits:19} size 67108864",
    "INFO resourcemanager.scheduler.capacity.CapacityScheduler: Application attempt appattempt_{digits:13}_{digits:4}_000001 released container container_{digits:13}_{digits:4}_01_{digits:6} on node: host: worker-{digits:2}.example.internal:45454 #containers=0 available=8192 used=0",
    "see https://wiki.example.org/display/OPS/Runbook+disk-pressure#step-{digits:1} for what to do when usage={digits:2}% on /dev/nvme{digits:1}n1p1",
];

/// Events that are JSON themselves.
pub const JSON: &[&str] = &[
    "{{\"level\":\"info\",\"logger\":\"kafka.consumer\",\"msg\":\"request completed\",\"trace_id\":\"{hex:32}\",\"span_id\":\"{hex:16}\",\"request_id\":\"{uuid}\",\"status\":200,\"took_ms\":{digits:3}}}",
    "{{\"ts\":17{digits:8}.{digits:6},\"caller\":\"controller/reconcile.go:{digits:3}\",\"msg\":\"secret synced\",\"namespace\":\"payments\",\"name\":\"db-credentials\",\"resourceVersion\":\"{digits:9}\"}}",
    "{{\"severity\":\"WARNING\",\"message\":\"token bucket exhausted\",\"labels\":{{\"instance\":\"i-{hex:17}\",\"pod\":\"gateway-{hex:10}-{alnum-lower:5}\"}},\"max_tokens\":{digits:4}}}",
    "{{\"time\":\"2026-11-20T23:10:23Z\",\"path\":\"/assets/index-{base62:8}.js\",\"bytes\":{digits:6},\"etag\":\"\\\"{hex:32}\\\"\",\"remote\":\"10.{digits:2}.{digits:2}.{digits:2}\"}}",
    "{{\"event\":\"cache\",\"key\":\"user:{digits:8}:profile\",\"hit\":true,\"checksum\":\"{hex:40}\"}}",
    "{{\"msg\":\"job finished\",\"job\":\"{uuid}\",\"image\":\"registry.example/worker@sha256:{hex:64}\",\"exit\":0}}",
    "{{\"ts\":\"2026-11-20T19:33:59.{digits:9}Z\",\"level\":\"error\",\"logger\":\"orders.api\",\"msg\":\"retrying upstream\",\"trace_id\":\"{hex:32}\",\"span_id\":\"{hex:16}\",\"request_id\":\"{uuid}\",\"method\":\"GET\",\"path\":\"/api/v2/users/{digits:6}/orders?limit=50&cursor={base62:24}\",\"status\":500,\"duration_ms\":{digits:3}.{digits:14},\"remote\":\"10.{digits:3}.{digits:2}.{digits:2}:{digits:5}\",\"ua\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\",\"pod\":\"checkout-{hex:10}-{alnum-lower:5}\",\"image\":\"checkout:1.2.{digits:1}\"}}",
    "{{\"@timestamp\":\"2026-11-20T19:34:14.{digits:9}Z\",\"log.level\":\"INFO\",\"log.logger\":\"org.springframework.web.servlet.DispatcherServlet\",\"process.thread.name\":\"http-nio-8080-exec-{digits:2}\",\"trace.id\":\"{hex:32}\",\"transaction.id\":\"{hex:16}\",\"service.node.name\":\"checkout-{hex:10}-{alnum-lower:5}\",\"message\":\"GET /api/v2/payments/{uuid}/capture?idempotency={uuid} completed in {digits:3} ms\",\"event.dataset\":\"checkout.log\"}}",
    "I1120 19:39:45.{digits:6}    {digits:4} reconciler.go:79] \"Successfully reconciled\" pod=\"kube-system/coredns-{hex:10}-{alnum-lower:5}\" uid=\"{uuid}\" volume=\"kube-api-access-{alnum-lower:5}\"",
    "{{\"ts\":\"2026-11-20T19:34:14.{digits:9}Z\",\"level\":\"debug\",\"msg\":\"\\u001b[32mmessage consumed\\u001b[0m\",\"topic\":\"orders.events.v{digits:1}\",\"partition\":{digits:2},\"offset\":{digits:10},\"group\":\"checkout-projection-writer\",\"consumer\":\"consumer-checkout-projection-writer-{digits:1}-{uuid}\",\"lag\":{digits:3}}}",
    "{{\"ts\":\"2026-11-20T19:37:28.{digits:9}Z\",\"level\":\"info\",\"component\":\"deployment-controller\",\"msg\":\"scaled replica set\",\"namespace\":\"team-payments-production\",\"deployment\":\"checkout-projection-writer\",\"replicaset\":\"checkout-projection-writer-{hex:10}\",\"node\":\"ip-10-{digits:2}-{digits:2}-{digits:3}.eu-west-1.compute.internal\",\"uid\":\"{uuid}\",\"trace\":\"{hex:32}\",\"from\":{digits:1},\"to\":{digits:1}}}",
    "{{\"timestamp\":\"2026-11-20T19:39:09.{digits:6}Z\",\"thread\":\"kafka-consumer-pool-{digits:2}\",\"class\":\"com.example.billing.reconciliation.LedgerProjectionService\",\"message\":\"projection caught up\",\"stream\":\"ledger-entries-{digits:4}\",\"image\":\"registry.example.com/billing/projection:{hex:40}\",\"commit\":\"{hex:40}\",\"correlation\":\"{uuid}\"}}",
    "{{\"@timestamp\":\"2026-11-20T19:40:12.{digits:3}Z\",\"log.origin.file.name\":\"LedgerProjectionService.java\",\"log.origin.function\":\"applyOutstandingEntries\",\"ecs.version\":\"1.2.0\",\"event.category\":\"application-lifecycle\",\"kubernetes.deployment.name\":\"billing-reconciliation\",\"kubernetes.namespace\":\"team-payments-production\",\"host.os.family\":\"debian-bookworm-slim\",\"message\":\"reconciliation-window-closed\",\"trace.id\":\"{hex:32}\",\"span.id\":\"{hex:16}\",\"duration\":{digits:5}}}",
    "{{\"ts\":17{digits:8}.{digits:6},\"msg\":\"summary\",\"instance\":\"edge-{hex:10}-{alnum-lower:5}\",\"window\":\"{uuid}\",\"1xx\":0,\"2xx\":{digits:5},\"3xx\":{digits:3},\"4xx\":{digits:2},\"5xx\":0,\"p50\":{digits:2},\"p99\":{digits:3}}}",
];

/// Events that are JSON with JSON in a string of it.
pub const NESTED: &[&str] = &[
    "{{\"level\":\"info\",\"msg\":\"webhook received\",\"body\":\"{{\\\"id\\\":\\\"{uuid}\\\",\\\"object\\\":\\\"event\\\",\\\"digest\\\":\\\"{hex:64}\\\",\\\"created\\\":17{digits:8}}}\",\"took_ms\":{digits:3}}}",
    "{{\"ts\":17{digits:8}.{digits:6},\"msg\":\"publishing\",\"payload\":\"{{\\\"user\\\":{digits:7},\\\"path\\\":\\\"C:\\\\\\\\Users\\\\\\\\runner\\\\\\\\AppData\\\\\\\\Local\\\\\\\\Temp\\\",\\\"token_type\\\":\\\"bearer\\\"}}\",\"trace_id\":\"{hex:32}\"}}",
];

/// Lines that hold a secret.
pub const SECRET: &[&str] = &[
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
    "  GITHUB_TOKEN: {github-crc:ghp_}",
    "curl -H 'Authorization: token {github-crc:gho_}' -sSL https://api.github.com/repos/example/service/releases",
    "level=debug msg=\"outgoing request\" url=\"https://api.example.com/v1/items?limit=50&access_token={base62:36}&page=2\"",
    "slack: posting as xoxb-{digits:12}-{digits:12}-{base62:24}",
    "Set-Cookie: session={base64url:64}; Path=/; HttpOnly; Secure; SameSite=Lax",
    "config: {{'host': 'db.internal', 'user': 'app', 'passwd': '{base62:18}', 'pool': 8}}",
    "  <add key=\"ClientSecret\" value=\"{base62:32}\" />",
    "Server=tcp:db.example.net,1433;User ID=app;Password={base62:20};Encrypt=true;",
    "{{\"level\":\"info\",\"env\":{{\"STRIPE_KEY\":\"sk_live_{base62:24}\",\"REGION\":\"eu-west-1\"}},\"trace_id\":\"{hex:32}\"}}",
    "\u{1b}[33mwarn\u{1b}[0m using OPENAI_API_KEY=sk-proj-{base64url:74}T3BlbkFJ{base64url:74}",
];
