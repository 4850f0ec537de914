//! `GET /i/<id>`: an upload's page for people.

use super::html::{self, Escaped};
use super::links::Here;
use super::problem::Problem;
use super::progress::{Progress, State, Watch};
use super::{Site, upload::Urls};
use crate::door::{Answer, Head};
use crate::key::Id;

/// Seconds after which a browser looks again for thumbnails that are still to be made.
const LOOK_AGAIN: u32 = 2;

/// Answers with an upload's page.
///
/// # Errors
/// If it is not there (any more), or the store fails.
pub fn answer(site: &Site, head: &Head, id: &Id) -> Result<Answer, Problem> {
    let here = site.config.links.here(head)?;
    let progress = Watch::new(&*site.rooms.store, id).look()?;
    let urls = progress.urls(&here);
    let (in_head, body) = (head_of(&progress, &urls, &here, id), body_of(&progress, &urls));
    Ok(html::page_with_head(200, "A shared image", &in_head, &body, here.object_origin()))
}

/// URL of the object that is shown: the largest thumbnail once it is there, else the original.
fn shown<'u>(progress: &Progress, urls: &'u Urls) -> &'u str {
    let shown = match progress.state {
        State::Ready => urls.0.last(),
        State::Pending | State::Failed(_) => urls.0.first(),
    };
    shown.map_or("", |(_, url)| url.as_str())
}

fn head_of(progress: &Progress, urls: &Urls, here: &Here, id: &Id) -> String {
    let mut head = format!(
        "<meta property=\"og:title\" content=\"A shared image\">\n\
         <meta property=\"og:type\" content=\"website\">\n\
         <meta property=\"og:url\" content=\"{}\">\n\
         <meta property=\"og:image\" content=\"{}\">\n",
        Escaped(&here.share(id)),
        Escaped(shown(progress, urls))
    );
    if progress.state == State::Pending {
        head += &format!("<meta http-equiv=\"refresh\" content=\"{LOOK_AGAIN}\">\n");
    }
    head
}

fn body_of(progress: &Progress, urls: &Urls) -> String {
    let record = &progress.record;
    let original = urls.0.first().map_or("", |(_, url)| url.as_str());
    let mut body = format!(
        "<p><a href=\"{}\"><img src=\"{}\" alt=\"The shared image\"></a></p>\n\
         <p>{}, {} × {} pixels, {} bytes</p>\n",
        Escaped(original),
        Escaped(shown(progress, urls)),
        record.format,
        record.width,
        record.height,
        record.bytes
    );
    match &progress.state {
        State::Ready => body += &links(&urls.0),
        State::Pending => {
            body += &links(&urls.0[..1]);
            body += "<p>The smaller sizes are being made.</p>\n";
        }
        State::Failed(failed) => {
            body += &links(&urls.0[..1]);
            body += &format!("<p>There are no smaller sizes: {}</p>\n", Escaped(&failed.message));
        }
    }
    body
}

fn links(urls: &[(&'static str, String)]) -> String {
    let item =
        |(name, url): &(&str, String)| format!("<li>{name}: <a href=\"{0}\">{0}</a></li>\n", Escaped(url));
    format!("<ul>\n{}</ul>\n", urls.iter().map(item).collect::<String>())
}
