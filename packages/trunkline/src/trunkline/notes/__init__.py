"""What a release says of itself, to people and to a language model."""
