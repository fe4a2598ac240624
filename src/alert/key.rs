//! The key of an open alert: its rule, its scope and its label.

use super::Alert;
use crate::domain::Scope;

/// There is at most one open alert with the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AlertKey {
    pub scope: Scope,
    /// Rule and label of an alert with a finding; `None` for a lack of agents.
    pub finding: Option<(String, Option<String>)>,
}

impl AlertKey {
    /// A lack of agents.
    pub(super) fn understaffed(scope: &Scope) -> Self {
        Self { scope: scope.clone(), finding: None }
    }

    /// The key of what a rule found.
    pub(super) fn of_rule(rule: &str, scope: &Scope, label: Option<&str>) -> Self {
        let finding = Some((rule.to_owned(), label.map(str::to_owned)));
        Self { scope: scope.clone(), finding }
    }
}

impl Alert {
    /// The key of this alert.
    pub(super) fn key(&self) -> AlertKey {
        match &self.finding {
            None => AlertKey::understaffed(&self.scope),
            Some(found) => AlertKey::of_rule(&self.rule, &self.scope, found.label.as_deref()),
        }
    }
}
