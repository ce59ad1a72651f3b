//! Credentials for a NATS server: from the environment or a file, and in no message.

use super::nats_server::NatsServer;
use super::shell::{CommandOutcome, Shell};

#[test]
fn credentials_come_from_the_environment_and_are_in_no_message() {
    let config = "authorization { user: carol, password: hidden-word }";
    let Some(server) = NatsServer::with_config(config) else { return };
    let shell = Shell::with_log();
    let line = format!("replicate a.log {} --once --create", server.url("A"));
    let run = |variables: &[(&str, &str)]| {
        let mut command = shell.command(&line);
        command.envs(variables.iter().copied());
        CommandOutcome::from_output(command.output().unwrap())
    };
    for variables in [
        &[][..],
        &[("NATS_USER", "carol"), ("NATS_PASSWORD", "hidden-wrong")],
        &[("NATS_TOKEN", "hidden-token")],
        &[("NATS_USER", "carol")],
    ] {
        let refused = run(variables);
        assert_eq!(refused.exit_code, 1, "{refused:?}");
        assert!(!format!("{refused:?}").contains("hidden"), "{refused:?}");
        assert!(refused.stderr.contains("NATS_PASSWORD"), "{}", refused.stderr);
    }
    let sent = run(&[("NATS_USER", "carol"), ("NATS_PASSWORD", "hidden-word")]);
    assert_eq!(sent.exit_code, 0, "{sent:?}");
    assert!(!format!("{sent:?}").contains("hidden"), "{sent:?}");
}
