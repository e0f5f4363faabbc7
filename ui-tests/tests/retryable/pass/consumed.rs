//! What only looks as if the body consumed an argument compiles, and so does what it may consume.
#![deny(warnings)]
#![allow(dead_code)]
use hardening::retryable;
use std::{collections::HashMap, rc::Rc, sync::Arc};
use ui_tests::AppError;

#[derive(Clone, Copy)]
struct Id(u64);

type Connection<'a> = &'a mut Vec<u64>;
type Text = &'static str;

struct Builder;

impl Builder {
    fn into_bytes(&self) -> usize {
        0
    }

    fn unwrap(&self) -> usize {
        0
    }
}

fn send<T>(_: T) -> usize {
    0
}

fn push(to: &mut Vec<u64>) -> usize {
    to.push(1);
    0
}

#[retryable]
fn copied(id: Id, text: Text, pair: (u8, Id), maybe: Option<Id>) -> Result<usize, AppError> {
    let task = move || send(id) + send(pair);
    Ok(task() + send(id) + send(text) + send(maybe.unwrap_or(id)))
}

#[retryable]
async fn copied_later(id: Id, text: Text) -> Result<usize, AppError> {
    let task = async move { send(id) + send(text) };
    Ok(task.await + send(id))
}

#[retryable]
fn borrowed_anew(connection: Connection<'_>) -> Result<usize, AppError> {
    Ok(push(connection) + push(connection))
}

#[retryable]
async fn borrowed_anew_later(connection: Connection<'_>) -> Result<usize, AppError> {
    Ok(push(connection) + push(connection))
}

#[retryable]
fn methods_that_borrow(builder: Builder, words: Arc<[u8]>) -> Result<usize, AppError> {
    Ok(builder.into_bytes() + builder.unwrap() + words.into_iter().count())
}

#[retryable]
fn bound_by_type<T: Copy>(value: T, other: impl Copy) -> Result<usize, AppError> {
    Ok(send(value) + send(other))
}

#[retryable]
fn bound_again(body: String, names: Vec<String>) -> Result<usize, AppError> {
    let body = body.trim().to_owned();
    let longest = names.iter().map(|names| send(names)).max();
    Ok(send(body) + longest.unwrap_or(0))
}

#[allow(non_upper_case_globals)]
mod names {
    pub(super) const body: usize = 1;
}

#[retryable]
fn items_of_its_name(body: String) -> Result<usize, AppError> {
    #![allow(unused_variables)]
    use names::*;
    Ok(send(body))
}

#[retryable]
fn not_compiled(body: String) -> Result<usize, AppError> {
    #[cfg(any())]
    send(body);
    Ok(body.len())
}

#[retryable]
fn parts(pair: (Id, String), map: HashMap<u8, u8>) -> Result<usize, AppError> {
    let (id, _) = pair;
    let _ = map;
    let later = move || send(pair.0);
    Ok(send(id) + later() + map.len())
}

struct Order<'a> {
    id: Id,
    name: String,
    text: &'a str,
    connection: &'a mut Vec<u64>,
    shared: Shared,
}

type Borrowed<'a, 'b> = &'a Order<'b>;
type Changed<'a, 'b> = &'a mut Order<'b>;
type Shared = Rc<(Id, String)>;

#[retryable]
fn copied_parts(
    order: Order<'_>,
    pair: (Id, String),
    some: Option<(u8, u16)>,
) -> Result<usize, AppError> {
    let (id, _) = pair;
    let Order {
        id: other, text, ..
    } = order;
    let number = match some {
        Some((number, _)) if number > 1 => number,
        Some((_, number)) => send(number) as u8,
        None => 0,
    };
    let more = if let (Id(1), ref name) = pair {
        send(name)
    } else {
        0
    };
    Ok(send(id) + send(other) + send(text) + send(number) + more + send(order.text) + send(pair.0))
}

#[retryable]
async fn copied_parts_later(order: Order<'_>, pair: (Id, String)) -> Result<usize, AppError> {
    let (id, _) = pair;
    let task = async { send(order.id) + send(order.shared.0) };
    Ok(task.await + send(id) + send(order.text) + push(order.connection) + push(order.connection))
}

#[retryable]
fn parts_of_what_is_borrowed(
    order: Borrowed<'_, '_>,
    changed: Changed<'_, '_>,
    some: Option<&String>,
) -> Result<usize, AppError> {
    let Order { name, .. } = order;
    let Order { connection, .. } = changed;
    let more = match some {
        Some(name) => send(name),
        None => push(connection),
    };
    Ok(send(name) + more + push(changed.connection))
}

union Bits {
    number: u32,
    float: f32,
}

#[repr(packed)]
struct Packed {
    small: u8,
    large: u64,
}

#[retryable]
fn unusual_parts(bits: Bits, packed: Packed) -> Result<usize, AppError> {
    let number = unsafe { bits.number };
    let more = unsafe {
        match bits {
            Bits { float } => send(float),
        }
    };
    let Packed { small, large } = packed;
    Ok(send(number) + more + send(packed.large) + send(small) + send(large))
}

enum Kind {
    Named(String),
    Plain,
}

mod constants {
    pub(super) const LIMIT: u8 = 1;
}

#[retryable]
fn names_that_bind_nothing(kind: Kind, number: (u8, String)) -> Result<usize, AppError> {
    use Kind::{Named, Plain};
    use constants::LIMIT;
    let at = match number {
        (LIMIT, _) => 1,
        _ => 0,
    };
    match kind {
        Plain => Ok(at),
        Named(_) => Ok(2),
    }
}

#[retryable]
fn names_of_the_body(number: u8, pair: (u8, u8)) -> Result<usize, AppError> {
    const ONE: u8 = 1;
    struct Two(u8);
    let two = Two(number);
    let Two(inner) = two;
    match pair {
        (ONE, other) => Ok(send(other)),
        (other, _) => Ok(send(other) + send(inner)),
    }
}

struct Old {
    #[deprecated]
    id: Id,
    _unread: String,
}

#[retryable]
fn what_the_body_allows_itself(old: Old) -> Result<usize, AppError> {
    #[allow(deprecated)]
    let id = old.id;
    Ok(send(id))
}

#[retryable(clone(kind, order))]
fn cloned_parts(kind: Option<String>, order: (String, u8)) -> Result<usize, AppError> {
    let more = match kind {
        Some(name) => send(name),
        None => 0,
    };
    Ok(more + send(order.0))
}

#[retryable]
fn later(pair: (Id, String)) -> impl std::future::Future<Output = Result<usize, AppError>> + Send {
    let (id, _) = pair;
    async move { Ok(send(id) + send(pair.0)) }
}

#[retryable]
fn a_generic_part<T: Copy>(some: Option<T>, all: [T; 2]) -> Result<usize, AppError> {
    let Some(value) = some else {
        return Ok(0);
    };
    let [first, ..] = all;
    Ok(send(value) + send(first))
}

macro_rules! retried {
    ($name:ident, $argument:ident, $body:expr) => {
        #[retryable]
        fn $name($argument: String, handler: String) -> Result<usize, AppError> {
            Ok(handler.len() + $argument.len() + $body)
        }
    };
}

fn handler() -> usize {
    0
}

// The `handler` of the body is the function: that of the signature is the macro's own.
retried!(from_a_macro, text, send(handler));

#[retryable(clone(body, list))]
async fn cloned(body: String, mut list: Vec<u8>, shared: Rc<str>) -> Result<usize, AppError> {
    list.push(1);
    Ok(send(body) + send(list) + shared.len())
}

impl Id {
    #[retryable]
    fn consume(self) -> Result<usize, AppError> {
        Ok(send(self))
    }
}

impl Client for &mut Builder {
    #[retryable]
    fn go(self) -> Result<usize, AppError> {
        Ok(self.into_bytes() + send_builder(self))
    }
}

trait Client {
    fn go(self) -> Result<usize, AppError>;
}

fn send_builder(_: &mut Builder) -> usize {
    0
}

fn main() {
    assert_eq!(copied(Id(1), "", (1, Id(1)), None).unwrap(), 0);
    assert_eq!(items_of_its_name(String::new()).unwrap(), 0);
    assert_eq!(borrowed_anew(&mut Vec::new()).unwrap(), 0);
    assert_eq!(from_a_macro(String::new(), String::from("12")).unwrap(), 2);
    assert_eq!(Builder.go_once(), 0);
}

impl Builder {
    fn go_once(&mut self) -> usize {
        Client::go(self).unwrap()
    }
}
