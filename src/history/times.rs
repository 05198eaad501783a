//! Reads the time that a line of a log states. Does not ask what time it is.
//!
//! Understood are RFC 3339 and ISO 8601 (CRI and docker records, journals, most services), the same
//! with slashes (nginx's error log, Go), `[10/Oct/2000:13:55:36 -0700]` (access logs), `Oct  9
//! 13:55:36` (syslog, RFC 3164), `I1009 13:55:36.5` (klog), and seconds, milliseconds, microseconds or nanoseconds since 1970
//! where a line or a well-known field begins with them. A time without a zone is taken as UTC.

use time::{Date, Duration, Month, OffsetDateTime, Time, UtcOffset};

/// The time that a line states, if it does. `latest` is a time that the line cannot be later than,
/// by which a year is found for a time that has none.
pub fn of_line(line: &[u8], latest: OffsetDateTime) -> Option<OffsetDateTime> {
    let head = &line[..line.len().min(HEAD_BYTES)];
    if line.first() == Some(&b'{') {
        // A record of docker has its own time last, and what the program wrote before it.
        let own = DOCKER_KEYS.iter().find_map(|key| last_field(line, key));
        if let Some(time) = own.or_else(|| KEYS.iter().find_map(|key| first_field(line, key))) {
            return Some(time);
        }
    }
    if let Some(time) = FIELDS.iter().find_map(|field| line.strip_prefix(*field)).and_then(epoch) {
        return Some(time);
    }
    let mut before = b' ';
    for at in 0..head.len() {
        let rest = &head[at..];
        let starts = !before.is_ascii_alphanumeric();
        before = head[at];
        if !starts {
            continue;
        }
        let time = match head[at] {
            b'0'..=b'9' => calendar(rest).or_else(|| access(rest)).or_else(|| if at == 0 { epoch(rest) } else { None }),
            b'I' | b'W' | b'E' | b'F' if at == 0 && rest.get(1).is_some_and(u8::is_ascii_digit) => klog(rest, latest),
            b'A'..=b'S' => syslog(rest, latest),
            b'a' => rest.strip_prefix(b"audit(").and_then(epoch),
            b't' => rest.strip_prefix(b"ts=").and_then(epoch),
            _ => None,
        };
        if time.is_some() {
            return time;
        }
    }
    None
}

/// A time as users write it: RFC 3339, a date, or how long before `now` (`90s`, `30m`, `2h`, `7d`).
pub fn of_user(text: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let bytes = text.as_bytes();
    if let Some((number, unit)) = bytes.split_last().map(|(unit, number)| (number, *unit))
        && !number.is_empty()
        && number.len() <= 9
        && number.iter().all(u8::is_ascii_digit)
    {
        let seconds = match unit {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 7 * 86_400,
            _ => return None,
        };
        let count = number.iter().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        return now.checked_sub(Duration::seconds(count.checked_mul(seconds)?));
    }
    if bytes.len() == 10 {
        return Some(date(bytes, b"-")?.midnight().assume_utc());
    }
    let (time, length) = calendar_and_length(bytes)?;
    (length == bytes.len() && bytes[4] == b'-').then_some(time)
}

/// `2026-11-20T23:10:23.123Z`, with a blank for the `T`, slashes for the dashes, or without a zone.
fn calendar(text: &[u8]) -> Option<OffsetDateTime> {
    Some(calendar_and_length(text)?.0)
}

fn calendar_and_length(text: &[u8]) -> Option<(OffsetDateTime, usize)> {
    let date = date(text, b"-/")?;
    if !matches!(text.get(10), Some(b'T' | b't' | b' ' | b'_')) {
        return None;
    }
    let (time, mut length) = clock(text.get(11..)?)?;
    length += 11;
    let (zone, more) = zone(&text[length..]);
    Some((date.with_time(time).assume_offset(zone.unwrap_or(UtcOffset::UTC)), length + more))
}

/// `2026-11-20`, with one of these signs between the parts.
fn date(text: &[u8], signs: &[u8]) -> Option<Date> {
    let (year, month, day) = (number(text.get(..4)?)?, number(text.get(5..7)?)?, number(text.get(8..10)?)?);
    if !signs.contains(&text[4]) || text[7] != text[4] || !(1970..2200).contains(&year) {
        return None;
    }
    make_date(i32::try_from(year).ok()?, month, day)
}

/// `10/Oct/2000:13:55:36 -0700`
fn access(text: &[u8]) -> Option<OffsetDateTime> {
    let (day, year) = (number(text.get(..2)?)?, number(text.get(7..11)?)?);
    if text[2] != b'/' || text[6] != b'/' || text.get(11) != Some(&b':') {
        return None;
    }
    let date = make_date(i32::try_from(year).ok()?, month(&text[3..6])?, day)?;
    let (time, length) = clock(&text[12..])?;
    let (zone, _) = zone(&text[12 + length..]);
    Some(date.with_time(time).assume_offset(zone.unwrap_or(UtcOffset::UTC)))
}

/// `Oct  9 13:55:36`: the year is the last one in which this was not later than `latest`.
fn syslog(text: &[u8], latest: OffsetDateTime) -> Option<OffsetDateTime> {
    let month = month(text.get(..3)?)?;
    let day = match text.get(3..6)? {
        [b' ', b' ', day] => number(&[*day])?,
        [b' ', days @ ..] => number(days)?,
        _ => return None,
    };
    let (time, _) = text.get(6..)?.strip_prefix(b" ").and_then(clock)?;
    of_year(month, day, time, latest)
}

/// `I1009 13:55:36.123456`, as Kubernetes' own programs write.
fn klog(text: &[u8], latest: OffsetDateTime) -> Option<OffsetDateTime> {
    let (month, day) = (number(text.get(1..3)?)?, number(text.get(3..5)?)?);
    let (time, _) = text.get(5..)?.strip_prefix(b" ").and_then(clock)?;
    of_year(month, day, time, latest)
}

/// In the last year in which this was not later than `latest`.
fn of_year(month: u32, day: u32, time: Time, latest: OffsetDateTime) -> Option<OffsetDateTime> {
    // A clock that is a little fast must not cost a year.
    let latest = latest.saturating_add(Duration::DAY);
    // The 29th of February may be up to eight years back.
    (0..=8)
        .filter_map(|back| make_date(latest.year() - back, month, day))
        .map(|date| date.with_time(time).assume_utc())
        .find(|time| *time <= latest)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their digits.
fn epoch(text: &[u8]) -> Option<OffsetDateTime> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let nanos_each: i128 = match digits {
        10 => 1_000_000_000,
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return None,
    };
    if text.get(digits).is_some_and(|next| next.is_ascii_alphanumeric() || matches!(next, b'-' | b'_' | b'/')) {
        return None;
    }
    let count = text[..digits].iter().fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    let mut nanos = count * nanos_each;
    if digits == 10 && text.get(10) == Some(&b'.') {
        let fraction = text[11..].iter().take_while(|byte| byte.is_ascii_digit()).take(9);
        let (sum, unit) = fraction
            .fold((0, 1_000_000_000), |(sum, unit), digit| (sum + i128::from(digit - b'0') * (unit / 10), unit / 10));
        debug_assert!(unit > 0);
        nanos += sum;
    }
    // Of this century: other numbers of so many digits are something else.
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().filter(|time| (2001..2100).contains(&time.year()))
}

/// `13:55:36` with or without a fraction, and how many bytes it takes.
fn clock(text: &[u8]) -> Option<(Time, usize)> {
    let (hour, minute, second) = (number(text.get(..2)?)?, number(text.get(3..5)?)?, number(text.get(6..8)?)?);
    if text[2] != b':' || text[5] != b':' {
        return None;
    }
    let mut length = 8;
    let mut nanos = 0;
    if matches!(text.get(8), Some(b'.' | b',')) {
        let digits = text[9..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 {
            let mut unit = 1_000_000_000;
            for digit in text[9..].iter().take(digits.min(9)) {
                unit /= 10;
                nanos += u32::from(digit - b'0') * unit;
            }
            length += 1 + digits;
        }
    }
    // A leap second is the end of the one before it.
    let byte = |number: u32| u8::try_from(number).ok();
    Some((Time::from_hms_nano(byte(hour)?, byte(minute)?, byte(second.min(59))?, nanos).ok()?, length))
}

/// `Z`, `+02:00` or `-0700`, with or without a blank before it, and how many bytes it takes.
fn zone(text: &[u8]) -> (Option<UtcOffset>, usize) {
    let blank = usize::from(text.first() == Some(&b' '));
    let rest = &text[blank..];
    match rest.first() {
        Some(b'Z' | b'z') if blank == 0 => (Some(UtcOffset::UTC), 1),
        Some(sign @ (b'+' | b'-')) => {
            let colon = usize::from(rest.get(3) == Some(&b':'));
            let parts = rest.get(1..3).and_then(number).zip(rest.get(3 + colon..5 + colon).and_then(number));
            let Some((hours, minutes)) = parts.filter(|(hours, minutes)| *hours < 19 && *minutes < 60) else {
                return (None, 0);
            };
            let seconds = i32::try_from(hours * 3600 + minutes * 60).unwrap_or(0);
            let seconds = if *sign == b'-' { -seconds } else { seconds };
            (UtcOffset::from_whole_seconds(seconds).ok(), blank + 5 + colon)
        }
        _ => (None, 0),
    }
}

fn month(name: &[u8]) -> Option<u32> {
    let names = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    names.iter().position(|known| *known == name).map(|at| at as u32 + 1)
}

fn make_date(year: i32, month: u32, day: u32) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
}

fn number(digits: &[u8]) -> Option<u32> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

fn first_field(line: &[u8], key: &[u8]) -> Option<OffsetDateTime> {
    field(line, memchr::memmem::find(line, key)? + key.len())
}

fn last_field(line: &[u8], key: &[u8]) -> Option<OffsetDateTime> {
    field(line, memchr::memmem::rfind(line, key)? + key.len())
}

/// The time that a JSON field has for its value, which begins about here.
fn field(line: &[u8], from: usize) -> Option<OffsetDateTime> {
    let rest = line.get(from..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    calendar(rest).or_else(|| epoch(rest))
}

/// How much of a line is searched for its time.
const HEAD_BYTES: usize = 192;

/// What a container runtime's own time is called, which stands last in its record.
const DOCKER_KEYS: &[&[u8]] = &[b"\"time\""];

/// What programs that log in JSON call the time.
const KEYS: &[&[u8]] = &[
    b"\"@timestamp\"",
    b"\"timestamp\"",
    b"\"ts\"",
    b"\"__REALTIME_TIMESTAMP\"",
    b"\"eventTime\"",
    b"\"datetime\"",
    b"\"date\"",
    b"\"t\"",
];

/// Lines that are a time and nothing else: those of a journal's export.
const FIELDS: &[&[u8]] = &[b"__REALTIME_TIMESTAMP="];

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const LATEST: OffsetDateTime = datetime!(2026-11-27 12:00 UTC);

    #[test]
    fn times_of_the_usual_logs_are_read() {
        for (line, expected) in [
            ("2026-11-20T23:10:23.5Z stdout F x", datetime!(2026-11-20 23:10:23.5 UTC)),
            ("2026-11-20T23:10:23+02:00 x", datetime!(2026-11-20 23:10:23 +2)),
            ("[2026-11-20 23:10:23,250] ERROR x", datetime!(2026-11-20 23:10:23.25 UTC)),
            ("level=info time=2026-11-20T23:10:23Z x", datetime!(2026-11-20 23:10:23 UTC)),
            ("<34>1 2026-11-20T23:10:23.003Z host su - ID47 - x", datetime!(2026-11-20 23:10:23.003 UTC)),
            ("2026/11/20 23:10:23 [error] 1#1: x", datetime!(2026-11-20 23:10:23 UTC)),
            ("1.2.3.4 - - [20/Nov/2026:23:10:23 -0700] \"GET /\"", datetime!(2026-11-20 23:10:23 -7)),
            ("Nov 20 23:10:23 host sshd[1]: x", datetime!(2026-11-20 23:10:23 UTC)),
            ("Nov  2 23:10:23 host sshd[1]: x", datetime!(2026-11-02 23:10:23 UTC)),
            ("I1120 23:10:23.250000    1 server.go:12] x", datetime!(2026-11-20 23:10:23.25 UTC)),
            ("W1220 23:10:23.5 1 x.go:1] x", datetime!(2025-12-20 23:10:23.5 UTC)),
            ("<34>Dec 20 23:10:23 host x", datetime!(2025-12-20 23:10:23 UTC)),
            ("1763680223 x", datetime!(2025-11-20 23:10:23 UTC)),
            ("1763680223.25 x", datetime!(2025-11-20 23:10:23.25 UTC)),
            ("1763680223250 x", datetime!(2025-11-20 23:10:23.25 UTC)),
            ("type=X msg=audit(1763680223.5:9): x", datetime!(2025-11-20 23:10:23.5 UTC)),
            ("__REALTIME_TIMESTAMP=1763680223250000", datetime!(2025-11-20 23:10:23.25 UTC)),
            (r#"{"ts":1763680223.5,"msg":"x"}"#, datetime!(2025-11-20 23:10:23.5 UTC)),
            (
                r#"{"log":"2001-01-01T00:00:00Z \"time\": 1763680223\n","stream":"stdout","time":"2026-11-20T23:10:23Z"}"#,
                datetime!(2026-11-20 23:10:23 UTC),
            ),
        ] {
            assert_eq!(of_line(line.as_bytes(), LATEST), Some(expected), "{line}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_taken_for_one() {
        for line in [
            "",
            "x",
            "2026-13-20T23:10:23Z",
            "version 1.2.3",
            "1234567890abcdef",
            "0000000001 x",
            "4111111111111111111 x",
            "Sunday 12 23:10:23",
            "{\"ts\":",
            "May be 12:00",
            "I1320 23:10:23.5 1 x.go:1] x",
            "E1234 is an error",
        ] {
            assert_eq!(of_line(line.as_bytes(), LATEST), None, "{line}");
        }
    }

    #[test]
    fn users_write_times_and_spans() {
        for (text, expected) in [
            ("2h", Some(datetime!(2026-11-27 10:00 UTC))),
            ("90s", Some(datetime!(2026-11-27 11:58:30 UTC))),
            ("7d", Some(datetime!(2026-11-20 12:00 UTC))),
            ("2026-11-20", Some(datetime!(2026-11-20 0:00 UTC))),
            ("2026-11-20T23:10:23Z", Some(datetime!(2026-11-20 23:10:23 UTC))),
            ("2026-11-20T23:10:23-07:00", Some(datetime!(2026-11-20 23:10:23 -7))),
            ("2026-11-20T23:10:23Z ", None),
            ("2x", None),
            ("h", None),
            ("yesterday", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(of_user(text, LATEST), expected, "{text}");
        }
    }

    #[test]
    fn no_cut_of_a_line_makes_the_reader_fail() {
        for line in ["2026-11-20T23:10:23.123+02:00", "20/Nov/2026:23:10:23 -0700", "Nov 20 23:10:23", "1763680223.25"]
        {
            for cut in 0..=line.len() {
                let _ = of_line(&line.as_bytes()[..cut], LATEST);
                let _ = of_user(&line[..cut], LATEST);
            }
        }
    }
}
