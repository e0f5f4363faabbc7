use super::*;
use std::{
    cell::Cell,
    convert::Infallible,
    future::{pending, poll_fn, ready},
    io,
    rc::Rc,
    task::Waker,
};

const SECOND: Duration = Duration::from_secs(1);

fn nth(attempt: u32) -> Context {
    Context {
        attempt,
        deadline: None,
        ..context::current()
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(Waker::noop()))
}

/// Says on drop that it was dropped.
struct Dropped(Rc<Cell<bool>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
fn the_nearest_deadline_wins() {
    let (near, far) = (Moment::from_nanos(1), Moment::from_nanos(2));
    assert_eq!(nearest(Some(far), Some(near)), Some(near));
    assert_eq!(nearest(Some(near), None), Some(near));
    assert_eq!(nearest(None, Some(far)), Some(far));
    assert_eq!(nearest(None, None), None);
}

/// Outside of any runtime, setting a timer would panic.
#[test]
fn a_body_that_is_ready_at_once_sets_no_timer() {
    let body = pin!(attempt(nth(1), Some(Moment::from_nanos(0)), ready(7)));
    assert!(matches!(poll_once(body), Poll::Ready(Ended::Returned(7))));
    let body = pin!(within(SECOND, ready(7)));
    assert_eq!(poll_once(body), Poll::Ready(Ok(7)));
}

#[test]
fn a_body_without_a_deadline_sets_no_timer() {
    let body = pin!(attempt(nth(1), None, pending::<()>()));
    assert!(poll_once(body).is_pending());
}

#[test]
fn the_body_is_dropped_before_its_result_is_out() {
    let dropped = Rc::new(Cell::new(false));
    let guard = Dropped(dropped.clone());
    let mut body = pin!(attempt(
        nth(1),
        None,
        poll_fn(move |_| {
            let _kept = &guard;
            Poll::Ready(())
        })
    ));
    assert!(poll_once(body.as_mut()).is_ready());
    assert!(dropped.get());
}

#[test]
fn a_panic_of_the_body_is_caught_and_typed() {
    let body = pin!(attempt(nth(1), None, async { panic!("told you") }));
    let Poll::Ready(Ended::<Infallible>::Panicked(payload)) = poll_once(body) else {
        panic!("not typed");
    };
    assert_eq!(payload.downcast_ref(), Some(&"told you"));
    let payload = run_blocking(nth(2), || panic!("so did I")).map(|never: Infallible| never);
    assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"so did I"));
    assert_eq!(context::current().attempt, 1, "the context is restored");
}

#[test]
fn a_panic_in_the_drop_of_the_body_is_caught_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("late");
        }
    }
    let bomb = Bomb;
    let body = pin!(attempt(
        nth(1),
        None,
        poll_fn(move |_| {
            let _kept = &bomb;
            Poll::Ready(())
        })
    ));
    assert!(matches!(poll_once(body), Poll::Ready(Ended::Panicked(_))));
}

#[test]
fn a_blocking_body_sees_its_context() {
    let deadline = Some(clock::now().plus(SECOND));
    let seen = run_blocking(
        Context {
            attempt: 3,
            deadline,
            ..context::current()
        },
        || (crate::attempt(), crate::deadline().is_some()),
    );
    assert_eq!(seen.ok(), Some((3, true)));
    assert_eq!((crate::attempt(), crate::deadline()), (1, None));
}

#[test]
fn the_futures_are_the_body_and_the_timer_and_little_else() {
    let body = || async {
        let large = [0_u8; 1024];
        pending::<()>().await;
        std::hint::black_box(large);
        Ok::<(), io::Error>(())
    };
    let timer = size_of::<tokio::time::Sleep>();
    let plain = size_of_val(&body());
    let least = plain + timer;
    let sizes = [
        size_of_val(&attempt(nth(1), None, body())),
        size_of_val(&within(SECOND, body())),
        size_of_val(&Timeout::new(TimeoutPolicy::default()).call(body)),
    ];
    println!("body {plain}, timer {timer}, Attempt, within, call: {sizes:?}");
    let over = sizes.map(|size| size - least);
    assert!(over[0] <= 64 && over[1] <= 88 && over[2] <= 160, "{over:?}");
}

/// What must be `Send` for `tokio::spawn` to take it.
#[allow(dead_code)]
fn the_futures_are_send_when_the_body_is(timeout: &'static Timeout) {
    fn is_send<T: Send>(_: T) {}
    is_send(attempt(nth(1), None, ready(())));
    is_send(within(SECOND, ready(())));
    is_send(timeout.call(|| async { Ok::<(), io::Error>(()) }));
}

#[cfg(feature = "test-util")]
mod paused {
    use super::*;
    use tokio::{
        task::{coop, yield_now},
        time::{advance, sleep},
    };

    #[tokio::test(start_paused = true)]
    async fn a_hanging_body_ends_at_its_deadline_and_is_dropped() {
        let (began, dropped) = (clock::now(), Rc::new(Cell::new(false)));
        let guard = Dropped(dropped.clone());
        let body = async move {
            let _kept = guard;
            pending::<()>().await;
        };
        let ended = attempt(nth(1), Some(began.plus(SECOND)), body).await;
        assert!(matches!(ended, Ended::Elapsed));
        assert_eq!(clock::now().since(began), SECOND);
        assert!(dropped.get());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_ready_in_time_returns() {
        let result = within(SECOND, async {
            sleep(SECOND / 2).await;
            "done"
        });
        assert_eq!(result.await, Ok("done"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_runs_out_of_work_ends_at_its_deadline_too() {
        let busy = poll_fn(|cx| {
            loop {
                match coop::poll_proceed(cx) {
                    Poll::Ready(budget) => budget.made_progress(),
                    Poll::Pending => return Poll::<()>::Pending,
                }
            }
        });
        let time = tokio::spawn(advance(SECOND * 2));
        assert!(within(SECOND, busy).await.is_err());
        time.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_time_was_up_before_says_so() {
        let ended = attempt(nth(1), Some(clock::now()), pending::<()>());
        assert!(matches!(ended.await, Ended::Elapsed));
    }

    #[tokio::test(start_paused = true)]
    async fn an_inner_call_sees_the_nearest_deadline_and_the_outer_its_own_after_it() {
        let began = clock::now();
        let left = || context::current().deadline.map(|at| at.since(began));
        assert_eq!(left(), None);
        let seen = within(SECOND, async {
            let before = left();
            let longer = within(SECOND * 9, async { left() }).await;
            let shorter = within(SECOND / 2, async {
                yield_now().await;
                left()
            });
            (before, longer, shorter.await, left())
        });
        let expected = (
            Some(SECOND),
            Ok(Some(SECOND)),
            Ok(Some(SECOND / 2)),
            Some(SECOND),
        );
        assert_eq!(seen.await, Ok(expected));
        assert_eq!(left(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn interleaved_calls_see_each_their_own_context() {
        let call = |number: u32| async move {
            for _ in 0..3 {
                assert_eq!(crate::attempt(), number);
                yield_now().await;
                sleep(SECOND / 100).await;
            }
            crate::attempt()
        };
        let outside = async {
            for _ in 0..6 {
                assert_eq!(crate::attempt(), 1);
                yield_now().await;
            }
        };
        let (two, three, ()) = tokio::join!(
            attempt(nth(2), None, call(2)),
            attempt(nth(3), None, call(3)),
            outside,
        );
        assert!(matches!(
            (two, three),
            (Ended::Returned(2), Ended::Returned(3))
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_bounded_by_the_shorter_one_of_call_and_attempt() {
        let began = clock::now();
        let timeout = Timeout::named(
            "report",
            TimeoutPolicy {
                call: Some(SECOND * 15),
                attempt: Some(SECOND * 5),
            },
        );
        let result = timeout.call(pending::<Result<(), Rejected>>).await;
        let (name, after) = ("report", SECOND * 5);
        assert_eq!(result, Err(Rejected::TimedOut { name, after }));
        assert_eq!(clock::now().since(began), after);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_bound_a_call_may_take_as_long_as_it_likes() {
        let timeout = Timeout::new(TimeoutPolicy {
            call: None,
            attempt: None,
        });
        let body = || async {
            sleep(SECOND * 3600).await;
            Ok::<_, Rejected>(crate::deadline())
        };
        assert_eq!(timeout.call(body).await, Ok(None));
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "as it was")]
    async fn the_plain_timeout_raises_a_panic_again() {
        let _ = within(SECOND, async { panic!("as it was") }).await;
    }
}
