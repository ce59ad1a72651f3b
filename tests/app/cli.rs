//! The commands, run as a script runs them: exit statuses, what goes to stdout, what to stderr.
