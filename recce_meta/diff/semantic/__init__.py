"""What a change of SQL can break: two queries compared by what they mean."""
