//! One run for all who ask at the same time, whatever becomes of it.

use super::*;
use std::{io, panic::AssertUnwindSafe, sync::Arc};
use tokio::{
    task::{JoinSet, yield_now},
    time::{Instant, sleep, timeout},
};

type Users = Arc<Cache<u32, u32>>;

fn users() -> Users {
    Arc::new(Cache::new(CachePolicy::default()))
}

/// A run that takes `after` and tells its number.
async fn slow(runs: &Runs, after: Duration) -> io::Result<u32> {
    let run = runs.begin();
    sleep(after).await;
    Ok(run)
}

#[tokio::test(start_paused = true)]
async fn a_thousand_misses_of_twenty_keys_run_the_body_twenty_times() {
    let (users, runs) = (users(), Arc::new(Runs::default()));
    let mut calls = JoinSet::new();
    let began = Instant::now();
    for call in 0..1000 {
        let (users, runs) = (Arc::clone(&users), Arc::clone(&runs));
        calls.spawn(async move { users.get_or_load(call % 20, || slow(&runs, secs(1))).await });
    }
    let outcomes = calls.join_all().await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!((runs.count(), began.elapsed()), (20, secs(1)));
    assert_eq!(users.figures().coalesced, 980);
}

#[test]
fn blocking_misses_run_the_body_once() {
    let (users, runs) = (users(), Runs::default());
    let all_here = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                all_here.wait();
                let load = || {
                    let run = runs.begin();
                    while users.figures().misses < 8 {
                        std::thread::yield_now();
                    }
                    Ok::<_, io::Error>(run)
                };
                assert_eq!(users.get_or_load_blocking(1, load).unwrap(), 1);
            });
        }
    });
    assert_eq!(runs.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn blocking_and_async_callers_wait_for_one_another() {
    let (users, runs) = (users(), Runs::default());
    let load = || slow(&runs, secs(1));
    let mut leader = Box::pin(users.get_or_load(1, load));
    assert!(timeout(secs(0), &mut leader).await.is_err());
    let waiting = {
        let users = Arc::clone(&users);
        std::thread::spawn(move || users.get_or_load_blocking(1, || Ok::<_, io::Error>(99)))
    };
    while users.figures().misses < 2 {
        std::thread::yield_now();
    }
    assert_eq!(leader.await.unwrap(), 1);
    assert_eq!(waiting.join().unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_goes_away_hands_over_to_the_next() {
    let (users, runs) = (users(), Arc::new(Runs::default()));
    let call = || {
        let (users, runs) = (Arc::clone(&users), Arc::clone(&runs));
        tokio::spawn(async move { users.get_or_load(1, || slow(&runs, secs(1))).await })
    };
    let (first, second, third) = (call(), call(), call());
    yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(second.await.unwrap().unwrap(), 2);
    assert_eq!(third.await.unwrap().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_waits_and_goes_away_leaves_the_queue() {
    let (users, runs) = (users(), Arc::new(Runs::default()));
    let call = || {
        let (users, runs) = (Arc::clone(&users), Arc::clone(&runs));
        tokio::spawn(async move { users.get_or_load(1, || slow(&runs, secs(1))).await })
    };
    let (first, second, third) = (call(), call(), call());
    yield_now().await;
    second.abort();
    first.abort();
    assert_eq!(third.await.unwrap().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn beside_a_leader_that_is_not_polled_one_runs_after_max_wait() {
    let (users, runs) = (users(), Runs::default());
    let mut stalled = Box::pin(users.get_or_load(1, || slow(&runs, secs(1))));
    assert!(timeout(secs(0), &mut stalled).await.is_err());
    let began = Instant::now();
    assert_eq!(
        users.get_or_load(1, || slow(&runs, secs(0))).await.unwrap(),
        2
    );
    assert_eq!(began.elapsed(), users.policy.max_wait);
    assert_eq!(users.get(&1), Some(2), "its result is stored");
    assert_eq!(stalled.await.unwrap(), 1);
    assert_eq!(
        users.get(&1),
        Some(2),
        "the run that began later has the newer result"
    );
}

#[tokio::test(start_paused = true)]
async fn a_blocking_caller_gets_up_after_max_wait_too() {
    let (users, runs) = (users(), Runs::default());
    let mut stalled = Box::pin(users.get_or_load(1, || slow(&runs, secs(1))));
    assert!(timeout(secs(0), &mut stalled).await.is_err());
    let began = Instant::now();
    let load = || Ok::<_, io::Error>(runs.begin());
    assert_eq!(users.get_or_load_blocking(1, load).unwrap(), 2);
    assert_eq!(began.elapsed(), users.policy.max_wait);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_takes_longer_than_max_wait_does_not_end_in_a_herd() {
    for (seconds, runs_then) in [(12, 1), (70, 2), (130, 3)] {
        let (users, runs) = (users(), Arc::new(Runs::default()));
        let began = Instant::now();
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            let (users, runs) = (Arc::clone(&users), Arc::clone(&runs));
            let slow = async move { users.get_or_load(1, || slow(&runs, secs(seconds))).await };
            calls.spawn(async move { (slow.await.unwrap(), began.elapsed()) });
        }
        let answers = calls.join_all().await;
        assert_eq!(runs.count(), runs_then, "of {seconds} s");
        let first = answers
            .iter()
            .filter(|answer| **answer == (1, secs(seconds)));
        assert_eq!(
            first.count(),
            21 - runs_then as usize,
            "the first answers all who wait"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_waits_and_is_not_polled_keeps_nobody_from_getting_up() {
    let (users, runs) = (users(), Runs::default());
    let call = || Box::pin(users.get_or_load(1, || slow(&runs, secs(1))));
    let (mut stalled, mut first_in_line) = (call(), call());
    assert!(timeout(secs(0), &mut stalled).await.is_err());
    assert!(timeout(secs(0), &mut first_in_line).await.is_err());
    let began = Instant::now();
    assert_eq!(call().await.unwrap(), 2);
    let max_wait = users.policy.max_wait;
    assert_eq!(began.elapsed(), max_wait + max_wait / 8 + secs(1));
    assert_eq!(first_in_line.await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_goes_away_beside_another_starts_no_third_run() {
    let (users, runs) = (users(), Arc::new(Runs::default()));
    let call = || {
        let (users, runs) = (Arc::clone(&users), Arc::clone(&runs));
        let load =
            move || async move { slow(&runs, secs(if runs.count() == 0 { 70 } else { 20 })).await };
        tokio::spawn(async move { users.get_or_load(1, load).await })
    };
    let (first, second, third) = (call(), call(), call());
    sleep(secs(65)).await;
    first.abort();
    assert_eq!(second.await.unwrap().unwrap(), 2);
    assert_eq!(third.await.unwrap().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_one_brings_who_got_up_is_stored_although_the_first_run_failed() {
    let (users, runs) = (users(), Arc::new(Runs::default()));
    let call = || {
        let (users, runs) = (Arc::clone(&users), Arc::clone(&runs));
        let load = move || async move {
            match slow(&runs, secs(70)).await? {
                1 => Err(io::Error::other("too much")),
                run => Ok(run),
            }
        };
        tokio::spawn(async move { users.get_or_load(1, load).await })
    };
    let (first, second, third) = (call(), call(), call());
    let (first, third) = (first.await.unwrap(), third.await.unwrap());
    assert!(first.is_err() && third.is_err());
    assert_eq!(second.await.unwrap().unwrap(), 2);
    assert_eq!(users.get(&1), Some(2));
}

#[tokio::test(start_paused = true)]
async fn runs_that_wait_for_each_other_part_also_while_many_others_wait_for_them() {
    async fn of(users: Users, runs: Arc<Runs>, key: u32, depth: u32) -> io::Result<u32> {
        let load = || async {
            runs.begin();
            sleep(secs(1)).await;
            match depth {
                6 => Ok(key),
                _ => Box::pin(of(users.clone(), runs.clone(), 1 - key, depth + 1)).await,
            }
        };
        users.get_or_load(key, load).await
    }
    let (users, runs) = (users(), Arc::new(Runs::default()));
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for call in 0..20 {
        calls.spawn(of(users.clone(), runs.clone(), call % 2, 0));
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));
    assert!(runs.count() <= 40, "{} runs", runs.count());
    assert!(began.elapsed() < secs(100), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_failing_run_answers_all_who_wait_at_once() {
    let (users, runs) = (users(), Arc::new(Runs::default()));
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (users, runs) = (Arc::clone(&users), Arc::clone(&runs));
        calls.spawn(async move {
            let load = || async {
                slow(&runs, Duration::from_millis(50)).await?;
                Err(io::Error::other("no such user"))
            };
            users.get_or_load(1, load).await.unwrap_err()
        });
    }
    let errors = calls.join_all().await;
    assert_eq!(
        (runs.count(), began.elapsed()),
        (1, Duration::from_millis(50))
    );
    let told = errors
        .iter()
        .filter(|error| is_load_failed(error, "io"))
        .count();
    assert_eq!(told, 19, "the one who ran has the error itself");
    assert!(users.is_empty(), "failures are not remembered");
}

/// What generated code does: a blocking function, with what can be told of its errors.
fn call_blocking<E>(
    state: &CacheState<u32, u32>,
    share: Share<E>,
    body: impl FnOnce() -> Result<u32, Failure<E>>,
) -> Result<u32, Failure<E>> {
    match state.lookup(&DEFAULT, &1, clock::now()) {
        Lookup::Hit(value) => Ok(value),
        Lookup::Miss(miss) => match miss.join_blocking(1, share) {
            Joined::Answered(outcome) => outcome,
            Joined::Lead(lead) => {
                let outcome = context::within(lead.context(), body);
                lead.settle("shop::user", outcome, |_| true)
            }
        },
    }
}

static DEFAULT: std::sync::LazyLock<Prepared> =
    std::sync::LazyLock::new(|| Prepared::new(CachePolicy::default()));

#[test]
fn functions_with_different_errors_that_share_a_cache_are_told_what_they_can_be() {
    let state = CacheState::<u32, u32>::new("users", 10);
    std::thread::scope(|scope| {
        let leader = scope.spawn(|| {
            let fails = || {
                while state.seats_taken() < 2 {
                    std::thread::yield_now();
                }
                Err(Failure::Error("no such user".to_owned()))
            };
            call_blocking(&state, crate::cache::share::share_errors!(String), fails)
        });
        while state.runs_under_way() < 1 {
            std::thread::yield_now();
        }
        let same = scope.spawn(|| {
            call_blocking(&state, crate::cache::share::share_errors!(String), || {
                unreachable!("it waits")
            })
        });
        let other = scope.spawn(|| {
            call_blocking(
                &state,
                crate::cache::share::share_errors!(io::Error),
                || unreachable!("it waits"),
            )
        });
        let gone = |text: &str| text == "no such user";
        assert!(matches!(leader.join().unwrap(), Err(Failure::Error(text)) if gone(&text)));
        assert!(matches!(same.join().unwrap(), Err(Failure::Error(text)) if gone(&text)));
        let told = other.join().unwrap();
        assert!(matches!(
            told,
            Err(Failure::Rejected(Rejected::LoadFailed { name: "users", reason, .. })) if gone(&reason)
        ));
    });
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_its_callers_alone_and_the_next_runs() {
    let (users, runs) = (users(), Arc::new(Runs::default()));
    let call = || {
        let (users, runs) = (Arc::clone(&users), Arc::clone(&runs));
        tokio::spawn(async move {
            let load = || async {
                let run = slow(&runs, secs(1)).await?;
                assert_ne!(run, 1, "the first run panics");
                Ok::<_, io::Error>(run)
            };
            users.get_or_load(1, load).await
        })
    };
    let (first, second) = (call(), call());
    assert!(first.await.unwrap_err().is_panic());
    assert_eq!(second.await.unwrap().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_that_was_caught_on_the_way_hands_over_too() {
    let (state, policy) = (
        CacheState::<u32, u32>::new("users", 10),
        Prepared::new(CachePolicy::default()),
    );
    let miss = || match state.lookup(&policy, &1, clock::now()) {
        Lookup::Miss(miss) => miss.join::<io::Error>(1, Share::OPAQUE),
        Lookup::Hit(_) => panic!("nothing is stored"),
    };
    let Joined::Lead(lead) = miss().await else {
        panic!("the first leads")
    };
    let mut second = Box::pin(miss());
    assert!(timeout(secs(0), &mut second).await.is_err());
    let outcome = lead.settle("site", Err(Failure::Panicked(Box::new("oh"))), |_| true);
    assert!(matches!(outcome, Err(Failure::Panicked(_))));
    assert!(matches!(second.await, Joined::Lead(_)));
}

#[tokio::test(start_paused = true)]
async fn a_call_of_the_key_inside_its_own_run_does_not_wait_for_itself() {
    let (users, began) = (users(), Instant::now());
    let load = || async {
        let between = || async {
            users
                .get_or_load(1, || async { Ok::<_, io::Error>(1) })
                .await
        };
        Ok::<_, io::Error>(users.get_or_load(2, between).await? + 10)
    };
    assert_eq!(users.get_or_load(1, load).await.unwrap(), 11);
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(users.get(&1), Some(11), "the outermost result stays");
}

#[tokio::test(start_paused = true)]
async fn a_blocking_call_inside_its_own_run_does_not_wait_for_itself() {
    let (users, began) = (users(), Instant::now());
    let load = || users.get_or_load_blocking(1, || Ok::<_, io::Error>(1));
    assert_eq!(users.get_or_load_blocking(1, load).unwrap(), 1);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_deep_nest_of_caches_does_not_wait_for_itself() {
    fn nested(users: &Users, depth: u32) -> u32 {
        let load = || {
            Ok::<_, io::Error>(if depth < 12 {
                nested(users, depth + 1)
            } else {
                5
            })
        };
        users.get_or_load_blocking(depth % 6, load).unwrap()
    }
    let began = Instant::now();
    assert_eq!(nested(&users(), 0), 5);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_is_invalidated_during_its_run_is_not_stored() {
    type Change = fn(&Cache<u32, u32>);
    let changes: [(Change, Option<u32>); 3] = [
        (|users| users.invalidate(&1), None),
        (|users| users.clear(), None),
        (|users| users.insert(1, 70), Some(70)),
    ];
    for (change, left) in changes {
        let (users, runs) = (users(), Arc::new(Runs::default()));
        let call = || {
            let (users, runs) = (Arc::clone(&users), Arc::clone(&runs));
            tokio::spawn(async move { users.get_or_load(1, || slow(&runs, secs(1))).await })
        };
        let (first, second) = (call(), call());
        yield_now().await;
        change(&users);
        assert_eq!(first.await.unwrap().unwrap(), 1);
        assert_eq!(
            second.await.unwrap().unwrap(),
            1,
            "they asked before the change"
        );
        assert_eq!(users.get(&1), left);
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_after_an_invalidation_does_not_get_the_run_before_it() {
    let (users, runs) = (users(), Arc::new(Runs::default()));
    let call = || {
        let (users, runs) = (Arc::clone(&users), Arc::clone(&runs));
        tokio::spawn(async move { users.get_or_load(1, || slow(&runs, secs(1))).await })
    };
    let before = call();
    yield_now().await;
    users.invalidate(&1);
    let after = call();
    assert_eq!(before.await.unwrap().unwrap(), 1);
    assert_eq!(after.await.unwrap().unwrap(), 2);
    assert_eq!(users.get(&1), Some(2));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_on_the_boards_when_all_callers_went_away() {
    let (users, runs) = (users(), Runs::default());
    for key in 0..100 {
        let first = users.get_or_load(key, || slow(&runs, secs(1)));
        let second = users.get_or_load(key, || slow(&runs, secs(1)));
        let both = async { tokio::join!(first, second) };
        assert!(timeout(secs(0), both).await.is_err());
    }
    assert_eq!(users.state.runs_under_way(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_max_wait_nobody_waits() {
    let policy = CachePolicy {
        max_wait: Duration::ZERO,
        ..CachePolicy::default()
    };
    let (users, runs) = (Cache::<u32, u32>::new(policy), Runs::default());
    let (first, second) = (slow(&runs, secs(1)), slow(&runs, secs(1)));
    let both = tokio::join!(
        users.get_or_load(1, || first),
        users.get_or_load(1, || second)
    );
    assert_eq!((both.0.unwrap(), both.1.unwrap()), (1, 2));
}

#[test]
fn a_panic_while_the_value_is_cloned_leaves_the_cache_usable() {
    struct Bomb(Arc<AtomicU32>);
    impl Clone for Bomb {
        fn clone(&self) -> Self {
            assert_ne!(self.0.fetch_sub(1, SeqCst), 1, "the fuse is spent");
            Self(Arc::clone(&self.0))
        }
    }
    let bombs = Cache::<u32, Bomb>::new(CachePolicy::default());
    bombs.insert(1, Bomb(Arc::new(AtomicU32::new(1))));
    let hit = std::panic::catch_unwind(AssertUnwindSafe(|| drop(bombs.get(&1))));
    assert!(hit.is_err());
    assert!(bombs.get(&1).is_some(), "no lock is poisoned");
    bombs.insert(2, Bomb(Arc::new(AtomicU32::new(9))));
    assert_eq!(bombs.len(), 2);
}

#[test]
fn the_future_is_send_and_small() {
    fn is_send(_: &impl Send) {}
    let users = users();
    let call = users.get_or_load(1, || async { Ok::<_, io::Error>(1) });
    is_send(&call);
    assert!(size_of_val(&call) <= 400, "{} bytes", size_of_val(&call));
}
