//! A call's helpers: whatever they do, the call's results are those of a single worker.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;

use mobilebert::cpu::Exchange;
use mobilebert::model::{
    AskOptions, EncodeOptions, Encoder, Finished, Helpers, Model, PoolTokens, QuestionAnswering, Reply,
    Timing,
};
use mobilebert::session::{Device, ExtraOutputs, Sequence, SessionOptions, SharedRun};
use mobilebert::task::pooling::Pooling;
use support::random::Random;
use support::small_model;

fn cpu() -> SessionOptions {
    SessionOptions { device: Device::Cpu, threads: 1, ..SessionOptions::default() }
}

const WORDS: [&str; 10] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c", "d", "."];

/// What happens to a helper's job when it is due.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Finishes,
    IsLost,
    /// Neither finishes nor fails.
    Hangs,
}

/// A log of the helpers' jobs, for the test to check.
#[derive(Default)]
struct Log {
    offered: usize,
    finished: usize,
    reclaimed: usize,
    given_up: usize,
}

/// Helpers in the same thread: random ones of the offered jobs finish when results are fetched.
struct Fake {
    model: Model,
    random: Random,
    room: usize,
    fate: fn(&mut Random) -> Fate,
    jobs: Vec<(usize, Vec<Sequence>)>,
    log: Rc<RefCell<Log>>,
}

impl Helpers for Fake {
    fn expect(&mut self, milliseconds: f64) {
        assert!(milliseconds >= 0.0);
    }

    fn offer(&mut self, job: usize, sequences: &[Sequence]) -> bool {
        let has_room = self.jobs.len() < self.room;
        if has_room {
            self.jobs.push((job, sequences.to_vec()));
            self.log.borrow_mut().offered += 1;
        }
        has_room
    }

    fn reclaim(&mut self) -> Option<usize> {
        let (job, _) = if self.jobs.len() > 1 { self.jobs.pop()? } else { return None };
        self.log.borrow_mut().reclaimed += 1;
        Some(job)
    }

    fn finished(&mut self, _: f64) -> Pin<Box<dyn Future<Output = Finished> + '_>> {
        Box::pin(async {
            let mut finished = Finished::new();
            for _ in 0..self.random.below(3) {
                if self.jobs.is_empty() {
                    break;
                }
                let (job, sequences) = self.jobs.swap_remove(self.random.below(self.jobs.len()));
                match (self.fate)(&mut self.random) {
                    Fate::Finishes => {
                        let outputs = self.model.run(&sequences, ExtraOutputs::default()).await.unwrap();
                        self.log.borrow_mut().finished += 1;
                        finished.push((job, Some(outputs)));
                    }
                    Fate::IsLost => finished.push((job, None)),
                    Fate::Hangs => {}
                }
            }
            finished
        })
    }

    fn can_share(&self) -> bool {
        false
    }

    fn share(&mut self, _: &SharedRun<'_>) -> Option<Box<dyn Exchange>> {
        unreachable!("they can't")
    }

    fn give_up(&mut self) {
        self.log.borrow_mut().given_up += 1;
        self.jobs.clear();
        self.room = 0;
    }
}

fn fake(folder: &Path, seed: u64, room: usize, fate: fn(&mut Random) -> Fate) -> (Fake, Rc<RefCell<Log>>) {
    let model = pollster::block_on(Model::open(folder, &cpu())).unwrap();
    let log = Rc::new(RefCell::new(Log::default()));
    (Fake { model, random: Random::new(seed), room, fate, jobs: Vec::new(), log: log.clone() }, log)
}

fn text(words: usize) -> String {
    let mut random = Random::new(11);
    let word = |random: &mut Random| ["a", "b", "bc", "d", "."][random.below(5)];
    (0..words).map(|_| word(&mut random)).collect::<Vec<_>>().join(" ")
}

/// The reply without its timing, and the number of windows read before each partial answer.
fn ask(task: &mut QuestionAnswering, text: &str, stop_after: usize) -> (Reply, Vec<usize>) {
    let options = AskOptions { max_length: 24, doc_stride: 9, top_k: 5, ..AskOptions::default() };
    let mut steps = Vec::new();
    let reply = pollster::block_on(task.ask_with("a b?", text, &options, async |progress| {
        steps.push(progress.windows_done);
        if progress.windows_done == stop_after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }));
    (Reply { timing: Timing::default(), ..reply.unwrap() }, steps)
}

#[test]
fn answers_and_partial_answers_are_those_of_one_worker_bit_for_bit() {
    let (folder, text) = (small_model::directory(&WORDS), text(260));
    let mut task = pollster::block_on(QuestionAnswering::open(folder.path(), &cpu())).unwrap();
    let (alone, steps) = ask(&mut task, &text, usize::MAX);
    assert!(alone.windows > 20, "only {} windows", alone.windows);
    let fates: [fn(&mut Random) -> Fate; 4] = [
        |_| Fate::Finishes,
        |random| if random.below(2) == 0 { Fate::Finishes } else { Fate::IsLost },
        |random| if random.below(4) == 0 { Fate::Hangs } else { Fate::Finishes },
        |_| Fate::Hangs,
    ];
    for (index, fate) in fates.into_iter().enumerate() {
        for room in 1..=6 {
            let (helpers, log) = fake(folder.path(), room as u64, room, fate);
            task.model().set_helpers(Some(Box::new(helpers)));
            let helped = ask(&mut task, &text, usize::MAX);
            assert_eq!(helped, (alone.clone(), steps.clone()), "fate {index}, {room} at a time");
            let log = log.borrow();
            assert!(log.offered >= room.min(2), "fate {index}: {} jobs were offered", log.offered);
            assert_eq!(index < 3, log.finished > 0, "fate {index}");
            assert!(index != 3 || log.given_up == 1, "helpers that hang are given up once");
        }
    }
}

#[test]
fn a_job_that_no_helper_has_begun_is_taken_back_at_the_end() {
    let (folder, text) = (small_model::directory(&WORDS), text(100));
    let mut task = pollster::block_on(QuestionAnswering::open(folder.path(), &cpu())).unwrap();
    let (alone, _) = ask(&mut task, &text, usize::MAX);
    let (helpers, log) = fake(folder.path(), 1, 100, |_| Fate::Finishes);
    task.model().set_helpers(Some(Box::new(helpers)));
    assert_eq!(ask(&mut task, &text, usize::MAX).0, alone);
    assert!(log.borrow().reclaimed > 0, "all jobs were at helpers, and this worker only waited");
}

#[test]
fn a_call_that_is_stopped_ends_and_the_next_one_has_no_helpers() {
    let (folder, text) = (small_model::directory(&WORDS), text(260));
    let mut task = pollster::block_on(QuestionAnswering::open(folder.path(), &cpu())).unwrap();
    let (stopped_alone, _) = ask(&mut task, &text, 3);
    let (helpers, log) = fake(folder.path(), 5, 4, |_| Fate::Finishes);
    task.model().set_helpers(Some(Box::new(helpers)));
    let (stopped, steps) = ask(&mut task, &text, 3);
    assert_eq!((&stopped, steps), (&stopped_alone, vec![1, 2, 3]));
    let offered = log.borrow().offered;
    assert_eq!(Rc::strong_count(&log), 1, "the helpers were kept");
    ask(&mut task, &text, usize::MAX);
    assert_eq!(log.borrow().offered, offered);
}

#[test]
fn lists_of_texts_keep_their_order() {
    let folder = small_model::directory(&WORDS);
    let mut task = pollster::block_on(Encoder::open(folder.path(), &cpu())).unwrap();
    let texts: Vec<String> = (1..150).map(|words| text(words % 23 + 1)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let options = EncodeOptions { pooling: PoolTokens::By(Pooling::Mean), ..EncodeOptions::default() };
    let alone = pollster::block_on(task.encode(&texts, options)).unwrap();
    let (mut helpers, log) = fake(folder.path(), 3, 3, |_| Fate::Finishes);
    helpers.model = pollster::block_on(Model::open_encoder(folder.path(), &cpu())).unwrap();
    task.model().set_helpers(Some(Box::new(helpers)));
    assert_eq!(pollster::block_on(task.encode(&texts, options)).unwrap(), alone);
    assert!(log.borrow().finished > 0);
}
