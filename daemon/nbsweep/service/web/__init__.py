"""Health, metrics and the API over HTTP.

`app` builds the application, and `server` serves it on an address. The application uses the service as a `Control`, the journal
as a port, and the metrics as a function. It makes no decisions and calls no cloud.
"""
