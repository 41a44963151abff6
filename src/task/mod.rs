//! Logits → results, and predictions → scores. Pure functions without devices, files or browsers.
//!
//! | module | converts |
//! |---|---|
//! | [`question_answering`] | start and end logits to answers with their offsets |
//! | [`explanation`] | the logits and the attention of a window to probabilities and attention per word |
//! | [`classification`] | a row of logits to labels |
//! | [`zero_shot`] | natural-language-inference logits, a row per label, to labels with scores |
//! | [`text_ranking`] | a logit per document to documents ranked by relevance |
//! | [`token_classification`] | a row per token to labeled entities of the text |
//! | [`fill_mask`] | a row over the vocabulary to tokens for a mask |
//! | [`pooling`] | token vectors to one vector per text |
//! | [`similarity`] | vectors to their cosine, and to the nearest neighbors |
//! | [`relevance`] | a question to the order in which to read a long text |
//! | [`metrics`] | predictions to the official scores of SQuAD and GLUE |

pub mod classification;
pub mod explanation;
pub mod fill_mask;
pub mod metrics;
pub mod pooling;
pub mod question_answering;
mod ranking;
pub mod relevance;
pub mod similarity;
pub mod text_ranking;
pub mod token_classification;
pub mod zero_shot;
