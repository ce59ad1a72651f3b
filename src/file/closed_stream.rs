//! Detects that a standard stream has no reader any more, without writing to it.

use std::io::StdoutLock;

/// True when stdout is a pipe whose reader has closed it, or a terminal that was disconnected; always false on platforms other
/// than Unix. A program that waits without writing needs this check, because only a write would fail.
pub(crate) fn is_stdout_closed(stdout: &StdoutLock) -> bool {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut streams = [PollFd::new(stdout, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut streams, Some(&now)).is_ok()
            && streams.iter().any(|stream| stream.revents().intersects(PollFlags::ERR | PollFlags::HUP))
    }
    #[cfg(not(unix))]
    {
        let _ = stdout;
        false
    }
}
