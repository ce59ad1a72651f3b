//! The watch: a few times a second, whether the log has grown, was cut, replaced or overwritten, and who writes to it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::journals::Journals;
use super::print::Print;
use super::{Alive, Shared, orders};
use crate::StorageError;
use crate::file::Identity;
use crate::index::IndexState;
use crate::report::units::count;
use crate::tui::message::{Change, Message, News};
use crate::tui::model::{Facts, Lost};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// Between two looks for writers, which cost more: while nothing happens, and while the log grows.
const WRITERS: (Duration, Duration) = (Duration::from_secs(3), Duration::from_millis(500));

/// Starts it; it ends when what is returned is dropped.
pub(super) fn start(shared: &Arc<Shared>, scan: &orders::Handle, out: &Sender<Message>) -> Sender<()> {
    let (alive, end) = bounded::<()>(0);
    let mut watch = Watch {
        shared: shared.clone(),
        scan: scan.clone(),
        out: out.clone(),
        known: None,
        print: None,
        index: None,
        changed: None,
        lost: None,
        journals: Journals::of(shared),
        repairs: shared.repairs(),
        looked_for_writer: None,
    };
    let run = move || {
        let _alive = Alive(watch.out.clone());
        watch.index = watch.index_identity();
        // While nobody ends it, nobody says anything either.
        while watch.look().is_ok() && end_within(&end, LOOK).is_none() {}
    };
    let _ = thread::Builder::new().name("watch".into()).spawn(run);
    alive
}

/// Waits; the end, when it has come.
fn end_within(end: &Receiver<()>, time: Duration) -> Option<()> {
    (end.recv_timeout(time) != Err(RecvTimeoutError::Timeout)).then_some(())
}

struct Watch {
    shared: Arc<Shared>,
    scan: orders::Handle,
    out: Sender<Message>,
    /// What was told last.
    known: Option<Facts>,
    /// The bytes that it was told of.
    print: Option<Print>,
    index: Option<(u64, u64)>,
    /// A change of which the log has not been opened since, and how often that was tried.
    changed: Option<(Change, u32)>,
    /// What was told of a name that belongs to no log.
    lost: Option<Lost>,
    journals: Journals,
    repairs: u64,
    looked_for_writer: Option<Instant>,
}

/// Nobody listens any more, or there is nothing left to look at.
struct Unheard;

type Heard<T = ()> = Result<T, Unheard>;

impl Watch {
    /// Looks once.
    fn look(&mut self) -> Heard {
        let bytes = self.shared.view().log().len().map_err(|_| Unheard)?;
        let counted = self.shared.repairs();
        if counted % 2 == 1 {
            return Ok(());
        }
        if std::mem::replace(&mut self.repairs, counted) != counted {
            // What has changed since was changed from here, and told.
            (self.known, self.print) = (None, None);
            self.journals = Journals::of(&self.shared);
        }
        let grown = self.known.as_ref().is_some_and(|known| bytes > known.bytes);
        match self.named() {
            Named::Nothing => {
                self.changed = None;
                return self.loses(Lost::Gone);
            }
            Named::Another => self.change(Change::Replaced),
            Named::Ours if self.lost.is_some() => self.change(Change::Back),
            Named::Ours if self.changed.is_none() => self.compare(bytes),
            Named::Ours => {}
        }
        let change = self.reopen()?;
        if self.changed.is_some() {
            return Ok(());
        }
        let now = self.index_identity();
        if grown || now != self.index {
            self.index = now;
            let _ = self.shared.refresh();
        }
        if let Ok(facts) = self.shared.facts() {
            let is_ahead = |facts: &Facts| matches!(facts.index.state, IndexState::Ahead { .. });
            if grown && change.is_none() && self.known.as_ref().is_some_and(is_ahead) && !is_ahead(&facts) {
                // Nobody appends to a log that has lost its end: it has got its bytes back, or others.
                self.change(Change::Back);
                return Ok(());
            }
            self.tell(facts, change)?;
        }
        // Behind what is new in the log, which somebody waits for.
        let pause = if grown { WRITERS.1 } else { WRITERS.0 };
        if self.looked_for_writer.is_none_or(|at| at.elapsed() >= pause) {
            self.shared.look_for_writer();
            self.looked_for_writer = Some(Instant::now());
        }
        Ok(())
    }

    /// Whether the open file's bytes are those that were told of, and more.
    fn compare(&mut self, bytes: u64) {
        let Some(known) = &self.known else { return };
        let before = known.bytes;
        let changed = if bytes < before {
            Some(Change::Shrunk(before))
        } else {
            let fits = self.print.as_ref().is_none_or(|print| print.fits(self.shared.view().log()));
            (!fits).then_some(Change::Overwritten)
        };
        // A journal says better what was done, and of what no print has seen.
        let repaired = self.journals.news(&self.shared, changed.is_some());
        if let Some(change) = repaired.or(changed) {
            self.change(change);
        }
    }

    /// What is open is not what it was.
    fn change(&mut self, change: Change) {
        if self.changed.is_none_or(|(known, _)| known != change) {
            self.changed = Some((change, 0));
        }
    }

    /// Opens a log that has changed; how it has, once that is done.
    fn reopen(&mut self) -> Heard<Option<Change>> {
        let Some((change, failed)) = self.changed else { return Ok(None) };
        match self.shared.reopen() {
            Ok(()) => {
                (self.changed, self.lost) = (None, None);
                Ok(Some(change))
            }
            Err(error) => {
                self.changed = Some((change, failed + 1));
                // Half written, it may be no log yet: the next look sees it again, and tells.
                if failed > 0 {
                    let found = found(&error);
                    let lost = if change == Change::Replaced { Lost::Replaced(found) } else { Lost::Emptied(found) };
                    self.loses(lost)?;
                }
                Ok(None)
            }
        }
    }

    /// Tells, once, that the log's name belongs to none.
    fn loses(&mut self, lost: Lost) -> Heard {
        if self.lost.as_ref() != Some(&lost) {
            self.lost = Some(lost.clone());
            self.out.send(Message::News(News::Lost(lost))).map_err(|_| Unheard)?;
        }
        Ok(())
    }

    /// Tells what is new.
    fn tell(&mut self, facts: Facts, change: Option<Change>) -> Heard {
        let has_grown = self.known.as_ref().is_none_or(|known| known.bytes != facts.bytes);
        if has_grown || change.is_some() {
            self.print = Print::of(self.shared.view().log(), facts.bytes);
        }
        let has_news = self.known.as_ref() != Some(&facts);
        if !has_news && change.is_none() {
            return Ok(());
        }
        self.known = Some(facts.clone());
        let facts = Box::new(facts);
        let news = match change {
            Some(change) => News::Changed(facts, change),
            None => News::Facts(facts),
        };
        self.out.send(Message::News(news)).map_err(|_| Unheard)?;
        match change {
            Some(_) => self.scan.restart(),
            // By what is told, not by what was measured before it: the log may have grown in between.
            None => self.scan.grown(),
        }
        Ok(())
    }

    /// Which file the log's name belongs to by now.
    fn named(&self) -> Named {
        let view = self.shared.view();
        let same = |a: Identity, b: Identity| (a.device, a.inode) == (b.device, b.inode);
        let Ok(open) = view.log().storage().identity() else { return Named::Ours };
        match view.disk().identity(view.path()) {
            Ok(named) if !same(named, open) => Named::Another,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Named::Nothing,
            _ => Named::Ours,
        }
    }

    fn index_identity(&self) -> Option<(u64, u64)> {
        let view = self.shared.view();
        view.disk().identity(view.index_path()).ok().map(|found| (found.device, found.inode))
    }
}

/// Which file bears the log's name.
enum Named {
    /// The one that is open.
    Ours,
    /// Another one.
    Another,
    /// None.
    Nothing,
}

/// What stands in the place of a log, in a few words.
fn found(error: &StorageError) -> String {
    match error {
        StorageError::TooShort { bytes, .. } => count(*bytes, "byte"),
        StorageError::NotALog { .. } => "bytes of another kind".into(),
        StorageError::UnsupportedVersion { found, .. } => format!("a log of version {found}"),
        StorageError::UnknownFlags { found, .. } => format!("flags {found:04x}, which forbid reading"),
        StorageError::Io { source, .. } => {
            let text = source.to_string();
            text.rsplit_once("found ").map_or(text.clone(), |(_, found)| found.to_owned())
        }
        error => crate::report::describe(error),
    }
}
