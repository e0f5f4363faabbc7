//! Rate limit: a token bucket per key and operation.
