"""Pictures of hands: decks, cards, the table they lie on, and the named visuals."""
