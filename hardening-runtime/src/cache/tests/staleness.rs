//! What is served when a result is old: stale values, refreshing ahead, `cache_if`, jitter.

use super::*;
use crate::clock::Moment;
use std::{io, sync::Arc};
use tokio::{
    task::yield_now,
    time::{advance, sleep},
};

fn users(policy: CachePolicy) -> Arc<Cache<u32, u32>> {
    Arc::new(Cache::new(policy))
}

#[allow(clippy::unused_async)] // stands for a load
async fn fails() -> io::Result<u32> {
    Err(io::Error::other("down"))
}

#[allow(clippy::unused_async)] // stands for a load
async fn tells(value: u32) -> io::Result<u32> {
    Ok(value)
}

#[tokio::test(start_paused = true)]
async fn a_result_is_served_until_its_ttl_is_over() {
    let users = users(CachePolicy {
        ttl: secs(60),
        ..CachePolicy::default()
    });
    assert_eq!(users.get_or_load(1, || tells(1)).await.unwrap(), 1);
    advance(secs(59)).await;
    assert_eq!(users.get_or_load(1, || tells(2)).await.unwrap(), 1);
    advance(secs(1)).await;
    assert_eq!(users.get(&1), None);
    assert_eq!(users.len(), 0, "freed without being asked for");
    assert_eq!(users.get_or_load(1, || tells(2)).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_good_value_stands_in_for_a_failure() {
    let policy = CachePolicy {
        ttl: secs(60),
        stale_if_error: secs(30),
        ..CachePolicy::default()
    };
    let users = users(policy);
    assert_eq!(users.get_or_load(1, || tells(1)).await.unwrap(), 1);
    advance(secs(60)).await;
    assert_eq!(users.get(&1), None, "stale is not a hit");
    assert_eq!(users.get_or_load(1, fails).await.unwrap(), 1);
    assert_eq!(users.figures().stale, 1);
    advance(secs(30)).await;
    assert!(users.get_or_load(1, fails).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_get_the_stale_value_too() {
    let policy = CachePolicy {
        ttl: secs(60),
        stale_if_error: secs(30),
        ..CachePolicy::default()
    };
    let users = users(policy);
    users.insert(1, 1);
    advance(secs(60)).await;
    let slow = || async {
        sleep(secs(1)).await;
        Err::<u32, _>(io::Error::other("down"))
    };
    let both = tokio::join!(
        users.get_or_load(1, slow),
        users.get_or_load(1, || tells(9))
    );
    assert_eq!((both.0.unwrap(), both.1.unwrap()), (1, 1));
}

#[test]
fn a_shorter_ttl_takes_hold_at_once_and_a_longer_one_from_the_next_result_on() {
    let at = |seconds| Moment::from_nanos(1 << 50).plus(secs(seconds));
    let of = |ttl, ahead| {
        Prepared::new(CachePolicy {
            ttl: secs(ttl),
            refresh_ahead: secs(ahead),
            ..CachePolicy::default()
        })
    };
    let (short, long) = (of(60, 0), of(600, 0));
    let state = CacheState::<u32, u32>::new("users", 10);
    state.insert(&short, 1, 1, at(0));
    state.insert(&long, 2, 2, at(0));
    state.insert(&short, 3, 3, at(0)); // what is stored for less does not hide what is stored for longer
    // As the clock is read for a hit, and exactly; far from the end of a result, and at it.
    for present in [Present::Recent, Present::Exact] {
        let read = |policy: &Prepared, key, after| state.get(policy, &key, present(at(after)));
        assert_eq!(read(&short, 2, 59), Some(2));
        assert_eq!(
            read(&long, 1, 50),
            Some(1),
            "and no longer than it was stored for"
        );
    }
    let read = |policy: &Prepared, key, after| state.get(policy, &key, at(after));
    assert_eq!((read(&short, 2, 60), read(&long, 2, 60)), (None, Some(2)));
    assert_eq!((read(&short, 1, 60), read(&long, 1, 60)), (None, None));
    // What is refreshed ahead is so by the shorter one too.
    let refreshes = |policy: &Prepared, after| matches!(state.lookup(policy, &2, at(after)), Lookup::Miss(miss) if miss.refreshes);
    assert!(!refreshes(&of(60, 10), 49));
    assert!(refreshes(&of(60, 10), 50));
}

#[tokio::test(start_paused = true)]
async fn stale_stands_in_for_a_rejection_and_not_for_a_panic() {
    let policy = Prepared::new(CachePolicy {
        ttl: secs(60),
        stale_if_error: secs(30),
        ..CachePolicy::default()
    });
    let state = CacheState::<u32, u32>::new("users", 10);
    state.insert(&policy, 1, 5, clock::now());
    advance(secs(60)).await;
    let open = Rejected::CircuitOpen {
        name: "ai",
        retry_after: None,
    };
    let settle = async |failure: Failure<io::Error>| {
        let Lookup::Miss(miss) = state.lookup(&policy, &1, clock::now()) else {
            panic!("it is stale")
        };
        match miss.join(1, Share::OPAQUE).await {
            Joined::Lead(lead) => lead.settle("site", Err(failure), |_| true),
            Joined::Answered(_) => panic!("nobody else asks"),
        }
    };
    assert_eq!(settle(Failure::Rejected(open)).await.unwrap(), 5);
    let panicked = settle(Failure::Panicked(Box::new("oh"))).await;
    assert!(matches!(panicked, Err(Failure::Panicked(_))));
}

#[tokio::test(start_paused = true)]
async fn what_was_invalidated_stands_in_for_nothing() {
    let users = users(CachePolicy {
        stale_if_error: secs(30),
        ..CachePolicy::default()
    });
    users.insert(1, 1);
    users.invalidate(&1);
    assert!(users.get_or_load(1, fails).await.is_err());
}

fn ahead() -> CachePolicy {
    CachePolicy {
        ttl: secs(60),
        refresh_ahead: secs(20),
        ..CachePolicy::default()
    }
}

#[tokio::test(start_paused = true)]
async fn one_caller_refreshes_ahead_while_the_others_are_served() {
    let users = users(ahead());
    users.insert(1, 1);
    advance(secs(39)).await;
    assert_eq!(
        users.get_or_load(1, || tells(2)).await.unwrap(),
        1,
        "too early"
    );
    advance(secs(1)).await;
    let refreshing = {
        let users = Arc::clone(&users);
        tokio::spawn(async move {
            let slow = || async {
                sleep(secs(10)).await;
                Ok::<_, io::Error>(2)
            };
            users.get_or_load(1, slow).await
        })
    };
    yield_now().await;
    for _ in 0..9 {
        assert_eq!(users.get_or_load(1, || tells(3)).await.unwrap(), 1);
        advance(secs(1)).await;
    }
    assert_eq!(refreshing.await.unwrap().unwrap(), 2);
    assert_eq!(users.get_or_load(1, || tells(3)).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_serves_the_value_and_backs_off() {
    let (users, runs) = (users(ahead()), Runs::default());
    users.insert(1, 1);
    advance(secs(40)).await;
    for _ in 0..19 {
        let load = || {
            runs.begin();
            fails()
        };
        assert_eq!(users.get_or_load(1, load).await.unwrap(), 1);
        advance(secs(1)).await;
    }
    assert_eq!(runs.count(), 4, "at 40, 45, 50 and 55 seconds");
    assert_eq!(users.figures().stale, 0, "the value was fresh all the time");
    advance(secs(1)).await;
    assert!(users.get_or_load(1, fails).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_goes_away_is_tried_again() {
    let users = users(ahead());
    users.insert(1, 1);
    advance(secs(40)).await;
    let never = users.get_or_load(1, std::future::pending::<io::Result<u32>>);
    assert!(tokio::time::timeout(secs(1), never).await.is_err());
    advance(secs(5)).await;
    assert_eq!(users.get_or_load(1, || tells(2)).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_worth_it_is_answered_and_not_stored() {
    let (state, policy) = (
        CacheState::<u32, u32>::new("users", 10),
        Prepared::new(CachePolicy::default()),
    );
    let join = || match state.lookup(&policy, &1, clock::now()) {
        Lookup::Miss(miss) => miss.join::<io::Error>(1, Share::OPAQUE),
        Lookup::Hit(_) => panic!("nothing is stored"),
    };
    let hooks: [fn(&u32) -> bool; 2] = [|value| *value > 5, |_| panic!("a hook's own fault")];
    for hook in hooks {
        let Joined::Lead(lead) = join().await else {
            panic!("the first leads")
        };
        let mut second = Box::pin(join());
        assert!(tokio::time::timeout(secs(0), &mut second).await.is_err());
        assert_eq!(lead.settle("site", Ok(5), hook).unwrap(), 5);
        assert!(matches!(second.await, Joined::Answered(Ok(5))));
        assert_eq!(state.len(clock::now()), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn results_stored_together_expire_apart() {
    let policy = CachePolicy {
        ttl: secs(60),
        ttl_jitter: secs(30),
        ..CachePolicy::default()
    };
    let users = users(policy);
    (0..200).for_each(|key| users.insert(key, key));
    advance(secs(30)).await;
    assert_eq!(users.len(), 200);
    advance(secs(15)).await;
    assert!((50..150).contains(&users.len()), "{} left", users.len());
    advance(secs(15)).await;
    assert_eq!(users.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_jitter_longer_than_the_ttl_leaves_every_result_half_of_it() {
    let users = users(CachePolicy {
        ttl: secs(60),
        ttl_jitter: secs(3600),
        ..CachePolicy::default()
    });
    (0..200).for_each(|key| users.insert(key, key));
    advance(secs(29)).await;
    assert_eq!(users.len(), 200);
    advance(secs(31)).await;
    assert_eq!(users.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ahead_longer_than_the_ttl_leaves_hits_for_half_of_it() {
    let users = users(CachePolicy {
        ttl: secs(60),
        refresh_ahead: secs(3600),
        ..CachePolicy::default()
    });
    assert_eq!(users.get_or_load(1, || tells(1)).await.unwrap(), 1);
    advance(secs(29)).await;
    assert_eq!(users.get_or_load(1, || tells(2)).await.unwrap(), 1);
    advance(secs(1)).await;
    assert_eq!(
        users.get_or_load(1, || tells(3)).await.unwrap(),
        3,
        "one caller runs it anew"
    );
    assert_eq!(users.get_or_load(1, || tells(4)).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_ttl_binds_what_is_stored_already() {
    let state = CacheState::<u32, u32>::new("users", 10);
    let [long, short] = [60, 5].map(|ttl| {
        Prepared::new(CachePolicy {
            ttl: secs(ttl),
            ..CachePolicy::default()
        })
    });
    state.insert(&long, 1, 1, clock::now());
    advance(secs(5)).await;
    assert_eq!(state.get(&short, &1, clock::now()), None);
    assert_eq!(state.get(&long, &1, clock::now()), Some(1));
}
