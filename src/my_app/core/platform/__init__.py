"""What every feature stands on. Imports no feature."""
