"""The served demo: a simulated cloud with a past that is made up, and the real service on it.

Nothing here reads a configuration, an environment or a journal of the user.
"""
