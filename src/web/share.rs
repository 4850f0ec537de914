//! `GET /i/<id>`: an upload's page for people.

use std::fmt::Write as _;

use super::delete::TOKEN_FIELD;
use super::html::{Bytes, Escaped, Page};
use super::links::Here;
use super::problem::Problem;
use super::progress::{Part, Progress, State, Watch};
use super::{Site, token};
use crate::door::{Answer, Head};
use crate::key::Id;
use crate::observe::time::rfc3339;

/// Seconds after which a browser without scripts looks again for what is still to be made.
const LOOK_AGAIN: u32 = 2;

/// Up to so many bytes an original is offered to screens that show more pixels than the largest
/// thumbnail has.
const LIGHT: u64 = 1_500_000;

/// What is put together to the page.
struct View<'a> {
    id: &'a Id,
    base: &'a str,
    here: &'a Here,
    progress: &'a Progress,
    /// The object that is shown: the largest thumbnail once it is there, else the original.
    shown: &'a Part,
    /// Whether this browser may delete it.
    is_own: bool,
}

/// Answers with an upload's page.
///
/// # Errors
/// If it is not there (any more), or the store fails.
pub fn answer(site: &Site, head: &Head, id: &Id) -> Result<Answer, Problem> {
    let here = site.config.links.here(head)?;
    let progress = Watch::new(&*site.rooms.store, id).look()?;
    let shown = match progress.state {
        State::Ready => progress.parts.last(),
        State::Pending | State::Failed(_) => progress.parts.first(),
    };
    // There always is an original.
    let shown = shown.unwrap_or(&progress.parts[0]);
    let is_own = token::kept(head).is_some_and(|token| progress.record.admits(&token));
    let base = site.config.links.base();
    let view = View { id, base, here: &here, progress: &progress, shown, is_own };
    let (in_head, main) = (view.head(), view.main());
    let images: Vec<&str> = here.object_origin().into_iter().collect();
    let page = Page {
        title: "A shared picture",
        head: &in_head,
        main: &main,
        base,
        images: &images,
        forms: here.page_origin(),
    };
    Ok(page.answer(200).with_header("X-Robots-Tag", "noindex"))
}

impl View<'_> {
    fn url(&self, part: &Part) -> String {
        self.here.object(&part.key)
    }

    /// `JPEG, 4032 × 3024 pixels`.
    fn kind(&self) -> String {
        let record = &self.progress.record;
        format!("{}, {} × {} pixels", record.format, record.width, record.height)
    }

    /// What search engines must not do, and what messengers show of a pasted link (ogp.me;
    /// Twitter's cards).
    fn head(&self) -> String {
        let mut head = format!(
            "<meta name=\"robots\" content=\"noindex\">\n\
             <meta property=\"og:type\" content=\"website\">\n\
             <meta property=\"og:title\" content=\"A shared picture\">\n\
             <meta property=\"og:description\" content=\"{}\">\n\
             <meta property=\"og:url\" content=\"{}\">\n\
             <meta property=\"og:image\" content=\"{}\">\n\
             <meta property=\"og:image:width\" content=\"{}\">\n\
             <meta property=\"og:image:height\" content=\"{}\">\n\
             <meta property=\"og:image:alt\" content=\"The shared picture\">\n\
             <meta name=\"twitter:card\" content=\"summary_large_image\">\n",
            self.kind(),
            Escaped(&self.here.share(self.id)),
            Escaped(&self.url(self.shown)),
            self.shown.size.width,
            self.shown.size.height,
        );
        if self.progress.state == State::Pending {
            // Writing to a string can't fail, here and below.
            let _ =
                writeln!(head, "<noscript><meta http-equiv=\"refresh\" content=\"{LOOK_AGAIN}\"></noscript>");
        }
        head
    }

    fn main(&self) -> String {
        let (waiting, said) = match &self.progress.state {
            State::Pending => (format!(" data-status=\"{}/i/{}.json\"", self.base, self.id), ""),
            State::Ready => (String::new(), "All sizes are ready."),
            State::Failed(_) => (String::new(), "No smaller sizes could be made."),
        };
        let mut main =
            format!("<main{waiting} data-said=\"{said}\">\n<h1 class=\"sr\">A shared picture</h1>\n");
        main += &self.picture();
        main += &self.note();
        main += &self.links();
        main += &self.sizes();
        main += &self.deletion();
        main + "</main>\n"
    }

    fn picture(&self) -> String {
        let (original, record) = (&self.progress.parts[0], &self.progress.record);
        let light = original.bytes.is_some_and(|bytes| bytes <= LIGHT);
        let more = if light && original.size.width > self.shown.size.width {
            let (small, large) = (self.shown.size.width, original.size.width);
            let (small_url, large_url) = (self.url(self.shown), self.url(original));
            format!(
                " srcset=\"{} {small}w, {} {large}w\" sizes=\"(max-width: 40rem) 92vw, {small}px\"",
                Escaped(&small_url),
                Escaped(&large_url)
            )
        } else {
            String::new()
        };
        let expires = match record.expires {
            Some(expires) => {
                let at = rfc3339(expires);
                format!("<span>Gone after {} {} UTC</span>\n", &at[..10], &at[11..16])
            }
            None => String::new(),
        };
        format!(
            "<figure class=\"picture\">\n<a href=\"{}\"><img src=\"{}\"{more} width=\"{}\" height=\"{}\" \
             alt=\"The shared picture, in full size\"></a>\n\
             <figcaption><span>{}</span>\n<span>{} × {}</span>\n<span>{}</span>\n{expires}</figcaption>\n</figure>\n",
            Escaped(&self.url(original)),
            Escaped(&self.url(self.shown)),
            self.shown.size.width,
            self.shown.size.height,
            record.format,
            record.width,
            record.height,
            Bytes(record.bytes),
        )
    }

    fn note(&self) -> String {
        match &self.progress.state {
            State::Ready => String::new(),
            State::Pending => {
                "<p class=\"note\"><span class=\"spin\"></span>The smaller sizes are being made; \
                               this page shows them by itself.</p>\n"
                    .to_owned()
            }
            State::Failed(failed) => format!(
                "<p class=\"wrong note\">No smaller sizes could be made of this picture: {}.</p>\n",
                Escaped(failed.message.trim_end_matches('.'))
            ),
        }
    }

    fn links(&self) -> String {
        let (page, direct) = (self.here.share(self.id), self.url(&self.progress.parts[0]));
        let shown = self.url(self.shown);
        let markdown = format!("[![A shared picture]({shown})]({page})");
        let html = format!(
            "<a href=\"{page}\"><img src=\"{shown}\" width=\"{}\" height=\"{}\" alt=\"A shared picture\"></a>",
            self.shown.size.width, self.shown.size.height
        );
        let rows = [("Page", page.as_str()), ("Picture", &direct), ("Markdown", &markdown), ("HTML", &html)];
        let rows: String = rows
            .iter()
            .map(|(name, text)| {
                let id = name.to_lowercase();
                format!(
                    "<div class=\"field\"><label for=\"{id}\">{name}</label>\n<div class=\"copy\">\
                     <input type=\"text\" id=\"{id}\" class=\"mono\" readonly value=\"{}\">\
                     <button type=\"button\" class=\"js-only\" aria-label=\"Copy: {name}\">Copy</button></div></div>\n",
                    Escaped(text)
                )
            })
            .collect();
        format!("<h2>Links</h2>\n<div class=\"links\">\n{rows}</div>\n")
    }

    fn sizes(&self) -> String {
        let rows: String = self
            .progress
            .ready()
            .map(|part| {
                format!(
                    "<tr><th scope=\"row\"><a href=\"{}\">{}</a></th><td>{} × {}</td><td>{}</td></tr>\n",
                    Escaped(&self.url(part)),
                    part.name,
                    part.size.width,
                    part.size.height,
                    Bytes(part.bytes.unwrap_or(0))
                )
            })
            .collect();
        format!(
            "<h2>Sizes</h2>\n<table>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Pixels</th>\
             <th scope=\"col\">File</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
        )
    }

    fn deletion(&self) -> String {
        let (base, id) = (self.base, self.id);
        if self.is_own {
            return format!(
                "<p class=\"delete\"><a class=\"button\" href=\"{base}/i/{id}/delete\">Delete this picture</a></p>\n"
            );
        }
        format!(
            "<details class=\"delete\">\n<summary>Delete this picture</summary>\n\
             <form method=\"post\" action=\"{base}/i/{id}/delete\">\n\
             <p>With the token that came with the upload:</p>\n{TOKEN_FIELD}\
             <p><button class=\"danger\">Delete for good</button></p>\n</form>\n</details>\n"
        )
    }
}
