"""What people are told: notices in the portal, and messages that leave it."""
