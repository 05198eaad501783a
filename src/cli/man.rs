//! `blackbar man`: prints the manual page, one for all commands.

use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::{
    args,
    config::SYSTEM_FILE,
    exit::{Exit, Failure},
    output,
};

const ENVIRONMENT: &[(&str, &str)] = &[
    ("BLACKBAR_<OPTION>", "The value of an option: BLACKBAR_FAIL_ON for --fail-on. Switches take true or false."),
    ("BLACKBAR_FINGERPRINT_KEY", "The key of fingerprints, 16 bytes or more. It has no option, since it is a secret."),
    ("NO_COLOR", "No colour."),
];

const FILES: &[(&str, &str)] = &[
    (
        "blackbar.toml",
        "Options by their names without dashes. The first found counts: that of --config, of \
         BLACKBAR_CONFIG, $XDG_CONFIG_HOME/blackbar/blackbar.toml (~/.config), \
         /etc/blackbar/blackbar.toml. Only the rules commands look at ./blackbar.toml first. Relative \
         paths in it start at its own folder.",
    ),
    (
        SYSTEM_FILE,
        "The administrator's. Its [policy] locked = [\"mode\", ...] names options that no other file, \
         variable or option can change.",
    ),
    (
        "fingerprint.key",
        "Made at first use in $XDG_STATE_HOME/blackbar (~/.local/state), so that a secret has the same \
         fingerprint in every run.",
    ),
];

const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "Done, also when secrets were masked."),
    ("1", "Findings reached --fail-on."),
    ("2", "Wrong usage, configuration or rules."),
    ("3", "Input, output or the filter failed. The output stopped before what was not scanned."),
];

/// Runs the command.
pub fn run() -> Result<Exit, Failure> {
    let mut page = Vec::new();
    // The page is rendered to memory, which does not fail.
    let rendered = render(&mut page);
    debug_assert!(rendered.is_ok());
    output::print(&String::from_utf8_lossy(&page))
}

fn render(page: &mut Vec<u8>) -> std::io::Result<()> {
    let man = Man::new(args::command()).source(concat!("blackbar ", env!("CARGO_PKG_VERSION")));
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    let commands = commands(&args::command(), "blackbar");
    let commands: Vec<(&str, &str)> = commands.iter().map(|(usage, about)| (&**usage, &**about)).collect();
    for (title, entries) in
        [("COMMANDS", &commands[..]), ("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES), ("EXIT STATUS", EXIT_CODES)]
    {
        let mut roff = Roff::new();
        roff.control("SH", [title]);
        for (name, text) in entries {
            roff.control("TP", []).text([bold(*name)]).text([roman(*text)]);
        }
        roff.to_writer(page)?;
    }
    let mut roff = Roff::new();
    // No filling: the columns of the examples stay.
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in args::EXAMPLES.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []).to_writer(page)
}

/// Every command with its arguments, and what it does.
fn commands(parent: &clap::Command, before: &str) -> Vec<(String, String)> {
    let mut list = Vec::new();
    for command in parent.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("{before} {}", command.get_name());
        if command.has_subcommands() {
            list.extend(commands(command, &name));
            continue;
        }
        let arguments: String = command
            .get_positionals()
            .map(|argument| match (argument.is_required_set(), argument.get_id().as_str()) {
                (true, name) => format!(" {}", name.to_uppercase()),
                (false, name) => format!(" [{}]", name.to_uppercase()),
            })
            .collect();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        list.push((name + &arguments, about));
    }
    list
}
