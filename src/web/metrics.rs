//! What the site counts of its requests. Labels are methods, patterns of paths, statuses and error codes
//! of our own: a client chooses among them and adds none.

use std::time::Duration;

use crate::door::{Access, Head, Method};
use crate::observe::metrics::{Counter, Guard, Histogram, Kind, Page, Present, Tally};

/// Methods; others are counted together.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", OTHER];

/// Patterns of paths; others are counted together.
const ROUTES: [&str; 13] = [
    "/",
    "/{name}",
    "/api/images",
    "/api/uploads",
    "/healthz",
    "/i/{id}",
    "/i/{id}.json",
    "/i/{id}/delete",
    "/icon.svg",
    "/o/{key}",
    "/openapi.json",
    "/sharex.sxcu",
    OTHER,
];

/// Where uploads go.
const UPLOADS: [&str; 3] = ["/", "/{name}", "/api/images"];

/// Statuses, in their order; others are counted together. The first is a client's that left before it
/// was answered.
const STATUSES: [u16; 33] = [
    0,
    200,
    201,
    202,
    204,
    206,
    303,
    304,
    400,
    401,
    403,
    404,
    405,
    406,
    408,
    409,
    410,
    411,
    412,
    413,
    414,
    415,
    416,
    417,
    422,
    429,
    431,
    500,
    501,
    502,
    503,
    505,
    u16::MAX,
];

const OTHER: &str = "other";

/// All that is counted.
pub struct Metrics {
    /// By method, route and status.
    requests: Vec<Counter>,
    /// By method and route.
    durations: Vec<Histogram>,
    upload_bytes: Histogram,
    upload_durations: Histogram,
    in_flight: Present,
    rejected: Tally,
    received: Counter,
    sent: Counter,
}

/// A method on a route, as indices.
#[derive(Clone, Copy)]
struct Asked {
    method: usize,
    route: usize,
}

impl Asked {
    fn of(head: Option<&Head>) -> Asked {
        let last = |labels: &[&str]| labels.len() - 1;
        let Some(head) = head else { return Asked { method: last(&METHODS), route: last(&ROUTES) } };
        let place = |labels: &[&str], label: &str| {
            labels.iter().position(|known| *known == label).unwrap_or(last(labels))
        };
        let method = place(&METHODS, head.method.as_str());
        Asked { method, route: place(&ROUTES, pattern(&head.method, &head.path)) }
    }

    fn is_upload(self) -> bool {
        matches!(METHODS[self.method], "POST" | "PUT") && UPLOADS.contains(&ROUTES[self.route])
    }

    fn index(self) -> usize {
        self.method * ROUTES.len() + self.route
    }

    fn all() -> impl Iterator<Item = Asked> {
        (0..METHODS.len()).flat_map(|method| (0..ROUTES.len()).map(move |route| Asked { method, route }))
    }

    fn labels(self) -> [(&'static str, &'static str); 2] {
        [("method", METHODS[self.method]), ("route", ROUTES[self.route])]
    }
}

/// The pattern of a path.
fn pattern(method: &Method, path: &str) -> &'static str {
    // A path begins with a slash, so OTHER is none; and a brace in one is a client's.
    if let Some(own) = ROUTES.iter().find(|route| **route == path && !route.contains('{')) {
        return own;
    }
    match path {
        _ if path.starts_with("/o/") => "/o/{key}",
        _ if path.starts_with("/i/") && path.ends_with(".json") => "/i/{id}.json",
        _ if path.starts_with("/i/") && path.ends_with("/delete") => "/i/{id}/delete",
        _ if path.starts_with("/i/") => "/i/{id}",
        _ if *method == Method::Put && !path[1..].contains('/') => "/{name}",
        _ => OTHER,
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        let pairs = METHODS.len() * ROUTES.len();
        Metrics {
            requests: (0..pairs * STATUSES.len()).map(|_| Counter::default()).collect(),
            durations: (0..pairs).map(|_| Histogram::of_durations()).collect(),
            upload_bytes: Histogram::of_lengths(),
            upload_durations: Histogram::of_durations(),
            in_flight: Present::default(),
            rejected: Tally::default(),
            received: Counter::default(),
            sent: Counter::default(),
        }
    }
}

impl Metrics {
    /// A request is admitted, and in flight until the guard is dropped.
    pub fn admitted(&self) -> Guard<'_> {
        self.in_flight.enter()
    }

    /// A request, or a connection, is refused with this code.
    pub fn rejected(&self, code: &'static str) {
        self.rejected.count(code);
    }

    /// A request is over.
    pub fn answered(&self, access: &Access<'_>) {
        let asked = Asked::of(access.head);
        let status = STATUSES.binary_search(&access.status).unwrap_or(STATUSES.len() - 1);
        self.requests[asked.index() * STATUSES.len() + status].count();
        let duration = Duration::from_micros(access.micros);
        self.durations[asked.index()].took(duration);
        self.received.add(access.received);
        self.sent.add(access.sent);
        if asked.is_upload() && matches!(access.status, 200..=202 | 303) {
            self.upload_bytes.add(access.received);
            self.upload_durations.took(duration);
        }
    }

    /// Writes all of it.
    pub fn write(&self, page: &mut Page) {
        self.write_requests(page);
        page.family(
            "sharer_http_requests_in_flight",
            Kind::Gauge,
            "Requests admitted and not yet worked out.",
        )
        .sample(&[], self.in_flight.value());
        let mut rejected = page.family(
            "sharer_http_rejected_total",
            Kind::Counter,
            "Requests and connections refused, by the error's code.",
        );
        for (code, count) in self.rejected.counted() {
            rejected.sample(&[("reason", code)], count);
        }
        page.family("sharer_http_received_bytes_total", Kind::Counter, "Bytes of request bodies received.")
            .sample(&[], self.received.value());
        page.family("sharer_http_sent_bytes_total", Kind::Counter, "Bytes of answers sent, heads included.")
            .sample(&[], self.sent.value());
        page.family(
            "sharer_upload_bytes",
            Kind::Histogram,
            "Bodies of accepted uploads, forms around files included.",
        )
        .histogram(&[], &self.upload_bytes);
        page.family(
            "sharer_upload_duration_seconds",
            Kind::Histogram,
            "Accepted uploads, from the first byte of the request to the last of the answer.",
        )
        .histogram(&[], &self.upload_durations);
    }

    fn write_requests(&self, page: &mut Page) {
        let help = "Requests answered, by method, pattern of path and status (none: the client left before).";
        let mut requests = page.family("sharer_http_requests_total", Kind::Counter, help);
        for asked in Asked::all() {
            let counters = &self.requests[asked.index() * STATUSES.len()..][..STATUSES.len()];
            for (status, counter) in STATUSES.iter().zip(counters).filter(|(_, c)| c.value() > 0) {
                let status = match status {
                    0 => "none".to_owned(),
                    &u16::MAX => OTHER.to_owned(),
                    status => status.to_string(),
                };
                let [method, route] = asked.labels();
                requests.sample(&[method, route, ("status", &status)], counter.value());
            }
        }
        let help =
            "From the first byte of a request to the last of its answer, by method and pattern of path.";
        let mut durations = page.family("sharer_http_request_duration_seconds", Kind::Histogram, help);
        for asked in Asked::all() {
            let histogram = &self.durations[asked.index()];
            if !histogram.is_empty() {
                durations.histogram(&asked.labels(), histogram);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Id;
    use crate::web::router;

    #[test]
    fn every_route_has_a_pattern_of_its_own() {
        let id = Id::from_bytes([1; 16]);
        for (method, path, expected) in [
            (Method::Get, "/".to_owned(), "/"),
            (Method::Put, "/photo.jpg".to_owned(), "/{name}"),
            (Method::Get, "/healthz".to_owned(), "/healthz"),
            (Method::Get, format!("/i/{id}"), "/i/{id}"),
            (Method::Get, format!("/i/{id}.json"), "/i/{id}.json"),
            (Method::Delete, format!("/i/{id}"), "/i/{id}"),
            (Method::Get, format!("/o/{id}/small.jpg"), "/o/{key}"),
            (Method::Post, "/api/images".to_owned(), "/api/images"),
            (Method::Post, "/api/uploads".to_owned(), "/api/uploads"),
            (Method::Post, format!("/i/{id}/delete"), "/i/{id}/delete"),
            (Method::Get, "/openapi.json".to_owned(), "/openapi.json"),
            (Method::Get, "/sharex.sxcu".to_owned(), "/sharex.sxcu"),
            (Method::Get, "/icon.svg".to_owned(), "/icon.svg"),
        ] {
            assert!(router::route(&method, &path).is_ok(), "{path}");
            assert_eq!(pattern(&method, &path), expected, "{path}");
            assert!(ROUTES.contains(&expected));
        }
    }

    #[test]
    fn every_pattern_is_some_paths() {
        let id = Id::from_bytes([1; 16]).to_string();
        for route in ROUTES {
            let path = route.replace("{id}", &id).replace("{key}", "a/b.jpg").replace("{name}", "a.jpg");
            let path = if route == OTHER { "/a/b".to_owned() } else { path };
            assert_eq!(pattern(&Method::Put, &path), route);
        }
    }

    #[test]
    fn no_client_can_add_a_label() {
        for path in ["/photo.jpg", "/a/b", "/wp-login.php", "/\"\n"] {
            assert_eq!(pattern(&Method::Get, path), OTHER);
        }
        assert!(STATUSES.is_sorted());
    }
}
