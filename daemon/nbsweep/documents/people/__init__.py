"""The JSON documents about people: marks, messages and exemptions."""
