//! What this browser remembers: theme, and whether single keys are shortcuts.

use leptos::prelude::*;
use web_sys::{CustomEvent, Storage};

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Every choice, with name and icon.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 3] =
        [(Self::Light, "Light", "sun"), (Self::Dark, "Dark", "moon"), (Self::System, "System", "monitor")];

    const fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn read(code: &str) -> Self {
        Self::ALL.into_iter().map(|(theme, ..)| theme).find(|theme| theme.code() == code).unwrap_or(Self::System)
    }
}

/// The preferences, for every view.
#[derive(Clone, Copy)]
pub(crate) struct Prefs {
    theme: RwSignal<Theme>,
    single_keys: RwSignal<bool>,
}

const THEME: &str = "cloakroom.theme";
const SINGLE_KEYS: &str = "cloakroom.single-keys";

impl Prefs {
    /// Reads what the browser remembers.
    pub(crate) fn provide() {
        let theme = recall(THEME).map_or(Theme::System, |code| Theme::read(&code));
        let single_keys = recall(SINGLE_KEYS).is_none_or(|code| code != "off");
        provide_context(Self { theme: RwSignal::new(theme), single_keys: RwSignal::new(single_keys) });
    }

    /// The theme chosen.
    pub(crate) fn theme(self) -> Theme {
        self.theme.get()
    }

    /// Chooses a theme; boot.js paints it, in every tab.
    pub(crate) fn set_theme(self, theme: Theme) {
        self.theme.set(theme);
        remember(THEME, theme.code());
        if let Ok(event) = CustomEvent::new("cloakroom:theme") {
            window().dispatch_event(&event).ok();
        }
    }

    /// Whether single keys are shortcuts (WCAG 2.1.4: they can be switched off).
    pub(crate) fn single_keys(self) -> bool {
        self.single_keys.get()
    }

    /// The same, for a listener.
    pub(crate) fn single_keys_untracked(self) -> bool {
        self.single_keys.get_untracked()
    }

    /// Switches them.
    pub(crate) fn set_single_keys(self, on: bool) {
        self.single_keys.set(on);
        remember(SINGLE_KEYS, if on { "on" } else { "off" });
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn recall(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

fn remember(key: &str, value: &str) {
    // A browser without storage forgets: nothing to tell.
    storage().and_then(|storage| storage.set_item(key, value).ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_are_read_back_and_nonsense_is_the_system() {
        for (theme, ..) in Theme::ALL {
            assert_eq!(Theme::read(theme.code()), theme);
        }
        assert_eq!(Theme::read("neon"), Theme::System);
    }
}
