//! The attributes of `hardening`.
