"""What a person on Discord touches; thin: read the interaction, call a service, render."""
