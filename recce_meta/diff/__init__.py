"""What differs between two runs. Pure: values in, values out."""
