//! The cloud in one process.
//!
//! What AWS and Stripe do in a deployment is done here by parts that speak the same wire formats:
//! a [`gateway`] with the authorizer in front, an embedded DynamoDB ([`table`]), an SQS stand-in
//! ([`queue`]) with the pump that feeds `confirm-payment`, an S3 over a folder
//! ([`embedded_objects`]), and a Stripe stand-in ([`provider`]) with its payment page. People are
//! signed in by the platform; here it is [`sign_in`]. The functions are the deployed ones, behind
//! their real SDK clients and their real event formats.

pub mod clock;
pub mod cloud;
pub mod demo;
mod docs;
pub mod embedded_objects;
pub mod embedded_queue;
pub mod functions;
pub mod gateway;
mod invoking;
mod items;
mod paid_page;
pub mod provider;
pub mod pump;
pub mod queue;
pub mod sign_in;
pub mod table;
