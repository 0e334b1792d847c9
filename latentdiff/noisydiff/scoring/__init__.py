"""How well the methods answer: measures of one side of a pair, and what they come to over all pairs."""
