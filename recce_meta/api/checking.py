"""`doctor`: what is in the way between a user and a recorded run."""
