"""Commands: their options and help, without the code that runs them."""
