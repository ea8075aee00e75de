//! The console's addresses: every link and every title comes from here.

use crate::state::query_string;

/// A place in the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/admin/`
    Overview,
    /// `/admin/sessions`, and `/admin/sessions/{id}` with one session's drawer open.
    Sessions {
        /// The session whose drawer is open.
        open: Option<String>,
    },
    /// `/admin/clients`, and `/admin/clients/{id}` for one of them.
    Clients {
        /// The client that is shown.
        open: Option<String>,
    },
    /// `/admin/providers`
    Providers,
    /// `/admin/routes`
    Routes,
    /// `/admin/keys`
    Keys,
    /// `/admin/settings`
    Settings,
    /// `/admin/audit`, and `/admin/audit/{id}` with one event's drawer open.
    Audit {
        /// The event whose drawer is open.
        open: Option<String>,
    },
    /// `/admin/users`, and `/admin/users/{id}` for one of them.
    Users {
        /// The person that is shown.
        open: Option<String>,
    },
    /// `/admin/incident`, and `/admin/incident/{id}` for one revocation's report.
    Incident {
        /// The revocation that is reported.
        open: Option<String>,
    },
    /// `/admin/signed-in`: where a sign-in in another tab leads.
    SignedIn,
    /// Anything else.
    NotFound,
}

/// A page of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// How things stand.
    Overview,
    /// The list of sessions.
    Sessions,
    /// Who has sessions.
    Users,
    /// Ending many sessions.
    Incident,
    /// What happened.
    Audit,
    /// The apps that sign people in.
    Clients,
    /// Who says who people are.
    Providers,
    /// Where calls go.
    Routes,
    /// The key ring.
    Keys,
    /// The node and its configuration.
    Settings,
    /// None of the navigation's.
    Other,
}

impl Page {
    /// Those that the navigation shows, with name, icon and shortcut.
    pub(crate) const NAVIGATION: [(Self, &'static str, &'static str, &'static str); 10] = [
        (Self::Overview, "Overview", "layout-dashboard", "o"),
        (Self::Sessions, "Sessions", "monitor-smartphone", "s"),
        (Self::Users, "Users", "users", "u"),
        (Self::Incident, "Incident", "shield-x", "i"),
        (Self::Audit, "Audit", "history", "a"),
        (Self::Clients, "Clients", "app-window", "c"),
        (Self::Providers, "Providers", "id-card", "p"),
        (Self::Routes, "Routes", "route", "t"),
        (Self::Keys, "Keys", "key-round", "k"),
        (Self::Settings, "Settings", "settings-2", "e"),
    ];

    /// Where it is.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Overview | Self::Other => "/admin/",
            Self::Sessions => "/admin/sessions",
            Self::Users => "/admin/users",
            Self::Audit => "/admin/audit",
            Self::Incident => "/admin/incident",
            Self::Clients => "/admin/clients",
            Self::Providers => "/admin/providers",
            Self::Routes => "/admin/routes",
            Self::Keys => "/admin/keys",
            Self::Settings => "/admin/settings",
        }
    }

    /// Whether it tells how the gateway is set up, rather than what goes on.
    pub(crate) const fn is_setup(self) -> bool {
        matches!(self, Self::Clients | Self::Providers | Self::Routes | Self::Keys | Self::Settings)
    }
}

impl Route {
    /// Reads a path.
    pub(crate) fn parse(path: &str) -> Self {
        let Some(rest) = path.strip_prefix("/admin") else { return Self::NotFound };
        let parts: Vec<_> = rest.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            [] => Self::Overview,
            ["sessions"] => Self::Sessions { open: None },
            ["sessions", id] if is_id(id) => Self::Sessions { open: Some((*id).to_owned()) },
            ["audit"] => Self::Audit { open: None },
            ["audit", id] if is_id(id) => Self::Audit { open: Some((*id).to_owned()) },
            ["users"] => Self::Users { open: None },
            ["users", id] if is_id(id) => Self::Users { open: Some((*id).to_owned()) },
            ["incident"] => Self::Incident { open: None },
            ["incident", id] if is_id(id) => Self::Incident { open: Some((*id).to_owned()) },
            ["clients"] => Self::Clients { open: None },
            ["clients", id] if is_id(id) => Self::Clients { open: Some((*id).to_owned()) },
            ["providers"] => Self::Providers,
            ["routes"] => Self::Routes,
            ["keys"] => Self::Keys,
            ["settings"] => Self::Settings,
            ["signed-in"] => Self::SignedIn,
            _ => Self::NotFound,
        }
    }

    /// The page it belongs to.
    pub(crate) const fn page(&self) -> Page {
        match self {
            Self::Overview => Page::Overview,
            Self::Sessions { .. } => Page::Sessions,
            Self::Audit { .. } => Page::Audit,
            Self::Users { .. } => Page::Users,
            Self::Incident { .. } => Page::Incident,
            Self::Clients { .. } => Page::Clients,
            Self::Providers => Page::Providers,
            Self::Routes => Page::Routes,
            Self::Keys => Page::Keys,
            Self::Settings => Page::Settings,
            Self::SignedIn | Self::NotFound => Page::Other,
        }
    }

    /// What fills the page, by its path: another takes the focus to its heading. A drawer over a list does not.
    pub(crate) fn place(&self) -> (Page, Option<String>) {
        match self {
            Self::Incident { open } | Self::Clients { open } | Self::Users { open } => (self.page(), open.clone()),
            _ => (self.page(), None),
        }
    }

    /// The page's title.
    pub(crate) const fn title(&self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Sessions { open: None } => "Sessions",
            Self::Sessions { open: Some(_) } => "Session",
            Self::Audit { .. } => "Audit",
            Self::Users { open: None } => "Users",
            Self::Users { open: Some(_) } => "User",
            Self::Incident { open: None } => "Incident response",
            Self::Incident { open: Some(_) } => "Revocation",
            Self::Clients { open: None } => "Clients",
            Self::Clients { open: Some(_) } => "Client",
            Self::Providers => "Providers",
            Self::Routes => "Routes",
            Self::Keys => "Keys",
            Self::Settings => "Settings & health",
            Self::SignedIn => "Signed in",
            Self::NotFound => "Not found",
        }
    }
}

/// The address of one session's drawer over a list.
pub(crate) fn session(id: &str, search: &str) -> String {
    with_search(&format!("/admin/sessions/{id}"), search)
}

/// The address of a list.
pub(crate) fn sessions(search: &str) -> String {
    with_search(Page::Sessions.path(), search)
}

/// The list of a client's live sessions.
pub(crate) fn sessions_at(client: &str) -> String {
    sessions(&query_string::write(&[("client", client)]))
}

/// The address of a client.
pub(crate) fn client(id: &str) -> String {
    format!("/admin/clients/{id}")
}

/// The address of one revocation's report.
pub(crate) fn revocation(id: &str) -> String {
    format!("/admin/incident/{id}")
}

/// The address of the guide with a filter set.
pub(crate) fn incident(filters: &[(&str, &str)]) -> String {
    with_search(Page::Incident.path(), &query_string::write(filters))
}

/// The address of a person.
pub(crate) fn user(id: &str) -> String {
    format!("/admin/users/{id}")
}

/// The people of an id, at every provider.
pub(crate) fn users_of(sub: &str) -> String {
    with_search(Page::Users.path(), &query_string::write(&[("state", "all"), ("sub", sub)]))
}

/// What is told of a person in the log.
pub(crate) fn audit_of(sub: &str) -> String {
    with_search(Page::Audit.path(), &query_string::write(&[("subject", sub)]))
}

/// The address of one event's drawer over the log.
pub(crate) fn event(id: &str, search: &str) -> String {
    with_search(&format!("/admin/audit/{id}"), search)
}

/// The list of one person's sessions, live and ended.
pub(crate) fn sessions_of(sub: &str) -> String {
    sessions(&query_string::write(&[("state", "all"), ("sub", sub)]))
}

/// The address of a page with a query string.
pub(crate) fn with_search(path: &str, search: &str) -> String {
    if search.is_empty() { path.to_owned() } else { format!("{path}?{search}") }
}

/// Whether a text may be a session's public id; the gateway has the last word.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        for (path, route) in [
            ("/admin", Route::Overview),
            ("/admin/", Route::Overview),
            ("/admin/sessions", Route::Sessions { open: None }),
            ("/admin/sessions/", Route::Sessions { open: None }),
            ("/admin/sessions/0192-a", Route::Sessions { open: Some("0192-a".to_owned()) }),
            ("/admin/sessions/a%2Fb", Route::NotFound),
            ("/admin/sessions/a/b", Route::NotFound),
            ("/admin/signed-in", Route::SignedIn),
            ("/admin/users/ab12", Route::Users { open: Some("ab12".to_owned()) }),
            ("/admin/people", Route::NotFound),
            ("/bff/user", Route::NotFound),
        ] {
            assert_eq!(Route::parse(path), route, "{path}");
        }
    }

    #[test]
    fn the_navigation_leads_to_its_pages() {
        for (page, ..) in Page::NAVIGATION {
            assert_eq!(Route::parse(page.path()).page(), page);
        }
    }

    #[test]
    fn a_drawer_is_no_place_of_its_own_and_a_report_is() {
        let place = |path: &str| Route::parse(path).place();
        assert_eq!(place("/admin/sessions/s1"), place("/admin/sessions"));
        assert_ne!(place("/admin/incident/r1"), place("/admin/incident"));
    }

    #[test]
    fn a_drawers_link_keeps_the_list_behind_it() {
        assert_eq!(session("s1", "state=all"), "/admin/sessions/s1?state=all");
        assert_eq!(sessions(""), "/admin/sessions");
    }
}
