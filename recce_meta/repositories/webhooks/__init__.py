"""Webhooks of the forges: signatures, deliveries, what they cause, and how they are set up."""
