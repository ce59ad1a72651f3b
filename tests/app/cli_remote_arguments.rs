//! Arguments that are URLs of servers: each is checked before the command runs, and never taken for the name of a file.

use super::shell::Shell;

/// Command lines with a URL at each kind of place: a log, one of several logs, an option, an output, a global option.
const LINES: [&str; 8] = [
    "verify URL",
    "verify a.log URL",
    "URL",
    "repair a.log --donor URL",
    "salvage a.log -o URL",
    "append URL --type T --namespace n --schema s --payload 1",
    "index status URL",
    "verify a.log --index URL",
];

#[cfg(not(feature = "remote"))]
#[test]
fn a_program_without_the_feature_says_how_to_get_it() {
    let shell = Shell::with_log();
    for url in ["s3://bucket/a.log", "nats://localhost:4222/stream"] {
        for line in LINES {
            let outcome = shell.run(&line.replace("URL", url));
            assert_eq!(outcome.exit_code, 2, "{line}: {outcome:?}");
            assert!(
                outcome.stderr.contains("--features remote") && outcome.stderr.contains(url),
                "{line}: {outcome:?}"
            );
            assert!(!outcome.stderr.contains("o such file") && outcome.stdout.is_empty(), "{line}: {outcome:?}");
        }
    }
}

#[test]
fn a_url_with_credentials_is_refused_by_every_command() {
    let shell = Shell::with_log();
    for line in LINES {
        let outcome = shell.run(&line.replace("URL", "s3://KEY:hidden@bucket/a.log"));
        assert_eq!(outcome.exit_code, 2, "{line}: {outcome:?}");
        assert!(outcome.stderr.contains("must not have credentials"), "{line}: {outcome:?}");
        assert!(!outcome.stderr.contains("hidden"), "{line}: {outcome:?}");
    }
}

#[test]
fn other_texts_that_look_like_a_url_are_left_alone() {
    let shell = Shell::with_log();
    shell.run_ok("append a.log --type T --namespace s3://bucket --schema nats://host/s --payload 1");
    std::fs::create_dir_all(shell.path("s3:/bucket")).unwrap();
    std::fs::copy(shell.path("a.log"), shell.path("s3:/bucket/a.log")).unwrap();
    shell.run_ok("verify ./s3://bucket/a.log");
}
