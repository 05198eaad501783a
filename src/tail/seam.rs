//! What the loop gets from outside besides files: the time, and the moments between two calls of the system, in which
//! others go on. Tests take both into their hands (see `simulation`); does nothing else.

use std::{
    fs::Metadata,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

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

/// The time since 1970, in which files tell when they came to be.
pub fn wall() -> Duration {
    #[cfg(test)]
    if let Some(wall) = simulated::wall() {
        return wall;
    }
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// When a file came to be (since 1970), where the system knows.
pub fn born(about: &Metadata) -> Option<Duration> {
    #[cfg(test)]
    if let Some(born) = simulated::born(about) {
        return Some(born);
    }
    about.created().ok()?.duration_since(UNIX_EPOCH).ok()
}

/// Whether time is in a test's hands.
pub fn is_simulated() -> bool {
    #[cfg(test)]
    return simulated::wall().is_some();
    #[cfg(not(test))]
    false
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
        collections::BTreeMap,
        fs::Metadata,
        os::unix::fs::MetadataExt as _,
        time::{Duration, Instant, SystemTime},
    };

    type World = Box<dyn FnMut()>;
    /// An inode, and when the system says that the file came to be: inodes are used again.
    type Life = (u64, Option<SystemTime>);

    thread_local! {
        static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
        static TIME: Cell<Option<Instant>> = const { Cell::new(None) };
        static WALL: Cell<Option<Duration>> = const { Cell::new(None) };
        static BORN: RefCell<BTreeMap<Life, Duration>> = const { RefCell::new(BTreeMap::new()) };
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
        WALL.set(WALL.get().map(|wall| wall + time));
    }

    /// The time since 1970 is this now, and goes on by [`pass`] only.
    pub fn set_wall(wall: Duration) {
        WALL.set(Some(wall));
        BORN.take();
    }

    pub fn wall() -> Option<Duration> {
        WALL.get()
    }

    /// A file has come to be just now, by a clock that goes in steps.
    pub fn bear(about: &Metadata) {
        let Some(wall) = WALL.get() else { return };
        let in_step = (wall.as_nanos() % TICK.as_nanos()) as u64;
        BORN.with_borrow_mut(|born| born.insert(life(about), wall - Duration::from_nanos(in_step)));
    }

    pub fn born(about: &Metadata) -> Option<Duration> {
        WALL.get().and_then(|_| BORN.with_borrow(|born| born.get(&life(about)).copied()))
    }

    fn life(about: &Metadata) -> Life {
        (about.ino(), about.created().ok())
    }

    /// A step of the clock of a file system.
    pub const TICK: Duration = Duration::from_millis(4);

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
