//! Health: probes found at link time or registered by hand.
