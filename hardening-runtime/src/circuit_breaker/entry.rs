//! How a call begins: a ticket, or a rejection.

use super::{
    change::Change,
    guard::Admitted,
    rules::{self, Entry},
    state::{BreakerState, Ticket, UNTIMED, read, write},
    word::Key,
};
use crate::{
    clock::{self, Moment},
    config::CircuitBreakerPolicy as Policy,
    outcome::Rejected,
};
use std::time::Duration;

/// Whether a call of a circuit that is not closed may begin. Small enough to be returned in registers: an
/// open circuit answers as fast as the clock is read.
#[derive(Clone, Copy)]
struct Answer {
    /// None for a rejection.
    key: Key,
    /// When the call began; of a rejection, after how many nanoseconds it is worth asking again.
    nanos: u64,
}

/// A rejection which does not know for how long.
const UNKNOWN: u64 = u64::MAX;

impl Answer {
    const fn admit(ticket: Ticket) -> Self {
        Self {
            key: ticket.key,
            nanos: ticket.began.as_nanos(),
        }
    }

    const fn reject(nanos: u64) -> Self {
        Self {
            key: Key::NONE,
            nanos,
        }
    }

    fn reject_for(left: Option<Duration>) -> Self {
        Self::reject(left.map_or(UNKNOWN, |left| clock::nanos(left).min(UNKNOWN - 1)))
    }

    const fn is_rejection(self) -> bool {
        self.key.is_none()
    }

    #[inline]
    fn ticket(self) -> Result<Ticket, Option<Duration>> {
        if self.is_rejection() {
            Err((self.nanos != UNKNOWN).then(|| Duration::from_nanos(self.nanos)))
        } else {
            Ok(Ticket {
                key: self.key,
                began: Moment::from_nanos(self.nanos),
            })
        }
    }
}

impl BreakerState {
    /// Admits the call or rejects it. `now` is only asked for when the decision needs the present:
    /// not on a closed circuit without slow calls.
    #[inline]
    pub(crate) fn enter<'a>(
        &'a self,
        policy: &'a Policy,
        now: impl Fn() -> Moment,
    ) -> Result<Admitted<'a>, Rejected> {
        let ticket = match self.ticket_if_closed(policy, &now) {
            Some(ticket) => ticket,
            None => match self.enter_slowly(policy, now).ticket() {
                Ok(ticket) => ticket,
                Err(retry_after) => {
                    return Err(Rejected::CircuitOpen {
                        name: self.name(),
                        retry_after,
                    });
                }
            },
        };
        Ok(Admitted::new(self, policy, ticket))
    }

    /// Admits the call, or says when the next may come. A rejection is not counted.
    #[inline]
    pub(super) fn decide<'a>(
        &'a self,
        policy: &'a Policy,
        now: impl Fn() -> Moment,
    ) -> Result<Admitted<'a>, Option<Duration>> {
        let ticket = match self.ticket_if_closed(policy, &now) {
            Some(ticket) => ticket,
            None => self.answer(policy, now).ticket()?,
        };
        Ok(Admitted::new(self, policy, ticket))
    }

    #[inline]
    fn ticket_if_closed(&self, policy: &Policy, now: impl Fn() -> Moment) -> Option<Ticket> {
        let word = self.word();
        word.is_closed().then(|| Ticket {
            key: word.key(),
            began: rules::slow_call(policy).map_or(UNTIMED, |_| outlined(now)),
        })
    }

    #[inline(never)]
    fn enter_slowly(&self, policy: &Policy, now: impl Fn() -> Moment) -> Answer {
        let answer = self.answer(policy, now);
        if answer.is_rejection() {
            self.rejected.add_one();
        }
        answer
    }

    #[inline]
    fn answer(&self, policy: &Policy, now: impl Fn() -> Moment) -> Answer {
        let word = self.word();
        if word.is_forced_open() {
            return Answer::reject(UNKNOWN);
        }
        let now = now();
        if let Some(reopened) = word.reopened() {
            let open_for = clock::nanos(rules::open_period(policy, reopened));
            let since = (now.as_nanos()).saturating_sub(read(&self.opened_at).as_nanos());
            // A period beyond the clock's scale is for the rules.
            if since < open_for && open_for < UNKNOWN {
                return Answer::reject(open_for - since);
            }
        }
        self.begin(policy, now)
    }

    #[cold]
    #[inline(never)]
    fn begin(&self, policy: &Policy, now: Moment) -> Answer {
        match self.try_enter(policy, now) {
            Ok((ticket, change)) => {
                self.tell(change);
                Answer::admit(ticket)
            }
            Err(left) => Answer::reject_for(left),
        }
    }

    /// The decision of [`enter`](Self::enter), told to nobody.
    pub(super) fn try_enter(
        &self,
        policy: &Policy,
        now: Moment,
    ) -> Result<(Ticket, Option<Change>), Option<Duration>> {
        let began = now;
        loop {
            let word = self.word();
            let opened_at = read(&self.opened_at);
            let probed_at = read(&self.probed_at);
            let (next, change) = match rules::enter(word.phase(), policy, now, opened_at, probed_at)
            {
                Entry::Admit => {
                    let key = word.key();
                    return Ok((Ticket { key, began }, None));
                }
                Entry::Reject(retry_after) => return Err(retry_after),
                Entry::Join(phase) => (word.with(phase), None),
                Entry::Probe(phase) => (word.next(phase), Change::half_opened(word.phase())),
            };
            write(&self.probed_at, now);
            if self.swap(word, next) {
                if change.is_some() {
                    write(&self.changed_at, now);
                }
                let key = next.key();
                return Ok((Ticket { key, began }, change));
            }
        }
    }
}

/// The present, asked for out of the way of the calls that are not timed.
#[inline(never)]
fn outlined(now: impl Fn() -> Moment) -> Moment {
    now()
}
