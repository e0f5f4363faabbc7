//! Cache: remember results.
