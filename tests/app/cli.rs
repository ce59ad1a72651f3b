//! Tests of all commands together: usage errors, files that are not logs, no writes by reading commands, completions.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::shell::Shell;

#[test]
fn a_file_that_cannot_be_opened_is_reported_before_the_missing_terminal() {
    let shell = Shell::with_log();
    std::fs::write(shell.path("notes.log"), "these are my notes, and no events").unwrap();
    for (file, fault) in [("missing.log", "No such file"), ("notes.log", "not a Chronicle log")] {
        for line in [format!("open {file}"), format!("-- {file}")] {
            let outcome = shell.run(&line);
            assert!(outcome.exit_code != 0 && outcome.stderr.contains(fault), "{line}: {outcome:?}");
            assert!(!outcome.stderr.contains("terminal"), "{line}: {outcome:?}");
        }
    }
}

#[test]
fn without_a_terminal_the_screen_names_other_commands() {
    let shell = Shell::with_log();
    for line in ["a.log", "open a.log", "--no-scan a.log"] {
        let outcome = shell.run(line);
        assert_eq!(outcome.exit_code, 2, "{line}: {outcome:?}");
        assert!(outcome.stderr.contains("chronicle verify a.log") && outcome.stdout.is_empty(), "{outcome:?}");
    }
}

#[test]
fn completions_and_manual_contain_every_command() {
    let shell = Shell::new();
    for name in ["bash", "zsh", "fish"] {
        let script = shell.run_ok(&format!("completions {name}")).stdout;
        assert!(script.contains("require-fresh"), "{name}");
    }
    let page = shell.run_ok("man").stdout;
    for word in [".TH chronicle 1", "index rebuild", "require\\-fresh", "EXIT STATUSES", "checksum_noise"] {
        assert!(page.contains(word), "{word}");
    }
}

#[test]
fn invalid_command_lines_exit_with_2() {
    let shell = Shell::with_log();
    let cases =
        ["", "verfy", "verify", "verify a.log --until x", "generate b.log --size 1XB", "drill a.log -o b --kind x"];
    for line in cases {
        let outcome = shell.run(line);
        assert!(
            outcome.exit_code == 2 && outcome.stdout.is_empty() && !outcome.stderr.is_empty(),
            "{line}: {outcome:?}"
        );
        let outcome = shell.run(&format!("--json {line}"));
        let error: Value = serde_json::from_str(&outcome.stderr).unwrap();
        assert_eq!((outcome.exit_code, &error["exit"]), (2, &2.into()), "{line}: {outcome:?}");
    }
    for (word, nearest) in
        [("verfy", "verify"), ("retani", "retain"), ("epxort", "export"), ("index updaet", "update"), ("hlep", "help")]
    {
        let outcome = shell.run(word);
        assert!(outcome.stderr.contains(&format!("the nearest command is `{nearest}`")), "{word}: {outcome:?}");
    }
    assert!(!shell.run("zzzzzz").stderr.contains("nearest"), "no command is similar");
    assert_eq!(shell.run("--version").exit_code, 0);
}

#[test]
fn files_that_are_not_logs_are_described() {
    let shell = Shell::with_log();
    fs::write(shell.path("empty.log"), "").unwrap();
    fs::write(shell.path("nine.log"), "CHRN\0\x01\0\0\0").unwrap();
    fs::write(shell.path("text.log"), "just some text that is longer than a header").unwrap();
    fs::write(shell.path("newer.log"), b"CHRN\0\x03\0\0\0\0\0\0\0\0\0\0").unwrap();
    fs::write(shell.path("flags.log"), b"CHRN\0\x01\0\x01\0\0\0\0\0\0\0\0").unwrap();
    let cases = [
        ("empty.log", "found a file of 0 bytes"),
        ("nine.log", "found a file of 9 bytes"),
        ("text.log", "expected 43 48 52 4e"),
        ("newer.log", "expected 1 or 2, found 3"),
        ("flags.log", "unknown flags"),
        (".", "the folder has no segment of a log"),
        ("nothing.log", "No such file"),
    ];
    for (name, expected) in cases {
        for command in ["verify", "info", "cat", "append", "index status", "index rebuild"] {
            if name == "." && ["verify", "info"].contains(&command) {
                continue; // They describe each log of a folder.
            }
            let outcome = shell.run(&format!("{command} {name}"));
            assert_eq!(outcome.exit_code, 1, "{command} {name}: {outcome:?}");
            assert!(
                outcome.stderr.contains(expected) && outcome.stderr.ends_with(".\n"),
                "{command} {name}: {outcome:?}"
            );
            assert_eq!(outcome.stdout, "");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_refused_without_blocking() {
    let shell = Shell::new();
    let status = Command::new("mkfifo").arg(shell.path("pipe.log")).status().unwrap();
    assert!(status.success());
    for (command, status) in [("verify", 1), ("cat", 1), ("append", 1), ("create --force", 6)] {
        let outcome = shell.run(&format!("{command} pipe.log"));
        assert!(outcome.exit_code == status && outcome.stderr.contains("regular file"), "{command}: {outcome:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_unreadable_log_is_a_failure() {
    use std::os::unix::fs::PermissionsExt;

    let shell = Shell::with_log();
    fs::set_permissions(shell.path("a.log"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(shell.path("a.log")).is_ok() {
        eprintln!("this user can read every file: the permission error is not tested");
        return;
    }
    let outcome = shell.run("verify a.log");
    assert!(outcome.exit_code == 1 && outcome.stderr.contains("cannot open"), "{outcome:?}");
}

#[test]
fn reading_commands_write_nothing() {
    let shell = Shell::with_log();
    shell.plant_damage("torn_tail", "torn.log");
    let contents = || {
        let mut names: Vec<_> = fs::read_dir(shell.folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
        names.sort();
        names.iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect::<Vec<_>>()
    };
    let before = contents();
    for command in ["verify", "info", "cat", "index status"] {
        shell.run(&format!("{command} torn.log"));
    }
    assert!(contents() == before);
}

#[test]
fn every_way_to_name_no_log_has_its_own_error() {
    let shell = Shell::with_log();
    fs::copy(shell.path("a.log"), shell.path("-name.log")).unwrap();
    let cases = [
        ("acounts", 2, "acounts: no such file or command"),
        ("verfy a.log", 2, "verfy: no such file or command; the nearest command is `verify`"),
        // Two commands are similar.
        ("repiar a.log", 2, "repiar: no such file or command; the nearest command is `repair`"),
        ("no.log", 1, "no.log: cannot open: No such file"),
        ("verify no.log", 1, "no.log: cannot open: No such file"),
        ("-- -name.log", 2, "stdout is not a terminal"),
        ("help nothing", 2, "nothing"),
    ];
    for (line, status, message) in cases {
        let outcome = shell.run(line);
        assert_eq!(outcome.exit_code, status, "{line}: {outcome:?}");
        assert!(outcome.stderr.contains(message), "{line}: {outcome:?}");
    }
    assert!(shell.run("-- -name.log").stderr.contains("chronicle verify ./-name.log"));
    assert!(shell.run_ok("help").stdout.contains("verify"));
    let help = shell.run_ok("help verify").stdout;
    assert!(help.contains("--since-last") && help.contains("Usage: chronicle verify"), "{help}");
}

#[cfg(unix)]
#[test]
fn a_pipe_given_as_a_log_is_named() {
    let shell = Shell::with_log();
    let script = format!("{} info <(cat a.log)", env!("CARGO_BIN_EXE_chronicle"));
    let Ok(output) = std::process::Command::new("bash").arg("-c").arg(script).current_dir(shell.folder.path()).output()
    else {
        return;
    };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("expected a regular file, found a pipe"), "{stderr}");
    assert!(stderr.contains("`verify -`, `cat -` and `import -` read a pipe"), "{stderr}");
}

#[test]
fn text_is_found_as_a_person_reads_it() {
    let shell = Shell::new();
    shell.run_ok("create a.log");
    let event = r#"{"event_type":"E","namespace":"n","schema_id":"S","schema_version":1,"aggregate_id":1,"payload":{"place":"Bogot\u00e1","url":"a\/b"}}"#;
    assert_eq!(shell.run_with_input("append a.log", event.as_bytes()).exit_code, 0);
    for filter in ["Bogotá", "bogotá", "a/b", r"Bogot\u00e1", "payload~Bogotá", "payload.place=Bogotá"] {
        let outcome = shell.command("cat a.log --filter").arg(filter).output().unwrap();
        assert_eq!(outcome.stdout.iter().filter(|byte| **byte == b'\n').count(), 1, "{filter}");
    }
}

#[test]
fn a_faulty_configuration_stops_only_the_screen() {
    let shell = Shell::with_log();
    std::fs::create_dir(shell.path("chronicle")).unwrap();
    std::fs::write(shell.path("chronicle/config.toml"), "theme = 3\n").unwrap();
    for (line, exit_code) in [("verify a.log", 0), ("info a.log", 0), ("open a.log --no-config", 2)] {
        let output = shell.command(line).env("XDG_CONFIG_HOME", shell.folder.path()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(exit_code) && !stderr.contains("configuration"), "{line}: {stderr}");
    }
    let outcome = shell.run("open a.log --config chronicle/config.toml");
    assert!(
        outcome.stderr.contains("chronicle/config.toml, line 1: `theme`: expected a text in quotes"),
        "{outcome:?}"
    );
    assert_eq!(outcome.exit_code, 2);
}

#[test]
fn completions_offer_logs_in_the_place_of_a_command() {
    let shell = Shell::new();
    assert!(shell.run_ok("completions zsh").stdout.contains("{ _chronicle_commands; _files }"));
    let fish = shell.run_ok("completions fish").stdout;
    assert!(fish.ends_with("complete -c chronicle -n \"__fish_chronicle_needs_command\" -F\n"), "{fish}");
    assert!(fish.contains("function __fish_chronicle_needs_command"), "the condition exists");
}
