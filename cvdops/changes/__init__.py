"""Changes of what decides about rights: proposed by one person and, where it is sharp, confirmed by another."""
