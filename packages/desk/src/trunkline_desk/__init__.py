"""A page on which a team puts branches on staging and takes them back."""
