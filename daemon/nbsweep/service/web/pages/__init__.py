"""The pages for people: a handler, a template and a record for each; `CONTRIBUTING.md` says how to add one."""
