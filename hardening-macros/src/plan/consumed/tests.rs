use super::{Consumed, Consumption, How, by_body};
use crate::function::Function;
use quote::ToTokens;
use syn::Ident;

/// The arguments of `signature` that `body` consumes, and how.
fn consumed_by(signature: &str, body: &str) -> Vec<(String, How)> {
    let function = format!("{signature} -> Result<(), E> {{ {body} }}");
    let function: Function = syn::parse_str(&function).expect(body);
    let consumed = scanned(&function, &[]).arguments;
    let named = |consumed: Consumed| (consumed.name.to_string(), consumed.how);
    consumed.into_iter().map(named).collect()
}

#[track_caller]
fn moved(body: &str) {
    let found = consumed_by("fn f(&self, x: X)", body);
    assert_eq!(found, [("x".to_owned(), How::Moved)], "{body}");
}

#[track_caller]
fn kept(body: &str) {
    let found = consumed_by("fn f(&self, x: X)", body);
    assert_eq!(found, [], "{body}");
}

#[test]
fn a_callback_that_can_be_called_once_is_consumed_by_its_call() {
    for (signature, is_consumed) in [
        ("fn f(x: impl FnOnce() -> u8 + Send)", true),
        ("fn f<F: FnOnce()>(x: F)", true),
        (
            "fn f<F, G>(x: F, y: G) where G: Fn(), F: std::ops::FnOnce()",
            true,
        ),
        ("fn f<F: FnMut(), G: FnOnce()>(mut x: F)", false),
        ("fn f(x: impl Fn())", false),
        ("fn f(x: fn())", false),
    ] {
        let found = consumed_by(signature, "x(); Ok(())");
        assert_eq!(!found.is_empty(), is_consumed, "{signature}");
    }
}

#[test]
fn an_argument_that_stands_where_a_value_is_needed_is_moved() {
    for body in [
        "send(x)",
        "Some(x)",
        "send((x))",
        "client.send(1, x).await?; Ok(())",
        "Request { a: 1, b: x }",
        "Request { x }",
        "let y = x; Ok(())",
        "let y: X = x; Ok(())",
        "let mut y = x; Ok(())",
        "y = x;",
        "self.last = x;",
        "*self.last = x;",
        "self.all[0] = x;",
        "x",
        "return x;",
        "loop { break x; }",
        "'a: { break 'a x; }",
        "(1, x)",
        "[x, y]",
        "for item in x { use_it(item); }",
        "x?; Ok(())",
        "x.await",
        "x + 1",
        "total += x;",
        "!x",
        "x..y",
        "unsafe { send(x) }",
        "match a { A => send(x), B => Ok(()) }",
        "match (x, 1) { _ => Ok(()) }",
        "if a { send(x) } else { Ok(()) }",
        "if send(x) { Ok(()) } else { Ok(()) }",
        "if a { Ok(()) } else { send(x) }",
        "while send(x) {}",
        "let Some(y) = find(x) else { return Ok(()) };",
        "let Some(y) = a else { return send(x) };",
        "#[allow(unused)] let y = x;",
    ] {
        moved(body);
    }
}

#[test]
fn a_closure_that_moves_or_a_move_closure_takes_the_argument_along() {
    for body in [
        "run(|| send(x))",
        "run(async { send(x).await })",
        "run(move || x.len())",
        "run(async move { x.len() })",
        "run(async move { read(&x).await })",
        "run(move || x())",
        "run(move || items.iter().map(|item| x.get(item)))",
        "Box::pin(async move { let __self = self; let x = x; Ok(()) })",
    ] {
        moved(body);
    }
    for body in [
        "run(|| x.len())",
        "run(async { read(&x).await })",
        "run(move || x.id)",
        "run(move || y)",
        "run(move || println!(\"{}\", x))",
        "run(move |x| x.len())",
        "run(move || { let x = 1; send(x) })",
        "let later = move || 1; read(&x)",
    ] {
        kept(body);
    }
}

#[test]
fn an_argument_that_is_looked_at_is_kept() {
    for body in [
        "read(&x)",
        "read(&mut x)",
        "x.len()",
        "x.into_parts()",
        "x.clone().into_bytes()",
        "x()",
        "x.id",
        "send(x.id)",
        "x[0]",
        "*x",
        "send(*x)",
        "x == y",
        "x += 1;",
        "x = y;",
        "x as u8",
        "[x; 2]",
        "let _ = x; Ok(())",
        "let _: X = x; Ok(())",
        "let ref y = x; Ok(())",
        "let (a, b) = x; Ok(())",
        "let X { id, .. } = x; Ok(())",
        "let Unit = x; Ok(())",
        "_ = x;",
        "(x, _) = (y, 1);",
        "(a, b) = x;",
        "Unit = x;",
        "X { x: 1, ..x }",
        "match x { X { id } => Ok(()) }",
        "if let Some(y) = x { Ok(()) } else { Ok(()) }",
        "while let Some(y) = x {}",
        "println!(\"{}\", x);",
        "let text = format!(\"{}\", x);",
        "consume!(x)",
        "self.x.send(1)",
        "module::x(1)",
        "let y = other::x;",
        "const { send(x) }",
    ] {
        kept(body);
    }
}

#[test]
fn a_name_that_is_bound_again_is_another_one() {
    for body in [
        "let x = 1; send(x)",
        "let x = x.trim().to_owned(); send(x)",
        "let Some(x) = find() else { return Ok(()) }; send(x)",
        "let X { x: y } = find(); send(x)",
        "if let Some(x) = find() { send(x) } else { Ok(()) }",
        "if let Some(x) = find() && send(x) { Ok(()) } else { Ok(()) }",
        "while let Some(x) = find() { send(x); }",
        "match find() { Some(x) if x > 1 => send(x), _ => Ok(()) }",
        "for x in items { send(x); }",
        "items.map(|x| send(x))",
        "let r#x = 1; send(x)",
        "fn x() {} send(x)",
        "send(x); fn x() {}",
        "use names::x; send(x)",
        "use names::*; send(x)",
        "use names::{a, b::*}; send(x)",
        "static x: u8 = 1; send(x)",
        "declare!(x); send(x)",
        "declare!(); send(x)",
        "let declare!() = 1; send(x)",
        "fn inner(x: X) { send(x) } inner(y)",
    ] {
        kept(body);
    }
    moved("{ let x = 1; send(x); } send(x)");
    moved("if let Some(x) = find() { send(x) } else { send(x) }");
    moved("tracing::info!(%x); send(x)");
    moved("fn inner() {} use names::one; send(x)");
}

#[test]
fn what_may_not_be_compiled_consumes_nothing() {
    for body in [
        "#[cfg(windows)] send(x); Ok(())",
        "#[cfg(windows)] { send(x) } #[cfg(unix)] { Ok(()) }",
        "match a { #[cfg(windows)] A => send(x), _ => Ok(()) }",
        "send(x",
        "send(x); self.",
    ] {
        if let Ok(tokens) = body.parse::<proc_macro2::TokenStream>() {
            kept(&tokens.to_string());
        }
    }
}

#[test]
fn a_method_that_takes_some_types_by_value_is_left_to_the_type() {
    let found = |body| consumed_by("fn f(x: X)", body);
    let method = |name| vec![("x".to_owned(), How::Method(name))];
    assert_eq!(found("x.into_bytes()"), method("into_bytes"));
    assert_eq!(found("for y in x.into_iter() {}"), method("into_iter"));
    assert_eq!(
        found("(x).unwrap_or_default()"),
        method("unwrap_or_default")
    );
    let both = found("x.into_bytes(); send(x)");
    assert_eq!(both, [("x".to_owned(), How::Moved)]);
}

/// What `body` takes out of `x`, with the patterns that do.
fn parts_of(body: &str) -> Vec<String> {
    let function = format!("fn f(&self, x: X) -> Result<(), E> {{ {body} }}");
    let function: Function = syn::parse_str(&function).expect(body);
    let text = |tokens: &dyn ToTokens| tokens.to_token_stream().to_string().replace(' ', "");
    let mut texts = Vec::new();
    for part in scanned(&function, &[]).parts {
        texts.push(text(&part.of));
        texts.extend(part.pattern.as_ref().map(|pattern| text(pattern)));
    }
    texts
}

#[test]
fn a_pattern_that_binds_by_value_takes_a_part() {
    for (body, parts) in [
        ("let (a, _) = x; Ok(())", vec!["x", "(a,_)"]),
        ("let X { id, .. } = x; Ok(())", vec!["x", "X{id,..}"]),
        (
            "let Some(a) = x else { return Ok(()) };",
            vec!["x", "Some(a)"],
        ),
        (
            "if let Some(a) = x { Ok(()) } else { Ok(()) }",
            vec!["x", "Some(a)"],
        ),
        (
            "if b && let Some(a) = x.id { Ok(()) }",
            vec!["x.id", "Some(a)"],
        ),
        ("if let Some(x) = x { send(x) }", vec!["x", "Some(x)"]),
        ("while let Some(a) = (x) {}", vec!["(x)", "Some(a)"]),
        ("let (x, _) = x; send(x)", vec!["x", "(x,_)"]),
        (
            "match x { Some(a) if a > 1 => 1, Some(ref b) => 2, A | None => 3, c @ B => 4 }",
            vec!["x", "Some(a)", "x", "c@B"],
        ),
        ("match x.id { (mut a, &b) => a }", vec!["x.id", "(a,&b)"]),
        ("fn inner() {} let (a, _) = x; Ok(())", vec!["x", "(a,_)"]),
    ] {
        assert_eq!(parts_of(body), parts, "{body}");
    }
}

#[test]
fn a_field_whose_value_is_needed_is_taken() {
    for body in [
        "send(x.id)",
        "Ok(x.id)",
        "send(x.id); send((x).id.len(), x.id)",
        "let a = x.id; Ok(())",
        "Request { id: x.id }",
        "run(|| send(x.id))",
        "for item in x.id {}",
        "x.id?; Ok(())",
    ] {
        assert_eq!(parts_of(body), ["x.id"], "{body}");
    }
    assert_eq!(parts_of("send(x.id.0)"), ["x.id.0"]);
}

#[test]
fn what_is_only_looked_at_or_cannot_be_asked_for_is_no_part() {
    for body in [
        "match &x { Some(a) => a }",
        "match x.as_ref() { Some(a) => a }",
        "match find(x.id.len()) { Some(a) => a }",
        "let (ref a, _) = x; Ok(())",
        "let (_, ..) = x; Ok(())",
        "let _ = x.id; Ok(())",
        "match x { A | B => 1, CONSTANT => 2 }",
        "let (a, b): (A, B) = x; Ok(())",
        "let made!(a) = x; Ok(())",
        "read(&x.id)",
        "x.id.len()",
        "x.id == 1",
        "x.id += 1;",
        "x.id = y;",
        "println!(\"{}\", x.id);",
        "unsafe { send(x.id) }",
        "unsafe { match x { X { id } => send(id) } }",
        "enum Y { A(u8) } match x { Y::A(a) => a }",
        "use names::A; { match x { A(a) => a } }",
        "#[allow(deprecated)] let a = x.id; Ok(())",
        "send(x); send(x.id)",
        "let x = 1; send(x.id)",
        "if let Some(x) = find() && send(x.id) { Ok(()) }",
    ] {
        assert!(parts_of(body).is_empty(), "{body}: {:?}", parts_of(body));
    }
}

#[test]
fn only_arguments_by_value_are_looked_for() {
    for signature in [
        "fn f(x: &X)",
        "fn f(x: &mut X)",
        "fn f(x: u64)",
        "fn f(x: *const X)",
        "fn f(x: x)",
    ] {
        assert_eq!(consumed_by(signature, "send(x)"), [], "{signature}");
    }
    for signature in [
        "fn f(mut x: X)",
        "async fn f(x: impl Into<X>)",
        "fn f<T>(x: T)",
        "fn f(State(x): State<X>)",
        "fn f((a, x): (A, X))",
        "fn f(r#x: X)",
    ] {
        assert_eq!(consumed_by(signature, "send(x)").len(), 1, "{signature}");
    }
}

#[test]
fn a_receiver_by_value_is_an_argument_too() {
    let mine = [("self".to_owned(), How::Moved)];
    for signature in [
        "fn f(self)",
        "fn f(mut self)",
        "fn f(self: Box<Self>)",
        "fn f(self: Pin<&mut Self>)",
    ] {
        assert_eq!(consumed_by(signature, "send(self)"), mine, "{signature}");
        assert_eq!(consumed_by(signature, "send(&self)"), [], "{signature}");
    }
    for signature in ["fn f(&self)", "fn f(&mut self)", "fn f(self: &Self)"] {
        assert_eq!(consumed_by(signature, "send(self)"), [], "{signature}");
    }
}

#[test]
fn cloned_arguments_may_be_consumed() {
    let function: Function = syn::parse_str("fn f(x: X, y: Y) -> R { send(x, y) }").unwrap();
    let cloned: Ident = syn::parse_str("x").unwrap();
    let consumed = scanned(&function, &[cloned]).arguments;
    let names: Vec<_> = consumed.iter().map(|one| one.name.to_string()).collect();
    assert_eq!(names, ["y"]);
}

fn scanned(function: &Function, cloned: &[Ident]) -> Consumption {
    let body = function.body.as_ref().map(proc_macro2::Group::stream);
    by_body(function, body.unwrap_or_default(), cloned)
}
