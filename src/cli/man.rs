//! `man`: prints the manual page, generated from the command line's definition and the screen's table of actions.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::Cli;
use super::failure::{CommandFailure, CommandResult};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use crate::report::ExitStatus;
use crate::tui::{ActionScope, action_table};

/// Print the manual page.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chronicle man | man -l -")]
pub(super) struct ManArgs {}

impl ManArgs {
    /// Runs the command. The page holds the description, every command, the keys of the screen and the exit statuses.
    #[expect(clippy::unused_self, reason = "every command has this signature")]
    pub(super) fn run(&self, _global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let page = render_man_page().map_err(CommandFailure::Stdout)?;
        out.print_bytes(&page)?;
        Ok(ExitStatus::Done)
    }
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
    for status in ExitStatus::ALL {
        let (number, meaning) = (status.code(), status.meaning());
        writeln!(page, ".TP\n{number}\n{meaning}")?;
    }
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// Writes the section on the keys of the screen, from the screen's table of actions.
fn write_keys_section(page: &mut Vec<u8>) -> io::Result<()> {
    writeln!(page, ".SH KEYS")?;
    for action in action_table().iter().filter(|action| !action.keys.is_empty()) {
        let prefix = match action.scope {
            ActionScope::Main | ActionScope::MarkName => "",
            ActionScope::Timeline => "t ",
            ActionScope::CopyChord => "y ",
            ActionScope::TextInput
            | ActionScope::Form
            | ActionScope::Confirm
            | ActionScope::Plan
            | ActionScope::Columns => continue,
        };
        let keys: Vec<String> =
            action.keys.iter().map(|key| format!("{prefix}{}", escape_roff(&key.to_string()))).collect();
        writeln!(page, ".TP\n\\fB{}\\fR\n{}", keys.join("\\fR, \\fB"), escape_roff(action.help))?;
    }
    Ok(())
}

/// Escapes text for roff: backslashes, hyphens, and a leading dot or quote, which would start a request.
fn escape_roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

/// Writes a section for a command, or for each of its subcommands.
fn write_command_sections(command: &clap::Command, name: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let subs: Vec<_> = command.get_subcommands().collect();
    if subs.is_empty() {
        let man = Man::new(command.clone());
        writeln!(page, ".SS {name}")?;
        let mut section = Vec::new();
        man.render_description_section(&mut section)?;
        man.render_synopsis_section(&mut section)?;
        man.render_options_section(&mut section)?;
        // The command's own heading replaces the section headings that clap_mangen writes.
        for line in section.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b".SH")) {
            page.write_all(line)?;
        }
    }
    subs.into_iter().try_for_each(|sub| write_command_sections(sub, &format!("{name} {}", sub.get_name()), page))
}
