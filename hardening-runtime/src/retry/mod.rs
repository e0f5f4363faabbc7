//! Retry: run again on transient failure.
