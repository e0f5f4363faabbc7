//! The figures of `snapshot()` as instruments. Nothing is counted for them: a collection reads what
//! is counted anyway.

use super::{
    calls, layers,
    reading::{Reading, Told},
};
use opentelemetry::{KeyValue, metrics::Meter};
use std::sync::Arc;

/// What an instrument tells of what was read: values, each with its attributes.
pub(super) type Tell<T> = fn(&Told, &mut dyn FnMut(T, &[KeyValue]));

/// Name, unit, description, and values.
pub(super) type Instrument<T> = (&'static str, &'static str, &'static str, Tell<T>);

/// Registers the figures of every annotated function with `meter`, each by an observable instrument.
///
/// All series are there from the start, and a collection has the values of one
/// [`snapshot`](crate::snapshot()). Register once with each meter provider: there they stay until it is
/// shut down.
///
/// ```
/// # use hardening_runtime as hardening;
/// use opentelemetry::global;
///
/// // after `global::set_meter_provider(…)`
/// hardening::otel::observe(&global::meter("hardening"));
/// ```
pub fn observe(meter: &Meter) {
    let reading = Arc::new(Reading::default());
    let mut indices = 0_usize..;
    // Each builder is a type of its own, with the same methods.
    macro_rules! register {
        ($($instruments:ident: $builder:ident),*) => {$(
            let instruments = calls::$instruments.into_iter().chain(layers::$instruments);
            for ((name, unit, description, tell), index) in instruments.zip(&mut indices) {
                let reading = Arc::clone(&reading);
                meter
                    .$builder(name)
                    .with_unit(unit)
                    .with_description(description)
                    .with_callback(move |observer| {
                        tell(&reading.of(index), &mut |value, labels| observer.observe(value, labels));
                    })
                    .build();
            }
        )*};
    }
    register!(
        COUNTERS: u64_observable_counter,
        LEVELS: i64_observable_up_down_counter,
        GAUGES: f64_observable_gauge
    );
}

pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
