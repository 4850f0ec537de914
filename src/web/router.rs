//! Which handler answers a method on a path. Pure: text in, a choice out.

use super::problem::Problem;
use super::query;
use crate::door::Method;
use crate::key::{Id, Key};

/// What a request asks for. HEAD asks for what GET would: the door leaves the body out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The page to upload with.
    Home,
    /// An upload, answered like this.
    Upload(Shape),
    /// An upload straight into the store is announced.
    Announce,
    /// An upload's share page.
    Share(Id),
    /// An upload's state, for programs.
    Status(Id),
    /// An upload's deletion.
    Delete(Id),
    /// The page that asks whether to delete an upload.
    Ask(Id),
    /// A person's yes to that.
    Confirm(Id),
    /// A public object, by GET or HEAD.
    Object(Id, Key),
    /// Something that is the same for everybody.
    Fixed(Fixed),
}

/// What an upload is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Names and URLs of its objects and nothing else.
    Urls,
    /// All that is known of it.
    All,
}

/// What is the same for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// Whether the server is well.
    Health,
    /// ShareX's configuration for this server.
    ShareX,
    /// The description of these paths for programs.
    OpenApi,
    /// The pages' icon.
    Icon,
}

/// How many paths there are: each kind of [`Place`], and of [`Fixed`], is one.
#[cfg(test)]
pub const PATHS: usize = 8 + 4;

/// What a path leads to.
enum Place {
    Home,
    Images,
    Uploads,
    Page(Id),
    Status(Id),
    Deletion(Id),
    Object(Id, Key),
    Fixed(Fixed),
    /// `curl -T photo.jpg http://host/` puts the file's name behind the slash.
    FileName,
}

impl Place {
    fn find(path: &str) -> Option<Place> {
        match path {
            "/" => return Some(Place::Home),
            "/api/images" => return Some(Place::Images),
            "/api/uploads" => return Some(Place::Uploads),
            "/healthz" => return Some(Place::Fixed(Fixed::Health)),
            "/sharex.sxcu" => return Some(Place::Fixed(Fixed::ShareX)),
            "/openapi.json" => return Some(Place::Fixed(Fixed::OpenApi)),
            "/icon.svg" => return Some(Place::Fixed(Fixed::Icon)),
            _ => {}
        }
        if let Some(key) = path.strip_prefix("/o/") {
            let (id, key) = Key::parse_public(&query::decode(key)?)?;
            return Some(Place::Object(id, key));
        }
        if let Some(name) = path.strip_prefix("/i/") {
            let of = |suffix| name.strip_suffix(suffix).and_then(Id::parse);
            let deletion = of("/delete").map(Place::Deletion);
            let status = || of(".json").map(Place::Status);
            return deletion.or_else(status).or_else(|| Id::parse(name).map(Place::Page));
        }
        let is_one_name = path.len() > 1 && !path[1..].contains('/');
        is_one_name.then_some(Place::FileName)
    }

    /// The methods that it takes, for `Allow`; `None` where the path means nothing by itself.
    fn allow(&self) -> Option<&'static str> {
        Some(match self {
            Place::Home => "GET, HEAD, POST, PUT",
            Place::Images => "POST, PUT",
            Place::Uploads => "POST",
            Place::Page(_) => "GET, HEAD, DELETE",
            Place::Deletion(_) => "GET, HEAD, POST, DELETE",
            Place::Status(_) | Place::Object(..) | Place::Fixed(_) => "GET, HEAD",
            Place::FileName => return None,
        })
    }

    fn route(self, method: &Method) -> Option<Route> {
        use Method::{Delete, Get, Head, Post, Put};
        Some(match (self, method) {
            (Place::Home, Get | Head) => Route::Home,
            (Place::Home, Post | Put) | (Place::FileName, Put) => Route::Upload(Shape::Urls),
            (Place::Images, Post | Put) => Route::Upload(Shape::All),
            (Place::Uploads, Post) => Route::Announce,
            (Place::Page(id), Get | Head) => Route::Share(id),
            (Place::Page(id) | Place::Deletion(id), Delete) => Route::Delete(id),
            (Place::Deletion(id), Get | Head) => Route::Ask(id),
            (Place::Deletion(id), Post) => Route::Confirm(id),
            (Place::Status(id), Get | Head) => Route::Status(id),
            (Place::Object(id, key), Get | Head) => Route::Object(id, key),
            (Place::Fixed(what), Get | Head) => Route::Fixed(what),
            _ => return None,
        })
    }
}

/// Finds the route.
///
/// # Errors
/// [`Problem::NotFound`], or [`Problem::Method`] where another method would do.
pub fn route(method: &Method, path: &str) -> Result<Route, Problem> {
    let place = Place::find(path).ok_or(Problem::NotFound)?;
    let otherwise = place.allow().map_or(Problem::NotFound, |allow| Problem::Method { allow });
    place.route(method).ok_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The route, or the status of the refusal and what it allows.
    fn find(method: Method, path: &str) -> Result<Route, (u16, &'static str)> {
        route(&method, path).map_err(|problem| match problem {
            Problem::NotFound => (404, ""),
            Problem::Method { allow } => (405, allow),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn paths_lead_where_the_contract_says() {
        let id = Id::from_bytes([1; 16]);
        let key = id.object("small", "jpg");
        for (method, path, route) in [
            (Method::Get, "/".to_owned(), Route::Home),
            (Method::Head, "/".to_owned(), Route::Home),
            (Method::Post, "/".to_owned(), Route::Upload(Shape::Urls)),
            (Method::Put, "/photo.jpg".to_owned(), Route::Upload(Shape::Urls)),
            (Method::Put, "/%F0%9F%A6%80.jpg".to_owned(), Route::Upload(Shape::Urls)),
            (Method::Post, "/api/images".to_owned(), Route::Upload(Shape::All)),
            (Method::Post, "/api/uploads".to_owned(), Route::Announce),
            (Method::Get, "/healthz".to_owned(), Route::Fixed(Fixed::Health)),
            (Method::Get, "/sharex.sxcu".to_owned(), Route::Fixed(Fixed::ShareX)),
            (Method::Get, "/openapi.json".to_owned(), Route::Fixed(Fixed::OpenApi)),
            (Method::Get, "/icon.svg".to_owned(), Route::Fixed(Fixed::Icon)),
            (Method::Get, format!("/i/{id}/delete"), Route::Ask(id.clone())),
            (Method::Post, format!("/i/{id}/delete"), Route::Confirm(id.clone())),
            (Method::Delete, format!("/i/{id}/delete"), Route::Delete(id.clone())),
            (Method::Get, format!("/i/{id}"), Route::Share(id.clone())),
            (Method::Get, format!("/i/{id}.json"), Route::Status(id.clone())),
            (Method::Delete, format!("/i/{id}"), Route::Delete(id.clone())),
            (Method::Head, format!("/o/{key}"), Route::Object(id.clone(), key.clone())),
            (Method::Get, format!("/o/{}", key.as_str().replace('.', "%2E")), Route::Object(id, key)),
        ] {
            assert_eq!(find(method.clone(), &path), Ok(route), "{method} {path}");
        }
    }

    #[test]
    fn what_is_there_names_its_methods() {
        let id = Id::from_bytes([1; 16]);
        for (method, path, allow) in [
            (Method::Delete, "/".to_owned(), "GET, HEAD, POST, PUT"),
            (Method::Post, "/healthz".to_owned(), "GET, HEAD"),
            (Method::Post, format!("/i/{id}"), "GET, HEAD, DELETE"),
            (Method::Put, format!("/i/{id}/delete"), "GET, HEAD, POST, DELETE"),
            (Method::Get, "/api/images".to_owned(), "POST, PUT"),
            (Method::Put, "/api/uploads".to_owned(), "POST"),
            (Method::Delete, format!("/i/{id}.json"), "GET, HEAD"),
            (Method::Delete, format!("/o/{id}/small.jpg"), "GET, HEAD"),
            (Method::NonStandard("BREW".parse().unwrap()), "/".to_owned(), "GET, HEAD, POST, PUT"),
        ] {
            assert_eq!(find(method.clone(), &path), Err((405, allow)), "{method} {path}");
        }
    }

    #[test]
    fn nothing_else_is_there() {
        let id = Id::from_bytes([1; 16]);
        for path in [
            "//".to_owned(),
            "/nowhere".to_owned(),
            "/o/".to_owned(),
            format!("/o/{id}"),
            format!("/o/{id}/"),
            format!("/o/record/{id}.json"),
            format!("/o/{id}/../record/{id}.json"),
            format!("/o/%2e%2e/record/{id}.json"),
            format!("/o/{id}/small%252ejpg"),
            format!("/o/{id}/small.jpg%00"),
            format!("/o//{id}/small.jpg"),
            format!("/i/{id}/"),
            format!("/i/{id}/delete/"),
            format!("/i/{id}.json/delete"),
            "/api/".to_owned(),
            "/i/x".to_owned(),
        ] {
            assert_eq!(find(Method::Get, &path), Err((404, "")), "{path}");
        }
        assert_eq!(find(Method::Put, "/a/b.jpg"), Err((404, "")));
        assert_eq!(find(Method::Post, "/a"), Err((404, "")));
    }
}
