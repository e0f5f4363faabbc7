//! `rate_limiting`: a token bucket per key and operation.

use std::time::Duration;

use crate::{
    duration::show_duration,
    error::Problem,
    file::{Node, Value},
    group::{read_group, read_list, show_group, show_list},
    kind::LayerKind,
    schema::{Broken, DURATION, Expects, Key, Policy, Setting, Settings, whole},
    setting::words,
};

/// How much an operation may be used.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimitPolicy {
    /// All of them must admit; nothing is taken unless all admit. At least one.
    pub limits: Vec<Limit>,
    /// How long a call may wait for its turn, first come first served. Default 0: reject at once.
    pub max_wait: Duration,
    /// Keys tracked at most: the bound on memory. Default 100,000.
    pub max_keys: u32,
}

/// One token bucket: `capacity` tokens, refilled smoothly over `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Tokens that a full bucket holds. 1 to 1,000,000,000.
    pub capacity: u32,
    /// The time in which an empty bucket fills. 1 ms to 10 years.
    pub window: Duration,
    /// Whether each key has this bucket, or all keys share it. Default [`Scope::Key`].
    pub scope: Scope,
}

/// Who shares a [`Limit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One bucket for each key.
    Key,
    /// One bucket for everybody.
    Global,
}

words!(Scope { Key = "key", Global = "global" });

impl Scope {
    fn from_node(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Text(word) => Self::from_word(word),
            _ => None,
        }
    }
}

const CAPACITY: Key = Key {
    name: "capacity",
    doc: " Tokens that a full bucket holds, from 1 to 1,000,000,000. Required.",
    expects: whole(1, 1_000_000_000),
    nullable: false,
    required: true,
};

const WINDOW_SECONDS: Key = Key {
    name: "window_seconds",
    doc: " The time in which an empty bucket fills, from 1 ms to 10 years. Required.",
    expects: Expects::Duration {
        min: Duration::from_millis(1),
    },
    nullable: false,
    required: true,
};

const SCOPE: Key = Key {
    name: "scope",
    doc: " Whether each key has this bucket, or all keys share it. Default key.",
    expects: Expects::Word(Scope::WORDS),
    nullable: false,
    required: false,
};

/// A capacity or a window of zero is one that is still missing.
impl Settings for Limit {
    const KEYS: &'static [Key] = &[CAPACITY, WINDOW_SECONDS, SCOPE];

    fn base() -> Self {
        Self {
            capacity: 0,
            window: Duration::ZERO,
            scope: Scope::Key,
        }
    }

    fn set(&mut self, key: &str, node: &Node) -> Result<(), Vec<Problem>> {
        match key {
            "capacity" => self.capacity = Setting::read(node, &CAPACITY.expects)?,
            "window_seconds" => self.window = Setting::read(node, &WINDOW_SECONDS.expects)?,
            "scope" => self.scope = Setting::read(node, &SCOPE.expects)?,
            _ => {}
        }
        Ok(())
    }

    fn get(&self, key: &str) -> Option<String> {
        match key {
            "capacity" => Some(self.capacity.show()),
            "window_seconds" => Some(show_duration(self.window)),
            "scope" => Some(self.scope.show()),
            _ => None,
        }
    }
}

impl Limit {
    fn missing(self) -> Option<&'static str> {
        match (self.capacity, self.window) {
            (0, Duration::ZERO) => Some("`capacity` and `window_seconds` are missing"),
            (0, _) => Some("`capacity` is missing"),
            (_, Duration::ZERO) => Some("`window_seconds` is missing"),
            _ => None,
        }
    }
}

impl Setting for Limit {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        if !matches!(node.value, Value::Map(_)) {
            return Err(expects.refuse(node));
        }
        let limit: Self = read_group(node)?;
        match limit.missing() {
            Some(missing) => Err(vec![Problem::new(missing).or_at(node.at)]),
            None => Ok(limit),
        }
    }

    fn show(&self) -> String {
        show_group(self)
    }
}

impl Settings for RateLimitPolicy {
    const KEYS: &'static [Key] = &[
        CAPACITY,
        WINDOW_SECONDS,
        SCOPE,
        Key {
            name: "limits",
            doc: " Several buckets instead of one: all must admit, and nothing is taken unless all admit.",
            expects: Expects::List {
                of: &Expects::Keys(Limit::KEYS),
                min: 1,
            },
            nullable: false,
            required: false,
        },
        Key {
            name: "max_wait",
            doc: " How long a call may wait for its turn, first come first served. Default 0: reject at once.",
            expects: DURATION,
            nullable: false,
            required: false,
        },
        Key {
            name: "max_keys",
            doc: " Keys tracked at most, from 1 to 100,000,000: the bound on memory. Default 100,000.",
            expects: whole(1, 100_000_000),
            nullable: false,
            required: false,
        },
    ];

    const EXCLUSIVE: &'static [(&'static str, &'static str)] = &[
        ("limits", "capacity"),
        ("limits", "window_seconds"),
        ("limits", "scope"),
    ];

    fn base() -> Self {
        Self {
            limits: Vec::new(),
            max_wait: Duration::ZERO,
            max_keys: 100_000,
        }
    }

    fn set(&mut self, key: &str, node: &Node) -> Result<(), Vec<Problem>> {
        let expects = |name| Self::KEYS.iter().find(|key| key.name == name);
        let Some(known) = expects(key) else {
            return Ok(());
        };
        match key {
            "limits" => self.limits = read_list(node, &known.expects)?,
            "max_wait" => self.max_wait = Setting::read(node, &known.expects)?,
            "max_keys" => self.max_keys = Setting::read(node, &known.expects)?,
            of_one => self.only(of_one, node)?.set(of_one, node)?,
        }
        Ok(())
    }

    fn get(&self, key: &str) -> Option<String> {
        match (key, self.limits.as_slice()) {
            ("max_wait", _) => Some(self.max_wait.show()),
            ("max_keys", _) => Some(self.max_keys.show()),
            ("limits", [_, _, ..]) => Some(show_list(&self.limits)),
            ("limits", _) => None,
            (key, [limit]) => limit.get(key),
            _ => None,
        }
    }
}

impl RateLimitPolicy {
    /// The limit that a single `capacity` means.
    fn only(&mut self, key: &str, node: &Node) -> Result<&mut Limit, Vec<Problem>> {
        if self.limits.is_empty() {
            self.limits.push(Limit::base());
        }
        match self.limits.as_mut_slice() {
            [limit] => Ok(limit),
            several => {
                let message = format!(
                    "there are {} limits here, so a single `{key}` says too little: write `limits`",
                    several.len()
                );
                Err(vec![Problem::new(message).or_at(node.at)])
            }
        }
    }
}

impl Policy for RateLimitPolicy {
    const KIND: LayerKind = LayerKind::RateLimit;

    fn rules(&self) -> Vec<Broken> {
        let how = "write `capacity` and `window_seconds`, or `limits`";
        if self.limits.is_empty() {
            let message = format!("it has no limit: {how}");
            return vec![Broken::fatal(
                &["capacity", "window_seconds", "limits"],
                message,
            )];
        }
        let missing = self.limits.iter().find_map(|limit| limit.missing());
        missing
            .map(|missing| {
                let message = format!("{missing}: {how}");
                Broken::fatal(&["capacity", "window_seconds", "limits"], message)
            })
            .into_iter()
            .collect()
    }
}

/// Policies written in code.
impl RateLimitPolicy {
    /// `capacity` tokens per `window` for each key.
    #[must_use]
    pub fn per_key(capacity: u32, window: Duration) -> Self {
        Self::of(capacity, window, Scope::Key)
    }

    /// `capacity` tokens per `window` for everybody together.
    #[must_use]
    pub fn global(capacity: u32, window: Duration) -> Self {
        Self::of(capacity, window, Scope::Global)
    }

    /// The same, and these limits too.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.limits.extend(other.limits);
        self
    }

    /// The same, with calls that wait for their turn for at most `max_wait`.
    #[must_use]
    pub fn waiting(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// The same, with at most this many keys tracked.
    #[must_use]
    pub fn max_keys(mut self, max_keys: u32) -> Self {
        self.max_keys = max_keys;
        self
    }

    fn of(capacity: u32, window: Duration, scope: Scope) -> Self {
        Self {
            limits: vec![Limit {
                capacity,
                window,
                scope,
            }],
            max_wait: Duration::ZERO,
            max_keys: 100_000,
        }
    }
}
