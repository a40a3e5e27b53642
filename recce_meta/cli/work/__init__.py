"""What commands about data do once they are run: imported then, so that `--help` costs next to nothing."""
