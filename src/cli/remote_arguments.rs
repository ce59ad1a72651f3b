//! The arguments that can be URLs. Every path of a command line is checked before the command runs, so that a URL is never
//! taken for the name of a file.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::ArgMatches;

use super::failure::CommandFailure;
use crate::place::{Place, PlaceError, RemoteScheme, RemoteUrl};

/// All schemes.
const ANY_SERVER: &[RemoteScheme] = &[RemoteScheme::S3, RemoteScheme::Nats];
/// The arguments that take URLs: the command, the argument, and the schemes.
const ACCEPTED: &[(&str, &str, &[RemoteScheme])] = &[
    ("open", "logs", &[RemoteScheme::S3]),
    ("verify", "logs", ANY_SERVER),
    ("info", "logs", ANY_SERVER),
    ("cat", "log", ANY_SERVER),
    ("show", "log", ANY_SERVER),
    ("stats", "log", &[RemoteScheme::S3]),
    ("export", "log", &[RemoteScheme::S3]),
    ("report", "log", &[RemoteScheme::S3]),
    ("diff", "a", ANY_SERVER),
    ("diff", "b", ANY_SERVER),
    ("repair", "donors", ANY_SERVER),
    ("salvage", "log", &[RemoteScheme::S3]),
    ("salvage", "donors", ANY_SERVER),
    ("migrate", "log", &[RemoteScheme::S3]),
    ("compact", "log", &[RemoteScheme::S3]),
    ("backup", "destination", &[RemoteScheme::S3]),
    ("replicate", "stream", &[RemoteScheme::Nats]),
    ("restore", "source", ANY_SERVER),
    ("retain", "only_archived", &[RemoteScheme::S3]),
];

/// Checks every argument that is a path, of the command that `matches` selects.
///
/// # Errors
/// `Usage` for a malformed URL, for one that this build cannot open, and for one that the argument does not take.
pub(super) fn check_remote_arguments(root: &clap::Command, matches: &ArgMatches) -> Result<(), CommandFailure> {
    let (mut command, mut matches, mut name) = (root, matches, String::new());
    while let Some((subcommand, its_matches)) = matches.subcommand() {
        let Some(found) = command.find_subcommand(subcommand) else { break };
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(subcommand);
        (command, matches) = (found, its_matches);
    }
    let path_type = clap::value_parser!(PathBuf).type_id();
    for argument in command.get_arguments().chain(root.get_arguments()) {
        if argument.get_value_parser().type_id() != path_type {
            continue;
        }
        let id = argument.get_id().as_str();
        for value in matches.try_get_raw(id).ok().flatten().into_iter().flatten() {
            check_argument(&name, id, value)?;
        }
    }
    Ok(())
}

fn check_argument(command: &str, argument: &str, value: &OsStr) -> Result<(), CommandFailure> {
    let url = match Place::parse(value).map_err(|error| malformed(&error))? {
        Place::Local(_) => return Ok(()),
        Place::Remote(url) => url,
    };
    if !cfg!(feature = "remote") {
        return Err(not_in_this_build(&url));
    }
    let is_accepted = ACCEPTED.iter().any(|(accepting, accepted, schemes)| {
        *accepting == command && *accepted == argument && schemes.contains(&url.scheme())
    });
    if is_accepted { Ok(()) } else { Err(not_accepted(command, &url)) }
}

fn malformed(error: &PlaceError) -> CommandFailure {
    CommandFailure::Usage {
        message: error.to_string(),
        hint: "Write s3://BUCKET/KEY or nats://HOST[:PORT]/STREAM; credentials come from the environment or a file"
            .into(),
    }
}

fn not_in_this_build(url: &RemoteUrl) -> CommandFailure {
    let prefix = url.scheme().prefix();
    CommandFailure::Usage {
        message: format!("{url}: this program cannot open {prefix} URLs: it was built without the feature `remote`"),
        hint: "Install it with `cargo install chronicle-log --features remote`, or name a local file".into(),
    }
}

fn not_accepted(command: &str, url: &RemoteUrl) -> CommandFailure {
    CommandFailure::Usage {
        message: format!("{url}: expected a local path, found a URL of a server, which `{command}` does not take here"),
        hint: "A log on a server can only be read: download it, change or repair the copy, and upload it".into(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_accepted_argument_exists_and_is_a_path() {
        let root = Cli::command();
        for (name, argument, schemes) in ACCEPTED {
            let command = name.split(' ').fold(&root, |group, name| group.find_subcommand(name).unwrap());
            let found = command.get_arguments().find(|known| known.get_id() == argument);
            let found = found.unwrap_or_else(|| panic!("{name} has no argument {argument}"));
            assert!(found.get_value_parser().type_id() == clap::value_parser!(PathBuf).type_id(), "{name} {argument}");
            assert!(!schemes.is_empty(), "{name} {argument}");
        }
    }
}
