"""What the public is told, and the rule that decides when: groups of ten people or more, rounded and never recalled."""
