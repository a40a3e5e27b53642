"""The emulator of Databricks: its Thrift protocol over HTTP, in front of a local Spark."""
