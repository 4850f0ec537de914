//! `GET /`: the page to upload with. It is the same for everybody, and put together once.

use super::Config;
use super::html::{Bytes, Page};
use crate::door::{Answer, Head};

/// What is in the page beside its frame.
const TEMPLATE: &str = include_str!("assets/home.html");

/// Where uploads need a token. A form without scripts can't send one: HTTP has it in a header.
const TOKEN: &str = "<p class=\"field js-only\"><label for=\"token\">Upload token</label>\n\
     <input type=\"password\" id=\"token\" autocomplete=\"current-password\"></p>\n\
     <p class=\"wrong no-js\">Uploads need a token here, which this page can send only with JavaScript.</p>";

/// The page.
pub struct Home {
    main: String,
    base: String,
    /// As long as the program's own: there is one for each site, and so for each process.
    text: &'static [u8],
}

impl Home {
    /// The page of a site with this configuration.
    pub fn new(config: &Config) -> Home {
        let base = config.links.base().to_owned();
        let max = config.uploads.max_bytes;
        let forever = match config.uploads.lifetime {
            None => "<option value=\"\">for ever</option>",
            Some(_) => "<option value=\"\">as usual here</option>",
        };
        let main = TEMPLATE
            .replace("{base}", &base)
            .replace("{max_bytes}", &max.to_string())
            .replace("{max_text}", &Bytes(max).to_string())
            .replace("{forever}", forever)
            .replace("{token}\n", if config.upload_token.is_some() { TOKEN } else { "" })
            .replace("ADDRESS", "and this page’s address");
        let mut home = Home { main, base, text: b"" };
        home.text = home.page(&[], None).text().into_bytes().leak();
        home
    }

    fn page<'a>(&'a self, images: &'a [&'a str], forms: Option<&'a str>) -> Page<'a> {
        let head = "<meta name=\"description\" content=\"Upload a picture, get a link to share.\">\n";
        Page { title: "Share a picture", head, main: &self.main, base: &self.base, images, forms }
    }

    /// Answers with the page. A browser may keep it while it goes back and forth, and what was
    /// uploaded on it with it.
    pub fn answer(&self, config: &Config, head: &Head) -> Answer {
        // Without a Host there is no other origin to name.
        let here = config.links.here(head).ok();
        let images: Vec<&str> = here.as_ref().and_then(|here| here.object_origin()).into_iter().collect();
        let forms = here.as_ref().and_then(|here| here.page_origin());
        let answer = Answer::fixed(200, "text/html; charset=utf-8", self.text);
        self.page(&images, forms).dress(answer).with_header("Cache-Control", "no-cache")
    }
}
