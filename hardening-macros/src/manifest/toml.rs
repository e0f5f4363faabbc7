//! As much TOML as manifests are written in.

use std::{iter::Peekable, str::Chars};

/// One `key = value`, inline tables taken apart: the path of its key, and what a string says. Of
/// other values only the beginning is kept.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) path: Vec<String>,
    pub(super) value: String,
}

/// All entries of a document. What is no TOML is skipped: cargo says so.
pub(super) fn entries(text: &str) -> Vec<Entry> {
    let mut reader = Reader {
        text: text.chars().peekable(),
        entries: Vec::new(),
    };
    reader.document();
    reader.entries
}

struct Reader<'a> {
    text: Peekable<Chars<'a>>,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    fn document(&mut self) {
        let mut table = Vec::new();
        loop {
            self.skip_blank();
            match self.text.peek() {
                None => return,
                Some('[') => {
                    while self.text.next_if_eq(&'[').is_some() {}
                    table = self.key();
                    self.skip_line();
                }
                Some(_) => {
                    self.pair(&table);
                    self.skip_line();
                }
            }
        }
    }

    /// White space, commas and comments.
    fn skip_blank(&mut self) {
        while let Some(c) = self
            .text
            .next_if(|c| c.is_whitespace() || "#,".contains(*c))
        {
            if c == '#' {
                self.skip_line();
            }
        }
    }

    fn skip_line(&mut self) {
        while self.text.next_if(|c| *c != '\n').is_some() {}
    }

    fn skip_spaces(&mut self) {
        while self.text.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
    }

    fn pair(&mut self, table: &[String]) {
        let mut path = table.to_vec();
        path.extend(self.key());
        if self.text.next_if_eq(&'=').is_some() {
            self.skip_spaces();
            self.value(path);
        }
    }

    /// `a."b".c`
    fn key(&mut self) -> Vec<String> {
        let mut key = Vec::new();
        loop {
            self.skip_spaces();
            key.push(match self.text.peek() {
                Some('"' | '\'') => self.string(),
                _ => self.word(|c| c.is_alphanumeric() || matches!(c, '-' | '_')),
            });
            self.skip_spaces();
            if self.text.next_if_eq(&'.').is_none() {
                return key;
            }
        }
    }

    fn word(&mut self, part: impl Fn(char) -> bool) -> String {
        let mut word = String::new();
        while let Some(c) = self.text.next_if(|c| part(*c)) {
            word.push(c);
        }
        word
    }

    fn value(&mut self, path: Vec<String>) {
        match self.text.peek() {
            Some('{') => self.inline_table(&path),
            Some('[') => self.array(),
            Some('"' | '\'') => {
                let value = self.string();
                self.entries.push(Entry { path, value });
            }
            _ => {
                let value = self.word(|c| !c.is_whitespace() && !",}]#".contains(c));
                self.entries.push(Entry { path, value });
            }
        }
    }

    fn inline_table(&mut self, path: &[String]) {
        self.text.next();
        loop {
            self.skip_blank();
            match self.text.peek() {
                None => return,
                Some('}') => break,
                Some('"' | '\'' | '-' | '_' | '.') => self.pair(path),
                Some(c) if c.is_alphanumeric() => self.pair(path),
                Some(_) => drop(self.text.next()),
            }
        }
        self.text.next();
    }

    /// No array says anything of our crate.
    fn array(&mut self) {
        self.text.next();
        loop {
            self.skip_blank();
            match self.text.peek() {
                None => return,
                Some(']') => break,
                Some('[') => self.array(),
                Some('"' | '\'') => drop(self.string()),
                Some(_) => drop(self.text.next()),
            }
        }
        self.text.next();
    }

    /// A string of any of the four kinds. No name that matters here has an escape in it.
    fn string(&mut self) -> String {
        let Some(quote) = self.text.next() else {
            return String::new();
        };
        let mut ahead = self.text.clone();
        let is_long = ahead.next() == Some(quote) && ahead.next() == Some(quote);
        if is_long {
            self.text.nth(1);
        }
        let (end, mut found, mut said) = (if is_long { 3 } else { 1 }, 0, String::new());
        while let Some(c) = self.text.next() {
            found = if c == quote { found + 1 } else { 0 };
            if found == end {
                break;
            }
            if c == '\\' && quote == '"' {
                said.extend(self.text.next());
            } else if c != quote {
                said.push(c);
            }
        }
        said
    }
}
