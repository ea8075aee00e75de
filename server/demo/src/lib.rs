//! Demo identity provider, sample API and sample web app. Never in the serving path.
