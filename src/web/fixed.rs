//! What is the same for everybody: the description of the API, ShareX's configuration, the icon.

use serde_json::json;

use super::Site;
use super::problem::Problem;
use super::router::Fixed;
use crate::door::{Answer, Head};

/// OpenAPI 3.1 description of every path, kept by hand.
pub const OPENAPI: &[u8] = include_bytes!("assets/openapi.json");

const ICON: &[u8] = include_bytes!("assets/icon.svg");

/// How long what comes with the program may be kept: a day.
const KEPT: &str = "public, max-age=86400";

/// Answers with one of these.
///
/// # Errors
/// [`Problem::Unwell`]; [`Problem::Host`].
pub fn answer(site: &Site, head: &Head, what: Fixed) -> Result<Answer, Problem> {
    match what {
        Fixed::Health => site.health.answer(&site.rooms),
        Fixed::ShareX => sharex(site, head),
        Fixed::OpenApi => {
            Ok(Answer::fixed(200, "application/json", OPENAPI).with_header("Cache-Control", "no-cache"))
        }
        Fixed::Icon => Ok(Answer::fixed(200, "image/svg+xml", ICON).with_header("Cache-Control", KEPT)),
    }
}

/// A custom uploader of ShareX, version 13.2 or later, for this very server
/// (<https://getsharex.com/docs/custom-uploader>).
fn sharex(site: &Site, head: &Head) -> Result<Answer, Problem> {
    let here = site.config.links.here(head)?;
    let mut headers = json!({ "Accept": "application/json" });
    if site.config.upload_token.is_some() {
        headers["Authorization"] = "Bearer YOUR-UPLOAD-TOKEN".into();
    }
    let uploader = json!({
        "Version": "14.0.0",
        "Name": format!("image-sharer at {}", here.host()),
        "DestinationType": "ImageUploader",
        "RequestMethod": "POST",
        "RequestURL": here.images(),
        "Headers": headers,
        "Body": "MultipartFormData",
        "FileFormName": "image",
        "URL": "{json:url}",
        "ThumbnailURL": "{json:urls.small}",
        "DeletionURL": "{json:delete_url}",
        "ErrorMessage": "{json:error.message}",
    });
    let disposition = "attachment; filename=\"image-sharer.sxcu\"";
    Ok(Answer::new(200, "application/json", format!("{uploader:#}\n"))
        .with_header("Content-Disposition", disposition))
}
