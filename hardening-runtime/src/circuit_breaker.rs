//! Circuit breaker: stop calling what is down.
