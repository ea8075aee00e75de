//! The administrators' console: Leptos, client-side rendered.

fn main() {}
