//! Code that connects an app, for the framework that it is written in. The web ones need no library: three addresses and
//! one header are all there is to learn (docs/web.md).

use cloakroom_api::{Client, Kind};

/// A file of an example: what it is called, and what is in it.
pub(super) type Block = (&'static str, String);

/// A framework.
#[derive(Clone, Copy)]
pub(super) struct Snippet {
    /// In the address.
    pub(super) code: &'static str,
    /// For people.
    pub(super) name: &'static str,
    /// What to know before it is pasted.
    pub(super) about: &'static str,
    /// Its files.
    pub(super) blocks: fn(&Place) -> Vec<Block>,
}

const WEB: [Snippet; 5] = [
    Snippet {
        code: "js",
        name: "JavaScript",
        about: "A module in the page, with the helper that the gateway serves.",
        blocks: js,
    },
    Snippet {
        code: "react",
        name: "React",
        about: "A hook that knows who is signed in, and a fetch that may.",
        blocks: react,
    },
    Snippet {
        code: "vue",
        name: "Vue",
        about: "A composable that knows who is signed in, and a fetch that may.",
        blocks: vue,
    },
    Snippet {
        code: "angular",
        name: "Angular",
        about: "An interceptor that arms calls to the own origin, and a service that knows who is signed in.",
        blocks: angular,
    },
    Snippet {
        code: "next",
        name: "Next.js",
        about: "Next.js is an upstream of a page route with token = \"user\": what it renders on the server has the person’s access token in its request.",
        blocks: next,
    },
];

const MOBILE: [Snippet; 3] = [
    Snippet {
        code: "ios",
        name: "AppAuth, iOS",
        about: "AppAuth-iOS as it is. Keep the state in the Keychain.",
        blocks: ios,
    },
    Snippet {
        code: "android",
        name: "AppAuth, Android",
        about: "AppAuth-Android as it is. Keep the state under a key of the Android Keystore, and out of backups.",
        blocks: android,
    },
    Snippet {
        code: "react-native",
        name: "React Native",
        about: "react-native-app-auth as it is. Keep the tokens in react-native-keychain.",
        blocks: react_native,
    },
];

/// The frameworks of a kind of client.
pub(super) const fn all(kind: Kind) -> &'static [Snippet] {
    match kind {
        Kind::Web => &WEB,
        Kind::Mobile => &MOBILE,
    }
}

/// What an example names.
pub(super) struct Place {
    id: String,
    /// `/bff`, or what the site says.
    base: String,
    /// A mobile client's issuer.
    issuer: String,
    /// A mobile client's first redirect URI.
    redirect: String,
    /// A path that scripts call.
    call: String,
}

impl Place {
    pub(super) fn of(client: &Client, call: Option<&str>) -> Self {
        Self {
            id: client.id.clone(),
            base: client.base_path.clone().unwrap_or_else(|| "/bff".to_owned()),
            issuer: client.issuer.clone().unwrap_or_default(),
            redirect: client.redirect_uris.first().cloned().unwrap_or_default(),
            call: call.unwrap_or("/api/").to_owned(),
        }
    }

    /// A template with the names filled in.
    fn fill(&self, template: &str) -> String {
        [
            ("%ID%", &self.id),
            ("%BASE%", &self.base),
            ("%ISSUER%", &self.issuer),
            ("%REDIRECT%", &self.redirect),
            ("%CALL%", &self.call),
        ]
        .into_iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

fn js(place: &Place) -> Vec<Block> {
    let app = r#"import { cloakroom } from "%BASE%/client.js";

const user = await cloakroom.user(); // null: nobody is signed in
if (!user) await cloakroom.login();  // leaves, and comes back here

const answer = await cloakroom.fetch("%CALL%", { signIn: true });
console.log(user.claims.name, answer.status);

cloakroom.onSessionEvent((event) => event.type === "ended" && location.reload());
// cloakroom.logout();
"#;
    vec![("app.js, as <script type=\"module\">", place.fill(app))]
}

/// What every framework without a helper of its own needs.
const SESSION: &str = r#"const csrf = { "X-CSRF": "1" }; // no other site's page can send it

export async function who() {
  const answer = await fetch("%BASE%/user", { headers: csrf });
  return answer.ok ? answer.json() : null; // null when nobody is signed in
}

export function signIn() {
  const here = location.pathname + location.search + location.hash;
  location.assign("%BASE%/login?return_to=" + encodeURIComponent(here));
}

export const signOut = (user) => location.assign(user.logout_url);

export async function call(path, init = {}) {
  const answer = await fetch(path, { ...init, headers: { ...init.headers, ...csrf } });
  if (answer.status === 401) signIn();
  return answer;
}
"#;

fn react(place: &Place) -> Vec<Block> {
    let hook = r#"import { useEffect, useState } from "react";
import { call, signIn, signOut, who } from "./session.js";

export function useUser() {
  const [user, setUser] = useState(undefined); // undefined: not known yet
  useEffect(() => {
    who().then(setUser);
  }, []);
  return user;
}

export function App() {
  const user = useUser();
  if (user === undefined) return null;
  if (user === null) return <button onClick={signIn}>Sign in</button>;
  return (
    <>
      <p>{user.claims.name ?? user.sub}</p>
      <button onClick={() => call("%CALL%").then((answer) => answer.text()).then(console.log)}>Call</button>
      <button onClick={() => signOut(user)}>Sign out</button>
    </>
  );
}
"#;
    vec![("session.js", place.fill(SESSION)), ("App.jsx", place.fill(hook))]
}

fn vue(place: &Place) -> Vec<Block> {
    let app = r#"<script setup>
import { onMounted, ref } from "vue";
import { call, signIn, signOut, who } from "./session.js";

const user = ref(undefined); // undefined: not known yet
onMounted(async () => (user.value = await who()));
const load = async () => console.log(await (await call("%CALL%")).text());
</script>

<template>
  <button v-if="user === null" @click="signIn">Sign in</button>
  <template v-else-if="user">
    <p>{{ user.claims.name ?? user.sub }}</p>
    <button @click="load">Call</button>
    <button @click="signOut(user)">Sign out</button>
  </template>
</template>
"#;
    vec![("session.js", place.fill(SESSION)), ("App.vue", place.fill(app))]
}

fn angular(place: &Place) -> Vec<Block> {
    let config = r#"import { provideHttpClient, withInterceptors, type HttpInterceptorFn } from "@angular/common/http";
import type { ApplicationConfig } from "@angular/core";

// No other site's page can send the header; calls to other origins go without.
const csrf: HttpInterceptorFn = (request, next) =>
  next(request.url.startsWith("/") ? request.clone({ setHeaders: { "X-CSRF": "1" } }) : request);

export const appConfig: ApplicationConfig = { providers: [provideHttpClient(withInterceptors([csrf]))] };
"#;
    let service = r#"import { HttpClient } from "@angular/common/http";
import { inject, Injectable } from "@angular/core";
import { toSignal } from "@angular/core/rxjs-interop";
import { catchError, of } from "rxjs";

export interface User { sub: string; claims: Record<string, unknown>; logout_url: string }

@Injectable({ providedIn: "root" })
export class Session {
  private readonly http = inject(HttpClient);
  // undefined: not known yet; null: nobody is signed in
  readonly user = toSignal(this.http.get<User>("%BASE%/user").pipe(catchError(() => of(null))));

  signIn() {
    const here = location.pathname + location.search + location.hash;
    location.assign("%BASE%/login?return_to=" + encodeURIComponent(here));
  }

  signOut(user: User) {
    location.assign(user.logout_url);
  }

  load() {
    return this.http.get("%CALL%", { responseType: "text" });
  }
}
"#;
    vec![("app.config.ts", place.fill(config)), ("session.ts", place.fill(service))]
}

fn next(place: &Place) -> Vec<Block> {
    let page = r#"import { headers } from "next/headers";

// On the server. Cloakroom has put the person's access token into the request; it never reaches the browser.
export default async function Page() {
  const authorization = (await headers()).get("authorization") ?? "";
  const answer = await fetch("https://api.internal.example/orders", {
    headers: { authorization },
    cache: "no-store",
  });
  return <pre>{await answer.text()}</pre>;
}
"#;
    let button = r#""use client";
import { call, signIn } from "./session.js";

// In the browser: through Cloakroom, with the cookie and the header.
export const SignIn = () => <button onClick={signIn}>Sign in</button>;
export const Load = () => <button onClick={() => call("%CALL%")}>Load</button>;
"#;
    vec![
        ("app/page.jsx", place.fill(page)),
        ("app/session.js", place.fill(SESSION)),
        ("app/buttons.jsx", place.fill(button)),
    ]
}

fn ios(place: &Place) -> Vec<Block> {
    let code = r#"OIDAuthorizationService.discoverConfiguration(forIssuer: URL(string: "%ISSUER%")!) { config, error in
  guard let config else { return }
  let request = OIDAuthorizationRequest(configuration: config, clientId: "%ID%", scopes: ["openid", "email"],
    redirectURL: URL(string: "%REDIRECT%")!, responseType: OIDResponseTypeCode, additionalParameters: nil)
  self.flow = OIDAuthState.authState(byPresenting: request, presenting: self) { state, error in
    self.state = state // call with state.performAction, which refreshes when needed
  }
}
"#;
    vec![("SignIn.swift", place.fill(code))]
}

fn android(place: &Place) -> Vec<Block> {
    let code = r#"AuthorizationServiceConfiguration.fetchFromIssuer(Uri.parse("%ISSUER%")) { config, error ->
  if (config == null) return@fetchFromIssuer
  val request = AuthorizationRequest.Builder(config, "%ID%", ResponseTypeValues.CODE, Uri.parse("%REDIRECT%"))
    .setScope("openid email")
    .build()
  launcher.launch(AuthorizationService(context).getAuthorizationRequestIntent(request))
}
"#;
    let scheme = place.redirect.split(':').next().unwrap_or_default();
    let gradle = format!("android.defaultConfig.manifestPlaceholders = [appAuthRedirectScheme: '{scheme}']\n");
    vec![("SignIn.kt", place.fill(code)), ("build.gradle", gradle)]
}

fn react_native(place: &Place) -> Vec<Block> {
    let code = r#"import { authorize, refresh } from "react-native-app-auth";

const config = {
  issuer: "%ISSUER%",
  clientId: "%ID%",
  redirectUrl: "%REDIRECT%",
  scopes: ["openid", "email"],
  usePKCE: true,
};

const tokens = await authorize(config);
const newer = await refresh(config, { refreshToken: tokens.refreshToken }); // store it before you use it
"#;
    vec![("signIn.js", place.fill(code))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_names_the_client_it_is_for_and_leaves_no_gap() {
        let client = Client {
            id: "phone".to_owned(),
            name: "Phone".to_owned(),
            kind: Kind::Mobile,
            tenant: String::new(),
            source: cloakroom_api::Source::File,
            registrations: vec![],
            origins: vec![],
            base_path: Some("/session".to_owned()),
            issuer: Some("https://app.example.com".to_owned()),
            idle_secs: 1,
            absolute_secs: 1,
            trusted_origins: vec![],
            return_urls: vec![],
            redirect_uris: vec!["com.example.app:/callback".to_owned()],
            live_sessions: 0,
        };
        let place = Place::of(&client, Some("/orders/"));
        for kind in [Kind::Web, Kind::Mobile] {
            for snippet in all(kind) {
                let text: String = (snippet.blocks)(&place).into_iter().map(|(_, text)| text).collect();
                assert!(!text.contains('%') && !text.contains("/bff"), "{}", snippet.name);
                let named = if kind == Kind::Mobile { "com.example.app" } else { "/session/" };
                assert!(text.contains(named), "{}", snippet.name);
            }
        }
    }
}
