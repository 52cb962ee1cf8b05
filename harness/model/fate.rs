//! What becomes of a catalogue's objects from one state of a database to another, by the equality rules.

use super::{
    Catalogue,
    catalogue::{Definition, ObjectName, Sequence, why_hidden},
    hidden::Hidden,
};

/// What became of an object that is not the same in both states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate<'c> {
    /// Nobody can say, for this reason: one of the states does not show it.
    Unseen(String),
    /// It is not there any more.
    Lost(&'c Definition),
    /// It has another definition: the earlier and the later one.
    Changed(&'c Definition, &'c Definition),
    /// It was not there before.
    Left,
}

impl Catalogue {
    /// The objects that are not the same in a later state, or not seen to be: those of this state first.
    pub fn fates<'c>(&'c self, later: &'c Self) -> Vec<(&'c ObjectName, Fate<'c>)> {
        let of_earlier = self.objects.iter().filter_map(|(name, then)| {
            let now = later.objects.get(name);
            let hidden = why_hidden(then).or_else(|| why_hidden(now?));
            let unseen = hidden.or_else(|| Some(unseen(later.hides(name).filter(|_| now.is_none())?)));
            let fate = match (unseen, now) {
                (Some(reason), _) => Fate::Unseen(reason),
                (None, None) => Fate::Lost(then),
                (None, Some(now)) if now != then => Fate::Changed(then, now),
                (None, Some(_)) => return None,
            };
            Some((name, fate))
        });
        let new = later.objects.keys().filter(|name| !self.objects.contains_key(name));
        let of_later =
            new.map(|name| (name, self.hides(name).map_or(Fate::Left, |hidden| Fate::Unseen(unseen(hidden)))));
        of_earlier.chain(of_later).collect()
    }

    /// The sequences that stand elsewhere in a later state, each as it stood and as it stands.
    pub fn moved<'c>(&'c self, later: &'c Self) -> impl Iterator<Item = (&'c Sequence, &'c Sequence)> {
        self.sequences.iter().filter_map(|then| {
            let now = later.sequences.iter().find(|one| one.name == then.name)?;
            (now.next != then.next && !now.hidden && !then.hidden).then_some((then, now))
        })
    }
}

/// Why an object that one of the states does not show need not be one that the other has in excess.
fn unseen(hidden: &Hidden) -> String {
    format!("its role lacks {}, without which it may be hidden", hidden.right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(objects: &[(&str, &str)]) -> Catalogue {
        let definition = |text: &str| Definition::from([("text".to_owned(), text.to_owned())]);
        let named = objects.iter().map(|(name, text)| (ObjectName::new("view", *name), definition(text)));
        Catalogue { objects: named.collect(), ..Catalogue::default() }
    }

    #[test]
    fn what_is_gone_other_new_or_hidden_is_told_apart() {
        let (then, mut now) = (of(&[("a", "1"), ("b", "1"), ("c", "1")]), of(&[("a", "1"), ("b", "2"), ("d", "1")]));
        let told = |then: &Catalogue, now: &Catalogue| -> Vec<String> {
            let word = |fate: Fate<'_>| match fate {
                Fate::Unseen(_) => "unseen",
                Fate::Lost(_) => "lost",
                Fate::Changed(..) => "changed",
                Fate::Left => "left",
            };
            then.fates(now).into_iter().map(|(name, fate)| format!("{} {}", name.name, word(fate))).collect()
        };
        assert_eq!(told(&then, &now), ["b changed", "c lost", "d left"]);
        now.hidden.push(Hidden::class("view", "SHOW VIEW"));
        assert_eq!(told(&then, &now), ["b changed", "c unseen", "d left"]);
        assert_eq!(told(&now, &then), ["b changed", "d lost", "c unseen"]);
    }
}
