//! Every interleaving of a hand-over: nobody is stranded, nobody runs twice, and only one gets up beside a
//! leader that stalls.

use super::*;
use loom::{sync::Notify, thread};
use std::{
    sync::atomic::{AtomicU32 as Plain, Ordering::SeqCst},
    time::Duration,
};

type Told = Board<u8, u32>;
const KEY: u8 = 7;
const START: Moment = Moment::from_nanos(0);
const LATER: Moment = Moment::from_nanos(1_000_000);
const MAX_WAIT: Duration = Duration::from_micros(500);

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
    let mut seat = match board.enter(KEY, START, FlightSet::NONE, false, |_| seek(), wake) {
        Entered::Leads(pilot) => return End::Leads(pilot),
        Entered::Found(found) => return End::Found(found),
        Entered::Alone(_) => unreachable!("no flight is nested"),
        Entered::Follows(seat) => seat,
    };
    loop {
        match seat.look(wake(), || START) {
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

/// Enters behind a leader, to wait.
fn follows(board: &Told) -> Seat<'_, u8, u32> {
    let wake = || Wake::Task(Waker::noop().clone());
    match board.enter(KEY, START, FlightSet::NONE, false, |_| None::<u32>, wake) {
        Entered::Follows(seat) => seat,
        _ => panic!("it follows"),
    }
}

/// Looks and gets up, once, as one does whose time is over.
fn end_late<'a>(mut seat: Seat<'a, u8, u32>) -> Option<End<'a>> {
    let wake = Wake::Task(Waker::noop().clone());
    match seat.look(wake, || LATER) {
        Some(Turn::Answered(told)) => Some(End::Told(told)),
        Some(Turn::Leads(pilot)) => Some(End::Leads(pilot)),
        None => seat.get_up(LATER, MAX_WAIT).ok().map(End::Leads),
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
        let seat = follows(board);
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

#[test]
fn of_two_whose_time_is_over_one_gets_up_beside_the_leader() {
    check(|| {
        let board: &'static Told = Box::leak(Box::new(Told::new()));
        let pilot = leads(board);
        let (first, second) = (follows(board), follows(board));
        let up = |seat| matches!(end_late(seat), Some(End::Leads(_)));
        let first = thread::spawn(move || up(first));
        let second = up(second);
        let first = first.join().unwrap();
        assert!(first || second);
        pilot.close(|| ());
        pilot.answer(|| 1);
        assert_eq!(board.len(), 0);
    });
}

#[test]
fn the_first_of_two_leaders_to_answer_answers_everybody() {
    check(|| {
        let board: &'static Told = Box::leak(Box::new(Told::new()));
        let pilot = leads(board);
        let late = follows(board);
        let last = thread::spawn(move || match call(board, || None) {
            End::Told(told) => assert!(told == 1 || told == 2),
            End::Leads(pilot) => {
                pilot.close(|| ());
                pilot.answer(|| 3);
            }
            End::Found(_) => panic!("nothing is stored"),
        });
        let up = thread::spawn(move || match end_late(late) {
            Some(End::Leads(pilot)) => {
                pilot.close(|| ());
                pilot.answer(|| 2);
            }
            Some(End::Told(told)) => assert_eq!(told, 1),
            Some(End::Found(_)) => panic!("nothing is stored"),
            None => {} // it was answered between the two looks
        });
        pilot.close(|| ());
        pilot.answer(|| 1);
        up.join().unwrap();
        last.join().unwrap();
        assert_eq!(board.len(), 0);
    });
}

#[test]
fn two_leaders_that_go_away_hand_over_once() {
    check(|| {
        let board: &'static Told = Box::leak(Box::new(Told::new()));
        let pilot = leads(board);
        let Ok(up) = follows(board).get_up(LATER, MAX_WAIT) else {
            panic!("nobody else got up")
        };
        let last = thread::spawn(move || {
            assert!(matches!(call(board, || None), End::Leads(_)));
        });
        let goes = thread::spawn(move || drop(up));
        drop(pilot);
        goes.join().unwrap();
        last.join().unwrap();
        assert_eq!(board.len(), 0);
    });
}
