//! One who looks: a stream of server-sent events.
//!
//! It is pulled by the connection: nothing is made before the last was written, so a slow reader costs no memory. It
//! gets what is there then, and everything anew if it missed a second.

use super::{
    board::Board,
    frames,
    places::Place,
    sampler::{self, Feed},
};
use crate::{
    clock,
    http::MOST,
    report::{sites, snapshot},
};
use std::{convert::Infallible, sync::Arc};

pub(super) struct Viewer {
    place: Place,
    feed: Feed,
    /// What the reader has; none before the first event.
    seen: Option<Arc<Board>>,
    is_over: bool,
}

impl Viewer {
    pub(super) const fn new(place: Place, feed: Feed) -> Self {
        Self {
            place,
            feed,
            seen: None,
            is_over: false,
        }
    }

    /// The next event, and the rest of the stream.
    pub(super) async fn next(mut self) -> Option<(Result<String, Infallible>, Self)> {
        let event = match self.seen.clone() {
            None => self.all(),
            Some(seen) => self.after(&seen).await?,
        };
        Some((Ok(event), self))
    }

    /// Everything as it is now, with the minute before.
    fn all(&mut self) -> String {
        let (mut infos, snapshot, now) = (sites(), snapshot(), clock::now());
        infos.truncate(MOST);
        let history = self.feed.history();
        let board = sampler::board(snapshot, &history, now);
        let event = frames::all(&board, &infos, &history);
        drop(history);
        self.seen = Some(Arc::new(board));
        event
    }

    /// Waits for the next second. None when the stream is over.
    async fn after(&mut self, seen: &Arc<Board>) -> Option<String> {
        if self.is_over {
            return None;
        }
        let Some(board) = self.next_board(seen).await? else {
            self.is_over = true;
            return Some(frames::END.to_owned());
        };
        if is_next(seen, &board) {
            let event = frames::changes(seen, &board);
            self.seen = Some(board);
            return Some(event);
        }
        Some(self.all())
    }

    /// The first board after `seen`; `None` inside when the time is over, and outside when the sampler is gone.
    async fn next_board(&mut self, seen: &Board) -> Option<Option<Arc<Board>>> {
        loop {
            let left = self.place.until.since(clock::now());
            if left.is_zero() {
                return Some(None);
            }
            match tokio::time::timeout(left, self.feed.boards.changed()).await {
                Err(_) => return Some(None),
                Ok(Err(_)) => return None,
                Ok(Ok(())) => {}
            }
            let board = self.feed.boards.borrow_and_update().clone();
            if let Some(board) = board.filter(|board| board.tick > seen.tick) {
                return Some(Some(board));
            }
        }
    }
}

/// Whether the changes from `seen` to `board` are all that a reader needs.
const fn is_next(seen: &Board, board: &Board) -> bool {
    board.tick == seen.tick + 1
        && board.reloads == seen.reloads
        && board.sites.len() == seen.sites.len()
}
