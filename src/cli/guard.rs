//! Keeps the memory of the process, which holds secrets, out of core files. Does not hide it from a
//! debugger of the same user.

use std::ffi::OsString;

/// Writes no core file if the process dies. `inputs` are the files that it will still open.
///
/// What the system refuses is left as it is: the filter works all the same.
pub fn write_no_core(inputs: &[OsString]) {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    // Also where cores go to a program, which has no limit. Such a process cannot open its own descriptors by their names
    // any more, as `blackbar <(make)` does.
    let by_descriptor =
        |input: &OsString| [&b"/dev/"[..], b"/proc/"].iter().any(|folder| input.as_encoded_bytes().starts_with(folder));
    if !inputs.iter().any(by_descriptor) {
        hide_memory();
    }
}

/// What the system has allowed: whether the memory of this process can get into a dump.
pub fn dumps() -> &'static str {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        let is_hidden = matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
        match (is_hidden, getrlimit(Resource::Core).current) {
            (true, _) => "off",
            (false, Some(0)) => "no core files",
            (false, _) => "on",
        }
    }
    #[cfg(not(target_os = "linux"))]
    "not known"
}

/// Writes no core file, and leaves it to the programs that this process starts whether they write one.
pub fn hide_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
