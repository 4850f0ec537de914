//! `DELETE /i/<id>`, and the page that asks a person first: an upload's owner takes it away.
//!
//! The tombstone is written first, so that a worker in the middle of the job sees it and removes
//! what it stores after the objects here are gone.

use super::html::{Escaped, Page};
use super::negotiate::{self, Kind};
use super::problem::Problem;
use super::progress::{State, Watch};
use super::{Handler, Site, query, token};
use crate::door::{Answer, Head};
use crate::key::Id;
use crate::observe::time::now_millis;
use crate::record::{self, Presence, Record};
use crate::store::Store;
use crate::upload;
use crate::upload::sizes::{self, ORIGINAL};

/// Most bytes of a confirmation: a token and its name.
const MAX_FORM: usize = 1024;

/// Deletes an upload.
///
/// # Errors
/// [`Problem::WrongDeleteToken`]; [`Problem::Deleted`] if that was done before; if it never was
/// there or has expired, or the store fails.
pub fn answer(site: &Site, head: &Head, id: &Id) -> Result<Answer, Problem> {
    delete(site, head, id, token::shown(head)).map(|()| Answer::empty(204))
}

fn delete(site: &Site, head: &Head, id: &Id, token: Option<String>) -> Result<(), Problem> {
    let store = &*site.rooms.store;
    let record = record::read(store, id)?;
    let presence = record.presence(now_millis());
    if presence == Presence::Expired {
        return Err(Problem::Expired);
    }
    if !token.is_some_and(|token| record.admits(&token)) {
        return Err(if presence == Presence::Deleted { Problem::Deleted } else { Problem::WrongDeleteToken });
    }
    let record = record::update(store, id, bury)?;
    // Also where it was deleted before: that time, the store may have failed half-way.
    remove_objects(store, id, &record)?;
    if let Some(cdn) = &site.rooms.cdn {
        cdn.forget(id);
    }
    log::info!(id = id.as_str(), request_id = head.request_id.as_str(); "deleted an upload");
    match presence {
        Presence::Deleted => Err(Problem::Deleted),
        _ => Ok(()),
    }
}

/// Puts up the tombstone; returns whether there was none.
fn bury(record: &mut Record) -> bool {
    let first = record.deleted.is_none();
    record.deleted.get_or_insert_with(now_millis);
    first
}

fn remove_objects(store: &dyn Store, id: &Id, record: &Record) -> Result<(), Problem> {
    store.delete(&id.object(ORIGINAL, &record.extension))?;
    for (_, key) in sizes::thumbnails(id, &record.thumbnail_extension) {
        store.delete(&key)?;
    }
    Ok(())
}

/// Asks whether to delete an upload. Looking at a page must never do it: link previews and virus
/// scanners look at every link.
///
/// # Errors
/// [`Problem::WrongDeleteToken`] if the query has one that is wrong; if the upload is not there (any
/// more), or the store fails.
pub fn ask(site: &Site, head: &Head, id: &Id) -> Result<Answer, Problem> {
    let here = site.config.links.here(head)?;
    let progress = Watch::new(&*site.rooms.store, id).look()?;
    let shown = match progress.state {
        State::Ready => &progress.parts[2],
        State::Pending | State::Failed(_) => &progress.parts[0],
    };
    let base = site.config.links.base();
    let proof = match (token::asked(head), token::kept(head)) {
        (Some(token), _) if progress.record.admits(&token) => {
            format!("<input type=\"hidden\" name=\"token\" value=\"{}\">\n", Escaped(&token))
        }
        (Some(_), _) => return Err(Problem::WrongDeleteToken),
        (None, Some(token)) if progress.record.admits(&token) => String::new(),
        (None, _) => TOKEN_FIELD.to_owned(),
    };
    let main = format!(
        "<main class=\"narrow\">\n<h1>Delete this picture?</h1>\n\
         <p class=\"lead\">It and all its sizes will be gone for good. Copies that others have saved stay \
         with them.</p>\n<img class=\"small-picture\" src=\"{}\" width=\"{}\" height=\"{}\" alt=\"The shared picture\">\n\
         <form method=\"post\" action=\"{base}/i/{id}/delete\">\n{proof}\
         <p class=\"actions\"><button class=\"danger\">Delete for good</button> \
         <a class=\"button\" href=\"{base}/i/{id}\">Keep it</a></p>\n</form>\n</main>\n",
        Escaped(&here.object(&shown.key)),
        shown.size.width,
        shown.size.height
    );
    let images: Vec<&str> = here.object_origin().into_iter().collect();
    let head = "<meta name=\"robots\" content=\"noindex\">\n";
    let page = Page {
        title: "Delete this picture?",
        head,
        main: &main,
        base,
        images: &images,
        forms: here.page_origin(),
    };
    Ok(page.answer(200))
}

/// A form's field for the token, where the browser has none.
pub const TOKEN_FIELD: &str = "<p class=\"field\"><label for=\"token\">Delete token</label>\n\
     <input type=\"text\" name=\"token\" id=\"token\" autocomplete=\"off\" autocapitalize=\"none\" \
     spellcheck=\"false\" required></p>\n";

/// A person's yes, `application/x-www-form-urlencoded`, that is coming in.
pub struct Confirmation<'s> {
    site: &'s Site,
    head: &'s Head,
    id: Id,
    form: Vec<u8>,
}

impl<'s> Confirmation<'s> {
    /// Of `id`'s deletion.
    pub fn new(site: &'s Site, head: &'s Head, id: Id) -> Confirmation<'s> {
        Confirmation { site, head, id, form: Vec::new() }
    }
}

impl Handler for Confirmation<'_> {
    fn body(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.form.extend_from_slice(bytes);
        if self.form.len() > MAX_FORM {
            return Err(upload::Error::FieldTooLarge { limit: MAX_FORM as u64 }.into());
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Answer, Problem> {
        let Confirmation { site, head, id, form } = *self;
        let here = site.config.links.here(head)?;
        let written = std::str::from_utf8(&form).ok().and_then(|form| query::get(form, "token"));
        let written = written.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
        delete(site, head, &id, written.or_else(|| token::shown(head)))?;
        let forgotten = token::forgotten(&id, &here);
        Ok(match negotiate::kind(head) {
            // The share page says that it is gone, however often it is loaded again.
            Some(Kind::Html) => Answer::empty(303).with_header("Location", &here.share(&id)),
            _ => Answer::empty(204),
        }
        .with_header("Set-Cookie", &forgotten))
    }
}
