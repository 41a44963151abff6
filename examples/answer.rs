//! `cargo run --release --example answer -- MODEL_DIRECTORY "question" < passage.txt`

use std::io::Read;

use mobilebert::model::{AskOptions, QuestionAnswering};
use mobilebert::session::SessionOptions;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(directory), Some(question)) = (arguments.next(), arguments.next()) else {
        return Err("usage: answer MODEL_DIRECTORY QUESTION < PASSAGE".into());
    };
    let mut passage = String::new();
    std::io::stdin().read_to_string(&mut passage)?;

    let mut model = pollster::block_on(QuestionAnswering::open(directory, &SessionOptions::default()))?;
    println!("on the {:?}: {}", model.device().kind, model.device().reason);
    let options = AskOptions { top_k: 3, ..AskOptions::default() };
    let reply = pollster::block_on(model.ask(&question, &passage, &options))?;
    for answer in &reply.answers {
        println!("{:5.1} %  {}", 100.0 * answer.probability, &passage[answer.start_byte..answer.end_byte]);
    }
    Ok(())
}
