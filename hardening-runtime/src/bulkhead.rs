//! Bulkhead: bound concurrency, queue by priority.
