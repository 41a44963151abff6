//! Logits → answers, and answers → scores. Pure: knows no device, no file, no browser.
//!
//! | module | turns |
//! |---|---|
//! | [`question_answering`] | start and end logits into answers with their places |
//! | [`classification`] | a row of logits into labels |
//! | [`token_classification`] | a row a token into labelled stretches of the text |
//! | [`fill_mask`] | a row over the vocabulary into tokens for a mask |
//! | [`pooling`] | token vectors into one vector a text |
//! | [`relevance`] | a question into the order in which to read a long text |
//! | [`metrics`] | predictions into the official scores of SQuAD and GLUE |

pub mod classification;
pub mod fill_mask;
pub mod metrics;
pub mod pooling;
pub mod question_answering;
mod ranking;
pub mod relevance;
pub mod token_classification;
