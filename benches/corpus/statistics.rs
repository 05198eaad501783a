//! Counts in a log what makes it hard for a filter. Does not look for secrets.

/// What makes a log hard.
#[derive(Debug, Clone, Copy, Default)]
pub struct Statistics {
    /// Bytes.
    pub bytes: usize,
    /// Lines.
    pub lines: usize,
    /// Runs of 16 or more of `[A-Za-z0-9_+/=.-]`.
    pub runs: usize,
    /// Bytes in such runs.
    pub run_bytes: usize,
    /// Runs of 16 or more of `[A-Za-z0-9_-]` with letters and digits.
    pub mixed: usize,
    /// Lines with an ESC, or with an escaped one.
    pub ansi: usize,
    /// Lines with a backslash.
    pub backslash: usize,
    /// Lines with `key`, `token`, `auth`, `secret` or `pass`, in letters of either case.
    pub keyed: usize,
    /// `=` and `:`.
    pub operators: usize,
    /// `://`.
    pub urls: usize,
    /// `\"`.
    pub quotes: usize,
}

impl Statistics {
    /// Counts.
    pub fn of(log: &[u8]) -> Statistics {
        let mut counts = Statistics { bytes: log.len(), ..Statistics::default() };
        for line in log.split_inclusive(|&byte| byte == b'\n') {
            counts.lines += 1;
            counts.ansi += usize::from(line.contains(&0x1b) || holds(line, b"\\u001b"));
            counts.backslash += usize::from(line.contains(&b'\\'));
            counts.keyed += usize::from(KEY_WORDS.iter().any(|word| holds(&line.to_ascii_lowercase(), word)));
        }
        let wide = |byte: &u8| !(word(byte) || matches!(byte, b'+' | b'/' | b'=' | b'.'));
        for run in log.split(wide).filter(|run| run.len() >= RUN_MIN) {
            counts.runs += 1;
            counts.run_bytes += run.len();
        }
        let mixed = |run: &&[u8]| {
            run.len() >= RUN_MIN && run.iter().any(u8::is_ascii_digit) && run.iter().any(u8::is_ascii_alphabetic)
        };
        counts.mixed = log.split(|byte| !word(byte)).filter(mixed).count();
        counts.operators = log.iter().filter(|byte| matches!(byte, b'=' | b':')).count();
        counts.urls = log.windows(3).filter(|part| part == b"://").count();
        counts.quotes = log.windows(2).filter(|part| part == b"\\\"").count();
        counts
    }

    /// The names of the columns of [`Statistics::row`], and what each means.
    pub const COLUMNS: [(&'static str, &'static str); 10] = [
        ("runs/KiB", "runs of 16 or more of `[A-Za-z0-9_+/=.-]` in a KiB"),
        ("in runs", "share of the bytes that lie in them"),
        ("mixed/KiB", "runs of 16 or more of `[A-Za-z0-9_-]` with letters and digits in a KiB"),
        ("ANSI", "share of lines with an ESC, or with an escaped one"),
        ("bytes/line", "mean length of a line"),
        ("key words", "share of lines with `key`, `token`, `auth`, `secret` or `pass`"),
        ("`=` `:`/KiB", "`=` and `:` in a KiB"),
        ("URLs/KiB", "`://` in a KiB"),
        ("`\\\"`/KiB", "escaped quotes in a KiB"),
        ("backslash", "share of lines with a backslash"),
    ];

    /// The figures, in the order of [`Statistics::COLUMNS`].
    pub fn row(&self) -> [String; 10] {
        let per_kib = |count: usize| format!("{:.1}", count as f64 * 1024.0 / self.bytes.max(1) as f64);
        let share = |part: usize, whole: usize| format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64);
        [
            per_kib(self.runs),
            share(self.run_bytes, self.bytes),
            per_kib(self.mixed),
            share(self.ansi, self.lines),
            format!("{:.0}", self.bytes as f64 / self.lines.max(1) as f64),
            share(self.keyed, self.lines),
            per_kib(self.operators),
            per_kib(self.urls),
            per_kib(self.quotes),
            share(self.backslash, self.lines),
        ]
    }
}

fn word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The shortest run that counts (bytes).
const RUN_MIN: usize = 16;

/// Words that stand in key names.
const KEY_WORDS: [&[u8]; 5] = [b"key", b"token", b"auth", b"secret", b"pass"];
