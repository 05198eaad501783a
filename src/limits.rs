//! Every ceiling of the program. Does not hold settings: what a user may change is in `Options`.
//!
//! Units stand in the names. The relations between ceilings are asserted at compile time, at the
//! foot of the file.

/// The most bytes a line may have before it is scanned in pieces (bytes).
pub const LINE_BYTES_MAX: usize = 512 << 10;

/// The shortest piece of a secret that could be of use to anybody. Where somebody types, no shorter beginning of a known
/// value or of a token is held; where the input ends, no shorter one is masked (bytes).
pub const PIECE_BYTES_MIN: usize = 8;

/// The longest secret that is found whole wherever it lies; a longer run is a blob (bytes).
pub const SECRET_BYTES_MAX: usize = 16 << 10;

/// The longest secret of a rule that does not say otherwise (bytes).
pub const RULE_SECRET_BYTES_DEFAULT: usize = 512;

/// How far to the left of a secret a rule's `context` words are looked for (bytes).
pub const CONTEXT_BYTES_MAX: usize = 96;

/// What stays in memory to the left of the unwritten part of an over-long line (bytes).
pub const OVERLAP_BYTES: usize = 32 << 10;

/// How far back a good place to cut an over-long line is looked for (bytes).
pub const CUT_SEARCH_BYTES: usize = 8 << 10;

/// The longest operating-system command or device control string of a terminal (bytes).
pub const OSC_BYTES_MAX: usize = 4 << 10;

/// How deep JSON strings inside JSON strings are unescaped (levels).
pub const JSON_DEPTH_MAX: usize = 3;

/// How deep encodings inside encodings are decoded (levels).
pub const DECODE_DEPTH_MAX: usize = 2;

/// The shortest run that is looked at as base64 (characters).
pub const BASE64_RUN_MIN: usize = 20;

/// The shortest run that is looked at as hexadecimal (digits).
pub const HEX_RUN_MIN: usize = 32;

/// How many records may stand open while a container's partial record waits for its rest.
pub const PARTIAL_RECORDS_MAX: usize = 256;

/// How many bytes may be held while a container's partial record waits for its rest.
pub const PARTIAL_BYTES_MAX: usize = LINE_BYTES_MAX;

/// How many lines in a row that are no body may stand in an open key block.
pub const KEY_BLOCK_FOREIGN_LINES_MAX: u32 = 64;

/// How many lines a key block may have; a longer one is closed.
pub const KEY_BLOCK_LINES_MAX: u32 = 4096;

/// How much of a redacted line a finding shows on either side of the mask (bytes).
pub const FINDING_CONTEXT_BYTES: usize = 80;

/// How often a piece is masked and scanned again. Each round but the last finds something: where tokens are glued to one
/// another, each may be one only because the mask of the next has ended it.
pub const ROUNDS_MAX: usize = 8;

/// The longest source text of a rule's pattern (bytes).
pub const PATTERN_BYTES_MAX: usize = 16 << 10;

/// The most memory one compiled pattern of an allowlist may take (bytes).
pub const EXCLUSION_COMPILED_BYTES_MAX: usize = 1 << 20;

/// The most memory one compiled pattern may take (bytes).
pub const PATTERN_COMPILED_BYTES_MAX: usize = 8 << 20;

/// The largest rule or configuration file (bytes).
pub const CONFIG_BYTES_MAX: u64 = 4 << 20;

/// The shortest stretch of clean input that is written from where it lies; a shorter one is copied to
/// what stands beside it (bytes). A stretch more costs `writev` some 50 ns, in which a processor
/// copies 2 KiB from cache to cache; the copy wins up to 2 KiB, the stretch from 4 KiB on.
pub const STRETCH_BYTES_MIN: usize = 4 << 10;

/// How much one read asks for (bytes). It stays in a core's own cache while it is scanned and
/// written. Between two pipes, reads of 128 KiB take 5 % longer, of 64 KiB up to 20 %, of 512 KiB 2 %
/// less, which is not worth twice the memory.
pub const READ_BYTES: usize = 256 << 10;

/// The pipe size that is asked of the system (bytes); it is the most that Linux gives to everyone.
/// With pipes of 64 KiB all takes 20 % longer on one core, and on two up to 80 %; from 256 KiB on there
/// is no more difference than noise, but a writer in bursts is held up less.
pub const PIPE_BYTES: usize = 1 << 20;

/// After how many bytes the pipeline asks whether threads pay.
pub const PARALLEL_BYTES: usize = 4 * READ_BYTES;

/// How many threads scan, unless the user says otherwise: with more, a pipe is the limit, and the
/// compiled rules keep some megabytes for each.
pub const SCANNERS_MAX: usize = 4;

/// How many batches may wait besides those that are scanned: one is read, one written, one between.
pub const BATCHES_WAITING: usize = 3;

/// How many rules have counts of their own in the metrics; those of others are added up.
pub const METRIC_RULES_MAX: usize = 4096;

/// How many clients the server of metrics has at a time.
pub const HTTP_CONNECTIONS_MAX: usize = 32;

/// The longest request that is read (bytes).
pub const HTTP_REQUEST_BYTES_MAX: usize = 8 << 10;

/// How long a client may take for its request and its answer (milliseconds).
pub const HTTP_TIME_MS_MAX: u64 = 5_000;

/// How long a call of the filter may take before the process is said to be stuck (milliseconds): a line made to be
/// slow takes some seconds.
pub const FILTER_MS_MAX: u64 = 120_000;

/// How deep archives and compressed files are opened inside each other (layers; a `.tar.gz` has two).
pub const LAYERS_MAX: usize = 10;

/// How many times its own size a file may unpack to, all layers together. Logs that were packed well
/// come to some hundred.
pub const RATIO_MAX: u64 = 1000;

/// What a file may unpack to before the ratio counts (bytes).
pub const RATIO_FREE_BYTES: u64 = 64 << 20;

/// What a file may unpack to, all layers together (bytes).
pub const UNPACKED_BYTES_MAX: u64 = 1 << 40;

/// The most memory a decoder may take to look back (bytes); the strongest setting of `xz` needs half of it.
pub const DICTIONARY_BYTES_MAX: u64 = 128 << 20;

/// The largest zip inside another archive or from a pipe, which has to be held whole because its
/// directory stands at its end (bytes).
pub const INNER_ZIP_BYTES_MAX: u64 = 256 << 20;

/// The longest name of a member in an archive (bytes).
pub const MEMBER_NAME_BYTES_MAX: usize = 64 << 10;

/// How much of a stream is kept to read the times of its findings (bytes).
pub const RECENT_BYTES: usize = 4 << 20;

/// From which size on the inside of a file is spread over threads (bytes).
pub const LARGE_FILE_BYTES: u64 = 32 << 20;

const _: () = {
    assert!(OVERLAP_BYTES >= SECRET_BYTES_MAX + CONTEXT_BYTES_MAX);
    assert!(LINE_BYTES_MAX >= 4 * OVERLAP_BYTES);
    assert!(CUT_SEARCH_BYTES + SECRET_BYTES_MAX < OVERLAP_BYTES);
    assert!(RULE_SECRET_BYTES_DEFAULT <= SECRET_BYTES_MAX);
    assert!(OSC_BYTES_MAX < CUT_SEARCH_BYTES);
    assert!(READ_BYTES < LINE_BYTES_MAX);
    // What is under way when a finding is told: the batches, and what the filter holds.
    assert!(RECENT_BYTES > (SCANNERS_MAX + BATCHES_WAITING + 1) * READ_BYTES + 2 * LINE_BYTES_MAX);
};
