//! What pages say in German. English is what the templates and refusals say themselves.

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, State};

/// Titles, labels and sentences; `{app}` stands for an app's name, other words in braces for what they say.
const GERMAN: &[(&str, &str)] = &[
    ("Unknown site", "Unbekannte Seite"),
    ("Another connection needed", "Eine andere Verbindung ist nötig"),
    ("Bad request", "Ungültige Anfrage"),
    ("Not found", "Nicht gefunden"),
    ("Method not allowed", "Methode nicht erlaubt"),
    ("Request refused", "Anfrage abgelehnt"),
    ("Sign in needed", "Anmeldung nötig"),
    ("Session over", "Sitzung beendet"),
    ("Access token needed", "Zugriffstoken nötig"),
    ("Access token refused", "Zugriffstoken abgelehnt"),
    ("Confirm that it is you", "Bitte bestätigen Sie, dass Sie es sind"),
    ("Not allowed", "Nicht erlaubt"),
    ("Changed meanwhile", "Inzwischen geändert"),
    ("Try again soon", "Bitte gleich noch einmal versuchen"),
    ("Too much data", "Zu viele Daten"),
    ("The request cannot be read", "Die Anfrage ist nicht lesbar"),
    ("No token for the application", "Kein Token für die Anwendung"),
    ("The application did not answer", "Die Anwendung antwortet nicht"),
    ("Sign-in did not succeed", "Die Anmeldung ist nicht gelungen"),
    ("Something is broken", "Etwas ist defekt"),
    ("Sign in", "Anmelden"),
    ("Try again", "Noch einmal versuchen"),
    ("reference", "Referenz"),
    ("One moment", "Einen Moment"),
    ("Signing you in", "Sie werden angemeldet"),
    ("Signing you out", "Sie werden abgemeldet"),
    ("If nothing happens, go on by hand.", "Falls nichts geschieht, gehen Sie von Hand weiter."),
    ("Continue", "Weiter"),
    ("Signed in", "Angemeldet"),
    ("Not signed in", "Nicht angemeldet"),
    ("You are signed in.", "Sie sind angemeldet."),
    ("You are not signed in.", "Sie sind nicht angemeldet."),
    ("Signed out", "Abgemeldet"),
    ("You are signed out", "Sie sind abgemeldet"),
    ("Your session at {app} has ended.", "Ihre Sitzung bei {app} ist beendet."),
    ("Your session at {app} has ended on this device.", "Ihre Sitzung bei {app} ist auf diesem Gerät beendet."),
    (
        "You may still be signed in at your identity provider. To be safe on a shared computer, sign out there too or close the browser.",
        "Bei Ihrem Identitätsanbieter sind Sie vielleicht noch angemeldet. An einem gemeinsam genutzten Computer melden Sie sich sicherheitshalber auch dort ab oder schließen Sie den Browser.",
    ),
    ("Back to {app}", "Zurück zu {app}"),
    ("Sign in again?", "Neu anmelden?"),
    (
        "A page of another site started a sign-in to {app}, where you are signed in already. Going on ends your present session and starts a new one.",
        "Eine Seite einer anderen Website hat eine Anmeldung bei {app} begonnen, wo Sie schon angemeldet sind. Wenn Sie fortfahren, endet Ihre jetzige Sitzung und eine neue beginnt.",
    ),
    ("Stay signed in as you are", "Angemeldet bleiben wie bisher"),
    ("Go on", "Fortfahren"),
    ("Sign out?", "Abmelden?"),
    ("This ends your session at {app} on this device.", "Damit endet Ihre Sitzung bei {app} auf diesem Gerät."),
    ("Sign out", "Abmelden"),
    ("Sign in to {app}", "Bei {app} anmelden"),
    ("Sign in to {app}?", "Bei {app} anmelden?"),
    ("E-mail address", "E-Mail-Adresse"),
    (
        "No identity provider is set up for this address. Choose one below.",
        "Für diese Adresse ist kein Identitätsanbieter eingerichtet. Wählen Sie unten einen aus.",
    ),
    ("or choose where you sign in", "oder wählen Sie, wo Sie sich anmelden"),
    ("Choose where you sign in.", "Wählen Sie, wo Sie sich anmelden."),
    (
        "An app that calls itself {app} asks you to sign in. Go on only if you have just started this in the app yourself.",
        "Eine App, die sich {app} nennt, bittet Sie um Anmeldung. Fahren Sie nur fort, wenn Sie dies gerade selbst in der App begonnen haben.",
    ),
    ("Cancel", "Abbrechen"),
    ("Connect a device", "Ein Gerät verbinden"),
    ("Type the code that the device in front of you shows.", "Geben Sie den Code ein, den das Gerät vor Ihnen zeigt."),
    ("Code", "Code"),
    (
        "No device waits with this code. It may be mistyped or too old: look at the device again.",
        "Kein Gerät wartet mit diesem Code. Vielleicht ist er vertippt oder zu alt: Sehen Sie noch einmal auf das Gerät.",
    ),
    (
        "Did somebody send you the code or a link to this page? Then close it: they would get into your account.",
        "Hat Ihnen jemand den Code oder einen Link auf diese Seite geschickt? Dann schließen Sie sie: Er käme in Ihr Konto.",
    ),
    ("Sign in to {app} on another device?", "Auf einem anderen Gerät bei {app} anmelden?"),
    (
        "Compare: does the device in front of you show exactly this code?",
        "Vergleichen Sie: Zeigt das Gerät vor Ihnen genau diesen Code?",
    ),
    ("{minutes} min ago", "vor {minutes} min"),
    ("just now", "gerade eben"),
    ("a device without a name", "einem Gerät ohne Namen"),
    (
        "It was asked for {when} by {device}, from the network address {address}.",
        "Angefordert {when} von {device}, von der Netzadresse {address}.",
    ),
    (
        "Did somebody send you the code or a link to this page? Then say no: they would get into your account. Nobody who helps you needs this code.",
        "Hat Ihnen jemand den Code oder einen Link auf diese Seite geschickt? Dann sagen Sie nein: Er käme in Ihr Konto. Niemand, der Ihnen hilft, braucht diesen Code.",
    ),
    ("It is my device: sign in", "Es ist mein Gerät: anmelden"),
    ("No, stop", "Nein, abbrechen"),
    ("You are signed in on your device", "Sie sind auf Ihrem Gerät angemeldet"),
    (
        "Your device goes on by itself in a few seconds. You can close this page.",
        "Ihr Gerät macht in wenigen Sekunden von selbst weiter. Sie können diese Seite schließen.",
    ),
    ("Good that you looked", "Gut, dass Sie hingesehen haben"),
    (
        "Nobody was signed in. Whoever sent you the code or a link to this page wanted to get into your account.",
        "Niemand wurde angemeldet. Wer Ihnen den Code oder einen Link auf diese Seite geschickt hat, wollte in Ihr Konto.",
    ),
    (
        "Your session in {app} has ended. You can close this page.",
        "Ihre Sitzung in {app} ist beendet. Sie können diese Seite schließen.",
    ),
];

/// Refusals by their stable codes; and whether the English text says more, so that it is shown beside.
const TOLD: &[(&str, &str, bool)] = &[
    ("sign-in-needed", "Sie sind nicht angemeldet", false),
    ("session-over", "Ihre Sitzung ist beendet", true),
    (
        "sign-in-again",
        "Eine neue Anmeldung ist nötig: Der Zugriff beim Identitätsanbieter ist abgelaufen und ließ sich nicht erneuern",
        false,
    ),
    ("step-up-needed", "Diese Seite braucht eine stärkere oder neuere Anmeldung", true),
    ("not-permitted", "Sie dürfen diese Seite nicht aufrufen", true),
    ("role-needed", "Ihnen fehlt die nötige Rolle", true),
    ("not-found", "An dieser Adresse ist nichts", false),
    ("unknown-host", "Unter diesem Namen ist hier keine Seite eingerichtet", false),
    ("bad-path", "Der Pfad dieser Adresse ist nicht zulässig", true),
    ("bad-request", "Diese Anfrage ist so nicht zulässig", true),
    ("bad-parameter", "Ein Parameter dieser Adresse ist falsch", true),
    ("method-not-allowed", "Diese Adresse kennt diese Methode nicht", false),
    ("foreign-origin", "Diese Anfrage kommt von einer Seite, von der sie nicht kommen darf", false),
    ("csrf-header-missing", "Dieser Anfrage fehlt der Schutz gegen Fälschung", false),
    ("try-later", "Ein Dienst ist gerade nicht erreichbar", true),
    ("too-many-requests", "Das waren zu viele Anfragen", true),
    ("broken", "Etwas hier Gespeichertes ist nicht lesbar; der Betreiber findet die Ursache im Protokoll", false),
    (
        "login-unknown",
        "Diese Anmeldung wurde in einem anderen Browser begonnen, hat zu lange gedauert oder ist schon abgeschlossen",
        false,
    ),
    ("login-replayed", "Diese Anmeldung ist schon abgeschlossen", false),
    ("login-foreign", "Eine Seite einer anderen Website wollte hier eine Anmeldung abschließen", false),
    ("login-refused-by-provider", "Der Identitätsanbieter hat die Anmeldung abgelehnt", true),
    ("login-bad-answer", "Die Antwort des Identitätsanbieters ist nicht verwendbar", true),
    ("login-other-issuer", "Die Antwort kam von einem anderen Identitätsanbieter als dem gefragten", false),
    (
        "login-no-issuer",
        "Die Antwort sagt nicht, von welchem Identitätsanbieter sie kommt, und diese App hat mehrere",
        false,
    ),
    ("login-code-refused", "Der Identitätsanbieter hat den Code nicht angenommen", true),
    ("login-id-token", "Das ID-Token des Identitätsanbieters ist nicht zulässig", true),
    ("login-userinfo", "Die Auskunft des Identitätsanbieters über Sie ist nicht zulässig", true),
    ("login-not-enough", "Der Identitätsanbieter hat nicht verlangt, was diese Anmeldung braucht", true),
    (
        "login-other-person",
        "Diese Anmeldung sollte bestätigen, wer hier angemeldet ist, aber jemand anderes kam zurück. Melden Sie sich zuerst ab, um die Person zu wechseln",
        false,
    ),
    ("login-logged-out", "Der Identitätsanbieter hat Sie während der Anmeldung abgemeldet", false),
    ("login-revoked", "Während der Anmeldung wurden Sitzungen wie diese beendet", false),
    ("login-locked", "Die Anmeldung ist zurzeit gesperrt", true),
    ("login-too-many", "Sie sind schon so oft angemeldet, wie diese App es zulässt", true),
    ("login-device", "Ihr Gerät wurde nicht angemeldet", true),
    ("login-provider-unavailable", "Der Identitätsanbieter ist gerade nicht erreichbar", true),
];

/// Gives templates the words: `t(text, app=…)` with a value for each word in braces, `told(code, message)`, `varies(code)`.
pub(super) fn add_to(pages: &mut Environment<'static>) {
    pages.add_function("t", |state: &State<'_, '_>, text: String, values: Kwargs| -> Result<String, Error> {
        let text = if is_german(state) { german(&text).map(str::to_owned).unwrap_or(text) } else { text };
        filled(&text, &values)
    });
    pages.add_function("told", |state: &State<'_, '_>, code: String, message: String| {
        refusal(state, &code).map_or(message, |(_, text, _)| (*text).to_owned())
    });
    pages.add_function("varies", |state: &State<'_, '_>, code: String| {
        refusal(state, &code).is_some_and(|(.., varies)| *varies)
    });
}

/// The text with each `{name}` replaced, once: what a value says in braces is its own.
fn filled(text: &str, values: &Kwargs) -> Result<String, Error> {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        filled.push_str(&values.get::<minijinja::Value>(name)?.to_string());
        filled.push_str(rest);
    }
    Ok(filled)
}

fn is_german(state: &State<'_, '_>) -> bool {
    state.lookup("lang").is_some_and(|lang| lang.as_str() == Some("de"))
}

fn german(text: &str) -> Option<&'static str> {
    GERMAN.iter().find(|(english, _)| *english == text).map(|(_, german)| *german)
}

fn refusal(state: &State<'_, '_>, code: &str) -> Option<&'static (&'static str, &'static str, bool)> {
    TOLD.iter().find(|(known, ..)| *known == code).filter(|_| is_german(state))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts between quotes after `mark`.
    fn texts<'a>(source: &'a str, mark: &str) -> Vec<&'a str> {
        source.split(mark).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn whatever_a_page_says_is_said_in_german_too() {
        let pages = [
            include_str!("allow.html"),
            include_str!("back-to-app.html"),
            include_str!("choose.html"),
            include_str!("continue.html"),
            include_str!("device.html"),
            include_str!("error.html"),
            include_str!("framed.html"),
            include_str!("sign-in.html"),
            include_str!("sign-out.html"),
            include_str!("signed-out.html"),
            include_str!("silent.html"),
        ];
        let mut said: Vec<&str> = pages.iter().flat_map(|page| texts(page, "t(\"")).collect();
        let words = include_str!("../problem/words.rs");
        let (titles, labels) = words.split_once("fn way_on(").expect("titles, then labels");
        said.extend(texts(titles, "=> \""));
        said.extend(texts(labels, "_url, \""));
        said.extend(texts(include_str!("../page.rs"), "title => \""));
        let (_, rests) = include_str!("../page.rs").split_once("Rest::SignedOut =>").expect("pages to rest on");
        let (rests, _) = rests.split_once("};").expect("their end");
        said.extend(rests.split('"').skip(1).step_by(2));
        assert!(said.len() > 40, "{said:?}");
        for text in said {
            assert!(german(text).is_some(), "{text:?} has no German words");
        }
        // No text stands in a template by itself.
        for page in pages {
            let bare = page.split('>').skip(1).filter_map(|rest| rest.split('<').next());
            let bare =
                bare.map(|text| text.split("{{").next().unwrap_or_default().split("{%").next().unwrap_or_default());
            let is_said = |text: &&str| text.chars().filter(|c| c.is_alphabetic()).count() > 1;
            let unsaid: Vec<&str> = bare.map(str::trim).filter(is_said).collect();
            assert!(unsaid.is_empty(), "not said by t(): {unsaid:?}");
        }
    }
}
