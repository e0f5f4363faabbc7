//! The walk through a body that looks for one argument being consumed.

use super::{How, Part, mentions, same};
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    BinOp, Block, Expr, ExprClosure, ExprMethodCall, ExprPath, Item, Local, Macro, Pat, Stmt, UnOp,
    ext::IdentExt,
};

/// Macros that declare nothing in the block where they are called as a statement.
fn declares_nothing(called: &Macro) -> bool {
    const KNOWN: [&str; 27] = [
        "anyhow",
        "assert",
        "assert_eq",
        "assert_ne",
        "bail",
        "dbg",
        "debug",
        "debug_assert",
        "debug_assert_eq",
        "debug_assert_ne",
        "ensure",
        "eprint",
        "eprintln",
        "error",
        "format",
        "info",
        "matches",
        "panic",
        "print",
        "println",
        "todo",
        "trace",
        "unimplemented",
        "unreachable",
        "vec",
        "warn",
        "write",
    ];
    let last = called.path.segments.last();
    last.is_some_and(|last| KNOWN.iter().any(|known| last.ident == known))
}

/// Methods that take some types of `std` by value; the runtime's `consumed` knows which.
fn consuming(method: &Ident) -> Option<&'static str> {
    const METHODS: [&str; 10] = [
        "into",
        "into_iter",
        "into_bytes",
        "into_boxed_str",
        "into_boxed_slice",
        "into_os_string",
        "unwrap",
        "expect",
        "unwrap_or",
        "unwrap_or_default",
    ];
    METHODS.into_iter().find(|known| method == known)
}

/// A walk through a body that looks for one argument being consumed.
pub(super) struct Scan<'a> {
    name: &'a Ident,
    /// Whether to call it is to consume it.
    called_once: bool,
    /// How many closures and blocks around are `move`: naming the argument in them is enough.
    captured: usize,
    /// How many blocks around are `unsafe`, or declare what patterns may name: neither holds elsewhere.
    apart: usize,
    found: Found,
}

/// What a body does to an argument.
#[derive(Default)]
pub(super) struct Found {
    /// Where and how the body consumes it, if it certainly does.
    pub(super) whole: Option<(Ident, How)>,
    /// What the body takes out of it.
    pub(super) parts: Vec<Part>,
}

impl<'a> Scan<'a> {
    /// What the body `statements` does to `name`.
    pub(super) fn of(statements: &[Stmt], name: &'a Ident, called_once: bool) -> Found {
        let mut scan = Self {
            name,
            called_once,
            captured: 0,
            apart: 0,
            found: Found::default(),
        };
        scan.statements(statements);
        scan.found
    }

    /// Notes that `name` is consumed. A move is more certain than a method.
    fn note(&mut self, name: &Ident, how: How) {
        match (&self.found.whole, how) {
            (None, _) | (Some((_, How::Method(_))), How::Moved) => {
                self.found.whole = Some((name.clone(), how));
            }
            _ => {}
        }
    }

    fn note_part(&mut self, part: Part) {
        let is_known = self.found.parts.iter().any(|known| known.is_same(&part));
        if self.apart == 0 && !is_known {
            self.found.parts.push(part);
        }
    }

    fn binds(&self, pattern: &Pat) -> bool {
        mentions(pattern.to_token_stream(), self.name) || has_macro(pattern)
    }

    /// The argument's name, if that is all that `expr` says.
    fn named<'e>(&self, expr: &'e Expr) -> Option<&'e Ident> {
        match expr {
            Expr::Paren(paren) => self.named(&paren.expr),
            Expr::Group(group) => self.named(&group.expr),
            Expr::Path(ExprPath {
                qself: None, path, ..
            }) => path.get_ident().filter(|ident| same(ident, self.name)),
            _ => None,
        }
    }

    /// Whether `expr` is the argument, or a field in it.
    fn is_within(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Field(field) => self.is_within(&field.base),
            expr => self.named(expr).is_some(),
        }
    }

    fn block(&mut self, block: &Block) {
        self.statements(&block.stmts);
    }

    fn statements(&mut self, statements: &[Stmt]) {
        // Items are in scope in the whole block, and go before arguments of their name.
        let may_shadow = statements.iter().any(|statement| match statement {
            Stmt::Item(item) => self.may_shadow(item),
            Stmt::Macro(called) => !declares_nothing(&called.mac),
            _ => false,
        });
        if may_shadow {
            return;
        }
        self.apart(statements.iter().any(declares_a_name), |scan| {
            scan.each_of(statements);
        });
    }

    fn each_of(&mut self, statements: &[Stmt]) {
        for statement in statements {
            match statement {
                Stmt::Local(local) => {
                    self.local(local);
                    if self.binds(&local.pat) {
                        return;
                    }
                }
                Stmt::Expr(expr, _) => self.value(expr),
                Stmt::Item(_) | Stmt::Macro(_) => {}
            }
        }
    }

    fn may_shadow(&self, item: &Item) -> bool {
        let is_glob = |token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '*');
        match item {
            Item::Macro(called) if called.ident.is_none() => true,
            Item::Use(import) if flat(import.to_token_stream()).into_iter().any(is_glob) => true,
            item => mentions(item.to_token_stream(), self.name),
        }
    }

    fn local(&mut self, local: &Local) {
        let Some(init) = &local.init else { return };
        if takes_whole(&local.pat) {
            self.value(&init.expr);
        } else {
            self.matched(&init.expr, [&local.pat]);
        }
        if let Some((_, diverge)) = &init.diverge {
            self.value(diverge);
        }
    }

    /// `expr` where its value is needed: an argument that stands here is moved.
    fn value(&mut self, expr: &Expr) {
        if let Some(name) = self.named(expr) {
            self.note(name, How::Moved);
        } else if self.is_within(expr) {
            self.note_part(Part::whole(expr));
        } else {
            self.place(expr);
        }
    }

    /// `expr` where it is taken apart.
    fn matched<'p>(&mut self, expr: &Expr, patterns: impl IntoIterator<Item = &'p Pat>) {
        if self.is_within(expr) {
            let parts = patterns.into_iter().filter_map(|by| Part::bound(expr, by));
            for part in parts {
                self.note_part(part);
            }
        } else {
            self.place(expr);
        }
    }

    fn values<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|expr| self.value(expr));
    }

    /// `expr` where it may be only looked at. The parts of it that are values are still that.
    fn place(&mut self, expr: &Expr) {
        match expr {
            Expr::Array(array) => self.values(&array.elems),
            Expr::Tuple(tuple) => self.values(&tuple.elems),
            Expr::Await(wait) => self.value(&wait.base),
            Expr::Try(attempt) => self.value(&attempt.expr),
            Expr::Return(leaves) => self.values(leaves.expr.as_deref()),
            Expr::Break(leaves) => self.values(leaves.expr.as_deref()),
            Expr::Range(range) => {
                self.values(range.start.as_deref());
                self.values(range.end.as_deref());
            }
            Expr::Struct(made) => {
                self.values(made.fields.iter().map(|field| &field.expr));
                // `..rest` may leave what is not `Copy` where it is.
                made.rest.iter().for_each(|rest| self.place(rest));
            }
            Expr::Call(call) => {
                if self.called_once {
                    self.value(&call.func);
                } else {
                    self.captures(&call.func);
                }
                self.values(&call.args);
            }
            Expr::MethodCall(call) => self.method(call),
            Expr::Binary(binary) => self.binary(&binary.left, &binary.op, &binary.right),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => self.place(&unary.expr),
            Expr::Unary(unary) => self.value(&unary.expr),
            Expr::Assign(assign) if is_plain_place(&assign.left) => self.value(&assign.right),
            Expr::Assign(assign) => self.place(&assign.right),
            Expr::Reference(borrow) => self.captures(&borrow.expr),
            Expr::Field(field) => self.place(&field.base),
            Expr::Index(index) => {
                self.place(&index.expr);
                self.place(&index.index);
            }
            Expr::Cast(cast) => self.place(&cast.expr),
            Expr::Repeat(repeat) => self.place(&repeat.expr),
            Expr::Let(bind) => self.matched(&bind.expr, [&*bind.pat]),
            Expr::Paren(paren) => self.place(&paren.expr),
            Expr::Group(group) => self.place(&group.expr),
            other => self.scope(other),
        }
    }

    /// An expression with a scope of its own.
    fn scope(&mut self, expr: &Expr) {
        match expr {
            Expr::Block(block) => self.block(&block.block),
            Expr::Unsafe(block) => self.apart(true, |scan| scan.block(&block.block)),
            Expr::Loop(repeat) => self.block(&repeat.body),
            Expr::Async(block) => {
                let moves = block.capture.is_some();
                self.within(moves, |scan| scan.block(&block.block));
            }
            Expr::Closure(closure) => self.closure(closure),
            Expr::If(choice) => {
                self.under(&choice.cond, &choice.then_branch);
                if let Some((_, otherwise)) = &choice.else_branch {
                    self.value(otherwise);
                }
            }
            Expr::While(repeat) => self.under(&repeat.cond, &repeat.body),
            Expr::ForLoop(repeat) => {
                self.value(&repeat.expr);
                if !self.binds(&repeat.pat) {
                    self.block(&repeat.body);
                }
            }
            Expr::Match(choice) => {
                self.matched(&choice.expr, choice.arms.iter().map(|arm| &arm.pat));
                for arm in &choice.arms {
                    if !self.binds(&arm.pat) {
                        self.value(&arm.body);
                    }
                }
            }
            _ => {}
        }
    }

    /// A condition and the block behind it, as far as the name is not bound again.
    fn under(&mut self, condition: &Expr, block: &Block) {
        if self.condition(condition) {
            self.block(block);
        }
    }

    /// Whether the name is still the argument's where `condition` holds.
    fn condition(&mut self, condition: &Expr) -> bool {
        match condition {
            Expr::Let(bind) => {
                self.matched(&bind.expr, [&*bind.pat]);
                !self.binds(&bind.pat)
            }
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
                self.condition(&binary.left) && self.condition(&binary.right)
            }
            Expr::Group(group) => self.condition(&group.expr),
            condition => {
                self.place(condition);
                true
            }
        }
    }

    fn closure(&mut self, closure: &ExprClosure) {
        if !closure.inputs.iter().any(|input| self.binds(input)) {
            let moves = closure.capture.is_some();
            self.within(moves, |scan| scan.value(&closure.body));
        }
    }

    fn within(&mut self, moves: bool, walk: impl FnOnce(&mut Self)) {
        self.captured += usize::from(moves);
        walk(self);
        self.captured -= usize::from(moves);
    }

    fn apart(&mut self, is_apart: bool, walk: impl FnOnce(&mut Self)) {
        self.apart += usize::from(is_apart);
        walk(self);
        self.apart -= usize::from(is_apart);
    }

    /// `expr` where it is borrowed or called, which a `move` closure around it needs it whole for.
    fn captures(&mut self, expr: &Expr) {
        match self.named(expr) {
            Some(name) if self.captured > 0 => self.note(name, How::Moved),
            Some(_) => {}
            None => self.place(expr),
        }
    }

    fn method(&mut self, call: &ExprMethodCall) {
        if let (Some(name), Some(method)) = (self.named(&call.receiver), consuming(&call.method)) {
            self.note(name, How::Method(method));
        }
        self.captures(&call.receiver);
        self.values(&call.args);
    }

    fn binary(&mut self, left: &Expr, op: &BinOp, right: &Expr) {
        match op {
            BinOp::And(_)
            | BinOp::Or(_)
            | BinOp::Eq(_)
            | BinOp::Ne(_)
            | BinOp::Lt(_)
            | BinOp::Le(_)
            | BinOp::Gt(_)
            | BinOp::Ge(_) => {
                self.place(left);
                self.place(right);
            }
            BinOp::Add(_)
            | BinOp::Sub(_)
            | BinOp::Mul(_)
            | BinOp::Div(_)
            | BinOp::Rem(_)
            | BinOp::BitXor(_)
            | BinOp::BitAnd(_)
            | BinOp::BitOr(_)
            | BinOp::Shl(_)
            | BinOp::Shr(_) => self.values([left, right]),
            _ => {
                self.place(left);
                self.value(right);
            }
        }
    }
}

fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => flat(group.stream()),
            token => vec![token],
        })
        .collect()
}

/// Whether `statement` declares what a pattern may name: a function is none.
fn declares_a_name(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Item(item) if !matches!(item, Item::Fn(_)))
}

/// Whether a macro may bind what it likes in `pattern`.
pub(super) fn has_macro(pattern: &Pat) -> bool {
    flat(pattern.to_token_stream())
        .iter()
        .any(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '!'))
}

/// Whether a `let` with `pattern` moves the whole of what it is given: a name does, while `_`, `ref`
/// and fields need not, and what begins with a capital is a unit struct or a constant.
fn takes_whole(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(name) => {
            name.by_ref.is_none() && name.subpat.is_none() && is_variable(&name.ident)
        }
        Pat::Type(typed) => takes_whole(&typed.pat),
        Pat::Paren(paren) => takes_whole(&paren.pat),
        _ => false,
    }
}

/// Whether an assignment to `left` moves what is assigned, and takes nothing of it apart.
fn is_plain_place(left: &Expr) -> bool {
    match left {
        Expr::Path(path) => path.path.get_ident().is_some_and(is_variable),
        Expr::Field(_) | Expr::Index(_) => true,
        Expr::Unary(unary) => matches!(unary.op, UnOp::Deref(_)),
        _ => false,
    }
}

pub(super) fn is_variable(name: &Ident) -> bool {
    let name = name.unraw().to_string();
    name.starts_with(|first: char| first == '_' || first.is_lowercase())
}
