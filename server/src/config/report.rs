//! Mistakes, as the person who made them reads them.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::mask::Masked;
use super::tree::Place;

/// One mistake, or one thing worth a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) place: Place,
    pub(super) what: String,
    pub(super) help: String,
    /// Another place that it has to do with, and what is there.
    pub(super) beside: Option<(Place, String)>,
    /// Whether it may come from a hole that a syntax error left: what is missing may stand there.
    pub(super) follows: bool,
}

impl Mistake {
    pub(super) fn new(place: Place, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { place, what: what.into(), help: help.into(), beside: None, follows: false }
    }

    pub(super) fn beside(mut self, place: Place, what: &str) -> Self {
        self.beside = Some((place, what.to_owned()));
        self
    }

    pub(super) fn following(mut self) -> Self {
        self.follows = true;
        self
    }
}

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// The configuration cannot be used.
    Mistakes,
    /// It can, and this is worth a look.
    Warnings,
}

/// One line of a report, for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Line and column, in characters, both from 1; none where it stands nowhere in the file.
    pub position: Option<(usize, usize)>,
    /// The environment variable, where it stands there.
    pub variable: Option<&'a str>,
    /// What is wrong.
    pub message: &'a str,
    /// What is allowed, or what to do.
    pub help: &'a str,
}

/// Every mistake of a configuration, in the order of the file; then those of the environment. It holds no secret.
#[derive(Debug)]
pub struct Report {
    nature: Nature,
    path: String,
    /// The file without its secrets.
    text: Masked,
    mistakes: Vec<Mistake>,
}

impl Report {
    pub(super) fn new(nature: Nature, path: String, text: Masked, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| match &mistake.place {
            Place::Whole => (0, 0),
            Place::File(span) => (1, span.start),
            Place::Env(_) => (2, 0),
        });
        mistakes.dedup();
        Self { nature, path, text, mistakes }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// Its mistakes, for programs.
    #[must_use]
    pub fn items(&self) -> Vec<Item<'_>> {
        let position = |place: &Place| match place {
            Place::File(span) => Some(self.text.position(span.start)),
            Place::Env(_) | Place::Whole => None,
        };
        let items = self.mistakes.iter().map(|mistake| Item {
            position: position(&mistake.place),
            variable: match &mistake.place {
                Place::Env(name) => Some(name.as_str()),
                Place::File(_) | Place::Whole => None,
            },
            message: &mistake.what,
            help: &mistake.help,
        });
        items.collect()
    }

    /// The report with colours, for a terminal; [`fmt::Display`] has none.
    #[must_use]
    pub fn coloured(&self) -> String {
        self.rendered(&Renderer::styled())
    }

    fn rendered(&self, renderer: &Renderer) -> String {
        let mut text = String::new();
        for mistake in &self.mistakes {
            text.push_str(&self.one(renderer, mistake));
            text.push_str("\n\n");
        }
        let n = self.mistakes.len();
        let noun = match self.nature {
            Nature::Mistakes => "mistake",
            Nature::Warnings => "warning",
        };
        let many = if n == 1 { "" } else { "s" };
        text + &format!("{}: {n} {noun}{many}\n", self.path)
    }

    fn one(&self, renderer: &Renderer, mistake: &Mistake) -> String {
        let level = match self.nature {
            Nature::Mistakes => Level::ERROR,
            Nature::Warnings => Level::WARNING,
        };
        let title = level.primary_title(mistake.what.as_str());
        let help = Level::HELP.message(mistake.help.as_str());
        let other = match &mistake.place {
            Place::File(span) => {
                let beside = match &mistake.beside {
                    Some((Place::File(span), what)) => Some((self.text.shown(span), what.as_str())),
                    _ => None,
                };
                let snippet = self.snippet(self.text.shown(span), beside);
                return renderer.render(&[title.element(snippet).element(help)]);
            }
            Place::Env(name) => format!("environment variable {name}"),
            Place::Whole => self.path.clone(),
        };
        renderer.render(&[title.element(Origin::path(other)).element(help)])
    }

    fn snippet<'a>(
        &'a self,
        span: Range<usize>,
        beside: Option<(Range<usize>, &'a str)>,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let snippet =
            Snippet::source(self.text.as_str()).path(self.path.as_str()).annotation(AnnotationKind::Primary.span(span));
        match beside {
            Some((span, what)) => snippet.annotation(AnnotationKind::Context.span(span).label(what)),
            None => snippet,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered(&Renderer::plain()))
    }
}
