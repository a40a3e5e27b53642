"""Quality of tables: measured figures, their changes, and conditions on them."""
