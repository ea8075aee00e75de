//! Storage: the only room that speaks SQL.
