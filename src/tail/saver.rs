//! Saves marks in a thread of its own, once what they count has reached the disk: a disk that is slow holds no log up.
//! Does not decide what is saved, nor when.

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use super::{
    checkpoint::{State, Store},
    seam,
};

/// Saves one state after the other.
pub struct Saver {
    place: Place,
    is_busy: bool,
}

/// What is to be saved.
pub struct Job {
    /// What was written by then, and may not have reached the disk.
    pub written: Vec<Arc<File>>,
    pub state: State,
}

/// What became of it.
pub struct Done {
    /// The state, or what must reach the disk before the next one.
    pub saved: Result<State, (io::ErrorKind, Vec<Arc<File>>)>,
    pub took: Duration,
}

enum Place {
    Thread {
        jobs: SyncSender<Job>,
        done: Receiver<Done>,
    },
    /// Where time is simulated, nothing goes on beside the loop.
    Here {
        store: Box<Store>,
        done: Option<Done>,
    },
}

impl Saver {
    /// Saves in this store.
    ///
    /// # Errors
    /// If there can be no thread.
    pub fn new(store: Store) -> io::Result<Saver> {
        let place = if seam::is_simulated() {
            Place::Here { store: Box::new(store), done: None }
        } else {
            let (jobs, work) = sync_channel(1);
            let (tell, done) = sync_channel(1);
            thread::Builder::new().name("saver".to_owned()).spawn(move || serve(&store, &work, &tell))?;
            Place::Thread { jobs, done }
        };
        Ok(Saver { place, is_busy: false })
    }

    /// Whether something is being saved.
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Begins to save, if nothing is being saved.
    pub fn begin(&mut self, job: Job) {
        self.is_busy = true;
        match &mut self.place {
            // Whether it has failed is told by `done`.
            Place::Thread { jobs, .. } => _ = jobs.send(job),
            Place::Here { store, done } => *done = Some(save(store, job)),
        }
    }

    /// What became of it, once.
    pub fn done(&mut self, wait: bool) -> Option<Done> {
        if !self.is_busy {
            return None;
        }
        let gone = || Some(Done { saved: Err((io::ErrorKind::BrokenPipe, Vec::new())), took: Duration::ZERO });
        let done = match &mut self.place {
            Place::Thread { done, .. } if wait => done.recv().ok().or_else(gone),
            Place::Thread { done, .. } => match done.try_recv() {
                Ok(done) => Some(done),
                Err(std::sync::mpsc::TryRecvError::Empty) => None,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => gone(),
            },
            Place::Here { done, .. } => done.take(),
        };
        self.is_busy = done.is_none();
        done
    }
}

fn serve(store: &Store, work: &Receiver<Job>, tell: &SyncSender<Done>) {
    for job in work {
        if tell.send(save(store, job)).is_err() {
            return;
        }
    }
}

fn save(store: &Store, job: Job) -> Done {
    let started = seam::now();
    let Job { written, state } = job;
    // What is said to be written must be there, even after a power failure.
    let saved = written.iter().try_for_each(|file| file.sync_data()).and_then(|()| store.save(&state));
    let saved = saved.map(|()| state).map_err(|fault| (fault.kind(), written));
    Done { saved, took: seam::since(started) }
}
