# What pint need not say of the rules.
checks {
  # Groups read what others record: it is at most one evaluation old. One group of all rules would be too long for Mimir.
  disabled = ["rule/dependency"]
}
