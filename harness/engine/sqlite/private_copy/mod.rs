//! Private copies.
