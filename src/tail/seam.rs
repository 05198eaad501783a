//! What the loop gets from outside besides files: the time, and the moments between two calls of the system, in which
//! others go on. Tests take both into their hands (see `simulation`); does nothing else.

use std::time::{Duration, Instant};

/// The time.
pub fn now() -> Instant {
    #[cfg(test)]
    return simulated::now();
    #[cfg(not(test))]
    Instant::now()
}

/// How long ago that was.
pub fn since(then: Instant) -> Duration {
    now().saturating_duration_since(then)
}

/// Called where something may have changed since the last call of the system, or this process may have been killed.
pub fn between() {
    #[cfg(test)]
    simulated::between();
}

/// How long the system is asked to wait, if the loop wants to wait so long.
pub fn wait(time: Duration) -> Duration {
    #[cfg(test)]
    return simulated::wait(time);
    #[cfg(not(test))]
    time
}

/// A world in a test's hands. One a thread, so that tests do not meet.
#[cfg(test)]
pub mod simulated {
    use std::{
        cell::{Cell, RefCell},
        time::{Duration, Instant},
    };

    type World = Box<dyn FnMut()>;

    thread_local! {
        static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
        static TIME: Cell<Option<Instant>> = const { Cell::new(None) };
    }

    /// Has this called between two calls of the system; time goes on by [`pass`] only from now on.
    pub fn begin(world: impl FnMut() + 'static) {
        TIME.set(Some(now()));
        WORLD.set(Some(Box::new(world)));
    }

    /// Time is the system's again, and nothing is called any more.
    pub fn end() {
        TIME.set(None);
        WORLD.set(None);
    }

    /// Lets so much time go by.
    pub fn pass(time: Duration) {
        TIME.set(Some(now() + time));
    }

    pub fn now() -> Instant {
        TIME.get().unwrap_or_else(Instant::now)
    }

    pub fn between() {
        // Taken out while it acts, so that what it calls does not call it.
        if let Some(mut world) = WORLD.take() {
            world();
            WORLD.set(Some(world));
        }
    }

    pub fn wait(time: Duration) -> Duration {
        between();
        if TIME.get().is_none() {
            return time;
        }
        pass(time);
        Duration::ZERO
    }
}
