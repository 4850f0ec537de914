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
    /// An upload.
    Upload,
    /// An upload's share page.
    Share(Id),
    /// An upload's state, for programs.
    Status(Id),
    /// An upload's deletion.
    Delete(Id),
    /// A public object, by GET or HEAD.
    Object(Id, Key),
    /// Whether the server is well.
    Health,
}

/// Finds the route.
///
/// # Errors
/// [`Problem::NotFound`], or [`Problem::Method`] where another method would do.
pub fn route(method: &Method, path: &str) -> Result<Route, Problem> {
    let read = matches!(method, Method::Get | Method::Head);
    if path == "/" {
        return match method {
            Method::Get | Method::Head => Ok(Route::Home),
            Method::Post | Method::Put => Ok(Route::Upload),
            _ => Err(Problem::Method { allow: "GET, HEAD, POST, PUT" }),
        };
    }
    if path == "/healthz" {
        return if read { Ok(Route::Health) } else { Err(READ_ONLY) };
    }
    if let Some(key) = path.strip_prefix("/o/") {
        let (id, key) = query::decode(key).as_deref().and_then(Key::parse_public).ok_or(Problem::NotFound)?;
        return if read { Ok(Route::Object(id, key)) } else { Err(READ_ONLY) };
    }
    if let Some(name) = path.strip_prefix("/i/") {
        return upload_route(method, name);
    }
    // `curl -T photo.jpg http://host/` puts the file's name behind the slash.
    let is_one_name = path.len() > 1 && !path[1..].contains('/');
    if is_one_name && *method == Method::Put {
        return Ok(Route::Upload);
    }
    Err(Problem::NotFound)
}

/// What may only be read.
const READ_ONLY: Problem = Problem::Method { allow: "GET, HEAD" };

fn upload_route(method: &Method, name: &str) -> Result<Route, Problem> {
    if let Some(id) = name.strip_suffix(".json").and_then(Id::parse) {
        return match method {
            Method::Get | Method::Head => Ok(Route::Status(id)),
            _ => Err(READ_ONLY),
        };
    }
    let id = Id::parse(name).ok_or(Problem::NotFound)?;
    match method {
        Method::Get | Method::Head => Ok(Route::Share(id)),
        Method::Delete => Ok(Route::Delete(id)),
        _ => Err(Problem::Method { allow: "GET, HEAD, DELETE" }),
    }
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
            (Method::Post, "/".to_owned(), Route::Upload),
            (Method::Put, "/photo.jpg".to_owned(), Route::Upload),
            (Method::Put, "/%F0%9F%A6%80.jpg".to_owned(), Route::Upload),
            (Method::Get, "/healthz".to_owned(), Route::Health),
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
            "/i/x".to_owned(),
        ] {
            assert_eq!(find(Method::Get, &path), Err((404, "")), "{path}");
        }
        assert_eq!(find(Method::Put, "/a/b.jpg"), Err((404, "")));
        assert_eq!(find(Method::Post, "/a"), Err((404, "")));
    }
}
