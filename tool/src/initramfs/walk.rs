//! A path, followed name by name as the kernel does: path_resolution(7).

/// As many symlinks as the kernel follows in one path: MAXSYMLINKS in include/linux/namei.h.
const MAX_LINKS: usize = 40;

/// What lies at a path whose directories are no symlinks.
pub enum Kind {
    Directory,
    /// A symlink with this target.
    Link(String),
    Other,
}

/// Why a path leads nowhere.
pub enum Stop<E> {
    /// `look` says so.
    Look(E),
    NoDirectory(String),
    TooManyLinks,
}

/// The absolute path without symlinks to which a path leads. `..` leads to the parent of where a symlink has led, and `/` is its own
/// parent. `look` is asked for each absolute path on the way.
pub fn walk<E>(path: &str, mut look: impl FnMut(&str) -> Result<Kind, E>) -> Result<String, Stop<E>> {
    let mut ahead: Vec<String> = names(path);
    let (mut real, mut links) = (String::new(), 0);
    while let Some(name) = ahead.pop() {
        let parent = real.len();
        if name == ".." {
            real.truncate(real.rfind('/').unwrap_or(0));
            continue;
        }
        real = format!("{real}/{name}");
        match look(&real).map_err(Stop::Look)? {
            Kind::Directory => {}
            Kind::Other if ahead.is_empty() => {}
            Kind::Other => return Err(Stop::NoDirectory(real)),
            Kind::Link(_) if links == MAX_LINKS => return Err(Stop::TooManyLinks),
            Kind::Link(target) => {
                links += 1;
                real.truncate(if target.starts_with('/') { 0 } else { parent });
                ahead.extend(names(&target));
            }
        }
    }
    Ok(if real.is_empty() { "/".into() } else { real })
}

/// The names of a path, the last one first.
fn names(path: &str) -> Vec<String> {
    path.rsplit('/').filter(|name| !matches!(*name, "" | ".")).map(str::to_string).collect()
}
