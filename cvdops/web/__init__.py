"""The pages: load and authorise, validate, call a verb, respond."""
