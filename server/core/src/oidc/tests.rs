//! A scripted provider, signing with real keys, against which every rule is tried.

mod discovery;
mod id_token;
mod keys;
mod login;
mod logout;
mod logout_token;
mod refresh;
mod rig;
