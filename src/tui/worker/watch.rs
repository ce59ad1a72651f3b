//! The watch: a few times a second, whether the log has grown, was cut or replaced, and who writes to it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{Alive, Shared, orders};
use crate::file::Identity;
use crate::report::describe;
use crate::tui::message::{Change, Message, News};
use crate::tui::model::Facts;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// Between two looks for writers, which cost more: while nothing happens, and while the log grows.
const WRITERS: (Duration, Duration) = (Duration::from_secs(3), Duration::from_millis(500));

/// Starts it; it ends when what is returned is dropped.
pub(super) fn start(shared: &Arc<Shared>, scan: &orders::Handle, out: &Sender<Message>) -> Sender<()> {
    let (alive, end) = bounded::<()>(0);
    let watch = Watch { shared: shared.clone(), scan: scan.clone(), out: out.clone() };
    let run = move || {
        let _alive = Alive(watch.out.clone());
        watch.run(&end);
    };
    let _ = thread::Builder::new().name("watch".into()).spawn(run);
    alive
}

struct Watch {
    shared: Arc<Shared>,
    scan: orders::Handle,
    out: Sender<Message>,
}

impl Watch {
    fn run(&self, end: &Receiver<()>) {
        let mut known: Option<Facts> = None;
        let mut index = self.index_identity();
        let (mut gone, mut failed) = (false, 0u32);
        let mut looked_for_writer: Option<Instant> = None;
        let mut repairs = self.shared.repairs();
        loop {
            let Ok(bytes) = self.shared.view().log().len() else { return };
            let counted = self.shared.repairs();
            if counted % 2 == 1 {
                match end.recv_timeout(LOOK) {
                    Err(RecvTimeoutError::Timeout) => continue,
                    _ => return,
                }
            }
            if std::mem::replace(&mut repairs, counted) != counted {
                // What has changed since was changed from here, and told.
                known = None;
            }
            let grown = known.as_ref().is_some_and(|known| bytes > known.bytes);
            let shrunk = known.as_ref().map(|known| known.bytes).filter(|before| bytes < *before);
            let change = match self.renamed() {
                Some(Change::Replaced) => Some(Change::Replaced),
                Some(change) => (!std::mem::replace(&mut gone, true)).then_some(change),
                None => {
                    gone = false;
                    shrunk.map(Change::Shrunk)
                }
            };
            let reopened = match change {
                Some(Change::Gone) | None => Ok(()),
                Some(_) => self.shared.reopen(),
            };
            // Half written, it may be no log yet: the next look sees it again, and tells.
            failed = if reopened.is_ok() { 0 } else { failed + 1 };
            if let (Err(error), Some(change), 2) = (&reopened, change, failed) {
                let _ = self.out.send(Message::News(News::NoLog(change, describe(error))));
            }
            let now = self.index_identity();
            if grown || now != index {
                index = now;
                let _ = self.shared.refresh();
            }
            if let Ok(facts) = self.shared.facts()
                && reopened.is_ok()
            {
                let has_news = known.as_ref() != Some(&facts);
                if has_news {
                    known = Some(facts.clone());
                    let news = match change {
                        Some(change) => News::Changed(Box::new(facts), change),
                        None => News::Facts(Box::new(facts)),
                    };
                    if self.out.send(Message::News(news)).is_err() {
                        return;
                    }
                } else if change == Some(Change::Gone) {
                    let _ = self.out.send(Message::News(News::Changed(Box::new(facts), Change::Gone)));
                }
                match change {
                    Some(Change::Shrunk(_) | Change::Replaced) => self.scan.restart(),
                    // By what is told, not by what was measured before it: the log may have grown in between.
                    _ if has_news => self.scan.grown(),
                    _ => {}
                }
            }
            // Behind what is new in the log, which somebody waits for.
            let pause = if grown { WRITERS.1 } else { WRITERS.0 };
            if looked_for_writer.is_none_or(|at| at.elapsed() >= pause) {
                self.shared.look_for_writer();
                looked_for_writer = Some(Instant::now());
            }
            match end.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return,
            }
        }
    }

    /// Whether the log's name belongs to another file by now, or to none.
    fn renamed(&self) -> Option<Change> {
        let view = self.shared.view();
        let same = |a: Identity, b: Identity| (a.device, a.inode) == (b.device, b.inode);
        let open = view.log().storage().identity().ok()?;
        match view.disk().identity(view.path()) {
            Ok(named) if same(named, open) => None,
            Ok(_) => Some(Change::Replaced),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(Change::Gone),
            Err(_) => None,
        }
    }

    fn index_identity(&self) -> Option<(u64, u64)> {
        let view = self.shared.view();
        view.disk().identity(view.index_path()).ok().map(|found| (found.device, found.inode))
    }
}
