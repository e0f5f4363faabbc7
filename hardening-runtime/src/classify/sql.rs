//! `sqlx::Error`: the way to the database, and what the database says.

use crate::outcome::{Class, Classify, Origin, Worth};
use sqlx::Error;

/// Transient: a connection that broke or that the pool could not give in time, and what a database
/// says of itself rather than of the statement (the classes 08, 40 and 53 of SQLSTATE, and some more).
/// Everything else is permanent, a closed pool among it.
impl Classify for Error {
    fn classify(&self) -> Class {
        worth(self).class
    }

    fn origin(&self) -> Origin {
        worth(self).origin
    }
}

fn worth(error: &Error) -> Worth {
    match error {
        Error::Io(error) => Worth::of(error),
        // Another connection of the pool has another worker.
        Error::PoolTimedOut | Error::WorkerCrashed => Class::Transient.into(),
        Error::Database(error) => error.code().map_or(Worth::UNKNOWN, |code| of_code(&code)),
        // The way to the database is not what it should be.
        Error::Tls(_) | Error::Protocol(_) => Worth::UNKNOWN,
        _ => Class::Permanent.into(),
    }
}

// A code of five signs is an SQLSTATE (PostgreSQL, MySQL), whose first two are its class:
// 08 connection, 40 transaction rolled back (serialization failure, deadlock), 53 insufficient resources.
// Of the class 57, which an operator causes, those that pass (57P01 to 57P03 and 57P05: shutting down,
// starting up, idle for too long), but no cancelled statement. 58 and XX are errors of the database's own
// making, and HY000 says nothing. Any other is a number of SQLite, with details above its lowest byte.
fn of_code(code: &str) -> Worth {
    const SQLITE_BUSY: u32 = 5;
    const SQLITE_LOCKED: u32 = 6;
    if code.len() == 5 {
        return of_state(code);
    }
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(SQLITE_BUSY | SQLITE_LOCKED) => Class::Transient.into(),
        Ok(_) => Class::Permanent.into(),
        Err(_) => Worth::UNKNOWN,
    }
}

fn of_state(code: &str) -> Worth {
    match (code.get(..2), code) {
        (Some("08" | "40" | "53"), _) | (_, "55P03" | "57P01" | "57P02" | "57P03" | "57P05") => {
            Class::Transient.into()
        }
        (Some("58" | "XX"), _) | (_, "HY000") => Worth::UNKNOWN,
        _ => Class::Permanent.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::error::{DatabaseError, ErrorKind};
    use std::{borrow::Cow, error, fmt, io};

    /// What a driver returns.
    #[derive(Debug)]
    struct Refusal(Option<&'static str>);

    impl fmt::Display for Refusal {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:?}", self.0)
        }
    }

    impl error::Error for Refusal {}

    impl DatabaseError for Refusal {
        fn message(&self) -> &'static str {
            "refused"
        }
        fn code(&self) -> Option<Cow<'_, str>> {
            self.0.map(Cow::Borrowed)
        }
        fn as_error(&self) -> &(dyn error::Error + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn error::Error + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn error::Error + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    fn said(code: impl Into<Option<&'static str>>) -> Error {
        Error::Database(Box::new(Refusal(code.into())))
    }

    #[test]
    fn what_a_database_says_of_itself_is_transient() {
        for code in [
            "08000", "08004", "08006", "08S01", // connection; MySQL: too many connections
            "40001", "40P01", // serialization failure, deadlock
            "53100", "53200", "53300", // out of disk, memory, connections
            "55P03", // a lock is not available
            "57P01", "57P02", "57P03", "57P05", // shutdown, crash, starting, idle
            "5", "6", "261", "262", "517", "773", // SQLite: busy and locked, with details
        ] {
            assert_eq!(said(code).classify(), Class::Transient, "{code}");
        }
    }

    #[test]
    fn what_a_database_says_of_the_statement_is_permanent() {
        for code in [
            "23505", "42P01", "22001", "25006", "28000", "28P01", "57014", "57P04", "HY000",
            "XX000", "", "1", "19", "2067", "nonsense", "0800", "éé1",
        ] {
            assert_eq!(said(code).classify(), Class::Permanent, "{code}");
        }
        assert_eq!(said(None).classify(), Class::Permanent);
    }

    #[test]
    fn what_does_not_say_whose_fault_it_is_is_unknown() {
        let protocol = Error::Protocol("garbage".into());
        for error in [
            said("XX000"),
            said("HY000"),
            said("?"),
            said(None),
            protocol,
        ] {
            assert_eq!(error.origin(), Origin::Unknown, "{error}");
        }
        for error in [said("23505"), said("40001"), said("19"), Error::RowNotFound] {
            assert_eq!(error.origin(), Origin::Call, "{error}");
        }
    }

    #[test]
    fn the_way_to_the_database_may_be_free_later() {
        let io = |kind| Error::Io(io::Error::from(kind));
        for (error, class) in [
            (io(io::ErrorKind::ConnectionReset), Class::Transient),
            (io(io::ErrorKind::UnexpectedEof), Class::Transient),
            (io(io::ErrorKind::PermissionDenied), Class::Permanent),
            (Error::PoolTimedOut, Class::Transient),
            (Error::WorkerCrashed, Class::Transient),
            (Error::PoolClosed, Class::Permanent),
            (Error::RowNotFound, Class::Permanent),
            (Error::Protocol("garbage".into()), Class::Permanent),
            (Error::Tls("certificate".into()), Class::Permanent),
            (Error::Configuration("url".into()), Class::Permanent),
        ] {
            assert_eq!(error.classify(), class, "{error}");
        }
    }

    #[test]
    fn it_is_known_inside_other_errors() {
        let boxed: Box<dyn error::Error> = Box::new(said("40001"));
        assert_eq!(boxed.classify(), Class::Transient);
        #[cfg(feature = "anyhow")]
        {
            let error = anyhow::Error::new(Error::PoolTimedOut).context("asking the database");
            assert_eq!(error.classify(), Class::Transient);
        }
    }
}
