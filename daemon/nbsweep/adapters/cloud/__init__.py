"""The cloud over HTTP: one method per API call, with authentication, rate limits and retries."""
