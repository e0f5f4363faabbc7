//! `init!()`: the configuration's text, compiled into the program.

use crate::{errors::Errors, surroundings::Surroundings};
use proc_macro2::TokenStream;
use quote::quote;

/// What `init!()` becomes.
pub(crate) fn init(args: &TokenStream) -> TokenStream {
    let around = Surroundings::find();
    let mut errors = Errors::default();
    if !args.is_empty() {
        errors.at(
            args,
            "`init!()` takes no arguments: it finds the configuration file itself",
        );
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
    let errors = errors.to_compile_errors();
    quote!({
        #told
        #errors
        #root::private::init(#embedded)
    })
}
