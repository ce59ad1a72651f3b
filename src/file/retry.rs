//! Repeats calls of the operating system that a signal interrupted (`EINTR`) or that would have blocked (`EAGAIN`).
//!
//! This is the only place that decides about repetition. Such a call has transferred no bytes, so a repeated read or
//! write transfers no byte twice. `EINTR` is repeated without a limit. `EAGAIN` is repeated for a few seconds on files,
//! and without a limit on standard streams, whose reader may be slow. Other errors, such as a failed sync, are returned
//! at once.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The pause after the first call that would have blocked. Each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause between two calls.
const MAX_PAUSE: Duration = Duration::from_millis(250);
/// Total of the pauses after which a call on a file fails with `EAGAIN`.
const MAX_TOTAL_PAUSE: Duration = Duration::from_secs(4);

/// Repeats a call on a file until it is neither interrupted nor would have blocked.
///
/// A caller for which `EAGAIN` is an answer, as it is for a lock, returns it as a value instead of an error.
pub(super) fn retry<T>(call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    retry_with(call, MAX_TOTAL_PAUSE, std::thread::sleep)
}

/// Repeats a sync only when it was interrupted. Any other error of a sync means that data may be lost.
pub(super) fn retry_sync(mut call: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Repeats a call that changes names, such as a rename.
///
/// On a network file system an interrupted call may have taken effect, and its repetition then fails with `repeated`.
/// The call counts as successful in that case, if `has_effect` confirms it.
pub(super) fn retry_name_change(
    mut call: impl FnMut() -> io::Result<()>,
    repeated: ErrorKind,
    has_effect: impl FnOnce() -> bool,
) -> io::Result<()> {
    let mut is_repetition = false;
    let result = retry(|| {
        let result = call();
        let is_last = result.as_ref().err().is_none_or(|error| !is_repeatable(error));
        is_repetition |= !is_last;
        result
    });
    match result {
        Err(error) if is_repetition && error.kind() == repeated && has_effect() => Ok(()),
        result => result,
    }
}

/// Creates a file that must not exist yet.
///
/// On a network file system an interrupted call may have created the file, and its repetition then fails with
/// `AlreadyExists`. `open_created` opens the file in that case if this process can have created it, so that it gets the
/// name that was asked for and no empty file stays.
pub(super) fn retry_creation<T>(
    mut create: impl FnMut() -> io::Result<T>,
    open_created: impl FnOnce() -> io::Result<Option<T>>,
) -> io::Result<T> {
    let mut is_repetition = false;
    let result = retry(|| {
        let result = create();
        let is_last = result.as_ref().err().is_none_or(|error| !is_repeatable(error));
        is_repetition |= !is_last;
        result
    });
    match result {
        Err(error) if is_repetition && error.kind() == ErrorKind::AlreadyExists => open_created()?.ok_or(error),
        result => result,
    }
}

/// Lists the paths in a folder. The whole listing is repeated, because an interrupted listing ends at the interruption.
pub(super) fn list_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    retry(|| std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect())
}

/// True for an error after which the same call can succeed.
pub(super) fn is_repeatable(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock)
}

fn retry_with<T>(
    mut call: impl FnMut() -> io::Result<T>,
    max_total_pause: Duration,
    mut pause: impl FnMut(Duration),
) -> io::Result<T> {
    let (mut next_pause, mut total_pause) = (FIRST_PAUSE, Duration::ZERO);
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock && total_pause < max_total_pause => {
                pause(next_pause);
                total_pause = total_pause.saturating_add(next_pause);
                next_pause = (next_pause * 2).min(MAX_PAUSE);
            }
            result => return result,
        }
    }
}

/// A standard stream that waits where the stream itself is set to non-blocking, for example by another program that
/// shares the pipe or the terminal.
#[cfg(feature = "app")]
#[derive(Debug)]
pub(crate) struct BlockingStream<S>(pub(crate) S);

#[cfg(feature = "app")]
impl<S: io::Read> io::Read for BlockingStream<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        retry_with(|| self.0.read(buf), Duration::MAX, std::thread::sleep)
    }
}

#[cfg(feature = "app")]
impl<S: io::Write> io::Write for BlockingStream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        retry_with(|| self.0.write(bytes), Duration::MAX, std::thread::sleep)
    }

    fn flush(&mut self) -> io::Result<()> {
        retry_with(|| self.0.flush(), Duration::MAX, std::thread::sleep)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use super::*;

    /// Returns a call that fails with these errors, one after the other, and then returns 7.
    fn failing(kinds: impl IntoIterator<Item = ErrorKind>) -> impl FnMut() -> io::Result<u32> {
        let mut kinds: VecDeque<ErrorKind> = kinds.into_iter().collect();
        move || kinds.pop_front().map_or(Ok(7), |kind| Err(kind.into()))
    }

    #[test]
    fn an_interrupted_call_is_repeated_without_a_limit_and_without_a_pause() {
        let call = failing([ErrorKind::Interrupted; 10_000]);
        assert_eq!(retry_with(call, Duration::ZERO, |_| unreachable!("no pause")).unwrap(), 7);
        let mut interruptions = 3;
        retry_sync(|| {
            interruptions -= 1;
            if interruptions > 0 { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
        })
        .unwrap();
    }

    #[test]
    fn a_call_that_would_block_is_repeated_with_growing_pauses_up_to_a_total() {
        let pauses = RefCell::new(Vec::new());
        let pause = |time| pauses.borrow_mut().push(time);
        assert_eq!(retry_with(failing([ErrorKind::WouldBlock; 5]), MAX_TOTAL_PAUSE, pause).unwrap(), 7);
        assert_eq!(pauses.take(), [1, 2, 4, 8, 16].map(Duration::from_millis));
        let error = retry_with(failing([ErrorKind::WouldBlock; 10_000]), MAX_TOTAL_PAUSE, pause).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let pauses = pauses.take();
        assert!(pauses.is_sorted() && pauses.iter().all(|pause| *pause <= MAX_PAUSE), "{pauses:?}");
        let total: Duration = pauses.iter().sum();
        assert!(total >= MAX_TOTAL_PAUSE && total < MAX_TOTAL_PAUSE + MAX_PAUSE, "{total:?}");
    }

    #[test]
    fn other_errors_are_returned_at_once_and_a_sync_is_repeated_only_after_an_interruption() {
        for kind in [ErrorKind::PermissionDenied, ErrorKind::StorageFull, ErrorKind::NotFound, ErrorKind::Other] {
            let mut calls = 0;
            let mut call = || {
                calls += 1;
                Err(kind.into())
            };
            assert_eq!(retry::<()>(&mut call).unwrap_err().kind(), kind);
            assert_eq!(retry_sync(&mut call).unwrap_err().kind(), kind);
            assert_eq!(calls, 2);
        }
        let mut calls = 0;
        let would_block = || {
            calls += 1;
            Err(ErrorKind::WouldBlock.into())
        };
        assert_eq!(retry_sync(would_block).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(calls, 1);
    }

    #[test]
    fn an_interrupted_name_change_that_took_effect_counts_as_successful() {
        let rename = |errors: &[ErrorKind], has_effect: bool| {
            let mut call = failing(errors.iter().copied());
            retry_name_change(|| call().map(|_| ()), ErrorKind::NotFound, || has_effect).map_err(|error| error.kind())
        };
        assert_eq!(rename(&[ErrorKind::Interrupted, ErrorKind::NotFound], true), Ok(()));
        assert_eq!(rename(&[ErrorKind::Interrupted, ErrorKind::NotFound], false), Err(ErrorKind::NotFound));
        assert_eq!(rename(&[ErrorKind::NotFound], true), Err(ErrorKind::NotFound), "it was not interrupted before");
        let other = [ErrorKind::Interrupted, ErrorKind::PermissionDenied];
        assert_eq!(rename(&other, true), Err(ErrorKind::PermissionDenied));
    }

    #[test]
    fn a_file_that_an_interrupted_call_has_created_is_opened_under_its_name() {
        let create = |errors: &[ErrorKind], created: Option<u32>| {
            retry_creation(failing(errors.iter().copied()), || Ok(created)).map_err(|error| error.kind())
        };
        let interrupted = [ErrorKind::Interrupted, ErrorKind::AlreadyExists];
        assert_eq!(create(&[], Some(1)), Ok(7));
        assert_eq!(create(&[ErrorKind::Interrupted], Some(1)), Ok(7), "the interrupted call had no effect");
        assert_eq!(create(&interrupted, Some(1)), Ok(1));
        assert_eq!(create(&interrupted, None), Err(ErrorKind::AlreadyExists), "another process created it");
        assert_eq!(create(&[ErrorKind::AlreadyExists], Some(1)), Err(ErrorKind::AlreadyExists));
    }

    #[cfg(feature = "app")]
    #[test]
    fn a_stream_that_would_block_loses_no_byte_and_repeats_none() {
        use std::io::{Read, Write};

        /// Takes and gives one byte at a time, and reports an interruption or a full pipe before each.
        struct Reluctant(Vec<u8>, u32);

        impl Reluctant {
            fn interrupt(&mut self) -> io::Result<()> {
                self.1 += 1;
                match self.1 % 3 {
                    1 => Err(ErrorKind::WouldBlock.into()),
                    2 => Err(ErrorKind::Interrupted.into()),
                    _ => Ok(()),
                }
            }
        }

        impl Write for Reluctant {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.interrupt()?;
                self.0.extend_from_slice(&bytes[..1]);
                Ok(1)
            }

            fn flush(&mut self) -> io::Result<()> {
                self.interrupt()
            }
        }

        impl Read for Reluctant {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.interrupt()?;
                let Some(byte) = (!self.0.is_empty()).then(|| self.0.remove(0)) else { return Ok(0) };
                buf[0] = byte;
                Ok(1)
            }
        }

        let mut stream = BlockingStream(Reluctant(Vec::new(), 0));
        stream.write_all(b"offsets").unwrap();
        stream.flush().unwrap();
        assert_eq!(stream.0.0, b"offsets");
        let mut read = String::new();
        stream.read_to_string(&mut read).unwrap();
        assert_eq!(read, "offsets");
    }
}
