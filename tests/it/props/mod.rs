//! Properties of the canonical form and of what is built on it.

mod causes;
mod forms;
mod nested;
mod pinned;
mod rows;
pub mod tables;
