//! The plan of one function: its layers in nesting order, whatever order their attributes were
//! written in. Every refusal of this crate is here or below; what comes out of here expands.

mod argument;
mod consumed;
mod refusal;
mod role;
mod settings;
mod unshared;

pub(crate) use consumed::{Consumed, How, Part, taken};
pub(crate) use refusal::{refuse_expanded, refuse_twice};

use crate::{
    args,
    errors::Errors,
    function::Function,
    moved::{self, Body},
    seen,
    surroundings::Surroundings,
};
use argument::Collected;
use consumed::Consumption;
use hardening_config::LayerKind;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Expr, ExprClosure, Meta, Path};

/// One of our attributes, as it was written.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) kind: LayerKind,
    /// The attribute's name, where it stands.
    pub(crate) at: Ident,
    /// Its arguments, `crate = …` left out.
    pub(crate) args: TokenStream,
    /// Where it says that our crate is: `crate = …`.
    pub(crate) root: Option<Path>,
    /// All of it, unless the compiler has resolved its name already.
    pub(crate) meta: Option<Meta>,
    /// Whether the function has it from its `impl` block.
    pub(crate) inherited: bool,
}

impl Written {
    /// The attribute again, for another round of expansion.
    pub(crate) fn as_attribute(&self, around: &Surroundings) -> TokenStream {
        let (at, args) = (&self.at, &self.args);
        let said = self.root.as_ref().map(|root| quote!(crate = #root,));
        let root = self.root.as_ref().unwrap_or(around.root());
        quote!(#[#root::#at(#said #args)])
    }
}

/// A function's layers, outside in.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) layers: Vec<Layer>,
    /// Items that make the attributes count as used, see [`seen`](crate::seen), and those that make
    /// the compiler warn.
    pub(crate) used: TokenStream,
    /// The function's body; none for a method that a trait only declares.
    pub(crate) body: Option<Body>,
    /// What the body consumes although a retry runs it again.
    pub(crate) consumed: Consumption,
    /// Arguments that each run of the body borrows alone.
    pub(crate) unshared: Vec<Ident>,
}

/// One layer of a function.
pub(crate) struct Layer {
    pub(crate) kind: LayerKind,
    pub(crate) at: Ident,
    /// The policy or op that it names.
    pub(crate) policy: Option<String>,
    /// The name under which it shares its state.
    pub(crate) name: Option<String>,
    /// The settings written inline, as YAML.
    pub(crate) settings: Vec<(String, String)>,
    /// Where the value of each stands.
    places: Vec<TokenStream>,
    pub(crate) code: Code,
    per: Option<Per>,
}

/// The code that an attribute's arguments bring.
#[derive(Default)]
pub(crate) struct Code {
    pub(crate) key: Option<Expr>,
    pub(crate) cost: Option<Expr>,
    pub(crate) priority: Option<Expr>,
    pub(crate) retry_if: Option<Expr>,
    pub(crate) on_retry: Option<Expr>,
    pub(crate) failure_if: Option<Expr>,
    pub(crate) cache_if: Option<Expr>,
    pub(crate) clone: Vec<Ident>,
    pub(crate) fallback: Option<ExprClosure>,
}

/// Which side of the retry a layer is on, when it says so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Per {
    Call,
    Attempt,
}

impl Plan {
    /// The plan of `function` with the attributes `ours`; mistakes go to `errors`.
    pub(crate) fn of(
        ours: &[Written],
        function: &Function,
        around: &Surroundings,
        errors: &mut Errors,
    ) -> Self {
        refuse_twice(ours, errors);
        refusal::refuse_function(ours, function, around, errors);
        let mut layers: Vec<Layer> = ours
            .iter()
            .map(|written| layer(written, function, around, errors))
            .collect();
        layers.sort_by_key(Layer::depth);
        let used = seen::in_function(ours, function, around);
        let doubts = settings::refuse_across(&layers, function, around, errors);
        let mut plan = Self {
            layers,
            used: quote!(#used #doubts),
            body: function
                .body
                .as_ref()
                .map(|body| moved::borrowing(function, body)),
            consumed: Consumption::default(),
            unshared: Vec::new(),
        };
        if let (Some(retry), Some(body)) = (plan.layer(LayerKind::Retry), &plan.body) {
            plan.consumed = consumed::by_body(function, body.block.stream(), &retry.code.clone);
        }
        if let Some(body) = &plan.body {
            let fallback = plan.layer(LayerKind::Fallback);
            let fallback = fallback.and_then(|layer| layer.code.fallback.as_ref());
            plan.unshared = unshared::arguments(function, &body.block.stream(), fallback);
        }
        plan
    }

    /// The layer of `kind`, if the function has one.
    pub(crate) fn layer(&self, kind: LayerKind) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.kind == kind)
    }
}

impl Layer {
    /// How far inside this layer is: the order of contract and docs, which `per` can change.
    fn depth(&self) -> u8 {
        match (self.kind, self.per) {
            (LayerKind::Fallback, _) => 0,
            (LayerKind::Cache, _) => 1,
            (LayerKind::Timeout, _) => 2,
            (LayerKind::RateLimit, Some(Per::Attempt)) => 8,
            (LayerKind::RateLimit, _) => 3,
            (LayerKind::CircuitBreaker, Some(Per::Call)) => 4,
            (LayerKind::Bulkhead, Some(Per::Call)) => 5,
            (LayerKind::Retry, _) => 6,
            (LayerKind::CircuitBreaker, _) => 7,
            (LayerKind::Bulkhead, _) => 9,
        }
    }
}

fn layer(
    written: &Written,
    function: &Function,
    around: &Surroundings,
    errors: &mut Errors,
) -> Layer {
    let before = errors.len();
    let args = errors
        .note(args::parse(written.args.clone()))
        .unwrap_or_default();
    let collected = Collected::from(written, args, function, errors);
    if around.can_check() {
        settings::refuse_names_and_values(written, &collected, around, errors);
    }
    // What is missing, or does not fit together, may be what has just been refused.
    if around.can_check() && errors.len() == before {
        settings::refuse_together(written, &collected, around, errors);
    }
    let places = collected.settings.iter();
    Layer {
        places: places.map(|setting| setting.at.clone()).collect(),
        kind: written.kind,
        at: written.at.clone(),
        policy: collected.policy.map(|literal| literal.value()),
        name: collected.name.map(|literal| literal.value()),
        settings: collected
            .settings
            .into_iter()
            .map(|setting| (setting.key.to_string(), setting.text))
            .collect(),
        code: collected.code,
        per: collected.per,
    }
}
