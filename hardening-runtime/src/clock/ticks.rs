//! The scale, read off the processor's counter: a third of what the system's clock costs.
//!
//! The counter is trusted where the kernel does: on Linux, when it is the system's own source of time.
//! Everywhere else, and for the first ten milliseconds, the system's clock is asked itself, so that no call
//! ever waits for a calibration.

use super::{
    from_std,
    line::{Drawn, Line, Pair},
};
use crate::sync::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
#[cfg(hardening_loom)]
use loom::sync::atomic::fence;
#[cfg(not(hardening_loom))]
use std::sync::atomic::fence;
use std::{
    sync::{LazyLock, Mutex},
    time::Instant,
};

#[cfg(not(hardening_loom))]
static SCALE: Scale = Scale::new();

/// Who draws the next line.
static DRAWN: Mutex<Drawn> = Mutex::new(Drawn::NONE);

/// The present, in nanoseconds.
#[cfg(not(hardening_loom))]
#[inline]
pub(super) fn now() -> u64 {
    match SCALE.present() {
        Some(nanos) => nanos,
        None => look(),
    }
}

/// The present, in nanoseconds: models know no statics.
#[cfg(hardening_loom)]
pub(super) fn now() -> u64 {
    from_std(Instant::now()).as_nanos()
}

/// The present by the system's clock, and, when it is time for it, the next line. A look that meets another
/// leaves the drawing to it.
#[cfg(not(hardening_loom))]
#[cold]
#[inline(never)]
fn look() -> u64 {
    static TRUSTED: LazyLock<bool> = LazyLock::new(counter::is_trusted);
    if !*TRUSTED {
        return system();
    }
    let (line, system) = (SCALE.line(), system());
    if !line.is_due(system) {
        // A line of no span has said no more than where it begins.
        return system.max(line.nanos);
    }
    let pair = pair();
    if let Ok(mut drawn) = DRAWN.try_lock()
        && drawn.line == line
    {
        drawn.draw(pair);
        SCALE.set(drawn.line);
    }
    pair.system.max(line.said(pair.ticks))
}

fn system() -> u64 {
    from_std(Instant::now()).as_nanos()
}

/// Both clocks, as nearly at one moment as a few tries come: a thread may be interrupted between them.
fn pair() -> Pair {
    let tries = [(); 3].map(|()| {
        let before = counter::read();
        let system = system();
        let between = counter::read().wrapping_sub(before);
        let ticks = before.wrapping_add(between / 2);
        (between, Pair { ticks, system })
    });
    let nearest = tries.iter().min_by_key(|(between, _)| *between);
    nearest.map_or(tries[0].1, |(_, pair)| *pair)
}

/// The line in force, for all threads to read: two places, written in turn, so that a reader never waits.
#[repr(align(64))]
pub(super) struct Scale {
    /// How many lines there were; the last is in the place of that parity.
    lines: AtomicU64,
    places: [[AtomicU64; 4]; 2],
}

impl Scale {
    #[cfg(not(hardening_loom))]
    const fn new() -> Self {
        Self {
            lines: AtomicU64::new(0),
            places: [const { [const { AtomicU64::new(0) }; 4] }; 2],
        }
    }

    #[cfg(hardening_loom)]
    pub(super) fn new() -> Self {
        Self {
            lines: AtomicU64::new(0),
            places: [(); 2].map(|()| [(); 4].map(|()| AtomicU64::new(0))),
        }
    }

    /// The present by the line in force, if there is one that holds.
    #[cfg(not(hardening_loom))]
    #[inline]
    fn present(&self) -> Option<u64> {
        let lines = self.lines.load(Acquire);
        let [ticks, nanos, rate, span] = &self.places[usize::from(lines % 2 == 1)];
        let line = Line {
            ticks: ticks.load(Relaxed),
            nanos: nanos.load(Relaxed),
            rate: rate.load(Relaxed),
            span: span.load(Relaxed),
        };
        fence(Acquire);
        // Without a line, the counter is not even read: it may be none to rely on, and slow.
        if line.span == 0 || self.lines.load(Relaxed) != lines {
            return None;
        }
        line.at(counter::read())
    }

    pub(super) fn line(&self) -> Line {
        loop {
            let lines = self.lines.load(Acquire);
            let place = &self.places[usize::from(lines % 2 == 1)];
            let [ticks, nanos, rate, span] = [0, 1, 2, 3].map(|field| place[field].load(Relaxed));
            fence(Acquire);
            // A line later, its place may be being written again.
            if self.lines.load(Relaxed) == lines {
                return Line {
                    ticks,
                    nanos,
                    rate,
                    span,
                };
            }
        }
    }

    /// Puts `line` in force. By one thread at a time.
    pub(super) fn set(&self, line: Line) {
        let lines = self.lines.load(Relaxed).wrapping_add(1);
        // Whoever reads what is written here also sees that its line is no longer the last.
        fence(Release);
        let fields = [line.ticks, line.nanos, line.rate, line.span];
        for (cell, field) in self.places[usize::from(lines % 2 == 1)].iter().zip(fields) {
            cell.store(field, Relaxed);
        }
        self.lines.store(lines, Release);
    }
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod counter {
    /// Whether the kernel takes its own time from the counter: then it has found it to run evenly, through all
    /// sleep states, and alike on all processors; and it goes on watching it.
    pub(super) fn is_trusted() -> bool {
        const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        std::fs::read_to_string(SOURCE)
            .is_ok_and(|source| matches!(source.trim_end(), "tsc" | "arch_sys_counter"))
    }

    #[inline]
    pub(super) fn read() -> u64 {
        #[cfg(target_arch = "x86_64")]
        {
            tick_counter::x86_64_tick_counter()
        }
        #[cfg(target_arch = "aarch64")]
        {
            tick_counter::aarch64_tick_counter()
        }
    }
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
mod counter {
    pub(super) const fn is_trusted() -> bool {
        false
    }

    pub(super) const fn read() -> u64 {
        0
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use std::{thread, time::Duration};

    /// `now` at least until the counter alone told the time, if it does so here.
    fn past_the_start() -> u64 {
        let began = now();
        while now() - began < 30_000_000 {
            std::hint::spin_loop();
        }
        now()
    }

    /// A look at both clocks. A thread that is interrupted between the two makes them differ: it looks again.
    fn both() -> (u64, Instant) {
        loop {
            let (began, ours, theirs) = (Instant::now(), now(), Instant::now());
            if theirs - began < Duration::from_micros(500) {
                return (ours, theirs);
            }
        }
    }

    #[test]
    fn it_agrees_with_the_systems_clock() {
        past_the_start();
        let before = both();
        thread::sleep(Duration::from_millis(60));
        let after = both();
        let ours = Duration::from_nanos(after.0 - before.0);
        let off = ours.abs_diff(after.1 - before.1);
        assert!(off <= Duration::from_millis(1), "{off:?}");
    }

    #[test]
    fn where_the_kernel_trusts_the_counter_it_is_read() {
        past_the_start();
        let told = (0..1000).any(|_| {
            now();
            SCALE.line().span > 0
        });
        assert_eq!(told, counter::is_trusted());
    }

    #[test]
    fn no_thread_sees_it_go_back_nor_what_another_saw_before() {
        let seen = std::sync::atomic::AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut mine = 0;
                    for _ in 0..100_000 {
                        let others = seen.load(Acquire);
                        let present = now();
                        assert!(present >= mine, "{mine} then {present}");
                        // Two lines meet within a look's error.
                        assert!(present + 20_000 >= others, "{others} then {present}");
                        mine = present;
                        seen.fetch_max(present, Release);
                    }
                });
            }
        });
    }
}
