//! Every interleaving of a hand-over: nobody is stranded, nobody runs twice.

use super::*;
use loom::{sync::Notify, thread};
use std::sync::atomic::{AtomicU32 as Plain, Ordering::SeqCst};

type Told = Board<u8, u32>;
const KEY: u8 = 7;

struct Bell(Notify);

impl std::task::Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

enum End<'a> {
    Found(u32),
    Told(u32),
    Leads(Pilot<'a, u8, u32>),
}

/// Enters and waits to the end; a wake-up that is lost is a deadlock, which loom reports.
fn call<'a>(board: &'a Told, seek: impl FnOnce() -> Option<u32>) -> End<'a> {
    let bell = Arc::new(Bell(Notify::new()));
    let wake = || Wake::Task(Waker::from(Arc::clone(&bell)));
    let mut seat = match board.enter(KEY, FlightSet::NONE, false, |_| seek(), wake) {
        Entered::Leads(pilot) => return End::Leads(pilot),
        Entered::Found(found) => return End::Found(found),
        Entered::Alone(_) => unreachable!("no flight is nested"),
        Entered::Follows(seat) => seat,
    };
    loop {
        match seat.look(wake()) {
            Some(Turn::Answered(told)) => return End::Told(told),
            Some(Turn::Leads(pilot)) => return End::Leads(pilot),
            None => bell.0.wait(),
        }
    }
}

fn leads<'a>(board: &'a Told) -> Pilot<'a, u8, u32> {
    match call(board, || None) {
        End::Leads(pilot) => pilot,
        _ => panic!("the first leads"),
    }
}

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn a_leader_that_goes_away_while_another_joins_hands_over() {
    check(|| {
        let board = loom::sync::Arc::new(Told::new());
        let second = {
            let board = loom::sync::Arc::clone(&board);
            thread::spawn(move || match call(&board, || None) {
                End::Leads(pilot) => drop(pilot),
                End::Found(_) | End::Told(_) => panic!("nobody answered"),
            })
        };
        if let End::Leads(pilot) = call(&board, || None) {
            drop(pilot);
        }
        second.join().unwrap();
        assert_eq!(board.len(), 0);
    });
}

#[test]
fn a_stored_answer_reaches_everybody_and_nobody_runs_again() {
    check(|| {
        let board = loom::sync::Arc::new(Told::new());
        let (stored, runs) = (Arc::new(Plain::new(0)), Arc::new(Plain::new(0)));
        let run = |board: &Told, stored: &Plain, runs: &Plain| {
            let seek = || Some(stored.load(SeqCst)).filter(|value| *value != 0);
            match call(board, seek) {
                End::Found(value) | End::Told(value) => assert_eq!(value, 1),
                End::Leads(pilot) => {
                    runs.fetch_add(1, SeqCst);
                    pilot.close(|| stored.store(1, SeqCst));
                    pilot.answer(|| 1);
                }
            }
        };
        let others: Vec<_> = (0..2)
            .map(|_| {
                let (board, stored, runs) = (board.clone(), stored.clone(), runs.clone());
                thread::spawn(move || run(&board, &stored, &runs))
            })
            .collect();
        run(&board, &stored, &runs);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(runs.load(SeqCst), 1);
        assert_eq!(board.len(), 0);
    });
}

#[test]
fn a_failure_answers_those_who_wait_and_who_comes_later_runs() {
    check(|| {
        let board = loom::sync::Arc::new(Told::new());
        let pilot = leads(&board);
        let second = {
            let board = loom::sync::Arc::clone(&board);
            thread::spawn(move || match call(&board, || None) {
                End::Told(value) => assert_eq!(value, 9),
                End::Leads(pilot) => pilot.answer(|| 10),
                End::Found(_) => panic!("nothing is stored"),
            })
        };
        pilot.close(|| ());
        pilot.answer(|| 9);
        second.join().unwrap();
    });
}

#[test]
fn one_who_leaves_while_the_leader_goes_away_strands_nobody() {
    check(|| {
        let board: &'static Told = Box::leak(Box::new(Told::new()));
        let pilot = leads(board);
        let wake = || Wake::Task(Waker::noop().clone());
        let enter = board.enter(KEY, FlightSet::NONE, false, |_| None::<u32>, wake);
        let Entered::Follows(seat) = enter else {
            panic!("the second follows")
        };
        let leaver = thread::spawn(move || drop(seat));
        let last = thread::spawn(move || {
            assert!(matches!(call(board, || None), End::Leads(_)));
        });
        drop(pilot);
        leaver.join().unwrap();
        last.join().unwrap();
        assert_eq!(board.len(), 0);
    });
}

#[test]
fn what_was_disturbed_is_told_and_not_stored() {
    check(|| {
        let board: &'static Told = Box::leak(Box::new(Told::new()));
        let stored = Arc::new(Plain::new(0));
        let pilot = leads(board);
        let disturber = {
            let stored = Arc::clone(&stored);
            thread::spawn(move || board.disturb(&KEY, || stored.store(0, SeqCst)))
        };
        pilot.close(|| stored.store(1, SeqCst));
        pilot.answer(|| 1);
        disturber.join().unwrap();
        assert_eq!(stored.load(SeqCst), 0);
    });
}
