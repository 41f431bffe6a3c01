"""The cloud over HTTP: one method per API call, and what it takes to make it safely."""
