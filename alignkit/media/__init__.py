"""Pictures, sounds and films as arrays: read with stated rules, refused with a reason."""
