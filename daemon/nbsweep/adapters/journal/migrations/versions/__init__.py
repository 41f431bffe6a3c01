"""The revisions, each of which takes a database from the one before it; one that was released is never changed."""
