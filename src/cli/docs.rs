//! `completions` and `man`: the command line described from its own definition.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;

use super::args::{Cli, CompletionsArgs};
use super::failure::{CommandFailure, CommandResult};
use super::output::CommandOutput;
use crate::report::ExitStatus;
use crate::tui::{ActionScope, action_table};

pub(super) fn completions(args: &CompletionsArgs, out: &mut CommandOutput) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "chronicle", &mut script);
    out.print_bytes(&script)?;
    Ok(ExitStatus::Done)
}

/// One page for everything: what the program is, then each command with its options, then the exit statuses.
pub(super) fn man(out: &mut CommandOutput) -> CommandResult {
    let page = render_man_page().map_err(CommandFailure::Stdout)?;
    out.print_bytes(&page)?;
    Ok(ExitStatus::Done)
}

fn render_man_page() -> io::Result<Vec<u8>> {
    let mut command = Cli::command().after_help("");
    command.build();
    let man = Man::new(command.clone()).date("");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    writeln!(page, ".SH COMMANDS")?;
    for sub in command.get_subcommands() {
        write_command_sections(sub, sub.get_name(), &mut page)?;
    }
    write_keys_section(&mut page)?;
    writeln!(page, ".SH \"EXIT STATUSES\"")?;
    for (_, number, meaning) in ExitStatus::ALL {
        writeln!(page, ".TP\n{number}\n{meaning}")?;
    }
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// The keys of the screen, out of its own table of actions.
fn write_keys_section(page: &mut Vec<u8>) -> io::Result<()> {
    writeln!(page, ".SH KEYS")?;
    for action in action_table().iter().filter(|action| !action.keys.is_empty()) {
        let before = match action.scope {
            ActionScope::Main => "",
            ActionScope::CopyChord => "y ",
            ActionScope::TextInput | ActionScope::Form | ActionScope::Confirm | ActionScope::Plan => continue,
        };
        let keys: Vec<String> =
            action.keys.iter().map(|key| format!("{before}{}", escape_roff(&key.to_string()))).collect();
        writeln!(page, ".TP\n\\fB{}\\fR\n{}", keys.join("\\fR, \\fB"), escape_roff(action.help))?;
    }
    Ok(())
}

/// Text of the page: a backslash, and a dot or a quote that would start a request, stand for themselves.
fn escape_roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

/// A command, and those below it, as sections of their own.
fn write_command_sections(command: &clap::Command, name: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let subs: Vec<_> = command.get_subcommands().collect();
    if subs.is_empty() {
        let man = Man::new(command.clone());
        writeln!(page, ".SS {name}")?;
        let mut section = Vec::new();
        man.render_description_section(&mut section)?;
        man.render_synopsis_section(&mut section)?;
        man.render_options_section(&mut section)?;
        // Below the heading of the command there is no other.
        for line in section.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b".SH")) {
            page.write_all(line)?;
        }
    }
    subs.into_iter().try_for_each(|sub| write_command_sections(sub, &format!("{name} {}", sub.get_name()), page))
}
