//! [`KeyMap`]: the keys in effect, which are those of the table of actions except for actions with configured keys.

use std::fmt;
use std::sync::Arc;

use super::table::TABLE;
use super::{ActionId, ActionScope, ActionSpec, FooterEntry, action_by_id};
use crate::query::nearest_keyword;
use crate::tui::keys::Key;

/// The keys of all actions. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyMap {
    /// The actions whose keys differ from those of the table.
    rebound: Arc<[ReboundAction]>,
}

/// An action with the keys that the configuration gives it.
#[derive(Debug, Clone)]
pub(crate) struct ReboundAction {
    id: ActionId,
    keys: Vec<Key>,
}

impl ReboundAction {
    /// Creates the action with this name from the texts of its keys. The name is the title with `-` for blanks.
    ///
    /// # Errors
    /// No action has the name; the action keeps its keys; a text names no key, or one that types a character in a line
    /// of text.
    pub(crate) fn parse(name: &str, keys: &[&str]) -> Result<Self, String> {
        let Some(action) = TABLE.iter().find(|action| action.is_rebindable() && action.config_name() == name) else {
            let names: Vec<_> =
                TABLE.iter().filter(|action| action.is_rebindable()).map(ActionSpec::config_name).collect();
            let nearest = nearest_keyword(name, names.iter().map(String::as_str));
            let nearest = nearest.map(|name| format!("; the nearest is `{name}`")).unwrap_or_default();
            return Err(format!("no action `{name}` can have other keys{nearest}"));
        };
        let keys: Vec<Key> = keys.iter().map(|text| Key::parse(text)).collect::<Result<_, _>>()?;
        let types_text = matches!(action.scope, ActionScope::TextInput | ActionScope::Form);
        if let Some(key) = keys.iter().find(|key| types_text && matches!(key, Key::Char(_))) {
            return Err(format!(
                "`{key}` types a character where `{name}` applies; use a key such as `ctrl-n` or `f5`"
            ));
        }
        if keys.is_empty() && action.id == ActionId::Interrupt {
            return Err(format!("`{name}` needs a key, so that every dialog can be closed"));
        }
        Ok(Self { id: action.id, keys })
    }
}

impl KeyMap {
    /// Creates the map in which these actions have other keys than in the table.
    ///
    /// # Errors
    /// A key would have two actions in the same scope.
    pub(crate) fn with_rebound(rebound: Vec<ReboundAction>) -> Result<Self, KeyConflict> {
        let map = Self { rebound: rebound.into() };
        map.conflict().map_or(Ok(map), Err)
    }

    /// Returns the keys of an action.
    pub(crate) fn keys(&self, action: &ActionSpec) -> &[Key] {
        self.rebound.iter().find(|rebound| rebound.id == action.id).map_or(action.keys, |rebound| &rebound.keys)
    }

    /// Returns the action of a key in a scope.
    pub(crate) fn action_for_key(&self, scope: ActionScope, key: Key) -> Option<ActionId> {
        TABLE.iter().find(|action| action.scope == scope && self.keys(action).contains(&key)).map(|action| action.id)
    }

    /// Returns what the user types to run an action: its first key, or its name in the palette.
    pub(crate) fn hint(&self, id: ActionId) -> String {
        let Some(action) = action_by_id(id) else { return String::new() };
        match (self.keys(action).first(), action.scope) {
            (Some(key), ActionScope::CopyChord) => format!("{} {key}", self.hint(ActionId::Copy)),
            (Some(key), _) => key.to_string(),
            (None, _) => format!(":{}", action.title),
        }
    }

    /// Returns the actions that the footer shows in a scope, in the order of the table.
    pub(crate) fn footer_entries(&self, scope: ActionScope) -> impl Iterator<Item = FooterEntry> {
        TABLE.iter().filter(move |action| action.scope == scope).filter_map(|action| {
            Some(FooterEntry { key: *self.keys(action).first()?, label: action.footer_label?, id: action.id })
        })
    }

    /// Returns a key that has two actions; `None` when no key has.
    fn conflict(&self) -> Option<KeyConflict> {
        TABLE.iter().enumerate().find_map(|(position, first)| {
            let later = TABLE.get(position + 1..).unwrap_or_default();
            later.iter().filter(|second| share_keys(first.scope, second.scope)).find_map(|second| {
                let key = *self.keys(first).iter().find(|key| self.keys(second).contains(key))?;
                Some(KeyConflict { key, first, second })
            })
        })
    }
}

/// A key with two actions.
#[derive(Debug)]
pub(crate) struct KeyConflict {
    key: Key,
    first: &'static ActionSpec,
    second: &'static ActionSpec,
}

impl KeyConflict {
    /// Returns whether an action, named as in the configuration, is one of the two.
    pub(crate) fn has_action(&self, name: &str) -> bool {
        [self.first, self.second].iter().any(|action| action.config_name() == name)
    }
}

impl fmt::Display for KeyConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, first, second) = (self.key, self.first.config_name(), self.second.config_name());
        write!(f, "`{key}` would run both `{first}` and `{second}`; give one of them other keys, or none ([])")
    }
}

/// Returns whether the keys of two scopes apply at the same time.
fn share_keys(first: ActionScope, second: ActionScope) -> bool {
    let in_dialog = |scope| matches!(scope, ActionScope::Confirm | ActionScope::Plan);
    first == second || in_dialog(first) && in_dialog(second)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn map(bindings: &[(&str, &[&str])]) -> Result<KeyMap, String> {
        let rebound = bindings.iter().map(|(name, keys)| ReboundAction::parse(name, keys));
        KeyMap::with_rebound(rebound.collect::<Result<_, _>>()?).map_err(|conflict| conflict.to_string())
    }

    #[test]
    fn no_key_of_the_table_has_two_actions() {
        assert!(KeyMap::default().conflict().is_none(), "{:?}", KeyMap::default().conflict());
    }

    #[test]
    fn every_action_has_its_own_name_in_the_configuration() {
        let names: HashSet<_> = TABLE.iter().map(ActionSpec::config_name).collect();
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn an_action_has_the_configured_keys_and_no_others() {
        let keys = map(&[("next-damage", &["ctrl-n", "D"]), ("mouse", &["f7"]), ("zoom", &[])]).unwrap();
        let action = |key| keys.action_for_key(ActionScope::Main, key);
        assert_eq!(action(Key::Ctrl('n')), Some(ActionId::NextDamage));
        assert_eq!(action(Key::Char('e')), None);
        assert_eq!((action(Key::F(7)), action(Key::Char('z'))), (Some(ActionId::ToggleMouse), None));
        let footer = keys.footer_entries(ActionScope::Main).find(|entry| entry.id == ActionId::NextDamage);
        assert_eq!(footer.unwrap().key, Key::Ctrl('n'));
        assert_eq!((keys.hint(ActionId::NextDamage), keys.hint(ActionId::Zoom)), ("Ctrl-n".into(), ":zoom".into()));
    }

    #[test]
    fn a_binding_that_cannot_work_is_an_error_with_its_reason() {
        for (bindings, reason) in [
            (&[("next-damge", &["e"][..])][..], "the nearest is `next-damage`"),
            (&[("next-damage", &["f"])], "`f` would run both `filter` and `next-damage`"),
            (&[("accept-likely", &["j"])], "`j` would run both"),
            (&[("next-damage", &["ctrl-i"])], "terminals send Tab for Ctrl-i"),
            (&[("next-damage", &["ctlr-n"])], "expected a key"),
            (&[("complete", &["x"])], "types a character"),
            (&[("close-or-quit", &[])], "needs a key"),
            (&[("use-candidate", &["z"])], "no action `use-candidate`"),
        ] {
            let error = map(bindings).unwrap_err();
            assert!(error.contains(reason), "{bindings:?}: {error}");
        }
        assert!(map(&[("next-damage", &["f"]), ("filter", &["F5"])]).is_ok(), "keys can be exchanged");
    }
}
