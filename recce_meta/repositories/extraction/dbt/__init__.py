"""dbt as a program: which version, its environment, our profile, its commands, and refused projects."""
