//! Under test, a ledger for each runtime. The tests of a program share its budgets, and each runs in a runtime
//! of its own, as a rule on a paused clock: what one test spent would be missing in all that come after it.

use super::{Deposits, Kept, ledger::Ledger};
use crate::{clock::Moment, seat::SHARDS};
use hardening_config::Budget;
use std::mem;
use tokio::runtime::{Handle, Id};

/// So many runtimes are remembered beside the present one: those of tests that run side by side.
const REMEMBERED: usize = 32;

/// Whose ledger is open, and those that are closed meanwhile.
#[derive(Clone, Debug, Default)]
pub(super) struct Runtimes {
    present: Option<Id>,
    others: Vec<(Id, Page)>,
}

/// A ledger, and the latest moment of its runtime's clock.
type Page = (Ledger, Moment);

impl Runtimes {
    /// Puts the page of the present runtime away, and returns that of `runtime`: a fresh one where it has
    /// none.
    fn turn(&mut self, runtime: Id, page: Page) -> Page {
        if let Some(before) = self.present.replace(runtime) {
            self.others.truncate(REMEMBERED - 1);
            self.others.insert(0, (before, page));
        }
        let known = self.others.iter().position(|(id, _)| *id == runtime);
        known.map_or_else(
            || (Ledger::new(), Moment::from_nanos(0)),
            |at| self.others.remove(at).1,
        )
    }
}

impl Kept {
    /// Opens the ledger of the runtime that this thread is in. Outside of any, the one that is open stays so.
    /// What was deposited so far belongs to the runtime before.
    pub(super) fn turn(&mut self, budget: &Budget, seats: &[Deposits; SHARDS]) {
        let Ok(runtime) = Handle::try_current().map(|handle| handle.id()) else {
            return;
        };
        if self.runtimes.present == Some(runtime) {
            return;
        }
        self.enter_all(budget, seats, self.latest);
        for entered in &mut self.entered {
            entered.at = None; // a moment of another clock
        }
        let page = (mem::replace(&mut self.ledger, Ledger::new()), self.latest);
        (self.ledger, self.latest) = self.runtimes.turn(runtime, page);
    }

    /// On a clock that went back the reserve is full: what was spent in a time that is still to come would
    /// be missing until then.
    pub(super) fn follow(&mut self, now: Moment) {
        if now.plus(std::time::Duration::from_secs(1)) < self.latest {
            self.ledger.refill();
        }
        self.latest = now;
    }
}
