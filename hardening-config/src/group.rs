//! Groups of settings: structs that are written as mappings, and lists.

use crate::{
    error::Problem,
    file::{Field, Node, Value, fields},
    schema::{Expects, Key, Setting, Settings},
};

/// Nobody reads more mistakes than this, and each costs a search for the nearest name.
pub(crate) const ENOUGH: usize = 100;

/// Each field of a mapping with its key from the table; the rest is reported.
pub(crate) fn known_fields(
    node: &Node,
    keys: &'static [Key],
) -> (Vec<(&'static Key, Field)>, Vec<Problem>) {
    let (fields, mut problems) = fields(node);
    let mut known = Vec::with_capacity(fields.len());
    for field in fields {
        match keys.iter().find(|key| key.name == field.key) {
            Some(key) => known.push((key, field)),
            None if problems.len() >= ENOUGH => {}
            None => problems.push(unknown_key(&field, keys.iter().map(|key| key.name))),
        }
    }
    (known, problems)
}

pub(crate) fn unknown_key<'a>(field: &Field, names: impl IntoIterator<Item = &'a str>) -> Problem {
    Problem::unknown("unknown key", &field.key, names)
        .inside(&field.shown)
        .or_at(field.key_at)
}

/// A group of settings out of a mapping, starting from its defaults.
pub(crate) fn read_group<T: Settings>(node: &Node) -> Result<T, Vec<Problem>> {
    let (fields, mut problems) = known_fields(node, T::KEYS);
    let mut group = T::base();
    for (key, field) in fields {
        if let Err(wrong) = group.set(key.name, &field.value) {
            problems.extend(wrong.into_iter().map(|problem| problem.inside(key.name)));
        }
    }
    if problems.is_empty() {
        Ok(group)
    } else {
        Err(problems)
    }
}

/// A group of settings as a YAML flow mapping.
pub(crate) fn show_group<T: Settings>(group: &T) -> String {
    let shown: Vec<String> = T::KEYS
        .iter()
        .filter_map(|key| Some(format!("{}: {}", key.name, group.get(key.name)?)))
        .collect();
    format!("{{{}}}", shown.join(", "))
}

/// A list, every item read even when one is wrong.
pub(crate) fn read_list<T: Setting>(
    node: &Node,
    expects: &Expects,
) -> Result<Vec<T>, Vec<Problem>> {
    let (Expects::List { of, min }, Value::List(items)) = (expects, &node.value) else {
        return Err(expects.refuse(node));
    };
    if items.len() < *min {
        let message = format!("an empty list is refused: write {}", expects.describe());
        return Err(vec![Problem::new(message).or_at(node.at)]);
    }
    let (mut read, mut problems) = (Vec::with_capacity(items.len()), Vec::new());
    for (index, item) in items.iter().enumerate() {
        if problems.len() >= ENOUGH {
            break;
        }
        match T::read(item, of) {
            Ok(value) => read.push(value),
            Err(wrong) => {
                problems.extend(wrong.into_iter().map(|p| p.inside(&format!("[{index}]"))));
            }
        }
    }
    if problems.is_empty() {
        Ok(read)
    } else {
        Err(problems)
    }
}

pub(crate) fn show_list<T: Setting>(items: &[T]) -> String {
    let shown: Vec<String> = items.iter().map(Setting::show).collect();
    format!("[{}]", shown.join(", "))
}

/// A policy struct with its defaults and its table of keys, each setting written once:
/// `pub name: Type = default, expects;`.
macro_rules! settings {
    (
        $(#[$about:meta])*
        pub struct $Name:ident {
            $(
                $(#[doc = $doc:literal])+
                pub $field:ident: $Type:ty = $default:expr, $expects:expr;
            )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Name {
            $($(#[doc = $doc])+ pub $field: $Type,)*
        }

        impl Default for $Name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::schema::Settings for $Name {
            const KEYS: &'static [$crate::schema::Key] = &[$(
                $crate::schema::Key {
                    name: stringify!($field),
                    doc: concat!($($doc),+),
                    expects: $expects,
                    nullable: <$Type as $crate::schema::Setting>::NULLABLE,
                    required: false,
                },
            )*];

            fn base() -> Self {
                Self::default()
            }

            fn set(
                &mut self,
                key: &str,
                node: &$crate::file::Node,
            ) -> Result<(), Vec<$crate::error::Problem>> {
                match key {
                    $(stringify!($field) => {
                        const EXPECTS: $crate::schema::Expects = $expects;
                        self.$field = $crate::schema::Setting::read(node, &EXPECTS)?;
                    })*
                    _ => {}
                }
                Ok(())
            }

            fn get(&self, key: &str) -> Option<String> {
                match key {
                    $(stringify!($field) => {
                        Some($crate::schema::Setting::show(&self.$field))
                    })*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use settings;
