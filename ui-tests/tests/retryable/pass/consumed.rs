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
