"""Compose the rest into a service.

settings      everything an operator can set (channels: the tables of carriers;
              sources: file and environment; settings_page: docs/settings.md)
keys          the secrets that the first start makes
installation  the settings of this machine, complete with keys and Redis
faults        why a command cannot do its work
serve         start everything on one machine
supervisor    keep its processes running, and end them in order
web           the web service as a process
doctor        what is well and what is not
processes     what a supervised process owes its supervisor
redis_server  the Redis of an installation that has none
app           the Flask application
views         what is asked over HTTP
worker        carries out what the web service queued
schedule      what happens by the clock
cli           the `yarigar` command
"""
