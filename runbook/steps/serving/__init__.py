"""Steps that talk to the model server: section 4.5."""
