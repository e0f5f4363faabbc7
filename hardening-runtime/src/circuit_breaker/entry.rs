//! How a call begins: a ticket, or a rejection.

use super::{
    change::Change,
    guard::Admitted,
    prepared::{Prepared, Results},
    rules::{self, Entry},
    state::{BreakerState, Ticket, UNTIMED, read, write},
    word::{Key, Word},
};
use crate::{
    clock::{self, Clock, Moment},
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

/// The end of the clock's scale.
const END: Moment = Moment::from_nanos(u64::MAX);

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
    /// Admits the call or rejects it. The clock is only asked when the decision needs the present:
    /// not on a closed circuit without slow calls.
    #[inline]
    pub(crate) fn enter<'a>(
        &'a self,
        policy: &'a Prepared,
        clock: impl Clock,
    ) -> Result<Admitted<'a>, Rejected> {
        let ticket = match self.ticket_if_closed(policy, clock) {
            Some(ticket) => ticket,
            None => match self.enter_slowly(policy, clock).ticket() {
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
        policy: &'a Prepared,
        clock: impl Clock,
    ) -> Result<Admitted<'a>, Option<Duration>> {
        let ticket = match self.ticket_if_closed(policy, clock) {
            Some(ticket) => ticket,
            None => self.answer(policy, clock).ticket()?,
        };
        Ok(Admitted::new(self, policy, ticket))
    }

    #[inline]
    fn ticket_if_closed(&self, policy: &Prepared, clock: impl Clock) -> Option<Ticket> {
        let word = self.word();
        let ticket = |key, began| Some(Ticket { key, began });
        if !word.is_closed() {
            return None;
        }
        match policy.results() {
            Results::Forgotten => ticket(word.key(), UNTIMED),
            Results::Kept => ticket(word.key().kept(), UNTIMED),
            Results::Timed => ticket(word.key().kept(), outlined(clock)),
        }
    }

    #[inline(never)]
    fn enter_slowly(&self, policy: &Prepared, clock: impl Clock) -> Answer {
        let answer = self.answer(policy, clock);
        if answer.is_rejection() {
            self.rejected.add_one();
        }
        answer
    }

    #[inline]
    fn answer(&self, policy: &Prepared, clock: impl Clock) -> Answer {
        let word = self.word();
        match self.open_for_long(policy, word, clock) {
            Some(left) => Answer::reject(left),
            None => self.answer_exactly(policy, word, clock),
        }
    }

    /// After how many nanoseconds an open circuit is worth asking again, if that can be said without the exact
    /// clock.
    #[inline]
    fn open_for_long(&self, policy: &Prepared, word: Word, clock: impl Clock) -> Option<u64> {
        let period = policy.open_nanos(word.reopened()?);
        let opened_at = read(&self.opened_at);
        let until = Moment::from_nanos(opened_at.as_nanos().saturating_add(period));
        let present = clock.recent();
        // A period beyond the clock's scale is for the rules.
        if until == END || !present.is_surely_before(until) {
            return None;
        }
        // A recent reading may be from before the circuit opened; the present is not.
        Some(until.as_nanos() - present.earliest().max(opened_at).as_nanos())
    }

    #[inline(never)]
    fn answer_exactly(&self, policy: &Policy, word: Word, clock: impl Clock) -> Answer {
        if word.is_forced_open() {
            return Answer::reject(UNKNOWN);
        }
        self.begin(policy, clock.now())
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
                    let key = match Results::under(policy) {
                        Results::Forgotten => word.key(),
                        Results::Kept | Results::Timed => word.key().kept(),
                    };
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
fn outlined(clock: impl Clock) -> Moment {
    clock.now()
}
