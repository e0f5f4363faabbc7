//! `init!()`: the configuration's text, compiled into the program.

use crate::{
    errors::Errors,
    surroundings::{Surroundings, take_root},
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// What `init!()` becomes.
pub(crate) fn init(mut args: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let around = Surroundings::find().with(take_root(&mut args, &mut errors));
    if !args.is_empty() {
        errors.at(
            args,
            "`init!()` takes no arguments: it finds the configuration file itself",
        );
    }
    around.refuse_missing(Ident::new("init", Span::call_site()), &mut errors);
    if errors.hinder() {
        // What stands around it is right: it gets a result to unwrap.
        let errors = errors.to_compile_errors();
        return quote!({
            #errors
            ::core::result::Result::Ok::<(), ::core::convert::Infallible>(())
        });
    }
    let (told, root) = (around.told_once(), around.root());
    let embedded = around.file.as_ref().and_then(|file| {
        let (path, name) = (file.to_str()?, file.file_name()?.to_str()?);
        Some(
            quote!(::core::option::Option::Some(#root::private::Embedded {
                path: #name,
                text: ::core::include_bytes!(#path),
            })),
        )
    });
    let embedded = embedded.unwrap_or_else(|| quote!(::core::option::Option::None));
    // As calls may come before this has run, the linker finds the text too.
    let in_binary = std::env::var_os("CARGO_BIN_NAME").is_some();
    quote!({
        #told
        const EMBEDDED: ::core::option::Option<#root::private::Embedded> = #embedded;
        const _: () = {
            #root::private::inventory::submit! {
                #root::private::Compiled { embedded: EMBEDDED, in_binary: #in_binary }
            }
        };
        #root::private::init(EMBEDDED)
    })
}
