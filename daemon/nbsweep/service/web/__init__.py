"""Health, metrics and the API over HTTP.

`app` puts it together, `server` lets it answer on an address. It knows the service as a `Control`, the journal as a port, and
the metrics as a function; it decides nothing, and does nothing on the cloud itself.
"""
